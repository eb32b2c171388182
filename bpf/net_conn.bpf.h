/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * net_conn: which connection a Go net.Conn is, through TLS and other types around it; and what a
 * net.Addr holds.
 *
 * tls.Conn holds the net.Conn below it; net.TCPConn is a conn, whose netFD has the file descriptor,
 * and both addresses as net.Addr, a *TCPAddr with the IP as 4 or 16 bytes. src/crypto/tls/conn.go,
 * src/net/{net,tcpsock,unixsock,fd_posix}.go, src/internal/poll/fd_unix.go; Go 1.19 to 1.27.
 */
#ifndef GOSPAN_BPF_NET_CONN_H
#define GOSPAN_BPF_NET_CONN_H

#include "span.bpf.h"

/*
 * What makes a TCP connection one: the sequence numbers at which its two directions began, which
 * each end chose at random and both remember. Addresses may be translated on the way, or be the same
 * in two network namespaces; these are not. Of a unix socket's: the inode number of the client's end,
 * as what that one sends, and 0.
 */
struct net_identity {
	__u32 sent;	/* first sequence number of a byte that this end sends */
	__u32 received; /* and that it receives */
};

/* Of the connection in the interface; non-zero when it is none over TCP or a unix socket. */
int net_identity(const struct go_interface *conn, __u64 bias, bool is_client,
		 struct net_identity *out);

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
