/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: spans to OTLP bytes, once (design D14).
 *
 * A span is packed when it arrives and appended to its scope's bytes; the envelope around it
 * (ResourceSpans, ScopeSpans) is put on when a batch is sent. Field numbers of opentelemetry-proto
 * 1.11.0.
 */
#ifndef GOSPAN_OTLP_ENCODE_H
#define GOSPAN_OTLP_ENCODE_H

#include "span.h"

/* Growing bytes. Zero-initialise; release with bytes__free(). */
struct bytes {
	uint8_t *at;
	size_t len;
	size_t cap;
};

/* Appends LEN bytes. -ENOMEM leaves B as it was. */
int bytes__append(struct bytes *b, const void *data, size_t len);
void bytes__free(struct bytes *b);

/* Appends SPAN as one `spans` field (tag, length, message) of ScopeSpans. -ENOMEM. */
int otlp__append_span(struct bytes *scope_spans, const struct otlp_span *span);

/* Packs the message Resource with these attributes into OUT. -ENOMEM. */
int otlp__pack_resource(struct bytes *out, const struct otlp_attribute *attributes, size_t cnt);

struct otlp_scope {
	const char *name;
	const char *version;
	const char *schema_url;
	const struct bytes *spans; /* what otlp__append_span() wrote */
};

/*
 * Appends one `resource_spans` field of TracesData (= ExportTraceServiceRequest: same number) made
 * of packed RESOURCE and SCOPES. A scope without spans is left out; no scope left: nothing is
 * appended. -ENOMEM.
 */
int otlp__append_resource_spans(struct bytes *traces, const struct bytes *resource,
				const char *schema_url, const struct otlp_scope *scopes,
				size_t scope_cnt);

#endif
