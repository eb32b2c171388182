# SPDX-License-Identifier: Apache-2.0
"""Prints what was measured, and what of design.md's numbers holds."""
from .overhead import MODES, median

NAMES = {"none": "no agent", "gospan": "gospan", "full": "peers' layout, full",
         "lean": "peers' layout, lean", "sdk": "otelhttp SDK", "own": "gospan, no dispatcher"}
PROGRAMS_OF_OTHERS = ("process_exec", "process_exit")


def spread(values):
    return f"{median(values):.1f} ({min(values):.1f}..{max(values):.1f})"


def _ratio(cell, mode, other):
    ratio = cell.ratio(mode, other)
    return "-" if ratio is None or ratio <= 0 or mode == other else f"1/{1 / ratio:.1f}"


def _share(windows, mode, other):
    ratio = windows.ratio(mode, other)
    return "-" if ratio is None else f"{ratio:.2f}"


def _latency(cell, mode, which):
    if which not in cell.windows[mode][0]:
        return f"{'-':>8}"
    return f"{median(cell.values(mode, which)):8.0f}"


def print_cell(cell):
    print(f"\nGo {cell.go}, {cell.headers} request header{'s' * (cell.headers > 1)}, {cell.load}")
    print(f"  {'':22} {'CPU us/request':>22} {'added, median (range)':>24} {'of full':>8} "
          f"{'of lean':>8} {'of SDK':>8} {'p50 us':>8} {'p99 us':>8} {'req/s':>7}")
    for mode in MODES:
        added = "" if mode == "none" else spread(cell.added(mode))
        ratios = ["" if mode == "none" else _ratio(cell, mode, other)
                  for other in ("full", "lean", "sdk")]
        print(f"  {NAMES[mode]:22} {spread(cell.values(mode, 'cpu_us')):>22} {added:>24} "
              f"{ratios[0]:>8} {ratios[1]:>8} {ratios[2]:>8} "
              f"{_latency(cell, mode, 'p50_us')} {_latency(cell, mode, 'p99_us')} "
              f"{median(cell.values(mode, 'rps')):7.0f}")


def print_hits(go, hits, sites):
    print(f"\nProbe hits, Go {go} (kernel statistics on; a hit's time is the BPF program's, without "
          "the breakpoint)")
    for (mode, headers), programs in hits.items():
        ours = {name: run for name, run in programs.items() if name not in PROGRAMS_OF_OTHERS}
        total = sum(cnt for cnt, _ in ours.values())
        time_us = sum(cnt * ns for cnt, ns in ours.values()) / 1000
        detail = ", ".join(f"{name} {cnt:.2f} x {ns:.0f} ns" for name, (cnt, ns) in ours.items())
        print(f"  {NAMES[mode]:22} {headers} header{'s' * (headers > 1):1} {total:6.2f} hits, "
              f"{time_us:5.1f} us: {detail}")
    print(f"  sites of gospan: {', '.join(f'{name} {cost}' for name, cost in sites.items())}")


def print_calls(go, rows, sites):
    print(f"\nCalls, Go {go}: CPU us a call; a transaction is three spans, both sides are two")
    print(f"  {'':28} {'alone':>6} {'gospan adds':>20} {'SDK adds':>20} {'of SDK':>7} {'hits':>6} "
          f"{'in BPF':>7}")
    for row in rows:
        ours = {name: run for name, run in row.hits.items() if name not in PROGRAMS_OF_OTHERS}
        in_bpf = sum(cnt * ns for cnt, ns in ours.values()) / 1000
        print(f"  {row.name:28} {median(row.values('none', 'cpu_us')):6.1f} "
              f"{spread(row.added('gospan')):>20} {spread(row.added('sdk')):>20} "
              f"{_share(row, 'gospan', 'sdk'):>7} {row.total:6.2f} {in_bpf:7.1f}")
    for row in rows:
        detail = ", ".join(f"{name} {cnt:.2f} x {ns:.0f} ns"
                           + (f" ({sites.get(name)})" if sites.get(name) != "emulated" else "")
                           for name, (cnt, ns) in row.hits.items()
                           if name not in PROGRAMS_OF_OTHERS)
        print(f"  {row.name}: {detail}")


def print_agent(agent):
    print("\nThe agent, exporting OTLP/HTTP without compression to a local sink")
    for name, row in (("20,000 spans/s", agent["steady"]), ("flat out", agent["flat out"])):
        print(f"  {name:16} {row['rate']:8.0f} spans/s, {row['requests']} requests, "
              f"{row['spans']} spans arrived, {row['dropped']} dropped {row['reasons']}, "
              f"{row['cpu_us']:.2f} us CPU and {row['bytes']:.0f} bytes a span")
    print(f"  memory after 20,000 spans/s: {agent['steady']['rss'] / 1e6:.1f} MB resident, "
          f"{agent['steady']['ring'] / 1e6:.1f} MB of ring mapped, "
          f"{agent['steady']['maps'] / 1e6:.1f} MB of BPF maps; idle CPU {agent['idle']:.2%}")
    times = agent["times"]
    print(f"  ready after {times['ready']:.0f} ms, first span on screen after "
          f"{times['first span']:.0f} ms, stopped in {times['stop']:.0f} ms")
    facts = agent["facts"]
    if facts:
        print(f"  facts of {facts['path'].rsplit('/', 1)[-1]} ({facts['size'] / 1e6:.0f} MB): "
              f"{facts['ms']:.1f} ms ({facts['spread'][0]:.1f}..{facts['spread'][1]:.1f}), "
              f"{facts['rss'] / 1e6:.0f} MB at most")


class Verdicts:
    def __init__(self):
        self.rows = []

    def at_most(self, what, value, limit, unit):
        self.rows.append((what, value <= limit, f"{value:.2f} {unit}", f"<= {limit} {unit}"))

    def without_loss(self, what, row, limit):
        """Losing some is a miss; a producer that cannot make so many proves nothing."""
        lost = row["requests"] > row["spans"]
        met = False if lost else row["rate"] >= limit or None
        figure = f"{row['rate']:.0f}/s, {row['requests'] - row['spans']} lost"
        self.rows.append((what, met, figure, f">= {limit}/s, 0 lost"))

    def fraction(self, what, cell, other, of):
        """At most 1/OF of OTHER's. Unclear where the quartiles leave it open."""
        ratio = cell.ratio("gospan", other)
        low, high = cell.ratio_range("gospan", other)
        met = True if high <= 1 / of else False if low > 1 / of else None
        figure = f"1/{1 / ratio:.1f}" if ratio and ratio > 0 else "lost in noise"
        self.rows.append((what, met, figure, f"<= 1/{of}"))

    def show(self):
        print("\nTargets (design.md)")
        words = {True: "met", False: "MISSED", None: "unclear"}
        for what, met, figure, limit in self.rows:
            print(f"  {words[met]:7} {what:72} {figure:>18}   {limit}")
        cnt = {met: sum(row[1] is met for row in self.rows) for met in words}
        print(f"\n{cnt[True]} met, {cnt[False]} missed, {cnt[None]} unclear")


def judge_cells(verdicts, cells):
    for cell in cells:
        name = f"Go {cell.go}, {cell.headers} header{'s' * (cell.headers > 1)}, {cell.load}"
        verdicts.fraction(f"added CPU, of that of the peers' full layout: {name}", cell, "full",
                          20 if cell.headers == 8 else 8)
        verdicts.fraction(f"added CPU, of that of the SDK: {name}", cell, "sdk", 3)


def judge_calls(verdicts, rows):
    for row in rows:
        verdicts.fraction(f"added CPU, of that of the SDK: {row.name}", row, "sdk", 3)


def judge_hits(verdicts, hits, sites):
    hot = hits["own", 8]
    for headers in 8, 1:
        verdicts.at_most(f"probe hits a request, {headers} header{'s' * (headers > 1)}",
                         hits["gospan", headers]["dispatch"][0], 3.05, "hits")
    stepped = sum(1 for name in hot if sites.get(name, "emulated") == "stepped")
    verdicts.at_most("stepped sites that a request hits", stepped, 0, "sites")


def judge_agent(verdicts, agent):
    verdicts.at_most("agent's CPU a span, 20,000 spans/s", agent["steady"]["cpu_us"], 2, "us")
    verdicts.without_loss("spans a second, none lost (the producer's most)", agent["flat out"],
                          100000)
    verdicts.at_most("agent's memory without the ring's", agent["steady"]["rss"] / 1e6, 15, "MB")
    verdicts.at_most("BPF maps", agent["steady"]["maps"] / 1e6, 16, "MB")
    verdicts.at_most("start to first span", agent["times"]["first span"], 300, "ms")
    verdicts.at_most("detach and exit", agent["times"]["stop"], 100, "ms")
    if agent["facts"]:
        verdicts.at_most("facts of a 100 MB executable, warm", agent["facts"]["ms"], 30, "ms")
        verdicts.at_most("the same, memory", agent["facts"]["rss"] / 1e6, 40, "MB")
