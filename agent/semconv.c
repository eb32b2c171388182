// SPDX-License-Identifier: Apache-2.0
/* semconv: see semconv.h. */
#include "ip_text.h"
#include "semconv.h"

static const struct semconv *const domains[] = {
	&semconv_db, &semconv_http, &semconv_rpc, &semconv_span,
};

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

void semconv__put_peer(struct build_span *b, const struct raws *raws)
{
	struct ip_address address;

	if (ip_text__read(&raws->by_key[ATTR_PEER_ADDRESS], &address) && address.len) {
		build__text(b, "network.peer.address", ip_text__address(b, &address));
		build__number(b, "network.peer.port", address.port);
	} else { /* path of a unix socket */
		build__text(b, "network.peer.address", raw_text(raws, ATTR_PEER));
	}
}
