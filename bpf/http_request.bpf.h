/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_request: where the fields of a server's request are, for each of the two structs that are
 * one; and how they are picked out of a copy that was read at once. For net_http_server.bpf.c only:
 * it declares variables.
 */
#ifndef GOSPAN_BPF_HTTP_REQUEST_H
#define GOSPAN_BPF_HTTP_REQUEST_H

#include "http_copy.bpf.h"

/* type Request struct, src/net/http/request.go */
GO_FIELD_NEEDED(http_server, request_method, string, "net/http.Request.Method");
GO_FIELD_NEEDED(http_server, request_uri, string, "net/http.Request.RequestURI");
GO_FIELD(request_url, pointer, "net/http.Request.URL");
GO_FIELD(request_header, map, "net/http.Request.Header");
GO_FIELD(request_host, string, "net/http.Request.Host");
GO_FIELD(request_remote_addr, string, "net/http.Request.RemoteAddr");
GO_FIELD(request_proto_major, int, "net/http.Request.ProtoMajor");
GO_FIELD(request_proto_minor, int, "net/http.Request.ProtoMinor");
GO_FIELD(request_content_length, int, "net/http.Request.ContentLength");
GO_FIELD(request_tls, pointer, "net/http.Request.TLS");
GO_FIELD(request_ctx, interface, "net/http.Request.ctx");
GO_FIELD(request_response, pointer, "net/http.Request.Response");
GO_FIELD(url_path, string, "net/url.URL.Path");

/* type ServerRequest struct, src/net/http/internal/http2/api.go, Go 1.27 */
GO_FIELD(server_request_method, string, "net/http/internal/http2.ServerRequest.Method");
GO_FIELD(server_request_uri, string, "net/http/internal/http2.ServerRequest.RequestURI");
GO_FIELD(server_request_url, pointer, "net/http/internal/http2.ServerRequest.URL");
GO_FIELD(server_request_header, map, "net/http/internal/http2.ServerRequest.Header");
GO_FIELD(server_request_host, string, "net/http/internal/http2.ServerRequest.Host");
GO_FIELD(server_request_remote_addr, string, "net/http/internal/http2.ServerRequest.RemoteAddr");
GO_FIELD(server_request_content_length, int, "net/http/internal/http2.ServerRequest.ContentLength");
GO_FIELD(server_request_tls, pointer, "net/http/internal/http2.ServerRequest.TLS");
GO_FIELD(server_request_context, interface, "net/http/internal/http2.ServerRequest.Context");

/* Where a request's fields are; one for each struct that is a request. Constants to the verifier. */
struct request_layout {
	__u16 method, uri, url, header, host, remote_addr, content_length, tls, context;
	__u16 proto_major, proto_minor; /* GO_ABSENT: it is HTTP/2 */
};

static __always_inline struct request_layout http_request(void)
{
	struct request_layout at = {
		.method = request_method,
		.uri = request_uri,
		.url = request_url,
		.header = request_header,
		.host = request_host,
		.remote_addr = request_remote_addr,
		.content_length = request_content_length,
		.tls = request_tls,
		.context = request_ctx,
		.proto_major = request_proto_major,
		.proto_minor = request_proto_minor,
	};
	return at;
}

static __always_inline struct request_layout http2_request(void)
{
	struct request_layout at = {
		.method = server_request_method,
		.uri = server_request_uri,
		.url = server_request_url,
		.header = server_request_header,
		.host = server_request_host,
		.remote_addr = server_request_remote_addr,
		.content_length = server_request_content_length,
		.tls = server_request_tls,
		.context = server_request_context,
		.proto_major = GO_ABSENT,
		.proto_minor = GO_ABSENT,
	};
	return at;
}

#endif
