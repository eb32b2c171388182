// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * otel_pairs: see otel_pairs.bpf.h. Layouts: attribute/{kv,value}.go, trace/{config,trace}.go of
 * go.opentelemetry.io/otel, v1.0.1 to v1.47.0.
 */
#include "otel_pairs.bpf.h"

/* The verifier allows eight frames: a probe, options, option, link, pair, item, text, fail. */
enum { PAIRS_MAX = 32, ITEMS_MAX = 32, LINKS_MAX = 8 };

/* attribute.Type */
enum value_type {
	VALUE_BOOL = 1,
	VALUE_INT64,
	VALUE_FLOAT64,
	VALUE_STRING,
	VALUE_BOOLS,
	VALUE_INT64S,
	VALUE_FLOAT64S,
	VALUE_STRINGS,
};

/* type KeyValue struct { Key; Value }, type Value struct { vtype; numeric; stringly; slice any } */
GO_SIZE(pair_size, "go.opentelemetry.io/otel/attribute.KeyValue");
GO_FIELD(pair_key, string, "go.opentelemetry.io/otel/attribute.KeyValue.Key");
GO_FIELD(pair_type, int, "go.opentelemetry.io/otel/attribute.KeyValue.Value.vtype");
GO_FIELD(pair_numeric, int, "go.opentelemetry.io/otel/attribute.KeyValue.Value.numeric");
GO_FIELD(pair_stringly, string, "go.opentelemetry.io/otel/attribute.KeyValue.Value.stringly");
GO_FIELD(pair_slice, interface, "go.opentelemetry.io/otel/attribute.KeyValue.Value.slice");

/* type Link struct { SpanContext; Attributes []KeyValue } */
GO_SIZE(link_size, "go.opentelemetry.io/otel/trace.Link");
GO_FIELD(link_trace_id, array, "go.opentelemetry.io/otel/trace.Link.SpanContext.traceID");
GO_FIELD(link_span_id, array, "go.opentelemetry.io/otel/trace.Link.SpanContext.spanID");
GO_FIELD(link_flags, int, "go.opentelemetry.io/otel/trace.Link.SpanContext.traceFlags");
GO_FIELD(link_attributes, slice, "go.opentelemetry.io/otel/trace.Link.Attributes");

/*
 * Options. attributeOption is a []KeyValue, timestampOption a time.Time, spanOptionFunc a closure
 * made by WithSpanKind, WithLinks or WithNewRoot.
 */
GO_TYPE(option_attributes, "go.opentelemetry.io/otel/trace.attributeOption");
GO_TYPE(option_timestamp, "go.opentelemetry.io/otel/trace.timestampOption");
GO_TYPE(option_func, "go.opentelemetry.io/otel/trace.spanOptionFunc");
GO_END(executable_end);

/* src/internal/abi/type.go; src/{runtime,reflect}/type.go before Go 1.21 */
GO_FIELD(abi_kind, int, "internal/abi.Type.Kind_");
GO_FIELD(abi_array_len, int, "internal/abi.ArrayType.Len");
GO_FIELD(runtime_kind, int, "runtime._type.kind");
GO_FIELD(reflect_array_len, int, "reflect.arrayType.len");

enum { KIND_MASK = 31, KIND_ARRAY = 17, KIND_POINTER = 22 };

static __always_inline enum attribute_key key_row(__u32 of)
{
	return of == OF_EVENT ? ATTR_PAIR_EVENT_KEY : of == OF_LINK ? ATTR_PAIR_LINK_KEY : ATTR_PAIR_KEY;
}

static __always_inline bool put_number(struct in_flight *span, enum attribute_key key, __u64 value)
{
	if (!otel_has_room(span, sizeof(value)))
		return false;
	span_put_number(span, key, value);
	return true;
}

static __always_inline bool put_text(struct in_flight *span, enum attribute_key key, __u32 limit,
				     struct go_string s)
{
	__u16 before = span->used;

	if (!otel_has_room(span, s.len < limit ? s.len : limit))
		return false;
	span_put_text(span, key, s.ptr, s.len);
	return span->used != before; /* else it could not be read */
}

/* One item of an array: of 1, 8 or 16 bytes. */
__weak int otel_put_item(struct in_flight *span, __u32 type, __u64 array, __u32 i)
{
	if (!span)
		return 0;
	if (type == VALUE_STRINGS)
		return put_text(span, ATTR_PAIR_TEXT, PAIR_TEXT_MAX,
				go_string_at(array + i * sizeof(struct go_string)));
	if (type == VALUE_BOOLS)
		return put_number(span, ATTR_PAIR_BOOL, go_byte(array + i));
	return put_number(span, type == VALUE_INT64S ? ATTR_PAIR_INT : ATTR_PAIR_FLOAT,
			  go_word(array + i * 8));
}

/* The items of the array in SLICE, an any: [N]T, or (to about v1.7) *[]T. */
static __always_inline bool find_items(const struct go_interface *slice, __u64 *array, __u64 *cnt)
{
	__u16 kind_at = abi_kind != GO_ABSENT ? abi_kind : runtime_kind;
	__u16 len_at = abi_array_len != GO_ABSENT ? abi_array_len : reflect_array_len;
	__u8 kind;

	if (!slice->tab || kind_at == GO_ABSENT)
		return false;
	kind = go_byte(slice->tab + kind_at) & KIND_MASK;
	*array = slice->data;
	if (kind == KIND_POINTER) {
		struct go_string header = go_string_at(slice->data); /* of a slice: pointer, length */

		*array = header.ptr;
		*cnt = header.len;
		return true;
	}
	*cnt = len_at == GO_ABSENT ? 0 : go_word(slice->tab + len_at);
	return kind == KIND_ARRAY && len_at != GO_ABSENT;
}

static __always_inline int put_array(struct in_flight *span, __u32 type, const struct go_interface *slice)
{
	__u64 array = 0, cnt = 0;

	if (!find_items(slice, &array, &cnt) || cnt > ITEMS_MAX ||
	    !put_number(span, ATTR_PAIR_ARRAY, cnt))
		return 0;
	for (__u32 i = 0; i < ITEMS_MAX && i < cnt; i++)
		if (!otel_put_item(span, type, array, i))
			return 0;
	return 1;
}

static __always_inline int put_value(struct in_flight *span, __u64 pair)
{
	__u64 type = go_word(pair + pair_type);
	struct go_interface slice;

	if (type == VALUE_STRING)
		return put_text(span, ATTR_PAIR_TEXT, PAIR_TEXT_MAX,
				go_string_at(pair + pair_stringly));
	if (type == VALUE_BOOL)
		return put_number(span, ATTR_PAIR_BOOL, go_word(pair + pair_numeric));
	if (type == VALUE_INT64)
		return put_number(span, ATTR_PAIR_INT, go_word(pair + pair_numeric));
	if (type == VALUE_FLOAT64)
		return put_number(span, ATTR_PAIR_FLOAT, go_word(pair + pair_numeric));
	if (type > VALUE_STRINGS || type < VALUE_BOOLS || pair_slice == GO_ABSENT ||
	    bpf_probe_read_user(&slice, sizeof(slice), (void *)pair + pair_slice))
		return 0;
	return put_array(span, type, &slice);
}

/* One attribute.KeyValue: all of it or nothing. */
__weak int otel_put_pair(struct in_flight *span, __u32 of, __u64 pair)
{
	struct go_string key;
	__u16 used;

	if (!span || pair_key == GO_ABSENT || pair_type == GO_ABSENT ||
	    pair_numeric == GO_ABSENT || pair_stringly == GO_ABSENT)
		return 0;
	used = span->used;
	key = go_string_at(pair + pair_key);
	if (!key.len)
		return 0; /* an SDK leaves it out as well */
	if (put_text(span, key_row(of), PAIR_KEY_MAX, key) && put_value(span, pair))
		return 0;
	span->used = used;
	otel_leave_out(span, LEFT_OUT_ATTRIBUTE);
	return 0;
}

static __always_inline void put_pairs(struct in_flight *span, enum otel_of of, __u64 addr, __u64 cnt)
{
	for (__u32 i = 0; i < PAIRS_MAX && i < cnt && pair_size; i++)
		otel_put_pair(span, of, addr + i * pair_size);
	if (cnt > PAIRS_MAX)
		__sync_fetch_and_add(&span->mark, (cnt - PAIRS_MAX) << LEFT_OUT_ATTRIBUTE);
}

__hidden int otel_put_pairs(struct in_flight *span, enum otel_of of, __u64 addr, __u64 cnt)
{
	put_pairs(span, of, addr, cnt);
	return 0;
}

__weak int otel_put_link(struct in_flight *span, __u64 addr)
{
	struct span_link link = {};
	struct go_slice attributes = {};

	if (!span || link_trace_id == GO_ABSENT || link_span_id == GO_ABSENT || link_flags == GO_ABSENT)
		return 0;
	if (!otel_has_room(span, sizeof(link))) {
		otel_leave_out(span, LEFT_OUT_LINK);
		return 0;
	}
	if (bpf_probe_read_user(link.trace_id, sizeof(link.trace_id), (void *)addr + link_trace_id))
		return 0;
	bpf_probe_read_user(link.span_id, sizeof(link.span_id), (void *)addr + link_span_id);
	link.flags = go_byte(addr + link_flags);
	span_put_link(span, &link);
	if (link_attributes != GO_ABSENT &&
	    !bpf_probe_read_user(&attributes, sizeof(attributes), (void *)addr + link_attributes))
		put_pairs(span, OF_LINK, attributes.ptr, attributes.len);
	return 0;
}

/*
 * type Time struct { wall uint64; ext int64; loc *Location }, src/time/time.go: seconds of year 1 in
 * ext, or (top bit of wall) of 1885 in 33 bits of wall; nanoseconds in wall's lower 30.
 * The zero Time is none, as for the SDK: then 0.
 */
static __always_inline __u64 unix_time_at(__u64 addr)
{
	const __u64 year1_to_unix = 62135596800, year1_to_1885 = 59453308800;
	struct go_string time = go_string_at(addr); /* two words */
	__u64 wall = time.ptr, seconds = time.len;

	if (!wall && !seconds)
		return 0;
	if (wall >> 63)
		seconds = year1_to_1885 + ((wall << 1) >> 31);
	return (seconds - year1_to_unix) * 1000000000 + (wall & ((1 << 30) - 1));
}

static __always_inline int put_time(struct in_flight *span, enum otel_of of, __u64 addr)
{
	enum attribute_key key = of == OF_EVENT ? ATTR_SPAN_EVENT_TIME :
				 of == OF_END	? ATTR_SPAN_END_TIME :
						  ATTR_SPAN_START_TIME;

	__u64 time = unix_time_at(addr);

	return time ? span_put_number(span, key, time) : 0;
}

struct otel_option {
	__u64 type; /* link-time address */
	__u64 data;
};

/* Non-zero where there is none. */
static __always_inline int option_at(const struct go_slice *options, __u32 i, __u64 bias,
					  struct otel_option *out)
{
	struct go_interface option;

	if (bpf_probe_read_user(&option, sizeof(option), (void *)options->ptr + i * sizeof(option)))
		return 1;
	out->type = go_word(option.tab + 8) - bias;
	out->data = option.data;
	return 0;
}

/*
 * WithNewRoot's closure has caught nothing: such a one is in the executable, not on the heap. A global
 * function: 6.1 allows 512 bytes of stack along all calls, and who asks needs much of it.
 */
__weak int otel_wants_new_root(const struct go_slice *options, __u64 bias)
{
	struct otel_option option = {};

	if (!options || !option_func)
		return 0;
	for (__u32 i = 0; i < OPTIONS_MAX && i < options->len; i++)
		if (!option_at(options, i, bias, &option) && option.type == option_func &&
		    option.data - bias < executable_end)
			return 1;
	return 0;
}

/*
 * WithSpanKind's closure has caught a small number, that of WithLinks a slice: {code, first word,
 * ...}. By value, as neither is assigned to afterwards (src/cmd/compile/internal/typecheck, closures
 * of at most 128 bytes); what is neither is left alone.
 */
static __always_inline int put_closure(struct in_flight *span, __u64 closure)
{
	struct go_slice caught = {};

	if (closure - span->record.bias < executable_end ||
	    bpf_probe_read_user(&caught.ptr, sizeof(caught.ptr), (void *)closure + 8))
		return 0;
	if (caught.ptr <= SPAN_CONSUMER) {
		if (caught.ptr)
			span_put_number(span, ATTR_SPAN_KIND, caught.ptr);
		return 0;
	}
	if (!link_size || bpf_probe_read_user(&caught, sizeof(caught), (void *)closure + 8) ||
	    caught.len > caught.cap || caught.cap > 1 << 16)
		return 0;
	for (__u32 i = 0; i < LINKS_MAX && i < caught.len; i++)
		otel_put_link(span, caught.ptr + i * link_size);
	if (caught.len > LINKS_MAX)
		__sync_fetch_and_add(&span->mark, (caught.len - LINKS_MAX) << LEFT_OUT_LINK);
	return 0;
}

__weak int otel_put_option(struct in_flight *span, const struct otel_option *option,
			    enum otel_of of)
{
	struct go_string pairs; /* of a slice: pointer, length */

	if (!span || !option)
		return 0;
	if (option_attributes && option->type == option_attributes) {
		pairs = go_string_at(option->data);
		put_pairs(span, of, pairs.ptr, pairs.len);
	} else if (option_timestamp && option->type == option_timestamp) {
		put_time(span, of, option->data);
	} else if (option_func && option->type == option_func) {
		put_closure(span, option->data);
	}
	return 0;
}

__hidden int otel_put_options(struct in_flight *span, const struct go_slice *options,
			      enum otel_of of)
{
	for (__u32 i = 0; i < OPTIONS_MAX && i < options->len; i++) {
		struct otel_option option = {};

		if (!option_at(options, i, span->record.bias, &option))
			otel_put_option(span, &option, of);
	}
	return 0;
}

__hidden int otel_put_event(struct in_flight *span, __u64 name, __u64 len)
{
	__u32 size = len < SPAN_NAME_MAX ? len : SPAN_NAME_MAX;

	if (!otel_has_room(span, size + sizeof(struct attribute_header) + sizeof(__u64))) {
		otel_leave_out(span, LEFT_OUT_EVENT);
		return 1;
	}
	span_put_text(span, ATTR_SPAN_EVENT, name, len);
	span_put_number(span, ATTR_SPAN_EVENT_SINCE_BOOT, bpf_ktime_get_boot_ns());
	return 0;
}
