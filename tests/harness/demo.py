# SPDX-License-Identifier: Apache-2.0
"""The two services of the demo (scripts/demo-shop) and their customers."""
import contextlib
import os
import subprocess

from . import build, skip
from .process import Child, die_with_parent

HABITS = 17  # requests that customers make, one after the other, before they begin again


class Demo(contextlib.ExitStack):
    """Both services, running. Attributes: shop, warehouse (Children), url (of the shop)."""

    def __init__(self, tmp_path, version=build.NEWEST, mode="-s -w"):
        super().__init__()
        programs = [skip.build(f"demo-shop/{name}", version, mode)
                    for name in ("warehouse", "shop", "customers")]
        self._customers = programs.pop()
        self.warehouse = self._start("warehouse", programs[0], "-database",
                                     tmp_path / "warehouse.db")
        http, grpc = _said(self.warehouse).split()
        self.shop = self._start("shop", programs[1], "-warehouse", http, "-warehouse-grpc", grpc)
        self.url = _said(self.shop)

    def _start(self, name, *argv):
        return self.enter_context(Child(argv, env={**os.environ, "OTEL_SERVICE_NAME": name}))

    @property
    def targets(self):
        """What `gospan trace` is given."""
        return ["--pid", self.shop.pid, "--pid", self.warehouse.pid]

    def send(self, count=HABITS, over="2s"):
        subprocess.run([self._customers, "-send", str(count), "-over", over, self.url], check=True,
                       timeout=60, preexec_fn=die_with_parent)


def _said(service):
    line = service.stdout.wait(lambda _: True, 20)
    assert line is not None, f"{service.argv} did not start: {service.stderr.text()}"
    return line
