# SPDX-License-Identifier: Apache-2.0
"""Which builds of harness/go/sdkpeer there are: an OpenTelemetry SDK with one instrumentation or other."""
import dataclasses

from . import build

CONTRIB = "go.opentelemetry.io/contrib/instrumentation/"
MODULES = {
    "sdk": "go.opentelemetry.io/otel/sdk",
    "otelhttp": CONTRIB + "net/http/otelhttp",
    "otelgrpc": CONTRIB + "google.golang.org/grpc/otelgrpc",
    "otelgin": CONTRIB + "github.com/gin-gonic/gin/otelgin",
    "otelsql": "github.com/XSAM/otelsql",
    "grpc": "google.golang.org/grpc",
    "gin": "github.com/gin-gonic/gin",
}


@dataclasses.dataclass(frozen=True)
class Peer:
    """A build: its tags say what is instrumented; versions of the modules by their short names."""
    tags: tuple
    versions: tuple
    go: str = build.NEWEST
    mode: str = "default"

    def __str__(self):
        return f"{'+'.join(self.tags)} {self.versions[0][1]}, Go {self.go}, {self.mode}"

    def with_tags(self, *tags):
        return dataclasses.replace(self, tags=tags)

    def program(self):
        """start_server's arguments."""
        modules = tuple((MODULES[name], version) for name, version in self.versions)
        return {"name": "sdkpeer", "version": self.go, "mode": self.mode, "tags": self.tags,
                "modules": modules}


BOTH_SIDES = ("grpcserver", "grpcclient")
NEWEST_GRPC = (("otelgrpc", "0.72.0"), ("sdk", "1.47.0"), ("grpc", "1.85.0"))
GRPC = [Peer((*BOTH_SIDES, "interceptors"), (("otelgrpc", "0.32.0"), ("sdk", "1.7.0"), ("grpc", "1.46.0")),
             "1.19.13"),
        Peer(BOTH_SIDES, (("otelgrpc", "0.60.0"), ("sdk", "1.35.0"), ("grpc", "1.71.0")), "1.24.9"),
        Peer(BOTH_SIDES, NEWEST_GRPC), Peer(BOTH_SIDES, NEWEST_GRPC, mode="pie stripped")]
SQL = [Peer(("otelsql",), (("otelsql", "0.16.0"), ("sdk", "1.9.0")), "1.19.13"),
       Peer(("otelsql",), (("otelsql", "0.44.0"), ("sdk", "1.47.0"))),
       Peer(("otelsql",), (("otelsql", "0.44.0"), ("sdk", "1.47.0")), mode="pie stripped")]
GIN = [Peer(("otelgin",), (("otelgin", "0.58.0"), ("gin", "1.9.1"), ("sdk", "1.33.0")), "1.24.9"),
       Peer(("otelgin",), (("otelgin", "0.65.0"), ("gin", "1.12.0"), ("sdk", "1.47.0"))),
       Peer(("otelgin",), (("otelgin", "0.65.0"), ("gin", "1.12.0"), ("sdk", "1.47.0")),
            mode="pie stripped")]
EVERYTHING = Peer(("otelhttp", *BOTH_SIDES), (("otelhttp", "0.72.0"), *NEWEST_GRPC))
