# SPDX-License-Identifier: Apache-2.0
"""`make matrix`: two tables; reasons of failures follow each.

usage: python3 -m matrix.run [GO_VERSION... | LIBRARY...] (in tests/): a Go version (1.24.9) is a row
of the first table, a part of a library's name ("grpc") some of the second; without, all of both.
"""
import collections
import pathlib
import sys
import tempfile

from harness import build, database, process

from . import builds
from .libraries import MODES, ROWS, Databases
from .loads import Cell


class Table:
    """Prints cell by cell; keeps the reasons and what it counted."""

    def __init__(self, label_width, headings):
        self.counts, self.reasons = collections.Counter(), []
        self.label_width = label_width
        self.widths = [len(heading) + 2 for heading in headings]
        self.row("", headings)

    def row(self, label, cells):
        """CELLS is an iterable: each is printed when it is known."""
        print(label.ljust(self.label_width), end="", flush=True)
        for width, text in zip(self.widths, cells):
            print(text.ljust(width), end="", flush=True)
        print(flush=True)

    def run(self, what, check):
        """The cell of one run: CHECK is given a folder of its own, and raises what is wrong."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                check(pathlib.Path(folder))
            text, reason = "ok", None
        except (build.CannotBuild, database.Unavailable) as e:
            text, reason = "skip", str(e)
        except Exception as e:
            text, reason = "FAIL", f"{type(e).__name__}: {e}"
        finally:
            process.kill_all()
        self.counts[text] += 1
        if reason:
            self.reasons.append(f"{what}: {text}: {reason}")
        return text

    def end(self):
        print(*self.reasons, sep="\n\n")
        print(flush=True)


def of_builds(versions):
    table = Table(9, build.MODES)

    def cell(version, mode):
        if not build.exists(version, mode):
            return "n/a"
        return table.run(f"Go {version}, {mode}",
                         lambda folder: builds.check_cell(version, mode, folder))
    for version in versions:
        table.row(version, (cell(version, mode) for mode in build.MODES))
    table.end()
    return table.counts


def of_libraries(rows):
    print(f"In each cell: {', '.join(MODES)}. n/a: that Go does not build it; .: left out.")
    table = Table(42, [("%d.%d" % build.minor(version)).ljust(9) for version in build.VERSIONS])

    def cell(row, version, databases):
        return row.has(version) or " ".join(
            table.run(f"{row.label}, Go {version}, {mode}",
                      lambda folder: row.check(Cell(row.build(version, mode), folder, databases)))
            for mode in MODES)
    with Databases() as databases:
        for row in rows:
            table.row(row.label, (cell(row, version, databases) for version in build.VERSIONS))
    table.end()
    return table.counts


def main(arguments):
    versions = [version for version in build.VERSIONS if not arguments or version in arguments]
    rows = [row for row in ROWS if not arguments or any(word in row.label for word in arguments)]
    if not versions and not rows:
        sys.exit(f"neither a Go version nor a library: {' '.join(arguments)}")
    counts = collections.Counter()
    counts += of_builds(versions) if versions else {}
    counts += of_libraries(rows) if rows else {}
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
