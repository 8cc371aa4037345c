/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Too many at one place, or in all: who gets in, and what those who do not are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/supernode/supernode_state.h"
#include "sim.h"

#include <cmocka.h>

#define NAT_MEMBERS 250
#define ELSEWHERE   5 /* a supernode whose registrations were learned */

static struct status_supernode seen[SUPERNODES_MAX];

static void note_supernode(void *ctx, const struct status_supernode *s)
{
	(void)ctx;
	seen[s->index] = *s;
}

static void ignore_peer(void *ctx, const struct status_peer *p)
{
	(void)ctx, (void)p;
}

static void ignore_community(void *ctx, const struct status_community *c)
{
	(void)ctx, (void)c;
}

/* What the edge says of its first supernode. */
static const struct status_supernode *says(const struct sim_node *n)
{
	const struct status_sink sink = {NULL, ignore_community, ignore_peer, note_supernode};

	edge_status(n->edge, n->sim->now_ms, &sink);
	return &seen[0];
}

static bool is_up(void *node)
{
	return edge_is_registered(((struct sim_node *)node)->edge);
}

static void put_elsewhere(struct sim_node *sn, uint8_t community, uint32_t number)
{
	struct roster_entry e = {.handle = number + 1, .static_public = {1, community}};
	uint8_t tag[COMMUNITY_TAG_LEN] = {community};
	struct registry_entry *entry;

	store_be32(e.static_public + 2, number);
	if (community == sim_key.id[0])
		memcpy(tag, sim_key.id, sizeof(tag));
	assert_int_equal(registry_put(&sn->supernode->registry, ELSEWHERE, tag, &e, &entry),
		REGISTRY_CREATED);
}

/* An office, started on Monday morning. Each has a key of its own, so that none shakes hands. */
static void an_office_behind_one_address_gets_in(void **state)
{
	const struct endpoint nat = endpoint_v4(0xcb007107, 0);
	struct sim *s = sim_create(sim_seed(), NAT_MEMBERS + 2);
	struct sim_node *sn = sim_add_supernode(s);
	struct community_key key = sim_key;
	unsigned refused = 0;

	(void)state;
	for (unsigned i = 0; i < NAT_MEMBERS; i++) {
		store_be16(key.key, (uint16_t)i);
		sim_behind(sim_add_edge(s, &key, sn), &nat);
	}
	sim_all_links(s, &(struct sim_link){.delay_ms = 10, .loss = 30});
	sim_start_all(s);
	assert_true(sim_until(s, 30000, sim_all_registered, s));
	printf("%u members behind one address were registered in %u ms\n", NAT_MEMBERS,
		(unsigned)(s->now_ms - SIM_START_MS));
	for (unsigned i = 1; i <= NAT_MEMBERS; i++)
		refused += s->nodes[i]->events[EVENT_SUPERNODE_REFUSED];
	assert_int_equal(refused, 0);
	sim_destroy(s);
}

/* The newcomer is told that the community is full, asks again, and gets in when one has left. */
static void a_full_community_is_told_as_such(void **state)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *sn = sim_add_supernode(s), *edge = sim_add_edge(s, &sim_key, sn);

	(void)state;
	sim_start(sn);
	for (uint32_t i = 0; i < COMMUNITY_MEMBERS_MAX; i++)
		put_elsewhere(sn, sim_key.id[0], i);
	sim_start(edge);
	sim_run(s, 20000);
	assert_int_equal(says(edge)->refused, REGISTER_COMMUNITY_FULL);
	assert_int_equal(sim_state(edge), COMMUNITY_REFUSED);
	/* Once in the log, and nothing of a supernode that does not run. */
	assert_int_equal(edge->events[EVENT_SUPERNODE_REFUSED], 1);
	assert_int_equal(edge->events[EVENT_SUPERNODE_SILENT], 0);
	assert_in_range(sn->events[EVENT_MEMBER_REFUSED], 2, 4);
	assert_true(registry_remove(&sn->supernode->registry, ELSEWHERE, 1));
	assert_true(sim_until(s, 30000, is_up, edge));
	assert_int_equal(says(edge)->refused, REGISTER_OK);
	assert_int_equal(says(edge)->state, SUPERNODE_UP);
	sim_destroy(s);
}

/* It goes on to the next one in its list, and says of the first what it met there. */
static void a_full_supernode_is_told_and_left_for_the_next(void **state)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct sim_node *full = sim_add_supernode(s), *other = sim_add_supernode(s), *edge;
	uint64_t began_ms;

	(void)state;
	edge = sim_add_edge(s, &sim_key, full);
	sim_use_supernode(edge, other);
	sim_start(full);
	sim_start(other);
	for (uint32_t i = 0; i < MEMBERS_MAX; i++)
		put_elsewhere(full, (uint8_t)(100 + i / COMMUNITY_MEMBERS_MAX), i);
	began_ms = s->now_ms;
	sim_start(edge);
	assert_true(sim_until(s, 30000, is_up, edge));
	printf("a supernode was full, the next one had room: registered in %u ms\n",
		(unsigned)(s->now_ms - began_ms));
	assert_in_range(s->now_ms - began_ms, 1, 2000);
	assert_int_equal(says(edge)->state, SUPERNODE_REFUSED);
	assert_int_equal(seen[0].refused, REGISTER_SUPERNODE_FULL);
	assert_int_equal(seen[1].state, SUPERNODE_UP);
	assert_int_equal(sim_state(edge), COMMUNITY_ALONE);
	sim_destroy(s);
}

/* One address, or one /48, takes what it may; who comes from elsewhere does not notice. */
static void crowd_at(const struct endpoint *first, unsigned step, unsigned room)
{
	struct sim *s = sim_create(sim_seed(), 8);
	struct sim_node *sn = sim_add_supernode(s), *crowd[6], *newcomer;
	struct community_key key = sim_key;
	unsigned in = 0;

	for (unsigned i = 0; i < 6; i++) {
		struct endpoint at = *first;

		at.ip[7] = (uint8_t)(at.ip[7] + i * step);
		key.key[0] = (uint8_t)i;
		crowd[i] = sim_add_edge(s, &key, sn);
		sim_behind(crowd[i], &at);
	}
	sim_start_all(s);
	sn->supernode->sources.per_address = 2;
	sim_run(s, 3000);
	for (unsigned i = 0; i < 6; i++) {
		in += is_up(crowd[i]);
		if (!is_up(crowd[i]))
			assert_int_equal(says(crowd[i])->refused, REGISTER_ADDRESS_LIMIT);
	}
	assert_int_equal(in, room);
	newcomer = sim_add_edge(s, &sim_key, sn);
	sim_start(newcomer);
	assert_true(sim_until(s, 2000, is_up, newcomer));
	sim_destroy(s);
}

static void a_place_takes_what_it_may(void **state)
{
	const struct endpoint v4 = endpoint_v4(0xcb007107, 0);
	const struct endpoint v6 = {{0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0}, 0};

	(void)state;
	crowd_at(&v4, 0, 2);
	crowd_at(&v6, 0, 2);
	crowd_at(&v6, 1, 4);
}

/* ---- an address that is not its own ---- */

struct forger {
	struct sim_node *sn, *edge;
	struct endpoint victim;
	uint64_t until_ms; /* till then what the edge sends comes from the victim first */
	bool echoes;
	uint64_t forged, reflected; /* bytes */
};

static bool forge(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct forger *f = ctx;

	if (from == f->sn && endpoint_equal(&d->way.remote, &f->victim))
		f->reflected += d->len;
	if (from == f->edge && from->sim->now_ms < f->until_ms) {
		f->forged += d->len;
		sim_inject(from->sim, &f->victim, &f->sn->address, d->data, d->len, 1);
	}
	/* Handshakes have longer datagrams than probes. */
	return f->echoes || from != f->sn || d->len > 60 ||
	       !endpoint_equal(&d->way.remote, &f->edge->address);
}

static void forge_the_first_source(bool echoes)
{
	struct sim *s = sim_create(sim_seed(), 3);
	struct forger f = {.sn = sim_add_supernode(s),
		.victim = endpoint_v4(0xcb007163, 4000),
		.until_ms = SIM_START_MS + 300,
		.echoes = echoes};
	const struct member *m;

	f.edge = sim_add_edge(s, &sim_key, f.sn);
	sim_start(f.sn);
	for (uint32_t i = 0; i < 60; i++)
		put_elsewhere(f.sn, sim_key.id[0], i);
	s->wire = forge;
	s->wire_ctx = &f;
	sim_start(f.edge);
	sim_run(s, 5000);
	m = member_find(f.sn->supernode, f.edge->edge->community[0]->hop.party.self.public);
	printf("%u bytes with a forged source brought its owner %u\n", (unsigned)f.forged,
		(unsigned)f.reflected);
	assert_in_range(f.reflected, 1, f.forged + 200);
	assert_non_null(m);
	assert_false(source_has(m->source, &f.victim));
	assert_int_equal(source_has(m->source, &f.edge->address), echoes);
	assert_int_equal(is_up(f.edge), echoes);
	sim_destroy(s);
}

/*
 * Message 1 comes from a victim's address first and from its own second, so that the answer goes to
 * both: who reads it may be anywhere, and nothing is sent or counted before an echo.
 */
static void a_forged_first_source_leads_nowhere(void **state)
{
	(void)state;
	forge_the_first_source(false);
	forge_the_first_source(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_office_behind_one_address_gets_in),
		cmocka_unit_test(a_full_community_is_told_as_such),
		cmocka_unit_test(a_full_supernode_is_told_and_left_for_the_next),
		cmocka_unit_test(a_place_takes_what_it_may),
		cmocka_unit_test(a_forged_first_source_leads_nowhere),
	};

	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
