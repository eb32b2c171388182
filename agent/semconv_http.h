/* SPDX-License-Identifier: Apache-2.0 */
/* semconv_http: the halves of the domain HTTP, for semconv_http.c and semconv_http_client.c only. */
#ifndef GOSPAN_AGENT_SEMCONV_HTTP_H
#define GOSPAN_AGENT_SEMCONV_HTTP_H

#include "semconv.h"

/* What client and server spans share. */
bool http__is_known_method(struct otlp_text method, const struct config *config);
void http__put_method(struct build_span *b, struct otlp_text method, bool known);
void http__put_protocol(struct build_span *b, const struct raws *raws);
void http__put_body_sizes(struct build_span *b, const struct raws *raws, int64_t status);

struct otlp_text http_client__name(struct build_span *b, const struct semconv_input *in);
bool http_client__failed(const struct semconv_input *in);
void http_client__describe(struct build_span *b, const struct semconv_input *in);

#endif
