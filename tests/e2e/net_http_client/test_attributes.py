# SPDX-License-Identifier: Apache-2.0
"""What a CLIENT span says of its request and of the answer."""
import re

import pytest

SERVER, CLIENT = 2, 3


def span_of(calls, *args, url=None, **options):
    """(CLIENT span, outcome, Calls) of one call."""
    both = calls(*args, env=options.pop("env", None))
    outcome = both.call(url or f"{both.to}/ok/1", **options)
    return both.client_span(), outcome, both


# path and query of a URL; None: url.full is what Go's URL.String() says
URLS = [
    ("", None),
    ("/", None),
    ("/plain/path", None),
    ("/a%20b/%C3%A9/x%2Fy", None),
    ("/ü/日本", None),
    ("/semi;colon,comma:at@plus+&=$", None),
    ("/odd'()*!~[]", None),
    ("/?a=1&b=2", None),
    ("/p?q=%26%3d&x", None),
    ("/p#part", None),
    ("/p?a=b#a part%20of", None),
    ("/p?AWSAccessKeyId=x&Signature=secret&sig=s&n=1",
     "/p?AWSAccessKeyId=REDACTED&Signature=REDACTED&sig=REDACTED&n=1"),
]


def test_url(calls):
    both = calls()
    said = [both.call(both.to + url)["url"] for url, _ in URLS]
    spans = [s for s in both.spans(2 * len(URLS)) if s.kind == CLIENT]
    for (url, want), outcome, span in zip(URLS, said, spans):
        assert span["url.full"] == (both.to + want if want else outcome), url


def test_user_and_password_are_redacted(calls):
    both = calls()
    both.call(both.to.replace("//", "//joe:secret@") + "/ok/1")
    assert both.client_span()["url.full"] == both.to.replace("//", "//REDACTED:REDACTED@") + "/ok/1"


def test_raw_path_that_is_not_the_path_is_ignored(calls):
    span, outcome, both = span_of(calls, url="http://127.0.0.1:1/a%2Fb", path="/other")
    assert span["url.full"] == outcome["url"] == "http://127.0.0.1:1/other"


def test_opaque_url(calls):
    both = calls()
    outcome = both.call(both.to, opaque=f"//joe:secret@127.0.0.1:{both.back.http}/ok/1")
    assert "secret" in outcome["url"]
    assert both.client_span()["url.full"] == outcome["url"].replace("joe:secret", "REDACTED:REDACTED")


def test_long_url_is_cut_and_counted(calls):
    both = calls()
    both.call(f"{both.to}/ok/{'p' * 600}?q={'v' * 3000}")
    span = both.client_span()
    assert span["url.full"] == f"{both.to}/ok/{'p' * 600}?q={'v' * (1024 - 604 - 2)}"
    assert span["http.response.status_code"] == 200


@pytest.mark.parametrize("method, name, attribute, original", [
    ("POST", "POST", "POST", None),
    ("", "GET", "GET", None),
    ("PURGE", "HTTP", "_OTHER", "PURGE"),
])
def test_method(calls, method, name, attribute, original):
    span, _, _ = span_of(calls, method=method)
    assert (span.name, span["http.request.method"]) == (name, attribute)
    assert span["http.request.method_original"] == original


@pytest.mark.parametrize("status", [204, 304, 399, 400, 404, 500, 503])
def test_status(calls, status):
    both = calls()
    both.call(f"{both.to}/status/{status}")
    span = both.client_span()
    assert span["http.response.status_code"] == status
    failed = status >= 400
    assert span.status == (2 if failed else 0) and span.message == ""
    assert span["error.type"] == (str(status) if failed else None)


@pytest.mark.parametrize("via", ["plain", "custom", "h2"])
def test_redirects_are_counted(calls, via):
    both = calls()
    to = both.tls if via == "h2" else both.to
    both.call(f"{to}/redirect/3", via=via, client="yes")
    server, *clients = both.spans(5)
    assert [c["url.full"] for c in clients] == [f"{to}/redirect/{n}" for n in (3, 2, 1, 0)]
    assert [c["http.request.resend_count"] for c in clients] == [None, 1, 2, 3]
    assert {c.parent_id for c in clients} == {server.span_id}
    assert [c["http.response.status_code"] for c in clients] == [302, 302, 302, 200]


def test_default_ports(calls):
    both = calls()
    for url in ("http://localhost/", "https://localhost/"):
        both.call(url, timeout=300)
    http, https = (s for s in both.spans(4) if s.kind == CLIENT)
    assert (http["server.address"], http["server.port"]) == ("localhost", 80)
    assert (https["server.address"], https["server.port"]) == ("localhost", 443)


def test_ipv6_server(calls):
    span, _, _ = span_of(calls, url="http://[::1]:1/")
    assert (span["server.address"], span["server.port"]) == ("::1", 1)


def test_body_sizes_when_asked_for(calls):
    both = calls(env={"GOSPAN_HTTP_BODY_SIZE": "true"})
    both.call(f"{both.to}/ok/1", method="POST", body="twelve bytes")
    span = both.client_span()
    assert span["http.request.body.size"] == 12
    assert span["http.response.body.size"] == len("ok 12\n")


def test_no_body_sizes_by_default(calls):
    span, _, _ = span_of(calls, method="POST", body="twelve bytes")
    assert not [key for key in span.attributes if "body" in key]


def test_only_what_is_known(calls):
    """A call that does not get anywhere has neither peer nor protocol nor status."""
    span, _, _ = span_of(calls, url="http://127.0.0.1:1/")
    assert set(span.attributes) == {"http.request.method", "url.full", "server.address",
                                    "server.port", "error.type"}


def test_names_of_packages_are_told_once(calls):
    both = calls()
    line, = both.agent.wait_ready()
    assert re.search(r" probes in net/http \(go1", line), line
    both.agent.stop()
