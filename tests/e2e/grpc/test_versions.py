# SPDX-License-Identifier: Apache-2.0
"""Versions of Go and of grpc, and build modes: one of everything."""
import pytest

from harness import build

from .conftest import PAIRS

# From 1.40 on an error holds a Status, before 1.38 a stream was made elsewhere.
OLDER = [("1.19.13", "1.34.0"), ("1.19.13", "1.38.0")]

CELLS = [(pair, "default") for pair in OLDER + PAIRS]
CELLS += [(PAIRS[3], "pie stripped"), (PAIRS[5], "pie stripped"), (PAIRS[0], "-N -l"),
          (PAIRS[-1], "-N -l"), (PAIRS[0], "-race"), (PAIRS[-1], "-race"), (PAIRS[-1], "no sections")]

# order, code of the client, code of the server (None: it does not get there), messages the client
# sent and received (None: no stream)
CALLS = [
    ({"do": "unary", "text": "hi"}, "OK", "OK", None),
    ({"do": "unary", "text": "status:5:none"}, "NOT_FOUND", "NOT_FOUND", None),
    ({"do": "unary", "text": "hi", "intercept": True}, "OK", "OK", None),
    ({"do": "unary", "text": "deny", "intercept": True}, "UNAUTHENTICATED", None, None),
    ({"do": "late"}, "CANCELLED", None, None),
    ({"do": "fresh", "target": "127.0.0.1:1"}, "UNAVAILABLE", None, None),
    ({"do": "answers", "text": "3"}, "OK", "OK", (1, 3)),
    ({"do": "requests", "text": "x", "count": 4}, "OK", "OK", (4, 1)),
    ({"do": "chat", "text": "x", "count": 2}, "OK", "OK", (2, 2)),
    ({"do": "chat", "text": "x", "count": 2, "intercept": True}, "OK", "OK", (2, 2)),
    ({"do": "chat", "text": "status:8:full", "count": 1}, "RESOURCE_EXHAUSTED",
     "RESOURCE_EXHAUSTED", (1, 0)),
    ({"do": "open denied", "intercept": True}, "UNAUTHENTICATED", None, (0, 0)),
]


def outcomes(spans):
    return [(s["rpc.response.status_code"], (s["gospan.rpc.messages_sent"],
                                             s["gospan.rpc.messages_received"])) for s in spans]


@pytest.mark.parametrize("pair, mode", CELLS)
def test_one_of_everything(spans_of, pair, mode):
    assert build.exists(pair[0], mode)
    orders = [call[0] for call in CALLS]
    served = [call for call in CALLS if call[2]]
    spans = spans_of(*orders, count=2 * len(CALLS) + len(served), pair=pair, mode=mode, web=True)
    none = (None, None)
    assert outcomes(spans.client) == [(code, sent or none) for _, code, _, sent in CALLS]
    assert outcomes(spans.server) == [(code, sent[::-1] if sent else none)
                                      for _, _, code, sent in served]
    for call, request in zip(spans.client, spans.http):
        assert (call.trace_id, call.parent_id) == (request.trace_id, request.span_id)
