# SPDX-License-Identifier: Apache-2.0
"""A program that the kernel's verifier refuses costs what that program does, not the whole agent."""
import pytest

from harness import build, otlp
from harness.client import get
from harness.process import eventually

# Reads where a number points to: no verifier takes that.
REFUSED = "return *(volatile int *)go_arg(ctx, 0);"

LIBRARY = """// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Table: none | none | none
 */
#include "span.bpf.h"

extern const volatile __u16 http_server; /* net_http_server.bpf.c */

GO_SPAN(ledger_client, "example.com/ledger", CLIENT, DB);

SEC("go_entry/example.com/ledger.(*Client).Exec") GO_OF(ledger_client) GO_NEEDED
int ledger_refused(struct pt_regs *ctx)
{
	%s
}

SEC("go_entry/example.com/ledger.(*Book).post") GO_OF(ledger_client)
int ledger_taken(struct pt_regs *ctx)
{
	return 0;
}

SEC("go_entry/net/http.(*ServeMux).ServeHTTP") GO_OF(http_server)
int mux_refused(struct pt_regs *ctx)
{
	%s
}
""" % (REFUSED, REFUSED)


@pytest.fixture(scope="module")
def with_refused(tmp_path_factory):
    return build.agent_with(tmp_path_factory.mktemp("refused"), {"bpf/ledger_client.bpf.c": LIBRARY})


def test_only_what_is_refused_is_lost(with_refused, monkeypatch, start_server, trace):
    monkeypatch.setenv("GOSPAN", str(with_refused))
    server = start_server(name="ledger")
    agent = trace(server)
    for path in ("/deposit", "/closed?n=7"):
        get(server.http, path)
    eventually(lambda: len(agent.spans_so_far()) == 2)
    spans = agent.stop()
    assert server.status is None, f"the target ended: {server.stderr.text()}"
    assert {s.kind for s in spans} == {otlp.SERVER} and len(spans) == 2
    said = [line for line in agent.stderr.text().splitlines() if "does not take" in line]
    library, part = sorted(said)
    assert "BPF program ledger_refused (Permission denied): example.com/ledger is off" in library
    assert "BPF program mux_refused (Permission denied): part of net/http spans is missing" in part
    (ready,) = [line for line in agent.stderr.text().splitlines() if " ready: " in line]
    assert "net/http" in ready and "ledger" not in ready.split(" in ")[1]
