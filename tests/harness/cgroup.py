# SPDX-License-Identifier: Apache-2.0
"""A control group with limits, v1 or v2, whichever this machine lets us make."""
import os
import pathlib
import time

PERIOD_US = 100_000


class Unavailable(OSError):
    """This machine has none for us; the text says why."""


class Cgroup:
    """with Cgroup(cpus=0.5, memory=256 << 20) as group: ... Child(argv, prefix=group.prefix)"""

    def __init__(self, cpus, memory):
        quota = str(int(cpus * PERIOD_US))
        self.folders = []
        try:
            if (_unified() / "cgroup.controllers").exists() and "memory" in (
                    _unified() / "cgroup.controllers").read_text().split():
                self.memory = self.cpu = self._make_v2()
                _write(self.cpu / "cpu.max", f"{quota} {PERIOD_US}")
                _write(self.memory / "memory.max", str(memory))
                self._peak = self.memory / "memory.peak"
            else:
                self.cpu, self.memory = self._make_v1("cpu"), self._make_v1("memory")
                _write(self.cpu / "cpu.cfs_period_us", str(PERIOD_US))
                _write(self.cpu / "cpu.cfs_quota_us", quota)
                _write(self.memory / "memory.limit_in_bytes", str(memory))
                self._peak = self.memory / "memory.max_usage_in_bytes"
        except OSError as e:
            self._remove()
            raise Unavailable(f"no cgroup can be made: {e}") from e

    def _make(self, parent):
        folder = parent / f"gospan-test-{os.getpid()}-{time.monotonic_ns()}"
        folder.mkdir()
        self.folders.append(folder)
        return folder

    def _make_v1(self, controller):
        return self._make(_mounted_v1(controller) / _own_path(controller))

    def _make_v2(self):
        """Below a group that hands both controllers on: none with processes may, but the root."""
        parent = _unified() / _own_path("")
        while True:
            try:
                _write(parent / "cgroup.subtree_control", "+cpu +memory")
                return self._make(parent)
            except OSError:
                if parent == _unified():
                    raise
                parent = parent.parent

    @property
    def prefix(self):
        """Before a command: it enters the group."""
        enter = "".join(f"echo $$ >'{folder}/cgroup.procs' && " for folder in self.folders)
        return ["sh", "-c", enter + 'exec "$@"', "sh"]

    def holds(self, pid):
        return all(str(pid) in (folder / "cgroup.procs").read_text().split()
                   for folder in self.folders)

    def let_out(self, pid):
        """PID goes back to the group that ours is in; what was charged to ours for it stays."""
        for folder in self.folders:
            _write(folder.parent / "cgroup.procs", str(pid))

    def allow_no_more(self, slack):
        """Limits memory to what is used now and SLACK bytes."""
        v2 = (self.memory / "memory.max").exists()
        used = self.memory / ("memory.current" if v2 else "memory.usage_in_bytes")
        limit = self.memory / ("memory.max" if v2 else "memory.limit_in_bytes")
        _write(limit, str(int(used.read_text()) + slack))

    def peak(self):
        """Most bytes that were charged at a time, the kernel's on its behalf included."""
        return int(self._peak.read_text()) if self._peak.exists() else 0

    def oom_kills(self):
        path = self.memory / "memory.events"
        if not path.exists():
            path = self.memory / "memory.oom_control"
        return dict(line.split() for line in path.read_text().splitlines()).get("oom_kill", "0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._remove()

    def _remove(self):
        for folder in self.folders:
            for _ in range(50):  # its last process is gone a moment after it was waited for
                try:
                    folder.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)
        self.folders = []


def _write(path, text):
    # no truncation, no creation: these are no ordinary files
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _mounts():
    with open("/proc/self/mounts") as f:
        return [line.split()[1:4] for line in f]


def _unified():
    for folder, kind, _ in _mounts():
        if kind == "cgroup2":
            return pathlib.Path(folder)
    return pathlib.Path("/sys/fs/cgroup")


def _mounted_v1(controller):
    for folder, kind, options in _mounts():
        if kind == "cgroup" and controller in options.split(","):
            return pathlib.Path(folder)
    raise Unavailable(f"no {controller} cgroup is mounted")


def _own_path(controller):
    """Of our own group, relative to the mount; "" is v2's name."""
    with open("/proc/self/cgroup") as f:
        for line in f:
            _, names, path = line.rstrip("\n").split(":", 2)
            if controller in names.split(","):
                return path.lstrip("/")
    raise Unavailable(f"we are in no {controller or 'v2'} cgroup")
