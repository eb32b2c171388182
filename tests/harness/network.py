# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, and cables between them: a small network of the test's own."""
import itertools
import os
import subprocess

import pytest

_numbers = itertools.count()


def _run(*argv, stdin=None):
    done = subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{argv}: {done.stderr}")
    return done.stdout


class Namespace:
    """A network namespace with its loopback up. `prefix` before a command runs it in there."""

    def __init__(self):
        self.name = f"gospan-{os.getpid()}-{next(_numbers)}"
        _run("ip", "netns", "add", self.name)
        self.prefix = ["nsenter", f"--net=/run/netns/{self.name}"]
        _run("ip", "-n", self.name, "link", "set", "lo", "up")

    def ports(self, first, last):
        """Those that clients, and servers that do not mind, are given."""
        self.setting("net/ipv4/ip_local_port_range", f"{first} {last}")

    def setting(self, name, value):
        _run(*self.prefix, "sh", "-c", f"echo {value} >/proc/sys/{name}")

    def route(self, network, via):
        _run("ip", "-n", self.name, "route", "add", network, "via", via)

    def translate(self, rules):
        """Chains of an nftables table for NAT."""
        _run(*self.prefix, "nft", "-f", "-", stdin="table ip nat {\n%s\n}\n" % rules)

    def get(self, url):
        return _run(*self.prefix, "curl", "--silent", "--show-error", "--max-time", "10", url)

    def remove(self):
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)


class Network:
    """All that a test makes; leaving the `with` block takes it away."""

    def __init__(self):
        self._namespaces = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for namespace in self._namespaces:
            namespace.remove()

    def namespace(self):
        """A new one, or a skip where that is refused."""
        try:
            self._namespaces.append(Namespace())
        except RuntimeError as e:
            pytest.skip(f"no network namespaces here: {e}")
        return self._namespaces[-1]

    @staticmethod
    def cable(a, a_address, b, b_address):
        """Between two namespaces; the addresses with their prefix length."""
        number = next(_numbers)
        ends = [(a, f"cable{number}a", a_address), (b, f"cable{number}b", b_address)]
        _run("ip", "link", "add", ends[0][1], "netns", a.name, "type", "veth",
             "peer", "name", ends[1][1], "netns", b.name)
        for namespace, device, address in ends:
            _run("ip", "-n", namespace.name, "addr", "add", address, "dev", device)
            _run("ip", "-n", namespace.name, "link", "set", device, "up")
