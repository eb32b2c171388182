/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pairs: the format of OTEL_RESOURCE_ATTRIBUTES, "key=value,key2=value2", values percent-encoded
 * (OpenTelemetry 1.60, "Specifying resource information via an environment variable": W3C Baggage
 * without metadata).
 */
#ifndef GOSPAN_AGENT_PAIRS_H
#define GOSPAN_AGENT_PAIRS_H

#include <stddef.h>

/*
 * Takes the next pair off *AT. 1: *KEY and *VALUE are decoded, valid UTF-8 and owned by the caller;
 * 0: no more; -EINVAL: this entry is malformed, go on; -ENOMEM.
 */
int pairs__next(const char **at, char **key, char **value);

#endif
