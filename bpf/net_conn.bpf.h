/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * net_conn: the two ends of a Go net.Conn, through TLS and h2c; and what a net.Addr holds.
 *
 * tls.Conn holds the net.Conn below it; net.TCPConn is a conn, whose netFD has both addresses as
 * net.Addr, a *TCPAddr with the IP as 4 or 16 bytes. src/crypto/tls/conn.go, src/net/{net,tcpsock,
 * unixsock,fd_posix}.go; Go 1.19 to 1.27.
 */
#ifndef GOSPAN_BPF_NET_CONN_H
#define GOSPAN_BPF_NET_CONN_H

#include "span.bpf.h"

struct net_end {
	__u8 ip[16] __attribute__((aligned(8))); /* IPv4 as ::ffff:a.b.c.d */
	__u16 port;
	__u16 pad[3];
};

struct net_ends {
	struct net_end local, remote;
};

/* The ends of the connection in the interface; non-zero when it is none over TCP. */
int net_ends_of(const struct go_interface *conn, __u64 bias, struct net_ends *out);

/* The IP address and port in a net.Addr. Non-zero, and OUT empty, when it holds none. */
int net_address(const struct go_interface *addr, __u64 bias, struct ip_address *out);

/* Path of the unix socket in a net.Addr. Non-zero, and OUT empty, when it is none. */
int net_path(const struct go_interface *addr, __u64 bias, struct go_string *out);

/*
 * Who is at the other end of the connection: network.peer.*. Nothing for types of connections that
 * only the program knows.
 */
int span_put_peer(struct in_flight *span, const struct go_interface *conn);

#endif
