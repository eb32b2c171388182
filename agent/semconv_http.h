/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semconv_http: HTTP spans as the OpenTelemetry semantic conventions want them (HTTP, stable,
 * 1.44.0): name, attributes and status, from what the BPF programs saw of request and response.
 */
#ifndef GOSPAN_AGENT_SEMCONV_HTTP_H
#define GOSPAN_AGENT_SEMCONV_HTTP_H

#include "build_span.h"

/* Fills B->span's name, status and attributes for a SERVER span. */
void semconv_http__server(struct build_span *b, const struct raws *raws,
			  const struct config *config);

/* The target's name in the table of routes: "{method} {route}", else "{method}". */
struct otlp_text semconv_http__name(struct build_span *b, const struct raws *raws,
				    const struct config *config);

#endif
