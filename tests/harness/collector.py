# SPDX-License-Identifier: Apache-2.0
"""A receiver for OTLP/HTTP on loopback that misbehaves when told to.

It does not decode protobuf: it keeps each request's path, headers and body, and counts bodies. Tests
that look at spans use --otlp-file next to it.
"""
import gzip
import http.server
import threading


class Collector:
    """answer: callable(number of the request) -> (status, headers, body), default 200."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda n: (200, {}, b""))
        self.requests = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.requests.append((self.path, dict(self.headers), body))
                status, headers, text = collector.answer(len(collector.requests))
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
