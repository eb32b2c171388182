# SPDX-License-Identifier: Apache-2.0
"""Takes from a process what the kernel takes from it when memory is short."""
import contextlib
import ctypes
import os
import re
import threading

import pytest

PROCESS_MADVISE, MADV_PAGEOUT = 440, 21
EVERY_SECONDS = 0.002
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ (\d+)")


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


@contextlib.contextmanager
def paged_out(pid):
    """All pages that come from files leave the memory of process PID, again and again; it gets back what
    it reads."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps:
        found = [MAPPING.match(line) for line in maps]
    ranges = [(int(m[1], 16), int(m[2], 16)) for m in found if m[3] != "0"]
    vectors = (IoVec * len(ranges))(*[IoVec(start, end - start) for start, end in ranges])
    process, over = os.pidfd_open(pid), threading.Event()

    def page_out():
        return libc.syscall(PROCESS_MADVISE, process, vectors, len(ranges), MADV_PAGEOUT, 0) >= 0

    def repeat():
        while not over.wait(EVERY_SECONDS):
            page_out()

    if not page_out():
        pytest.skip(f"pages cannot be taken out: {os.strerror(ctypes.get_errno())}")
    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.close(process)
