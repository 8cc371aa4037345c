/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames that wait for a session: copied into a fixed pool, a bounded share for each. */
#include <string.h>

#include "core/node.h"

static void give_back(struct node *n, struct waiting *f)
{
	n->n_waiting--;
	f->next = n->waiting_free;
	n->waiting_free = f;
}

static struct waiting *take_first(struct session *s)
{
	struct waiting *f = s->waiting;

	s->waiting = f->next;
	s->n_waiting--;
	return f;
}

bool wait_frame(struct node *n, struct session *s, const struct frame *f, uint64_t now_ms)
{
	struct waiting *w = n->waiting_free;
	struct waiting **tail = &s->waiting;

	if (w == NULL || s->n_waiting >= WAITING_PER_SESSION || f->len > FRAME_MAX) {
		drops_add(&n->drops, DROP_WAIT_FULL, 1);
		return false;
	}
	n->waiting_free = w->next;
	n->n_waiting++;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = w;
	w->next = NULL;
	w->since_ms = now_ms;
	w->len = f->len;
	memcpy(w->slot + SLOT_HEADROOM, f->data, f->len);
	s->n_waiting++;
	return true;
}

void wait_flush(struct node *n, struct session *s, uint64_t now_ms)
{
	struct keyset *k = session_sending(s, now_ms);

	while (k != NULL && s->waiting != NULL) {
		struct waiting *f = s->waiting;
		struct tx x = {
			.session = s,
			.keys = k,
			.packet = f->slot + RELAY_HEADER_LEN,
			.len = f->len,
			.kind = KIND_ETHERNET,
		};

		/* A key set that is used up sends nothing: wait for the next. */
		if (!transmit_run(&n->tx, &x, 1, now_ms))
			return;
		give_back(n, take_first(s));
	}
}

void wait_expire(struct node *n, struct session *s, uint64_t now_ms)
{
	while (s->waiting != NULL && now_ms >= s->waiting->since_ms + WAITING_MS) {
		drops_add(&n->drops, DROP_WAIT_TIMEOUT, 1);
		give_back(n, take_first(s));
	}
}

void wait_drop(struct node *n, struct session *s)
{
	while (s->waiting != NULL)
		give_back(n, take_first(s));
}
