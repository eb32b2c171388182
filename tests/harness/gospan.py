# SPDX-License-Identifier: Apache-2.0
"""The agent under test."""
import dataclasses
import os
import pathlib
import re
import signal
import subprocess

from . import otlp
from .build import ROOT
from .process import Child, die_with_parent, eventually

DONE = re.compile(r"^gospan: done: (?P<who>.*?)(?P<produced>\d+) spans? produced, "
                  r"(?P<exported>\d+) exported, (?P<dropped>\d+) dropped"
                  r"(?: \((?P<reasons>.*?)\))?, "
                  r"(?P<unfinished>\d+) unfinished")


def program():
    return pathlib.Path(os.environ.get("GOSPAN", ROOT / "build/gospan")).resolve()


def environment(extra=None):
    """The caller's environment without anything that would configure the agent."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "GOSPAN_"))}
    env["NO_COLOR"] = "1"
    env.update(extra or {})
    return env


def run(*args, env=None, timeout=30, prefix=(), stdin=b""):
    """One command to its end: (exit status, stdout, stderr)."""
    done = subprocess.run([*prefix, program(), *map(str, args)], env=environment(env), input=stdin,
                          capture_output=True, timeout=timeout, preexec_fn=die_with_parent)
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return status, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


@dataclasses.dataclass
class Done:
    who: str            # "" in the line for the whole run
    produced: int
    exported: int
    dropped: int
    unfinished: int
    reasons: str

    def check(self):
        assert self.produced == self.exported + self.dropped, self
        return self


def parse_done(line):
    m = DONE.match(line)
    return m and Done(m["who"], int(m["produced"]), int(m["exported"]), int(m["dropped"]),
                      int(m["unfinished"]), m["reasons"] or "")


class Gospan(Child):
    """A running agent that writes its spans into a file.

    with Gospan(tmp_path, "trace", "--pid", server.pid) as agent:
        agent.wait_ready()
        ...
        spans = agent.stop()
    """

    def __init__(self, tmp_path, *args, env=None, prefix=(), otlp_file=True, console=False,
                 cwd=None):
        # Several agents may share the folder of a test.
        self.file = tmp_path / f"spans-{len(list(tmp_path.glob('spans-*')))}.jsonl"
        argv = [program(), *args[:1]]
        if otlp_file:
            self.file.touch()
            self.file.chmod(0o666)  # the agent may run as another user
            argv += ["--otlp-file", self.file]
        argv += [] if console else ["--no-console"]
        argv += args[1:]
        super().__init__(argv, env=environment(env), prefix=prefix, cwd=cwd)

    def wait_ready(self, count=1, timeout=20):
        """Waits for COUNT ready lines and returns them."""
        def ready():
            return [line for line in self.stderr.lines if line.startswith("gospan: ready:")]
        eventually(lambda: len(ready()) >= count or self.status is not None, timeout)
        if len(ready()) < count:
            raise AssertionError(f"{self.argv}: {len(ready())} of {count} ready lines, exit status "
                                 f"{self.status}, stderr:\n{self.stderr.text()}")
        return ready()

    def wait_line(self, part, timeout=10):
        line = self.stderr.wait(lambda text: part in text, timeout)
        assert line is not None, f"no {part!r} in stderr:\n{self.stderr.text()}"
        return line

    def spans_so_far(self):
        return otlp.read_so_far(self.file)

    def wait_spans(self, count, timeout=10):
        """Waits until COUNT spans were written; returns what there is then."""
        eventually(lambda: len(self.spans_so_far()) >= count, timeout, 0.1)
        return self.spans_so_far()

    def stop(self, timeout=20, number=signal.SIGTERM, status=0):
        """Ends it; returns the spans after checking exit status and that the sums add up."""
        if self.status is None:
            self.signal(number)
        return self.finish(timeout, status)

    def finish(self, timeout=20, status=0):
        """Waits for its own end; the rest as stop()."""
        got = self.wait(timeout)
        text = self.stderr.text()
        assert got == status, f"exit status {got}, not {status}; stderr:\n{text}"
        for line in self.stderr.lines:
            assert "Sanitizer" not in line and "runtime error:" not in line, text
        spans = otlp.read(self.file)
        done = self.done
        assert done is not None, f"no done line:\n{text}"
        done.check()
        assert done.exported == len(spans), f"{done} but {len(spans)} spans in the file"
        ids = [s.span_id for s in spans]
        assert len(set(ids)) == len(ids), "span ids repeat"
        return spans

    @property
    def done_lines(self):
        return [d for d in map(parse_done, self.stderr.lines) if d]

    @property
    def done(self):
        """The last done line: the whole run."""
        return self.done_lines[-1] if self.done_lines else None
