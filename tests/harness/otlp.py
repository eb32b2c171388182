# SPDX-License-Identifier: Apache-2.0
"""OTLP JSON lines (opentelemetry-proto, JSON encoding) as plain objects."""
import dataclasses
import json


@dataclasses.dataclass
class Event:
    name: str
    time_ns: int
    attributes: dict


@dataclasses.dataclass
class Span:
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str      # "" for a root
    flags: int
    trace_state: str
    start_ns: int
    end_ns: int
    status: int         # 0 unset, 1 ok, 2 error
    message: str
    attributes: dict
    events: list
    links: list
    resource: dict
    scope: str
    scope_version: str
    schema_url: str
    dropped_attributes: int = 0
    dropped_events: int = 0
    dropped_links: int = 0

    def __getitem__(self, key):
        return self.attributes.get(key)

    @property
    def duration_ms(self):
        return (self.end_ns - self.start_ns) / 1e6


SERVER, CLIENT, UNSET, ERROR = 2, 3, 0, 2


def _value(v):
    if not v:
        return None
    (kind, value), = v.items()
    if kind == "intValue":
        assert isinstance(value, str), f"64-bit integers are strings in OTLP JSON, not {value!r}"
        return int(value)
    if kind == "arrayValue":
        return [_value(x) for x in value.get("values", [])]
    if kind == "kvlistValue":
        return _attributes(value.get("values", []))
    return value


def _attributes(pairs):
    keys = [p["key"] for p in pairs]
    assert len(set(keys)) == len(keys), f"keys must be unique: {keys}"
    return {p["key"]: _value(p["value"]) for p in pairs}


def _event(e):
    return Event(e.get("name", ""), int(e["timeUnixNano"]), _attributes(e.get("attributes", [])))


def _span(s, resource, scope):
    status = s.get("status", {})
    return Span(
        name=s["name"], kind=s["kind"], trace_id=s["traceId"], span_id=s["spanId"],
        parent_id=s.get("parentSpanId", ""), flags=s.get("flags", 0),
        trace_state=s.get("traceState", ""), start_ns=int(s["startTimeUnixNano"]),
        end_ns=int(s["endTimeUnixNano"]), status=status.get("code", 0),
        message=status.get("message", ""), attributes=_attributes(s.get("attributes", [])),
        events=[_event(e) for e in s.get("events", [])], links=s.get("links", []),
        resource=resource, scope=scope.get("scope", {}).get("name", ""),
        scope_version=scope.get("scope", {}).get("version", ""),
        schema_url=scope.get("schemaUrl", ""),
        dropped_attributes=s.get("droppedAttributesCount", 0),
        dropped_events=s.get("droppedEventsCount", 0),
        dropped_links=s.get("droppedLinksCount", 0))


def spans_of(message):
    """The spans of one TracesData / ExportTraceServiceRequest object."""
    spans = []
    for group in message.get("resourceSpans", []):
        resource = _attributes(group.get("resource", {}).get("attributes", []))
        for scope in group.get("scopeSpans", []):
            spans += [_span(s, resource, scope) for s in scope.get("spans", [])]
    return spans


def read(path):
    """All spans of a file written by --otlp-file; strict UTF-8, a complete object each line."""
    spans = []
    with open(path, encoding="utf-8", errors="strict") as f:
        for line in f:
            spans += spans_of(json.loads(line))
    return spans


def read_so_far(path):
    """The same while the file is being written: an incomplete last line is left out. Read in one
    go: a file's own iterator would hand out what is there of a line, and its rest as the next."""
    try:
        with open(path, "rb") as f:
            complete, _, _ = f.read().rpartition(b"\n")
    except FileNotFoundError:
        return []
    spans = []
    for line in filter(None, complete.split(b"\n")):
        spans += spans_of(json.loads(line))
    return spans
