/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One who sees everything and sends anything from any address, but keeps nothing from arriving: he
 * keeps no members apart, ends no session, and shuts nobody out of a supernode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"
#include "wire/envelope.h"

#include <cmocka.h>

#define EDGES	  3
#define NEWCOMERS 10
#define MESSAGE_1 180 /* a datagram so long may be a handshake's */
#define SEEN	  8   /* of them are repeated, the last ones */

struct seen {
	struct endpoint to;
	size_t len;
	uint8_t data[SLOT_LEN];
};

/* What he has of one member: its handshakes, and the cookie that it sent to him. */
#define OLD_MAX 8

struct tapped {
	unsigned n;
	uint8_t body[OLD_MAX][ENVELOPE_BODY_MAX]; /* of INITs to it, out of their envelopes */
	size_t len[OLD_MAX];
	uint8_t tag[TAG_LEN]; /* of the last that he sent */
	uint8_t cookie[COOKIE_LEN];
	bool has_cookie;
};

struct scene {
	struct sim *s;
	struct sim_node *sn, *edge[EDGES];
	struct seen seen[SEEN];
	size_t n_seen;
	uint32_t source; /* the next forged one */
	struct tapped tapped[EDGES];
	bool taps;
};

/* What was relayed is seen behind the relay header, and as good as if it had come directly. */
static bool watch(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;
	struct seen *s = &c->seen[c->n_seen % SEEN];

	if (from != c->sn || d->len < RELAY_HEADER_LEN + MESSAGE_1 || d->len > SLOT_LEN)
		return true;
	s->to = d->way.remote;
	s->len = d->len - RELAY_HEADER_LEN;
	memcpy(s->data, d->data + RELAY_HEADER_LEN, s->len);
	c->n_seen++;
	return true;
}

static void set_up(struct scene *c, bool passphrase)
{
	*c = (struct scene){.s = sim_create(sim_seed(), EDGES + NEWCOMERS + 1)};
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < EDGES; i++) {
		c->edge[i] = sim_add_edge(c->s, &sim_key, c->sn);
		if (passphrase)
			sim_use_passphrase(c->edge[i], "mynetwork", 3);
	}
	sim_all_links(c->s, &(struct sim_link){.delay_ms = 20, .jitter_ms = 5});
	sim_block_direct(c->s, true);
	c->s->wire = watch;
	c->s->wire_ctx = c;
	sim_start(c->sn);
}

static struct endpoint forged(struct scene *c)
{
	uint32_t n = c->source++ % 10000;

	return endpoint_v4(UINT32_C(0xc6120000) + n, (uint16_t)(1024 + n));
}

/* All that was seen last, this often a second, each time from another address. */
static void repeat(struct scene *c, unsigned per_s, uint64_t ms)
{
	for (uint64_t end = c->s->now_ms + ms; c->s->now_ms < end;) {
		for (size_t i = 0; i < SEEN && i < c->n_seen; i++) {
			const struct endpoint from = forged(c);

			sim_inject(c->s, &from, &c->seen[i].to, c->seen[i].data, c->seen[i].len, 1);
		}
		sim_run(c->s, 1000 / per_s);
	}
}

static bool are_up(const struct scene *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (c->edge[i]->events[EVENT_PEER_UP] < n - 1)
			return false;
	return true;
}

static void new_pairs_come_up(void **state)
{
	struct scene c;
	uint64_t began;

	set_up(&c, *state != NULL);
	sim_start(c.edge[0]);
	sim_start(c.edge[1]);
	for (began = c.s->now_ms; !are_up(&c, 2) && c.s->now_ms < began + 10000;)
		repeat(&c, 30, 33);
	printf("first pair up after %u ms\n", (unsigned)(c.s->now_ms - began));
	assert_in_range(c.s->now_ms - began, 0, 2500);
	sim_start(c.edge[2]);
	for (began = c.s->now_ms; !are_up(&c, 3) && c.s->now_ms < began + 10000;)
		repeat(&c, 30, 33);
	printf("third member up after %u ms\n", (unsigned)(c.s->now_ms - began));
	assert_in_range(c.s->now_ms - began, 0, 2500);
	sim_destroy(c.s);
}

static void sessions_live_on(void **state)
{
	struct scene c;
	size_t first;

	set_up(&c, *state != NULL);
	for (unsigned i = 0; i < EDGES; i++)
		sim_start(c.edge[i]);
	sim_run(c.s, 5000);
	assert_true(are_up(&c, EDGES));
	first = c.s->n_frames;
	for (unsigned i = 0; i < 600; i++) {
		for (unsigned k = 0; k < EDGES; k++)
			(void)sim_send(c.edge[k], c.edge[(k + 1 + i % 2) % EDGES]);
		repeat(&c, 18, 1000);
	}
	sim_run(c.s, 1000);
	printf("%zu of %zu frames lost\n", sim_missing(c.s, first), c.s->n_frames - first);
	assert_int_equal(sim_missing(c.s, first), 0);
	for (unsigned i = 0; i < EDGES; i++) {
		assert_int_equal(c.edge[i]->events[EVENT_PEER_UP], EDGES - 1);
		assert_int_equal(c.edge[i]->events[EVENT_PEER_DOWN], 0);
	}
	sim_assert_clean(c.s);
	sim_destroy(c.s);
}

/*
 * In a passphrase community whoever knows the name can open envelopes, ask for cookies at an
 * address of his own, and show them with what was recorded. The members whose static it bears must
 * not have to pay for that.
 */
static const struct endpoint *his_own(void)
{
	static const struct endpoint at = {
		.ip = {[10] = 0xff, [11] = 0xff, 203, 0, 113, 66}, .port = 66};

	return &at;
}

static void tap(struct scene *c, struct sim_node *to, struct tapped *t, const struct datagram *d)
{
	const uint8_t *key = to->edge->community[0]->party.env_key;
	size_t len = d->len - RELAY_HEADER_LEN;
	uint8_t body[ENVELOPE_BODY_MAX];

	(void)c;
	if (len < ENVELOPE_MIN_LEN || len > ENVELOPE_MAX_LEN || t->n == OLD_MAX ||
		envelope_open(body, d->data + RELAY_HEADER_LEN, len, NULL, 0, key) != 0 ||
		envelope_type(body, len - ENVELOPE_OVERHEAD) != PACKET_INIT)
		return;
	memcpy(t->body[t->n], body, len - ENVELOPE_OVERHEAD);
	t->len[t->n++] = len - ENVELOPE_OVERHEAD;
}

static void take_cookie(struct sim_node *from, struct tapped *t, const struct datagram *d)
{
	const uint8_t *key = from->edge->community[0]->party.env_key;
	uint8_t body[ENVELOPE_BODY_MAX];
	struct msg_cookie m;

	if (d->len < ENVELOPE_MIN_LEN || d->len > ENVELOPE_MAX_LEN ||
		envelope_open(body, d->data, d->len, t->tag, TAG_LEN, key) != 0 ||
		msg_cookie_decode(&m, body, d->len - ENVELOPE_OVERHEAD) != 0)
		return;
	memcpy(t->cookie, m.cookie, COOKIE_LEN);
	t->has_cookie = true;
}

static bool watch_members(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;

	for (unsigned i = 0; i < EDGES; i++) {
		if (c->edge[i]->edge == NULL)
			continue;
		if (c->taps && from == c->sn && d->len > RELAY_HEADER_LEN &&
			endpoint_equal(&d->way.remote, &c->edge[i]->address))
			tap(c, c->edge[i], &c->tapped[i], d);
		if (from == c->edge[i] && endpoint_equal(&d->way.remote, his_own()))
			take_cookie(from, &c->tapped[i], d);
	}
	return true;
}

static void show_old(struct scene *c, unsigned at, unsigned which)
{
	const uint8_t *key = c->edge[at]->edge->community[0]->party.env_key;
	uint8_t mac2[MAC2_LEN] = {0}, body[ENVELOPE_BODY_MAX], out[ENVELOPE_MAX_LEN];
	struct tapped *t = &c->tapped[at];
	struct msg_init m;
	size_t len;

	if (t->n == 0 || msg_init_decode(&m, t->body[which % t->n], t->len[which % t->n]) != 0)
		return;
	/* Secrets change: he asks anew at times. */
	if (t->has_cookie && which % 1000 > 3)
		msg_init_mac2(mac2, t->cookie, &m);
	m.mac2 = mac2;
	len = msg_init_encode(body, sizeof(body), &m, 60, &c->s->random);
	envelope_seal(out, body, len, NULL, 0, key, &c->s->random);
	len += ENVELOPE_OVERHEAD;
	memcpy(t->tag, out + len - TAG_LEN, TAG_LEN);
	sim_inject(c->s, his_own(), &c->edge[at]->address, out, len, 1);
}

static void replays_with_cookies_cut_nobody_off(void **state)
{
	static bool passphrase = true;
	struct scene c;
	size_t first;

	(void)state;
	set_up(&c, passphrase);
	c.s->wire = watch_members;
	c.taps = true;
	for (unsigned i = 0; i < EDGES; i++)
		sim_start(c.edge[i]);
	/* Whoever speaks first when the keys have ended begins, and renews them: so each gets some.
	 */
	sim_run(c.s, KEYS_REJECT_MS + 20000);
	/* So long that there are handshakes of several rekeys. */
	for (unsigned i = 0; i < 900; i++) {
		for (unsigned k = 0; k < EDGES; k++)
			(void)sim_send(c.edge[k], c.edge[(k + 1) % EDGES]);
		sim_run(c.s, 1000);
	}
	c.taps = false;
	assert_true(c.tapped[0].n > 1 && c.tapped[1].n > 1);
	first = c.s->n_frames;
	for (unsigned i = 0; i < 900 * 20; i++) {
		/* The third is idle by then, and vouches for nobody. */
		if (i % 20 == 0) {
			(void)sim_send(c.edge[0], c.edge[1]);
			(void)sim_send(c.edge[1], c.edge[0]);
		}
		for (unsigned k = 0; k < 2; k++)
			show_old(&c, k, i);
		sim_run(c.s, 50);
	}
	sim_run(c.s, 1000);
	printf("%zu of %zu frames lost\n", sim_missing(c.s, first), c.s->n_frames - first);
	assert_int_equal(sim_missing(c.s, first), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(c.tapped[i].has_cookie);
		assert_int_equal(c.edge[i]->events[EVENT_GUESSING], 0);
	}
	sim_destroy(c.s);
}

/* ---- floods at a supernode ---- */

/* An envelope for the supernode with whatever an INIT may hold; who made it knows its key. */
static size_t make_init(struct scene *c, uint8_t *out)
{
	const struct party any = {.role = ROLE_HOP};
	uint8_t noise[NOISE_MSG1_OVERHEAD + 80], mac2[MAC2_LEN] = {0}, body[ENVELOPE_BODY_MAX];
	uint8_t public[KEY_LEN], key[KEY_LEN];
	struct msg_init m = {.noise = noise, .noise_len = sizeof(noise), .mac2 = mac2};
	size_t len;

	random_bytes(&c->s->random, noise, sizeof(noise));
	m.sender = random_u32(&c->s->random);
	sim_supernode_public(c->sn, public);
	party_env_key(&any, public, key);
	len = msg_init_encode(body, sizeof(body), &m, 50, &c->s->random);
	envelope_seal(out, body, len, NULL, 0, key, &c->s->random);
	return len + ENVELOPE_OVERHEAD;
}

static size_t make_hello(struct scene *c, uint8_t *out)
{
	uint8_t body[ENVELOPE_BODY_MAX], key[KEY_LEN];
	size_t len =
		msg_hello_encode(body, sizeof(body), &(struct msg_hello){0}, 50, &c->s->random);

	party_hello_key(key);
	envelope_seal(out, body, len, NULL, 0, key, &c->s->random);
	return len + ENVELOPE_OVERHEAD;
}

typedef size_t maker(struct scene *c, uint8_t *out);

/* per_ms of them each millisecond; from one address if given. */
static void flood(struct scene *c, maker *make, unsigned per_ms, const struct endpoint *from)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];

	for (unsigned i = 0; i < per_ms; i++) {
		const struct endpoint source = from != NULL ? *from : forged(c);
		size_t len = make(c, datagram);

		/* Under way for longer than the honest: of one moment it comes first. */
		sim_inject(c->s, &source, &c->sn->address, datagram, len, 100);
	}
	sim_run(c->s, 1);
}

/* One newcomer after the other, each with nothing but the supernode's address. */
static void newcomers_get_in(maker *make, unsigned per_ms, uint64_t within_ms)
{
	uint64_t longest = 0;
	struct scene c;

	set_up(&c, false);
	for (unsigned i = 0; i < EDGES; i++)
		sim_start(c.edge[i]);
	sim_run(c.s, 3000);
	for (unsigned i = 0; i < 500; i++)
		flood(&c, make, per_ms, NULL);
	for (unsigned i = 0; i < NEWCOMERS; i++) {
		struct sim_node *n = sim_add_edge(c.s, &sim_key, c.sn);
		uint64_t began = c.s->now_ms;

		sim_all_links(c.s, &(struct sim_link){.delay_ms = 20, .jitter_ms = 5});
		sim_start(n);
		while (n->events[EVENT_SUPERNODE_UP] == 0 && c.s->now_ms < began + 5000)
			flood(&c, make, per_ms, NULL);
		if (c.s->now_ms - began > longest)
			longest = c.s->now_ms - began;
	}
	printf("%u a second: registered after %u ms at most\n", per_ms * 1000, (unsigned)longest);
	assert_in_range(longest, 0, within_ms);
	for (unsigned i = 0; i < EDGES; i++)
		assert_int_equal(c.edge[i]->events[EVENT_SUPERNODE_SILENT], 0);
	sim_destroy(c.s);
}

static void handshakes_from_forged_sources(void **state)
{
	(void)state;
	newcomers_get_in(make_init, 5, 1500);
}

static void hellos_from_forged_sources(void **state)
{
	(void)state;
	newcomers_get_in(make_hello, 5, 1500);
}

/* A registered address draws on its own bucket, and keeps no other member from coming back. */
static void one_member_is_noisy(void **state)
{
	struct endpoint at;
	struct scene c;
	uint64_t began;

	(void)state;
	set_up(&c, false);
	for (unsigned i = 0; i < EDGES; i++)
		sim_start(c.edge[i]);
	sim_run(c.s, 3000);
	at = c.edge[0]->address;
	for (unsigned i = 0; i < 200; i++)
		flood(&c, i % 2 == 0 ? make_hello : make_init, 20, &at);
	sim_stop(c.edge[1], false);
	sim_start(c.edge[1]);
	c.edge[1]->events[EVENT_SUPERNODE_UP] = 0;
	for (began = c.s->now_ms;
		c.edge[1]->events[EVENT_SUPERNODE_UP] == 0 && c.s->now_ms < began + 5000;)
		flood(&c, make_init, 20, &at);
	printf("back after %u ms\n", (unsigned)(c.s->now_ms - began));
	assert_in_range(c.s->now_ms - began, 0, 1500);
	assert_int_equal(c.edge[2]->events[EVENT_SUPERNODE_SILENT], 0);
	sim_destroy(c.s);
}

int main(void)
{
	static bool passphrase = true;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_pairs_come_up),
		cmocka_unit_test_prestate(new_pairs_come_up, &passphrase),
		cmocka_unit_test(sessions_live_on),
		cmocka_unit_test(replays_with_cookies_cut_nobody_off),
		cmocka_unit_test(handshakes_from_forged_sources),
		cmocka_unit_test(hellos_from_forged_sources),
		cmocka_unit_test(one_member_is_noisy),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
