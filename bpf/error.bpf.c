// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * error: what an error says, for the agent to put into words: the type and the first bytes of each
 * error in the chain, outermost first, and their texts where the type is known to hold some.
 */
#include "database_error.bpf.h"
#include "span.bpf.h"

enum { ERROR_DEPTH_MAX = 4 };

/* src/net/net.go, src/os/error.go (io/fs), src/net/url/url.go, src/fmt/errors.go; Go 1.19 to 1.27 */
GO_TYPE(error_net_op, "*net.OpError");
GO_FIELD(error_net_op_err, interface, "net.OpError.Err");
GO_TYPE(error_net_dns, "*net.DNSError");
GO_FIELD(error_net_dns_err, string, "net.DNSError.Err");
GO_FIELD(error_net_dns_name, string, "net.DNSError.Name");
GO_TYPE(error_os_syscall, "*os.SyscallError");
GO_FIELD(error_os_syscall_err, interface, "os.SyscallError.Err");
GO_TYPE(error_url, "*net/url.Error");
GO_FIELD(error_url_err, interface, "net/url.Error.Err");

/* Where a type has its texts, and the error that it wraps. GO_ABSENT: it has none. */
struct error_layout {
	__u16 text, more_text, wrapped;
};

static __always_inline struct error_layout layout_of(__u64 type)
{
	struct error_layout at = {0, GO_ABSENT, GO_ABSENT};

	if (error_net_op && type == error_net_op) {
		at.more_text = 16;
		at.wrapped = error_net_op_err;
	} else if (error_net_dns && type == error_net_dns) {
		at.text = error_net_dns_err;
		at.more_text = error_net_dns_name;
	} else if (error_os_syscall && type == error_os_syscall) {
		at.wrapped = error_os_syscall_err;
	} else if (error_url && type == error_url) {
		at.wrapped = error_url_err;
	} else {
		database_error(type, &at.text, &at.more_text);
	}
	return at;
}

/* A string at ADDR, if it can be one. */
static __always_inline void put_text(struct in_flight *span, __u64 addr)
{
	struct go_string s = go_string_at(addr);
	__u8 probe;

	if (!s.ptr || !s.len || s.len > 1 << 20 || bpf_probe_read_user(&probe, 1, (void *)s.ptr))
		return;
	span_put_text(span, ATTR_ERROR_TEXT, s.ptr, s.len);
}

/* Puts one error; the one that it wraps into NEXT. */
static __noinline int put_one(struct in_flight *span, struct go_interface *next)
{
	struct panic_value value = {.type = go_word(next->tab + 8)};
	struct error_layout at = layout_of(value.type - span->record.bias);
	__u64 data = next->data;

	next->tab = next->data = 0;
	if (data)
		bpf_probe_read_user(value.value, sizeof(value.value), (void *)data) &&
			bpf_probe_read_user(value.value, 16, (void *)data) &&
			bpf_probe_read_user(value.value, 8, (void *)data);
	if (span_put_value(span, ATTR_ERROR, &value))
		return 0;
	if (at.text != GO_ABSENT)
		put_text(span, data + at.text);
	if (at.more_text != GO_ABSENT)
		put_text(span, data + at.more_text);
	if (at.wrapped != GO_ABSENT)
		bpf_probe_read_user(next, sizeof(*next), (void *)data + at.wrapped);
	return 0;
}

__hidden int span_put_error(struct in_flight *span, const struct go_interface *error)
{
	struct go_interface next = *error;

	for (int i = 0; i < ERROR_DEPTH_MAX && next.tab; i++)
		put_one(span, &next);
	return 0;
}
