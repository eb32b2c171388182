// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const requests = 50

// Numbers of capabilities, from linux/capability.h.
const (
	capSysPtrace = 19
	capSysAdmin  = 21
	capPerfmon   = 38
	capBPF       = 39
)

// errSkip is returned by a check that does not apply to this kernel.
type errSkip string

func (e errSkip) Error() string { return string(e) }

// check is one claim; its detail is what was seen.
type check struct {
	name string
	run  func(v *verdict) (detail string, err error)
}

func report(name, detail string, err error) {
	var skip errSkip
	switch {
	case err == nil:
		fmt.Printf("RESULT pass %s: %s\n", name, detail)
	case errors.As(err, &skip):
		fmt.Printf("RESULT skip %s: %s\n", name, string(skip))
	default:
		fmt.Printf("RESULT fail %s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", " / "))
	}
}

// wants tells whether GROUPS, with commas between them, are all of them or name this one.
func wants(groups, group string) bool {
	return groups == "" || slices.Contains(strings.Split(groups, ","), group)
}

// smoke does the checks of these groups: "smoke", "mixed", "write", "crowd", "peer".
func smoke(groups string) {
	v, err := doctor()
	if err != nil {
		report("doctor", "", err)
		return
	}
	for _, c := range v.Checks {
		fmt.Printf("  doctor: %-17s %-5v %s\n", c.Name, c.OK, c.Value)
	}
	if wants(groups, "smoke") {
		smokeChecks(v)
	}
	if wants(groups, "mixed") && v.Works {
		mixed()
	}
	if groups != "smoke" && v.Works {
		write(v, groups)
	}
}

func smokeChecks(v *verdict) {
	checks := []check{{"doctor", checkDoctor}, {"refusal", checkRefusal}}
	if v.Works {
		checks = []check{
			{"doctor", checkDoctor},
			{"trace", checkTrace},
			{"panic", checkPanic},
			{"attach", checkAttach},
			{"new process", checkNewProcess},
			{"clock step", checkClockStep},
			{"kill -9", checkKill},
			{"capabilities", checkCapabilities},
		}
	}
	for _, c := range checks {
		detail, err := c.run(v)
		report(c.name, detail, err)
	}
}

func checkDoctor(v *verdict) (string, error) {
	if v.Works != (v.status == 0) {
		return "", fmt.Errorf("works is %v, but the exit status %d", v.Works, v.status)
	}
	if !v.Works {
		if v.Reason == "" {
			return "", errors.New("no reason is given")
		}
		return "exit 1: " + v.Reason, nil
	}
	var lost []string
	for _, name := range []string{"uprobe_multi", "uprobe_multi_pid", "uprobe_perf", "write_regs",
		"write_user", "exec_tracepoints"} {
		if !v.has(name) {
			lost = append(lost, name)
		}
	}
	return fmt.Sprintf("works, without [%s]; %s", strings.Join(lost, " "), v.value("hit_cost")), nil
}

// checkRefusal: where doctor says no, trace says why and ends with 1.
func checkRefusal(v *verdict) (string, error) {
	server, err := startServer()
	if err != nil {
		return "", err
	}
	defer stop(server)
	out, err := exec.Command(gospan, "trace", "--pid", strconv.Itoa(server.Process.Pid)).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if status := exitStatus(err); status != 1 {
		return "", fmt.Errorf("exit status %d: %q", status, text)
	}
	if !strings.Contains(text, v.Reason) {
		return "", fmt.Errorf("doctor's reason is %q, trace says %q", v.Reason, text)
	}
	return text, send(3)
}

// trace runs act while the server is traced, and returns the spans of it.
func trace(capabilities []uintptr, act func(a *agent, server *exec.Cmd) error) ([]span, error) {
	server, err := startServer()
	if err != nil {
		return nil, err
	}
	defer stop(server)
	a, err := startAgent(capabilities, "--pid", strconv.Itoa(server.Process.Pid),
		"--no-console", "--otlp-file", "-")
	if err != nil {
		return nil, err
	}
	if err = a.waitReady(); err == nil {
		err = act(a, server)
	}
	spans, finishErr := a.finish()
	return spans, errors.Join(err, finishErr)
}

func countNamed(spans []span, name string) int {
	cnt := 0
	for _, s := range spans {
		if s.Name == name {
			cnt++
		}
	}
	return cnt
}

func expectSpans(spans []span, cnt int) error {
	if named := countNamed(spans, "GET /item/{id}"); named != cnt || len(spans) != cnt {
		return fmt.Errorf("%d requests, %d spans, %d of them named GET /item/{id}", cnt,
			len(spans), named)
	}
	return nil
}

func checkTrace(v *verdict) (string, error) {
	spans, err := trace(nil, func(*agent, *exec.Cmd) error { return send(requests) })
	if err == nil {
		err = expectSpans(spans, requests)
	}
	seen := map[string]bool{}
	for _, s := range spans {
		if seen[s.path] || s.end.Before(s.start) {
			err = errors.Join(err, fmt.Errorf("span of %s twice, or it ends before it starts", s.path))
		}
		seen[s.path] = true
	}
	return fmt.Sprintf("%d requests, %d spans", requests, len(spans)), err
}

// placesOf gives the lines of a stack that name places in the source, below the call of panic.
func placesOf(stack string) []string {
	var places []string
	for _, line := range strings.Split(stack, "\n") {
		if strings.HasPrefix(line, "panic(") {
			places = nil
		} else if strings.HasPrefix(line, "\t") {
			places = append(places, line)
		}
	}
	return places
}

// checkPanic compares the stack of a panic with what Go itself says.
func checkPanic(v *verdict) (string, error) {
	var said string
	spans, err := trace(nil, func(*agent, *exec.Cmd) error {
		if _, err := get("/panic"); err != nil {
			return err
		}
		var err error
		said, err = get("/stack")
		return err
	})
	want, got := placesOf(said), []string{}
	for _, s := range spans {
		if s.path == "/panic" {
			got = placesOf(s.stack)
		}
	}
	if err == nil && len(want) > 0 {
		want = want[1:] // that of panic itself
	}
	if err == nil && (len(want) == 0 || !slices.Equal(got, want)) {
		err = fmt.Errorf("the stack is %q, but Go says %q", got, want)
	}
	return fmt.Sprintf("%d frames", len(got)), err
}

// checkAttach compares doctor's verdicts with the links that the agent then holds.
func checkAttach(v *verdict) (string, error) {
	var links map[string]int
	var stepping bool
	_, err := trace(nil, func(a *agent, server *exec.Cmd) error {
		links = a.linkTypes()
		err := send(5)
		stepping = isStepping(server.Process.Pid)
		return err
	})
	multi, perf := links["uprobe_multi"], links["perf"]
	detail := fmt.Sprintf("links: uprobe_multi %d, perf %d; stepped instructions: %v", multi, perf, stepping)
	// Kernels without uprobe_multi are older than its name in fdinfo, so count what is there.
	switch {
	case err != nil:
	case v.has("uprobe_multi") && (multi == 0 || perf != 0):
		err = fmt.Errorf("doctor found uprobe_multi; %s", detail)
	case !v.has("uprobe_multi") && (multi != 0 || perf == 0):
		err = fmt.Errorf("doctor found no uprobe_multi; %s", detail)
	case v.has("write_regs") && stepping:
		err = fmt.Errorf("doctor found write_regs; %s", detail)
	}
	return detail, err
}

// checkNewProcess: a server that starts when the agent already waits for it.
func checkNewProcess(v *verdict) (string, error) {
	a, err := startAgent(nil, "--exe", "app", "--no-console", "--otlp-file", "-")
	if err != nil {
		return "", err
	}
	time.Sleep(2 * time.Second)
	server, err := startServer()
	if err == nil {
		defer stop(server)
		err = a.waitReady()
	}
	if err == nil {
		err = send(requests)
	}
	spans, finishErr := a.finish()
	// Requests for /none, by which the server's start is noticed, may be in time or not.
	if items := countNamed(spans, "GET /item/{id}"); items != requests {
		err = errors.Join(err, fmt.Errorf("%d requests, %d spans", requests, items))
	}
	return fmt.Sprintf("%d requests, %d spans", requests, countNamed(spans, "GET /item/{id}")),
		errors.Join(err, finishErr)
}

func stepClock(by time.Duration) error {
	now := time.Now().Add(by)
	tv := syscall.NsecToTimeval(now.UnixNano())
	return syscall.Settimeofday(&tv)
}

// checkClockStep steps the wall clock by an hour in the middle of a request, under load.
func checkClockStep(v *verdict) (string, error) {
	var stepped time.Time
	var before, after time.Time
	spans, err := trace(nil, func(*agent, *exec.Cmd) error {
		slow := make(chan error, 1)
		load := make(chan error, 1)
		go func() { _, err := get("/slow"); slow <- err }()
		go func() { load <- send(requests) }()
		time.Sleep(slowFor / 2)
		if err := stepClock(time.Hour); err != nil {
			return err
		}
		stepped = time.Now().Round(0)
		if err := errors.Join(<-slow, <-load); err != nil {
			return err
		}
		before = time.Now().Round(0)
		_, err := get("/item/after")
		after = time.Now().Round(0)
		return err
	})
	stepClock(-time.Hour)
	if err != nil {
		return "", err
	}
	return judgeClockStep(spans, stepped, before, after)
}

func judgeClockStep(spans []span, stepped, before, after time.Time) (string, error) {
	const slack = time.Millisecond
	var detail string
	var err error

	if len(spans) != requests+2 {
		err = fmt.Errorf("%d requests, %d spans", requests+2, len(spans))
	}
	found := 0
	for _, s := range spans {
		duration := s.end.Sub(s.start)
		switch s.path {
		case "/slow":
			found++
			detail += fmt.Sprintf("the request across the step took %v; ", duration.Round(time.Millisecond))
			if duration < slowFor || duration > slowFor+10*time.Second {
				err = errors.Join(err, fmt.Errorf("duration across the step: %v", duration))
			}
		case "/item/after":
			found++
			detail += fmt.Sprintf("the next began %v after its client", s.start.Sub(before))
			if s.start.Before(before.Add(-slack)) || s.end.After(after.Add(slack)) {
				err = errors.Join(err, fmt.Errorf("the span after the step is [%v, %v] after its client's start, of %v",
					s.start.Sub(before), s.end.Sub(before), after.Sub(before)))
			}
		default:
			if duration < 0 || duration > 10*time.Second {
				err = errors.Join(err, fmt.Errorf("%s: duration %v", s.path, duration))
			}
		}
	}
	if found != 2 {
		err = errors.Join(err, fmt.Errorf("%d of the 2 spans around the step", found))
	}
	return detail, err
}

// checkKill: after kill -9 the server answers and can be traced again.
func checkKill(v *verdict) (string, error) {
	server, err := startServer()
	if err != nil {
		return "", err
	}
	defer stop(server)
	pid := strconv.Itoa(server.Process.Pid)
	for i := 0; i < 2; i++ {
		a, err := startAgent(nil, "--pid", pid, "--no-console", "--otlp-file", "-")
		if err != nil {
			return "", err
		}
		if err = a.waitReady(); err != nil {
			return "", err
		}
		if i == 0 {
			stop(a.cmd)
			if err = send(5); err != nil {
				return "", err
			}
			continue
		}
		err = send(5)
		spans, finishErr := a.finish()
		if err = errors.Join(err, finishErr); err != nil {
			return "", err
		}
		return "the server answered, and was traced again", expectSpans(spans, 5)
	}
	return "", nil
}

// checkCapabilities: as another user with exactly the capabilities that are promised to be enough.
func checkCapabilities(v *verdict) (string, error) {
	few := []uintptr{capBPF, capPerfmon, capSysPtrace}
	spans, err := trace(few, func(*agent, *exec.Cmd) error { return send(5) })
	if v.has("uprobe_multi") {
		if err == nil {
			err = expectSpans(spans, 5)
		}
		return "CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE are enough", err
	}
	if err == nil || !strings.Contains(err.Error(), "CAP_SYS_ADMIN") {
		return "", fmt.Errorf("expected a refusal that names CAP_SYS_ADMIN: %v", err)
	}
	spans, err = trace(append(few, capSysAdmin), func(*agent, *exec.Cmd) error { return send(5) })
	if err == nil {
		err = expectSpans(spans, 5)
	}
	return "refused without CAP_SYS_ADMIN, which is named; works with it", err
}
