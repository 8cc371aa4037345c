/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What somebody can do who sees a link, stops nothing, and sends what went by once more. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacker.h"
#include "core/keys/handshake.h"

/*
 * A whole capture, in any order, each datagram from another address; with what=same from its own.
 * What was relayed is sent a second time without the relay header.
 */
void attack_replay(const struct orders *o)
{
	bool same = strcmp(o->what, "same") == 0;
	struct captured c;
	struct wire w;
	struct tally t;
	struct pace pace;
	uint64_t n = 0;

	captured_load(&c, o->file);
	wire_init(&w, &o->to);
	tally_init(&t, ntohl(o->to.sin_addr.s_addr), o->from, o->addresses);
	pace_init(&pace, o->rate, o->seconds);
	for (unsigned due; c.n > 0 && !pace_over(&pace);) {
		for (due = pace_due(&pace); due > 0; due--, n++) {
			const struct captured_datagram *d = &c.at[random_below(&o->rnd, c.n)];
			size_t skip =
				n % 2 == 1 && d->len > 2 * RELAY_HEADER_LEN ? RELAY_HEADER_LEN : 0;

			memcpy(wire_room(&w), d->data + skip, d->len - skip);
			wire_send(&w, same ? d->from : source_of(o, n), same ? d->port : port_of(o),
				d->len - skip);
		}
		wire_flush(&w);
		tally_read(&t);
	}
	wire_fini(&w);
	tally_finish(&t);
	print_result(&w, &t);
	captured_free(&c);
}

/* ---- repeat ---- */

enum {
	KEPT = 6,	     /* newest per direction */
	INIT_SHORTEST = 190, /* what is shorter carries no message 1 */
	INIT_LONGEST = 500,
	SEEN_ROOM = 65536
};

#define KEPT_NS (15 * NS_PER_S)	 /* a handshake waits for confirmation that long */
#define HOT_NS	(NS_PER_S / 200) /* copies follow each other at once */

struct kept {
	struct sockaddr_in to;
	uint64_t seen_ns;
	unsigned at_once; /* how many of the first copies were sent */
	size_t len;
	uint8_t data[INIT_LONGEST];
};

struct repeater {
	const struct orders *o;
	struct wire wire;
	struct tally tally;
	unsigned n[2];
	struct kept at[2][KEPT]; /* to the supernode and from it */
	uint64_t repeated, last_copy_ns;
	uint8_t buf[SEEN_ROOM];
};

static void repeat_one(struct repeater *r, const struct kept *k)
{
	wire_turn(&r->wire, &k->to);
	memcpy(wire_room(&r->wire), k->data, k->len);
	wire_send(&r->wire, source_of(r->o, r->repeated++), port_of(r->o), k->len);
}

/* Copies while the handshake is under way; later it is repeated with the others. */
static void repeat_at_once(struct repeater *r)
{
	static const unsigned after_us[] = {0, 300, 1000, 3000};

	for (unsigned i = 0; i < 2 * KEPT; i++) {
		struct kept *k = &r->at[i / KEPT][i % KEPT];

		if (k->len == 0 || k->at_once == sizeof(after_us) / sizeof(after_us[0]) ||
			now_ns() < k->seen_ns + after_us[k->at_once] * UINT64_C(1000))
			continue;
		k->at_once++;
		r->last_copy_ns = now_ns();
		repeat_one(r, k);
	}
}

static void keep_seen(struct repeater *r, const struct seen *s, bool from_supernode)
{
	size_t skip = from_supernode ? RELAY_HEADER_LEN : 0;
	struct kept *k = &r->at[from_supernode][r->n[from_supernode] % KEPT];

	if (s->len < skip + INIT_SHORTEST || s->len > skip + INIT_LONGEST)
		return;
	r->n[from_supernode]++;
	k->to = s->to;
	k->seen_ns = now_ns();
	k->len = s->len - skip;
	k->at_once = 0;
	memcpy(k->data, s->data + skip, k->len);
}

static void repeat_all(struct repeater *r)
{
	for (unsigned i = 0; i < 2 * KEPT; i++) {
		const struct kept *k = &r->at[i / KEPT][i % KEPT];

		if (k->len > 0 && now_ns() < k->seen_ns + KEPT_NS)
			repeat_one(r, k);
	}
}

static void look(struct repeater *r, int fd)
{
	const uint32_t supernode = r->o->to.sin_addr.s_addr;
	struct seen s;

	while (watch_next(fd, r->buf, SEEN_ROOM, &s))
		if (s.to.sin_addr.s_addr == supernode)
			keep_seen(r, &s, false);
		else if (s.from.sin_addr.s_addr == supernode)
			keep_seen(r, &s, true);
}

/*
 * Looks on at links of the supernode (the orders' destination) and repeats the newest datagrams
 * that may be INITs, each at the rate: those to the supernode as they are, those from it, which it
 * relays, to the edge without the relay header; from other addresses.
 */
void attack_repeat(const struct orders *o)
{
	struct repeater *r = calloc(1, sizeof(*r));
	struct watch watch;
	struct pace pace;

	if (r == NULL)
		give_up("memory");
	r->o = o;
	watch_open(&watch, o->watch);
	wire_init(&r->wire, &o->to);
	tally_init(&r->tally, ntohl(o->to.sin_addr.s_addr), o->from, o->addresses);
	pace_init(&pace, o->rate, o->seconds);
	say_ready();
	while (!pace_over(&pace)) {
		if (now_ns() < r->last_copy_ns + HOT_NS)
			sleep_us(100);
		else
			watch_wait(&watch, 1);
		for (unsigned i = 0; i < watch.n; i++)
			look(r, watch.at[i].fd);
		repeat_at_once(r);
		if (pace_ready(&pace) > 0)
			repeat_all(r);
		wire_flush(&r->wire);
		tally_read(&r->tally);
	}
	wire_fini(&r->wire);
	tally_finish(&r->tally);
	print_result(&r->wire, &r->tally);
	watch_close(&watch);
	free(r);
}

/* ---- stale ---- */

/* The first INIT that an edge was seen to send, and what the supernode answers to us for it. */
struct stale {
	bool has;
	struct msg_init init;
	uint8_t body[ENVELOPE_BODY_MAX];
	uint8_t env_key[KEY_LEN];
	uint8_t tag[TAG_LEN]; /* of the envelope we sent last */
	uint8_t cookie[COOKIE_LEN];
	bool has_cookie;
	uint64_t shown;
};

/* Whether an edge sent an INIT just now; the first is kept. */
static bool take_init(struct stale *x, const struct seen *s)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = s->len - ENVELOPE_OVERHEAD;
	struct msg_init init;

	if (s->len < ENVELOPE_MIN_LEN || s->len > ENVELOPE_MAX_LEN ||
		envelope_open(body, s->data, s->len, NULL, 0, x->env_key) != 0 ||
		envelope_type(body, len) != PACKET_INIT || msg_init_decode(&init, body, len) != 0)
		return false;
	if (x->has)
		return true;
	memcpy(x->body, body, len);
	x->has = msg_init_decode(&x->init, x->body, len) == 0;
	say_ready();
	return false;
}

static void show_again(struct stale *x, struct wire *w, const struct orders *o)
{
	uint8_t body[ENVELOPE_BODY_MAX], mac2[MAC2_LEN] = {0};
	struct msg_init m = x->init;
	size_t len;

	m.mac2 = mac2;
	if (x->has_cookie)
		msg_init_mac2(mac2, x->cookie, &m);
	x->shown += x->has_cookie;
	len = msg_init_encode(body, sizeof(body), &m, 100, &o->rnd);
	envelope_seal(wire_room(w), body, len, NULL, 0, x->env_key, &o->rnd);
	memcpy(x->tag, wire_room(w) + len + ENVELOPE_OVERHEAD - TAG_LEN, TAG_LEN);
	wire_send(w, o->from, (uint16_t)o->port, len + ENVELOPE_OVERHEAD);
	wire_flush(w);
}

/* Cookies are sealed under a key that everybody knows who knows the supernode's. */
static void take_cookie(struct stale *x, int fd)
{
	uint8_t buf[DATAGRAM_ROOM], body[DATAGRAM_ROOM];
	struct msg_cookie m;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if ((size_t)n >= ENVELOPE_MIN_LEN && (size_t)n <= ENVELOPE_MAX_LEN &&
			envelope_open(body, buf, (size_t)n, x->tag, TAG_LEN, x->env_key) == 0 &&
			msg_cookie_decode(&m, body, (size_t)n - ENVELOPE_OVERHEAD) == 0) {
			memcpy(x->cookie, m.cookie, COOKIE_LEN);
			x->has_cookie = true;
		}
}

static int open_own(const struct orders *o)
{
	const struct sockaddr_in at = {AF_INET, htons((uint16_t)o->port), {htonl(o->from)}, {0}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		give_up("own address");
	return fd;
}

/*
 * Takes the first INIT that an edge sends to the supernode; from then on shows it again and again
 * from the own address from=, port=, with the cookie that it is answered with, and at once when the
 * edge begins another handshake.
 */
void attack_stale(const struct orders *o)
{
	const struct party supernode = {.role = ROLE_HOP};
	uint8_t *buf = malloc(SEEN_ROOM);
	struct stale x = {0};
	struct watch watch;
	struct wire w;
	struct pace pace;
	struct seen s;
	int own = open_own(o);

	if (buf == NULL)
		give_up("memory");
	watch_open(&watch, o->watch);
	party_env_key(&supernode, o->key, x.env_key);
	wire_init(&w, &o->to);
	pace_init(&pace, o->rate, o->seconds);
	while (!pace_over(&pace)) {
		bool now = false;

		watch_wait(&watch, 1);
		while (watch_next(watch.at[0].fd, buf, SEEN_ROOM, &s))
			if (s.to.sin_addr.s_addr == o->to.sin_addr.s_addr)
				now = take_init(&x, &s) || now;
		take_cookie(&x, own);
		if (x.has && (now || pace_ready(&pace) > 0))
			show_again(&x, &w, o);
	}
	printf("{\"sent\": %llu, \"with_cookie\": %llu}\n", (unsigned long long)w.sent,
		(unsigned long long)x.shown);
	wire_fini(&w);
	close(own);
	watch_close(&watch);
	free(buf);
}
