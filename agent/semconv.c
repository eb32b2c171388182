// SPDX-License-Identifier: Apache-2.0
/* semconv: see semconv.h. */
#include "semconv.h"

static const struct semconv *const domains[] = {&semconv_http, &semconv_span};

const struct semconv *semconv__of(const char *domain)
{
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		if (!strcmp(domains[i]->domain, domain))
			return domains[i];
	return NULL;
}

void semconv__put_error(struct build_span *b, const struct semconv_input *in)
{
	if (!in->error.type.len)
		return;
	b->span.status = OTLP_STATUS_ERROR;
	b->span.status_message = in->error.text;
	build__text(b, "error.type", in->error.type);
}
