/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of admission and of words share: an edge in a passphrase community whose budget of
 * guesses may be spent, and members that knock and speak.
 */
#ifndef N2N_TESTS_ADMISSION_TEST_H
#define N2N_TESTS_ADMISSION_TEST_H

#include "core/session/send.h"
#include "edge_test.h"

#define MINUTE	 60000u
#define VOUCH_MS (10 * MINUTE)
#define TURN_MS	 250u
#define AGAIN_MS 2000u

static inline int setup_passphrase(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	start(f, MODE_PASSPHRASE);
	*state = f;
	return 0;
}

static inline struct peer *add_listed(struct fixture *f, uint8_t number)
{
	struct peer *p = peer_create(f->c, (const uint8_t[KEY_LEN]){number, 1});

	assert_non_null(p);
	p->listed = true;
	return p;
}

/* One with keys; what its end of them is does not matter. */
static inline struct peer *add_confirmed(struct fixture *f, uint8_t number)
{
	struct peer *p = add_listed(f, number);
	struct session *s = p->session;

	s->origin = (struct origin){.way = {.remote = test_endpoint(number, 500)}};
	keyset_destroy(
		test_keys(f->core, s, s->link.id << 2 | session_free_position(f->core, s), number));
	path_use(f->core, s, &s->origin.way);
	admission_confirmed(p);
	return p;
}

static inline void spend_all(struct fixture *f)
{
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		guesses_spend(&f->c->guesses, (const uint8_t[KEY_LEN]){0xee}, f->core->now_ms);
}

static inline bool knocks(struct fixture *f, const struct peer *p)
{
	const struct origin from = {.hop_id = 5, .handle = p->remote[0]};

	return admission_answer(f->c, p->remote, &from);
}

static inline void say(
	struct peer *p, enum control_type type, const struct peer *about[], uint8_t n)
{
	struct control_vouch v = {.n = n};
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_msg m;
	struct reader r;
	struct writer w;

	for (unsigned i = 0; i < n; i++)
		memcpy(v.static_public[i], about[i]->remote, KEY_LEN);
	writer_init(&w, buf, sizeof(buf));
	control_vouch_encode(&w, type, &v);
	reader_init(&r, buf, writer_len(&w));
	assert_int_equal(control_next(&r, &m), 1);
	vouch_message(p, &m);
}

#define TEST_IN(name) cmocka_unit_test_setup_teardown(name, setup_passphrase, teardown)

#endif
