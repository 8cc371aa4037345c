/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hashed timing wheel. */
#include "core/session/deadline.h"

#include <stddef.h>
#include <string.h>

#define SLOT_SHIFT 6 /* 64 ms */

void deadlines_init(struct deadlines *w, uint64_t now_ms)
{
	memset(w, 0, sizeof(*w));
	w->slot_now = now_ms >> SLOT_SHIFT;
}

void deadline_clear(struct deadline *d)
{
	if (d->link == NULL)
		return;
	*d->link = d->next;
	if (d->next != NULL)
		d->next->link = d->link;
	d->next = NULL;
	d->link = NULL;
}

static void put(struct deadlines *w, struct deadline *d)
{
	uint64_t slot = d->at_ms >> SLOT_SHIFT;
	struct deadline **head;

	if (slot < w->slot_now)
		slot = w->slot_now;
	if (slot >= w->slot_now + DEADLINE_SLOTS)
		slot = w->slot_now + DEADLINE_SLOTS - 1;
	head = &w->slot[slot % DEADLINE_SLOTS];
	d->next = *head;
	d->link = head;
	if (d->next != NULL)
		d->next->link = &d->next;
	*head = d;
}

void deadline_set(struct deadlines *w, struct deadline *d, uint64_t at_ms)
{
	deadline_clear(d);
	d->at_ms = at_ms;
	put(w, d);
}

void deadline_set_earlier(struct deadlines *w, struct deadline *d, uint64_t at_ms)
{
	if (d->link == NULL || at_ms < d->at_ms)
		deadline_set(w, d, at_ms);
}

/* The first of a slot that is due; what waited there for a later round is put off again. */
static struct deadline *first_due(struct deadlines *w, uint64_t now_ms)
{
	struct deadline *d, *next;

	for (d = w->slot[w->slot_now % DEADLINE_SLOTS]; d != NULL; d = next) {
		next = d->next;
		if (d->at_ms <= now_ms)
			return d;
		if (d->at_ms >> SLOT_SHIFT != w->slot_now)
			deadline_set(w, d, d->at_ms);
	}
	return NULL;
}

struct deadline *deadline_take(struct deadlines *w, uint64_t now_ms)
{
	for (;;) {
		struct deadline *d = first_due(w, now_ms);

		if (d != NULL) {
			deadline_clear(d);
			return d;
		}
		if (w->slot_now >= now_ms >> SLOT_SHIFT)
			return NULL;
		w->slot_now++;
	}
}
