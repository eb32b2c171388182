// SPDX-License-Identifier: Apache-2.0
/* ip_text: see ip_text.h. Rules: src/net/{ip,tcpsock}.go. */
#include <arpa/inet.h>

#include "ip_text.h"

static bool is_ipv4(const struct ip_address *address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return address->len == 4 ||
	       (address->len == 16 && !memcmp(address->ip, mapped, sizeof(mapped)));
}

bool ip_text__read(const struct raw *raw, struct ip_address *out)
{
	if (raw->len != sizeof(*out))
		return false;
	memcpy(out, raw->at, sizeof(*out));
	return out->len == 4 || out->len == 16 || !out->len;
}

struct otlp_text ip_text__address(struct build_span *b, const struct ip_address *address)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (is_ipv4(address))
		inet_ntop(AF_INET, address->ip + address->len - 4, text, sizeof(text));
	else if (address->len)
		inet_ntop(AF_INET6, address->ip, text, sizeof(text));
	return build__clean(b, text_of(text));
}

struct otlp_text ip_text__endpoint(struct build_span *b, const struct ip_address *address)
{
	bool brackets = address->len && !is_ipv4(address);
	struct otlp_text out = build__clean(b, text_of(brackets ? "[" : ""));

	/* one behind the other on the workbench: one text */
	out.len += ip_text__address(b, address).len;
	out.len += build__printf(b, "%s:%u", brackets ? "]" : "", address->port).len;
	return out;
}
