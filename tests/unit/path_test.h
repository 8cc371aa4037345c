/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of src/core/path share: a session with a relay to fall back to, a clock of our
 * own, and what is seen of the probes.
 */
#ifndef N2N_TESTS_PATH_TEST_H
#define N2N_TESTS_PATH_TEST_H

#include "core_test.h"

#define START_MS 10000u
#define PEER	 1
#define SLACK_MS (TICK_MS + 1)

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party member, edge;
	struct session *s, *hop;
	struct keyset *far, *far_hop;
};

/* A probe or an empty packet that left on a direct path. */
struct seen {
	bool probe;
	uint64_t token;
	uint8_t host;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, NULL, 1);
	f->core = &f->rig.node.core;
	f->core->now_ms = START_MS;
	f->s = rig_session(&f->rig, LINK_PEER, &f->member, PEER, &f->far);
	f->hop = rig_session(&f->rig, LINK_HOP, &f->edge, 2, &f->far_hop);
	f->s->route.relay = &f->hop->link;
	f->s->route.handle = 5;
	session_set_path(f->core, &f->s->link.path, session_relay_path(f->s));
	assert_non_null(search_get(f->s));
	f->s->search->reason = RELAY_SEARCHING;
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	keyset_destroy(f->far);
	keyset_destroy(f->far_hop);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

/* ---- time and what is seen ---- */

static inline struct seen look(struct fixture *f, struct sent *d)
{
	struct data_header h;
	struct slice plain = rig_open(&f->rig, f->far, d->data, d->len, &h);
	struct seen seen = {.host = d->way.remote.ip[15]};
	struct control_probe probe;
	struct control_msg m;
	struct reader r;

	if (control_is_empty(plain.data, plain.len))
		return seen;
	reader_init(&r, plain.data, plain.len);
	assert_int_equal(control_next(&r, &m), 1);
	assert_int_equal(m.type, CONTROL_PATH_PROBE);
	assert_int_equal(control_probe_decode(&probe, m.body), 0);
	seen.probe = true;
	seen.token = probe.token;
	return seen;
}

/* One tick; returns how many datagrams it sent, the first few looked at if seen is not NULL. */
static inline unsigned tick(struct fixture *f, struct seen seen[4])
{
	unsigned n;

	f->core->now_ms += TICK_MS;
	f->rig.n_sent = 0;
	/* Keys do not matter here: they stay young. */
	test_made_at(f->s->current, f->core->now_ms);
	test_made_at(f->hop->current, f->core->now_ms);
	path_tick(f->core, f->s);
	n = f->rig.n_sent;
	for (unsigned i = 0; seen != NULL && i < n && i < 4; i++)
		seen[i] = look(f, &f->rig.sent[i]);
	return n;
}

static inline struct origin from_host(uint8_t host)
{
	return (struct origin){.way = {.remote = test_endpoint(host, 500)}};
}

static inline void tell(struct fixture *f, uint8_t first, uint8_t n)
{
	struct control_candidates m = {.n = n};

	for (uint8_t i = 0; i < n; i++)
		m.candidate[i].endpoint = test_endpoint((uint8_t)(first + i), 500);
	search_told(f->core, f->s, &m);
}

static inline void echo(struct fixture *f, uint64_t token, const struct origin *from)
{
	const struct control_echo m = {.token = token};

	path_echo(f->core, f->s, &m, from);
}

/* The host of the direct path, 0 for the relay. */
static inline uint8_t path_host(const struct fixture *f)
{
	const struct path *p = link_path(&f->s->link);

	assert_non_null(p);
	return p->hop == NULL ? p->way.remote.ip[15] : 0;
}

static inline void go_direct(struct fixture *f, uint8_t host)
{
	const struct origin from = from_host(host);
	struct seen seen[4];

	tell(f, host, 1);
	assert_int_equal(tick(f, seen), 1);
	assert_true(seen[0].probe);
	f->s->link.rx_direct_ms = f->core->now_ms;
	echo(f, seen[0].token, &from);
	assert_int_equal(path_host(f), host);
}

static inline void send_frame(struct fixture *f)
{
	f->s->link.tx_ms = f->s->link.tx_frame_ms = f->core->now_ms;
}

static inline void hear_direct(struct fixture *f)
{
	f->s->link.rx_ms = f->s->link.rx_direct_ms = f->core->now_ms;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
