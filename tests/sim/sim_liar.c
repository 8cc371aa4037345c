/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A supernode that lies as well as it can. It has the real one's key and sessions, so everything it
 * says is genuine on the hop: rosters with keys and handles exchanged, members hidden or made up,
 * false addresses; and it stores, repeats, reorders, reflects, redirects, alters and swallows what
 * it relays. It can keep members apart; it gets no frame to anyone that was not sent there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/session/send.h"
#include "core/supernode/supernode_state.h"
#include "sim.h"

#include <cmocka.h>

#define EDGES  4
#define STORED 256

struct stored {
	uint32_t source; /* handle */
	size_t len;
	uint8_t data[SLOT_LEN];
};

struct liar {
	struct sim *s;
	struct sim_node *sn;
	struct role role; /* the real one, but for encode */
	const struct role *real;
	struct stored stored[STORED];	    /* what was relayed, a ring */
	size_t n_stored, n_sent, n_rosters; /* how often */
};

static bool at_times(struct liar *l, unsigned one_in)
{
	return sim_below(l->s, one_in) == 0;
}

/* ---- lies about who is there ---- */

static void swap_keys(struct roster_entry *a, struct roster_entry *b)
{
	uint8_t key[KEY_LEN];

	memcpy(key, a->static_public, KEY_LEN);
	memcpy(a->static_public, b->static_public, KEY_LEN);
	memcpy(b->static_public, key, KEY_LEN);
}

static void tamper(struct liar *l, struct control_roster *page)
{
	struct roster_entry *e;

	if (page->n == 0)
		return;
	e = &page->entry[sim_below(l->s, page->n)];
	switch (sim_below(l->s, 7)) {
	case 0:
		swap_keys(e, &page->entry[sim_below(l->s, page->n)]);
		break;
	case 1:
		e->handle = page->entry[sim_below(l->s, page->n)].handle;
		break;
	case 2:
		random_bytes(&l->s->random, e->static_public, KEY_LEN);
		break;
	case 3: /* each sees others: the roster is split */
		*e = page->entry[--page->n];
		break;
	case 4:
		e->incarnation ^= 1;
		break;
	case 5:
		e->gone = true;
		break;
	default:
		break;
	}
	if (at_times(l, 4))
		page->base = 0;
}

static void encode(
	struct node *n, struct session *s, enum control_type type, uint32_t seq, struct writer *w)
{
	struct liar *l = ((struct sim_node *)n->core.io.ctx)->user;
	struct member *m = s->owner;
	struct control_roster page;
	struct control_registered r = {.handle = member_handle(m), .lease_s = LEASE_S};

	if (type == CONTROL_ROSTER && member_page((struct supernode *)n, m, &page)) {
		tamper(l, &page);
		l->n_rosters++;
		control_roster_encode(w, seq, &page);
	} else if (type == CONTROL_REGISTERED && at_times(l, 2)) {
		r.observed = l->s->nodes[sim_below(l->s, l->s->n_nodes)]->address;
		control_registered_encode(w, seq, &r);
	} else {
		l->real->encode(n, s, type, seq, w);
	}
}

/* ---- lies about what was relayed ---- */

static struct member *any_member(struct liar *l)
{
	struct member *m = l->sn->supernode->members;
	unsigned skip = sim_below(l->s, EDGES);

	while (m != NULL && skip-- > 0 && m->hh.next != NULL)
		m = m->hh.next;
	return m;
}

/* One of the stored packets, to anybody, in anybody's name, perhaps altered. */
static void send_stored(struct liar *l)
{
	const struct stored *t = &l->stored[sim_below(l->s, STORED)];
	struct member *to = any_member(l), *source = any_member(l);
	uint8_t buf[SLOT_LEN + RELAY_HEADER_LEN];
	struct path path = {.hop = NULL};
	struct relay_burst relay;
	struct datagram d;

	if (t->len == 0 || to == NULL || source == NULL)
		return;
	memcpy(buf + RELAY_HEADER_LEN, t->data, t->len);
	if (at_times(l, 4))
		buf[RELAY_HEADER_LEN + sim_below(l->s, (uint32_t)t->len)] ^=
			(uint8_t)(1u << sim_below(l->s, 8));
	path.hop = &to->session->link;
	path.handle = at_times(l, 2) ? t->source : member_handle(source);
	if (!transmit_relay_begin(&l->sn->relay.tx, &relay, &path, 1, l->s->now_ms))
		return;
	transmit_relay_header(&relay, buf + RELAY_HEADER_LEN, t->len, &d);
	sim_inject(l->s, &l->sn->address, &d.way.remote, d.data, d.len, sim_below(l->s, 300));
	l->n_sent++;
}

static uint32_t handle_of(const struct liar *l, uint32_t index)
{
	const struct session *s = session_by_id(&l->sn->node->core, INDEX_ID(index));

	return s != NULL ? member_handle(s->owner) : 0;
}

/* Reads along as what is to be relayed arrives. */
static bool on_wire(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct liar *l = ctx;
	struct relay_header h;
	struct stored *t;
	uint8_t copy[SLOT_LEN];

	if (!from->is_edge || !endpoint_equal(&d->way.remote, &l->sn->address) ||
		d->len < RELAYED_MIN_LEN)
		return true;
	memcpy(copy, d->data, d->len);
	packet_mask(copy, d->len, RELAY_MASKED_LEN, l->sn->supernode->party.hop_mask);
	if (!relay_header_read(&h, copy) || handle_of(l, h.index) == 0)
		return true;
	t = &l->stored[l->n_stored++ % STORED];
	t->source = handle_of(l, h.index);
	t->len = d->len - RELAY_HEADER_LEN;
	memcpy(t->data, copy + RELAY_HEADER_LEN, t->len);
	for (unsigned i = sim_below(l->s, 3); i > 0; i--)
		send_stored(l);
	return !at_times(l, 5);
}

/* ---- the scene ---- */

static void corrupt(struct liar *l, struct sim *s, struct sim_node *sn)
{
	l->s = s;
	l->sn = sn;
	sn->user = l;
	l->real = sn->node->role;
	l->role = *l->real;
	l->role.encode = encode;
	sn->node->role = &l->role;
	s->wire = on_wire;
	s->wire_ctx = l;
}

static void talk_through(struct liar *l, struct sim_node *edge[EDGES])
{
	struct sim *s = l->s;

	for (unsigned i = 0; i < 3000; i++) {
		unsigned from = sim_below(s, EDGES);

		(void)sim_send(edge[from], edge[(from + 1 + sim_below(s, EDGES - 1)) % EDGES]);
		if (i % 50 == 0)
			(void)sim_broadcast(edge[from]);
		if (i % 100 == 99) /* so that rosters are told again */
			sim_move(edge[from], true);
		if (i % 700 == 699) {
			sim_stop(edge[from], at_times(l, 2));
			sim_start(edge[from]);
		}
		sim_run(s, 50);
		send_stored(l);
	}
}

/* An honest one takes its place: nothing of it all has stuck. */
static void replace(struct sim *s, struct sim_node *sn, struct sim_node *edge[EDGES])
{
	s->wire = NULL;
	sim_stop(sn, false);
	sim_start(sn);
	sim_run(s, 1000);
	assert_true(sim_until(s, 30000, sim_all_registered, s));
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < EDGES; k++)
			(void)sim_send(edge[k], edge[(k + 1 + i % (EDGES - 1)) % EDGES]);
		sim_run(s, 100);
	}
	assert_true(sim_all_up(s));
	sim_assert_clean(s);
}

static void lie(bool passphrase, bool direct, bool from_the_start, uint64_t seed)
{
	struct liar *l = calloc(1, sizeof(*l));
	struct sim *s = sim_create(seed, EDGES + 1);
	struct sim_node *sn = sim_add_supernode(s), *edge[EDGES];

	assert_non_null(l);
	for (unsigned i = 0; i < EDGES; i++) {
		edge[i] = sim_add_edge(s, &sim_key, sn);
		if (passphrase)
			sim_use_passphrase(edge[i], "mynetwork", 5);
	}
	sim_block_direct(s, true);
	if (direct)
		for (unsigned i = 1; i < EDGES; i++)
			sim_block(s, edge[i], edge[i - 1], false);
	sim_start_all(s);
	if (!from_the_start)
		assert_true(sim_until(s, 5000, sim_all_up, s));
	corrupt(l, s, sn);
	talk_through(l, edge);
	sim_assert_clean(s);
	assert_true(s->delivered > 0);
	assert_true(l->n_stored > STORED && l->n_sent > 1000 && l->n_rosters > 10);
	replace(s, sn, edge);
	sim_destroy(s);
	free(l);
}

static void relays_everything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		lie(false, false, i % 2 != 0, sim_seed() + i);
}

static void relays_beside_direct_paths(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		lie(false, true, i % 2 != 0, sim_seed() + i);
}

static void knows_no_passphrase(void **state)
{
	(void)state;
	lie(true, false, false, sim_seed());
	lie(true, true, true, sim_seed());
}

/* ---- too much of everything ---- */

#define ROUNDS 100

static void say(struct sim_node *sn, struct session *to, const struct writer *w)
{
	sn->node->core.now_ms = sn->sim->now_ms;
	send_packet(&sn->node->core, to, KIND_CONTROL, w->start, writer_len(w), NULL);
}

static void say_registered(struct sim_node *sn, struct session *to, uint32_t round)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	for (uint32_t i = 0; i < 20; i++) {
		const struct control_registered r = {.result = REGISTER_OK,
			.handle = round * 100 + i + 1,
			.lease_s = LEASE_S,
			.observed = endpoint_v4(0xcb007100 + i, 99)};

		control_registered_encode(&w, 0, &r);
	}
	assert_true(writer_ok(&w));
	say(sn, to, &w);
}

/* Each answer costs its edge a line in the log, and new paths to all. */
static void answers_without_end_are_not_taken(void **state)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *sn = sim_add_supernode(s), *edge[2];
	const struct hop *hop;
	struct session *at_sn;
	uint64_t began_ms;
	unsigned told;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		edge[i] = sim_add_edge(s, &sim_key, sn);
	sim_start_all(s);
	assert_true(sim_until(s, 5000, sim_all_up, s));
	hop = &edge[0]->edge->community[0]->hop;
	at_sn = member_find(sn->supernode, hop->party.self.public)->session;
	began_ms = s->now_ms;
	told = edge[0]->events[EVENT_SUPERNODE_UP] + edge[0]->events[EVENT_SUPERNODE_REFUSED];
	for (uint32_t i = 0; i < ROUNDS; i++) {
		say_registered(sn, at_sn, i);
		sim_run(s, 20);
	}
	told = edge[0]->events[EVENT_SUPERNODE_UP] + edge[0]->events[EVENT_SUPERNODE_REFUSED] -
	       told;
	assert_in_range(told, 1, 10 + 2 * ((s->now_ms - began_ms) / 1000 + 1));
	sim_destroy(s);
}

/* An address that nobody asked for is told to nobody. */
static void a_pong_answers_one_ping(void **state)
{
	struct sim *s = sim_create(sim_seed(), 2);
	struct sim_node *sn = sim_add_supernode(s);
	struct sim_node *edge = sim_add_edge(s, &sim_key, sn);
	struct control_pong pong = {.observed = endpoint_v4(0xcb007101, 99)};
	uint8_t buf[CONTROL_MAX_LEN];
	const struct hop *hop;
	struct writer w;

	(void)state;
	sim_start_all(s);
	sim_run(s, 15000);
	hop = &edge->edge->community[0]->hop;
	assert_int_equal(hop->unanswered_ms, 0);
	assert_int_not_equal(hop->token, 0);
	pong.token = hop->token;
	writer_init(&w, buf, sizeof(buf));
	control_pong_encode(&w, &pong);
	say(sn, member_find(sn->supernode, hop->party.self.public)->session, &w);
	sim_run(s, 100);
	assert_true(endpoint_equal(&hop->observed, &edge->address));
	sim_destroy(s);
}

/* Who once saw a HELLO, and forges the supernode's address, ends no session with that. */
static void a_hello_is_answered_before_a_key_is_proved(void **state)
{
	struct sim *s = sim_create(sim_seed(), 2);
	struct sim_node *sn = sim_add_supernode(s);
	struct sim_node *edge = sim_add_edge(s, &sim_key, sn);
	const struct msg_hello m = {.static_public = {7}, .answer = true};
	uint8_t body[ENVELOPE_BODY_MAX], out[ENVELOPE_MAX_LEN], key[KEY_LEN];
	const struct session *session;
	const struct hop *hop;
	size_t len;

	(void)state;
	edge->setup.supernode[0].given = false;
	sim_start_all(s);
	assert_true(sim_until(s, 5000, sim_all_registered, s));
	hop = &edge->edge->community[0]->hop;
	assert_int_not_equal(hop->hello.asked, 0);
	session = hop->session;
	len = msg_hello_encode(body, sizeof(body), &m, 100, &s->random);
	party_hello_key(key);
	for (unsigned i = 0; i < 2; i++) {
		envelope_seal(out, body, len, hop->hello.tag[i], TAG_LEN, key, &s->random);
		sim_inject(s, &sn->address, &edge->address, out, len + ENVELOPE_OVERHEAD, 10);
	}
	sim_run(s, 1000);
	assert_ptr_equal(hop->session, session);
	assert_int_equal(edge->events[EVENT_SUPERNODE_KEY_CHANGED], 0);
	assert_true(sim_all_registered(s));
	sim_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relays_everything),
		cmocka_unit_test(relays_beside_direct_paths),
		cmocka_unit_test(knows_no_passphrase),
		cmocka_unit_test(answers_without_end_are_not_taken),
		cmocka_unit_test(a_pong_answers_one_ping),
		cmocka_unit_test(a_hello_is_answered_before_a_key_is_proved),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
