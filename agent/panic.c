// SPDX-License-Identifier: Apache-2.0
/*
 * panic: see panic.h. Texts as in Go's src/runtime/error.go and panic.go (1.19 to 1.27): they are
 * the runtime's words for what happened, put together from the values it keeps.
 */
#include <stdio.h>

#include "panic.h"
#include "stack.h"

#define RUNTIME_ERROR "runtime error: "

/* Go's boundsErrorFormats and boundsNegErrorFormats, by code: %x is the index, %y the limit. */
static const char *const bounds_formats[][2] = {
	{"index out of range [%x] with length %y", "index out of range [%x]"},
	{"slice bounds out of range [:%x] with length %y", "slice bounds out of range [:%x]"},
	{"slice bounds out of range [:%x] with capacity %y", "slice bounds out of range [:%x]"},
	{"slice bounds out of range [%x:%y]", "slice bounds out of range [%x:]"},
	{"slice bounds out of range [::%x] with length %y", "slice bounds out of range [::%x]"},
	{"slice bounds out of range [::%x] with capacity %y", "slice bounds out of range [::%x]"},
	{"slice bounds out of range [:%x:%y]", "slice bounds out of range [:%x:]"},
	{"slice bounds out of range [%x:%y:]", "slice bounds out of range [%x::]"},
	{"cannot convert slice with length %y to array or pointer to array with length %x", ""},
};

/* Error types whose first field is the string that Error() returns. */
static const char *const text_errors[] = {
	"*errors.errorString", "*fmt.wrapError", "*fmt.wrapErrors", "*fmt.errorString",
};

/* The bytes of the field NAME of the struct type at TYPE, of at most SZ, out of VALUE's into OUT. */
static bool find_field(const struct resolve *r, uint64_t type, const char *name,
		       const struct panic_value *value, void *out, size_t sz)
{
	const char *field;
	size_t len;
	struct field_fact fact;

	for (size_t i = 0; !resolve__type_field(r, type, i, &field, &len, &fact); i++) {
		if (len != strlen(name) || memcmp(field, name, len) || fact.size > sz ||
		    fact.offset + fact.size > sizeof(value->value))
			continue;
		memcpy(out, value->value + fact.offset, fact.size);
		return true;
	}
	return false;
}

/* A field of a word at most; 0 when it is not there. */
static uint64_t field_of(const struct resolve *r, uint64_t type, const char *name,
			 const struct panic_value *value)
{
	uint64_t number = 0;

	find_field(r, type, name, value, &number, sizeof(number));
	return number;
}

static struct otlp_text bounds_text(struct build_span *b, const struct resolve *r, uint64_t type,
				    const struct panic_value *value)
{
	int64_t x = field_of(r, type, "x", value), y = field_of(r, type, "y", value);
	uint64_t code = field_of(r, type, "code", value);
	bool negative = (field_of(r, type, "signed", value) & 1) && x < 0;
	struct otlp_text text = build__printf(b, RUNTIME_ERROR);
	const char *format;

	if (code >= sizeof(bounds_formats) / sizeof(bounds_formats[0]))
		return (struct otlp_text){NULL, 0};
	for (format = bounds_formats[code][negative]; *format; format++) {
		if (*format != '%')
			text.len += build__printf(b, "%c", *format).len;
		else if (*++format == 'y' || (field_of(r, type, "signed", value) & 1))
			text.len += build__printf(b, "%lld", (long long)(*format == 'x' ? x : y)).len;
		else
			text.len += build__printf(b, "%llu", (unsigned long long)x).len;
	}
	return text;
}

/* "*pkg/path.Type" as Go prints it: with the last element of the path only. */
static const char *short_name(const char *name, char *buf, size_t buf_sz)
{
	size_t stars = strspn(name, "*[]");
	const char *slash = strrchr(name, '/');

	snprintf(buf, buf_sz, "%.*s%s", (int)stars, name, slash ? slash + 1 : name + stars);
	return buf;
}

static const char *type_name(const struct resolve *r, uint64_t type, char *buf, size_t buf_sz)
{
	char full[256];

	if (resolve__type_name(r, type, full, sizeof(full)) < 0)
		return NULL;
	return short_name(full, buf, buf_sz);
}

/* The text of a STRING (pointer, length) that lies in the executable, of at most LONGEST bytes; or none. */
static struct otlp_text text_in(const struct resolve *r, const uint64_t string[static 2], uint64_t bias,
				size_t longest)
{
	const char *at = NULL;

	if (string[1] && string[1] <= longest)
		at = resolve__bytes(r, string[0] - bias, string[1]);
	return (struct otlp_text){at, at ? string[1] : 0};
}

/*
 * A method that the runtime found missing: a string that lies in the interface's type data (itabInit
 * in src/runtime/iface.go, (*itab).init before 1.23), so in the executable. Empty: it has none.
 */
static struct otlp_text missing_method(const struct resolve *r, uint64_t type,
				       const struct panic_value *value, uint64_t bias)
{
	enum { LONGEST = 256 };
	uint64_t string[2] = {0};

	find_field(r, type, "missingMethod", value, string, sizeof(string));
	return text_in(r, string, bias, LONGEST);
}

/* (*TypeAssertionError).Error, without the addendum for equal names of different packages. */
static struct otlp_text assertion_text(struct build_span *b, const struct resolve *r, uint64_t type,
				       const struct panic_value *value, uint64_t bias)
{
	uint64_t interface = field_of(r, type, "_interface", value);
	uint64_t concrete = field_of(r, type, "concrete", value);
	uint64_t asserted = field_of(r, type, "asserted", value);
	char names[3][256];
	const char *from = interface ? type_name(r, interface - bias, names[0], 256) : "interface";
	const char *is = concrete ? type_name(r, concrete - bias, names[1], 256) : "nil";
	const char *want = type_name(r, asserted - bias, names[2], 256);
	struct otlp_text text, method;
	struct type_fact fact;

	if (!from || !is || !want)
		return (struct otlp_text){NULL, 0};
	if (concrete && !resolve__type_at(r, asserted - bias, &fact) &&
	    fact.kind == GO_KIND_INTERFACE) {
		method = missing_method(r, type, value, bias);
		text = build__printf(b, "interface conversion: %s is not %s%s", is, want,
				     method.len ? ": missing method " : "");
		text.len += build__clean(b, method).len;
		return text;
	}
	return build__printf(b, "interface conversion: %s is %s, not %s", from, is, want);
}

static struct otlp_text basic_text(struct build_span *b, enum go_kind kind,
				   const struct panic_value *value)
{
	union {
		uint8_t u8; int8_t i8; uint16_t u16; int16_t i16; uint32_t u32; int32_t i32;
		uint64_t u64; int64_t i64; float f32; double f64;
	} v;

	memcpy(&v, value->value, sizeof(v));
	switch (kind) {
	case GO_KIND_BOOL: return text_of(v.u8 ? "true" : "false");
	case GO_KIND_INT8: return build__printf(b, "%d", v.i8);
	case GO_KIND_INT16: return build__printf(b, "%d", v.i16);
	case GO_KIND_INT32: return build__printf(b, "%d", v.i32);
	case GO_KIND_INT:
	case GO_KIND_INT64: return build__printf(b, "%lld", (long long)v.i64);
	case GO_KIND_UINT8: return build__printf(b, "%u", v.u8);
	case GO_KIND_UINT16: return build__printf(b, "%u", v.u16);
	case GO_KIND_UINT32: return build__printf(b, "%u", v.u32);
	case GO_KIND_UINT:
	case GO_KIND_UINT64:
	case GO_KIND_UINTPTR: return build__printf(b, "%llu", (unsigned long long)v.u64);
	case GO_KIND_FLOAT32: return build__printf(b, "%.9g", v.f32);
	case GO_KIND_FLOAT64: return build__printf(b, "%.17g", v.f64);
	default: return (struct otlp_text){NULL, 0};
	}
}

static struct otlp_text joined(struct build_span *b, const char *prefix, struct otlp_text text)
{
	struct otlp_text all = build__printf(b, "%s", prefix);

	all.len += build__clean(b, text).len;
	return all;
}

static struct otlp_text text_of_value(struct build_span *b, const struct resolve *r,
				      const struct type_fact *fact, const char *name,
				      const struct panic_value *value, struct otlp_text text,
				      uint64_t bias)
{
	if (!strcmp(name, "runtime.boundsError"))
		return bounds_text(b, r, fact->addr, value);
	if (!strcmp(name, "*runtime.TypeAssertionError"))
		return assertion_text(b, r, fact->elem, value, bias);
	if (!strcmp(name, "runtime.errorString") || !strcmp(name, "runtime.errorAddressString"))
		return joined(b, RUNTIME_ERROR, text);
	if (!strcmp(name, "*runtime.PanicNilError"))
		return text_of("panic called with nil argument (use GODEBUG=panicnil=1 to disable)");
	if (fact->kind == GO_KIND_STRING)
		return text;
	for (size_t i = 0; i < sizeof(text_errors) / sizeof(text_errors[0]); i++)
		if (!strcmp(name, text_errors[i]))
			return text;
	return basic_text(b, fact->kind, value);
}

/* The text of a string that was not in memory, header and all. */
static struct otlp_text constant_text(const struct resolve *r, const struct panic_value *value,
				      uint64_t bias)
{
	uint64_t string[2];

	memcpy(string, value->value, sizeof(string));
	return text_in(r, string, bias, PANIC_TEXT_MAX);
}

/*
 * These panic, also for {{break}} in a template, and a function of the same package recovers: src/fmt/
 * scan.go, text/template/exec.go (whose walkRange raises again what is no break), text/template/parse/
 * parse.go, regexp/syntax/parse.go, text/tabwriter/tabwriter.go (Go 1.19 to 1.27). The types of what
 * they panic with are anybody's; those that are not, bpf/runtime_panic.bpf.c leaves out.
 */
static bool is_way_out(const char *raiser)
{
	static const char *const names[] = {
		"fmt.(*ss).notEOF",
		"text/template.(*state).errorf",
		"text/template.(*state).walk",
		"text/template/parse.(*Tree).errorf",
		"regexp/syntax.(*parser).checkHeight",
		"regexp/syntax.(*parser).checkLimits",
		"regexp/syntax.(*parser).checkSize",
		"text/tabwriter.(*Writer).write0",
	};

	static const char range[] = "text/template.(*state).walkRange.func";

	for (size_t i = 0; raiser && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(raiser, names[i]))
			return true;
	return raiser && !strncmp(raiser, range, sizeof(range) - 1);
}

void panic__describe(struct build_span *b, const struct resolve *r, const struct panic_record *record,
		     uint64_t bias, struct panic *out)
{
	const struct panic_value *value = &record->value;
	struct otlp_text text = record->text;
	struct type_fact fact;
	char name[256];

	*out = (struct panic){.type = text_of(value->type ? "unknown" : "nil")};
	if (!r || !value->type ||
	    resolve__type_name(r, value->type - bias, name, sizeof(name)) < 0 ||
	    resolve__type_at(r, value->type - bias, &fact))
		return;
	if (value->constant && fact.kind == GO_KIND_STRING)
		text = constant_text(r, value, bias);
	out->type = build__clean(b, text_of(name));
	out->text = text_of_value(b, r, &fact, name, value, text, bias);
	out->is_no_exception = (!strcmp(name, "*errors.errorString") &&
				text_is(text, "net/http: abort Handler")) ||
			       is_way_out(stack__raiser(r, record->stack.at, record->stack.len));
}
