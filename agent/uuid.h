/* SPDX-License-Identifier: Apache-2.0 */
/* uuid: name-based UUIDs (RFC 9562, version 5) for service.instance.id. */
#ifndef GOSPAN_AGENT_UUID_H
#define GOSPAN_AGENT_UUID_H

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT_SIZE = 37, SHA1_SIZE = 20 };

/* Version 5 UUID of LEN bytes of NAME in the name space NAMESPACE, in canonical text form. */
void uuid__v5(const uint8_t namespace[static 16], const char *name, size_t len,
	      char out[static UUID_TEXT_SIZE]);

/* FIPS 180-4. For names only: SHA-1 protects nothing. */
void sha1(const uint8_t *data, size_t len, uint8_t out[static SHA1_SIZE]);

#endif
