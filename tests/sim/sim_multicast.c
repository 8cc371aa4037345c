/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streams to groups go to who listens: hosts at the edges' interfaces speak IGMP and MLD, and what
 * comes to each of them, and to each node over the network, is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../membership_frames.h"
#include "../own_queries.h"
#include "core/edge/edge_state.h"
#include "core/edge/snoop.h"
#include "sim.h"

#include <cmocka.h>

#define MANY	   50
#define STREAMS	   64
#define STREAM_LEN 1400
#define LONG	   1000 /* no control packet is as long that is sent unasked */
#define LEARNED_MS 6000 /* from the start on */
#define NUMBER_AT  100	/* of a stream's frame: its number */
#define NUMBERS	   8192
#define LISTENERS  20 /* of a stream by one copy */

static const uint8_t any_v4[4] = {224, 0, 0, 22}, all_v4[4] = {224, 0, 0, 1};
static const uint8_t mld_v2[16] = {0xff, 2, [15] = 0x16}, all_v6[16] = {0xff, 2, [15] = 1};

/* A host at each interface, which listens to group .number of 239.1.2.0/24 if it is not 0. */
struct host {
	uint8_t group, vlan;
	bool v6, mute;
	bool asked;	     /* since it answered */
	unsigned queries[2]; /* of IPv4 and IPv6, of an edge */
	unsigned tagged;     /* of them in VLAN 5 */
	unsigned advertised;
	unsigned reports, others; /* of others' hosts; queries that no edge asks */
	uint64_t bytes, frames;	  /* of streams */
	uint64_t first_ms, last_ms;
	uint64_t wire; /* bytes of long datagrams that came to its node */
	unsigned twice;
	uint8_t seen[NUMBERS / 8];
};

struct net {
	struct sim *s;
	struct sim_node *sn, *edge[MANY + 1];
	unsigned n;
	struct host host[MANY + 2]; /* by number of the node */
	uint32_t number;	    /* of the next frame of a stream */
	unsigned uplink;	    /* long datagrams of the first edge */
};

static void note_number(struct host *h, const struct joined *j)
{
	uint32_t number;

	if (j->piece[0].len < STREAM_LEN)
		return;
	number = load_be32(j->piece[0].data + NUMBER_AT) % NUMBERS;
	h->twice += h->seen[number / 8] >> number % 8 & 1;
	h->seen[number / 8] |= (uint8_t)(1 << number % 8);
}

static bool look(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct net *n = ctx;
	struct host *h = &n->host[at->number];
	const uint8_t *data = j->piece[0].data;
	struct membership m;

	if (is_own_query(data, j->piece[0].len)) {
		assert_true(membership_read(&m, data, j->piece[0].len));
		h->advertised += m.kind == MEMBERSHIP_ROUTER;
		if (m.kind == MEMBERSHIP_ROUTER || m.vlan != h->vlan)
			return false;
		h->queries[m.v6]++;
		h->tagged += m.vlan == 5;
		h->asked = true;
	} else if (membership_read(&m, data, j->piece[0].len)) {
		h->reports += m.kind != MEMBERSHIP_QUERY;
		h->others += m.kind == MEMBERSHIP_QUERY;
	} else if (load_be16(data + 12) == 0x0800 || load_be16(data + 12) == 0x86dd) {
		if (h->frames++ == 0)
			h->first_ms = n->s->now_ms;
		note_number(h, j);
		h->last_ms = n->s->now_ms;
		for (size_t i = 0; i < j->n_pieces; i++)
			h->bytes += j->piece[i].len;
	}
	return false;
}

static bool count(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct net *n = ctx;

	n->uplink += from == n->edge[0] && d->len >= LONG;
	for (unsigned i = 0; d->len >= LONG && i < n->s->n_nodes; i++)
		if (endpoint_equal(&n->s->nodes[i]->address, &d->way.remote))
			n->host[i].wire += d->len;
	return true;
}

static struct host *host_of(struct net *n, unsigned edge)
{
	return &n->host[n->edge[edge]->number];
}

/* ---- what hosts say ---- */

static const uint8_t *mac_of(unsigned edge)
{
	static _Thread_local struct mac mac;

	mac = (struct mac){{2, 0, 0, 0, 0, (uint8_t)(edge + 1)}};
	return mac.b;
}

static void hand(struct net *n, unsigned edge, const struct said *s)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = s->len};

	memcpy(f.data, s->data, s->len);
	sim_frames_from(n->edge[edge], 0, &f, 1);
}

static void ip_of(unsigned edge, uint8_t ip[4])
{
	memcpy(ip, (uint8_t[]){10, 9, 9, (uint8_t)(edge + 1)}, 4);
}

/* TO_EX{} joins, TO_IN{} leaves. */
static void record(struct net *n, unsigned edge, uint8_t kind, const uint8_t group[4])
{
	uint8_t message[16] = {0x22, [7] = 1, kind}, ip[4];
	struct said s;

	memcpy(message + 12, group, 4);
	ip_of(edge, ip);
	say_v4(&s, mac_of(edge), host_of(n, edge)->vlan, ip, any_v4, 2, message, sizeof(message));
	hand(n, edge, &s);
}

static void record_v6(struct net *n, unsigned edge, uint8_t kind, const uint8_t group[16])
{
	uint8_t message[28] = {143, [7] = 1, kind}, ip[16] = {0xfe, 0x80, [15] = (uint8_t)edge};
	struct said s;

	memcpy(message + 12, group, 16);
	say_v6(&s, mac_of(edge), host_of(n, edge)->vlan, ip, mld_v2, message, sizeof(message));
	hand(n, edge, &s);
}

static void group_v4(uint8_t number, uint8_t out[4])
{
	memcpy(out, (uint8_t[]){239, 1, 2, number}, 4);
}

static void group_v6(uint8_t number, uint8_t out[16])
{
	memset(out, 0, 16);
	out[0] = 0xff;
	out[1] = 5;
	out[15] = number;
}

static void speak(struct net *n, unsigned edge, uint8_t kind)
{
	struct host *h = host_of(n, edge);
	uint8_t v4[4], v6[16];

	group_v4(h->group, v4);
	group_v6(h->group, v6);
	if (h->v6)
		record_v6(n, edge, kind, v6);
	else
		record(n, edge, kind, v4);
}

static void join(struct net *n, unsigned edge, uint8_t group)
{
	host_of(n, edge)->group = group;
	speak(n, edge, 4);
}

static void leave(struct net *n, unsigned edge)
{
	speak(n, edge, 3);
	host_of(n, edge)->group = 0;
}

/* A frame of a stream to this address. */
static void stream_to(struct net *n, unsigned edge, const uint8_t group[4])
{
	static const uint8_t nothing[STREAM_LEN];
	uint8_t slot[SLOT_LEN], ip[4];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = STREAM_LEN};
	struct said s;

	ip_of(edge, ip);
	say_v4(&s, mac_of(edge), host_of(n, edge)->vlan, ip, group, 17, nothing, 8);
	memcpy(f.data, nothing, STREAM_LEN);
	memcpy(f.data, s.data, s.len);
	store_be32(f.data + NUMBER_AT, n->number++);
	sim_frames_from(n->edge[edge], 0, &f, 1);
}

static void stream(struct net *n, unsigned edge, uint8_t number)
{
	uint8_t group[4];

	group_v4(number, group);
	stream_to(n, edge, group);
}

static void stream_v6(struct net *n, unsigned edge, const uint8_t group[16])
{
	uint8_t ip[16] = {0xfd, [15] = (uint8_t)edge};
	struct said s;

	say_v6(&s, mac_of(edge), 0, ip, group, "\x80\0\0\0and so on, an echo of some length", 36);
	hand(n, edge, &s);
}

/* Hosts answer within 10 ms. */
static void run(struct net *n, uint64_t ms)
{
	for (uint64_t end = n->s->now_ms + ms; n->s->now_ms < end; sim_run(n->s, 10))
		for (unsigned i = 0; i < n->n; i++) {
			struct host *h = host_of(n, i);

			if (h->asked && h->group != 0 && !h->mute)
				speak(n, i, 2);
			h->asked = false;
		}
}

/* ---- the world ---- */

static void build(struct net *n, unsigned edges)
{
	*n = (struct net){.s = sim_create(sim_seed(), edges + 2), .n = edges};
	n->sn = sim_add_supernode(n->s);
	for (unsigned i = 0; i < edges; i++) {
		n->edge[i] = sim_add_edge(n->s, &sim_key, n->sn);
		memcpy(n->edge[i]->setup.mac.b, mac_of(i), 6);
	}
	n->s->interface = look;
	n->s->interface_ctx = n;
	n->s->wire = count;
	n->s->wire_ctx = n;
}

static void forget(struct net *n)
{
	for (unsigned i = 0; i < n->s->n_nodes; i++) {
		struct host *h = &n->host[i];

		h->bytes = h->frames = h->wire = h->reports = h->others = 0;
		h->twice = 0;
		memset(h->seen, 0, sizeof(h->seen));
		h->queries[0] = h->queries[1] = h->tagged = h->advertised = 0;
	}
}

static void start(struct net *n)
{
	sim_start_all(n->s);
	assert_true(sim_until(n->s, 20000, sim_all_up, n->s));
	run(n, LEARNED_MS);
	forget(n);
}

static void end(struct net *n)
{
	sim_assert_clean(n->s);
	sim_destroy(n->s);
}

/* How many got something of the last frames, but for who sent them. */
static unsigned reached(struct net *n)
{
	unsigned count = 0;

	run(n, 200);
	for (unsigned i = 0; i < n->n; i++)
		count += host_of(n, i)->frames > 0;
	return count;
}

static unsigned who_gets(struct net *n, unsigned from, uint8_t group)
{
	forget(n);
	stream(n, from, group);
	return reached(n);
}

/* ---- scenarios ---- */

/*
 * 64 streams of 1 Mbit/s for 2 s to 50 members, of whom one listens to all of them. Where a frame
 * to a group went to all, each of them got 10.6 Mbyte.
 */
static void streams(bool relayed)
{
	static struct net n;
	uint64_t sent = 0;

	build(&n, MANY + 1);
	sim_block_direct(n.s, relayed);
	start(&n);
	for (uint8_t g = 1; g <= STREAMS; g++)
		join(&n, 1, g);
	run(&n, 200);
	forget(&n);
	for (unsigned ms = 0; ms < 2000; ms += 10) {
		run(&n, 10);
		for (uint8_t g = 1; g <= STREAMS; g++)
			if ((ms + g) % 20 == 0 || g % 2 == 0) {
				stream(&n, 0, g);
				sent += STREAM_LEN;
			}
	}
	run(&n, 500);
	assert_true(sent > 6 * 1000 * 1000);
	assert_int_equal(host_of(&n, 1)->bytes, sent);
	for (unsigned i = 2; i <= MANY; i++) {
		assert_int_equal(host_of(&n, i)->bytes, 0);
		assert_int_equal(host_of(&n, i)->wire, 0);
	}
	if (relayed)
		assert_true(n.host[n.sn->number].wire < sent * 3 / 2);
	assert_int_equal(sim_drops(n.edge[0], DROP_NO_LISTENER), 0);
	end(&n);
}

static void nobody_else_gets_a_byte_of_it(void **state)
{
	(void)state;
	streams(false);
}

static void nor_through_the_relay(void **state)
{
	(void)state;
	streams(true);
}

static void who_joins_gets_it_soon_and_who_leaves_not_for_long(void **state)
{
	struct net n;
	uint64_t began_ms;

	(void)state;
	build(&n, 4);
	start(&n);
	assert_int_equal(who_gets(&n, 0, 7), 0);
	assert_int_equal(sim_drops(n.edge[0], DROP_NO_LISTENER), 1);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		uint8_t group[16];

		group_v6(7, group);
		host_of(&n, 2)->v6 = v6;
		forget(&n);
		began_ms = n.s->now_ms;
		join(&n, 2, 7);
		for (unsigned i = 0; i < 50; i++, run(&n, 10)) {
			if (v6)
				stream_v6(&n, 0, group);
			else
				stream(&n, 0, 7);
		}
		assert_true(host_of(&n, 2)->frames > 0);
		assert_in_range(host_of(&n, 2)->first_ms, began_ms, began_ms + 200);
		assert_int_equal(reached(&n), 1);
		began_ms = n.s->now_ms;
		leave(&n, 2);
		for (unsigned i = 0; i < 500; i++, run(&n, 10)) {
			if (v6)
				stream_v6(&n, 0, group);
			else
				stream(&n, 0, 7);
		}
		/* It is asked twice, a second each. */
		assert_in_range(host_of(&n, 2)->last_ms, began_ms + 1900, began_ms + 2600);
	}
	end(&n);
}

/* One leaves, another one behind the same interface still listens, and says so when asked. */
static void who_still_listens_is_asked(void **state)
{
	uint8_t group[4];
	struct net n;

	(void)state;
	build(&n, 3);
	start(&n);
	join(&n, 1, 7);
	run(&n, 500);
	group_v4(7, group);
	record(&n, 1, 3, group);
	run(&n, 10000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	end(&n);
}

static void who_is_silent_is_forgotten(void **state)
{
	struct net n;

	(void)state;
	build(&n, 3);
	start(&n);
	join(&n, 1, 7);
	join(&n, 2, 7);
	run(&n, 900 * 1000);
	assert_int_equal(who_gets(&n, 0, 7), 2);
	host_of(&n, 1)->mute = true;
	run(&n, 100 * 1000);
	assert_int_equal(who_gets(&n, 0, 7), 2);
	run(&n, 200 * 1000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	assert_true(host_of(&n, 2)->frames > 0);
	end(&n);
}

/* It is taken for one who wants all until it knows what its hosts want; they are asked at once. */
static void who_restarts_misses_nothing(void **state)
{
	struct net n;

	(void)state;
	build(&n, 3);
	start(&n);
	join(&n, 1, 7);
	run(&n, 500);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	for (unsigned goodbye = 0; goodbye < 2; goodbye++) {
		sim_stop(n.edge[1], goodbye);
		run(&n, 3000);
		sim_start(n.edge[1]);
		assert_true(sim_until(n.s, 20000, sim_all_up, n.s));
		run(&n, 200); /* what comes before CLAIM is nobody's */
		assert_int_equal(who_gets(&n, 0, 7), 1);
		assert_int_equal(who_gets(&n, 0, 8), 1);
		run(&n, LEARNED_MS);
		assert_int_equal(who_gets(&n, 0, 7), 1);
		assert_int_equal(who_gets(&n, 0, 8), 0);
	}
	end(&n);
}

/* Whoever sends restarts: it is told again. */
static void who_sends_restarts(void **state)
{
	struct net n;

	(void)state;
	build(&n, 3);
	start(&n);
	join(&n, 1, 7);
	run(&n, 500);
	sim_stop(n.edge[0], false);
	run(&n, 3000);
	sim_start(n.edge[0]);
	assert_true(sim_until(n.s, 20000, sim_all_up, n.s));
	run(&n, 1000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	assert_int_equal(host_of(&n, 1)->frames, 1);
	end(&n);
}

static void groups_of_the_link_go_to_all(void **state)
{
	static const uint8_t link[][4] = {
		{224, 0, 0, 5}, {224, 0, 0, 18}, {224, 0, 0, 9}, {224, 0, 0, 251}};
	uint8_t v6[16] = {0xff, 2, [15] = 0xfb};
	struct net n;

	(void)state;
	build(&n, 4);
	start(&n);
	for (size_t i = 0; i < sizeof(link) / sizeof(link[0]); i++) {
		forget(&n);
		stream_to(&n, 0, link[i]);
		assert_int_equal(reached(&n), 3);
	}
	/* The same Ethernet address, and another scope. */
	for (unsigned scope = 2; scope <= 5; scope += 3) {
		forget(&n);
		v6[1] = (uint8_t)scope;
		stream_v6(&n, 0, v6);
		assert_int_equal(reached(&n), scope == 2 ? 3 : 0);
	}
	end(&n);
}

static void a_host_with_too_many_groups_gets_all(void **state)
{
	struct net n;
	const struct snoop *g;

	(void)state;
	build(&n, 3);
	start(&n);
	for (unsigned i = 0; i < 150; i++) {
		uint8_t group[4] = {239, 2, (uint8_t)(i / 256), (uint8_t)i};

		record(&n, 1, 4, group);
		if (i % 32 == 31)
			run(&n, 20);
	}
	run(&n, 15000);
	assert_int_equal(who_gets(&n, 0, 7), 0);
	g = n.edge[1]->edge->community[0]->snoop;
	assert_int_equal(g->said.n, 150);
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t group[4] = {239, (uint8_t)(3 + i / 65536), (uint8_t)(i / 256), (uint8_t)i};

		record(&n, 1, 4, group);
		if (i % 128 == 127)
			run(&n, 10);
	}
	assert_int_equal(g->n, SNOOPED_MAX);
	run(&n, 2000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	/* And no more, when it is a host like any other again, as a sleeping session is told first.
	 */
	run(&n, 600 * 1000);
	(void)who_gets(&n, 0, 7);
	run(&n, 1000);
	assert_int_equal(who_gets(&n, 0, 7), 0);
	end(&n);
}

/* More than there is room for, before any of it is looked at. */
static void overfill(struct net *n, unsigned edge)
{
	struct sim_node *at = n->edge[edge];
	uint8_t slot[SLOT_LEN], message[8] = {0x17}, ip[4];
	struct frame f = {.data = slot + SLOT_HEADROOM};
	struct said s;

	group_v4(host_of(n, edge)->group, message + 4);
	ip_of(edge, ip);
	say_v4(&s, mac_of(edge), 0, ip, all_v4, 2, message, sizeof(message));
	for (unsigned i = 0; i < 2 * SIM_QUEUE_LEN; i++) {
		f.len = s.len;
		memcpy(f.data, s.data, s.len);
		edge_frames_out(&at->worker, at->view, 0, &f, 1, n->s->now_ms);
	}
	hand(n, edge, &s);
}

/* What a flood of others leaves no room for is not taken as silence. */
static void who_cannot_be_heard_gets_all(void **state)
{
	struct net n;

	(void)state;
	build(&n, 3);
	start(&n);
	join(&n, 1, 7);
	run(&n, 15000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	assert_int_equal(who_gets(&n, 0, 8), 0);
	overfill(&n, 1);
	host_of(&n, 1)->mute = true;
	run(&n, 5000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	host_of(&n, 1)->mute = false;
	run(&n, 600 * 1000);
	(void)who_gets(&n, 0, 7);
	run(&n, 1000);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	assert_int_equal(who_gets(&n, 0, 8), 0);
	end(&n);
}

static void query(struct net *n, unsigned edge)
{
	uint8_t message[12] = {0x11, 100, [8] = 2, 125}, v2[28] = {130, [24] = 2, 125};
	uint8_t ip[4] = {10, 9, 9, 200}, v6[16] = {0xfe, 0x80, [8] = 2, [15] = 1};
	struct said s;

	say_v4(&s, mac_of(edge), 0, ip, all_v4, 2, message, sizeof(message));
	hand(n, edge, &s);
	store_be16(v2 + 4, 10000);
	say_v6(&s, mac_of(edge), 0, v6, all_v6, v2, sizeof(v2));
	hand(n, edge, &s);
}

/* Its edge asks no more and wants all, reports too; when it is silent all is as before. */
static void a_querier_behind_an_edge(void **state)
{
	struct net n;

	(void)state;
	build(&n, 4);
	start(&n);
	run(&n, 300 * 1000);
	for (unsigned i = 0; i < 4; i++) {
		assert_in_range(host_of(&n, i)->queries[0], 2, 3);
		assert_in_range(host_of(&n, i)->queries[1], 2, 3);
		assert_int_equal(host_of(&n, i)->others, 0);
		assert_int_equal(host_of(&n, i)->advertised, 0);
	}
	join(&n, 2, 7);
	run(&n, 500);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(host_of(&n, i)->reports, 0);
	forget(&n);
	for (unsigned i = 0; i < 5; i++) {
		query(&n, 1);
		run(&n, 60 * 1000);
	}
	assert_int_equal(host_of(&n, 1)->queries[0] + host_of(&n, 1)->queries[1], 0);
	assert_true(host_of(&n, 2)->queries[0] > 0);
	/* It asks all, and is answered. */
	assert_int_equal(host_of(&n, 2)->others, 10);
	forget(&n);
	speak(&n, 2, 2);
	run(&n, 200);
	assert_int_equal(host_of(&n, 1)->reports, 1);
	assert_int_equal(host_of(&n, 0)->reports + host_of(&n, 3)->reports, 0);
	assert_int_equal(who_gets(&n, 0, 7), 2);
	assert_int_equal(who_gets(&n, 0, 8), 1);
	run(&n, 300 * 1000);
	assert_true(host_of(&n, 1)->queries[0] > 0);
	(void)who_gets(&n, 0, 8); /* a session that sleeps is told first */
	run(&n, 1000);
	assert_int_equal(who_gets(&n, 0, 8), 0);
	end(&n);
}

/* Who listens in a VLAN is asked there; a bridge's switches are told that it is to be sent all. */
static void in_a_vlan_behind_a_bridge(void **state)
{
	struct net n;

	(void)state;
	build(&n, 4);
	n.edge[1]->setup.roles = ROLE_BRIDGE;
	n.edge[1]->setup.learn = 64;
	start(&n);
	run(&n, 20 * 1000);
	host_of(&n, 1)->vlan = 5;
	join(&n, 1, 7);
	run(&n, 400 * 1000);
	assert_true(host_of(&n, 1)->tagged >= 6);
	assert_true(host_of(&n, 1)->advertised >= 6);
	assert_int_equal(who_gets(&n, 0, 7), 1);
	leave(&n, 1);
	run(&n, 3000);
	assert_int_equal(who_gets(&n, 0, 7), 0);
	end(&n);
}

/* ---- by one copy to the supernode ---- */

static struct group *group_of(struct net *n)
{
	return &n->edge[0]->edge->community[0]->group;
}

static unsigned sets_in_use(struct net *n)
{
	unsigned count = 0;

	for (unsigned i = 1; i < FANOUT_SETS; i++)
		count += group_of(n)->plan->set[i] != NULL;
	return count;
}

/* The first edge sends so many frames of the stream; nobody has any twice. */
static void send_stream(struct net *n, unsigned frames, uint64_t pause_ms)
{
	forget(n);
	n->uplink = 0;
	for (unsigned i = 0; i < frames; i++) {
		stream(n, 0, 7);
		run(n, pause_ms);
	}
	run(n, 300);
	for (unsigned i = 0; i < n->n; i++)
		assert_int_equal(host_of(n, i)->twice, 0);
}

/* All came to edges from..to, and nothing to those behind them. */
static void assert_came(struct net *n, unsigned from, unsigned to, unsigned frames)
{
	for (unsigned i = from; i <= to; i++)
		assert_int_equal(host_of(n, i)->frames, frames);
}

static void assert_nothing(struct net *n, unsigned from)
{
	for (unsigned i = from; i < n->n; i++) {
		assert_int_equal(host_of(n, i)->frames, 0);
		assert_int_equal(host_of(n, i)->wire, 0);
	}
}

static void set_up_relayed(struct net *n, unsigned edges)
{
	build(n, edges);
	sim_block_direct(n->s, true);
	start(n);
	for (unsigned i = 1; i <= LISTENERS; i++)
		join(n, i, 7);
	run(n, 200);
}

static void many_listeners_take_one_copy(void **state)
{
	static struct net n;

	(void)state;
	set_up_relayed(&n, MANY + 1);
	send_stream(&n, 60, 100); /* the key is told, the set is made */
	assert_came(&n, 1, LISTENERS, 60);
	assert_nothing(&n, LISTENERS + 1);
	assert_int_equal(sets_in_use(&n), 1);
	send_stream(&n, 60, 100);
	assert_came(&n, 1, LISTENERS, 60);
	assert_nothing(&n, LISTENERS + 1);
	assert_int_equal(n.uplink, 60); /* not 1,200 */
	end(&n);
}

static void listeners_come_and_go(void **state)
{
	static struct net n;

	(void)state;
	set_up_relayed(&n, LISTENERS + 4);
	send_stream(&n, 60, 100);
	for (unsigned i = 0; i < 40; i++) {
		unsigned who = 9 + sim_below(n.s, LISTENERS + 3 - 8);

		if (host_of(&n, who)->group != 0)
			leave(&n, who);
		else
			join(&n, who, 7);
		send_stream(&n, 6, 57);
		assert_came(&n, 1, 8, 6);
	}
	for (unsigned i = 9; i < n.n; i++)
		if (host_of(&n, i)->group != 0)
			leave(&n, i);
	run(&n, 3500);
	send_stream(&n, 20, 100);
	assert_came(&n, 1, 8, 20);
	assert_nothing(&n, 9);
	assert_int_equal(n.uplink, 20);
	/* Four are as well served by copies, and the set is for others. */
	for (unsigned i = 5; i <= 8; i++)
		leave(&n, i);
	run(&n, 5000);
	assert_int_equal(sets_in_use(&n), 0);
	assert_null(group_of(&n)->fan[1]);
	send_stream(&n, 20, 100);
	assert_came(&n, 1, 4, 20);
	assert_nothing(&n, 5);
	assert_int_equal(n.uplink, 80);
	end(&n);
}

static void by_one_copy_after_the_supernode_is_restarted(void **state)
{
	static struct net n;

	(void)state;
	set_up_relayed(&n, LISTENERS + 4);
	send_stream(&n, 60, 100);
	assert_int_equal(sets_in_use(&n), 1);
	for (unsigned i = 0; i < 3; i++) {
		sim_stop(n.sn, false);
		send_stream(&n, 5, 100);
		sim_start(n.sn);
		send_stream(&n, 300, 100);
		assert_true(sim_until(n.s, 20000, sim_all_up, n.s));
		/* Nothing is lost while the set is made anew, and after it. */
		send_stream(&n, 60, 100);
		assert_came(&n, 1, LISTENERS, 60);
		assert_nothing(&n, LISTENERS + 1);
		send_stream(&n, 20, 100);
		assert_came(&n, 1, LISTENERS, 20);
		assert_int_equal(n.uplink, 20);
	}
	end(&n);
}

/* 3.3 Mbit/s, more than a supernode copies; and broadcasts have their room. */
static void a_fast_stream_loses_nothing(void **state)
{
	static struct net n;

	(void)state;
	set_up_relayed(&n, LISTENERS + 4);
	send_stream(&n, 60, 100);
	assert_int_equal(sets_in_use(&n), 1);
	for (unsigned i = 0; i < 20; i++) {
		(void)sim_broadcast(n.edge[0]);
		forget(&n);
		for (unsigned frame = 0; frame < 300; frame++) {
			stream(&n, 0, 7);
			if (frame % 3 == 2)
				run(&n, 10);
		}
		run(&n, 50);
		assert_came(&n, 1, LISTENERS, 300);
		assert_nothing(&n, LISTENERS + 1);
		for (unsigned k = 1; k <= LISTENERS; k++)
			assert_int_equal(host_of(&n, k)->twice, 0);
	}
	assert_int_equal(group_of(&n)->refused, 0);
	assert_int_equal(sim_drops(n.sn, DROP_GROUP_RATE), 0);
	assert_int_equal(sim_drops(n.edge[0], DROP_STORM), 0);
	/* A slow one again. */
	send_stream(&n, 110, 100);
	send_stream(&n, 20, 100);
	assert_int_equal(n.uplink, 20);
	end(&n);
}

/* There are fifteen sets for groups; what is beyond goes as copies. */
static void more_groups_than_sets(void **state)
{
	static struct net n;
	const unsigned groups = FANOUT_SETS + 2;

	(void)state;
	build(&n, 8);
	sim_block_direct(n.s, true);
	start(&n);
	for (uint8_t g = 1; g <= groups; g++)
		for (unsigned i = 1; i <= 6; i++)
			join(&n, i, g);
	run(&n, 2000);
	for (unsigned round = 0; round < 30; round++) {
		forget(&n);
		for (uint8_t g = 1; g <= groups; g++) {
			stream(&n, 0, g);
			run(&n, 50);
		}
		run(&n, 300);
		assert_came(&n, 1, 6, groups);
		assert_nothing(&n, 7);
		for (unsigned i = 1; i <= 6; i++)
			assert_int_equal(host_of(&n, i)->twice, 0);
	}
	assert_int_equal(sets_in_use(&n), FANOUT_SETS - 1);
	/* Nothing is sent to them any more: others may have them. */
	for (unsigned i = 0; i < 20; i++) {
		run(&n, 5000);
		stream(&n, 0, groups);
	}
	run(&n, 2000);
	assert_int_equal(sets_in_use(&n), 1);
	end(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_else_gets_a_byte_of_it),
		cmocka_unit_test(nor_through_the_relay),
		cmocka_unit_test(who_joins_gets_it_soon_and_who_leaves_not_for_long),
		cmocka_unit_test(who_still_listens_is_asked),
		cmocka_unit_test(who_is_silent_is_forgotten),
		cmocka_unit_test(who_restarts_misses_nothing),
		cmocka_unit_test(who_sends_restarts),
		cmocka_unit_test(groups_of_the_link_go_to_all),
		cmocka_unit_test(a_host_with_too_many_groups_gets_all),
		cmocka_unit_test(who_cannot_be_heard_gets_all),
		cmocka_unit_test(a_querier_behind_an_edge),
		cmocka_unit_test(in_a_vlan_behind_a_bridge),
		cmocka_unit_test(many_listeners_take_one_copy),
		cmocka_unit_test(listeners_come_and_go),
		cmocka_unit_test(by_one_copy_after_the_supernode_is_restarted),
		cmocka_unit_test(a_fast_stream_loses_nothing),
		cmocka_unit_test(more_groups_than_sets),
	};

	if (crypto_start() != 0)
		return 1;
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
