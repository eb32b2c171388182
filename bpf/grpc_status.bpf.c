// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* grpc: see grpc.bpf.h. Layouts: google.golang.org/grpc 1.34 to 1.85. */
#include "grpc.bpf.h"

enum { WRAPPED_MAX = 3 };

/* type Error struct, type Status struct, internal/status/status.go; to 1.39 the first holds e *spb.Status */
GO_HELD(status_error, "error", "*google.golang.org/grpc/internal/status.Error");
GO_FIELD(status_error_s, pointer, "google.golang.org/grpc/internal/status.Error.s");
GO_FIELD(status_error_e, pointer, "google.golang.org/grpc/internal/status.Error.e");
GO_FIELD(status_s, pointer, "google.golang.org/grpc/internal/status.Status.s");

/* type Status struct, google.golang.org/genproto/googleapis/rpc/status/status.pb.go */
GO_FIELD(status_code, int, "google.golang.org/genproto/googleapis/rpc/status.Status.Code");
GO_FIELD(status_message, string, "google.golang.org/genproto/googleapis/rpc/status.Status.Message");

/* type wrapError struct, src/fmt/errors.go; type errorString struct, src/errors/errors.go */
GO_HELD(fmt_wrap_error, "error", "*fmt.wrapError");
GO_FIELD(fmt_wrap_error_err, interface, "fmt.wrapError.err");
GO_HELD(error_string, "error", "*errors.errorString");

static __noinline int put_proto(struct in_flight *span, __u64 proto)
{
	__u32 code = GRPC_OK;

	if (proto && status_code != GO_ABSENT &&
	    bpf_probe_read_user(&code, sizeof(code), (void *)proto + status_code))
		return fail(span->record.pid, FAIL_UNREADABLE);
	span_put_number(span, ATTR_RPC_STATUS, code);
	if (code != GRPC_OK && status_message != GO_ABSENT && !span_is_brief(span))
		span_put_string(span, ATTR_RPC_MESSAGE, go_string_at(proto + status_message));
	return 0;
}

__weak int grpc_put_status(struct in_flight *span, __u64 status)
{
	if (!span)
		return 0;
	return put_proto(span, status && status_s != GO_ABSENT ? go_word(status + status_s) : 0);
}

static __always_inline int put_status_error(struct in_flight *span, __u64 error)
{
	if (status_error_s != GO_ABSENT)
		return grpc_put_status(span, go_word(error + status_error_s));
	return put_proto(span, go_word(error + status_error_e));
}

/* Link-time address of the type of an error with this itab, 0: it cannot be read. */
static __always_inline __u64 type_of_error(__u64 itab, __u64 bias)
{
	__u64 linked = itab - bias, type;

	if (linked == error_string_itab)
		return error_string_type;
	if (linked == status_error_itab)
		return status_error_type;
	if (linked == fmt_wrap_error_itab)
		return fmt_wrap_error_type;
	type = go_word(itab + 8);
	return type ? type - bias : 0;
}

enum is_eof { IS_NOT_EOF, IS_EOF, MAY_BE_EOF, IS_UNREADABLE };

/* io.EOF, as which a stream's end travels: an errors.New() like others. */
static __always_inline enum is_eof is_eof(__u64 type, __u64 data)
{
	struct go_string s = {};
	__u8 text[3];

	if (type != error_string_type)
		return IS_NOT_EOF;
	if (bpf_probe_read_user(&s, sizeof(s), (void *)data))
		return IS_UNREADABLE;
	if (s.len != sizeof(text))
		return IS_NOT_EOF;
	if (bpf_probe_read_user(text, sizeof(text), (void *)s.ptr))
		return MAY_BE_EOF;
	return text[0] == 'E' && text[1] == 'O' && text[2] == 'F' ? IS_EOF : IS_NOT_EOF;
}

/* No status rather than a wrong one. */
__weak int grpc_put_error(struct in_flight *span, const struct go_interface *error, bool may_be_end)
{
	struct go_interface next;

	if (!span || !error)
		return 0;
	next = *error;
	if (!next.tab)
		return span_put_number(span, ATTR_RPC_STATUS, GRPC_OK);
	for (int i = 0; i < WRAPPED_MAX && next.tab; i++) {
		__u64 type = type_of_error(next.tab, span->record.bias);
		enum is_eof eof = IS_NOT_EOF;

		if (!type)
			eof = IS_UNREADABLE;
		else if (may_be_end && !i)
			eof = is_eof(type, next.data);
		if (eof == IS_UNREADABLE)
			return fail(span->record.pid, FAIL_UNREADABLE);
		if (eof == IS_EOF)
			return span_put_number(span, ATTR_RPC_STATUS, GRPC_OK);
		if (eof == MAY_BE_EOF) {
			span_put_number(span, ATTR_RPC_STATUS, RPC_UNKNOWN_OR_EOF);
			return span_put_error(span, error);
		}
		if (type == status_error_type &&
		    (status_error_s != GO_ABSENT || status_error_e != GO_ABSENT)) {
			put_status_error(span, next.data);
			/* the whole text is the outermost error's; the last one put counts */
			if (i && !span_is_brief(span))
				span_put_string(span, ATTR_RPC_MESSAGE, go_string_at(error->data));
			return 0;
		}
		if (type != fmt_wrap_error_type || fmt_wrap_error_err == GO_ABSENT)
			break;
		if (bpf_probe_read_user(&next, sizeof(next), (void *)next.data + fmt_wrap_error_err))
			return fail(span->record.pid, FAIL_UNREADABLE);
	}
	span_put_number(span, ATTR_RPC_STATUS, GRPC_UNKNOWN);
	return span_is_brief(span) ? 0 : span_put_error(span, error);
}

__weak int grpc_put_messages(struct in_flight *span, bool received)
{
	if (!span)
		return 0;
	if (span_is_brief(span))
		return 0;
	span_put_number(span, ATTR_RPC_SENT, span->sent);
	return received ? span_put_number(span, ATTR_RPC_RECEIVED, span->received) : 0;
}
