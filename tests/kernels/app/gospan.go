// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const gospan = "/bin/gospan"

// verdict is what doctor says.
type verdict struct {
	Works  bool
	Reason string
	Checks []struct {
		Name  string
		OK    bool
		Value string
	}
	status int
}

func (v *verdict) has(name string) bool {
	for _, c := range v.Checks {
		if c.Name == name {
			return c.OK
		}
	}
	return false
}

func (v *verdict) value(name string) string {
	for _, c := range v.Checks {
		if c.Name == name {
			return c.Value
		}
	}
	return "no such check"
}

func exitStatus(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

func doctor() (*verdict, error) {
	var out bytes.Buffer
	cmd := exec.Command(gospan, "doctor", "--json")
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	v := &verdict{status: exitStatus(cmd.Run())}
	if err := json.Unmarshal(out.Bytes(), v); err != nil {
		return nil, fmt.Errorf("doctor --json: %w: %q", err, out.String())
	}
	return v, nil
}

// agent is a running `gospan trace`.
type agent struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ready chan struct{}

	mu  sync.Mutex
	log []string
}

// startAgent does not wait for anything; capabilities nil means root with all of them.
func startAgent(capabilities []uintptr, arguments ...string) (*agent, error) {
	a := &agent{ready: make(chan struct{})}
	a.cmd = exec.Command(gospan, append([]string{"trace"}, arguments...)...)
	a.cmd.Stdout = &a.out
	if capabilities != nil {
		a.cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
			AmbientCaps: capabilities,
		}
	}
	stderr, err := a.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go a.follow(bufio.NewScanner(stderr))
	return a, nil
}

func (a *agent) follow(lines *bufio.Scanner) {
	isReady := false
	for lines.Scan() {
		fmt.Println("  |", lines.Text())
		a.mu.Lock()
		a.log = append(a.log, lines.Text())
		a.mu.Unlock()
		if !isReady && strings.HasPrefix(lines.Text(), "gospan: ready:") {
			isReady = true
			close(a.ready)
		}
	}
	if !isReady {
		close(a.ready) // so that nobody waits for what ended; the log tells
	}
}

func (a *agent) logged() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.log, "\n")
}

func (a *agent) waitReady() error {
	select {
	case <-a.ready:
	case <-time.After(180 * time.Second): // emulation is slow
	}
	if !strings.Contains(a.logged(), "gospan: ready:") {
		return fmt.Errorf("not ready: %q", a.logged())
	}
	return nil
}

// finish ends it as a user would and returns the spans.
func (a *agent) finish() ([]span, error) {
	a.cmd.Process.Signal(syscall.SIGINT)
	timer := time.AfterFunc(60*time.Second, func() { a.cmd.Process.Kill() })
	defer timer.Stop()
	if status := exitStatus(a.cmd.Wait()); status != 0 {
		return nil, fmt.Errorf("exit status %d: %q", status, a.logged())
	}
	return parseSpans(a.out.Bytes())
}

// account is what the agent says of its spans at its end; reasons are its losses and notes by name.
type account struct {
	produced, exported, dropped, unfinished int
	reasons                                 map[string]int
}

var (
	doneLine   = regexp.MustCompile(`(?m)^gospan: done: (\d+) spans? produced, (\d+) exported, (\d+) dropped(.*), (\d+) unfinished(.*)$`)
	reasonName = regexp.MustCompile(`(\w+) (\d+)`)
)

func (a *agent) account() (account, error) {
	found := doneLine.FindStringSubmatch(a.logged())
	if found == nil {
		return account{}, fmt.Errorf("it did not say what became of its spans: %q", a.logged())
	}
	number := func(text string) int { n, _ := strconv.Atoi(text); return n }
	all := account{number(found[1]), number(found[2]), number(found[3]), number(found[5]), map[string]int{}}
	for _, reason := range reasonName.FindAllStringSubmatch(found[4]+found[6], -1) {
		all.reasons[reason[1]] = number(reason[2])
	}
	return all, nil
}

// linkTypes counts the BPF links it holds by type, as the kernel tells.
func (a *agent) linkTypes() map[string]int {
	types := map[string]int{}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", a.cmd.Process.Pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for _, line := range strings.Split(string(text), "\n") {
			if name, found := strings.CutPrefix(line, "link_type:"); found {
				types[strings.TrimSpace(name)]++
			}
		}
	}
	return types
}

// isStepping tells whether an instruction of the process was ever run out of line.
func isStepping(pid int) bool {
	maps, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	return bytes.Contains(maps, []byte("[uprobes]"))
}

// spanFields are those that OTLP's JSON has under such names.
type spanFields struct {
	Name, TraceID, SpanID, ParentSpanID string
	Kind                                int
	StartTimeUnixNano, EndTimeUnixNano  string
}

type span struct {
	spanFields
	start, end time.Time
	path       string
	attributes map[string]string // those that are strings
	stack      string            // of a panic
}

func parseSpans(lines []byte) ([]span, error) {
	type attribute struct {
		Key   string
		Value struct{ StringValue string }
	}
	type data struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []struct {
					spanFields
					Attributes []attribute
					Events     []struct{ Attributes []attribute }
				}
			}
		}
	}
	var spans []span
	for decoder := json.NewDecoder(bytes.NewReader(lines)); decoder.More(); {
		var d data
		if err := decoder.Decode(&d); err != nil {
			return nil, fmt.Errorf("OTLP JSON: %w", err)
		}
		for _, resource := range d.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					parsed := span{spanFields: s.spanFields, start: unixNano(s.StartTimeUnixNano),
						end: unixNano(s.EndTimeUnixNano), attributes: map[string]string{}}
					for _, a := range s.Attributes {
						parsed.attributes[a.Key] = a.Value.StringValue
					}
					parsed.path = parsed.attributes["url.path"]
					for _, event := range s.Events {
						for _, a := range event.Attributes {
							if a.Key == "exception.stacktrace" {
								parsed.stack = a.Value.StringValue
							}
						}
					}
					spans = append(spans, parsed)
				}
			}
		}
	}
	return spans, nil
}

func unixNano(text string) time.Time {
	ns, _ := strconv.ParseInt(text, 10, 64)
	return time.Unix(0, ns)
}
