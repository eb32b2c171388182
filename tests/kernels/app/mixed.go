// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// mixedServer is a program /bin/mixed-VERSION-MODE: its requests are server, client and queries.
type mixedServer struct {
	cmd     *exec.Cmd
	address string
}

func startMixed(program string) (*mixedServer, error) {
	m := &mixedServer{cmd: exec.Command(program)}
	if _, err := m.cmd.StdinPipe(); err != nil { // it ends when its stdin does
		return nil, err
	}
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err = m.cmd.Start(); err != nil {
		return nil, err
	}
	var told struct{ HTTP int }
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err = errors.Join(err, json.Unmarshal(line, &told)); err != nil {
		stop(m.cmd)
		return nil, err
	}
	m.address = fmt.Sprintf("http://127.0.0.1:%d", told.HTTP)
	return m, nil
}

// fives makes CNT requests over as many connections as goroutines.
func (m *mixedServer) fives(cnt, goroutines int) error {
	failed := make([]error, cnt)
	var wait sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			client := http.Client{Transport: &http.Transport{}}
			for ; i < cnt; i += goroutines {
				answer, err := client.Get(fmt.Sprintf("%s/five?n=%d", m.address, i))
				if failed[i] = err; err != nil {
					continue
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		}(i)
	}
	wait.Wait()
	failed = slices.DeleteFunc(failed, func(err error) bool { return err == nil })
	return errors.Join(firsts(failed)...)
}

// judgeFive is about one trace: a server, below it a call and two queries, below the call a server.
func judgeFive(trace []span) error {
	byName := map[string]span{}
	for _, s := range trace {
		name, _, isQuery := strings.Cut(s.Name, "_") // SELECT first_7
		if !isQuery {
			name = fmt.Sprint(s.Kind, pathOf(s))
		}
		byName[name] = s
	}
	root := byName["2/five"]
	n := strings.TrimPrefix(root.attributes["url.query"], "n=")
	call, leaf := byName["3/leaf/"+n], byName["2/leaf/"+n]
	first, second := byName["SELECT first"], byName["SELECT second"]
	for _, s := range []span{call, first, second} {
		if s.SpanID == "" || s.ParentSpanID != root.SpanID {
			return fmt.Errorf("not below %s: %+v, of %+v", root.SpanID, s, trace)
		}
	}
	if len(trace) != 5 || root.ParentSpanID != "" || leaf.SpanID == "" || leaf.ParentSpanID != call.SpanID ||
		!strings.HasSuffix(first.Name, "_"+n) || !strings.HasSuffix(second.Name, "_"+n) {
		return fmt.Errorf("of request %s: %+v", n, trace)
	}
	return nil
}

func checkFives(program string) (string, error) {
	const cnt, goroutines = 200, 20
	m, err := startMixed(program)
	if err != nil {
		return "", err
	}
	defer stop(m.cmd)
	out, err := traceProcess(m.cmd.Process.Pid, nil, func() error { return m.fives(cnt, goroutines) })
	if err != nil {
		return "", err
	}
	traces := map[string][]span{}
	for _, s := range out.spans {
		traces[s.TraceID] = append(traces[s.TraceID], s)
	}
	var wrong []error
	for _, trace := range traces {
		if err := judgeFive(trace); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(traces) != cnt || out.account.dropped != 0 {
		wrong = append(wrong, fmt.Errorf("%d requests, %d traces, %+v", cnt, len(traces), out.account))
	}
	return fmt.Sprintf("%d requests, %d traces of five spans", cnt, len(traces)), errors.Join(firsts(wrong)...)
}

// mixed is about requests that become one trace in one program: HTTP both ways, SQL, goroutines.
func mixed() {
	programs, _ := filepath.Glob("/bin/mixed-*")
	for _, program := range programs {
		detail, err := checkFives(program)
		report("five spans "+strings.TrimPrefix(filepath.Base(program), "mixed-"), detail, err)
	}
}
