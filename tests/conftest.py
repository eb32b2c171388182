# SPDX-License-Identifier: Apache-2.0
"""Fixtures and rules that hold for all end-to-end tests.

A test that this machine cannot run is skipped with its reason: needs_bpf, needs_root, and programs
that cannot be built. The agent is build/gospan or what GOSPAN names.
"""
import contextlib
import ctypes
import os
import re
import sys

import pytest

from harness import build, gospan, process, server, skip

# bpf(2) is 321 on x86-64 and 280 on arm64.
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}[os.uname().machine]


def bpf_refusal():
    """Why BPF cannot be used here, None if it can: a map is made and dropped."""
    libc = ctypes.CDLL(None, use_errno=True)
    array_map = (ctypes.c_uint32 * 18)(2, 4, 8, 1)  # BPF_MAP_TYPE_ARRAY, key, value, entries
    fd = libc.syscall(BPF_SYSCALL, 0, ctypes.byref(array_map), ctypes.sizeof(array_map))
    if fd < 0:
        return f"BPF is refused here: {os.strerror(ctypes.get_errno())}"
    os.close(fd)
    return None


@pytest.fixture(scope="session", autouse=True)
def agent_is_built():
    if not gospan.program().exists():
        pytest.exit(f"{gospan.program()} is not there: run make first", returncode=1)


@pytest.fixture(scope="session")
def needs_bpf():
    reason = bpf_refusal()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def needs_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")


@pytest.fixture
def start_server():
    """start_server(*args, version=, mode=, name=, language=, modules=, tags=, **Server's) -> a running
    Server."""
    with contextlib.ExitStack() as stack:
        def start(*args, version=build.NEWEST, mode="default", name="httpserver", language=None,
                  modules=(), tags=(), **kwargs):
            binary = skip.build(name, version, mode, language, modules, tags)
            return stack.enter_context(server.Server(binary, *args, **kwargs))
        yield start


@pytest.fixture
def target(start_server):
    """A server of the newest Go, default build."""
    return start_server()


@pytest.fixture
def start_gospan(needs_bpf, tmp_path):
    """start_gospan(*arguments, ready=1, **Gospan's) -> a running agent that is ready."""
    with contextlib.ExitStack() as stack:
        def start(*args, ready=1, **kwargs):
            agent = stack.enter_context(gospan.Gospan(tmp_path, *args, **kwargs))
            if ready:
                agent.wait_ready(ready)
            return agent
        yield start


@pytest.fixture
def trace(start_gospan):
    """trace(server, *more arguments) -> a ready agent tracing that server by pid."""
    def start(traced, *args, **kwargs):
        return start_gospan("trace", "--pid", traced.outer_pid, *args, **kwargs)
    return start


@pytest.fixture(autouse=True)
def nothing_left_behind():
    yield
    process.kill_all()


# Each library is tested with every Go version and build mode; `make test` has time for the newest.
LIBRARIES = ("beside_sdk", "database_sql", "grpc", "mixed", "net_http_client", "readme", "routers")
OTHER_GO = re.compile(r"1\.(19|2[0-6])\.\d")


# Two of `make test` may run at the same time, if their agents trace by pid and nothing of theirs depends
# on the rest of the machine.
BESIDE_OTHERS = ("beside_sdk", "collector", "constants", "database_sql", "exactly_once", "grpc", "mixed",
                 "net_http_client", "net_http_server", "otel_api", "propagation", "routers", "sdk_peer",
                 "stacktrace")
ALONE = ("test_times",)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent.name not in BESIDE_OTHERS or item.path.stem in ALONE:
            item.add_marker(pytest.mark.alone)
        if item.path.parent.name in LIBRARIES and OTHER_GO.search(item.name) and \
                build.NEWEST not in item.name:
            item.add_marker(pytest.mark.versions)


def pytest_collection_finish(session):
    """Programs are built before the first test, so that no test's time pays for it: the load for
    few tests, everything for a run of the whole suite."""
    if session.config.option.collectonly:
        return
    for name, version, mode in build.SUITE if len(session.items) > 100 else build.SUITE[:1]:
        with contextlib.suppress(build.CannotBuild):  # the tests that need it will say so
            build.build(name, version, mode)


def pytest_unconfigure(config):
    """The closing line that the project's other test programs print too."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    count = {kind: len(reporter.stats.get(kind, [])) for kind in
             ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    print(f"{count['passed']} passed, {count['failed'] + count['error']} failed, "
          f"{count['skipped'] + count['xfailed']} skipped", flush=True, file=sys.stdout)
