# SPDX-License-Identifier: Apache-2.0
"""exception.stacktrace of a panic, compared with what Go itself says where it was recovered."""
import json
import re
import shutil

import pytest

from harness import build, server
from harness.client import get, status_of

BUILDS = [("1.19.13", "default"), ("1.20.14", "default"), ("1.24.9", "pie stripped"),
          (build.NEWEST, "default"), (build.NEWEST, "-N -l"), (build.NEWEST, "-race"),
          (build.NEWEST, "cgo external")]
CUT = ("...", "")
ELIDED = re.compile(r"\.\.\.(additional|\d+) frames elided\.\.\.")


def frames_of(text):
    """Header and [(function, place)] of a stack; arguments are cut off."""
    header, *lines = text.splitlines()
    frames = []
    while lines:
        function = lines.pop(0)
        if ELIDED.fullmatch(function):
            frames.append(CUT)
            continue
        if not function.startswith("created by "):
            assert function.endswith(")"), function
            function = function[:function.rindex("(")]
        place = lines.pop(0)
        assert place.startswith("\t"), place
        frames.append((function, place))
    return header, frames


def above_panics(text, cnt=1):
    """Header and frames below the CNT innermost calls of panic."""
    header, frames = frames_of(text)
    for _ in range(cnt):
        at = [function for function, _ in frames].index("panic")
        frames = frames[at + 1:]
    return header, frames


def body_of(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.fixture
def panic(start_server, trace):
    """panic(*ways, version=, mode=) -> {way: (stacks by debug.Stack, events)}."""
    def run(*ways, version=build.NEWEST, mode="default", env=None):
        server = start_server(name="panics", version=version, mode=mode)
        agent = trace(server, env=env)
        ways = ways or said_ways(server)
        said = {}
        for way in ways:
            answer = get(server.http, "/" + way)
            assert status_of(answer) == 200
            said[way] = body_of(answer)
        agent.wait_spans(len(ways), timeout=5)
        spans = {s["url.path"][1:]: s for s in agent.stop()}
        assert set(spans) == set(ways)
        return {way: (said[way], spans[way].events) for way in ways}
    return run


def said_ways(server):
    return json.loads(server.stdout.lines[0])["ways"]


def stack_of(event):
    return event.attributes["exception.stacktrace"]


def expected(way, said):
    """What each of the span's panics must say."""
    if way in ("deferred", "again"):  # the innermost is the last; the first lies below it
        return [above_panics(said[0], 2), above_panics(said[0])]
    if way == "within":  # one in the wake of the other
        return [above_panics(said[1]), above_panics(said[0])]
    return [above_panics(text) for text in said]


@pytest.mark.parametrize("version,mode", BUILDS)
def test_as_go_says_it(panic, version, mode):
    wrong = []
    for way, (said, events) in panic(version=version, mode=mode).items():
        wanted = expected(way, said)
        assert len(events) == len(wanted), way
        for event, (header, frames) in zip(events, wanted):
            found_header, found = frames_of(stack_of(event))
            assert found_header == header
            if way == "recursion":
                check_long(found, frames)
            elif way == "copy":
                check_copy(found, frames, version)
            elif found != frames:
                wrong.append(f"{way}:\n{stack_of(event)}\nbut Go says\n" +
                             "\n".join(f"{f}\n{place}" for f, place in frames))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("version", ["1.19.13", build.NEWEST])
def test_a_value_at_the_end_of_its_page(panic, version):
    _, events = panic("edge", version=version)["edge"]
    assert [e.attributes["exception.message"] for e in events] == [
        "runtime error: slice bounds out of range [:5] with capacity 3"] * 2


@pytest.mark.parametrize("version", ["1.19.13", build.NEWEST])
def test_a_library_s_way_out_is_no_exception(panic, version):
    """The standard library panics to leave a recursion, recovers and returns an error."""
    said = panic("scan", "scan-nothing", "marshal", "gob", "break", "template", "template-writes",
                 "template-text", "pattern", "table", version=version)
    assert all(found == ([], []) for found in said.values()), said


@pytest.mark.parametrize("version", ["1.19.13", build.NEWEST])
def test_a_panic_behind_many_of_those(panic, version):
    (said,), (event,) = panic("after-scans", version=version)["after-scans"]
    assert frames_of(stack_of(event)) == above_panics(said)


def test_a_library_s_error_thrown_by_the_program(panic):
    _, (event,) = panic("template-error")["template-error"]
    assert event.attributes["exception.type"] == "text/template.ExecError"


def check_long(found, frames):
    """Both are cut: Go 1.19 and 1.20 leave out the outer frames, often without a word, later ones those
    in the middle."""
    same = frames.index(CUT) if CUT in frames else len(frames) - 1
    assert same > 40 and found[:same] == frames[:same]
    assert len(found) == 102 and found[100] == CUT
    assert found[101] == frames[-1] and frames[-1][0].startswith("created by net/http")


def check_copy(found, frames, version):
    """To Go 1.25 a large struct is copied by runtime.duffcopy, which keeps its caller's frame pointer
    where the signal's return address goes: the walk ends there, and says so."""
    assert found[0] == frames[0] and found[0][0] == "main.copied"
    if found != frames:
        assert build.minor(version) < (1, 26)
        assert found[:-2] == frames[:len(found) - 2] and found[-2:] == [CUT, frames[-1]]


def test_limit_of_values(panic):
    panics = panic("raise", env={"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "50"})
    event, = panics["raise"][1]
    assert re.fullmatch(r"goroutine \d+ \[running\]:\nmain\.raise\(\.\.\.\)\n\t.*", stack_of(event))
    assert len(stack_of(event)) == 50


def test_executable_that_was_deleted(trace, tmp_path):
    """As a deployment does it, which puts another one in its place."""
    old, new = tmp_path / "panics", tmp_path / "new"
    shutil.copy(build.build("panics"), old)
    shutil.copy(build.build("nohttp"), new)
    with server.Server(old) as running:
        agent = trace(running)
        new.rename(old)
        said, = body_of(get(running.http, "/inlined"))
        agent.wait_spans(1, timeout=5)
        span, = agent.stop()
    assert frames_of(stack_of(span.events[0])) == above_panics(said)


def test_little_room(start_server, trace):
    """What ends the span is worth more than the whole stack."""
    target = start_server(name="panics")
    agent = trace(target)
    answer = get(target.http, "/recursion?" + "q" * 1000, "User-Agent: " + "u" * 200,
                 "Forwarded: for=" + "f" * 200)
    assert status_of(answer) == 200
    agent.wait_spans(1, timeout=5)
    span, = agent.stop()
    assert span["http.response.status_code"] == 200
    header, frames = frames_of(stack_of(span.events[0]))
    whole_header, whole = above_panics(body_of(answer)[0])
    assert header == whole_header and frames[-2:] == [CUT, whole[-1]]
    assert 3 < len(frames[:-2]) < 100 and frames[:-2] == whole[:len(frames) - 2]


def test_terminal_shows_none(start_server, start_gospan):
    target = start_server(name="panics")
    agent = start_gospan("trace", "--pid", target.outer_pid, console=True)
    get(target.http, "/raise")
    agent.stdout.wait(lambda text: "panic" in text, 5)
    assert "panic string: raised" in agent.stdout.text()
    assert "goroutine" not in agent.stdout.text()
