/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the datagrams on Linux: recvmmsg, sendmmsg, trains, and what control messages say of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "os/linux/udp_inside.h"

#define DATAGRAM_COST 1024 /* bytes of the socket's buffer, beside its own */

/* The largest source address and the segment size of a train. */
#define CONTROL_SPACE (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)))

struct slot {
	size_t packets; /* that the message sends */
	union address peer;
	union {
		struct cmsghdr header;
		uint8_t space[CONTROL_SPACE];
	} control;
};

struct udp_batch {
	size_t size;
	struct slot *slots;
	struct mmsghdr *msgs;
	struct iovec *iov; /* one per datagram */
	int error;	   /* that ended the last sending: EAGAIN, or why a train was refused */
	bool leaves_room;
	bool any_source;	      /* of what is sent just now: the kernel chooses */
	size_t unasked[UDP_FAMILIES]; /* sent since the socket's buffer was looked at */
};

int udp_batch_create(struct udp_batch **out, size_t size)
{
	struct udp_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return N2N_ENOMEM;
	b->size = size;
	b->slots = calloc(size, sizeof(*b->slots));
	b->msgs = calloc(size, sizeof(*b->msgs));
	b->iov = calloc(size, sizeof(*b->iov));
	if (b->slots == NULL || b->msgs == NULL || b->iov == NULL) {
		udp_batch_destroy(b);
		return N2N_ENOMEM;
	}
	for (size_t i = 0; i < size; i++) {
		b->msgs[i].msg_hdr.msg_name = &b->slots[i].peer;
		b->msgs[i].msg_hdr.msg_control = &b->slots[i].control;
	}
	*out = b;
	return 0;
}

void udp_batch_destroy(struct udp_batch *b)
{
	if (b == NULL)
		return;
	free(b->slots);
	free(b->msgs);
	free(b->iov);
	free(b);
}

void udp_batch_leave_room(struct udp_batch *b)
{
	b->leaves_room = true;
}

/* ---- receiving ---- */

static void prepare_receive(struct udp_batch *b, size_t i, const struct udp_packet *p)
{
	struct msghdr *m = &b->msgs[i].msg_hdr;

	b->iov[i].iov_base = p->data;
	b->iov[i].iov_len = p->cap;
	m->msg_iov = &b->iov[i];
	m->msg_iovlen = 1;
	m->msg_namelen = sizeof(b->slots[i].peer);
	m->msg_controllen = sizeof(b->slots[i].control);
}

/* Takes the address it was sent to and the segment size from the control messages. */
static void take_control(struct msghdr *m, struct udp_packet *p, uint16_t port)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			p->local = endpoint_v4(ntohl(info.ipi_spec_dst.s_addr), port);
			p->link = (unsigned)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(p->local.ip, &info.ipi6_addr, sizeof(p->local.ip));
			p->local.port = port;
			p->link = info.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int size;

			memcpy(&size, CMSG_DATA(c), sizeof(size));
			if (size > 0 && (size_t)size < p->len)
				p->segment_size = (size_t)size;
		}
	}
}

static void take_packet(struct udp_batch *b, size_t i, struct udp_packet *p, uint16_t port)
{
	struct msghdr *m = &b->msgs[i].msg_hdr;

	p->len = p->segment_size = b->msgs[i].msg_len;
	p->from = address_get(&b->slots[i].peer);
	p->local = (struct endpoint){.port = 0};
	p->link = 0;
	p->truncated = (m->msg_flags & MSG_TRUNC) != 0;
	take_control(m, p, port);
}

int udp_recv(struct udp *u, enum udp_family family, struct udp_batch *b, struct udp_packet *packets,
	size_t n)
{
	int got;

	if (u->fd[family] < 0)
		return 0;
	n = n < b->size ? n : b->size;
	for (size_t i = 0; i < n; i++)
		prepare_receive(b, i, &packets[i]);
	got = recvmmsg(u->fd[family], b->msgs, (unsigned)n, MSG_DONTWAIT, NULL);
	/* Anything else is EAGAIN or the echo of an earlier send, which reading has cleared. */
	if (got < 0)
		return errno == EBADF || errno == ENOTSOCK || errno == EFAULT ? N2N_EIO : 0;
	for (int i = 0; i < got; i++)
		take_packet(b, (size_t)i, &packets[i], u->port[family]);
	return got;
}

/* ---- sending ---- */

static enum udp_family family_of(const struct endpoint *e)
{
	return endpoint_is_v4(e) ? UDP_V4 : UDP_V6;
}

static bool same_way(const struct udp_packet_out *a, const struct udp_packet_out *b)
{
	return a->to.port == b->to.port && memcmp(a->to.ip, b->to.ip, sizeof(a->to.ip)) == 0 &&
	       memcmp(a->local.ip, b->local.ip, sizeof(a->local.ip)) == 0;
}

/* How many of n packets leave together with the first; n > 0. */
static size_t train_length(const struct udp_packet_out *p, size_t n)
{
	size_t total = p->len, i = 1;

	if (n > UDP_TRAIN_SEGMENTS)
		n = UDP_TRAIN_SEGMENTS;
	/* An empty datagram can be no part of a train: it would vanish. */
	while (i < n && p[i - 1].len == p->len && p[i].len <= p->len && p[i].len > 0 &&
		total + p[i].len <= UDP_TRAIN_SEND_MAX && same_way(p, &p[i]))
		total += p[i++].len;
	return i;
}

static void put_control(struct msghdr *m, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (void *)((uint8_t *)m->msg_control + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *m, enum udp_family family, const struct endpoint *local)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	if (endpoint_is_none(local) || family_of(local) != family)
		return;
	if (family == UDP_V4) {
		memcpy(&v4.ipi_spec_dst, local->ip + 12, sizeof(v4.ipi_spec_dst));
		put_control(m, IPPROTO_IP, IP_PKTINFO, &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipi6_addr, local->ip, sizeof(local->ip));
		put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	}
}

/* The control messages of s without the source address, which comes last. */
static size_t control_without_source(const struct slot *s)
{
	return s->packets > 1 ? CMSG_SPACE(sizeof(uint16_t)) : 0;
}

/* Points m to the bytes of n packets, in iov, which has room for n. */
static void gather(
	struct msghdr *m, struct iovec *iov, const struct udp_packet_out *packets, size_t n)
{
	size_t used = 0;

	for (const struct udp_packet_out *p = packets; p < packets + n; p++) {
		union {
			const uint8_t *in;
			void *out;
		} unconst = {.in = p->data}; /* iovec serves both directions */

		if (used != 0 &&
			(uint8_t *)iov[used - 1].iov_base + iov[used - 1].iov_len == p->data)
			iov[used - 1].iov_len += p->len;
		else
			iov[used++] = (struct iovec){unconst.out, p->len};
	}
	m->msg_iov = iov;
	m->msg_iovlen = used;
}

static void prepare_message(struct slot *s, struct msghdr *m, enum udp_family family,
	const struct udp_packet_out *first, bool any_source)
{
	uint16_t segment_size = (uint16_t)first->len;

	m->msg_namelen = address_put(&s->peer, family, &first->to);
	m->msg_controllen = 0;
	if (s->packets > 1)
		put_control(m, IPPROTO_UDP, UDP_SEGMENT, &segment_size, sizeof(segment_size));
	if (!any_source)
		put_source(m, family, &first->local);
}

/* Turns the packets up to the first of the other family into messages; returns their number. */
static size_t prepare_send(struct udp_batch *b, enum udp_family family, bool gso,
	const struct udp_packet_out *packets, size_t n)
{
	size_t msgs = 0;

	for (size_t i = 0; i < n && family_of(&packets[i].to) == family; msgs++) {
		const struct udp_packet_out *first = packets + i;
		struct slot *s = &b->slots[msgs];
		struct msghdr *m = &b->msgs[msgs].msg_hdr;

		s->packets = gso ? train_length(first, n - i) : 1;
		prepare_message(s, m, family, first, b->any_source);
		gather(m, &b->iov[i], first, s->packets);
		i += s->packets;
	}
	return msgs;
}

static bool source_refused(int error)
{
	return error == EINVAL || error == ENETUNREACH || error == EADDRNOTAVAIL || error == ENODEV;
}

/*
 * What may be the fault of the train: a segment above the limit of the interface (EINVAL in older
 * kernels), or a way out that cannot do it (EIO).
 */
static bool train_refused(int error)
{
	return error == EMSGSIZE || error == EINVAL || error == EIO;
}

/*
 * A single datagram is too large for its way: how many messages from it on are, being as long as it
 * and going the same way.
 */
static size_t as_large(const struct udp_batch *b, size_t msg, size_t n)
{
	const struct msghdr *first = &b->msgs[msg].msg_hdr;
	size_t i = msg + 1;

	while (i < n && b->slots[i].packets == 1 &&
		b->msgs[i].msg_hdr.msg_iov->iov_len == first->msg_iov->iov_len &&
		b->msgs[i].msg_hdr.msg_namelen == first->msg_namelen &&
		memcmp(&b->slots[i].peer, &b->slots[msg].peer, first->msg_namelen) == 0)
		i++;
	return i - msg;
}

/* Sends n prepared messages and returns how many packets, from the first, are done with. */
static size_t send_prepared(int fd, struct udp_batch *b, size_t n, struct udp_sent *count)
{
	size_t msg = 0, done = 0;

	b->error = 0;
	while (msg < n && b->error == 0) {
		struct slot *next = &b->slots[msg];
		struct msghdr *m = &b->msgs[msg].msg_hdr;
		int sent = sendmmsg(fd, &b->msgs[msg], (unsigned)(n - msg), MSG_DONTWAIT);

		if (sent > 0) {
			size_t before = done;

			for (; sent > 0; sent--)
				done += b->slots[msg++].packets;
			count->sent += done - before;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			b->error = EAGAIN;
		} else if (source_refused(errno) &&
			   m->msg_controllen > control_without_source(next)) {
			m->msg_controllen = control_without_source(next);
		} else if (next->packets > 1 && train_refused(errno)) {
			b->error = errno;
		} else if (errno == EMSGSIZE) {
			size_t alike = as_large(b, msg, n);

			count->too_large += alike;
			done += alike;
			msg += alike;
		} else if (errno != EINTR) {
			count->refused += next->packets;
			done += next->packets;
			msg++;
		}
	}
	return done;
}

/*
 * Asks how full the socket's buffer is, but not before an eighth of it may have been filled: what a
 * datagram costs the kernel beside its bytes is guessed on the safe side.
 */
static bool has_room(
	const struct udp *u, struct udp_batch *b, enum udp_family family, size_t n, size_t len)
{
	size_t size = u->send_buffer[family];
	int queued;

	b->unasked[family] += n * (len + DATAGRAM_COST);
	if (b->unasked[family] < size / 8)
		return true;
	if (ioctl(u->fd[family], SIOCOUTQ, &queued) != 0 || (size_t)queued < size / 4 * 3) {
		b->unasked[family] = 0;
		return true;
	}
	return false;
}

/*
 * Sends some of the packets, up to the first of the other family at most. Returns how many are done
 * with; b->error tells what ended it before its time.
 */
static size_t send_run(struct udp *u, struct udp_batch *b, bool gso,
	const struct udp_packet_out *packets, size_t n, struct udp_sent *count)
{
	enum udp_family family = family_of(&packets->to);

	if (u->fd[family] < 0) {
		count->refused++;
		return 1;
	}
	n = n < b->size ? n : b->size;
	if (b->leaves_room && !has_room(u, b, family, n, packets->len)) {
		b->error = EAGAIN;
		return 0;
	}
	/* The kernel keeps IPv6 to an interface only while it may choose the source. */
	b->any_source =
		family == UDP_V6 && atomic_load_explicit(&u->by_device, memory_order_relaxed);
	n = prepare_send(b, family, gso, packets, n);
	return send_prepared(u->fd[family], b, n, count);
}

/* Sends the datagrams of a refused train, the first of n packets, by themselves. */
static size_t send_apart(struct udp *u, struct udp_batch *b, const struct udp_packet_out *packets,
	size_t n, struct udp_sent *count)
{
	int refusal = b->error;
	uint64_t sent_before = count->sent;
	size_t train = train_length(packets, n < b->size ? n : b->size);
	size_t done = send_run(u, b, false, packets, train, count);

	/* Otherwise a segment was too large for its way, and the next train may be all right. */
	if (refusal == EIO || (refusal == EINVAL && count->sent - sent_before == train))
		atomic_fetch_and(&u->uses, ~(unsigned)FEATURE_GSO);
	return done;
}

size_t udp_send(struct udp *u, struct udp_batch *b, const struct udp_packet_out *packets, size_t n,
	struct udp_sent *count)
{
	size_t done = 0;

	b->error = 0;
	while (done < n && b->error != EAGAIN) {
		bool gso = udp_uses(u) & FEATURE_GSO;

		if (b->error != 0)
			done += send_apart(u, b, packets + done, n - done, count);
		else
			done += send_run(u, b, gso, packets + done, n - done, count);
	}
	return done;
}
