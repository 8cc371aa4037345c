/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of frames that wait. */
#include "core/session/waiting.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

int waiting_pool_init(struct waiting_pool *p)
{
	p->free = NULL;
	p->n = 0;
	p->all = calloc(WAITING_MAX, sizeof(*p->all));
	if (p->all == NULL)
		return N2N_ENOMEM;
	for (unsigned i = 0; i < WAITING_MAX; i++) {
		p->all[i].next = p->free;
		p->free = &p->all[i];
	}
	return 0;
}

void waiting_pool_fini(struct waiting_pool *p)
{
	if (p->all != NULL)
		crypto_wipe(p->all, WAITING_MAX * sizeof(*p->all));
	free(p->all);
	*p = (struct waiting_pool){.n = 0};
}

bool waiting_add(
	struct waiting_pool *p, struct waiting_list *l, const struct frame *f, uint64_t now_ms)
{
	struct waiting *w = p->free;
	struct waiting **tail = &l->first;

	if (w == NULL || l->n >= WAITING_PER_SESSION || f->len > FRAME_MAX)
		return false;
	p->free = w->next;
	while (*tail != NULL)
		tail = &(*tail)->next;
	*tail = w;
	p->n++;
	w->next = NULL;
	w->since_ms = now_ms;
	w->len = f->len;
	memcpy(w->slot + SLOT_HEADROOM, f->data, f->len);
	l->n++;
	return true;
}

void waiting_pop(struct waiting_pool *p, struct waiting_list *l)
{
	struct waiting *w = l->first;

	l->first = w->next;
	l->n--;
	p->n--;
	w->next = p->free;
	p->free = w;
}

unsigned waiting_expire(struct waiting_pool *p, struct waiting_list *l, uint64_t now_ms)
{
	unsigned n = 0;

	for (; l->first != NULL && now_ms >= l->first->since_ms + WAITING_MS; n++)
		waiting_pop(p, l);
	return n;
}

void waiting_clear(struct waiting_pool *p, struct waiting_list *l)
{
	while (l->first != NULL)
		waiting_pop(p, l);
}
