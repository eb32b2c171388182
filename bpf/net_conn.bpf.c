// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* net_conn: see net_conn.bpf.h. */
#include "net_conn.bpf.h"

enum { LAYERS_MAX = 2 }; /* a server behind a proxy, both by TLS */

GO_TYPE(tls_conn, "*crypto/tls.Conn");
GO_FIELD(tls_conn_conn, interface, "crypto/tls.Conn.conn");
/* HTTP/2 without TLS: what was read ahead of it; http2/h2c/h2c.go, rwConn before v0.1 */
GO_TYPE(h2c_conn, "*golang.org/x/net/http2/h2c.bufConn");
GO_FIELD(h2c_conn_conn, interface, "golang.org/x/net/http2/h2c.bufConn.Conn");
GO_TYPE(h2c_rw_conn, "*golang.org/x/net/http2/h2c.rwConn");
GO_FIELD(h2c_rw_conn_conn, interface, "golang.org/x/net/http2/h2c.rwConn.Conn");
GO_TYPE(net_tcp_conn, "*net.TCPConn");
GO_FIELD(net_tcp_conn_fd, pointer, "net.TCPConn.conn.fd");
GO_TYPE(net_unix_conn, "*net.UnixConn");
GO_FIELD(net_unix_conn_fd, pointer, "net.UnixConn.conn.fd");
GO_FIELD(net_fd_laddr, interface, "net.netFD.laddr");
GO_FIELD(net_fd_raddr, interface, "net.netFD.raddr");

GO_TYPE(net_tcp_addr, "*net.TCPAddr");
GO_FIELD(net_tcp_addr_ip, slice, "net.TCPAddr.IP");
GO_FIELD(net_tcp_addr_port, int, "net.TCPAddr.Port");
GO_TYPE(net_udp_addr, "*net.UDPAddr");
GO_FIELD(net_udp_addr_ip, slice, "net.UDPAddr.IP");
GO_FIELD(net_udp_addr_port, int, "net.UDPAddr.Port");
GO_TYPE(net_unix_addr, "*net.UnixAddr");
GO_FIELD(net_unix_addr_name, string, "net.UnixAddr.Name");

static __always_inline struct go_interface interface_at(__u64 addr)
{
	struct go_interface i = {};

	if (addr)
		bpf_probe_read_user(&i, sizeof(i), (void *)addr);
	return i;
}

/* Link-time address of the type in an interface with methods, 0 when it is nil. */
static __always_inline __u64 type_in(const struct go_interface *i, __u64 bias)
{
	return i->tab ? go_word(i->tab + 8) - bias : 0;
}

static __always_inline int read_address(__u64 addr, __u16 ip_at, __u16 port_at,
					struct ip_address *out)
{
	struct go_string ip;

	if (!addr || ip_at == GO_ABSENT || port_at == GO_ABSENT)
		return 1;
	ip = go_string_at(addr + ip_at); /* a slice begins like a string */
	out->port = go_word(addr + port_at);
	if (ip.len == 4 && !bpf_probe_read_user(out->ip, 4, (void *)ip.ptr))
		out->len = 4;
	else if (ip.len == 16 && !bpf_probe_read_user(out->ip, 16, (void *)ip.ptr))
		out->len = 16;
	return 0;
}

__weak int net_address(const struct go_interface *addr, __u64 bias, struct ip_address *out)
{
	__u64 type;

	if (!addr || !out)
		return 1;
	type = type_in(addr, bias);
	__builtin_memset(out, 0, sizeof(*out));
	if (type && type == net_tcp_addr)
		return read_address(addr->data, net_tcp_addr_ip, net_tcp_addr_port, out);
	if (type && type == net_udp_addr)
		return read_address(addr->data, net_udp_addr_ip, net_udp_addr_port, out);
	return 1;
}

__weak int net_path(const struct go_interface *addr, __u64 bias, struct go_string *out)
{
	if (!addr || !out)
		return 1;
	out->ptr = out->len = 0;
	if (!net_unix_addr || net_unix_addr_name == GO_ABSENT ||
	    type_in(addr, bias) != net_unix_addr)
		return 1;
	*out = go_string_at(addr->data + net_unix_addr_name);
	return 0;
}

/* Where a connection of that type holds the one below it. */
static __always_inline __u16 layer_of(__u64 type)
{
	if (!type)
		return GO_ABSENT;
	if (type == tls_conn)
		return tls_conn_conn;
	if (type == h2c_conn)
		return h2c_conn_conn;
	return type == h2c_rw_conn ? h2c_rw_conn_conn : GO_ABSENT;
}

/* The netFD of a connection, through layers that we know; 0 when its type is not one of net's. */
static __noinline __u64 fd_of(const struct go_interface *conn, __u64 bias)
{
	struct go_interface at = *conn;
	__u64 type = type_in(&at, bias);

	for (int i = 0; i < LAYERS_MAX; i++) {
		__u16 below = layer_of(type);

		if (below == GO_ABSENT)
			break;
		at = interface_at(at.data + below);
		type = type_in(&at, bias);
	}
	if (!type || !at.data)
		return 0;
	if (type == net_tcp_conn && net_tcp_conn_fd != GO_ABSENT)
		return go_word(at.data + net_tcp_conn_fd);
	if (type == net_unix_conn && net_unix_conn_fd != GO_ABSENT)
		return go_word(at.data + net_unix_conn_fd);
	return 0;
}

static __noinline int read_end(__u64 addr, __u64 bias, struct net_end *out)
{
	struct go_interface at = interface_at(addr);
	struct ip_address address = {};

	if (net_address(&at, bias, &address) || !address.len)
		return 1;
	out->port = address.port;
	if (address.len == sizeof(out->ip)) {
		__builtin_memcpy(out->ip, address.ip, sizeof(out->ip));
		return 0;
	}
	__builtin_memset(out->ip, 0, 10);
	out->ip[10] = out->ip[11] = 0xff;
	__builtin_memcpy(out->ip + 12, address.ip, 4);
	return 0;
}

__weak int net_ends_of(const struct go_interface *conn, __u64 bias, struct net_ends *out)
{
	__u64 fd;

	if (!conn || !out)
		return 1;
	fd = fd_of(conn, bias);
	if (!fd || net_fd_laddr == GO_ABSENT || net_fd_raddr == GO_ABSENT)
		return 1;
	return read_end(fd + net_fd_laddr, bias, &out->local) ||
	       read_end(fd + net_fd_raddr, bias, &out->remote);
}

__weak int span_put_peer(struct in_flight *span, const struct go_interface *conn)
{
	__u64 bias;
	__u64 fd;
	struct go_interface remote;
	struct ip_address address = {};
	struct go_string path = {};

	if (!span || !conn)
		return 0;
	bias = span->record.bias;
	fd = fd_of(conn, bias);
	if (!fd || net_fd_raddr == GO_ABSENT)
		return 0;
	remote = interface_at(fd + net_fd_raddr);
	if (!net_address(&remote, bias, &address))
		return span_put_address(span, ATTR_PEER_ADDRESS, &address);
	net_path(&remote, bias, &path);
	return span_put_string(span, ATTR_PEER, path);
}
