/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: one printer for every message, driven by the protobuf-c descriptors.
 *
 * `bytes` fields are ids (hex) or text (see proto/common.proto); our messages have no other bytes.
 * Rules: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding on top of the proto3 JSON
 * mapping (defaults left out; members of a oneof are always printed when set).
 */
#include "json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.pb-c.h"

/* Where the text goes; the first failure sticks, so that printing code need not look. */
struct printer {
	struct bytes *out;
	int err;
};

static void print_message(struct printer *p, const ProtobufCMessage *message);

static void put(struct printer *p, const char *text, size_t len)
{
	if (!p->err)
		p->err = bytes__append(p->out, text, len);
}

static void put_string(struct printer *p, const char *text)
{
	put(p, text, strlen(text));
}

static void put_char(struct printer *p, char c)
{
	put(p, &c, 1);
}

static void put_escaped(struct printer *p, unsigned char c)
{
	char text[8];

	switch (c) {
	case '"':
		put(p, "\\\"", 2);
		break;
	case '\\':
		put(p, "\\\\", 2);
		break;
	case '\n':
		put(p, "\\n", 2);
		break;
	case '\r':
		put(p, "\\r", 2);
		break;
	case '\t':
		put(p, "\\t", 2);
		break;
	default:
		snprintf(text, sizeof(text), "\\u%04x", c);
		put(p, text, 6);
	}
}

/*
 * Bytes of the character at TEXT if it must be escaped, else 0. Only quotes, \ and what is below
 * 0x20 must in JSON; the other controls do because the file may be a terminal.
 */
static size_t escaped_len(const uint8_t *text, size_t len)
{
	bool is_c1 = len > 1 && text[0] == 0xc2 && text[1] < 0xa0; /* U+0080 to U+009F */

	if (is_c1)
		return 2;
	return text[0] < 0x20 || text[0] == 0x7f || text[0] == '"' || text[0] == '\\';
}

static void print_text(struct printer *p, const uint8_t *text, size_t len)
{
	size_t from = 0, n;

	put_char(p, '"');
	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = escaped_len(text + i, len - i);
		if (!n)
			continue;
		put(p, (const char *)text + from, i - from);
		put_escaped(p, text[i + n - 1]); /* a C1's last byte is its code */
		from = i + n;
	}
	if (len)
		put(p, (const char *)text + from, len - from);
	put_char(p, '"');
}

static void print_hex(struct printer *p, const ProtobufCBinaryData *data)
{
	static const char digits[] = "0123456789abcdef";

	put_char(p, '"');
	for (size_t i = 0; i < data->len; i++) {
		char pair[] = {digits[data->data[i] >> 4], digits[data->data[i] & 15]};

		put(p, pair, sizeof(pair));
	}
	put_char(p, '"');
}

static bool is_id(const char *name)
{
	return !strcmp(name, "trace_id") || !strcmp(name, "span_id") ||
	       !strcmp(name, "parent_span_id");
}

/* The shortest text that reads back as the same number. */
static void print_double(struct printer *p, double real)
{
	char text[32];

	if (isnan(real)) {
		put_string(p, "\"NaN\"");
	} else if (isinf(real)) {
		put_string(p, real > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	} else {
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(text, sizeof(text), "%.*g", digits, real);
			if (strtod(text, NULL) == real)
				break;
		}
		put_string(p, text);
	}
}

/* proto field names are lower_snake_case. */
static void print_name(struct printer *p, const char *name)
{
	size_t len;

	put_char(p, '"');
	for (; *name; name += len) {
		len = strcspn(name + 1, "_") + 1; /* up to the next word */
		if (*name == '_' && name[1] >= 'a' && name[1] <= 'z') {
			put_char(p, (char)(name[1] - 'a' + 'A'));
			put(p, name + 2, len - 2);
		} else {
			put(p, name, len);
		}
	}
	put_string(p, "\":");
}

static void print_number(struct printer *p, const ProtobufCFieldDescriptor *field, const void *at)
{
	char text[32];

	switch (field->type) {
	case PROTOBUF_C_TYPE_INT64:
		snprintf(text, sizeof(text), "\"%" PRId64 "\"", *(const int64_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		snprintf(text, sizeof(text), "\"%" PRIu64 "\"", *(const uint64_t *)at);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)at);
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_ENUM:
		snprintf(text, sizeof(text), "%" PRId32, *(const int32_t *)at);
		break;
	default: /* a type that none of our messages has */
		p->err = p->err ? p->err : -EPROTO;
		return;
	}
	put_string(p, text);
}

static void print_value(struct printer *p, const ProtobufCFieldDescriptor *field, const void *at)
{
	const ProtobufCBinaryData *data = at;
	const char *text;

	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		print_message(p, *(ProtobufCMessage *const *)at);
		break;
	case PROTOBUF_C_TYPE_STRING:
		text = *(const char *const *)at;
		print_text(p, (const uint8_t *)text, strlen(text));
		break;
	case PROTOBUF_C_TYPE_BYTES:
		if (is_id(field->name))
			print_hex(p, data);
		else
			print_text(p, data->data, data->len);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		put_string(p, *(const protobuf_c_boolean *)at ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		print_double(p, *(const double *)at);
		break;
	default:
		print_number(p, field, at);
	}
}

static size_t value_sz(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	default:
		return 4;
	}
}

/* A singular field that has no value, or in proto3 its default: not printed. */
static bool is_absent(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
		      const void *at)
{
	static const uint8_t zeros[sizeof(uint64_t)];

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)((const char *)message + field->quantifier_offset) !=
		       field->id;
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		return !*(void *const *)at;
	case PROTOBUF_C_TYPE_STRING:
		return !**(const char *const *)at;
	case PROTOBUF_C_TYPE_BYTES:
		return !((const ProtobufCBinaryData *)at)->len;
	default:
		return !memcmp(at, zeros, value_sz(field));
	}
}

static void print_list(struct printer *p, const ProtobufCFieldDescriptor *field, const char *at,
		       size_t cnt)
{
	put_char(p, '[');
	for (size_t i = 0; i < cnt; i++) {
		if (i)
			put_char(p, ',');
		print_value(p, field, at + i * value_sz(field));
	}
	put_char(p, ']');
}

static void print_message(struct printer *p, const ProtobufCMessage *message)
{
	const char *base = (const char *)message;
	bool first = true;

	put_char(p, '{');
	for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
		bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
		const void *at = base + field->offset;
		size_t cnt = repeated ? *(const size_t *)(base + field->quantifier_offset) :
					!is_absent(message, field, at);

		if (!cnt)
			continue;
		if (!first)
			put_char(p, ',');
		first = false;
		print_name(p, field->name);
		if (repeated)
			print_list(p, field, *(const char *const *)at, cnt);
		else
			print_value(p, field, at);
	}
	put_char(p, '}');
}

int otlp__traces_to_json(const struct bytes *traces, struct bytes *out)
{
	struct printer printer = { .out = out };
	size_t len = out->len;
	Otlp__TracesData *message;

	message = otlp__traces_data__unpack(NULL, traces->len, traces->at);
	if (!message)
		return -EPROTO;
	print_message(&printer, &message->base);
	otlp__traces_data__free_unpacked(message, NULL);
	if (printer.err)
		out->len = len;
	return printer.err;
}

int otlp__span_to_json(const struct bytes *scope_spans, struct bytes *out)
{
	struct printer printer = { .out = out };
	size_t len = out->len;
	Otlp__ScopeSpans *message;

	message = otlp__scope_spans__unpack(NULL, scope_spans->len, scope_spans->at);
	if (!message)
		return -EPROTO;
	if (message->n_spans)
		print_message(&printer, &message->spans[0]->base);
	else
		printer.err = -EPROTO;
	otlp__scope_spans__free_unpacked(message, NULL);
	if (printer.err)
		out->len = len;
	return printer.err;
}
