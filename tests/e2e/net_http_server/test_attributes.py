# SPDX-License-Identifier: Apache-2.0
"""Attributes of the HTTP semantic conventions, resource and scope."""
import os
import uuid

import pytest

from harness.client import get


def test_url_is_as_on_the_wire(span_of):
    span = span_of(lambda s: get(s.http, "/item/%41%2fb%20c?q=%C3%A9&x=1+2"))
    assert span["url.path"] == "/item/%41%2fb%20c"
    assert span["url.query"] == "q=%C3%A9&x=1+2"


def test_absolute_form(span_of):
    span = span_of(lambda s: get(s.http, "http://other.test/exact?x=1"))
    assert (span["url.path"], span["url.query"]) == ("/exact", "x=1")


def test_no_query_is_no_attribute(span_of):
    assert "url.query" not in span_of(lambda s: get(s.http, "/exact")).attributes


def test_user_agent_and_absence(spans_of):
    def send(server):
        get(server.http, "/exact", "User-Agent: curl/8.0 (a; b)")
        get(server.http, "/exact")
    first, second = sorted(spans_of(send, count=2), key=lambda s: s.start_ns)
    assert first["user_agent.original"] == "curl/8.0 (a; b)"
    assert "user_agent.original" not in second.attributes


def test_server_address_is_from_host(spans_of):
    hosts = ["shop.test:8443", "shop.test", "[::1]:99"]
    def send(server):
        for host in hosts:
            get(server.http, "/exact", host=host)
    spans = sorted(spans_of(send, count=3), key=lambda s: s.start_ns)
    assert [s["server.address"] for s in spans] == ["shop.test", "shop.test", "::1"]
    assert spans[0]["server.port"] == 8443
    assert spans[2]["server.port"] == 99


FORWARDED = [
    (["X-Forwarded-For: 203.0.113.9, 10.0.0.1", "X-Forwarded-Proto: https",
      "X-Forwarded-Host: shop.example:444"],
     {"client.address": "203.0.113.9", "url.scheme": "https", "server.address": "shop.example",
      "server.port": 444}),
    (['Forwarded: for="[2001:db8::17]:4711";proto=https;host=shop.example, for=10.0.0.1'],
     {"client.address": "2001:db8::17", "url.scheme": "https", "server.address": "shop.example"}),
    (["Forwarded: for=192.0.2.60", "X-Forwarded-For: 203.0.113.9"],
     {"client.address": "192.0.2.60", "url.scheme": "http"}),
    (["Forwarded: for=;proto=;host="], {"client.address": "127.0.0.1", "url.scheme": "http"}),
    (["X-Forwarded-For: ,,"], {"client.address": "127.0.0.1"}),
]


@pytest.mark.parametrize("headers, want", FORWARDED)
def test_forwarded(span_of, headers, want):
    span = span_of(lambda s: get(s.http, "/exact", *headers))
    assert {key: span[key] for key in want} == want
    assert span["network.peer.address"] == "127.0.0.1", "the peer is who is connected"


SECRETS = ["sig", "X-Goog-Signature", "X-Amz-Signature", "X-Amz-Credential",
           "X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "access_token",
           "refresh_token", "id_token", "token", "password", "secret", "api_key"]


def test_secrets_are_redacted(span_of):
    query = "&".join(f"{key}=s3cret{n}" for n, key in enumerate(SECRETS)) + "&open=1&tokens=2"
    span = span_of(lambda s: get(s.http, f"/exact?{query}"))
    assert "s3cret" not in span["url.query"]
    assert span["url.query"] == "&".join(f"{key}=REDACTED" for key in SECRETS) + "&open=1&tokens=2"


def test_redaction_can_be_set(span_of):
    span = span_of(lambda s: get(s.http, "/exact?pin=1&token=2"),
                   env={"GOSPAN_REDACT_QUERY": "pin"})
    assert span["url.query"] == "pin=REDACTED&token=2"


def test_body_sizes_only_when_asked_for(span_of):
    span = span_of(lambda s: get(s.http, "/body/100", method="POST", body=b"12345"))
    assert not [key for key in span.attributes if "body.size" in key]


def test_body_sizes(spans_of):
    def send(server):
        get(server.http, "/body/100", method="POST", body=b"12345")
        get(server.http, "/body/70000")
        get(server.http, "/body/100", method="HEAD")
        get(server.http, "/item/1?status=204")
    post, large, head, empty = sorted(
        spans_of(send, count=4, env={"GOSPAN_HTTP_BODY_SIZE": "true"}), key=lambda s: s.start_ns)
    assert post["http.request.body.size"] == 5
    assert post["http.response.body.size"] == 100
    assert large["http.response.body.size"] == 70000
    assert "http.response.body.size" not in head.attributes
    assert "http.response.body.size" not in empty.attributes


def test_excluded_paths(start_server, trace):
    server = start_server()
    agent = trace(server, "--exclude-path", "/item/*", "--exclude-path", "/health")
    get(server.http, "/item/1")
    get(server.http, "/health")
    get(server.http, "/exact")
    agent.wait_spans(1)
    span, = agent.stop()
    assert span["url.path"] == "/exact"
    assert "excluded" in agent.stderr.text(), "what is left out is counted"


def test_excluded_paths_by_environment(span_of):
    def send(server):
        get(server.http, "/item/1")
        get(server.http, "/exact")
    assert span_of(send, env={"GOSPAN_EXCLUDE_PATHS": "/item/*,/x"})["url.path"] == "/exact"


def test_attribute_length_limit(span_of):
    span = span_of(lambda s: get(s.http, "/item/" + "9" * 50),
                   env={"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "10"})
    assert span["url.path"] == "/item/9999"


def test_resource_and_scope(start_server, trace):
    server = start_server(env={"OTEL_SERVICE_NAME": "shop",
                               "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=a%20b"})
    agent = trace(server)
    get(server.http, "/exact")
    agent.wait_spans(1)
    span, = agent.stop()
    want = {"service.name": "shop", "telemetry.sdk.language": "go",
            "telemetry.distro.name": "gospan", "process.pid": server.pid,
            "process.executable.name": os.path.basename(server.argv[0]),
            "process.runtime.name": "go"}
    got = {key: span.resource.get(key) for key in want}
    assert got == want
    assert "1.27.1" in span.resource["process.runtime.version"]
    assert span.resource["process.executable.path"].endswith(want["process.executable.name"])
    assert span.resource["host.name"] == os.uname().nodename
    assert span.resource["os.type"] == "linux"
    assert "process.command_args" not in span.resource
    uuid.UUID(span.resource["service.instance.id"])
    assert span.scope == "gospan/net/http"
    assert span.scope_version
    assert span.schema_url.endswith("/1.44.0")


def test_own_names_beat_the_targets(start_server, trace):
    server = start_server(env={"OTEL_SERVICE_NAME": "shop"})
    agent = trace(server, env={"OTEL_SERVICE_NAME": "mine", "GOSPAN_PROCESS_ARGS": "true",
                               "OTEL_RESOURCE_ATTRIBUTES": "team=a%2Cb"})
    get(server.http, "/exact")
    agent.wait_spans(1)
    span, = agent.stop()
    assert span.resource["service.name"] == "mine"
    assert span.resource["team"] == "a,b"
    assert span.resource["process.command_args"] == server.argv


def test_service_name_flag_beats_all(start_server, trace):
    server = start_server(env={"OTEL_SERVICE_NAME": "shop"})
    agent = trace(server, "--service-name", "flag", env={"OTEL_SERVICE_NAME": "mine"})
    get(server.http, "/exact")
    agent.wait_spans(1)
    assert agent.stop()[0].resource["service.name"] == "flag"
