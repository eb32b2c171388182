/* SPDX-License-Identifier: Apache-2.0 */
/* semconv: the version of the OpenTelemetry semantic conventions that names and attributes follow. */
#ifndef GOSPAN_AGENT_SEMCONV_H
#define GOSPAN_AGENT_SEMCONV_H

#define SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

#endif
