# SPDX-License-Identifier: Apache-2.0
"""Children that cannot outlive the test, and whose output can be waited for line by line."""
import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time

_prctl = ctypes.CDLL(None, use_errno=True).prctl
PR_SET_PDEATHSIG = 1

_running = []


def die_with_parent():
    """In the child, before exec: the kernel kills it when the test process is gone."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Lines:
    """Reads a pipe in the background; lines can be waited for and are kept."""

    def __init__(self, pipe):
        self.lines = []
        self._changed = threading.Condition()
        self._ended = False
        self._pipe = pipe
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._pipe:
            with self._changed:
                self.lines.append(line.decode(errors="surrogateescape").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, matches, timeout, start=0):
        """The first line from START on that MATCHES; None after TIMEOUT seconds or at the end."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self.lines[start:]:
                    if matches(line):
                        return line
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    return None
                self._changed.wait(left)

    def wait_end(self, timeout):
        with self._changed:
            self._changed.wait_for(lambda: self._ended, timeout)

    def text(self):
        with self._changed:
            return "\n".join(self.lines)


class Child:
    """A process of ours with pipes. Leaving the `with` block kills it if it still runs."""

    def __init__(self, argv, env=None, cwd=None, prefix=(), pass_fds=()):
        self.argv = [str(a) for a in (*prefix, *argv)]
        self.popen = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, env=env, cwd=cwd, pass_fds=pass_fds,
                                      preexec_fn=die_with_parent)
        self.pid = self.popen.pid
        self.stdout = Lines(self.popen.stdout)
        self.stderr = Lines(self.popen.stderr)
        _running.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    @property
    def status(self):
        """Exit status as a shell has it (128+N for a signal), None while it runs."""
        code = self.popen.poll()
        return code if code is None or code >= 0 else 128 - code

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=10):
        self.popen.wait(timeout)
        self.stdout.wait_end(2)
        self.stderr.wait_end(2)
        return self.status

    def keep(self):
        """It outlives the test that started it: whoever calls this kills it."""
        _running.remove(self)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait(10)
        try:
            self.popen.stdin.close()
        except OSError:
            pass
        if self in _running:
            _running.remove(self)


def kill_all():
    """What a test forgot. Returns the argument vectors, for the message."""
    forgotten = [child.argv for child in _running if child.status is None]
    for child in list(_running):
        child.kill()
    return forgotten


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def thread_states(pid):
    """The letters of /proc/PID/task/*/stat."""
    states = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as f:
            states.add(f.read().rpartition(")")[2].split()[0])
    return states


def children(pid):
    """Pids of the direct children of PID."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has ended
            with open(f"/proc/{pid}/task/{task}/children") as f:
                found += [int(p) for p in f.read().split()]
    return found


def tracer_of(pid):
    """The pid of who traces PID by ptrace(2), 0 if nobody does or it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return int(file.read().partition("TracerPid:")[2].split()[0])
    except OSError:
        return 0


def eventually(condition, timeout=5, step=0.02):
    """Polls CONDITION until it is true; returns its last value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(step)
