/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes of a claim that is granted: of the roles in it, and for the addresses of others. */
#include "core/switch/fdb.h"
#include "peer_test.h"

#define HOST 0x020000000009u /* behind a bridge */

/* Members 1 and 2 are met; what is learned has a place. */
struct people {
	struct fixture *f;
	struct keyset *far[2];
	uint32_t seq;
};

static void begin(struct people *p, struct fixture *f)
{
	static const uint8_t key[FDB_KEY_LEN] = {1};

	*p = (struct people){.f = f};
	go_up(f, 0x1000);
	list_all(f, VERSION(1), 3);
	f->c->fdb = fdb_create(64, key);
	assert_non_null(f->c->fdb);
	for (uint8_t i = 0; i < 2; i++)
		p->far[i] = meet(f, i + 1);
}

static void end(struct people *p)
{
	for (unsigned i = 0; i < 2; i++)
		keyset_destroy(p->far[i]);
	fdb_destroy(p->f->c->fdb);
	p->f->c->fdb = NULL;
}

/* It claims its address again, with these roles. */
static void become(struct people *p, uint8_t number, uint8_t roles)
{
	p->f->n_sent = p->f->n_heard = 0;
	claim_as(p->f, number, ++p->seq, mac_of(number), roles);
}

static void hear(struct people *p, uint8_t number)
{
	fdb_learn(p->f->c->fdb, HOST, peer_of(p->f, number)->port->number, 0);
}

/* Whether the host is known behind it still, once what is to be forgotten was. */
static bool is_known_behind(struct people *p, uint8_t number)
{
	tick(p->f);
	return fdb_find(p->f->c->fdb, HOST) == peer_of(p->f, number)->port->number;
}

/* Frames for its own address go to it, and not to where that is learned. */
static bool is_bound(struct people *p, uint8_t number)
{
	const struct mac mac = mac_of(number);

	return view_owner(view_of(p->f), 0, mac_number(&mac)) == peer_of(p->f, number)->port;
}

static void who_is_no_bridge_any_more_has_no_hosts(void **state)
{
	struct people p;

	begin(&p, *state);
	become(&p, 1, ROLE_BRIDGE);
	hear(&p, 1);
	become(&p, 1, ROLE_BRIDGE);
	assert_true(is_known_behind(&p, 1));
	become(&p, 1, 0);
	assert_false(is_known_behind(&p, 1));
	end(&p);
}

static void who_stands_by_has_no_hosts_and_is_not_bound(void **state)
{
	struct people p;

	begin(&p, *state);
	become(&p, 1, ROLE_BRIDGE);
	hear(&p, 1);
	assert_true(is_bound(&p, 1));
	become(&p, 1, ROLE_BRIDGE | ROLE_STANDBY);
	assert_false(is_bound(&p, 1));
	assert_false(is_known_behind(&p, 1));
	/* It says so again: nothing changes. */
	hear(&p, 1);
	become(&p, 1, ROLE_BRIDGE | ROLE_STANDBY);
	assert_false(is_bound(&p, 1));
	assert_true(is_known_behind(&p, 1));
	end(&p);
}

/* Hosts of its LAN were heard behind another bridge before. */
static void when_it_serves_its_lan_all_is_forgotten(void **state)
{
	struct people p;

	begin(&p, *state);
	become(&p, 2, ROLE_BRIDGE);
	hear(&p, 2);
	become(&p, 1, ROLE_BRIDGE | ROLE_STANDBY);
	assert_true(is_known_behind(&p, 2));
	become(&p, 1, ROLE_BRIDGE);
	assert_true(is_bound(&p, 1));
	assert_false(is_known_behind(&p, 2));
	/* Once; and who merely claims again serves nothing new. */
	hear(&p, 2);
	assert_true(is_known_behind(&p, 2));
	become(&p, 1, ROLE_BRIDGE);
	assert_true(is_known_behind(&p, 2));
	end(&p);
}

/* Member 3 has no claim, and nothing comes of it. */
static void whom_the_user_does_not_name_is_no_bridge(void **state)
{
	struct trusted named = {.roles = ROLE_BRIDGE};
	struct people p;

	begin(&p, *state);
	edge_id(named.edge, name_of(2).key);
	become(&p, 1, ROLE_BRIDGE | ROLE_STANDBY);
	become(&p, 2, ROLE_BRIDGE | ROLE_STANDBY);
	hear(&p, 1);
	edge_set_trusted(p.f->e, 0, &named, 1, p.f->core->now_ms);
	assert_true(is_bound(&p, 1)); /* as only a bridge stands by */
	assert_false(is_bound(&p, 2));
	assert_false(is_known_behind(&p, 1));
	edge_set_trusted(p.f->e, 0, NULL, 0, p.f->core->now_ms);
	assert_false(is_bound(&p, 1));
	assert_true(mac_is_zero(&peer_of(p.f, 3)->claim.mac));
	end(&p);
}

/* A bridge's own host may know an address of IP from its LAN: what moves is said, and once. */
static void behind_us_it_is_said_when_a_claim_moved(void **state)
{
	struct control_claim m = {.mac = mac_of(1),
		.n = 1,
		.address[0] = {.ip = {[10] = 0xff, 0xff, 10, 1, 2, 9}, .prefix = 24}};
	struct people p;

	begin(&p, *state);
	p.f->c->roles = ROLE_BRIDGE;
	p.f->n_sent = p.f->n_heard = 0;
	say_claimed(p.f, 1, 1, &m);
	say_claimed(p.f, 1, 2, &m);
	assert_int_equal(p.f->n_frames, 0);
	m.mac = mac_of(5);
	say_claimed(p.f, 1, 3, &m);
	assert_int_equal(p.f->n_frames, 1);
	assert_memory_equal(p.f->frame + 6, m.mac.b, sizeof(m.mac.b)); /* its source */
	say_claimed(p.f, 1, 4, &m);
	assert_int_equal(p.f->n_frames, 1);
	end(&p);
}

/* Of members that are away the last ones make room, where there is none. */
static void who_is_away_keeps_its_address_while_there_is_room(void **state)
{
	const struct mac another = mac_of(7);
	struct people p;

	begin(&p, *state);
	become(&p, 2, 0);
	goodbye(p.f, 2);
	run(p.f, 1000);
	claim(p.f, 1, ++p.seq, another);
	assert_true(owns(p.f, 1, another));
	assert_true(owns(p.f, 2, mac_of(2)));
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_no_bridge_any_more_has_no_hosts),
		TEST(who_stands_by_has_no_hosts_and_is_not_bound),
		TEST(when_it_serves_its_lan_all_is_forgotten),
		TEST(whom_the_user_does_not_name_is_no_bridge),
		TEST(behind_us_it_is_said_when_a_claim_moved),
		TEST(who_is_away_keeps_its_address_while_there_is_room),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
