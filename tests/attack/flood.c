/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Floods of strangers: INITs, HELLOs and junk from many addresses. */
#include <stdlib.h>
#include <string.h>

#include "attacker.h"
#include "core/keys/handshake.h"

/* The Noise messages of handshakes that are begun and never ended, each of another static. */
struct pool {
	const struct random *rnd;
	bool bare; /* what=bare: without padding */
	unsigned n;
	uint8_t env_key[KEY_LEN];
	struct {
		uint32_t index;
		size_t len;
		uint8_t noise[NOISE_MAX];
	} * at;
};

static void begin_one(struct pool *p, const struct orders *o)
{
	const struct attempt_params params = {o->key, random_u32(&o->rnd), 1, today_ms() + p->n, 0};
	uint8_t seed[SEED_LEN], tag[COMMUNITY_TAG_LEN];
	struct attempt a;
	struct party self = {0};

	random_bytes(&o->rnd, seed, sizeof(seed));
	random_bytes(&o->rnd, tag, sizeof(tag));
	party_init_hop(&self, seed, tag, o->key);
	random_bytes(&o->rnd, self.hop_mask, MASK_LEN);
	if (attempt_start(&a, &self, &params, &o->rnd) != 0)
		give_up("INIT");
	memcpy(p->env_key, a.env_key, KEY_LEN);
	p->at[p->n].index = a.index;
	p->at[p->n].len = a.msg1_len;
	memcpy(p->at[p->n].noise, a.msg1, a.msg1_len);
	p->n++;
	attempt_wipe(&a);
	party_wipe(&self);
}

static void pool_fill(struct pool *p, const struct orders *o)
{
	unsigned number = o->pool != 0 ? o->pool : 1000;

	*p = (struct pool){.rnd = &o->rnd,
		.bare = strcmp(o->what, "bare") == 0,
		.at = calloc(number, sizeof(*p->at))};
	if (p->at == NULL)
		give_up("pool");
	while (p->n < number)
		begin_one(p, o);
}

/* The n-th message in a new envelope; returns its length. */
static size_t pool_datagram(const struct pool *p, uint64_t n, uint8_t *out)
{
	static const uint8_t no_cookie[MAC2_LEN];
	const struct msg_init m = {.sender = p->at[n % p->n].index,
		.noise = p->at[n % p->n].noise,
		.noise_len = p->at[n % p->n].len,
		.mac2 = no_cookie};
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = msg_init_encode(body, sizeof(body), &m,
		p->bare ? 0 : random_below(p->rnd, ENVELOPE_PAD_MAX + 1), p->rnd);

	envelope_seal(out, body, len, NULL, 0, p->env_key, p->rnd);
	return len + ENVELOPE_OVERHEAD;
}

/* Sends what make writes, at the pace and from the sources of the orders, and counts answers. */
static void flood(const struct orders *o, size_t (*make)(const void *ctx, uint64_t n, uint8_t *out),
	const void *ctx)
{
	struct wire w;
	struct tally t;
	struct pace pace;
	uint64_t n = 0;

	wire_init(&w, &o->to);
	tally_init(&t, ntohl(o->to.sin_addr.s_addr), o->from, o->addresses);
	say_ready();
	pace_init(&pace, o->rate, o->seconds);
	while (!pace_over(&pace)) {
		for (unsigned due = pace_due(&pace); due > 0; due--, n++)
			wire_send(&w, source_of(o, n), port_of(o), make(ctx, n, wire_room(&w)));
		wire_flush(&w);
		tally_read(&t);
	}
	wire_fini(&w);
	tally_finish(&t);
	print_result(&w, &t);
}

static size_t make_init(const void *ctx, uint64_t n, uint8_t *out)
{
	return pool_datagram(ctx, n, out);
}

void attack_inits(const struct orders *o)
{
	struct pool p;

	pool_fill(&p, o);
	flood(o, make_init, &p);
	free(p.at);
}

/* what=bare: as short as they may be. */
static size_t make_hello(const void *ctx, uint64_t n, uint8_t *out)
{
	const struct orders *o = ctx;
	uint8_t body[ENVELOPE_BODY_MAX], key[KEY_LEN];
	size_t pad = strcmp(o->what, "bare") == 0 ? 0 : random_below(&o->rnd, ENVELOPE_PAD_MAX + 1);
	size_t len = msg_hello_encode(body, sizeof(body), &(struct msg_hello){0}, pad, &o->rnd);

	(void)n;
	party_hello_key(key);
	envelope_seal(out, body, len, NULL, 0, key, &o->rnd);
	return len + ENVELOPE_OVERHEAD;
}

void attack_hellos(const struct orders *o)
{
	flood(o, make_hello, o);
}

/* ---- junk ---- */

#define PAYLOAD_LONGEST 1472 /* what a raw socket sends in one piece */

static size_t random_datagram(uint8_t *out, const struct orders *o)
{
	size_t len = random_below(&o->rnd, 4) == 0 ? random_below(&o->rnd, 64)
						   : random_below(&o->rnd, PAYLOAD_LONGEST);

	random_bytes(&o->rnd, out, len);
	return len;
}

/* A sealed body of any type and content: the envelope is right, what is in it is not. */
static size_t body_datagram(uint8_t *out, const uint8_t env_key[KEY_LEN], const struct orders *o)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = 10 + random_below(&o->rnd, 400);

	random_bytes(&o->rnd, body, len);
	body[0] = (uint8_t)(random_below(&o->rnd, 16) << 4);
	body[1] = PROTOCOL_VERSION;
	if (random_below(&o->rnd, 2) == 0)
		memset(body + 6, 0, 4);
	envelope_seal(out, body, len, NULL, 0, env_key, &o->rnd);
	return len + ENVELOPE_OVERHEAD;
}

/* What was captured, shorter or with some bits turned. */
static size_t changed_datagram(uint8_t *out, const struct captured *c, const struct orders *o)
{
	unsigned i = random_below(&o->rnd, c->n);
	size_t len = c->at[i].len;

	memcpy(out, c->at[i].data, len);
	if (random_below(&o->rnd, 2) == 0)
		return random_below(&o->rnd, (uint32_t)len);
	for (unsigned flips = 1 + random_below(&o->rnd, 4); flips > 0 && len > 0; flips--)
		out[random_below(&o->rnd, (uint32_t)len)] ^=
			(uint8_t)(1u << random_below(&o->rnd, 8));
	return len;
}

struct junk {
	const struct orders *o;
	struct pool pool;
	struct captured captured;
};

/* One in four is costly for the receiver: it opens an envelope, and maybe reads its Noise. */
static size_t make_junk(const void *ctx, uint64_t n, uint8_t *out)
{
	const struct junk *j = ctx;
	size_t len;

	switch (n % 8) {
	case 0:
		return body_datagram(out, j->pool.env_key, j->o);
	case 1:
		len = pool_datagram(&j->pool, n, out);
		out[len - 1] ^= 1;
		return len;
	case 2:
	case 3:
		return random_datagram(out, j->o);
	default:
		return j->captured.n > 0 ? changed_datagram(out, &j->captured, j->o)
					 : random_datagram(out, j->o);
	}
}

void attack_junk(const struct orders *o)
{
	struct junk j = {.o = o};

	pool_fill(&j.pool, o);
	if (o->file != NULL)
		captured_load(&j.captured, o->file);
	flood(o, make_junk, &j);
	captured_free(&j.captured);
	free(j.pool.at);
}
