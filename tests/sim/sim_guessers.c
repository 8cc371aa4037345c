/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Attacks on the passphrase of a community: who guesses it has no more handshakes with a member
 * than PROTOCOL.md 5.5 states, whoever helps him, and keeps nobody out. What counts as a guess here
 * is what leaves one: a message 2 made for a stranger, or one of his that was taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/attempt.h"
#include "core/session/send.h"
#include "sim.h"

#include <cmocka.h>

#define MEMBERS	   4
#define GUESSERS   20
#define MINUTES	   3
#define PER_MINUTE GUESSES_PER_MINUTE
#define STATICS	   60
#define NAME	   "mynetwork"

struct scene {
	struct sim *s;
	struct sim_node *sn, *member[MEMBERS], *guesser[GUESSERS];
	unsigned n_guessers;
	uint32_t guess;
	unsigned guesses[MEMBERS]; /* that each of them let happen */
};

/* ---- guesses, counted where they happen ---- */

static struct scene *counting;

int __real_answer_write(struct answer *a, const struct party *self, uint32_t index,
	uint32_t tx_index, uint32_t generation, uint8_t noise2[NOISE_MAX], size_t *noise2_len,
	struct handshake_result *result, const struct random *rnd);
int __wrap_answer_write(struct answer *a, const struct party *self, uint32_t index,
	uint32_t tx_index, uint32_t generation, uint8_t noise2[NOISE_MAX], size_t *noise2_len,
	struct handshake_result *result, const struct random *rnd);
unsigned __real_attempt_take(struct core *core, struct session *s,
	const struct handshake_result *result, const struct payload *theirs,
	const struct origin *from);
unsigned __wrap_attempt_take(struct core *core, struct session *s,
	const struct handshake_result *result, const struct payload *theirs,
	const struct origin *from);

static struct community *community_of(const struct sim_node *n)
{
	return n->up ? n->edge->community[0] : NULL;
}

static bool is_static_of(const struct sim_node *n, const uint8_t key[KEY_LEN])
{
	const struct community *c = community_of(n);

	return c != NULL && memcmp(c->party.self.public, key, KEY_LEN) == 0;
}

static void count_guess(const struct party *self, const uint8_t remote[KEY_LEN])
{
	int at = -1;

	for (int i = 0; counting != NULL && i < MEMBERS; i++) {
		if (is_static_of(counting->member[i], remote))
			return;
		if (community_of(counting->member[i]) != NULL &&
			&community_of(counting->member[i])->party == self)
			at = i;
	}
	if (at >= 0)
		counting->guesses[at]++;
}

int __wrap_answer_write(struct answer *a, const struct party *self, uint32_t index,
	uint32_t tx_index, uint32_t generation, uint8_t noise2[NOISE_MAX], size_t *noise2_len,
	struct handshake_result *result, const struct random *rnd)
{
	count_guess(self, a->noise.rs);
	return __real_answer_write(
		a, self, index, tx_index, generation, noise2, noise2_len, result, rnd);
}

unsigned __wrap_attempt_take(struct core *core, struct session *s,
	const struct handshake_result *result, const struct payload *theirs,
	const struct origin *from)
{
	count_guess(s->party, s->remote);
	return __real_attempt_take(core, s, result, theirs, from);
}

/* ---- the scene ---- */

static struct sim_node *add_edge(struct scene *c, uint8_t prs)
{
	struct sim_node *n = sim_add_edge(c->s, NULL, c->sn);

	sim_use_passphrase(n, NAME, prs);
	return n;
}

static bool members_are_up(void *ctx)
{
	const struct scene *c = ctx;

	for (unsigned i = 0; i < MEMBERS; i++)
		if (c->member[i]->events[EVENT_PEER_UP] < MEMBERS - 1)
			return false;
	return true;
}

static void set_up(struct scene *c, unsigned guessers)
{
	counting = NULL;
	*c = (struct scene){.s = sim_create(sim_seed(), MEMBERS + guessers + 2)};
	c->n_guessers = guessers;
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i < MEMBERS; i++)
		c->member[i] = add_edge(c, 1);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 20000, members_are_up, c));
	for (unsigned i = 0; i < guessers; i++)
		c->guesser[i] = add_edge(c, 2);
	counting = c;
}

static void tear_down(struct scene *c)
{
	counting = NULL;
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

/* What a member lets happen in so many minutes, and what helpers add to it. */
static void assert_bounded(const struct scene *c, unsigned minutes, unsigned more)
{
	unsigned most = 0;

	for (unsigned i = 0; i < MEMBERS; i++) {
		assert_true(c->guesses[i] > 0);
		most = c->guesses[i] > most ? c->guesses[i] : most;
	}
	printf("guesses at one member in %u min: %u, at most %u\n", minutes, most,
		PER_MINUTE * (minutes + 1) + more);
	assert_in_range(most, 1, PER_MINUTE * (minutes + 1) + more);
}

/* Another passphrase is tried; with another static, or with the one it has. */
static void guess_again(struct scene *c, struct sim_node *n, bool same_static)
{
	sim_stop(n, false);
	c->guess++;
	if (!same_static) {
		sim_forget_state(n);
		store_be32(n->setup.seed, c->guess);
	}
	store_be32(n->setup.prs, c->guess + 1000);
	sim_start(n);
}

/* All guessers at once, with new statics every few seconds; meanwhile is called ten times a second.
 */
static void attack(struct scene *c, void (*meanwhile)(struct scene *c))
{
	for (unsigned i = 0; i < MINUTES * 60 * 10; i++) {
		if (i % 60 == 0)
			for (unsigned k = 0; k < c->n_guessers; k++)
				guess_again(c, c->guesser[k], false);
		if (meanwhile != NULL)
			meanwhile(c);
		sim_run(c->s, 100);
	}
}

/* ---- attacks ---- */

/* A supernode lists who ever it likes: here thousands of statics that all answer. */
static void false_statics_are_bounded(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, GUESSERS);
	attack(&c, NULL);
	assert_bounded(&c, MINUTES, 0);
	tear_down(&c);
}

/* The passphrase was changed without him. All know him, and he has his static. */
static void an_ex_member_is_nobody(void **state)
{
	struct sim_node *ex;
	struct scene c;

	(void)state;
	set_up(&c, 0);
	ex = add_edge(&c, 1);
	sim_start(ex);
	sim_run(c.s, 10000);
	assert_int_equal(ex->events[EVENT_PEER_UP], MEMBERS);
	for (unsigned i = 0; i < MEMBERS; i++) {
		sim_stop(c.member[i], true);
		memset(c.member[i]->setup.prs, 9, KEY_LEN);
	}
	sim_start_all(c.s);
	memset(c.guesses, 0, sizeof(c.guesses));
	for (unsigned i = 0; i < MINUTES * 30; i++) {
		guess_again(&c, ex, true);
		sim_run(c.s, 2000);
	}
	assert_bounded(&c, MINUTES, 1);
	assert_true(sim_state(c.member[0]) == COMMUNITY_UP);
	tear_down(&c);
}

static struct sim_node *liar_of(const struct scene *c)
{
	return c->member[0];
}

/* It says that it has confirmed whoever it is asked about. */
static void lie(struct scene *c)
{
	for (struct peer *p = community_of(liar_of(c))->peers; p != NULL; p = p->hh.next)
		p->trust.exempt = true;
}

static struct peer *peer_at(const struct sim_node *of, const struct sim_node *who)
{
	return peer_find(community_of(of), community_of(who)->party.self.public);
}

/* A member of whose words none is left: three were wrong. */
static void assert_is_not_believed(const struct scene *c)
{
	for (unsigned i = 1; i < MEMBERS; i++) {
		struct peer *liar = peer_at(c->member[i], liar_of(c));

		assert_non_null(liar);
		assert_null(guess_place(liar->trust.vouched, VOUCHED_MAX, c->s->now_ms));
	}
}

static void a_liar_helps_with_three_guesses(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, GUESSERS);
	attack(&c, lie);
	assert_is_not_believed(&c);
	c.guesses[0] = 1; /* the liar's own */
	assert_bounded(&c, MINUTES, 3);
	tear_down(&c);
}

/* Unasked, it vouches for everybody who is listed, all the time. */
static void flood(struct scene *c)
{
	for (unsigned i = 1; i < MEMBERS; i++) {
		struct peer *to = peer_at(liar_of(c), c->member[i]);
		struct control_vouch m = {.n = 0};
		uint8_t buf[CONTROL_MAX_LEN];
		struct writer w;

		for (struct peer *p = to->community->peers; p != NULL; p = p->hh.next)
			if (p->listed && m.n < VOUCH_MAX)
				memcpy(m.static_public[m.n++], p->remote, KEY_LEN);
		writer_init(&w, buf, sizeof(buf));
		control_vouch_encode(&w, CONTROL_VOUCH, &m);
		for (unsigned k = 0; k < 5; k++)
			send_packet(&liar_of(c)->node->core, to->session, KIND_CONTROL, buf,
				writer_len(&w), NULL);
	}
}

static void a_flood_of_words_helps_no_more(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, GUESSERS);
	attack(&c, flood);
	c.guesses[0] = 1;
	assert_bounded(&c, MINUTES, 3);
	for (unsigned i = 1; i < MEMBERS; i++)
		assert_in_range(HASH_COUNT(community_of(c.member[i])->peers), MEMBERS,
			MEMBERS + 6 * GUESSERS);
	tear_down(&c);
}

/* Of one session, through the relay, messages 1 under one static after the other. */
static void knock_on(struct scene *c, struct sim_node *from)
{
	uint8_t seed[SEED_LEN] = {1}, buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN];
	static struct party party;
	struct attempt a;

	c->guess++;
	store_be32(seed + 1, c->guess % STATICS);
	party_init_passphrase(&party, NAME, seed, seed);
	for (unsigned i = 0; i < MEMBERS; i++) {
		const struct peer *p = peer_at(from, c->member[i]);
		struct attempt_params params = {.remote = p->remote,
			.index = (c->guess * MEMBERS + i) << 2,
			.generation = 1,
			.freshness = c->guess};
		struct origin to;

		if (!session_way(p->session, &to))
			continue;
		assert_int_equal(attempt_start(&a, &party, &params, &c->s->random), 0);
		send_envelope(&from->node->core, &to, buf + RELAY_HEADER_LEN,
			attempt_datagram(&a, &party, buf + RELAY_HEADER_LEN, &c->s->random));
		attempt_wipe(&a);
	}
}

static void one_session_with_many_statics_delays_nobody(void **state)
{
	struct sim_node *newcomer;
	struct scene c;
	uint64_t began_ms;

	(void)state;
	set_up(&c, 1);
	sim_start(c.guesser[0]);
	sim_run(c.s, 5000);
	for (unsigned i = 0; i < 20 * 20; i++) {
		knock_on(&c, c.guesser[0]);
		sim_run(c.s, 50);
	}
	newcomer = add_edge(&c, 1);
	sim_start(newcomer);
	began_ms = c.s->now_ms;
	for (unsigned i = 0; i < 200 * 20 && newcomer->events[EVENT_PEER_UP] < MEMBERS; i++) {
		knock_on(&c, c.guesser[0]);
		sim_run(c.s, 50);
	}
	printf("a newcomer beside 20 handshakes a second of one session has all after %.1f s\n",
		(double)(c.s->now_ms - began_ms) / 1000);
	assert_int_equal(newcomer->events[EVENT_PEER_UP], MEMBERS);
	assert_in_range(c.s->now_ms - began_ms, 0, 30000);
	tear_down(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(false_statics_are_bounded),
		cmocka_unit_test(an_ex_member_is_nobody),
		cmocka_unit_test(a_liar_helps_with_three_guesses),
		cmocka_unit_test(a_flood_of_words_helps_no_more),
		cmocka_unit_test(one_session_with_many_statics_delays_nobody),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
