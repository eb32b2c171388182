# SPDX-License-Identifier: Apache-2.0
"""The traced program: harness/go/httpserver and its likes, spoken to over pipes."""
import json
import os

from .process import Child


class Server(Child):
    """A running server. Attributes: http, https, h2c, grpc (ports; None if it has none), go, pid.

    pid is what the server itself sees; in a nested pid namespace outer_pid differs from it.
    """

    def __init__(self, binary, *args, env=None, prefix=(), cwd=None):
        super().__init__([binary, *args], env={**os.environ, **(env or {})}, prefix=prefix, cwd=cwd)
        self.outer_pid = self.pid
        self._seen = 0
        line = self.stdout.wait(lambda text: text.startswith("{"), 20)
        if line is None:
            self.kill()
            raise RuntimeError(f"{self.argv} did not start: {self.stderr.text()}")
        said = json.loads(line)
        self.pid = said["pid"]
        self.http = said.get("http")
        self.https = said.get("https")
        self.h2c = said.get("h2c")
        self.grpc = said.get("grpc")
        self.go = said.get("go")

    def _tell(self, question):
        self._seen = len(self.stdout.lines)
        self.popen.stdin.write(question + b"\n")
        self.popen.stdin.flush()

    def answer(self):
        return json.loads(self.stdout.wait(lambda _: True, 30, start=self._seen))

    def _ask(self, question):
        self._tell(question)
        return self.answer()

    def do(self, **order):
        """What grpcapp answers to an order of its client.go."""
        self.send(**order)
        return self.answer()

    def send(self, **order):
        """The same without waiting: answer() comes later."""
        self._tell(json.dumps(order).encode())

    def stats(self):
        """{"started", "finished": handlers so far, "goroutines"}."""
        return self._ask(b"stats")

    def exit(self):
        """Ends it the ordinary way."""
        self.popen.stdin.close()
        status = self.wait(10)
        assert status == 0, f"{self.argv} ended with {status}: {self.stderr.text()}"
