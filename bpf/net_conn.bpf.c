// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* net_conn: see net_conn.bpf.h. */
#include "net_conn.bpf.h"

enum { WRAPPERS_MAX = 4 }; /* a server behind a proxy, both by TLS, each TLS in a type of its own */
enum { AF_UNIX = 1, IPPROTO_TCP = 6, IDENTITY_TRIES = 4, IDENTITY_SURE = 3 };

GO_HELD(tls_conn, "net.Conn", "*crypto/tls.Conn");
GO_FIELD(tls_conn_conn, interface, "crypto/tls.Conn.conn");

GO_HELD(net_tcp_conn, "net.Conn", "*net.TCPConn");
GO_FIELD(net_tcp_conn_fd, pointer, "net.TCPConn.conn.fd");
GO_TYPE(net_unix_conn_type, "*net.UnixConn");
GO_FIELD(net_unix_conn_fd, pointer, "net.UnixConn.conn.fd");
GO_FIELD(net_fd_sysfd, int, "net.netFD.pfd.Sysfd");
GO_FIELD(net_fd_state, int, "net.netFD.pfd.fdmu.state");
GO_FIELD(net_fd_raddr, interface, "net.netFD.raddr");

GO_TYPE(net_tcp_addr, "*net.TCPAddr");
GO_FIELD(net_tcp_addr_ip, slice, "net.TCPAddr.IP");
GO_FIELD(net_tcp_addr_port, int, "net.TCPAddr.Port");
GO_TYPE(net_udp_addr, "*net.UDPAddr");
GO_FIELD(net_udp_addr_ip, slice, "net.UDPAddr.IP");
GO_FIELD(net_udp_addr_port, int, "net.UDPAddr.Port");
GO_TYPE(net_unix_addr, "*net.UnixAddr");
GO_FIELD(net_unix_addr_name, string, "net.UnixAddr.Name");

/* mutexClosed in src/internal/poll/fd_mutex.go: set before the number is given back to the kernel */
enum { FD_CLOSED = 1 << 0 };

/* What is in the file table: the number of its inode, which no other socket has had. */
struct socket_key {
	__u64 sk;
	__u64 inode;
};

struct beginning {
	__u64 inode; /* as in the key: an LRU gives a value to another key without waiting for readers */
	struct net_identity ends; /* as beginning_of() */
	__u32 same;		  /* readings that agree with it */
	__u32 pad;		  /* 5.15 wants every byte set that goes into a map */
};

/* An LRU: a socket that was closed does no harm. */
struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 8192);
	__type(key, struct socket_key);
	__type(value, struct beginning);
} beginnings SEC(".maps");

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

/* type_in() of a net.Conn, without a look at the itabs that the linker made. */
static __always_inline __u64 type_of_conn(const struct go_interface *conn, __u64 bias)
{
	__u64 itab = conn->tab - bias;

	if (!conn->tab)
		return 0;
	if (itab == net_tcp_conn_itab)
		return net_tcp_conn_type;
	if (itab == tls_conn_itab)
		return tls_conn_type;
	return type_in(conn, bias);
}

static __always_inline bool is_of_net(__u64 type)
{
	return type == net_tcp_conn_type || type == net_unix_conn_type;
}

/*
 * The netFD of a connection, through what wraps it; 0 when its type is not one of net's. A wrapper has
 * what it wraps as its first field, an embedded net.Conn: those of grpc, x/net's h2c and netutil, cmux,
 * and programs' own. Should it be anything else, no type of net's comes out of it.
 */
static __noinline __u64 fd_of(const struct go_interface *conn, __u64 bias)
{
	struct go_interface at = *conn;
	__u64 type = type_of_conn(&at, bias);

	for (int i = 0; i < WRAPPERS_MAX && type && !is_of_net(type); i++) {
		__u16 inner = type == tls_conn_type && tls_conn_conn != GO_ABSENT ? tls_conn_conn : 0;

		at = interface_at(at.data + inner);
		type = type_of_conn(&at, bias);
	}
	if (!type || !at.data)
		return 0;
	if (type == net_tcp_conn_type && net_tcp_conn_fd != GO_ABSENT)
		return go_word(at.data + net_tcp_conn_fd);
	if (type == net_unix_conn_type && net_unix_conn_fd != GO_ABSENT)
		return go_word(at.data + net_unix_conn_fd);
	return 0;
}

/* The socket that this process has as FD. Non-zero when it has none. */
static __always_inline int socket_of(__u32 fd, struct socket_key *out)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;
	struct socket *socket;

	if (fd >= BPF_CORE_READ(table, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), &files[fd]) || !file)
		return 1;
	socket = BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file) /* not a socket */
		return 1;
	out->sk = (__u64)BPF_CORE_READ(socket, sk);
	out->inode = BPF_CORE_READ(file, f_inode, i_ino);
	return !out->sk;
}

/*
 * Where its two directions began: what they have come to less the bytes that led there; but the kernel
 * counts the SYN's sequence number as acknowledged where it was sent by connect(), and at no other
 * place: tcp_snd_una_update() and tcp_rcv_nxt_update() in net/ipv4/tcp_input.c.
 */
static __always_inline struct net_identity beginning_of(const struct tcp_sock *socket)
{
	struct net_identity out = {};

	out.sent = BPF_CORE_READ(socket, snd_una) - (__u32)BPF_CORE_READ(socket, bytes_acked);
	out.received = BPF_CORE_READ(socket, rcv_nxt) - (__u32)BPF_CORE_READ(socket, bytes_received);
	return out;
}

static __always_inline bool is_same(const struct net_identity *a, const struct net_identity *b)
{
	return a->sent == b->sent && a->received == b->received;
}

/* The socket's lock is not ours, so that of two numbers only one may have moved: what is true stays. */
static __noinline int read_tcp(const struct tcp_sock *sk, struct net_identity *out)
{
	struct net_identity before = beginning_of(sk);

	for (int i = 0; i < IDENTITY_TRIES; i++) {
		*out = beginning_of(sk);
		if (is_same(out, &before))
			return 0;
		before = *out;
	}
	return 1;
}

/*
 * If who writes the two numbers is preempted in between, what is not true stays as well, for a moment, and
 * no other end has that: so what a connection's first calls agree about is kept for the later ones.
 */
static __always_inline int find_tcp(struct socket_key *key, struct net_identity *out)
{
	struct beginning *known = bpf_map_lookup_elem(&beginnings, key);
	struct beginning now = {.inode = key->inode};

	if (known && known->same >= IDENTITY_SURE) {
		*out = known->ends;
		return known->inode != key->inode;
	}
	if (read_tcp((void *)key->sk, &now.ends))
		return 1;
	*out = now.ends;
	if (known && is_same(&known->ends, &now.ends))
		known->same++;
	else
		bpf_map_update_elem(&beginnings, key, &now, BPF_ANY);
	return 0;
}

/*
 * Both ends know the client's one as long as it is open: a server's peer is that. Inode numbers are
 * given in turn (get_next_ino() in sock_alloc(), net/socket.c), addresses of sockets again and again.
 */
static __noinline int read_unix(const struct sock *sk, bool is_client, struct net_identity *out)
{
	const struct sock *client = sk;
	__u32 inode;

	/* AF_UNIX may be a module, whose types are not among the kernel's own */
	if (!bpf_core_field_exists(struct unix_sock, peer))
		return 1;
	if (!is_client)
		client = BPF_CORE_READ((const struct unix_sock *)sk, peer);
	if (!client)
		return 1;
	inode = BPF_CORE_READ(client, sk_socket, file, f_inode, i_ino);
	out->sent = is_client ? inode : 0;
	out->received = is_client ? 0 : inode;
	return !inode;
}

__weak int net_identity(const struct go_interface *conn, __u64 bias, bool is_client,
			struct net_identity *out)
{
	struct socket_key key = {};
	struct sock *sk;
	__u64 fd;
	int err;

	if (!conn || !out || net_fd_sysfd == GO_ABSENT)
		return 1;
	fd = fd_of(conn, bias);
	if (!fd || socket_of(go_word(fd + net_fd_sysfd), &key))
		return 1;
	sk = (void *)key.sk;
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP) {
		err = find_tcp(&key, out);
		out->sent += is_client; /* the SYN's */
	} else if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX) {
		err = read_unix(sk, is_client, out);
	} else {
		return 1;
	}
	/* closed meanwhile: the number may be another connection's by now */
	return err || (net_fd_state != GO_ABSENT && go_word(fd + net_fd_state) & FD_CLOSED);
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
