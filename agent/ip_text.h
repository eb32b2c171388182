/* SPDX-License-Identifier: Apache-2.0 */
/* ip_text: addresses that travelled as struct ip_address, as Go's net package writes them. */
#ifndef GOSPAN_AGENT_IP_TEXT_H
#define GOSPAN_AGENT_IP_TEXT_H

#include "build_span.h"

/* False when RAW is none. */
bool ip_text__read(const struct raw *raw, struct ip_address *out);

/* "192.0.2.1", "2001:db8::1"; empty when there is no address. */
struct otlp_text ip_text__address(struct build_span *b, const struct ip_address *address);

/* "192.0.2.1:80", "[2001:db8::1]:80", ":80". */
struct otlp_text ip_text__endpoint(struct build_span *b, const struct ip_address *address);

#endif
