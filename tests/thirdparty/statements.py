# SPDX-License-Identifier: Apache-2.0
"""Databases that write down every statement they are given: what the spans are compared with."""
import collections
import contextlib
import pathlib
import re
import shutil
import tempfile

from harness import database

POSTGRESQL = re.compile(r"^>LOG:  (?:statement|execute [^:]*):\s*([A-Za-z]+|;)", re.MULTILINE)
MARIADB = re.compile(r"^[^\t]*\t+ *\d+ (?:Query|Execute)\t\s*([A-Za-z]+)", re.MULTILINE)


class Database:
    """name, port; operations(): how often each first word of a statement came since mark(), without
    UNSAID, those that only one side knows of."""

    def __init__(self, name, port, log, pattern, unsaid=()):
        self.name, self.port, self.log, self.pattern = name, port, log, pattern
        self.unsaid = unsaid
        self.mark()

    def mark(self):
        self.seen = self.log.stat().st_size if self.log.exists() else 0

    def operations(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            f.seek(self.seen)
            found = self.pattern.finditer(f.read())
        # lib/pq pings with an empty statement
        return self._counted(m[1].upper().replace(";", "PING") for m in found)

    def operations_of(self, spans):
        """The same of the spans of database/sql."""
        return self._counted(span.name.split(" ")[0].upper() for span in spans)

    def _counted(self, operations):
        return collections.Counter(o for o in operations if o not in self.unsaid)


@contextlib.contextmanager
def _folder():
    """In which a database that runs as another user may write."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gospan-test-log-", dir="/tmp"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgresql():
    with _folder() as folder, database.postgresql(
            "log_statement=all", "log_line_prefix=>", "logging_collector=on",
            f"log_directory={folder}", "log_filename=log", "log_rotation_age=0") as port:
        yield Database("postgresql", port, folder / "log", POSTGRESQL)


@contextlib.contextmanager
def mariadb():
    with _folder() as folder, database.mariadb("--general-log=1",
                                               f"--general-log-file={folder}/log") as port:
        # its log has no pings, and the driver sets variables of its own when it connects
        yield Database("mysql", port, folder / "log", MARIADB, ("PING", "SET"))

