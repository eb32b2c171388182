// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* address: see address.bpf.h. Layouts: src/net/{net,tcpsock,unixsock,fd_unix}.go, Go 1.19 to 1.27 */
#include "address.bpf.h"

enum { TLS_NESTING_MAX = 2 }; /* a server behind a proxy, both by TLS */

GO_TYPE(tcp_addr_type, "*net.TCPAddr");
GO_TYPE(udp_addr_type, "*net.UDPAddr");
GO_TYPE(unix_addr_type, "*net.UnixAddr");
GO_FIELD(tcp_addr_ip, slice, "net.TCPAddr.IP");
GO_FIELD(tcp_addr_port, int, "net.TCPAddr.Port");
GO_FIELD(udp_addr_ip, slice, "net.UDPAddr.IP");
GO_FIELD(udp_addr_port, int, "net.UDPAddr.Port");
GO_FIELD(unix_addr_name, string, "net.UnixAddr.Name");

GO_TYPE(tcp_conn_type, "*net.TCPConn");
GO_TYPE(unix_conn_type, "*net.UnixConn");
GO_FIELD(tcp_conn_fd, pointer, "net.TCPConn.conn.fd");
GO_FIELD(unix_conn_fd, pointer, "net.UnixConn.conn.fd");
GO_FIELD(fd_remote, interface, "net.netFD.raddr");

/* type Conn struct, src/crypto/tls/conn.go */
GO_TYPE(tls_conn_type, "*crypto/tls.Conn");
GO_FIELD(tls_conn_conn, interface, "crypto/tls.Conn.conn");

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

__hidden int address_read(const struct go_interface *addr, __u64 bias, struct ip_address *out)
{
	__u64 type = type_in(addr, bias);
	struct go_string ip;
	__u16 ip_at, port_at;

	__builtin_memset(out, 0, sizeof(*out));
	if (!type || !addr->data)
		return 1;
	if (type == tcp_addr_type) {
		ip_at = tcp_addr_ip;
		port_at = tcp_addr_port;
	} else if (type == udp_addr_type) {
		ip_at = udp_addr_ip;
		port_at = udp_addr_port;
	} else {
		return 1;
	}
	if (ip_at == GO_ABSENT || port_at == GO_ABSENT)
		return 1;
	ip = go_string_at(addr->data + ip_at); /* a slice begins like a string */
	out->port = go_word(addr->data + port_at);
	if (ip.len == 4 && !bpf_probe_read_user(out->ip, 4, (void *)ip.ptr))
		out->len = 4;
	else if (ip.len == 16 && !bpf_probe_read_user(out->ip, 16, (void *)ip.ptr))
		out->len = 16;
	return 0;
}

__hidden int address_path(const struct go_interface *addr, __u64 bias, struct go_string *out)
{
	out->ptr = out->len = 0;
	if (!unix_addr_type || unix_addr_name == GO_ABSENT || type_in(addr, bias) != unix_addr_type)
		return 1;
	*out = go_string_at(addr->data + unix_addr_name);
	return 0;
}

/* The netFD of a connection, through the layers of TLS; 0 when its type is not one of net's. */
static __always_inline __u64 fd_of(struct go_interface conn, __u64 bias)
{
	__u64 type = type_in(&conn, bias);

	for (int i = 0; i < TLS_NESTING_MAX && type && type == tls_conn_type; i++) {
		if (tls_conn_conn == GO_ABSENT)
			return 0;
		conn = interface_at(conn.data + tls_conn_conn);
		type = type_in(&conn, bias);
	}
	if (!type || !conn.data)
		return 0;
	if (type == tcp_conn_type && tcp_conn_fd != GO_ABSENT)
		return go_word(conn.data + tcp_conn_fd);
	if (type == unix_conn_type && unix_conn_fd != GO_ABSENT)
		return go_word(conn.data + unix_conn_fd);
	return 0;
}

__hidden int span_put_peer(struct in_flight *span, const struct go_interface *conn)
{
	__u64 bias = span->record.bias;
	__u64 fd = fd_of(*conn, bias);
	struct ip_address address;
	struct go_interface remote;
	struct go_string path;

	if (!fd || fd_remote == GO_ABSENT)
		return 0;
	remote = interface_at(fd + fd_remote);
	if (!address_read(&remote, bias, &address))
		return span_put_address(span, ATTR_PEER_ADDRESS, &address);
	address_path(&remote, bias, &path);
	return span_put_string(span, ATTR_PEER, path);
}
