/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member that speaks for others: it claims the MAC address of a host behind a bridge, such as the
 * gateway of a LAN, sends from another's, says where another's IP address is, answers as a DHCP
 * server, advertises itself as a router. Nothing of that arrives, it is counted with its name, and
 * honest members that look alike keep what is theirs and are told nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

#define LEARN	  256
#define FORGET_MS 360000u /* learned addresses are gone by then */

static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac gateway = {{0x52, 0x54, 0, 0, 0, 1}};

#define NODES	   5
#define SPEECH_LEN 300

struct scene {
	struct sim *s;
	struct sim_node *sn, *observer, *bridge, *other;
	unsigned came[NODES]; /* frames that are not the simulator's, by the node they came to */
};

/* The other one is not started yet. */
static void set_up(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), NODES)};
	c->sn = sim_add_supernode(c->s);
	c->observer = sim_add_edge(c->s, &sim_key, c->sn);
	c->bridge = sim_add_edge(c->s, &sim_key, c->sn);
	c->other = sim_add_edge(c->s, &sim_key, c->sn);
	c->observer->setup.learn = LEARN;
	c->bridge->setup.learn = LEARN;
	c->bridge->setup.roles = ROLE_BRIDGE;
	sim_start(c->sn);
	sim_start(c->observer);
	sim_start(c->bridge);
	sim_run(c->s, 5000);
}

static void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

static void bring(struct scene *c, struct sim_node *from, const struct mac *source)
{
	(void)sim_flood(from, &all, source);
	sim_run(c->s, 200);
}

/* Who gets a frame of the observer for this address: nobody, or one alone. */
static struct sim_node *receiver(struct scene *c, const struct mac *to)
{
	struct mac own = sim_mac(c->observer);
	size_t first = sim_flood(c->observer, to, &own);
	struct sim_node *found = NULL;

	sim_run(c->s, 500);
	for (unsigned i = 0; i < c->s->n_nodes; i++) {
		if (c->s->frames[first + i].count == 0)
			continue;
		assert_null(found);
		found = c->s->nodes[i];
	}
	return found;
}

static void id_of(const struct sim_node *n, uint8_t id[EDGE_ID_LEN])
{
	edge_id(id, n->edge->community[0]->party.self.public);
}

static void the_gateway_of_a_lan_is_not_to_be_claimed(void **state)
{
	uint8_t id[EDGE_ID_LEN];
	struct status_peer p;
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	/* Both sides say so, and behind whom the address is. */
	id_of(c.bridge, id);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.observer->last_event[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	assert_memory_equal(c.observer->last_event[EVENT_MAC_REFUSED].owner, id, EDGE_ID_LEN);
	assert_true(edge_peer_status(c.observer->edge, 0,
		c.other->edge->community[0]->party.self.public, c.s->now_ms, &p));
	assert_true(p.refused);
	assert_memory_equal(p.owner, id, EDGE_ID_LEN);
	assert_true(c.other->events[EVENT_CLAIM_REFUSED] > 0);
	/* The bridge itself has heard it at its own interface. */
	assert_int_equal(c.bridge->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(c.bridge->last_event[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	assert_memory_equal(c.bridge->last_event[EVENT_MAC_REFUSED].owner, id, EDGE_ID_LEN);
	/* It asks over and over; as long as the host speaks, in vain. */
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		bring(&c, c.bridge, &gateway);
		assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	}
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
	/* The host is gone for good. */
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		(void)sim_broadcast(c.observer);
		(void)sim_broadcast(c.bridge);
	}
	assert_int_equal(c.observer->last_event[EVENT_MAC_REFUSED].value, MAC_IS_FREE);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_int_equal(c.other->last_event[EVENT_CLAIM_REFUSED].value, 0);
	sim_destroy(c.s);
}

static void a_bridge_that_left_has_nothing_behind_it(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	sim_stop(c.bridge, true);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	end(&c);
}

static void an_address_that_comes_of_a_key_is_its_members(void **state)
{
	struct scene c;
	struct mac mac;

	(void)state;
	set_up(&c);
	sim_start(c.other);
	mac = sim_mac(c.other);
	sim_stop(c.other, false);
	bring(&c, c.bridge, &mac);
	sim_start(c.other);
	sim_run(c.s, 5000);
	assert_ptr_equal(receiver(&c, &mac), c.other);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	end(&c);
}

static void who_had_it_first_comes_back_to_it(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	sim_stop(c.other, true);
	sim_run(c.s, 200);
	bring(&c, c.bridge, &gateway);
	assert_null(receiver(&c, &gateway));
	sim_start(c.other);
	sim_run(c.s, 5000);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	end(&c);
}

/* The frames of a bridge host from its new address come before it has told that it is its own. */
static void what_came_from_the_claimant_itself_is_in_nobodys_way(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	assert_int_equal(edge_set_mac(c.bridge->edge, 0, &gateway, c.s->now_ms), 0);
	sim_run(c.s, 1000);
	assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 0);
	assert_int_equal(c.bridge->events[EVENT_CLAIM_REFUSED], 0);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	end(&c);
}

/* ---- claims of what was in use before we were here ---- */

/* The gateway speaks now and then, whoever is believed to be it. */
static void speak_on(struct scene *c, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		bring(c, c->bridge, &gateway);
		sim_run(c->s, 800);
	}
}

static void restart(struct scene *c, struct sim_node *n)
{
	sim_stop(n, true);
	sim_run(c->s, 1000);
	memset(n->events, 0, sizeof(n->events));
	sim_start(n);
}

static void trust(struct sim_node *at, const struct sim_node *whom, uint8_t roles);

static void who_joins_later_finds_out_whose_it_is(void **state)
{
	uint8_t id[EDGE_ID_LEN];
	struct scene c;

	(void)state;
	for (unsigned times = 0; times < 4; times++) {
		const struct event *e;

		set_up(&c);
		bring(&c, c.bridge, &gateway);
		c.other->setup.mac = gateway;
		sim_start(c.other);
		sim_run(c.s, 5000);
		if (times % 2 != 0)
			trust(c.observer, c.bridge, ROLE_BRIDGE);
		restart(&c, c.observer);
		/* It is taken for the claimant's until the bridge has brought frames from it. */
		sim_run(c.s, 5000);
		assert_ptr_equal(receiver(&c, &gateway), c.other);
		if (times >= 2)
			restart(&c, c.observer); /* what is on disk then is on trial, too */
		speak_on(&c, 10);
		for (unsigned i = 0; i < 20; i++) {
			assert_ptr_equal(receiver(&c, &gateway), c.bridge);
			speak_on(&c, i % 2);
		}
		e = &c.observer->last_event[EVENT_MAC_REFUSED];
		assert_int_equal(c.observer->events[EVENT_MAC_REFUSED], 1);
		assert_int_equal(e->value, MAC_IS_IN_USE);
		id_of(c.other, id);
		assert_memory_equal(e->edge, id, EDGE_ID_LEN);
		id_of(c.bridge, id);
		assert_memory_equal(e->owner, id, EDGE_ID_LEN);
		assert_true(c.other->events[EVENT_CLAIM_REFUSED] > 0);
		assert_int_equal(
			c.observer->events[EVENT_FIRST_HOP], 0); /* it blames nobody else */
		/* It asks over and over, in vain. */
		for (unsigned i = 0; i < 10; i++) {
			sim_run(c.s, FORGET_MS / 6);
			bring(&c, c.bridge, &gateway);
			assert_ptr_equal(receiver(&c, &gateway), c.bridge);
		}
		sim_destroy(c.s);
	}
}

static void a_bridge_that_restarts_keeps_its_gateway(void **state)
{
	uint64_t dropped;
	struct scene c;

	(void)state;
	set_up(&c);
	bring(&c, c.bridge, &gateway);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 5000);
	restart(&c, c.bridge);
	sim_run(c.s, 3000); /* the gateway says nothing as yet */
	speak_on(&c, 10);
	dropped = sim_drops(c.bridge, DROP_CLAIMED_SOURCE);
	speak_on(&c, 20);
	assert_int_equal(sim_drops(c.bridge, DROP_CLAIMED_SOURCE), dropped);
	assert_int_equal(c.bridge->last_event[EVENT_MAC_REFUSED].value, MAC_IS_IN_USE);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	sim_destroy(c.s);
}

/* Long ago, when the host behind the bridge was off: then people say it. */
static void what_is_forgotten_is_the_bridges_again(void **state)
{
	struct forgotten_owner out;
	struct scene c;

	(void)state;
	set_up(&c);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		(void)sim_broadcast(c.other);
		(void)sim_broadcast(c.bridge);
	}
	speak_on(&c, 10);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_true(claims_forget(c.bridge->edge->community[0], &gateway, &out));
	assert_false(out.taken);
	speak_on(&c, 10);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	assert_true(claims_forget(c.observer->edge->community[0], &gateway, &out));
	assert_false(out.taken);
	for (unsigned i = 0; i < 10; i++) {
		sim_run(c.s, FORGET_MS / 6);
		bring(&c, c.bridge, &gateway);
		assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	}
	sim_destroy(c.s);
}

/* A ring brings a member's own frames until it is cut; a bridge's own are nobody else's. */
static void an_address_that_was_chosen_stays(void **state)
{
	struct scene c;

	(void)state;
	set_up(&c);
	c.other->setup.mac = gateway;
	sim_start(c.other);
	sim_run(c.s, 1000);
	for (unsigned i = 0; i < 12; i++)
		bring(&c, c.bridge, &gateway);
	sim_run(c.s, 60000);
	assert_ptr_equal(receiver(&c, &gateway), c.other);
	sim_stop(c.other, true);
	c.bridge->setup.mac = (struct mac){{0x52, 0x54, 0, 0, 0, 2}};
	restart(&c, c.bridge);
	sim_run(c.s, 1000);
	for (unsigned i = 0; i < 100; i++) {
		bring(&c, c.bridge, &c.bridge->setup.mac);
		sim_run(c.s, 300);
	}
	assert_ptr_equal(receiver(&c, &c.bridge->setup.mac), c.bridge);
	for (unsigned i = 0; i < c.s->n_nodes; i++)
		assert_int_equal(c.s->nodes[i]->events[EVENT_MAC_REFUSED], 0);
	sim_destroy(c.s);
}

/* ---- frames that speak ---- */

static const uint8_t owned_v4[16] = {[10] = 0xff, 0xff, 10, 1, 2, 3};
static const uint8_t owned_v6[16] = {0xfd, [15] = 3};
static const uint8_t ours_v4[16] = {[10] = 0xff, 0xff, 10, 1, 2, 1};
static const uint8_t free_v4[16] = {[10] = 0xff, 0xff, 10, 1, 2, 99};
static const uint8_t free_v6[16] = {0xfe, 0x80, [15] = 9};

enum form {
	ARP,
	SOLICITATION,
	ADVERTISEMENT,
	DHCP_V4,
	DHCP_V6,
	ROUTER,
	REDIRECT,
	FRAGMENT,
	EXTENSIONS,
	TAGS,
	FORMS
};

/* Which counter a form of nobody's right moves. */
static const enum barred counted[FORMS] = {
	[ARP] = BARRED_NEIGHBOUR,
	[SOLICITATION] = BARRED_NEIGHBOUR,
	[ADVERTISEMENT] = BARRED_NEIGHBOUR,
	[DHCP_V4] = BARRED_DHCP,
	[DHCP_V6] = BARRED_DHCP,
	[ROUTER] = BARRED_ROUTER,
	[REDIRECT] = BARRED_ROUTER,
	[FRAGMENT] = BARRED_ROUTER,
	[EXTENSIONS] = BARRED_ROUTER,
	[TAGS] = BARRED_NEIGHBOUR,
};

static bool is_of_v4(enum form form)
{
	return form == ARP || form == TAGS || form == DHCP_V4;
}

static void put_arp(uint8_t *at, const uint8_t ip[16])
{
	memcpy(at, (uint8_t[]){8, 6, 0, 1, 8, 0, 6, 4, 0, 2}, 10);
	memcpy(at + 16, ip + 12, 4);
}

static uint8_t icmp_type(enum form form)
{
	static const uint8_t types[FORMS] = {
		[SOLICITATION] = 135, [ADVERTISEMENT] = 136, [REDIRECT] = 137};

	return types[form] != 0 ? types[form] : 134;
}

/* Extension headers, if the form has some, and ICMPv6. */
static void put_v6(uint8_t *at, enum form form, const uint8_t ip[16])
{
	uint8_t *next = at + 8, *header = at + 42;
	unsigned extensions = form == FRAGMENT ? 1 : form == EXTENSIONS ? 5 : 0;

	memcpy(at, (uint8_t[]){0x86, 0xdd, 0x60, 0, 0, 0, 0, 100, 58, 255}, 10);
	memcpy(at + 10, ip, 16);
	memcpy(at + 26, ip, 16);
	for (unsigned i = 0; i < extensions; i++, header += 8) {
		*next = form == FRAGMENT ? 44 : 60;
		next = header;
	}
	*next = form == DHCP_V6 ? 17 : 58;
	if (form == DHCP_V6) {
		memcpy(header, (uint8_t[]){2, 0x23, 2, 0x22}, 4);
		return;
	}
	header[0] = icmp_type(form);
	memcpy(header + 8, ip, 16);
}

/* A frame of this form to all, which names this address. */
static void say(struct scene *c, struct sim_node *from, enum form form, const uint8_t ip[16])
{
	uint8_t slot[SLOT_LEN] = {0};
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = SPEECH_LEN};
	struct mac own = sim_mac(from);

	memcpy(f.data, all.b, 6);
	memcpy(f.data + 6, own.b, 6);
	if (form == TAGS) {
		memcpy(f.data + 12, (uint8_t[]){0x88, 0xa8, 0, 5, 0x81, 0, 0, 0}, 8);
		put_arp(f.data + 20, ip);
	} else if (form == ARP) {
		put_arp(f.data + 12, ip);
	} else if (form == DHCP_V4) {
		memcpy(f.data + 12, (uint8_t[]){8, 0, 0x45}, 3);
		f.data[23] = 17;
		memcpy(f.data + 34, (uint8_t[]){0, 67, 0, 68}, 4);
	} else {
		put_v6(f.data + 12, form, ip);
	}
	sim_frames_from(from, 0, &f, 1);
	sim_run(c->s, 200);
}

static bool look(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct scene *c = ctx;

	if (j->piece[0].len == SIM_FRAME_LEN)
		return true;
	if (j->piece[0].len == SPEECH_LEN) /* else its own edge announces who has an address */
		c->came[at->number]++;
	return false;
}

/* How many of it the observer's interface got since the last time. */
static unsigned came(struct scene *c)
{
	unsigned n = c->came[c->observer->number];

	c->came[c->observer->number] = 0;
	return n;
}

static uint64_t barred(struct scene *c, const struct sim_node *peer, enum barred what)
{
	struct status_peer p;

	assert_true(edge_peer_status(c->observer->edge, 0,
		peer->edge->community[0]->party.self.public, c->s->now_ms, &p));
	return p.barred[what];
}

static void claim(struct sim_node *n, const uint8_t ip[16], uint8_t prefix)
{
	struct claim_address *a = &n->setup.address[n->setup.n_addresses++];

	memcpy(a->ip, ip, 16);
	a->prefix = prefix;
}

/* The bridge has addresses of its own, two of them in two networks; the other one may send all. */
static void set_up_speaking(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), NODES)};
	c->sn = sim_add_supernode(c->s);
	c->observer = sim_add_edge(c->s, &sim_key, c->sn);
	c->bridge = sim_add_edge(c->s, &sim_key, c->sn);
	c->other = sim_add_edge(c->s, &sim_key, c->sn);
	c->observer->setup.learn = LEARN;
	c->bridge->setup.roles = ROLE_BRIDGE;
	claim(c->observer, ours_v4, 24);
	claim(c->bridge, owned_v4, 24);
	claim(c->bridge, owned_v4, 16);
	claim(c->bridge, owned_v6, 64);
	c->other->setup.forges = true;
	c->s->interface = look;
	c->s->interface_ctx = c;
}

static void start_all(struct scene *c)
{
	sim_start_all(c->s);
	assert_true(sim_until(c->s, 10000, sim_all_up, c->s));
	sim_run(c->s, 3000);
}

static void trust(struct sim_node *at, const struct sim_node *whom, uint8_t roles)
{
	struct trusted *t = &at->setup.trusted[at->setup.n_trusted++];

	id_of(whom, t->edge);
	t->roles = roles;
}

/* None of what the other one says arrives, and all of it is counted with its name. */
static void nothing_arrives(struct scene *c)
{
	static const enum drop why[] = {DROP_SOURCE_MAC, DROP_NEIGHBOUR, DROP_DHCP, DROP_ROUTER};
	uint64_t expected[BARRED_KINDS] = {0};

	for (unsigned times = 0; times < 3; times++)
		for (enum form form = 0; form < FORMS; form++) {
			say(c, c->other, form, is_of_v4(form) ? owned_v4 : owned_v6);
			expected[counted[form]]++;
			assert_int_equal(came(c), 0);
			assert_int_equal(
				barred(c, c->other, counted[form]), expected[counted[form]]);
		}
	say(c, c->other, ARP, ours_v4);
	expected[BARRED_NEIGHBOUR]++;
	for (unsigned what = BARRED_NEIGHBOUR; what < BARRED_KINDS; what++) {
		assert_int_equal(sim_drops(c->observer, why[what]), expected[what]);
		assert_int_equal(barred(c, c->bridge, what), 0);
	}
	assert_int_equal(came(c), 0);
}

static void who_has_no_role_is_not_heard(void **state)
{
	uint8_t id[EDGE_ID_LEN];
	const struct event *e;
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	say(&c, c.other, ARP, owned_v4);
	sim_run(c.s, 2000);
	e = &c.observer->last_event[EVENT_FIRST_HOP];
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 1);
	assert_int_equal(e->barred, BARRED_NEIGHBOUR);
	assert_memory_equal(e->ip, owned_v4, 16);
	id_of(c.bridge, id);
	assert_memory_equal(e->owner, id, EDGE_ID_LEN);
	id_of(c.other, id);
	assert_memory_equal(e->edge, id, EDGE_ID_LEN);
	end(&c);
	set_up_speaking(&c);
	start_all(&c);
	nothing_arrives(&c);
	end(&c);
}

/* What it says that it is helps it nothing where others alone are trusted. */
static void who_is_not_trusted_is_not_heard(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	c.other->setup.roles = ROLE_BRIDGE | ROLE_DHCP | ROLE_ROUTER;
	c.bridge->setup.roles = ROLE_BRIDGE | ROLE_DHCP | ROLE_ROUTER;
	sim_start_all(c.s); /* their ids are known then */
	trust(c.observer, c.bridge, ROLE_BRIDGE | ROLE_DHCP | ROLE_ROUTER);
	sim_stop(c.observer, true);
	start_all(&c);
	nothing_arrives(&c);
	bring(&c, c.other, &gateway);
	assert_int_equal(barred(&c, c.other, BARRED_SOURCE), 1);
	/* Who is trusted is heard, but not for others. */
	for (enum form form = 0; form < FORMS; form++) {
		say(&c, c.bridge, form, is_of_v4(form) ? owned_v4 : owned_v6);
		assert_int_equal(came(&c), 1);
	}
	say(&c, c.bridge, ARP, ours_v4);
	assert_int_equal(came(&c), 0);
	assert_int_equal(barred(&c, c.bridge, BARRED_NEIGHBOUR), 1);
	end(&c);
}

/* Without lists a role is believed of who says it has it; that does not make it another. */
static void a_role_that_is_said_is_believed(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	c.other->setup.roles = ROLE_DHCP | ROLE_ROUTER;
	start_all(&c);
	for (enum form form = 0; form < FORMS; form++) {
		say(&c, c.other, form, is_of_v4(form) ? free_v4 : free_v6);
		assert_int_equal(came(&c), 1);
	}
	say(&c, c.other, ROUTER, owned_v6);
	say(&c, c.other, TAGS, owned_v4);
	assert_int_equal(came(&c), 0);
	assert_int_equal(barred(&c, c.other, BARRED_NEIGHBOUR), 2);
	end(&c);
}

static void honest_members_are_heard_and_not_named(void **state)
{
	static const uint8_t unspecified[16], probe[16] = {[10] = 0xff, 0xff};
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	c.other->setup.forges = false;
	start_all(&c);
	say(&c, c.bridge, ARP, owned_v4);
	say(&c, c.bridge, ADVERTISEMENT, owned_v6);
	say(&c, c.bridge, SOLICITATION, owned_v6);
	say(&c, c.bridge, ARP, free_v4); /* of a host behind it */
	say(&c, c.bridge, ADVERTISEMENT, free_v6);
	say(&c, c.other, ARP, probe);
	say(&c, c.other, SOLICITATION, unspecified); /* is the address free? */
	assert_int_equal(came(&c), 7);
	sim_run(c.s, 10000);
	for (unsigned i = 0; i < c.s->n_nodes; i++)
		assert_int_equal(c.s->nodes[i]->events[EVENT_FIRST_HOP], 0);
	end(&c);
}

/* The first frame after a long silence is opened by the control thread. */
static void nobody_is_heard_for_waking_us(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	for (enum form form = 0; form < FORMS; form++) {
		sim_run(c.s, 400000);
		assert_null(sim_session(c.observer, c.other)->current);
		say(&c, c.other, form, is_of_v4(form) ? owned_v4 : owned_v6);
		sim_run(c.s, 2000);
		assert_int_equal(came(&c), 0);
		say(&c, c.other, form, is_of_v4(form) ? free_v4 : free_v6);
		assert_int_equal(came(&c), counted[form] == BARRED_NEIGHBOUR);
	}
	end(&c);
}

/* A server or router that is not meant for the members is kept in at home, whose user hears it. */
static void accidents_stop_where_they_begin(void **state)
{
	static const enum form forms[] = {DHCP_V4, DHCP_V6, ROUTER, REDIRECT, EXTENSIONS};
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	for (unsigned times = 0; times < 5; times++)
		for (unsigned i = 0; i < 5; i++) {
			say(&c, c.bridge, forms[i], owned_v6);
			if (times == 0)
				assert_int_equal(c.bridge->last_event[EVENT_FIRST_HOP].barred,
					i < 2 ? BARRED_DHCP : BARRED_ROUTER);
		}
	assert_int_equal(came(&c), 0);
	assert_int_equal(sim_drops(c.bridge, DROP_OWN_DHCP), 10);
	assert_int_equal(sim_drops(c.bridge, DROP_OWN_ROUTER), 15);
	assert_int_equal(sim_drops(c.observer, DROP_DHCP) + sim_drops(c.observer, DROP_ROUTER), 0);
	assert_int_equal(c.bridge->events[EVENT_FIRST_HOP], 2);
	assert_null(c.bridge->last_event[EVENT_FIRST_HOP].key);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	/* Both are over some minutes after the last one. */
	sim_run(c.s, 310000);
	assert_int_equal(c.bridge->events[EVENT_FIRST_HOP], 4);
	assert_int_equal(c.bridge->last_event[EVENT_FIRST_HOP].value, 0);
	end(&c);
}

static void who_claimed_it_first_has_it(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	claim(c.other, owned_v4, 24);
	sim_start(c.sn);
	sim_start(c.observer);
	sim_start(c.bridge);
	sim_run(c.s, 5000);
	start_all(&c);
	say(&c, c.bridge, ARP, owned_v4);
	assert_int_equal(came(&c), 1);
	say(&c, c.other, ARP, owned_v4);
	assert_int_equal(came(&c), 0);
	/* That two claim it is told as that, and as nothing else. */
	sim_run(c.s, 60000);
	say(&c, c.other, ARP, owned_v4);
	sim_run(c.s, 2000);
	assert_int_equal(c.observer->events[EVENT_IP_CONFLICT], 1);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	/* It is free at once when its owner says goodbye, and with its lease when it does not. */
	sim_stop(c.bridge, true);
	sim_run(c.s, 1000);
	say(&c, c.other, ARP, owned_v4);
	assert_int_equal(came(&c), 1);
	sim_start(c.bridge);
	sim_run(c.s, 5000);
	say(&c, c.bridge, ARP, owned_v4);
	assert_int_equal(came(&c), 0);
	sim_stop(c.other, false);
	sim_run(c.s, 61000);
	say(&c, c.bridge, ARP, owned_v4);
	assert_int_equal(came(&c), 1);
	end(&c);
}

/* It is told when it begins and when it is over, however often it is tried. */
static void the_user_is_told_once(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	for (unsigned i = 0; i < 600; i++) {
		say(&c, c.other, DHCP_V4, owned_v4);
		bring(&c, c.other, &gateway);
		sim_run(c.s, 600);
	}
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 2);
	assert_int_equal(c.observer->last_event[EVENT_FIRST_HOP].value, 1);
	sim_run(c.s, 310000);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 4);
	assert_int_equal(c.observer->last_event[EVENT_FIRST_HOP].value, 0);
	end(&c);
}

static void it_is_over_when_the_member_is_gone(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	say(&c, c.other, ROUTER, owned_v6);
	sim_run(c.s, 2000);
	assert_int_equal(c.observer->last_event[EVENT_FIRST_HOP].value, 1);
	sim_stop(c.other, true);
	sim_run(c.s, 90000);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 2);
	assert_int_equal(c.observer->last_event[EVENT_FIRST_HOP].value, 0);
	end(&c);
}

/* What is under way when a member gets another address is nobody's fault. */
static void a_change_of_address_is_not_told(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	for (unsigned i = 0; i < 10; i++)
		bring(&c, c.other, &gateway);
	assert_int_equal(barred(&c, c.other, BARRED_SOURCE), 10);
	assert_int_equal(edge_set_mac(c.other->edge, 0, &gateway, c.s->now_ms), 0);
	sim_run(c.s, 20000);
	bring(&c, c.other, &gateway);
	assert_int_equal(barred(&c, c.other, BARRED_SOURCE), 10);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	end(&c);
}

/* A bridge sends from as many addresses as there may be: what others say to each other arrives. */
static void a_flood_of_addresses_is_in_nobodys_way(void **state)
{
	struct mac source = {{0x52, 0x55}};
	struct scene c;
	size_t first;

	(void)state;
	set_up_speaking(&c);
	c.bridge->setup.learn = LEARN;
	c.other->setup.roles = ROLE_BRIDGE;
	start_all(&c);
	bring(&c, c.bridge, &gateway);
	first = c.s->n_frames;
	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t slot[SLOT_LEN] = {0};
		struct frame f = {.data = slot + SLOT_HEADROOM, .len = SPEECH_LEN};

		store_be32(source.b + 2, i);
		memcpy(f.data, all.b, 6);
		memcpy(f.data + 6, source.b, 6);
		f.data[12] = 0x88;
		f.data[13] = 0xb5;
		sim_frames_from(c.other, 0, &f, 1);
		if (i % 64 != 0)
			continue;
		(void)sim_send(c.observer, c.bridge);
		(void)sim_send(c.bridge, c.observer);
		sim_run(c.s, 10);
	}
	sim_run(c.s, 1000);
	assert_int_equal(sim_missing(c.s, first), 0);
	assert_int_equal(came(&c), 65536);
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gateway_of_a_lan_is_not_to_be_claimed),
		cmocka_unit_test(a_bridge_that_left_has_nothing_behind_it),
		cmocka_unit_test(an_address_that_comes_of_a_key_is_its_members),
		cmocka_unit_test(who_had_it_first_comes_back_to_it),
		cmocka_unit_test(what_came_from_the_claimant_itself_is_in_nobodys_way),
		cmocka_unit_test(who_joins_later_finds_out_whose_it_is),
		cmocka_unit_test(a_bridge_that_restarts_keeps_its_gateway),
		cmocka_unit_test(what_is_forgotten_is_the_bridges_again),
		cmocka_unit_test(an_address_that_was_chosen_stays),
		cmocka_unit_test(who_has_no_role_is_not_heard),
		cmocka_unit_test(who_is_not_trusted_is_not_heard),
		cmocka_unit_test(a_role_that_is_said_is_believed),
		cmocka_unit_test(honest_members_are_heard_and_not_named),
		cmocka_unit_test(nobody_is_heard_for_waking_us),
		cmocka_unit_test(accidents_stop_where_they_begin),
		cmocka_unit_test(who_claimed_it_first_has_it),
		cmocka_unit_test(the_user_is_told_once),
		cmocka_unit_test(it_is_over_when_the_member_is_gone),
		cmocka_unit_test(a_change_of_address_is_not_told),
		cmocka_unit_test(a_flood_of_addresses_is_in_nobodys_way),
	};

	if (crypto_start() != 0)
		return 1;
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
