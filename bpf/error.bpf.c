// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * error: what an error says, for the agent to put into words: the type and the first bytes of each
 * error in the chain, outermost first, and its texts and addresses where the type is known to hold
 * some. Of a type that is not known, the text that it begins with, if it does.
 */
#include "database_error.bpf.h"
#include "net_conn.bpf.h"

enum { ERROR_DEPTH_MAX = 4, ERROR_TEXTS = 3 };

/* src/net/net.go, src/os/error.go (io/fs), src/net/url/url.go, src/fmt/errors.go; Go 1.19 to 1.27
 */
GO_TYPE(error_net_op, "*net.OpError");
GO_FIELD(error_net_op_op, string, "net.OpError.Op");
GO_FIELD(error_net_op_net, string, "net.OpError.Net");
GO_FIELD(error_net_op_source, interface, "net.OpError.Source");
GO_FIELD(error_net_op_addr, interface, "net.OpError.Addr");
GO_FIELD(error_net_op_err, interface, "net.OpError.Err");
GO_TYPE(error_net_dns, "*net.DNSError");
GO_FIELD(error_net_dns_name, string, "net.DNSError.Name");
GO_FIELD(error_net_dns_err, string, "net.DNSError.Err");
GO_FIELD(error_net_dns_server, string, "net.DNSError.Server");
GO_TYPE(error_net_addr, "*net.AddrError");
GO_FIELD(error_net_addr_addr, string, "net.AddrError.Addr");
GO_FIELD(error_net_addr_err, string, "net.AddrError.Err");
GO_TYPE(error_os_syscall, "*os.SyscallError");
GO_FIELD(error_os_syscall_err, interface, "os.SyscallError.Err");
GO_TYPE(error_url, "*net/url.Error");
GO_FIELD(error_url_err, interface, "net/url.Error.Err");
GO_TYPE(error_wrap, "*fmt.wrapError");
GO_FIELD(error_wrap_err, interface, "fmt.wrapError.err");

/* src/crypto/tls/common.go (from Go 1.20), src/crypto/x509/verify.go */
GO_TYPE(error_verification, "*crypto/tls.CertificateVerificationError");
GO_FIELD(error_verification_err, interface, "crypto/tls.CertificateVerificationError.Err");
GO_TYPE(error_permanent, "*crypto/tls.permanentError");
GO_FIELD(error_permanent_err, interface, "crypto/tls.permanentError.err");
GO_TYPE(error_certificate, "crypto/x509.CertificateInvalidError");
GO_FIELD(error_certificate_detail, string, "crypto/x509.CertificateInvalidError.Detail");
GO_TYPE(error_hostname, "crypto/x509.HostnameError");
GO_FIELD(error_hostname_host, string, "crypto/x509.HostnameError.Host");

/* type GoAwayError struct: the same files */
GO_TYPE(error_away_bundled, "net/http.http2GoAwayError");
GO_FIELD(error_away_bundled_debug, string, "net/http.http2GoAwayError.DebugData");
GO_TYPE(error_away_internal, "net/http/internal/http2.GoAwayError");
GO_FIELD(error_away_internal_debug, string, "net/http/internal/http2.GoAwayError.DebugData");
GO_TYPE(error_away_external, "golang.org/x/net/http2.GoAwayError");
GO_FIELD(error_away_external_debug, string, "golang.org/x/net/http2.GoAwayError.DebugData");

/* type StreamError struct: src/net/http/h2_bundle.go, internal/http2/errors.go, x/net/http2 */
GO_TYPE(error_stream_bundled, "net/http.http2StreamError");
GO_FIELD(error_stream_bundled_cause, interface, "net/http.http2StreamError.Cause");
GO_TYPE(error_stream_internal, "net/http/internal/http2.StreamError");
GO_FIELD(error_stream_internal_cause, interface, "net/http/internal/http2.StreamError.Cause");
GO_TYPE(error_stream_external, "golang.org/x/net/http2.StreamError");
GO_FIELD(error_stream_external_cause, interface, "golang.org/x/net/http2.StreamError.Cause");

/* Where a type has its texts, its addresses and the error that it wraps. GO_ABSENT: it has none. */
struct error_layout {
	__u16 text[ERROR_TEXTS];
	__u16 source, addr;
	__u16 wrapped;
};

/* Fields in the order that agent/go_error.c expects. */
static __always_inline void find_texts(__u64 type, struct error_layout *at)
{
	if (type == error_net_op) {
		at->text[0] = error_net_op_op;
		at->text[1] = error_net_op_net;
		at->source = error_net_op_source;
		at->addr = error_net_op_addr;
	} else if (type == error_net_dns) {
		at->text[0] = error_net_dns_name;
		at->text[1] = error_net_dns_err;
		at->text[2] = error_net_dns_server;
	} else if (type == error_net_addr) {
		at->text[0] = error_net_addr_addr;
		at->text[1] = error_net_addr_err;
	} else if (type == error_certificate) {
		at->text[0] = error_certificate_detail;
	} else if (type == error_hostname) {
		at->text[0] = error_hostname_host;
	} else if (type == error_away_bundled) {
		at->text[0] = error_away_bundled_debug;
	} else if (type == error_away_internal) {
		at->text[0] = error_away_internal_debug;
	} else if (type == error_away_external) {
		at->text[0] = error_away_external_debug;
	}
}

static __always_inline void find_wrapped(__u64 type, struct error_layout *at)
{
	if (type == error_net_op)
		at->wrapped = error_net_op_err;
	else if (type == error_os_syscall)
		at->wrapped = error_os_syscall_err;
	else if (type == error_url)
		at->wrapped = error_url_err;
	else if (type == error_wrap)
		at->wrapped = error_wrap_err;
	else if (type == error_verification)
		at->wrapped = error_verification_err;
	else if (type == error_permanent)
		at->wrapped = error_permanent_err;
	else if (type == error_stream_bundled)
		at->wrapped = error_stream_bundled_cause;
	else if (type == error_stream_internal)
		at->wrapped = error_stream_internal_cause;
	else if (type == error_stream_external)
		at->wrapped = error_stream_external_cause;
}

/* Into the scratch: on the stack the verifier would follow each type's layout to the end. */
static __always_inline void find_layout(__u64 type, struct error_layout *at)
{
	*at = (struct error_layout){{0, GO_ABSENT, GO_ABSENT}, GO_ABSENT, GO_ABSENT, GO_ABSENT};
	if (!type)
		return;
	if (!database_error(type, &at->text[0], &at->text[1]) &&
	    !database_wrapper(type, &at->text[0], &at->wrapped))
		find_texts(type, at);
	find_wrapped(type, at);
}

/* Both, so that the agent can tell which is which; a unix socket's path is a text. */
static __noinline int put_addresses(struct in_flight *span, __u64 source, __u64 addr)
{
	struct go_interface from = {}, to = {};
	struct ip_address address = {};
	struct go_string path = {};

	bpf_probe_read_user(&from, sizeof(from), (void *)source);
	bpf_probe_read_user(&to, sizeof(to), (void *)addr);
	if (!from.tab && !to.tab)
		return 0;
	net_address(&from, span->record.bias, &address);
	span_put_address(span, ATTR_ERROR_ADDRESS, &address);
	if (net_address(&to, span->record.bias, &address) &&
	    !net_path(&to, span->record.bias, &path))
		span_put_perhaps(span, ATTR_ERROR_TEXT, &path);
	span_put_address(span, ATTR_ERROR_ADDRESS, &address);
	return 0;
}

/* Puts one error; the one that it wraps into NEXT. */
__weak int error_put_one(struct in_flight *span, struct go_interface *next)
{
	struct error_layout *at;
	struct go_string text;
	__u64 type, itab, data;

	if (!span || !next)
		return 0;
	type = go_word(next->tab + 8);
	itab = type ? 0 : next->tab - span->record.bias;
	at = (void *)span_scratch(span);
	find_layout(type - span->record.bias, at);
	data = next->data;
	next->tab = next->data = 0;
	if (span_put_value(span, ATTR_ERROR, type, itab, data))
		return 0;
	for (int i = 0; i < ERROR_TEXTS; i++) {
		if (at->text[i] == GO_ABSENT)
			continue;
		text = go_string_at(data + at->text[i]);
		span_put_perhaps(span, ATTR_ERROR_TEXT, &text);
	}
	if (at->source != GO_ABSENT && at->addr != GO_ABSENT)
		put_addresses(span, data + at->source, data + at->addr);
	if (at->wrapped != GO_ABSENT)
		bpf_probe_read_user(next, sizeof(*next), (void *)data + at->wrapped);
	return 0;
}

__weak int span_put_error(struct in_flight *span, const struct go_interface *error)
{
	struct go_interface next;

	if (!span || !error)
		return 0;
	next = *error;
	for (int i = 0; i < ERROR_DEPTH_MAX && next.tab; i++)
		error_put_one(span, &next);
	return 0;
}
