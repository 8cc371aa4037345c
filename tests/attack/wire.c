/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Time and pace, raw datagrams with any source, and counting what comes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "attacker.h"
#include "base/bytes.h"

#define CATCH_UP_NS  (NS_PER_S / 20)
#define SETTLE_NS    (NS_PER_S / 2)
#define RECEIVE_ROOM (32 << 20)

_Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t today_ms(void)
{
	return clock_ns(CLOCK_REALTIME) / 1000000;
}

void sleep_us(unsigned us)
{
	usleep(us);
}

/* ---- pace ---- */

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

void stop_in_order(void)
{
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
}

void pace_init(struct pace *p, unsigned rate, double seconds)
{
	p->start_ns = now_ns();
	p->end_ns = p->start_ns + (uint64_t)(seconds * (double)NS_PER_S);
	p->done = 0;
	p->rate = rate;
}

bool pace_over(const struct pace *p)
{
	return stopped || now_ns() >= p->end_ns;
}

unsigned pace_ready(struct pace *p)
{
	uint64_t most = (uint64_t)p->rate * CATCH_UP_NS / NS_PER_S + 1;
	uint64_t due = (now_ns() - p->start_ns) * p->rate / NS_PER_S + 1;
	unsigned n;

	/* The rate may have changed. */
	if (due > p->done + most)
		p->done = due - most;
	if (due <= p->done)
		return 0;
	n = (unsigned)(due - p->done);
	p->done = due;
	return n;
}

unsigned pace_due(struct pace *p)
{
	while (!pace_over(p)) {
		unsigned n = pace_ready(p);

		if (n > 0)
			return n;
		sleep_us(1000);
	}
	return 0;
}

/* ---- raw datagrams ---- */

void wire_init(struct wire *w, const struct sockaddr_in *to)
{
	const int room = 4 << 20;

	memset(w, 0, sizeof(*w));
	w->fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (w->fd < 0)
		give_up("raw socket");
	setsockopt(w->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	w->to = *to;
}

void wire_turn(struct wire *w, const struct sockaddr_in *to)
{
	wire_flush(w);
	w->to = *to;
}

uint8_t *wire_room(struct wire *w)
{
	return w->packet[w->n] + WIRE_HEADERS;
}

/* The kernel fills in lengths, identification and checksum of IP; UDP needs no checksum. */
void wire_send(struct wire *w, uint32_t source, uint16_t port, size_t len)
{
	uint8_t *p = w->packet[w->n];

	memset(p, 0, WIRE_HEADERS);
	p[0] = 0x45;
	store_be16(p + 2, (uint16_t)(WIRE_HEADERS + len));
	p[8] = 64;
	p[9] = IPPROTO_UDP;
	store_be32(p + 12, source);
	store_be32(p + 16, ntohl(w->to.sin_addr.s_addr));
	store_be16(p + 20, port);
	store_be16(p + 22, ntohs(w->to.sin_port));
	store_be16(p + 24, (uint16_t)(8 + len));
	w->len[w->n++] = WIRE_HEADERS + len;
	w->bytes += len;
	if (w->n == WIRE_BATCH)
		wire_flush(w);
}

void wire_flush(struct wire *w)
{
	struct mmsghdr msgs[WIRE_BATCH];
	struct iovec iov[WIRE_BATCH];
	unsigned done = 0;

	memset(msgs, 0, sizeof(msgs));
	for (unsigned i = 0; i < w->n; i++) {
		iov[i] = (struct iovec){w->packet[i], w->len[i]};
		msgs[i].msg_hdr = (struct msghdr){.msg_name = &w->to,
			.msg_namelen = sizeof(w->to),
			.msg_iov = &iov[i],
			.msg_iovlen = 1};
	}
	while (done < w->n) {
		int n = sendmmsg(w->fd, msgs + done, w->n - done, 0);

		if (n > 0)
			done += (unsigned)n;
		else if (errno == ENOBUFS || errno == EAGAIN)
			sleep_us(200);
		else if (errno != EINTR)
			give_up("sending");
	}
	w->sent += w->n;
	w->n = 0;
}

void wire_fini(struct wire *w)
{
	wire_flush(w);
	close(w->fd);
}

uint32_t source_of(const struct orders *o, uint64_t n)
{
	return o->from + (uint32_t)(n % o->addresses);
}

uint16_t port_of(const struct orders *o)
{
	return (uint16_t)(o->port != 0 ? o->port : 1024 + random_below(&o->rnd, 60000));
}

/* ---- what comes back ---- */

void tally_init(struct tally *t, uint32_t from, uint32_t first, uint32_t number)
{
	const int room = RECEIVE_ROOM;

	*t = (struct tally){.from = from, .first = first, .number = number};
	t->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_IP));
	if (t->fd < 0)
		give_up("packet socket");
	setsockopt(t->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
}

void tally_read(struct tally *t)
{
	struct sockaddr_ll from;
	uint8_t p[WIRE_HEADERS + DATAGRAM_ROOM];
	socklen_t from_len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(t->fd, p, sizeof(p), MSG_TRUNC, (struct sockaddr *)&from,
			&from_len)) >= 0) {
		size_t len;

		if (n < WIRE_HEADERS || from.sll_pkttype == PACKET_OUTGOING || p[0] != 0x45 ||
			p[9] != IPPROTO_UDP || load_be32(p + 12) != t->from ||
			load_be32(p + 16) - t->first >= t->number)
			continue;
		len = (size_t)load_be16(p + 24) - 8;
		t->datagrams++;
		t->bytes += len;
		if (len > t->longest)
			t->longest = len;
	}
}

void tally_finish(struct tally *t)
{
	uint64_t end = now_ns() + SETTLE_NS;

	while (now_ns() < end) {
		tally_read(t);
		sleep_us(5000);
	}
	tally_read(t);
	close(t->fd);
}

void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

void print_result(const struct wire *w, const struct tally *t)
{
	printf("{\"sent\": %llu, \"sent_bytes\": %llu, \"got\": %llu, \"got_bytes\": %llu, "
	       "\"longest\": %zu}\n",
		(unsigned long long)w->sent, (unsigned long long)w->bytes,
		(unsigned long long)t->datagrams, (unsigned long long)t->bytes, t->longest);
	fflush(stdout);
}
