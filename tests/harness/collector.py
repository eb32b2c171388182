# SPDX-License-Identifier: Apache-2.0
"""A real OpenTelemetry Collector (harness/go/otelcol): what it receives, it writes into a file."""
import json
import socket

from . import otlp, skip
from .process import Child, eventually


class Collector(Child):
    """Attributes: http, grpc (endpoints for OTEL_EXPORTER_OTLP_ENDPOINT), file."""

    def __init__(self, tmp_path):
        self.file = tmp_path / "collector.jsonl"
        ports = _free_ports(2)
        self.http, self.grpc = (f"http://127.0.0.1:{port}" for port in ports)
        protocols = {name: {"endpoint": f"127.0.0.1:{port}"}
                     for name, port in zip(("http", "grpc"), ports)}
        config = {
            "receivers": {"otlp": {"protocols": protocols}},
            "exporters": {"file": {"path": str(self.file), "flush_interval": "100ms"}},
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["file"]}},
            },
        }
        super().__init__([skip.build("otelcol"), "-config", "yaml:" + json.dumps(config)])
        if not eventually(lambda: all(map(_accepts, ports)) or self.status is not None, 20):
            raise RuntimeError("the collector does not listen")
        if self.status is not None:
            raise RuntimeError(f"the collector did not start: {self.stderr.text()}")

    def stop(self):
        """Ends it; returns the spans that it wrote."""
        self.popen.terminate()
        status = self.wait(20)
        assert status == 0, f"the collector ended with {status}: {self.stderr.text()}"
        return otlp.read(self.file)


def _free_ports(count):
    """Nobody else takes them at once: the kernel hands out others first."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _accepts(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
