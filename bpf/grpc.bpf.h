/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* grpc: how an RPC ended, for both of its sides. */
#ifndef GOSPAN_BPF_GRPC_H
#define GOSPAN_BPF_GRPC_H

#include "span.bpf.h"

/* What names in that package begin with. */
#define TRANSPORT "google.golang.org/grpc/internal/transport."

/* google.golang.org/grpc/codes */
enum { GRPC_OK = 0, GRPC_UNKNOWN = 2, GRPC_INTERNAL = 13, GRPC_UNAVAILABLE = 14 };

/* Code and message of STATUS, a *status.Status; nil is OK. */
int grpc_put_status(struct in_flight *span, __u64 status);

/*
 * The same of an error as status.Code() sees it: nil is OK, what has no status UNKNOWN. None of one that
 * cannot be read. MAY_BE_END: io.EOF itself is how a stream ends well.
 */
int grpc_put_error(struct in_flight *span, const struct go_interface *error, bool may_be_end);

/* How many messages went each way; RECEIVED: whether those that came were counted. */
int grpc_put_messages(struct in_flight *span, bool received);

#endif
