// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * error: what an error says, for the agent to put into words: the type and the first bytes of each
 * error in the chain, outermost first, and its texts and addresses where the type is known to hold
 * some. Of a type that is not known, the text or the error that it begins with, if it does.
 */
#include "database_error.bpf.h"
#include "net_conn.bpf.h"

/*
 * Of a chain up to so many are followed, as the agent reads (agent/go_error.h). Those behind the first
 * four tell least; they leave room for what else is to be said of the span, its database.
 */
enum { ERROR_DEPTH_MAX = 8, ERROR_DEPTH_SURE = 4, ERROR_LEAVES = 512, ERROR_TEXTS = 3 };

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

/* src/errors/join.go, src/fmt/errors.go; from Go 1.20 */
GO_TYPE(error_join, "*errors.joinError");
GO_FIELD(error_join_errs, slice, "errors.joinError.errs");
GO_TYPE(error_wraps, "*fmt.wrapErrors");
GO_FIELD(error_wraps_errs, slice, "fmt.wrapErrors.errs");

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

/* The interface itself; an itab of its begins with it (type ITab struct, src/internal/abi/iface.go). */
GO_TYPE(error_interface, "error");

/* Where a type has its texts, its addresses and the error that it wraps. GO_ABSENT: it has none. */
struct error_layout {
	__u16 text[ERROR_TEXTS];
	__u16 source, addr;
	__u16 wrapped;
	__u16 several; /* a slice of errors that it wraps */
	__u8 is_silent; /* it has no words of its own, and its type says nothing */
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
	else if (type == error_join)
		at->several = error_join_errs;
	else if (type == error_wraps)
		at->several = error_wraps_errs;
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
	*at = (struct error_layout){
		{0, GO_ABSENT, GO_ABSENT}, GO_ABSENT, GO_ABSENT, GO_ABSENT, GO_ABSENT, false};
	if (!type)
		return;
	if (!database_error(type, &at->text[0], &at->text[1]) &&
	    !database_wrapper(type, &at->text[0], &at->wrapped))
		find_texts(type, at);
	find_wrapped(type, at);
	at->is_silent = type == error_join || (error_pg5_attempt && type == error_pg5_attempt);
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

/* Is it how one of a driver's attempts to connect failed? */
static __always_inline bool is_attempt(const struct in_flight *span, __u64 itab)
{
	return error_pg5_attempt && itab &&
	       go_word(itab + 8) == error_pg5_attempt + span->record.bias;
}

/*
 * Of several errors the first, which came first where one is joined to another; of attempts the last, for
 * which the driver gave up. Non-zero when there are others beside it.
 */
static __noinline int follow_one(const struct in_flight *span, __u64 slice, struct go_interface *next)
{
	struct go_string errors = go_string_at(slice); /* a slice begins like a string */
	__u64 last = errors.ptr + (errors.len - 1) * sizeof(*next);
	bool are_attempts;

	if (!errors.ptr || !errors.len)
		return 0;
	are_attempts = is_attempt(span, go_word(last));
	bpf_probe_read_user(next, sizeof(*next), (void *)(are_attempts ? last : errors.ptr));
	return errors.len > 1 && !are_attempts;
}

static __always_inline void put_details(struct in_flight *span, __u64 data)
{
	const struct error_layout *at = (void *)span_scratch(span);
	struct go_string text;

	for (int i = 0; i < ERROR_TEXTS; i++) {
		if (at->text[i] == GO_ABSENT)
			continue;
		text = go_string_at(data + at->text[i]);
		span_put_perhaps(span, ATTR_ERROR_TEXT, &text);
	}
	if (at->source != GO_ABSENT && at->addr != GO_ABSENT)
		put_addresses(span, data + at->source, data + at->addr);
}

/* A program's own type that begins with another error, as struct{ error } does. */
static __always_inline bool begins_with_error(const struct in_flight *span, __u64 data)
{
	__u64 itab = go_word(data);

	return error_interface && itab && go_word(itab) == error_interface + span->record.bias;
}

/* Puts one error; the one that it wraps into NEXT. What has nothing to say is put as the outermost only. */
__weak int error_put_one(struct in_flight *span, struct go_interface *next, bool is_outermost)
{
	struct error_layout *at;
	__u64 type, itab, data;

	if (!span || !next)
		return 0;
	type = go_word(next->tab + 8);
	itab = type ? 0 : next->tab - span->record.bias;
	at = (void *)span_scratch(span);
	find_layout(type - span->record.bias, at);
	data = next->data;
	next->tab = next->data = 0;
	if (at->several != GO_ABSENT && follow_one(span, data + at->several, next))
		at->is_silent = false;
	if (at->wrapped == GO_ABSENT && at->several == GO_ABSENT && begins_with_error(span, data)) {
		at->text[0] = GO_ABSENT;
		at->wrapped = 0;
	}
	if (at->wrapped != GO_ABSENT)
		bpf_probe_read_user(next, sizeof(*next), (void *)data + at->wrapped);
	if (at->is_silent && next->tab && !is_outermost)
		return 0;
	if (!span_put_value(span, ATTR_ERROR, type, itab, data))
		put_details(span, data);
	else
		next->tab = 0;
	return 0;
}

__weak int span_put_error(struct in_flight *span, const struct go_interface *error)
{
	struct go_interface next;

	if (!span || !error)
		return 0;
	next = *error;
	for (int i = 0; i < ERROR_DEPTH_MAX && next.tab; i++) {
		if (i >= ERROR_DEPTH_SURE && span->used > GOSPAN_BODY_MAX - ERROR_LEAVES)
			break;
		error_put_one(span, &next, !i);
	}
	return 0;
}
