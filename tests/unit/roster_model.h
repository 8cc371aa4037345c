/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An edge that is told a roster, after PROTOCOL.md 8.2: the picture it has of the others, and a way
 * to it on which pages and acknowledgements overtake each other. Others are told apart by the first
 * byte of their static key.
 */
#ifndef N2N_TESTS_ROSTER_MODEL_H
#define N2N_TESTS_ROSTER_MODEL_H

#include "wire/control.h"
#include "wire_test.h"

#define OTHERS_MAX 60
#define FLIGHT_MAX 8

struct seen {
	bool listed, marked;
	uint32_t handle, incarnation;
};

struct flying_page {
	uint32_t seq;
	struct control_roster roster;
};

struct learner {
	uint64_t version;
	bool collecting;
	uint32_t rx_seq;
	struct seen seen[OTHERS_MAX];
	unsigned n_pages, n_acks;
	struct flying_page page[FLIGHT_MAX]; /* on their way, in no order */
	uint32_t ack[FLIGHT_MAX];
};

/* It is a new process. */
static inline void learner_forget(struct learner *l)
{
	memset(l->seen, 0, sizeof(l->seen));
	l->version = 0;
	l->collecting = false;
	l->rx_seq = 0;
}

/* What is on its way is lost. */
static inline void learner_cut(struct learner *l)
{
	l->n_pages = l->n_acks = 0;
}

static inline void learner_send(
	struct learner *l, uint32_t seq, const struct control_roster *roster)
{
	if (l->n_pages == FLIGHT_MAX)
		l->n_pages--;
	l->page[l->n_pages].seq = seq;
	l->page[l->n_pages++].roster = *roster;
}

static inline void learner_apply_entries(struct learner *l, const struct control_roster *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct roster_entry *r = &p->entry[i];
		struct seen *s = &l->seen[r->static_public[0]];

		assert_true(r->static_public[0] < OTHERS_MAX);
		if (!r->gone)
			*s = (struct seen){true, true, r->handle, r->incarnation};
		else if (s->handle == r->handle)
			s->listed = false;
	}
}

/* False when something is missing before this page: the edge registers again. */
static inline bool learner_apply(struct learner *l, const struct control_roster *p)
{
	bool anew = p->base == 0;

	assert_true(p->version > p->base && p->n <= ROSTER_PAGE_MAX);
	if (!anew && p->version >> 32 == l->version >> 32 && p->version <= l->version)
		return true;
	if (!anew && (p->base >> 32 != l->version >> 32 || p->base > l->version))
		return false;
	if (anew) {
		for (unsigned i = 0; i < OTHERS_MAX; i++)
			l->seen[i].marked = false;
		l->collecting = true;
	}
	learner_apply_entries(l, p);
	l->version = p->version;
	if (!p->last || !l->collecting)
		return true;
	l->collecting = false;
	for (unsigned i = 0; i < OTHERS_MAX; i++)
		l->seen[i].listed = l->seen[i].listed && l->seen[i].marked;
	return true;
}

/* Any page of those on their way arrives, and again: will arrive once more. As learner_apply. */
static inline bool learner_receive(struct learner *l, const struct random *r, bool again)
{
	struct flying_page p;
	unsigned i;

	if (l->n_pages == 0)
		return true;
	i = random_below(r, l->n_pages);
	p = l->page[i];
	if (!again)
		l->page[i] = l->page[--l->n_pages];
	if (l->n_acks < FLIGHT_MAX)
		l->ack[l->n_acks++] = p.seq;
	if (p.seq < l->rx_seq)
		return true;
	l->rx_seq = p.seq;
	return learner_apply(l, &p.roster);
}

/* The sequence of an acknowledgement that arrives, 0 for none. */
static inline uint32_t learner_ack(struct learner *l)
{
	return l->n_acks > 0 ? l->ack[--l->n_acks] : 0;
}

#endif
