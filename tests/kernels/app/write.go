// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	kindServer = 2
	kindClient = 3

	foreign   = "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01"
	foreignID = "cdcdcdcdcdcdcdcd"

	// The flags of a trace of ours.
	sampled, unsampled = "01", "00"

	concurrent = 200 // requests at the same time; emulation is slow
)

var kinds = []string{"h1", "h2", "x2", "grpc"}

// sight is what the server of a request saw of traceparents.
type sight struct {
	path   string
	values []string
}

// is tells whether PATH is /KIND/WHAT/...
func (s sight) is(kind, what string) bool {
	return strings.HasPrefix(s.path, "/"+kind+"/"+what+"/")
}

// writer is a running tests/harness/go/writer.
type writer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func startWriter(program string, count int, kinds ...string) (*writer, error) {
	w := &writer{cmd: exec.Command(program, append([]string{strconv.Itoa(count)}, kinds...)...)}
	w.cmd.Stderr = os.Stderr
	w.in, _ = w.cmd.StdinPipe()
	out, _ := w.cmd.StdoutPipe()
	w.out = bufio.NewScanner(out)
	w.out.Buffer(nil, 1<<20)
	return w, w.cmd.Start()
}

// run has it make its requests.
func (w *writer) run() ([]sight, error) {
	var sights []sight
	var bad []error

	timer := time.AfterFunc(120*time.Second, func() { w.cmd.Process.Kill() })
	defer timer.Stop()
	fmt.Fprintln(w.in)
	for w.out.Scan() {
		words := strings.Fields(w.out.Text())
		switch words[0] {
		case "saw":
			sights = append(sights, sight{words[1], words[2:]})
		case "bad":
			bad = append(bad, errors.New(w.out.Text()))
		case "done":
			return sights, errors.Join(firsts(bad)...)
		}
	}
	return nil, errors.Join(append(firsts(bad), errors.New("the program did not come to its end"))...)
}

func firsts(all []error) []error {
	if len(all) > 5 {
		return append(all[:5:5], fmt.Errorf("and %d more", len(all)-5))
	}
	return all
}

// traceWriter has PROGRAM make its requests while it is traced.
func traceWriter(program string, count int, kinds ...string) ([]sight, []span, error) {
	w, err := startWriter(program, count, kinds...)
	if err != nil {
		return nil, nil, err
	}
	defer stop(w.cmd)
	a, err := startAgent(nil, "--pid", strconv.Itoa(w.cmd.Process.Pid), "--no-console", "--otlp-file", "-")
	if err != nil {
		return nil, nil, err
	}
	if err = a.waitReady(); err != nil {
		return nil, nil, err
	}
	sights, err := w.run()
	spans, finishErr := a.finish()
	return sights, spans, errors.Join(err, finishErr)
}

// pathOf is what the span's request was for; a program's own name of it.
func pathOf(s span) string {
	if s.attributes["rpc.method"] != "" {
		return "/" + strings.TrimPrefix(s.attributes["rpc.method"], "/")
	}
	if full, err := url.Parse(s.attributes["url.full"]); err == nil && full.Path != "" {
		return full.Path
	}
	return s.path
}

// ends finds the two spans of each request. A proxy's are those nearest to the last server.
func ends(spans []span) (clients, servers map[string]span) {
	clients, servers = map[string]span{}, map[string]span{}
	for _, s := range spans {
		path := pathOf(s)
		switch s.Kind {
		case kindServer:
			if old, found := servers[path]; !found || old.start.Before(s.start) {
				servers[path] = s
			}
		case kindClient:
			if old, found := clients[path]; !found || old.start.Before(s.start) {
				clients[path] = s
			}
		}
	}
	return clients, servers
}

// mayLack tells whether the request's headers may leave no room for another in the buffer that they
// are written to: 4,096 bytes. gRPC has 32 KiB, but where that goes on in a page that the program
// never used there is no memory to write to.
func mayLack(kind string, s sight) bool {
	size, _ := strconv.Atoi(s.path[strings.LastIndexByte(s.path, '/')+1:])
	return kind == "grpc" || s.is(kind, "pad") && size > 3700
}

// verdicts count what became of requests.
type verdicts struct {
	spans                        []span
	all, written, joined, absent int
	wrong                        []error
}

// whose tells the requests of the spans with this id.
func (v *verdicts) whose(id string) string {
	var found []string
	for _, s := range v.spans {
		if s.SpanID == id || s.ParentSpanID == id {
			found = append(found, fmt.Sprintf("%+v", s))
		}
	}
	return strings.Join(found, ", ")
}

// judge is about one request. Its server knows its client by a header; where there is no room for one
// because both ends are traced; or, if the request was on its way too early for that, not at all.
func (v *verdicts) judge(kind string, s sight, client, server span) {
	wrong := func(what string) {
		v.wrong = append(v.wrong, fmt.Errorf("%s: %s: client %s/%s, server below %s/%s (%s), which saw %q", s.path, what,
			client.TraceID, client.SpanID, server.TraceID, server.ParentSpanID, v.whose(server.ParentSpanID), s.values))
	}
	isBelow := server.ParentSpanID == client.SpanID && server.TraceID == client.TraceID
	header := fmt.Sprintf("00-%s-%s-%s", client.TraceID, client.SpanID, sampled)
	v.all++
	switch {
	case client.SpanID == "" || server.SpanID == "":
		wrong("a span is missing")
	case s.is(kind, "foreign"):
		if len(s.values) != 1 || s.values[0] != foreign || server.ParentSpanID != foreignID {
			wrong("it had a header")
		}
	case len(s.values) == 0 && mayLack(kind, s) && isBelow:
		v.joined++
	case len(s.values) == 0 && mayLack(kind, s) && server.ParentSpanID == "" && kind != "h1":
		v.absent++
	case len(s.values) == 1 && kind != "h1" && s.is(kind, "proxied"):
		// by HTTP/2 what is handed on is left as it is
		if !isBelow && s.values[0] != fmt.Sprintf("00-%s-%s-%s", client.TraceID, server.ParentSpanID, sampled) {
			wrong("another parent")
		}
	case !isBelow:
		wrong("another parent")
	case len(s.values) != 1 || s.values[0] != header:
		wrong("want " + header)
	default:
		v.written++
	}
}

func judgeWriting(kind string, sights []sight, spans []span) (string, error) {
	v := verdicts{spans: spans}

	clients, servers := ends(spans)
	for _, s := range sights {
		if strings.HasPrefix(s.path, "/"+kind+"/") {
			v.judge(kind, s, clients[s.path], servers[s.path])
		}
	}
	detail := fmt.Sprintf("%d requests: %d headers written, %d without room (joined %d)", v.all, v.written,
		v.joined+v.absent, v.joined)
	if v.written < concurrent || v.joined+v.absent == 0 {
		v.wrong = append(v.wrong, errors.New(detail))
	}
	return detail, errors.Join(firsts(v.wrong)...)
}

// judgeUnsampled: nothing is reported, and the servers are told so.
func judgeUnsampled(sights []sight, spans []span) (string, error) {
	var wrong []error

	if len(spans) != 0 {
		wrong = append(wrong, fmt.Errorf("%d spans", len(spans)))
	}
	for _, s := range sights {
		what := strings.Split(s.path, "/")[2]
		if what == "foreign" || what == "pad" {
			continue
		}
		if len(s.values) != 1 || !strings.HasSuffix(s.values[0], "-"+unsampled) {
			wrong = append(wrong, fmt.Errorf("%s: saw %q", s.path, s.values))
		}
	}
	return fmt.Sprintf("%d requests, all with a header that says so", len(sights)), errors.Join(firsts(wrong)...)
}

func checkUnsampled(program string) (string, error) {
	os.Setenv("OTEL_TRACES_SAMPLER", "always_off")
	defer os.Unsetenv("OTEL_TRACES_SAMPLER")
	sights, spans, err := traceWriter(program, 10, kinds...)
	if err != nil {
		return "", err
	}
	return judgeUnsampled(sights, spans)
}

// write is about headers that gospan writes into requests: of every program /bin/writer-VERSION-MODE.
func write(v *verdict) {
	programs, _ := filepath.Glob("/bin/writer-*")
	if !v.has("write_user") || len(programs) == 0 {
		report("write", "", errSkip(fmt.Sprintf("write_user: %s; %d programs", v.value("write_user"), len(programs))))
		return
	}
	for i, program := range programs {
		name := strings.TrimPrefix(filepath.Base(program), "writer-")
		sights, spans, err := traceWriter(program, concurrent, kinds...)
		if err != nil {
			report("write "+name, "", err)
		}
		for _, kind := range kinds {
			detail, err := judgeWriting(kind, sights, spans)
			report("write "+kind+" "+name, detail, err)
		}
		if i == len(programs)-1 {
			detail, err := checkUnsampled(program)
			report("unsampled "+name, detail, err)
		}
	}
}
