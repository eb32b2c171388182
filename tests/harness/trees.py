# SPDX-License-Identifier: Apache-2.0
"""The spans of a request, from the top down, by exact ids."""
import collections
import dataclasses

from .otlp import SERVER


@dataclasses.dataclass(frozen=True)
class Want:
    """A span: what it must say, and those whose parent it is, by their start. NAME: None for any."""
    kind: int
    name: str
    says: dict = dataclasses.field(default_factory=dict)    # attribute -> value, None for absent
    below: tuple = ()
    status: int = 0

    def count(self):
        return 1 + sum(want.count() for want in self.below)


def check(spans, roots, apart=()):
    """SPANS are exactly those of ROOTS, {(trace id, parent id): Want}: none more, none elsewhere. APART
    are Wants, with nothing below them, of spans that begin traces of their own."""
    children = collections.defaultdict(list)
    for span in sorted(spans, key=lambda s: s.start_ns):
        children[span.trace_id, span.parent_id].append(span)
    for (trace_id, parent_id), want in roots.items():
        _check(children, trace_id, parent_id, [want], None)
    own = [span for span in spans if not span.parent_id and (span.trace_id, "") not in roots]
    keys = [sorted(want.says) for want in apart][:1]
    said = sorted(repr((s.name, s.kind, s.status, [s[key] for key in keys[0]])) for s in own if keys)
    assert said == sorted(repr((w.name, w.kind, w.status, [w.says[key] for key in keys[0]]))
                          for w in apart), f"begin traces: {said[:3]}"
    wanted = sum(want.count() for want in roots.values()) + len(apart)
    assert len(spans) == wanted, f"{len(spans)} spans, not {wanted}"


def _check(children, trace_id, parent_id, wants, parent):
    found = children[trace_id, parent_id]
    assert len(found) == len(wants) and all(w.name in (None, s.name) for s, w in zip(found, wants)), (
        f"below {parent.name if parent else 'the request'}: {[s.name for s in found]}, "
        f"not {[w.name for w in wants]}")
    for span, want in zip(found, wants):
        got = (span.kind, span.status, {key: span[key] for key in want.says})
        assert got == (want.kind, want.status, want.says), (
            f"{span.name}: {got}, not {(want.kind, want.status, want.says)}; {span.message}")
        assert span.start_ns <= span.end_ns
        if parent:
            assert parent.start_ns <= span.start_ns, f"{span.name} begins before {parent.name}"
            # a server's answer is there before its handler is over
            assert span.kind == SERVER or span.end_ns <= parent.end_ns, (
                f"{span.name} ends after {parent.name}")
        _check(children, trace_id, span.span_id, want.below, span)
