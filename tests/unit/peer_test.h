/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of an edge's peers share: members known by a number, listed by a supernode that is
 * not there, with keys and what they say.
 */
#ifndef N2N_TESTS_PEER_TEST_H
#define N2N_TESTS_PEER_TEST_H

#include "core/control.h"
#include "edge_test.h"

#define VERSION(n) (UINT64_C(7) << 32 | (n))

/*
 * Of a member; the first byte decides who has the larger key. Of a hundred numbers each has an
 * address of its own that comes of its key, which the next hundred share.
 */
struct name {
	uint8_t key[KEY_LEN];
};

static inline struct name name_of(uint8_t number)
{
	struct name name = {{number, 1, number % 100}};

	return name;
}

static inline struct peer *peer_of(const struct fixture *f, uint8_t number)
{
	const struct name name = name_of(number);

	return peer_find(f->c, name.key);
}

static inline uint32_t handle_of(uint8_t number)
{
	return 0x2000u + number;
}

static inline void add_entry(struct control_roster *m, uint8_t number, bool gone)
{
	const struct name name = name_of(number);
	struct roster_entry *r = &m->entry[m->n++];

	*r = (struct roster_entry){
		.gone = gone, .handle = handle_of(number), .incarnation = gone ? 0 : 1};
	memcpy(r->static_public, name.key, KEY_LEN);
}

/* A page that starts anew with members 1 to n. */
static inline void list_all(struct fixture *f, uint64_t version, uint8_t n)
{
	struct control_roster m = {.version = version, .last = true};

	for (uint8_t i = 1; i <= n; i++)
		add_entry(&m, i, false);
	fake_roster(f, &f->fake[0], &m);
}

static inline void list_change(
	struct fixture *f, uint64_t base, uint64_t version, uint8_t number, bool gone)
{
	struct control_roster m = {.base = base, .version = version, .last = true};

	add_entry(&m, number, gone);
	fake_roster(f, &f->fake[0], &m);
}

static inline struct origin from_host(uint8_t number)
{
	return (struct origin){.way = {.remote = test_endpoint(number, 500)}};
}

/* A member of this number has confirmed keys with us, directly; those of its end. */
static inline struct keyset *meet(struct fixture *f, uint8_t number)
{
	struct peer *p = peer_of(f, number);
	struct session *s = p->session;
	unsigned effects = SESSION_CONFIRMED | (s->confirmed ? 0 : SESSION_FIRST);
	struct keyset *far;

	session_end_attempt(s);
	s->wanted = false;
	s->origin = from_host(number);
	far = test_keys(f->core, s, s->link.id << 2 | session_free_position(f->core, s), number);
	path_use(f->core, s, &s->origin.way);
	node_act(f->node, s, effects);
	return far;
}

/* It says this; from where it is. */
static inline void say(struct fixture *f, uint8_t number, const struct writer *w)
{
	const struct origin from = from_host(number);
	struct session *s = peer_of(f, number)->session;

	assert_true(writer_ok(w));
	s->link.rx_ms = f->core->now_ms;
	control_input(f->node, s, s->current, w->start, writer_len(w), &from);
}

static inline void say_claimed(
	struct fixture *f, uint8_t number, uint32_t seq, const struct control_claim *m)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_claim_encode(&w, seq, m);
	say(f, number, &w);
}

static inline void claim_as(
	struct fixture *f, uint8_t number, uint32_t seq, struct mac mac, uint8_t roles)
{
	say_claimed(f, number, seq, &(struct control_claim){.mac = mac, .roles = roles});
}

static inline void claim(struct fixture *f, uint8_t number, uint32_t seq, struct mac mac)
{
	claim_as(f, number, seq, mac, 0);
}

static inline void goodbye(struct fixture *f, uint8_t number)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_bye_encode(&w, &(struct control_bye){BYE_SHUTDOWN});
	say(f, number, &w);
}

static inline struct mac mac_of(uint8_t number)
{
	return (struct mac){{2, 0, 0, 0, 1, number}};
}

static inline bool owns(struct fixture *f, uint8_t number, struct mac mac)
{
	const struct peer *p = peer_of(f, number);
	const struct port *owner = view_owner(view_of(f), 0, mac_number(&mac));

	/* Both ways in agree: whose frames are taken, and to whom they go. */
	assert_int_equal(link_word(&p->session->link.mac) == mac_number(&mac), owner == p->port);
	return owner == p->port;
}

#endif
