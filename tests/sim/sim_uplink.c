/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A supernode is up only while what is sent to it gets there: that much is heard from there, of
 * others, says nothing of that, and what others answer through it does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/supernode/supernode_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES	  3
#define PAUSE_MS  8000 /* the longest between PINGs of an idle edge */
#define SILENT_MS 5000
#define LOST_MS	  6000
#define SLACK_MS  1500 /* when what is sent is asked about, and ticks */

/* Two supernodes and edges that are all at the first, with no direct paths. */
struct scene {
	struct sim *s;
	struct sim_node *sn, *second, *edge[EDGES];
	struct role role; /* of the first, but for message */
	const struct role *real;
	bool talks;	    /* frames go to the first edge */
	bool answers;	    /* and it sends some */
	uint64_t to_second; /* datagrams */
	uint64_t shown_ms;  /* that the first does not answer, first */
	uint64_t tried_ms;  /* the second by the first edge, first */
	size_t first_frame;
};

static bool on_wire(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;

	if (!endpoint_equal(&d->way.remote, &c->second->address))
		return true;
	c->to_second++;
	if (from == c->edge[0] && c->tried_ms == 0)
		c->tried_ms = c->s->now_ms;
	return true;
}

static void set_up(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), EDGES + 2)};
	c->sn = sim_add_supernode(c->s);
	c->second = sim_add_supernode(c->s);
	for (unsigned i = 0; i < EDGES; i++) {
		c->edge[i] = sim_add_edge(c->s, &sim_key, c->sn);
		sim_use_supernode(c->edge[i], c->second);
	}
	sim_all_links(c->s, &(struct sim_link){.delay_ms = 10});
	sim_block_direct(c->s, true);
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 5000, sim_all_up, c->s));
	sim_run(c->s, 10000);
	c->s->wire = on_wire;
	c->s->wire_ctx = c;
	c->first_frame = c->s->n_frames;
}

static void note_shown(struct scene *c)
{
	const struct community *at = c->edge[0]->edge->community[0];

	if (c->shown_ms == 0 && hop_state(at, c->s->now_ms) == SUPERNODE_NO_ANSWER)
		c->shown_ms = c->s->now_ms;
}

static void pass(struct scene *c, uint64_t ms)
{
	for (uint64_t end_ms = c->s->now_ms + ms; c->s->now_ms < end_ms;) {
		for (unsigned i = 1; c->talks && i < EDGES; i++)
			(void)sim_send(c->edge[i], c->edge[0]);
		if (c->answers)
			(void)sim_send(c->edge[0], c->edge[1]);
		sim_run(c->s, 50);
		note_shown(c);
	}
}

/* What it sends is lost from now on; what others send still comes. */
static void block_uplink(struct scene *c)
{
	sim_link(c->s, c->edge[0], c->sn)->blocked = true;
}

static void assert_left(const struct scene *c, uint64_t since_ms, uint64_t later_ms)
{
	assert_in_range(c->shown_ms - since_ms, SILENT_MS, SILENT_MS + later_ms);
	assert_in_range(c->tried_ms - since_ms, LOST_MS, LOST_MS + later_ms);
}

static void a_blocked_uplink_is_no_hop(struct scene *c, bool answers)
{
	uint64_t since_ms, heard;

	set_up(c);
	c->talks = true;
	c->answers = answers;
	pass(c, 3000);
	block_uplink(c);
	since_ms = c->s->now_ms;
	heard = c->edge[0]->frames_in;
	pass(c, LOST_MS + SLACK_MS);
	assert_true(c->edge[0]->frames_in > heard + 200);
	assert_left(c, since_ms, SLACK_MS);
	sim_destroy(c->s);
}

static void who_hears_others_and_reaches_nobody_goes_on(void **state)
{
	struct scene c;

	(void)state;
	a_blocked_uplink_is_no_hop(&c, true);
	a_blocked_uplink_is_no_hop(&c, false); /* it only shows them that it is there */
}

static void an_idle_one_is_asked_in_time(void **state)
{
	struct scene c;
	uint64_t since_ms;

	(void)state;
	set_up(&c);
	since_ms = c.s->now_ms;
	block_uplink(&c);
	pass(&c, PAUSE_MS + LOST_MS + SLACK_MS);
	assert_left(&c, since_ms, PAUSE_MS + SLACK_MS);
	sim_destroy(c.s);
}

/* ---- a supernode that relays, and says nothing itself ---- */

static void message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from)
{
	const struct scene *c = ((struct sim_node *)n->core.io.ctx)->user;

	if (m->type != CONTROL_PING)
		c->real->message(n, s, k, m, from);
}

static void answer_no_ping(struct scene *c)
{
	c->sn->user = c;
	c->real = c->sn->node->role;
	c->role = *c->real;
	c->role.message = message;
	c->sn->node->role = &c->role;
}

/* Nor to handshakes, which would end what is unanswered. */
static bool no_envelopes(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct scene *c = ctx;
	const uint8_t *key = c->sn->supernode->party.env_key;
	uint8_t body[ENVELOPE_BODY_MAX];

	if (endpoint_equal(&d->way.remote, &c->sn->address) && d->len >= ENVELOPE_MIN_LEN &&
		d->len <= ENVELOPE_MAX_LEN &&
		envelope_open(body, d->data, d->len, NULL, 0, key) == 0)
		return false;
	return on_wire(ctx, from, d);
}

static void who_relays_stays(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	answer_no_ping(&c);
	c.s->wire = no_envelopes;
	c.talks = c.answers = true;
	pass(&c, 60000);
	assert_int_equal(c.shown_ms, 0);
	assert_int_equal(c.to_second, 0);
	assert_int_not_equal(c.edge[0]->edge->community[0]->hop.unanswered_ms, 0);
	sim_run(c.s, 100);
	assert_int_equal(sim_missing(c.s, c.first_frame), 0);
	/* With nobody behind it that answers it is like any other. */
	sim_stop(c.edge[1], false);
	sim_stop(c.edge[2], false);
	c.talks = c.answers = false;
	pass(&c, LOST_MS + SLACK_MS);
	assert_int_not_equal(c.shown_ms, 0);
	assert_int_not_equal(c.tried_ms, 0);
	sim_destroy(c.s);
}

static void who_answers_stays(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	pass(&c, 60000); /* nothing is said */
	c.talks = true;
	pass(&c, 30000); /* one way */
	c.talks = false;
	c.answers = true;
	pass(&c, 30000); /* the other */
	assert_int_equal(c.shown_ms, 0);
	assert_int_equal(c.to_second, 0);
	sim_destroy(c.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_hears_others_and_reaches_nobody_goes_on),
		cmocka_unit_test(an_idle_one_is_asked_in_time),
		cmocka_unit_test(who_relays_stays),
		cmocka_unit_test(who_answers_stays),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
