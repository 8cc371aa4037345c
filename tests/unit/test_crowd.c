/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What many sessions from one place, or one session alone, may take of a supernode: room, messages
 * to others, bytes for a byte. Handshakes are left out: the sessions here have keys, and what they
 * say comes in as opened packets.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/control.h"
#include "core/session/send.h"
#include "core/supernode/supernode_state.h"
#include "core_test.h"

#define OVERHEAD   (DATA_OVERHEAD + 28) /* of a datagram with control messages, IPv4 and UDP */
#define CROWD_MAX  2000
#define ROUND_MS   100
#define PAGE_BYTES 1100 /* one page, as a datagram */

struct visitor {
	struct member *m;
	uint8_t secret[KEY_LEN], public[KEY_LEN];
	struct endpoint at;
};

struct world {
	struct supernode *sn;
	struct node *node;
	uint64_t seed, now_ms;
	uint64_t out, out_to_watched; /* bytes of datagrams */
	struct endpoint watched;
	unsigned events[EVENT_STATE + 1];
	unsigned n;
	struct visitor visitor[CROWD_MAX];
};

static void count_send(void *ctx, const struct datagram *d)
{
	struct world *w = ctx;

	w->out += d->len + 28;
	if (endpoint_equal(&d->way.remote, &w->watched))
		w->out_to_watched += d->len + 28;
}

static void count_event(void *ctx, const struct event *e)
{
	((struct world *)ctx)->events[e->kind]++;
}

static struct world *begin(void)
{
	struct world *w = calloc(1, sizeof(*w));
	struct supernode_config c = {.node = {.nworkers = 1, .embryos = 4}, .secret = {1}};

	assert_non_null(w);
	w->now_ms = 1000;
	c.node.now_ms = w->now_ms;
	c.node.io = (struct core_io){.ctx = w,
		.send = count_send,
		.event = count_event,
		.random = seeded_random(&w->seed)};
	w->sn = supernode_create(&c);
	assert_non_null(w->sn);
	w->node = supernode_node(w->sn);
	return w;
}

static void end(struct world *w)
{
	supernode_destroy(w->sn);
	free(w);
}

/* What workers do not look at may go. */
static void pass(struct world *w, unsigned ms)
{
	w->now_ms += ms;
	node_tick(w->node, w->now_ms);
	(void)node_view_changed(w->node);
	retired_destroy(core_take_retired(&w->node->core));
}

static struct endpoint host(uint32_t number)
{
	return endpoint_v4(UINT32_C(0x0a000000) | number, 4000);
}

/* A session with a member of one community, as after a handshake; NULL: not let in. */
static struct visitor *come(struct world *w, const struct endpoint *at)
{
	struct visitor *v = &w->visitor[w->n];
	uint8_t remote[KEY_LEN] = {9};

	assert_true(w->n < CROWD_MAX);
	store_be32(remote + 1, w->n);
	store_be32(v->secret, w->n + 1);
	v->at = *at;
	v->m = member_create(w->sn, remote, at);
	if (v->m == NULL)
		return NULL;
	w->n++;
	return v;
}

/* The same with keys, and a static that can be proved. */
static struct visitor *come_with_keys(struct world *w, const struct endpoint *at)
{
	struct visitor *v = come(w, at);
	const struct way way = way_to(at);
	struct session *s;

	assert_non_null(v);
	s = v->m->session;
	crypto_x25519_public(v->public, v->secret);
	keyset_destroy(test_keys(&w->node->core, s, s->link.id << 2, (uint8_t)w->n));
	path_use(&w->node->core, s, &way);
	return v;
}

/* A packet of its comes in, opened; from is where it says to come from. Returns its bytes. */
static size_t say(struct world *w, struct visitor *v, const struct writer *wr)
{
	struct session *s = v->m->session;
	const struct origin from = {.way = way_to(&v->at)};
	uint8_t plain[CONTROL_MAX_LEN];

	assert_true(writer_ok(wr));
	memcpy(plain, wr->start, writer_len(wr));
	atomic_store(&s->link.rx_ms, w->now_ms);
	control_input(w->node, s, s->current, plain, writer_len(wr), &from);
	return writer_len(wr) + OVERHEAD;
}

static size_t say_register(
	struct world *w, struct visitor *v, uint32_t seq, uint32_t incarnation, uint64_t version)
{
	struct control_register r = {
		.tag = {5}, .incarnation = incarnation, .roster_version = version};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer wr;

	memcpy(r.static_public, v->public, KEY_LEN);
	assert_int_equal(party_register_proof(r.proof, v->secret, supernode_public(w->sn),
				 v->m->session->current->hash, r.tag, v->public),
		0);
	writer_init(&wr, buf, sizeof(buf));
	control_register_encode(&wr, seq, &r);
	return say(w, v, &wr);
}

/* Acknowledges what it was sent, whatever that is. Returns the bytes that takes. */
static size_t acknowledge(struct world *w, struct visitor *v)
{
	const struct outbox *o = &v->m->session->out;
	struct control_ack ack = {.n = 0};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer wr;

	for (unsigned type = 0; type < CONTROL_TYPES; type++)
		if (o->seq[type] != 0 && o->tries[type] > 0)
			ack.range[ack.n].first = ack.range[ack.n].last = o->seq[type], ack.n++;
	if (ack.n == 0)
		return 0;
	writer_init(&wr, buf, sizeof(buf));
	control_ack_encode(&wr, &ack);
	return say(w, v, &wr);
}

/* ---- room ---- */

static enum register_result enter(struct world *w, struct visitor *v, uint8_t community)
{
	struct control_register r = {.tag = {community}};

	memcpy(r.static_public, v->secret, KEY_LEN);
	return member_register(w->sn, v->m, &r);
}

/* Comes, registers, and leaves if it was refused; true when it got in. */
static bool gets_in(struct world *w, const struct endpoint *at, uint8_t community)
{
	struct visitor *v = come(w, at);

	if (v == NULL)
		return false;
	if (enter(w, v, community) == REGISTER_OK)
		return true;
	member_remove(w->sn, v->m);
	w->n--;
	return false;
}

static void one_address_does_not_fill_a_community(void **state)
{
	const struct endpoint crowd = host(66), newcomer = host(1);
	struct world *w = begin();
	unsigned in = 0;

	(void)state;
	for (unsigned i = 0; i < 999; i++) {
		in += gets_in(w, &crowd, 1);
		w->now_ms += i % 5 < 2 ? 3 : 2; /* 2.4 s in all */
		w->node->core.now_ms = w->now_ms;
	}
	printf("of 999 registrations from one address in 2.4 s %u got in\n", in);
	assert_in_range(in, PER_ADDRESS_DEFAULT, PER_ADDRESS_DEFAULT + 5);
	for (unsigned i = 0; i < 1000 - PER_ADDRESS_DEFAULT - 5; i++) {
		const struct endpoint at = host(1000 + i);

		assert_true(gets_in(w, &at, 1));
	}
	assert_true(come(w, &newcomer) != NULL);
	end(w);
}

/* Not with 65,536 networks of IPv6 either. */
static void one_site_does_not_fill_a_community(void **state)
{
	const struct endpoint newcomer = {{0x20, 1, 0x0d, 0xb8, 0, 2}, 7};
	struct world *w = begin();
	unsigned in = 0;

	(void)state;
	for (unsigned i = 0; i < 65536; i++) {
		struct endpoint at = {{0x20, 1, 0x0d, 0xb8, 0, 1}, 7};

		store_be16(at.ip + 6, (uint16_t)i);
		in += gets_in(w, &at, 1);
	}
	printf("of 65,536 registrations from as many networks of one /48 %u got in\n", in);
	assert_int_equal(in, 2 * PER_ADDRESS_DEFAULT);
	assert_true(gets_in(w, &newcomer, 1));
	end(w);
}

/* Over all communities, and with all the time that it takes. */
static void one_address_does_not_fill_a_supernode(void **state)
{
	const struct endpoint crowd = host(66), newcomer = host(1);
	struct world *w = begin();
	unsigned in = 0;

	(void)state;
	for (unsigned i = 0; i < 19999; i++) {
		in += gets_in(w, &crowd, (uint8_t)(i / 999));
		w->now_ms += 50;
		w->node->core.now_ms = w->now_ms;
	}
	printf("of 19,999 registrations from one address in 1,000 s %u got in\n", in);
	assert_int_equal(in, 4 * PER_ADDRESS_DEFAULT);
	assert_true(gets_in(w, &newcomer, 0));
	/* A place of its own costs a member so much: what is beside its session and entry. */
	printf("bytes of a member %zu, of its place %zu, of its session %zu\n",
		sizeof(struct member), sizeof(struct source), sizeof(struct session));
	assert_true(sizeof(struct source) <= 96);
	end(w);
}

/* Nor does who comes, goes and comes again make all the others hear of it each time. */
static void one_address_does_not_come_and_go_without_end(void **state)
{
	const struct endpoint crowd = host(66);
	struct world *w = begin();
	unsigned in = 0;

	(void)state;
	for (unsigned i = 0; i < 6000; i++) {
		in += gets_in(w, &crowd, 1);
		if (w->n > 0)
			member_remove(w->sn, w->visitor[--w->n].m);
		pass(w, 10);
	}
	printf("of 6,000 arrivals from one address in 60 s %u were told to others\n", in);
	assert_in_range(in, PER_ADDRESS_DEFAULT, 2 * PER_ADDRESS_DEFAULT + 1);
	assert_int_equal(w->events[EVENT_MEMBER_UP], in);
	end(w);
}

/* 200 sessions that name two new statics a second. */
static void a_session_is_one_member(void **state)
{
	struct world *w = begin();
	uint32_t number = 5000;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		const struct endpoint at = host(i);

		(void)come_with_keys(w, &at);
	}
	for (unsigned round = 0; round < 24; round++) {
		for (unsigned i = 0; i < 200; i++) {
			struct visitor *v = &w->visitor[i];

			store_be32(v->secret, ++number);
			crypto_x25519_public(v->public, v->secret);
			(void)say_register(w, v, round + 1, 1, 0);
			(void)acknowledge(w, v);
		}
		pass(w, 500);
	}
	printf("200 sessions named %u statics in 12 s: %u were listed\n", 24 * 200,
		w->events[EVENT_MEMBER_UP]);
	assert_int_equal(w->events[EVENT_MEMBER_UP], 200);
	assert_int_equal(w->events[EVENT_MEMBER_DOWN], 0);
	assert_int_equal(HASH_COUNT(w->sn->registry.entries), 200);
	end(w);
}

/* Who was let in at one address and turns up at a full one has no place there. */
static void nobody_moves_to_where_there_is_no_room(void **state)
{
	const struct endpoint full = host(66), room = host(67), home = host(1);
	struct world *w = begin();
	struct visitor *v;
	struct way way;

	(void)state;
	for (unsigned i = 0; i < PER_ADDRESS_DEFAULT; i++)
		assert_true(gets_in(w, &full, 5));
	v = come_with_keys(w, &home);
	(void)say_register(w, v, 1, 1, 0);
	assert_int_not_equal(member_handle(v->m), 0);
	way = way_to(&room);
	path_use(&w->node->core, v->m->session, &way);
	assert_true(member_moved(w->sn, v->m));
	assert_true(source_has(v->m->source, &room));
	assert_int_not_equal(member_handle(v->m), 0);
	/* Nothing is left where it was. */
	assert_false(gets_in(w, &full, 5));
	way = way_to(&full);
	path_use(&w->node->core, v->m->session, &way);
	assert_false(member_moved(w->sn, v->m));
	assert_int_equal(member_handle(v->m), 0);
	assert_int_equal(w->events[EVENT_MEMBER_DOWN], 1);
	end(w);
}

/* ---- bytes ---- */

/*
 * 900 sessions say twice a second that they are new processes; each acknowledges at once. Every
 * member is told of all, as often as it may have a page.
 */
static void changes_are_told_together(void **state)
{
	enum {
		SESSIONS = 900,
		ROUNDS = 200
	};
	struct world *w = begin();
	uint64_t in = 0, at_half = 0;
	uint32_t seq = 0;
	unsigned bound;

	(void)state;
	for (unsigned i = 0; i < SESSIONS; i++) {
		const struct endpoint at = host(i / 250);

		(void)say_register(w, come_with_keys(w, &at), 1, 1, 0);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		seq += round % 5 == 0;
		for (unsigned i = round % 5; i < SESSIONS; i += 5)
			in += say_register(w, &w->visitor[i], seq + 1, seq + 1, UINT64_MAX);
		pass(w, ROUND_MS);
		for (unsigned i = 0; i < SESSIONS; i++)
			in += acknowledge(w, &w->visitor[i]);
		if (round == ROUNDS / 2)
			at_half = w->out;
	}
	printf("900 sessions that change: %.1f MB/s out of %.1f MB/s in over %d s, then %.1f "
	       "MB/s\n",
		(double)w->out / 1e6 / (ROUNDS / 10), (double)in / 1e6 / (ROUNDS / 10), ROUNDS / 10,
		(double)(w->out - at_half) / 1e6 / (ROUNDS / 20));
	/* 48 pages at once, two a second, and the answers to REGISTER. */
	bound = SESSIONS * (48 + 2 * ROUNDS / 10 + 1) * PAGE_BYTES;
	assert_in_range(
		w->out, 1000000, bound + 2 * ROUNDS / 10 * SESSIONS * (100u + SEND_PAD_MAX));
	assert_in_range(w->out - at_half, 1000000,
		SESSIONS * (ROUNDS / 20) * (2 * PAGE_BYTES + 250u + 2 * SEND_PAD_MAX));
	end(w);
}

/* One who comes alone is told to the others, and is told of them, without delay. */
static void who_comes_is_told_at_once(void **state)
{
	enum {
		OTHERS = 999
	};
	const struct endpoint home = host(1);
	struct world *w = begin();
	struct visitor *v;
	uint64_t asked_ms;

	(void)state;
	for (unsigned i = 0; i < OTHERS; i++) {
		const struct endpoint at = host(1000 + i);

		(void)say_register(w, come_with_keys(w, &at), 1, 1, 0);
	}
	for (unsigned round = 0; round < 600; round++) {
		for (unsigned i = 0; i < OTHERS; i++) {
			(void)acknowledge(w, &w->visitor[i]);
			atomic_store(&w->visitor[i].m->session->link.rx_ms, w->now_ms);
		}
		pass(w, ROUND_MS);
	}
	for (unsigned i = 0; i < OTHERS; i++)
		assert_false(outbox_holds(&w->visitor[i].m->session->out, CONTROL_ROSTER));
	v = come_with_keys(w, &home);
	asked_ms = w->now_ms;
	(void)say_register(w, v, 1, 1, 0);
	pass(w, ROUND_MS);
	for (unsigned i = 0; i < OTHERS; i++)
		assert_int_equal(w->visitor[i].m->session->out.tries[CONTROL_ROSTER], 1);
	/* A page each time that it acknowledges one. */
	while (v->m->cursor.known != v->m->entry->community->version && w->now_ms < 1000000) {
		(void)acknowledge(w, v);
		pass(w, ROUND_MS);
	}
	printf("a newcomer had the roster of 999 after %u pages of %u ms\n",
		(unsigned)(w->now_ms - asked_ms) / ROUND_MS, ROUND_MS);
	assert_in_range(w->now_ms - asked_ms, 40 * ROUND_MS, 46 * ROUND_MS);
	end(w);
}

/*
 * A registered session that says REGISTER twice a second, as if it knew nothing, and acknowledges
 * nothing: its address may be somebody else's by now.
 */
static void who_never_acknowledges_gets_little(void **state)
{
	enum {
		SECONDS = 60
	};
	struct world *w = begin();
	struct visitor *v;
	uint64_t in = 0;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		const struct endpoint at = host(100 + i);

		assert_true(gets_in(w, &at, 5));
	}
	w->watched = host(1);
	v = come_with_keys(w, &w->watched);
	for (unsigned round = 0; round < SECONDS * 10; round++) {
		for (unsigned i = 0; i < 60; i++)
			atomic_store(&w->visitor[i].m->session->link.rx_ms, w->now_ms);
		if (round % 5 == 0)
			in += say_register(w, v, round + 1, 1, 0);
		pass(w, ROUND_MS);
	}
	printf("REGISTER twice a second, never acknowledged: %u bytes out, %u bytes in, %.1f "
	       "times\n",
		(unsigned)w->out_to_watched, (unsigned)in, (double)w->out_to_watched / (double)in);
	/* Six pages with REGISTERED, and to each REGISTER an ACK that is no longer. */
	assert_in_range(w->out_to_watched, 1, in + 6 * (PAGE_BYTES + 50 + SEND_PAD_MAX));
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_does_not_fill_a_community),
		cmocka_unit_test(one_site_does_not_fill_a_community),
		cmocka_unit_test(one_address_does_not_fill_a_supernode),
		cmocka_unit_test(one_address_does_not_come_and_go_without_end),
		cmocka_unit_test(a_session_is_one_member),
		cmocka_unit_test(nobody_moves_to_where_there_is_no_room),
		cmocka_unit_test(changes_are_told_together),
		cmocka_unit_test(who_comes_is_told_at_once),
		cmocka_unit_test(who_never_acknowledges_gets_little),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
