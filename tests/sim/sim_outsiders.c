/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Edges that know the community but not its secret: nothing of theirs gets in, they are told why,
 * and the members notice nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"
#include "sim.h"

#include <cmocka.h>

#define MEMBERS 3

struct scene {
	struct sim *s;
	struct sim_node *sn, *member[MEMBERS], *outsider;
	struct community_key other;
};

static void set_up(struct scene *c, bool passphrase, unsigned max_nodes)
{
	*c = (struct scene){.s = sim_create(sim_seed(), max_nodes), .other = sim_key};
	c->sn = sim_add_supernode(c->s);
	c->other.key[0] ^= 1;
	for (unsigned i = 0; i < MEMBERS; i++) {
		c->member[i] = sim_add_edge(c->s, &sim_key, c->sn);
		if (passphrase)
			sim_use_passphrase(c->member[i], "mynetwork", 1);
	}
	c->outsider = sim_add_edge(c->s, &c->other, c->sn);
	if (passphrase)
		sim_use_passphrase(c->outsider, "mynetwork", 2);
}

/* The members talk, the outsider tries; a second at a time. */
static void talk(struct scene *c, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		size_t first = c->s->n_frames;

		for (unsigned k = 0; k < MEMBERS; k++)
			(void)sim_send(c->member[k], c->member[(k + 1 + i % 2) % MEMBERS]);
		sim_run(c->s, 500);
		assert_int_equal(sim_missing(c->s, first), 0);
		for (unsigned k = 0; k < MEMBERS; k++) {
			(void)sim_send(c->outsider, c->member[k]);
			(void)sim_send(c->member[k], c->outsider);
		}
		(void)sim_broadcast(c->outsider);
		sim_run(c->s, 500);
	}
}

static void assert_nothing_passed(const struct scene *c)
{
	for (size_t i = 0; i < c->s->n_frames; i++) {
		const struct sim_frame *f = &c->s->frames[i];

		if (f->from == c->outsider->number || f->to == c->outsider->number)
			assert_int_equal(f->count, 0);
	}
	assert_int_equal(c->outsider->frames_in, 0);
	assert_int_equal(c->outsider->events[EVENT_PEER_UP], 0);
	for (unsigned i = 0; i < MEMBERS; i++) {
		assert_int_equal(c->member[i]->events[EVENT_PEER_UP], MEMBERS - 1);
		assert_int_equal(c->member[i]->events[EVENT_PEER_DOWN], 0);
		assert_int_equal(c->member[i]->events[EVENT_WRONG_KEY], 0);
		assert_int_equal(c->member[i]->events[EVENT_WRONG_PASSPHRASE], 0);
		assert_int_equal(sim_state(c->member[i]), COMMUNITY_UP);
	}
	sim_assert_clean(c->s);
}

static void wrong_key_is_told(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, false, 5);
	sim_start_all(c.s);
	sim_run(c.s, 4000);
	talk(&c, 61);
	assert_int_equal(sim_state(c.outsider), COMMUNITY_WRONG_KEY);
	assert_int_equal(c.outsider->events[EVENT_WRONG_KEY], 1);
	talk(&c, 300);
	assert_int_equal(sim_state(c.outsider), COMMUNITY_WRONG_KEY);
	assert_int_equal(c.outsider->events[EVENT_WRONG_KEY], 1);
	assert_nothing_passed(&c);
	sim_destroy(c.s);
}

static void wrong_passphrase_is_told(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, true, 5);
	sim_start_all(c.s);
	sim_run(c.s, 4000);
	talk(&c, 30);
	assert_int_equal(sim_state(c.outsider), COMMUNITY_WRONG_PASSPHRASE);
	assert_int_equal(c.outsider->events[EVENT_WRONG_PASSPHRASE], 1);
	talk(&c, 300);
	assert_int_equal(sim_state(c.outsider), COMMUNITY_WRONG_PASSPHRASE);
	assert_nothing_passed(&c);
	sim_destroy(c.s);
}

/* It corrects itself, and the reason goes away. */
static void right_key_later(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, false, 5);
	sim_start_all(c.s);
	sim_run(c.s, 70000);
	sim_stop(c.outsider, true);
	c.outsider->setup.key = sim_key;
	sim_start(c.outsider);
	sim_run(c.s, 3000);
	assert_int_equal(sim_state(c.outsider), COMMUNITY_UP);
	assert_true(sim_all_up(c.s));
	sim_destroy(c.s);
}

/*
 * One that is listed and never answers is wanted for ever. A frame for all that comes when the tick
 * is due already, as a timer may be late, must not keep the control thread looking at it.
 */
static void a_frame_before_a_late_tick_ends(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c, false, 5);
	sim_start_all(c.s);
	sim_run(c.s, 4000);
	talk(&c, 61);
	for (unsigned i = 0; i < 3 * MEMBERS; i++) {
		struct node *n = c.member[i % MEMBERS]->node;
		struct note note = {.kind = NOTE_FRAME, .len = FRAME_MIN};

		note.to.generation = c.member[i % MEMBERS]->edge->community[0]->generation;
		memset(note.data, 0xff, FRAME_MIN);
		node_note(n, &note, n->core.flush_ms + i / MEMBERS);
		sim_run(c.s, 1000 + i);
	}
	assert_nothing_passed(&c);
	sim_destroy(c.s);
}

/*
 * An outsider that registers, which needs no secret, and whose packets then have the address of a
 * victim: the supernode must not send there more than came.
 */
#define MANY 40

struct forger {
	struct sim *s;
	struct sim_node *sn, *node;
	struct endpoint victim;
	size_t sent, reflected;
};

static struct session *hop_of_forger(const struct forger *f)
{
	return f->node->edge->community[0]->hop.session;
}

static bool forge(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct forger *f = ctx;
	const struct session *hop = f->node->up ? hop_of_forger(f) : NULL;

	if (from == f->sn && endpoint_equal(&d->way.remote, &f->victim))
		f->reflected += d->len;
	if (from != f->node)
		return true;
	f->sent += d->len;
	/* What answers its handshake it has to get. */
	if (hop == NULL || hop->current == NULL)
		return true;
	sim_inject(f->s, &f->victim, &d->way.remote, d->data, d->len, 5);
	return false;
}

static void ask_for_the_roster(struct forger *f, bool anew)
{
	const struct control_ack all = {.n = 1, .range = {{.first = 0, .last = UINT32_MAX}}};
	struct session *hop = hop_of_forger(f);
	uint8_t buf[64];
	struct writer w;

	if (hop == NULL || hop->current == NULL)
		return;
	if (anew)
		session_post(&f->node->node->core, hop, CONTROL_REGISTER);
	writer_init(&w, buf, sizeof(buf));
	control_ack_encode(&w, &all);
	send_packet(&f->node->node->core, hop, KIND_CONTROL, buf, writer_len(&w), NULL);
}

static void forged_addresses_get_no_more_than_was_sent(void **state)
{
	struct forger f = {.victim = endpoint_v4(0xcb007105, 4444)};
	struct community_key other = sim_key;

	(void)state;
	other.key[0] ^= 1;
	f.s = sim_create(sim_seed(), MANY + 2);
	f.sn = sim_add_supernode(f.s);
	for (unsigned i = 0; i < MANY; i++)
		(void)sim_add_edge(f.s, &sim_key, f.sn);
	sim_start_all(f.s);
	sim_run(f.s, 4000);
	f.node = sim_add_edge(f.s, &other, f.sn);
	f.s->wire = forge;
	f.s->wire_ctx = &f;
	sim_start(f.node);
	for (unsigned i = 0; i < 1000; i++) {
		ask_for_the_roster(&f, i % 50 == 0);
		sim_run(f.s, 10);
	}
	assert_true(f.sent > 1000);
	assert_in_range(f.reflected, 0, f.sent);
	sim_destroy(f.s);
}

/*
 * Guessers with new keys all the time: the failed handshakes that a member lets happen stay
 * within the bound, and someone who knows the passphrase still gets in.
 */
#define GUESSERS 15
#define MINUTES	 5

static void start_guesser(struct sim_node *n, unsigned guess)
{
	sim_stop(n, false);
	sim_forget_state(n);
	store_be32(n->setup.seed, guess);
	store_be32(n->setup.prs, guess);
	sim_start(n);
}

static void guessing_is_slow(void **state)
{
	struct sim_node *guesser[GUESSERS], *newcomer;
	unsigned guess = 0, failed;
	struct scene c;

	(void)state;
	set_up(&c, true, GUESSERS + 6);
	sim_start_all(c.s);
	sim_run(c.s, 4000);
	for (unsigned i = 0; i < GUESSERS; i++) {
		guesser[i] = sim_add_edge(c.s, NULL, c.sn);
		sim_use_passphrase(guesser[i], "mynetwork", 2);
	}
	for (unsigned i = 0; i < MINUTES * 6; i++) {
		for (unsigned k = 0; k < GUESSERS; k++)
			start_guesser(guesser[k], ++guess);
		sim_run(c.s, 10000);
	}
	for (unsigned i = 0; i < MEMBERS; i++) {
		failed = c.member[i]->edge->community[0]->unfit;
		/* 10 in the first minute at once, then one each 6 s, started by either side. */
		assert_in_range(failed, 10, 10 + 10 * MINUTES);
		assert_true(c.member[i]->events[EVENT_GUESSING] > 0);
	}
	for (unsigned k = 0; k < GUESSERS; k++)
		assert_int_equal(guesser[k]->frames_in, 0);
	newcomer = sim_add_edge(c.s, NULL, c.sn);
	sim_use_passphrase(newcomer, "mynetwork", 1);
	sim_start(newcomer);
	for (unsigned i = 0; i < 180 && newcomer->events[EVENT_PEER_UP] == 0; i++)
		sim_run(c.s, 10000);
	assert_true(newcomer->events[EVENT_PEER_UP] > 0);
	sim_assert_clean(c.s);
	sim_destroy(c.s);
}

/* Honest newcomers are not held up by the budget when many start at once. */
static void many_start_at_once(void **state)
{
	struct sim *s = sim_create(sim_seed(), 41);
	struct sim_node *sn = sim_add_supernode(s);

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		sim_use_passphrase(sim_add_edge(s, &sim_key, sn), "mynetwork", 1);
	sim_all_links(s, &(struct sim_link){.delay_ms = 20, .jitter_ms = 20, .loss = 20});
	sim_start_all(s);
	assert_true(sim_until(s, 30000, sim_all_up, s));
	sim_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_key_is_told),
		cmocka_unit_test(a_frame_before_a_late_tick_ends),
		cmocka_unit_test(forged_addresses_get_no_more_than_was_sent),
		cmocka_unit_test(wrong_passphrase_is_told),
		cmocka_unit_test(right_key_later),
		cmocka_unit_test(guessing_is_slow),
		cmocka_unit_test(many_start_at_once),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
