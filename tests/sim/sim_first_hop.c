/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member that speaks for others: it sends from another's address, says where another's IP address
 * is, answers as a DHCP server, advertises itself as a router. Nothing of that arrives, it is
 * counted with its name, and honest members that look alike keep what is theirs and are told
 * nothing.
 */
#include "../own_queries.h"
#include "sim_scene.h"

#define SPEECH_LEN 300

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
	DHCP_FIXED,
	DHCP_V6,
	ROUTER,
	REDIRECT,
	REDIRECT_V4,
	FRAGMENT,
	EXTENSIONS,
	MANY_EXTENSIONS,
	MANY_TAGS,
	TAGS,
	FORMS
};

/* Which counter a form of nobody's right moves. */
static const enum barred counted[FORMS] = {
	[ARP] = BARRED_NEIGHBOUR,
	[SOLICITATION] = BARRED_NEIGHBOUR,
	[ADVERTISEMENT] = BARRED_NEIGHBOUR,
	[DHCP_V4] = BARRED_DHCP,
	[DHCP_FIXED] = BARRED_DHCP,
	[DHCP_V6] = BARRED_DHCP,
	[ROUTER] = BARRED_ROUTER,
	[REDIRECT] = BARRED_ROUTER,
	[REDIRECT_V4] = BARRED_ROUTER,
	[FRAGMENT] = BARRED_ROUTER,
	[EXTENSIONS] = BARRED_ROUTER,
	[MANY_EXTENSIONS] = BARRED_ROUTER,
	[MANY_TAGS] = BARRED_ROUTER,
	[TAGS] = BARRED_NEIGHBOUR,
};

static bool is_of_v4(enum form form)
{
	return form == ARP || form == TAGS || form == MANY_TAGS || form == DHCP_V4 ||
	       form == DHCP_FIXED || form == REDIRECT_V4;
}

static bool is_hidden(enum form form)
{
	return form == FRAGMENT || form == MANY_EXTENSIONS || form == MANY_TAGS;
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
	unsigned extensions = form == FRAGMENT		? 1
			      : form == EXTENSIONS	? 5
			      : form == MANY_EXTENSIONS ? 9
							: 0;

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
	} else if (form == MANY_TAGS) {
		for (unsigned i = 0; i < 5; i++)
			memcpy(f.data + 12 + 4 * i, (uint8_t[]){0x81, 0, 0, 0}, 4);
		put_arp(f.data + 32, ip);
	} else if (form == ARP) {
		put_arp(f.data + 12, ip);
	} else if (form == DHCP_V4 || form == DHCP_FIXED) { /* at its place in spite of options */
		memcpy(f.data + 12, (uint8_t[]){8, 0, form == DHCP_V4 ? 0x45 : 0x4f}, 3);
		f.data[23] = 17;
		memcpy(f.data + 34, (uint8_t[]){0, 67, 0, 68}, 4);
	} else if (form == REDIRECT_V4) {
		memcpy(f.data + 12, (uint8_t[]){8, 0, 0x45}, 3);
		f.data[23] = 1;
		memcpy(f.data + 26, ip + 12, 4);
		f.data[34] = 5;
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
	if (is_own_query(j->piece[0].data, j->piece[0].len))
		return false;
	if (j->piece[0].len == SPEECH_LEN) /* else its own edge announces who has an address */
		c->came[at->number]++;
	else if (at == c->observer)
		c->announced++;
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
	/* Who is trusted is heard, but not for others, nor hidden. */
	for (enum form form = 0; form < FORMS; form++) {
		say(&c, c.bridge, form, is_of_v4(form) ? owned_v4 : owned_v6);
		assert_int_equal(came(&c), !is_hidden(form));
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
		assert_int_equal(came(&c), !is_hidden(form));
	}
	say(&c, c.other, ROUTER, owned_v6);
	say(&c, c.other, REDIRECT_V4, owned_v4);
	say(&c, c.other, TAGS, owned_v4);
	assert_int_equal(came(&c), 0);
	assert_int_equal(barred(&c, c.other, BARRED_NEIGHBOUR), 3);
	/* No role lets it hide what it says. */
	say(&c, c.other, MANY_TAGS, owned_v4);
	say(&c, c.other, MANY_EXTENSIONS, owned_v6);
	assert_int_equal(came(&c), 0);
	assert_int_equal(barred(&c, c.other, BARRED_ROUTER), 5);
	assert_int_equal(sim_drops(c.observer, DROP_ROUTER), 5);
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
	static const enum form forms[] = {
		DHCP_V4, DHCP_V6, ROUTER, REDIRECT, REDIRECT_V4, EXTENSIONS};
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	start_all(&c);
	for (unsigned times = 0; times < 5; times++)
		for (unsigned i = 0; i < 6; i++) {
			say(&c, c.bridge, forms[i], is_of_v4(forms[i]) ? owned_v4 : owned_v6);
			if (times == 0)
				assert_int_equal(c.bridge->last_event[EVENT_FIRST_HOP].barred,
					i < 2 ? BARRED_DHCP : BARRED_ROUTER);
		}
	assert_int_equal(came(&c), 0);
	assert_int_equal(sim_drops(c.bridge, DROP_OWN_DHCP), 10);
	assert_int_equal(sim_drops(c.bridge, DROP_OWN_ROUTER), 20);
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

/* What hides is kept in at home, too, whatever the roles. */
static void a_router_hides_nothing(void **state)
{
	struct scene c;

	(void)state;
	set_up_speaking(&c);
	c.bridge->setup.roles = ROLE_BRIDGE | ROLE_DHCP | ROLE_ROUTER;
	start_all(&c);
	for (enum form form = 0; form < FORMS; form++) {
		say(&c, c.bridge, form, is_of_v4(form) ? free_v4 : free_v6);
		assert_int_equal(came(&c), !is_hidden(form));
	}
	assert_int_equal(sim_drops(c.bridge, DROP_OWN_ROUTER), 3);
	assert_int_equal(sim_drops(c.bridge, DROP_OWN_DHCP), 0);
	assert_int_equal(barred(&c, c.bridge, BARRED_ROUTER), 0);
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

/* The observer trusts the bridge; the other one claims the address of a host behind that. */
static void set_up_trusting(struct scene *c)
{
	set_up_speaking(c);
	sim_start_all(c->s); /* their ids are known then */
	trust(c->observer, c->bridge, ROLE_BRIDGE);
	sim_stop(c->observer, true);
	sim_stop(c->other, true);
	claim(c->other, free_v4, 24);
	sim_run(c->s, 1000);
	start_all(c);
}

static void a_claim_does_not_take_what_a_trusted_bridge_brings(void **state)
{
	uint8_t id[EDGE_ID_LEN];
	const struct event *e;
	struct scene c;

	(void)state;
	set_up_trusting(&c);
	assert_int_equal(c.announced, 0);
	say(&c, c.bridge, ARP, free_v4);
	sim_run(c.s, 2000);
	(void)came(&c);
	for (unsigned i = 0; i < 30; i++) {
		say(&c, c.bridge, ARP, free_v4);
		assert_int_equal(came(&c), 1);
		say(&c, c.other, ARP, free_v4);
		assert_int_equal(came(&c), 0);
		sim_run(c.s, 60000);
	}
	assert_int_equal(barred(&c, c.other, BARRED_NEIGHBOUR), 30);
	assert_int_equal(c.announced, 0);
	/* It is the claimant of whom that is told. */
	e = &c.observer->last_event[EVENT_IP_CONFLICT];
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	assert_int_equal(c.observer->events[EVENT_IP_CONFLICT], 1);
	assert_int_equal(e->value, IP_IS_LANS);
	assert_memory_equal(e->ip, free_v4, 16);
	id_of(c.other, id);
	assert_memory_equal(e->edge, id, EDGE_ID_LEN);
	id_of(c.bridge, id);
	assert_memory_equal(e->owner, id, EDGE_ID_LEN);
	/* The host behind the bridge is gone: then it is the claimant's. */
	sim_run(c.s, 360000);
	say(&c, c.other, ARP, free_v4);
	assert_int_equal(came(&c), 1);
	assert_int_equal(c.observer->last_event[EVENT_IP_CONFLICT].value, 0);
	end(&c);
}

/* And neither the bridge's own addresses nor what a member has had for longer are in doubt. */
static void what_is_a_members_stays_its_own(void **state)
{
	struct scene c;

	(void)state;
	set_up_trusting(&c);
	for (unsigned i = 0; i < 10; i++) {
		say(&c, c.bridge, ARP, owned_v4);
		say(&c, c.other, ARP, free_v4);
		assert_int_equal(came(&c), 2);
		sim_run(c.s, 36000);
	}
	assert_int_equal(c.observer->events[EVENT_IP_CONFLICT], 0);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	for (unsigned i = 0; i < 10; i++) {
		say(&c, c.bridge, ARP, free_v4);
		sim_run(c.s, 2000);
		assert_int_equal(came(&c), 0);
	}
	say(&c, c.other, ARP, free_v4);
	assert_int_equal(came(&c), 1);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 1);
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
	assert_in_range(came(&c), 16 * LEARN, 65536); /* what has room in the limits on floods */
	assert_ptr_equal(receiver(&c, &gateway), c.bridge);
	assert_int_equal(c.observer->events[EVENT_FIRST_HOP], 0);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_no_role_is_not_heard),
		cmocka_unit_test(who_is_not_trusted_is_not_heard),
		cmocka_unit_test(a_role_that_is_said_is_believed),
		cmocka_unit_test(honest_members_are_heard_and_not_named),
		cmocka_unit_test(nobody_is_heard_for_waking_us),
		cmocka_unit_test(accidents_stop_where_they_begin),
		cmocka_unit_test(a_router_hides_nothing),
		cmocka_unit_test(who_claimed_it_first_has_it),
		cmocka_unit_test(a_claim_does_not_take_what_a_trusted_bridge_brings),
		cmocka_unit_test(what_is_a_members_stays_its_own),
		cmocka_unit_test(the_user_is_told_once),
		cmocka_unit_test(it_is_over_when_the_member_is_gone),
		cmocka_unit_test(a_change_of_address_is_not_told),
		cmocka_unit_test(a_flood_of_addresses_is_in_nobodys_way),
	};

	if (crypto_start() != 0)
		return 1;
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
