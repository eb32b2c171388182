// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orderLimit is for one order; emulation is slow.
const orderLimit = 200 * time.Second

// writer is a running tests/harness/go/writer.
type writer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	at  []string // its servers, as another one's arguments
}

// sight is what the server of a request saw of traceparents.
type sight struct {
	path   string
	values []string
}

// is tells whether PATH is /KIND/WHAT/...
func (s sight) is(kind, what string) bool {
	return strings.HasPrefix(s.path, "/"+kind+"/"+what+"/")
}

// news is what a writer prints after an order.
type news struct {
	sights []sight
	spans  []span // of its SDK
	made   map[string]int
	took   map[string]time.Duration
}

func startWriter(program string, arguments ...string) (*writer, error) {
	w := &writer{cmd: exec.Command(program, arguments...)}
	w.cmd.Stderr = os.Stderr
	w.in, _ = w.cmd.StdinPipe()
	out, _ := w.cmd.StdoutPipe()
	w.out = bufio.NewScanner(out)
	w.out.Buffer(nil, 1<<20)
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := w.read(); err != nil {
		stop(w.cmd)
		return nil, err
	}
	return w, nil
}

func (w *writer) order(text string) (*news, error) {
	fmt.Fprintln(w.in, text)
	return w.read()
}

func (w *writer) read() (*news, error) {
	n := &news{made: map[string]int{}, took: map[string]time.Duration{}}
	var bad []error

	timer := time.AfterFunc(orderLimit, func() { w.cmd.Process.Signal(syscall.SIGQUIT) }) // says where it hangs
	defer timer.Stop()
	for w.out.Scan() {
		words := strings.Fields(w.out.Text())
		switch words[0] {
		case "at":
			w.at = append(w.at, words[1]+"@"+words[2])
		case "saw":
			n.sights = append(n.sights, sight{words[1], words[2:]})
		case "span":
			n.spans = append(n.spans, sdkSpan(words[1:]))
		case "made":
			n.made[words[1]], _ = strconv.Atoi(words[2])
			n.took[words[1]], _ = time.ParseDuration(words[3] + "ms")
		case "bad":
			bad = append(bad, errors.New(w.out.Text()))
		case "done":
			return n, errors.Join(firsts(bad)...)
		}
	}
	return nil, errors.Join(append(firsts(bad), errors.New("the program did not come to its end"))...)
}

// sdkSpan is of a line's KIND PATH TRACE SPAN PARENT FLAGS HEADER.
func sdkSpan(words []string) span {
	s := span{path: words[1], attributes: map[string]string{"parent": words[5], "header": words[6]}}
	s.Kind, _ = strconv.Atoi(words[0])
	s.TraceID, s.SpanID = words[2], words[3]
	if words[4] != "-" {
		s.ParentSpanID = words[4]
	}
	return s
}

func firsts(all []error) []error {
	if len(all) > 5 {
		return append(all[:5:5], fmt.Errorf("and %d more", len(all)-5))
	}
	return all
}

// spansFile and no pipe: gospan does not wait long for whoever reads one, which takes its time here.
const spansFile = "/tmp/spans"

// traced is what came of a process that was traced.
type traced struct {
	spans   []span
	account account
}

// traceProcess has act done while PID is traced, by an agent with these NAME=VALUE in its environment.
func traceProcess(pid int, settings []string, act func() error) (traced, error) {
	var out traced

	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	os.Remove(spansFile)
	a, err := startAgent(nil, "--pid", strconv.Itoa(pid), "--no-console", "--otlp-file", spansFile)
	if err != nil {
		return out, err
	}
	if err = a.waitReady(); err == nil {
		err = act()
	}
	_, finishErr := a.finish()
	account, accountErr := a.account()
	text, fileErr := os.ReadFile(spansFile)
	spans, parseErr := parseSpans(text)
	return traced{spans, account}, errors.Join(err, finishErr, accountErr, fileErr, parseErr)
}

// traceOrder is about a writer that is its own peer.
func traceOrder(program, order string, settings ...string) (*news, traced, error) {
	var n *news

	w, err := startWriter(program, kinds...)
	if err != nil {
		return nil, traced{}, err
	}
	defer stop(w.cmd)
	out, err := traceProcess(w.cmd.Process.Pid, settings, func() error {
		var err error
		n, err = w.order(order)
		return err
	})
	return n, out, err
}
