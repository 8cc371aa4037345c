/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hosts behind the interfaces of edges, which find each other by ARP as Linux does: by broadcast,
 * three times, a second apart; what they know is good for 30 s, then, when used, for 5 s more, then
 * asked for again of the one host, three times; what is not used is forgotten after 60 s.
 */
#ifndef N2N_TESTS_SIM_HOSTS_H
#define N2N_TESTS_SIM_HOSTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define TRIES	     3
#define AGAIN_MS     1000u
#define REACHABLE_MS 30000u
#define DELAY_MS     5000u
#define STALE_MS     60000u
#define HOST_STEP_MS 100u
#define ARP_FRAME    42

enum knows {
	KNOWS_NOT,
	KNOWS_INCOMPLETE, /* asked everybody */
	KNOWS_REACHABLE,
	KNOWS_STALE,
	KNOWS_DELAY, /* used since */
	KNOWS_PROBE  /* asked that host */
};

struct entry {
	enum knows how;
	uint8_t tries;
	uint64_t since_ms;
	struct mac mac;
};

/* What a host answers when it is its turn: an interface is handed frames in the midst of things. */
struct host_answer {
	unsigned who;
	struct mac to;
	uint8_t ip[4];
};

#define ANSWERS_MAX 8192

struct hosts {
	struct host_answer *answer;
	unsigned n_answers;
	struct sim *s;
	unsigned n;	      /* nodes; those that are edges have a host each */
	struct entry *entry;  /* n squared */
	uint8_t *address;     /* the last two bytes of each one's */
	uint64_t asked;	      /* requests to everybody, by all hosts */
	uint64_t heard;	      /* of these, such that other hosts heard */
	uint64_t revalidated; /* requests to one host that it heard */
	uint64_t replies;     /* to whoever asked, from wherever */
	unsigned failed;      /* times that nobody answered */
	uint64_t announced;   /* where somebody is, that hosts heard unasked */
	uint64_t others;      /* frames of another kind that hosts heard */
	unsigned wrong;	      /* answers with another address than the right one */
};

static inline struct entry *entry_of(const struct hosts *h, unsigned of, unsigned about)
{
	return &h->entry[of * h->n + about];
}

static inline void address_of(uint8_t ip[4], unsigned number)
{
	ip[0] = 10;
	ip[1] = 0;
	store_be16(ip + 2, (uint16_t)(number + 256));
}

static inline unsigned number_of(const uint8_t ip[4])
{
	return (unsigned)load_be16(ip + 2) - 256;
}

static inline void host_says(struct sim_node *from, const void *data, size_t len)
{
	uint8_t slot[SLOT_LEN] = {0};
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = len};

	memcpy(f.data, data, len);
	sim_frames_from(from, 0, &f, 1);
}

static inline void say_arp(struct sim_node *from, const struct mac *to, unsigned op,
	const uint8_t sender[4], const uint8_t target[4])
{
	const struct mac own = sim_mac(from);
	uint8_t data[ARP_FRAME];
	struct writer w;

	writer_init(&w, data, sizeof(data));
	writer_copy(&w, to->b, 6);
	writer_copy(&w, own.b, 6);
	writer_u16(&w, 0x0806);
	writer_u32(&w, 0x00010800);
	writer_u16(&w, 0x0604);
	writer_u16(&w, (uint16_t)op);
	writer_copy(&w, own.b, 6);
	writer_copy(&w, sender, 4);
	writer_zero(&w, 6);
	writer_copy(&w, target, 4);
	host_says(from, data, sizeof(data));
}

static const struct mac to_everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static inline void host_asks(struct hosts *h, unsigned who, unsigned about, const struct mac *whom)
{
	uint8_t own[4], target[4];

	address_of(own, who);
	address_of(target, about);
	h->asked += whom == &to_everybody;
	say_arp(h->s->nodes[who], whom, 1, own, target);
}

/* A program of the host sends something there. Returns what the host knows then. */
static inline enum knows host_uses(struct hosts *h, unsigned who, unsigned about)
{
	struct entry *e = entry_of(h, who, about);

	if (e->how == KNOWS_NOT) {
		*e = (struct entry){KNOWS_INCOMPLETE, 1, h->s->now_ms, {{0}}};
		host_asks(h, who, about, &to_everybody);
	} else if (e->how == KNOWS_STALE) {
		e->how = KNOWS_DELAY;
		e->since_ms = h->s->now_ms;
	}
	return e->how;
}

static inline void host_learns(struct hosts *h, struct entry *e, enum knows how, const uint8_t *mac)
{
	e->how = how;
	e->since_ms = h->s->now_ms;
	memcpy(e->mac.b, mac, 6);
}

static inline void host_hears_arp(struct hosts *h, struct sim_node *at, const uint8_t *data)
{
	const uint8_t *sender = data + 28, *target = data + 38;
	unsigned about = number_of(sender);
	struct entry unknown = {.how = KNOWS_NOT}, *e;
	uint8_t own[4];

	address_of(own, at->number);
	if (load_be16(data + 20) == 1) {
		if (memcmp(sender, target, 4) == 0)
			h->announced++;
		else if (data[0] & 1)
			h->heard++;
		else
			h->revalidated++;
	} else {
		h->replies++;
	}
	e = about < h->n ? entry_of(h, at->number, about) : &unknown;
	if (load_be16(data + 20) == 2) {
		if (e->how != KNOWS_NOT)
			host_learns(h, e, KNOWS_REACHABLE, data + 22);
	} else if (memcmp(target, own, 4) == 0) {
		struct host_answer *a = &h->answer[h->n_answers++];

		assert_true(h->n_answers < ANSWERS_MAX);
		a->who = at->number;
		memcpy(a->to.b, data + 22, 6);
		memcpy(a->ip, sender, 4);
		host_learns(h, e, KNOWS_STALE, data + 22);
	} else if (e->how != KNOWS_NOT && memcmp(sender, target, 4) == 0) {
		host_learns(h, e, KNOWS_STALE, data + 22);
	}
}

static inline bool host_hears(void *ctx, struct sim_node *at, const struct joined *j)
{
	const uint8_t *data = j->piece[0].data;
	struct hosts *h = ctx;

	if (j->piece[0].len >= ARP_FRAME && load_be16(data + 12) == 0x0806)
		host_hears_arp(h, at, data);
	else if (load_be16(data + 12) == 0x88b5)
		return true;
	else
		h->others++;
	return false;
}

static inline void host_waits(struct hosts *h, unsigned who, unsigned about)
{
	struct entry *e = entry_of(h, who, about);
	uint64_t past_ms = h->s->now_ms - e->since_ms;

	if (e->how == KNOWS_INCOMPLETE || e->how == KNOWS_PROBE) {
		if (past_ms < AGAIN_MS)
			return;
		e->since_ms = h->s->now_ms;
		if (e->tries++ < TRIES) {
			host_asks(h, who, about, e->how == KNOWS_PROBE ? &e->mac : &to_everybody);
			return;
		}
		e->how = KNOWS_NOT;
		h->failed++;
	} else if (e->how == KNOWS_REACHABLE && past_ms >= REACHABLE_MS) {
		e->how = KNOWS_STALE;
		e->since_ms = h->s->now_ms;
	} else if (e->how == KNOWS_STALE && past_ms >= STALE_MS) {
		e->how = KNOWS_NOT;
	} else if (e->how == KNOWS_DELAY && past_ms >= DELAY_MS) {
		e->how = KNOWS_PROBE;
		e->tries = 1;
		e->since_ms = h->s->now_ms;
		host_asks(h, who, about, &e->mac);
	}
}

static inline void hosts_answer(struct hosts *h)
{
	while (h->n_answers > 0) {
		const struct host_answer a = h->answer[--h->n_answers];
		uint8_t own[4];

		address_of(own, a.who);
		if (h->s->nodes[a.who]->up)
			say_arp(h->s->nodes[a.who], &a.to, 2, own, a.ip);
	}
}

static inline void hosts_step(struct hosts *h)
{
	for (unsigned i = 0; i < HOST_STEP_MS / 10; i++) {
		sim_run(h->s, 10);
		hosts_answer(h);
	}
}

static inline void hosts_run(struct hosts *h, uint64_t ms)
{
	for (uint64_t end = h->s->now_ms + ms; h->s->now_ms < end; hosts_step(h))
		for (unsigned i = 0; i < h->n * h->n; i++)
			if (h->entry[i].how != KNOWS_NOT && h->s->nodes[i / h->n]->up)
				host_waits(h, i / h->n, i % h->n);
}

/* Node 0 is the supernode; each edge claims its host's address. */
static inline void hosts_init(struct hosts *h, unsigned edges)
{
	struct sim_node *sn;

	*h = (struct hosts){.s = sim_create(sim_seed(), edges + 1), .n = edges + 1};
	h->entry = calloc((size_t)h->n * h->n, sizeof(*h->entry));
	assert_non_null(h->entry);
	h->answer = calloc(ANSWERS_MAX, sizeof(*h->answer));
	assert_non_null(h->answer);
	sn = sim_add_supernode(h->s);
	for (unsigned i = 1; i <= edges; i++) {
		struct sim_setup *s = &sim_add_edge(h->s, &sim_key, sn)->setup;

		s->n_addresses = 1;
		s->address[0].prefix = 16;
		s->address[0].ip[10] = s->address[0].ip[11] = 0xff;
		address_of(s->address[0].ip + 12, i);
	}
	h->s->interface = host_hears;
	h->s->interface_ctx = h;
}

static inline void hosts_fini(struct hosts *h)
{
	sim_assert_clean(h->s);
	sim_destroy(h->s);
	free(h->entry);
	free(h->answer);
}

/* Those who are known, by whom and with which address. */
static inline void hosts_check(const struct hosts *h)
{
	for (unsigned i = 1; i < h->n; i++)
		for (unsigned k = 1; k < h->n; k++) {
			const struct entry *e = entry_of(h, i, k);
			const struct mac mac = sim_mac(h->s->nodes[k]);

			if (e->how > KNOWS_INCOMPLETE)
				assert_memory_equal(e->mac.b, mac.b, 6);
		}
}

#endif
