/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose an address is: who gets it, for how long it is kept, and who takes it in vain. */
#include "core/frame/announce.h"
#include "peer_test.h"

#define HANDLE	     0x1000u /* of ours */
#define AGE_MS	     10000u
#define FORGET_MS    60000u
#define CLAIMS_PER_S 2
#define CLAIMS_BURST 10
#define LISTED	     20
#define MEMBERS	     120

static const struct mac other = {{0x52, 0x54, 0, 1, 2, 3}};

/* The keys of those met, at their end. */
struct people {
	struct fixture *f;
	struct keyset *far[MEMBERS];
	uint32_t seq;
};

static void begin(struct people *p, struct fixture *f)
{
	*p = (struct people){.f = f};
	go_up(f, HANDLE);
	list_all(f, VERSION(1), LISTED);
}

static void end(struct people *p)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		keyset_destroy(p->far[i]);
}

static void come(struct people *p, uint8_t number)
{
	if (peer_of(p->f, number) == NULL)
		assert_non_null(peer_create(p->f->c, name_of(number).key));
	keyset_destroy(p->far[number]);
	p->far[number] = meet(p->f, number);
}

static void say_claim(struct people *p, uint8_t number, struct mac mac)
{
	p->f->n_sent = p->f->n_heard = 0; /* what acknowledges it */
	claim(p->f, number, ++p->seq, mac);
}

static bool is_refused(const struct people *p, uint8_t number, struct mac mac)
{
	const struct peer *peer = peer_of(p->f, number);
	struct status_peer t;

	assert_true(edge_peer_status(p->f->e, 0, name_of(number).key, p->f->core->now_ms, &t));
	assert_int_equal(t.refused, !mac_is_zero(&peer->refused.mac));
	if (!mac_equal(&peer->refused.mac, &mac))
		return false;
	/* It has no other one, and no frame comes from it. */
	assert_true(mac_equal(&t.refused_mac, &mac));
	assert_false(t.has_mac);
	assert_true(link_word(&peer->session->link.mac) == LINK_MAC_REFUSED);
	return true;
}

static const struct port *port_for(struct people *p, struct mac mac)
{
	return view_port(view_of(p->f), 0, mac_number(&mac));
}

/* It leaves in order, is listed no more, and forgotten. */
static void leave_for_good(struct people *p, uint8_t number)
{
	uint64_t version = p->f->c->hop.roster;

	goodbye(p->f, number);
	list_change(p->f, version, version + 1, number, true);
	run(p->f, FORGET_MS + 2000);
	assert_null(peer_of(p->f, number));
}

static struct mac derived(uint8_t number)
{
	return owners_derive(name_of(number).key);
}

static void an_address_is_claimed_by_who_owns_it(void **state)
{
	struct people p;

	begin(&p, *state);
	for (uint8_t i = 1; i <= 3; i++)
		come(&p, i);
	say_claim(&p, 1, mac_of(1));
	say_claim(&p, 2, mac_of(2));
	assert_true(owns(p.f, 1, mac_of(1)) && owns(p.f, 2, mac_of(2)));
	/* It may have another one; the former is nobody's at once. */
	say_claim(&p, 1, mac_of(7));
	assert_true(owns(p.f, 1, mac_of(7)));
	assert_false(owns(p.f, 1, mac_of(1)));
	say_claim(&p, 3, mac_of(1));
	assert_true(owns(p.f, 3, mac_of(1)));
	assert_int_equal(p.f->c->owners.n, 3);
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 0);
	end(&p);
}

static void what_is_no_address_is_not_claimed(void **state)
{
	static const struct mac group = {{3, 0, 0, 0, 0, 1}}, zero = {{0}};
	struct people p;

	begin(&p, *state);
	come(&p, 1);
	say_claim(&p, 1, mac_of(1));
	say_claim(&p, 1, group);
	say_claim(&p, 1, zero);
	assert_true(owns(p.f, 1, mac_of(1)));
	assert_null(view_owner(view_of(p.f), 0, mac_number(&group)));
	assert_int_equal(p.f->c->owners.n, 1);
	end(&p);
}

/* Even if it comes of the key of the one who claims it. */
static void ours_is_ours(void **state)
{
	struct people p;
	const struct event *e;
	uint8_t id[EDGE_ID_LEN];

	begin(&p, *state);
	e = &p.f->last[EVENT_MAC_REFUSED];
	come(&p, 1);
	say_claim(&p, 1, mac_of(1));
	say_claim(&p, 1, p.f->c->mac);
	assert_true(is_refused(&p, 1, p.f->c->mac));
	assert_ptr_equal(port_for(&p, p.f->c->mac), &port_nobody);
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 1);
	assert_int_equal(e->value, MAC_IS_OURS);
	edge_id(id, name_of(1).key);
	assert_memory_equal(e->edge, id, sizeof(id));
	/* What it had is free. */
	assert_int_equal(p.f->c->owners.n, 0);
	p.f->c->mac = derived(2);
	come(&p, 2);
	say_claim(&p, 2, derived(2));
	assert_true(is_refused(&p, 2, derived(2)));
	assert_int_equal(e->value, MAC_IS_OURS_BY_CHOICE);
	end(&p);
}

static void become(struct people *p, struct mac mac)
{
	assert_int_equal(edge_set_mac(p->f->e, 0, &mac, p->f->core->now_ms), 0);
	assert_ptr_equal(port_for(p, mac), &port_nobody);
}

/* By hand, or by another program: it is the interface's, whatever we would like. */
static void ours_may_become_another(void **state)
{
	static const struct mac group = {{3, 0, 0, 0, 0, 1}}, zero = {{0}};
	struct people p;
	struct mac first;

	begin(&p, *state);
	first = p.f->c->mac;
	for (uint8_t i = 1; i <= 3; i++)
		come(&p, i);
	say_claim(&p, 1, mac_of(1));
	say_claim(&p, 2, first);
	assert_true(is_refused(&p, 2, first));
	assert_int_equal(edge_set_mac(p.f->e, 0, &zero, p.f->core->now_ms), N2N_EINVAL);
	assert_int_equal(edge_set_mac(p.f->e, 0, &group, p.f->core->now_ms), N2N_EINVAL);
	become(&p, first);
	assert_true(is_refused(&p, 2, first));
	/* The old one goes to who was refused it. */
	become(&p, other);
	assert_true(mac_equal(&p.f->c->mac, &other));
	assert_true(owns(p.f, 2, first));
	say_claim(&p, 3, other);
	assert_true(is_refused(&p, 3, other));
	/* A member's own is taken here, and told; it gets it back when we let it go. */
	become(&p, mac_of(1));
	assert_true(is_refused(&p, 1, mac_of(1)));
	assert_true(peer_of(p.f, 1)->told);
	assert_int_equal(p.f->last[EVENT_MAC_REFUSED].value, MAC_IS_FREE); /* of 3 */
	assert_true(owns(p.f, 3, other));
	become(&p, mac_of(9));
	assert_true(owns(p.f, 1, mac_of(1)));
	assert_int_equal(p.f->c->owners.n, 3);
	end(&p);
}

/* Several claim the one that was ours: of those that do not get it it is said whose it is. */
static void the_others_are_told_whose_it_is_then(void **state)
{
	const struct event *e;
	uint8_t id[EDGE_ID_LEN];
	struct people p;
	struct mac ours;

	begin(&p, *state);
	e = &p.f->last[EVENT_MAC_REFUSED];
	ours = p.f->c->mac;
	for (uint8_t i = 1; i <= 2; i++) {
		come(&p, i);
		say_claim(&p, i, ours);
	}
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 2);
	assert_int_equal(e->value, MAC_IS_OURS);
	become(&p, other);
	assert_true(owns(p.f, 1, ours));
	assert_true(is_refused(&p, 2, ours));
	assert_int_equal(e->value, MAC_IS_ANOTHERS);
	edge_id(id, name_of(1).key);
	assert_memory_equal(e->owner, id, sizeof(id));
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 5); /* both ended, one begun */
	end(&p);
}

/* One that is away, too. */
static void ours_may_be_that_of_one_who_is_away(void **state)
{
	struct people p;

	begin(&p, *state);
	come(&p, 1);
	say_claim(&p, 1, mac_of(1));
	leave_for_good(&p, 1);
	become(&p, mac_of(1));
	assert_int_equal(p.f->c->owners.n, 0);
	end(&p);
}

/* ---- its hosts ---- */

static void say_claim_with(struct people *p, uint8_t number, struct mac mac, uint8_t last)
{
	struct control_claim m = {.mac = mac, .n = 1};

	m.address[0] = (struct claim_address){
		.ip = {[10] = 0xff, [11] = 0xff, 10, 1, 2, last}, .prefix = 24};
	p->f->n_sent = p->f->n_heard = 0;
	say_claimed(p->f, number, ++p->seq, &m);
}

static bool told_our_host(struct people *p, struct mac mac, uint8_t last)
{
	static const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 0};
	uint8_t want[ANNOUNCE_MAX], at[16];

	memcpy(at, ip, sizeof(at));
	at[15] = last;
	return p->f->frame_len == announce_frame(want, &mac, at) &&
	       memcmp(p->f->frame, want, p->f->frame_len) == 0;
}

static void our_host_hears_where_an_address_is_now(void **state)
{
	struct people p;

	begin(&p, *state);
	for (uint8_t i = 1; i <= 2; i++)
		come(&p, i);
	say_claim_with(&p, 1, mac_of(1), 9);
	assert_true(told_our_host(&p, mac_of(1), 9));
	assert_int_equal(p.f->n_frames, 1);
	/* Nothing new is nothing to tell; so it is every time when keys change. */
	say_claim_with(&p, 1, mac_of(1), 9);
	assert_int_equal(p.f->n_frames, 1);
	say_claim_with(&p, 1, mac_of(3), 9);
	assert_true(told_our_host(&p, mac_of(3), 9));
	say_claim_with(&p, 1, mac_of(3), 8);
	assert_true(told_our_host(&p, mac_of(3), 8));
	assert_int_equal(p.f->n_frames, 3);
	/* What is refused is at nobody. */
	say_claim_with(&p, 2, mac_of(3), 7);
	assert_true(is_refused(&p, 2, mac_of(3)));
	assert_int_equal(p.f->n_frames, 3);
	/* What another one has is the other's as long as that is here. */
	say_claim_with(&p, 2, mac_of(2), 8);
	assert_int_equal(p.f->n_frames, 3);
	goodbye(p.f, 1);
	assert_true(told_our_host(&p, mac_of(2), 8));
	assert_int_equal(p.f->n_frames, 4);
	end(&p);
}

/* ---- what others refuse us ---- */

static void say_refused(struct people *p, uint8_t number, struct mac mac, const uint8_t *owner)
{
	struct control_claim_refused m = {.mac = mac};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	if (owner != NULL)
		memcpy(m.owner, owner, sizeof(m.owner));
	writer_init(&w, buf, sizeof(buf));
	control_claim_refused_encode(&w, &m);
	p->f->n_sent = p->f->n_heard = 0;
	say(p->f, number, &w);
}

static void check_told(struct people *p, unsigned times, unsigned value)
{
	run(p->f, 1200);
	assert_int_equal(p->f->events[EVENT_CLAIM_REFUSED], times);
	if (times > 0)
		assert_int_equal(p->f->last[EVENT_CLAIM_REFUSED].value, value);
}

static void who_refuses_ours_is_told(void **state)
{
	static const uint8_t owner[EDGE_ID_LEN] = {4, 5};
	const struct event *e;
	struct people p;
	struct mac ours;

	begin(&p, *state);
	ours = p.f->c->mac;
	e = &p.f->last[EVENT_CLAIM_REFUSED];
	for (uint8_t i = 1; i <= 3; i++)
		come(&p, i);
	say_refused(&p, 1, other, owner); /* it is not what we claim */
	say_refused(&p, 2, ours, NULL);	  /* nobody had refused it */
	check_told(&p, 0, 0);
	say_refused(&p, 1, ours, owner);
	check_told(&p, 1, 1);
	assert_memory_equal(e->owner, owner, sizeof(owner));
	assert_true(mac_equal(&e->mac, &ours));
	say_refused(&p, 1, ours, owner);
	check_told(&p, 1, 1);
	say_refused(&p, 2, ours, owner);
	say_refused(&p, 3, ours, owner);
	check_told(&p, 2, 3);
	say_refused(&p, 1, ours, NULL);
	check_told(&p, 3, 2);
	goodbye(p.f, 2);
	check_told(&p, 4, 1);
	/* Asked again, over and over, it refuses no more. */
	run(p.f, 86000);
	assert_int_equal(p.f->events[EVENT_CLAIM_REFUSED], 4);
	run(p.f, 4000);
	check_told(&p, 5, 0);
	end(&p);
}

/* Of the address that was refused it is told that it is over; the new one nobody refuses. */
static void with_another_address_it_is_over(void **state)
{
	static const uint8_t owner[EDGE_ID_LEN] = {4, 5};
	struct people p;
	struct mac ours;

	begin(&p, *state);
	ours = p.f->c->mac;
	come(&p, 1);
	say_refused(&p, 1, ours, owner);
	check_told(&p, 1, 1);
	become(&p, other);
	check_told(&p, 2, 0);
	assert_true(mac_equal(&p.f->last[EVENT_CLAIM_REFUSED].mac, &ours));
	say_refused(&p, 1, ours, owner); /* it was under way */
	run(p.f, 3000);
	check_told(&p, 2, 0);
	say_refused(&p, 1, other, owner);
	check_told(&p, 3, 1);
	assert_true(mac_equal(&p.f->last[EVENT_CLAIM_REFUSED].mac, &other));
	end(&p);
}

/* One that changes its mind all the time: 8 times at once, and once a minute. */
static void a_wanton_member_is_told_within_bounds(void **state)
{
	static const uint8_t owner[EDGE_ID_LEN] = {4, 5};
	struct people p;

	begin(&p, *state);
	come(&p, 1);
	for (unsigned i = 0; i < 300; i++) {
		if (i % 50 == 0)
			come(&p, 1); /* its keys last for two minutes */
		say_refused(&p, 1, p.f->c->mac, i % 2 == 0 ? owner : NULL);
		run(p.f, 1200);
	}
	assert_in_range(p.f->events[EVENT_CLAIM_REFUSED], 8, 2 * (8 + 360 / 60 + 1));
	/* The last word is told all the same. */
	say_refused(&p, 1, p.f->c->mac, owner);
	run(p.f, 61000);
	assert_int_equal(p.f->last[EVENT_CLAIM_REFUSED].value, 1);
	say_refused(&p, 1, p.f->c->mac, NULL);
	run(p.f, 1200);
	assert_int_equal(p.f->last[EVENT_CLAIM_REFUSED].value, 0);
	end(&p);
}

/* What it said holds while it cannot be asked, and not when it is gone. */
static void without_keys_nobody_is_asked(void **state)
{
	static const uint8_t owner[EDGE_ID_LEN] = {4, 5};
	struct people p;

	begin(&p, *state);
	come(&p, 1);
	say_refused(&p, 1, p.f->c->mac, owner);
	session_forget_keys(p.f->core, peer_of(p.f, 1)->session);
	run(p.f, 200000);
	check_told(&p, 1, 1);
	list_change(p.f, p.f->c->hop.roster, p.f->c->hop.roster + 1, 1, true);
	run(p.f, 20000);
	check_told(&p, 2, 0);
	end(&p);
}

/* ---- the thief ---- */

/* Whatever becomes of the owner, the one who was refused never gets it. */
static void it_stays_with_its_first_owner(void **state)
{
	struct people p;
	struct status_peer t;
	uint8_t id[EDGE_ID_LEN];
	const struct event *e;

	begin(&p, *state);
	e = &p.f->last[EVENT_MAC_REFUSED];
	come(&p, 1);
	come(&p, 2);
	say_claim(&p, 1, other);
	say_claim(&p, 2, other);
	assert_true(owns(p.f, 1, other));
	assert_true(is_refused(&p, 2, other));
	/* Both are named. */
	edge_id(id, name_of(1).key);
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 1);
	assert_memory_equal(e->owner, id, sizeof(id));
	assert_true(mac_equal(&e->mac, &other));
	assert_int_equal(e->value, MAC_IS_ANOTHERS);
	assert_true(edge_peer_status(p.f->e, 0, name_of(2).key, p.f->core->now_ms, &t));
	assert_memory_equal(t.owner, id, sizeof(id));
	edge_id(id, name_of(2).key);
	assert_memory_equal(e->edge, id, sizeof(id));
	/* It says goodbye, and is listed still. */
	goodbye(p.f, 1);
	run(p.f, 5000);
	say_claim(&p, 2, other);
	assert_true(is_refused(&p, 2, other));
	/* It comes back as if nothing had been. */
	come(&p, 1);
	say_claim(&p, 1, other);
	assert_true(owns(p.f, 1, other));
	/* Silence: its keys end. */
	run(p.f, KEYS_REJECT_MS + 5000);
	come(&p, 2);
	say_claim(&p, 2, other);
	assert_true(is_refused(&p, 2, other));
	/* It is forgotten: its address leads to nobody, not to all. */
	come(&p, 1);
	leave_for_good(&p, 1);
	come(&p, 2);
	say_claim(&p, 2, other);
	assert_true(is_refused(&p, 2, other));
	assert_ptr_equal(port_for(&p, other), &port_nobody);
	come(&p, 1);
	assert_ptr_equal(port_for(&p, other), peer_of(p.f, 1)->port);
	say_claim(&p, 1, other);
	assert_true(owns(p.f, 1, other));
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 1);
	end(&p);
}

/* A newcomer, whom nobody lists and whom no earlier run knew, does not lose it either. */
static void the_owner_need_not_be_listed(void **state)
{
	struct people p;

	begin(&p, *state);
	come(&p, 30);
	come(&p, 2);
	assert_false(peer_of(p.f, 30)->listed);
	say_claim(&p, 30, other);
	say_claim(&p, 2, other);
	run(p.f, KEYS_REJECT_MS + 2 * FORGET_MS);
	assert_null(peer_of(p.f, 30));
	come(&p, 2);
	say_claim(&p, 2, other);
	assert_true(is_refused(&p, 2, other));
	end(&p);
}

/* ---- addresses that come of a key ---- */

static void what_comes_of_the_key_wins(void **state)
{
	struct people p;
	uint8_t id[EDGE_ID_LEN];

	begin(&p, *state);
	come(&p, 1);
	come(&p, 2);
	say_claim(&p, 1, derived(2));
	assert_true(owns(p.f, 1, derived(2)));
	say_claim(&p, 2, derived(2));
	assert_true(owns(p.f, 2, derived(2)));
	assert_true(is_refused(&p, 1, derived(2)));
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 1);
	edge_id(id, name_of(2).key);
	assert_memory_equal(p.f->last[EVENT_MAC_REFUSED].owner, id, sizeof(id));
	/* Also from one who is away. */
	say_claim(&p, 1, derived(3));
	assert_true(owns(p.f, 1, derived(3)));
	leave_for_good(&p, 1);
	come(&p, 3);
	say_claim(&p, 3, derived(3));
	assert_true(owns(p.f, 3, derived(3)));
	end(&p);
}

/* Of two whose keys both make the address, it is the first one's. */
static void of_equals_the_first_keeps_it(void **state)
{
	struct people p;

	begin(&p, *state);
	come(&p, 5);
	come(&p, 105);
	say_claim(&p, 5, derived(5));
	say_claim(&p, 105, derived(105));
	assert_true(owns(p.f, 5, derived(105)));
	assert_true(is_refused(&p, 105, derived(5)));
	leave_for_good(&p, 5);
	say_claim(&p, 105, derived(105));
	assert_true(is_refused(&p, 105, derived(5)));
	end(&p);
}

/* ---- it gets free ---- */

static void what_its_owner_gives_up_goes_to_who_asked(void **state)
{
	struct people p;

	begin(&p, *state);
	come(&p, 1);
	come(&p, 2);
	come(&p, 3);
	say_claim(&p, 1, other);
	say_claim(&p, 3, other);
	say_claim(&p, 2, other);
	/* An administrator gave it another one; the first in line is who was met first. */
	say_claim(&p, 1, mac_of(1));
	assert_true(owns(p.f, 1, mac_of(1)));
	assert_true(owns(p.f, 2, other));
	assert_true(is_refused(&p, 3, other));
	/* Who asks for something else does not wait any more, and who is away neither. */
	say_claim(&p, 3, mac_of(3));
	say_claim(&p, 1, other);
	say_claim(&p, 2, mac_of(2));
	assert_true(owns(p.f, 1, other));
	say_claim(&p, 3, other);
	goodbye(p.f, 3);
	run(p.f, 3000);
	say_claim(&p, 1, mac_of(1));
	assert_false(owns(p.f, 3, other));
	assert_ptr_equal(port_for(&p, other), &port_all);
	end(&p);
}

static void the_user_says_that_it_is_free(void **state)
{
	struct people p;
	struct forgotten_owner o;
	uint8_t one[EDGE_ID_LEN], two[EDGE_ID_LEN];
	uint64_t now_ms;

	begin(&p, *state);
	edge_id(one, name_of(1).key);
	edge_id(two, name_of(2).key);
	come(&p, 1);
	come(&p, 2);
	say_claim(&p, 1, other);
	now_ms = p.f->core->now_ms;
	/* Nobody else wants it. */
	assert_true(edge_forget_owner(p.f->e, 0, &other, now_ms, &o));
	assert_true(o.taken);
	assert_memory_equal(o.taker, one, sizeof(one));
	assert_true(owns(p.f, 1, other));
	/* Somebody does. */
	say_claim(&p, 2, other);
	assert_true(edge_forget_owner(p.f->e, 0, &other, now_ms, &o));
	assert_memory_equal(o.owner, one, sizeof(one));
	assert_true(o.taken);
	assert_memory_equal(o.taker, two, sizeof(two));
	assert_true(owns(p.f, 2, other));
	assert_true(is_refused(&p, 1, other));
	/* Its owner is away. */
	leave_for_good(&p, 2);
	say_claim(&p, 1, mac_of(1));
	assert_true(edge_forget_owner(p.f->e, 0, &other, p.f->core->now_ms, &o));
	assert_false(o.taken);
	assert_ptr_equal(port_for(&p, other), &port_all);
	assert_false(edge_forget_owner(p.f->e, 0, &other, p.f->core->now_ms, &o));
	assert_false(edge_forget_owner(p.f->e, 0, &p.f->c->mac, p.f->core->now_ms, &o));
	say_claim(&p, 1, other);
	assert_true(owns(p.f, 1, other));
	end(&p);
}

/* ---- time ---- */

/* It counts while we run without the owner, and no clock that jumps makes it go faster. */
static void it_is_kept_for_a_time(void **state)
{
	struct people p;
	uint64_t left;

	begin(&p, *state);
	p.f->c->hold_ms = 3 * FORGET_MS;
	come(&p, 1);
	come(&p, 2);
	say_claim(&p, 1, other);
	say_claim(&p, 2, other);
	/* As long as it is listed it is here. */
	goodbye(p.f, 1);
	list_change(p.f, VERSION(1), VERSION(2), 1, false);
	run(p.f, 4 * FORGET_MS);
	come(&p, 2);
	say_claim(&p, 2, other);
	assert_true(is_refused(&p, 2, other));
	come(&p, 1);
	leave_for_good(&p, 1);
	left = 2 * FORGET_MS - 2000 - 2 * AGE_MS;
	p.f->core->wall_ms += UINT64_C(50) * 365 * 24 * 3600 * 1000;
	run(p.f, left);
	come(&p, 2);
	say_claim(&p, 2, other);
	assert_true(is_refused(&p, 2, other));
	p.f->core->wall_ms = 0;
	run(p.f, 4 * AGE_MS);
	assert_true(owns(p.f, 2, other));
	assert_int_equal(p.f->c->owners.n, 1);
	end(&p);
}

static void kept_for_no_time_it_goes_with_its_owner(void **state)
{
	struct people p;

	begin(&p, *state);
	p.f->c->hold_ms = 0;
	come(&p, 30);
	come(&p, 2);
	say_claim(&p, 30, other);
	say_claim(&p, 2, other);
	run(p.f, 2 * AGE_MS);
	assert_true(is_refused(&p, 2, other));
	goodbye(p.f, 30);
	run(p.f, 2 * AGE_MS);
	assert_true(owns(p.f, 2, other));
	end(&p);
}

static void until_looked(struct people *p)
{
	for (uint64_t before = p->f->c->aged_ms; p->f->c->aged_ms == before;)
		tick(p->f);
}

/* When it went is not known: it has just gone when that is seen first. */
static void who_just_left_was_not_away(void **state)
{
	struct people p;
	uint64_t looked_ms;

	begin(&p, *state);
	p.f->c->hold_ms = AGE_MS / 2;
	come(&p, 30);
	come(&p, 2);
	say_claim(&p, 30, other);
	say_claim(&p, 2, other);
	until_looked(&p);
	looked_ms = p.f->c->aged_ms;
	goodbye(p.f, 30);
	until_looked(&p);
	assert_int_equal(p.f->c->aged_ms, looked_ms + AGE_MS);
	assert_true(is_refused(&p, 2, other));
	until_looked(&p);
	assert_true(owns(p.f, 2, other));
	end(&p);
}

/* ---- from one run to the next ---- */

static void an_owner_is_remembered(void **state)
{
	struct people p;
	struct known_owner k[3] = {{.mac = other, .absent_ms = 77}, {.mac = mac_of(2)}}, out[4];

	begin(&p, *state);
	memcpy(k[0].remote, name_of(40).key, KEY_LEN);
	memcpy(k[1].remote, name_of(2).key, KEY_LEN);
	k[2] = (struct known_owner){.mac = p.f->c->mac, .remote = {9}};
	for (unsigned i = 0; i < 3; i++)
		edge_remember_owner(p.f->e, 0, &k[i]);
	/* Once; and what is none, or ours, not at all. */
	edge_remember_owner(p.f->e, 0, &k[0]);
	k[2].mac = other;
	edge_remember_owner(p.f->e, 0, &k[2]);
	memcpy(k[2].remote, name_of(2).key, KEY_LEN);
	k[2].mac = mac_of(3);
	edge_remember_owner(p.f->e, 0, &k[2]);
	k[2] = (struct known_owner){.mac = {{1}}, .remote = {9}};
	edge_remember_owner(p.f->e, 0, &k[2]);
	assert_int_equal(edge_known_owners(p.f->e, 0, out, 4), 2);
	assert_true(mac_equal(&out[0].mac, &other) && mac_equal(&out[1].mac, &k[1].mac));
	assert_memory_equal(out[0].remote, k[0].remote, KEY_LEN);
	assert_true(out[0].absent_ms == 77);
	assert_int_equal(edge_known_owners(p.f->e, 0, out, 1), 1);
	/* Before it has said a word frames go to it, or to nobody. */
	assert_ptr_equal(port_for(&p, other), &port_nobody);
	assert_ptr_equal(port_for(&p, mac_of(2)), peer_of(p.f, 2)->port);
	come(&p, 1);
	say_claim(&p, 1, other);
	assert_true(is_refused(&p, 1, other));
	come(&p, 40);
	say_claim(&p, 40, other);
	assert_true(owns(p.f, 40, other));
	end(&p);
}

/* Of an earlier run nobody has just left: the time that we run without it counts from the first. */
static void who_is_remembered_is_away(void **state)
{
	struct known_owner k[2] = {{.mac = mac_of(2)}, {.mac = other}};
	struct people p;

	begin(&p, *state);
	p.f->c->hold_ms = AGE_MS / 2;
	memcpy(k[0].remote, name_of(2).key, KEY_LEN);
	memcpy(k[1].remote, name_of(40).key, KEY_LEN);
	until_looked(&p);
	for (unsigned i = 0; i < 2; i++)
		edge_remember_owner(p.f->e, 0, &k[i]);
	assert_int_equal(p.f->c->owners.n, 2);
	until_looked(&p);
	assert_int_equal(p.f->c->owners.n, 1);
	assert_true(mac_equal(&p.f->c->owners.at[0].mac, &k[0].mac)); /* it is listed */
	end(&p);
}

/* A time that nobody can have been away does not begin anew. */
static void a_damaged_time_is_over(void **state)
{
	struct known_owner k = {.mac = other, .absent_ms = UINT64_MAX};
	struct people p;

	begin(&p, *state);
	p.f->c->hold_ms = 10 * FORGET_MS;
	memcpy(k.remote, name_of(40).key, KEY_LEN);
	edge_remember_owner(p.f->e, 0, &k);
	assert_int_equal(p.f->c->owners.n, 1);
	run(p.f, 2 * AGE_MS);
	assert_int_equal(p.f->c->owners.n, 0);
	end(&p);
}

/* ---- bounds ---- */

static void remember(struct people *p, unsigned i)
{
	struct known_owner k = {
		.mac = {{0x0a, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}}, .absent_ms = 1};

	k.remote[0] = 0xee;
	store_be32(k.remote + 4, i);
	edge_remember_owner(p->f->e, 0, &k);
}

/* Many statics that come and go: the table does not grow, and who is here or was first stays. */
static void a_hoarder_pushes_out_only_what_came_last(void **state)
{
	struct people p;

	begin(&p, *state);
	come(&p, 1);
	say_claim(&p, 1, mac_of(1));
	for (unsigned i = 0; i < MAC_OWNERS_MAX + 10; i++)
		remember(&p, i);
	assert_int_equal(p.f->c->owners.n, MAC_OWNERS_MAX);
	for (uint8_t i = 30; i < 50; i++) {
		come(&p, i);
		say_claim(&p, i, mac_of(i));
		assert_true(owns(p.f, i, mac_of(i)));
		goodbye(p.f, i);
		run(p.f, 1000);
		assert_int_equal(p.f->c->owners.n, MAC_OWNERS_MAX);
	}
	/* Each took the place of the one before it, which was away again; the first that of one. */
	assert_true(owns(p.f, 1, mac_of(1)));
	for (unsigned i = 0; i < MAC_OWNERS_MAX - 2; i++)
		assert_int_equal(load_be32(p.f->c->owners.at[i + 1].remote + 4), i);
	assert_ptr_equal(port_for(&p, mac_of(48)), &port_all);
	assert_ptr_equal(port_for(&p, mac_of(49)), peer_of(p.f, 49)->port);
	end(&p);
}

/* One line for each rival, however often it tries, and not too many for many. */
static void refusals_are_told_within_bounds(void **state)
{
	struct people p;
	unsigned told;

	begin(&p, *state);
	for (uint8_t i = 1; i <= 2; i++) {
		come(&p, i);
		say_claim(&p, i, mac_of(i));
	}
	come(&p, 3);
	for (unsigned i = 0; i < 40; i++) {
		say_claim(&p, 3, mac_of(1));
		run(p.f, 1000 / CLAIMS_PER_S);
	}
	assert_int_equal(p.f->events[EVENT_MAC_REFUSED], 1);
	for (unsigned i = 0; i < 40; i++) {
		say_claim(&p, 3, mac_of((uint8_t)(1 + i % 2)));
		run(p.f, 1000 / CLAIMS_PER_S);
	}
	/* What was told is told to be over, too. */
	told = p.f->events[EVENT_MAC_REFUSED];
	assert_in_range(told, 3, 2 * 8);
	run(p.f, 10 * 60000);
	come(&p, 1);
	come(&p, 3);
	for (unsigned i = 0; i < 40; i++) {
		say_claim(&p, 3, mac_of((uint8_t)(1 + i % 2)));
		run(p.f, 1000 / CLAIMS_PER_S);
	}
	assert_in_range(p.f->events[EVENT_MAC_REFUSED] - told, 1, 2 * 8);
	end(&p);
}

/* Who claims all the time is heard out at times. */
static void claims_are_taken_within_bounds(void **state)
{
	struct people p;
	unsigned changes = 0;

	begin(&p, *state);
	come(&p, 1);
	for (unsigned i = 0; i < 100; i++) {
		say_claim(&p, 1, mac_of((uint8_t)(1 + i)));
		changes += owns(p.f, 1, mac_of((uint8_t)(1 + i)));
	}
	assert_int_equal(changes, CLAIMS_BURST);
	run(p.f, 1000);
	assert_true(owns(p.f, 1, mac_of(100))); /* the last one, which is not said again */
	run(p.f, 1000 / CLAIMS_PER_S);
	for (uint8_t i = 1; i <= CLAIMS_PER_S + 1; i++)
		say_claim(&p, 1, mac_of(i));
	assert_true(owns(p.f, 1, mac_of(CLAIMS_PER_S)));
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_claimed_by_who_owns_it),
		TEST(what_is_no_address_is_not_claimed),
		TEST(ours_is_ours),
		TEST(ours_may_become_another),
		TEST(the_others_are_told_whose_it_is_then),
		TEST(ours_may_be_that_of_one_who_is_away),
		TEST(our_host_hears_where_an_address_is_now),
		TEST(who_refuses_ours_is_told),
		TEST(with_another_address_it_is_over),
		TEST(a_wanton_member_is_told_within_bounds),
		TEST(without_keys_nobody_is_asked),
		TEST(it_stays_with_its_first_owner),
		TEST(the_owner_need_not_be_listed),
		TEST(what_comes_of_the_key_wins),
		TEST(of_equals_the_first_keeps_it),
		TEST(what_its_owner_gives_up_goes_to_who_asked),
		TEST(the_user_says_that_it_is_free),
		TEST(it_is_kept_for_a_time),
		TEST(kept_for_no_time_it_goes_with_its_owner),
		TEST(who_just_left_was_not_away),
		TEST(an_owner_is_remembered),
		TEST(who_is_remembered_is_away),
		TEST(a_damaged_time_is_over),
		TEST(a_hoarder_pushes_out_only_what_came_last),
		TEST(refusals_are_told_within_bounds),
		TEST(claims_are_taken_within_bounds),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
