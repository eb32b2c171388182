/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: any of our protobuf messages as OTLP JSON, by one generic printer over the protobuf-c
 * descriptors. Rules of the OTLP specification, "JSON Protobuf Encoding": lowerCamelCase names,
 * trace and span ids as hex, other bytes as base64, 64-bit integers as strings, enums as numbers,
 * defaults left out.
 */
#ifndef GOSPAN_OTLP_JSON_H
#define GOSPAN_OTLP_JSON_H

#include "encode.h"

/* Appends packed TracesData as one JSON object without newline. -EPROTO malformed, -ENOMEM. */
int otlp__traces_to_json(const struct bytes *traces, struct bytes *out);

/* Appends one span (as otlp__append_span() wrote it) as a JSON object. Same errors. */
int otlp__span_to_json(const struct bytes *scope_spans, struct bytes *out);

#endif
