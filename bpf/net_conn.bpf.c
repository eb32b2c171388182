// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* net_conn: see net_conn.bpf.h. */
#include "net_conn.bpf.h"

GO_TYPE(net_tcp_conn, "*net.TCPConn");
GO_TYPE(tls_conn, "*crypto/tls.Conn");
GO_TYPE(net_tcp_addr, "*net.TCPAddr");
GO_FIELD(tls_conn_conn, interface, "crypto/tls.Conn.conn");
GO_FIELD(net_conn_fd, pointer, "net.TCPConn.conn.fd");
GO_FIELD(net_fd_laddr, interface, "net.netFD.laddr");
GO_FIELD(net_fd_raddr, interface, "net.netFD.raddr");
GO_FIELD(net_tcp_addr_ip, slice, "net.TCPAddr.IP");
GO_FIELD(net_tcp_addr_port, int, "net.TCPAddr.Port");

static __always_inline struct go_interface interface_at(__u64 addr)
{
	struct go_interface i = {};

	bpf_probe_read_user(&i, sizeof(i), (void *)addr);
	return i;
}

static __noinline int read_end(__u64 addr, __u64 bias, struct net_end *out)
{
	struct go_interface at = interface_at(addr);
	struct go_string ip;

	if (!go_itab_is(at.tab, net_tcp_addr, bias))
		return 1;
	ip = go_string_at(at.data + net_tcp_addr_ip);
	out->port = go_word(at.data + net_tcp_addr_port);
	if (ip.len == 4) {
		__builtin_memset(out->ip, 0, 10);
		out->ip[10] = out->ip[11] = 0xff;
		return bpf_probe_read_user(out->ip + 12, 4, (void *)ip.ptr);
	}
	return ip.len != 16 || bpf_probe_read_user(out->ip, 16, (void *)ip.ptr);
}

__hidden int net_ends_of(const struct go_interface *conn, __u64 bias, struct net_ends *out)
{
	struct go_interface at = *conn;
	__u64 fd;

	if (net_conn_fd == GO_ABSENT || net_fd_laddr == GO_ABSENT || net_fd_raddr == GO_ABSENT ||
	    net_tcp_addr_ip == GO_ABSENT || net_tcp_addr_port == GO_ABSENT)
		return 1;
	if (tls_conn_conn != GO_ABSENT && go_itab_is(at.tab, tls_conn, bias))
		at = interface_at(at.data + tls_conn_conn);
	if (!go_itab_is(at.tab, net_tcp_conn, bias))
		return 1;
	fd = go_word(at.data + net_conn_fd);
	return !fd || read_end(fd + net_fd_laddr, bias, &out->local) ||
	       read_end(fd + net_fd_raddr, bias, &out->remote);
}
