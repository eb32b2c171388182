/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* address: network addresses of the net package, and the one at a connection's other end. */
#ifndef GOSPAN_BPF_ADDRESS_H
#define GOSPAN_BPF_ADDRESS_H

#include "span.bpf.h"

/* The IP address and port in a net.Addr. Non-zero, and OUT empty, when it holds none. */
int address_read(const struct go_interface *addr, __u64 bias, struct ip_address *out);

/* Path of the unix socket in a net.Addr. Non-zero, and OUT empty, when it is none. */
int address_path(const struct go_interface *addr, __u64 bias, struct go_string *out);

/*
 * Who is at the other end of a net.Conn: network.peer.*. Nothing for types of connections that only
 * the program knows.
 */
int span_put_peer(struct in_flight *span, const struct go_interface *conn);

#endif
