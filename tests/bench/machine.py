# SPDX-License-Identifier: Apache-2.0
"""What the kernel says of processes and BPF programs: CPU clocks, memory, hits."""
import contextlib
import ctypes
import functools
import json
import os
import pathlib
import platform
import re
import subprocess
import time

libc = ctypes.CDLL(None, use_errno=True)
BPF_ENABLE_STATS = 32
SYS_BPF = {"x86_64": 321, "aarch64": 280}


def cpu_seconds(pid):
    """CPU time of all threads of PID so far, by its nanosecond clock (clock_getcpuclockid(3))."""
    clock = ctypes.c_int(~pid << 3 | 2).value
    return time.clock_gettime(clock)


@contextlib.contextmanager
def bpf_stats():
    """While entered, the kernel counts runs and time of every BPF program (at a cost of its own)."""
    attr = (ctypes.c_uint32 * 32)()  # .enable_stats.type = BPF_STATS_RUN_TIME = 0
    fd = libc.syscall(SYS_BPF[platform.machine()], BPF_ENABLE_STATS, ctypes.byref(attr),
                      ctypes.sizeof(attr))
    if fd < 0:
        raise OSError(ctypes.get_errno(), "BPF_ENABLE_STATS")
    try:
        yield
    finally:
        os.close(fd)


def _fdinfo(pid):
    """What /proc/PID/fdinfo says of each distinct BPF program and map, as dicts."""
    seen = {}
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/fdinfo/{fd}") as f:
            info = dict(re.findall(r"^(\w+):\s*(\S+)", f.read(), re.M))
            for kind in "prog_id", "map_id":
                # links carry the id of their program, but no counts
                if kind in info and ("run_cnt" in info or kind == "map_id"):
                    seen[kind, info[kind]] = info
    return seen


def program_runs(pid):
    """{program id: (runs, nanoseconds)} of the BPF programs that PID holds."""
    return {key[1]: (int(i["run_cnt"]), int(i["run_time_ns"]))
            for key, i in _fdinfo(pid).items() if key[0] == "prog_id"}


@functools.cache
def bpftool():
    """Path of one that runs on this kernel; None: there is none."""
    found = subprocess.run([pathlib.Path(__file__).parents[2] / "scripts/find-tool", "bpftool"],
                           capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode == 0 else None


def _bpftool(*args):
    """What it prints, as JSON; None if it fails."""
    found = subprocess.run([bpftool(), "-j", *args], capture_output=True, text=True, check=False)
    return json.loads(found.stdout) if found.returncode == 0 else None


def program_name(prog_id):
    found = _bpftool("prog", "show", "id", prog_id)
    return found["name"] if found else prog_id


def map_entries(pid, names):
    """{name: entries} of the BPF maps NAMES (hashes) that PID holds."""
    found = {}
    for kind, number in _fdinfo(pid):
        shown = _bpftool("map", "show", "id", number) if kind == "map_id" else None
        if shown and shown.get("name") in names:
            found[shown["name"]] = found.get(shown["name"], 0) + len(
                _bpftool("map", "dump", "id", number))
    return found


def bpf_map_bytes(pid):
    """Kernel memory of the maps that PID holds."""
    return sum(int(i["memlock"]) for key, i in _fdinfo(pid).items() if key[0] == "map_id")


def resident_bytes(pid):
    """(without, of) the mappings of BPF ring buffers."""
    rest = ring = 0
    in_ring = False
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                in_ring = "bpf-map" in line
            elif line.startswith("Rss:"):
                size = int(line.split()[1]) * 1024
                rest, ring = (rest, ring + size) if in_ring else (rest + size, ring)
    return rest, ring


def pinned(cpu):
    """Words before a command that keep it on CPU, where there are several."""
    return ("taskset", "-c", str(cpu)) if os.cpu_count() > 1 else ()
