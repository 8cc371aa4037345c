/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns UDP on Linux: recvmmsg, sendmmsg, and the addresses in their control messages. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/udp.h"

#define SOCKET_BUFFER	   (4 << 20) /* bytes: some 30 ms at 1 Gbit/s */
#define COMMON_PORT_TRIALS 8

struct udp {
	int fd[UDP_FAMILIES]; /* -1: not available */
	uint16_t port[UDP_FAMILIES];
	struct endpoint at; /* as given to udp_open */
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct slot {
	struct iovec iov;
	union address peer;
	union {
		struct cmsghdr header;
		uint8_t space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
};

struct udp_batch {
	size_t size;
	struct slot *slots;
	struct mmsghdr *msgs;
};

static struct endpoint endpoint_from_v4(struct in_addr ip, uint16_t port)
{
	return endpoint_v4(ntohl(ip.s_addr), port);
}

static struct endpoint endpoint_from_v6(const struct in6_addr *ip, uint16_t port)
{
	struct endpoint e = {.port = port};

	memcpy(e.ip, ip, sizeof(e.ip));
	return e;
}

static struct endpoint endpoint_from_address(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return endpoint_from_v4(a->v4.sin_addr, ntohs(a->v4.sin_port));
	return endpoint_from_v6(&a->v6.sin6_addr, ntohs(a->v6.sin6_port));
}

static void ipv4_of(struct in_addr *ip, const struct endpoint *e)
{
	memcpy(ip, e->ip + 12, sizeof(*ip));
}

static socklen_t address_of(union address *a, enum udp_family family, const struct endpoint *e)
{
	memset(a, 0, sizeof(*a));
	if (family == UDP_V4) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(e->port);
		ipv4_of(&a->v4.sin_addr, e);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(e->port);
	memcpy(&a->v6.sin6_addr, e->ip, sizeof(e->ip));
	return sizeof(a->v6);
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static void grow_buffer(int fd, int forced, int polite)
{
	if (set_option(fd, SOL_SOCKET, forced, SOCKET_BUFFER))
		(void)set_option(fd, SOL_SOCKET, polite, SOCKET_BUFFER);
}

/*
 * PMTUDISC_PROBE sets "don't fragment" and yet ignores the path MTU that the kernel has learnt,
 * possibly from a forged ICMP message.
 */
static int set_options(int fd, enum udp_family family)
{
	grow_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	grow_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (family == UDP_V4)
		return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
		       set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) ||
	       set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
	       set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
}

/*
 * The first socket of a port binds without SO_REUSEPORT, so that a second program cannot take half
 * of the datagrams in silence; it is set afterwards, because the kernel wants it of all sockets of
 * a port when another joins.
 */
static int bind_socket(int fd, enum udp_family family, const struct endpoint *at, bool join)
{
	union address a;
	socklen_t len = address_of(&a, family, at);

	if (join && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return -1;
	if (bind(fd, &a.any, len))
		return -1;
	if (!join && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1))
		return -1;
	return 0;
}

/* Opens one socket; 0 or an errno. */
static int open_family(struct udp *u, enum udp_family family, uint16_t port, bool join)
{
	struct endpoint at = u->at;
	union address a;
	socklen_t len = sizeof(a);
	int fd, error;

	at.port = port;
	fd = socket(family == UDP_V4 ? AF_INET : AF_INET6,
		SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (set_options(fd, family) || bind_socket(fd, family, &at, join) ||
		getsockname(fd, &a.any, &len)) {
		error = errno;
		close(fd);
		return error;
	}
	u->fd[family] = fd;
	u->port[family] = endpoint_from_address(&a).port;
	return 0;
}

static void close_family(struct udp *u, enum udp_family family)
{
	if (u->fd[family] >= 0)
		close(u->fd[family]);
	u->fd[family] = -1;
	u->port[family] = 0;
}

static bool family_missing(int error)
{
	return error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == EADDRNOTAVAIL;
}

/* Both families on one port; one of them alone if the host lacks the other; 0 or an errno. */
static int open_both(struct udp *u, bool any_port_will_do)
{
	uint16_t port = u->at.port;
	int error = open_family(u, UDP_V4, port, false);

	if (error && !family_missing(error))
		return error;
	if (error)
		return open_family(u, UDP_V6, port, false);
	error = open_family(u, UDP_V6, u->port[UDP_V4], false);
	if (error == EADDRINUSE && any_port_will_do)
		error = open_family(u, UDP_V6, 0, false);
	return family_missing(error) ? 0 : error;
}

static int open_all(struct udp *u)
{
	int error = 0;

	if (!endpoint_is_none(&u->at))
		return open_family(u, endpoint_is_v4(&u->at) ? UDP_V4 : UDP_V6, u->at.port, false);
	for (int i = 1; i <= COMMON_PORT_TRIALS; i++) {
		error = open_both(u, u->at.port == 0 && i == COMMON_PORT_TRIALS);
		if (error != EADDRINUSE || u->at.port)
			break;
		close_family(u, UDP_V4);
	}
	return error;
}

static int explain_open(struct os_error *err, int error, const struct endpoint *at)
{
	char ip[ENDPOINT_TEXT_MAX];
	int code = os_errno(error);

	switch (error) {
	case EADDRINUSE:
		return os_error_set(err, code,
			"UDP port %u is in use by another program; stop that one or choose another "
			"port (option -p)",
			at->port);
	case EACCES:
	case EPERM:
		return os_error_set(err, code,
			"not allowed to open UDP port %u; ports below 1024 need root or "
			"CAP_NET_BIND_SERVICE, or choose another port (option -p)",
			at->port);
	case EADDRNOTAVAIL:
		return os_error_set(err, code,
			"cannot open a UDP port at %s: this host has no such address; choose one "
			"that \"ip address\" shows",
			endpoint_format_ip(at, ip));
	default:
		return os_error_set(err, code,
			"cannot open UDP port %u: %s; check the network setup of this host",
			at->port, strerror(error));
	}
}

static struct udp *alloc_udp(const struct endpoint *at)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (u) {
		u->fd[UDP_V4] = u->fd[UDP_V6] = -1;
		u->at = *at;
		if (endpoint_is_none(at)) /* 0.0.0.0 too has to become :: for IPv6 */
			memset(u->at.ip, 0, sizeof(u->at.ip));
	}
	return u;
}

int udp_open(struct udp **out, const struct endpoint *at, struct os_error *err)
{
	struct udp *u = alloc_udp(at);
	int error = u ? open_all(u) : ENOMEM;

	if (error) {
		udp_close(u);
		return explain_open(err, error, at);
	}
	*out = u;
	return 0;
}

int udp_join(struct udp **out, const struct udp *first, struct os_error *err)
{
	struct udp *u = alloc_udp(&first->at);
	int error = u ? 0 : ENOMEM;

	for (int f = UDP_V4; f < UDP_FAMILIES && !error; f++)
		if (first->fd[f] >= 0)
			error = open_family(u, (enum udp_family)f, first->port[f], true);
	if (error) {
		udp_close(u);
		return explain_open(err, error, &first->at);
	}
	*out = u;
	return 0;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	close_family(u, UDP_V4);
	close_family(u, UDP_V6);
	free(u);
}

int udp_fd(const struct udp *u, enum udp_family family)
{
	return u->fd[family];
}

uint16_t udp_port(const struct udp *u, enum udp_family family)
{
	return u->port[family];
}

int udp_batch_create(struct udp_batch **out, size_t size)
{
	struct udp_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return N2N_ENOMEM;
	b->size = size;
	b->slots = calloc(size, sizeof(*b->slots));
	b->msgs = calloc(size, sizeof(*b->msgs));
	if (!b->slots || !b->msgs) {
		udp_batch_destroy(b);
		return N2N_ENOMEM;
	}
	for (size_t i = 0; i < size; i++) {
		b->msgs[i].msg_hdr.msg_name = &b->slots[i].peer;
		b->msgs[i].msg_hdr.msg_iov = &b->slots[i].iov;
		b->msgs[i].msg_hdr.msg_iovlen = 1;
	}
	*out = b;
	return 0;
}

void udp_batch_destroy(struct udp_batch *b)
{
	if (!b)
		return;
	free(b->slots);
	free(b->msgs);
	free(b);
}

static struct endpoint local_address(struct msghdr *m, uint16_t port)
{
	struct endpoint none = {.port = 0};

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return endpoint_from_v4(info.ipi_spec_dst, port);
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return endpoint_from_v6(&info.ipi6_addr, port);
		}
	}
	return none;
}

static void prepare_receive(struct slot *s, struct msghdr *m, const struct udp_packet *p)
{
	s->iov.iov_base = p->data;
	s->iov.iov_len = p->cap;
	m->msg_namelen = sizeof(s->peer);
	m->msg_control = &s->control;
	m->msg_controllen = sizeof(s->control);
	m->msg_flags = 0;
}

int udp_recv(struct udp *u, enum udp_family family, struct udp_batch *b, struct udp_packet *packets,
	size_t n)
{
	int got;

	if (u->fd[family] < 0)
		return 0;
	n = n < b->size ? n : b->size;
	for (size_t i = 0; i < n; i++)
		prepare_receive(&b->slots[i], &b->msgs[i].msg_hdr, &packets[i]);
	got = recvmmsg(u->fd[family], b->msgs, (unsigned)n, MSG_DONTWAIT, NULL);
	/* Anything else is EAGAIN or the echo of an earlier send, which reading has cleared. */
	if (got < 0)
		return errno == EBADF || errno == ENOTSOCK || errno == EFAULT ? N2N_EIO : 0;
	for (int i = 0; i < got; i++) {
		struct msghdr *m = &b->msgs[i].msg_hdr;

		packets[i].len = b->msgs[i].msg_len;
		packets[i].from = endpoint_from_address(&b->slots[i].peer);
		packets[i].local = local_address(m, u->port[family]);
		packets[i].truncated = (m->msg_flags & MSG_TRUNC) != 0;
	}
	return got;
}

static enum udp_family family_of(const struct endpoint *e)
{
	return endpoint_is_v4(e) ? UDP_V4 : UDP_V6;
}

static void put_control(
	struct slot *s, struct msghdr *m, int level, int type, const void *info, size_t len)
{
	struct cmsghdr *c = &s->control.header;

	memset(&s->control, 0, sizeof(s->control));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), info, len);
	m->msg_control = c;
	m->msg_controllen = CMSG_SPACE(len);
}

static void put_source(struct slot *s, struct msghdr *m, const struct udp_packet_out *p)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	m->msg_control = NULL;
	m->msg_controllen = 0;
	if (endpoint_is_none(&p->local) || family_of(&p->local) != family_of(&p->to))
		return;
	if (endpoint_is_v4(&p->local)) {
		ipv4_of(&v4.ipi_spec_dst, &p->local);
		put_control(s, m, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipi6_addr, p->local.ip, sizeof(p->local.ip));
		put_control(s, m, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	}
}

static void prepare_send(struct slot *s, struct msghdr *m, const struct udp_packet_out *p)
{
	union {
		const uint8_t *in;
		void *out;
	} unconst = {.in = p->data}; /* iovec serves both directions */

	s->iov.iov_base = unconst.out;
	s->iov.iov_len = p->len;
	m->msg_namelen = address_of(&s->peer, family_of(&p->to), &p->to);
	put_source(s, m, p);
}

static bool source_refused(int error)
{
	return error == EINVAL || error == ENETUNREACH || error == EADDRNOTAVAIL || error == ENODEV;
}

/* Sends the n messages prepared in b and returns how many, from the first, are done with. */
static size_t send_prepared(int fd, struct udp_batch *b, size_t n, struct udp_sent *count)
{
	size_t done = 0;

	while (done < n) {
		struct msghdr *next = &b->msgs[done].msg_hdr;
		int sent = sendmmsg(fd, &b->msgs[done], (unsigned)(n - done), MSG_DONTWAIT);

		if (sent > 0) {
			done += (size_t)sent;
			count->sent += (uint64_t)sent;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			break;
		} else if (source_refused(errno) && next->msg_control) {
			next->msg_control = NULL;
			next->msg_controllen = 0;
		} else if (errno != EINTR) {
			*(errno == EMSGSIZE ? &count->too_large : &count->refused) += 1;
			done++;
		}
	}
	return done;
}

size_t udp_send(struct udp *u, struct udp_batch *b, const struct udp_packet_out *packets, size_t n,
	struct udp_sent *count)
{
	size_t done = 0;

	while (done < n) {
		const struct udp_packet_out *run = packets + done;
		enum udp_family family = family_of(&run->to);
		size_t len = 0, sent = 0;

		while (len < n - done && len < b->size && family_of(&run[len].to) == family) {
			prepare_send(&b->slots[len], &b->msgs[len].msg_hdr, &run[len]);
			len++;
		}
		if (u->fd[family] >= 0) {
			sent = send_prepared(u->fd[family], b, len, count);
		} else {
			count->refused += len;
			sent = len;
		}
		done += sent;
		if (sent < len)
			break;
	}
	return done;
}
