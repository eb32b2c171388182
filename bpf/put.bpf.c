// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* put: attributes into a span's record; see span.bpf.h. */
#include "span.bpf.h"

enum { LONGEST_TEXT = 1 << 20 }; /* more is the length of something else */

static __always_inline __u8 *put_header(struct in_flight *span, enum attribute_key key, __u32 len)
{
	__u32 at = span->used;
	__u32 size = sizeof(struct attribute_header) + len;
	struct attribute_header header = {.key = key, .len = len};

	barrier_var(at); /* one register: the verifier loses the bound of a copy */
	size = (size + ATTRIBUTE_ALIGN - 1) & ~(ATTRIBUTE_ALIGN - 1);
	if (at + size > GOSPAN_BODY_MAX) {
		span->record.truncated++;
		return NULL;
	}
	if (at > GOSPAN_BODY_MAX)
		return NULL;
	span->used = at + size;
	__builtin_memcpy(&span->body[at], &header, sizeof(header));
	return &span->body[at] + sizeof(header);
}

static const __u16 text_limits[ATTR_MAX] = {
#define ATTRIBUTE(key, name, form, limit) [ATTR_##key] = limit,
#include "attributes.def"
#undef ATTRIBUTE
};

GO_CONSTANTS_END(constants_end);

/* Link-time address of a constant of SPAN's program at ADDR, 0: there is something else. */
static __always_inline __u64 constant_at(const struct in_flight *span, __u64 addr)
{
	__u64 linked = addr - span->record.bias;

	return linked < constants_end ? linked : 0;
}

static __always_inline int put_constant(struct in_flight *span, enum attribute_key key,
					struct constant_text text)
{
	struct attribute_header *header;
	__u8 *to;

	if (!text.addr)
		return fail(span->record.pid, FAIL_UNREADABLE);
	to = put_header(span, key, sizeof(text));
	if (!to)
		return 0;
	header = (void *)(to - sizeof(*header));
	header->len |= ATTRIBUTE_CONSTANT;
	__builtin_memcpy(to, &text, sizeof(text));
	return 0;
}

/* Global functions: the verifier looks at them once a program, not for each caller. */
__weak int span_put_text(struct in_flight *span, enum attribute_key key, __u64 ptr, __u64 len)
{
	__u64 size = (__u32)key < ATTR_MAX ? text_limits[key] : 0;
	__u16 used;
	__u8 *to;

	if (!span)
		return 0;
	used = span->used;
	if (size > TEXT_MAX)
		size = TEXT_MAX;
	if (len <= size)
		size = len;
	to = put_header(span, key, size);
	if (!to)
		return 0;
	barrier_var(size); /* one register: 6.1's verifier loses the bound of a copy */
	if (size > TEXT_MAX)
		return 0;
	if (size < len)
		span->record.truncated++;
	if (!bpf_probe_read_user(to, size, (void *)ptr))
		return 0;
	span->used = used;
	return put_constant(span, key, (struct constant_text){constant_at(span, ptr), size});
}

__weak int span_put_perhaps(struct in_flight *span, enum attribute_key key, const struct go_string *s)
{
	__u8 probe;

	if (!span || !s)
		return 0;
	if (s->ptr && s->len && s->len <= LONGEST_TEXT &&
	    (!bpf_probe_read_user(&probe, 1, (void *)s->ptr) || constant_at(span, s->ptr)))
		return span_put_text(span, key, s->ptr, s->len);
	put_header(span, key, 0);
	return 0;
}

__weak int span_extend_text(struct in_flight *span, __u32 at, __u64 ptr, __u64 len)
{
	struct attribute_header header;
	__u32 limit, had, end;

	if (!span)
		return 0;
	if (at > GOSPAN_BODY_MAX - sizeof(header) || at >= span->used)
		return 0; /* there was no room for it */
	__builtin_memcpy(&header, &span->body[at], sizeof(header));
	limit = header.key < ATTR_MAX ? text_limits[header.key] : 0;
	had = header.len;
	if (had > limit)
		goto unreadable; /* a constant that is not in memory */
	if (len > limit - had) {
		span->record.truncated++;
		len = limit - had;
	}
	end = at + sizeof(header) + had;
	barrier_var(end);
	barrier_var(len);
	if (len > TEXT_MAX || end > GOSPAN_BODY_MAX || end + len > GOSPAN_BODY_MAX - ATTRIBUTE_ALIGN) {
		span->record.truncated++;
		return 0;
	}
	if (bpf_probe_read_user(&span->body[end], len, (void *)ptr))
		goto unreadable;
	header.len = had + len;
	__builtin_memcpy(&span->body[at], &header, sizeof(header));
	span->used = (end + len + ATTRIBUTE_ALIGN - 1) & ~(ATTRIBUTE_ALIGN - 1);
	return 0;
unreadable:
	span->used = at;
	return fail(span->record.pid, FAIL_UNREADABLE);
}

__weak int span_put_number(struct in_flight *span, enum attribute_key key, __u64 number)
{
	__u8 *to = span ? put_header(span, key, sizeof(number)) : NULL;

	if (to)
		__builtin_memcpy(to, &number, sizeof(number));
	return 0;
}

/* Built in place: chains of calls come here that have little stack left. */
__weak int span_put_value(struct in_flight *span, enum attribute_key key, __u64 type, __u64 itab,
			  __u64 data)
{
	struct panic_value *value;

	if (!span)
		return 1;
	value = (void *)put_header(span, key, sizeof(*value));
	if (!value)
		return 1;
	__builtin_memset(value, 0, sizeof(*value));
	value->time_ns = bpf_ktime_get_boot_ns();
	value->type = type;
	value->itab = itab;
	/* Types that are one pointer have it in the interface itself: data is the pointee then. */
	if (!go_read_some(value->value, sizeof(value->value), data))
		value->constant = constant_at(span, data);
	return 0;
}

__weak int span_put_address(struct in_flight *span, enum attribute_key key,
			      const struct ip_address *address)
{
	__u8 *to;

	if (!span || !address)
		return 0;
	to = put_header(span, key, sizeof(*address));
	if (to)
		__builtin_memcpy(to, address, sizeof(*address));
	return 0;
}

__weak int span_put_link(struct in_flight *span, const struct span_link *link)
{
	__u8 *to;

	if (!span || !link)
		return 0;
	to = put_header(span, ATTR_SPAN_LINK, sizeof(*link));
	if (to)
		__builtin_memcpy(to, link, sizeof(*link));
	return 0;
}
