// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
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
	apart                        bool // the peer is not traced
	all, written, joined, absent int
	untouched                    int // of the joined: without a reason in the request
	wrong                        []error
}

// A buffer may go on in a page that the program never used: few do.
const untouchedMax = 3

// unwritten are those without room for a header.
func (v *verdicts) unwritten() int { return v.joined + v.absent }

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
	case len(s.values) == 0 && mayLack(kind, s) && isBelow && !v.apart:
		v.joined++
	case len(s.values) == 0 && mayLack(kind, s) && server.ParentSpanID == "" && (kind != "h1" || v.apart):
		v.absent++
	case len(s.values) == 0 && kind != "h1" && isBelow && !v.apart && v.untouched < untouchedMax:
		v.joined++
		v.untouched++
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

// judgeKind is about all requests of a kind that were seen.
func judgeKind(v *verdicts, kind string, sights []sight, clients, servers []span) {
	client, _ := ends(clients)
	_, server := ends(servers)
	v.spans = slices.Concat(clients, servers)
	for _, s := range sights {
		if strings.HasPrefix(s.path, "/"+kind+"/") {
			v.judge(kind, s, client[s.path], server[s.path])
		}
	}
}

// conclude checks that no request is missing.
func (v *verdicts) conclude(kind string, n *news) (string, error) {
	detail := fmt.Sprintf("%d requests in %v: %d headers written, %d not (joined %d)", n.made[kind],
		n.took[kind].Round(100*time.Millisecond), v.written, v.unwritten(), v.joined)
	if v.all == 0 || v.all != n.made[kind] {
		v.wrong = append(v.wrong, fmt.Errorf("%d requests were seen; %s", v.all, detail))
	}
	return detail, errors.Join(firsts(v.wrong)...)
}

func judgeWriting(kind string, n *news, spans []span) (*verdicts, string, error) {
	var v verdicts

	judgeKind(&v, kind, n.sights, spans, spans)
	detail, err := v.conclude(kind, n)
	if v.written < concurrent || v.unwritten() == 0 {
		err = errors.Join(err, errors.New(detail))
	}
	return &v, detail, err
}

// judgeAccount compares with what the agent says itself: nothing was lost, and what could not be
// written was counted.
func judgeAccount(out traced, want, unwritten int) (string, error) {
	a := out.account
	detail := fmt.Sprintf("%d spans; %+v", len(out.spans), a)
	if len(out.spans) != want || a.produced != want || a.exported != want || a.dropped != 0 ||
		a.unfinished != 0 || a.reasons["no_room"] != unwritten {
		return "", fmt.Errorf("want %d spans and %d times no room; %s", want, unwritten, detail)
	}
	return detail, nil
}

// judgeUnsampled: nothing is reported, and the servers are told so. Not where the program's own headers
// could not be read, in a page that the kernel was moving: the agent counts those, so that as many may
// have none.
func judgeUnsampled(sights []sight, out traced) (string, error) {
	var wrong []error
	unread := out.account.reasons["header_read"]

	if len(out.spans) != 0 {
		wrong = append(wrong, fmt.Errorf("%d spans", len(out.spans)))
	}
	for _, s := range sights {
		what := strings.Split(s.path, "/")[2]
		if what == "foreign" || what == "pad" {
			continue
		}
		if len(s.values) == 0 && unread > 0 {
			unread--
			continue
		}
		if len(s.values) != 1 || !strings.HasSuffix(s.values[0], "-"+unsampled) {
			wrong = append(wrong, fmt.Errorf("%s: saw %q", s.path, s.values))
		}
	}
	if len(sights) == 0 {
		wrong = append(wrong, errors.New("no requests were seen"))
	}
	return fmt.Sprintf("%d requests with a header that says so; %+v", len(sights), out.account), errors.Join(firsts(wrong)...)
}

func checkUnsampled(program string) (string, error) {
	n, out, err := traceOrder(program, "requests 10", "OTEL_TRACES_SAMPLER=always_off")
	if err != nil {
		return "", err
	}
	return judgeUnsampled(n.sights, out)
}

// checkWriting is about all sorts of requests.
func checkWriting(program, name string) {
	n, out, err := traceOrder(program, fmt.Sprintf("requests %d", concurrent))
	if err != nil {
		report("write "+name, "", err)
	}
	if n == nil {
		return
	}
	all, unwritten := 0, 0
	for _, kind := range kinds {
		v, detail, err := judgeWriting(kind, n, out.spans)
		report("write "+kind+" "+name, detail, err)
		all, unwritten = all+v.all, unwritten+v.unwritten()
	}
	for _, s := range n.sights {
		if strings.Contains(s.path, "/proxied/") {
			all++ // by two clients to two servers
		}
	}
	detail, err := judgeAccount(out, 2*all, unwritten)
	report("write's account "+name, detail, err)
}

// writers gives the programs /bin/writer-VERSION-MODE, the newest last, and the one with an SDK.
func writers() (programs []string, sdk string) {
	all, _ := filepath.Glob("/bin/writer-*")
	for _, program := range all {
		if strings.HasPrefix(program, "/bin/writer-sdk-") {
			sdk = program
		} else {
			programs = append(programs, program)
		}
	}
	return programs, sdk
}

// write is about headers that gospan writes into requests.
func write(v *verdict, groups string) {
	programs, sdk := writers()
	if !v.has("write_user") || len(programs) == 0 || sdk == "" {
		report("write", "", errSkip(fmt.Sprintf("write_user: %s; %d programs", v.value("write_user"), len(programs))))
		return
	}
	newest := programs[len(programs)-1]
	name := strings.TrimPrefix(filepath.Base(newest), "writer-")
	if wants(groups, "write") {
		for _, program := range programs {
			checkWriting(program, strings.TrimPrefix(filepath.Base(program), "writer-"))
		}
		detail, err := checkUnsampled(newest)
		report("unsampled "+name, detail, err)
	}
	if wants(groups, "crowd") {
		checkCrowd(newest)
		checkSmallRoom(newest)
	}
	if wants(groups, "peer") {
		checkSDKServer(newest, sdk)
		checkSDKClient(newest, sdk)
	}
}
