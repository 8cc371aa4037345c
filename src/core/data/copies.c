/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From one group packet to many: who may send it on, and the copies. */
#include "core/data/copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/resident.h"

/* Of one registration, to the same members. */
struct fan_run {
	struct rx **run;
	size_t n;
	uint64_t own; /* the word of the registration */
	uint64_t bytes;
};

int copier_init(struct copier *c, struct transmitter *tx)
{
	c->tx = tx;
	c->slot = resident_calloc(BATCH_MAX, sizeof(*c->slot));
	return c->slot != NULL ? 0 : N2N_ENOMEM;
}

void copier_fini(struct copier *c)
{
	free(c->slot);
	c->slot = NULL;
}

static void add(_Atomic uint64_t *word, uint64_t n)
{
	atomic_store_explicit(
		word, atomic_load_explicit(word, memory_order_relaxed) + n, memory_order_relaxed);
}

static void flush(struct copier *c)
{
	if (c->n > 0)
		c->tx->sink.send(c->tx->sink.ctx, c->out, c->n);
	c->n = 0;
}

static void copy_to(struct copier *c, const struct fan_run *f, struct link *to, uint64_t now_ms)
{
	const struct path path = {
		.hop = to, .handle = (uint32_t)f->own, .hop_limit = f->run[0]->relay.hop_limit};
	struct relay_burst burst;

	if (!transmit_relay_begin(c->tx, &burst, &path, f->n, now_ms))
		return;
	burst.next.group = true;
	for (size_t i = 0; i < f->n; i++) {
		uint8_t *packet;

		if (c->n == BATCH_MAX)
			flush(c);
		packet = c->slot[c->n] + RELAY_HEADER_LEN;
		memcpy(packet, f->run[i]->data, f->run[i]->len);
		transmit_relay_header(&burst, packet, f->run[i]->len, &c->out[c->n++]);
	}
	add(&c->copies, f->n);
	add(&c->bytes, f->bytes);
}

/* A handle may be anybody's, or nobody's any more: then nothing is sent. */
static void copy_to_all(struct copier *c, const struct view *v, const struct fan_run *f,
	const struct fan_range *range, uint64_t now_ms)
{
	const struct link *from = f->run[0]->link;

	for (size_t i = 0; i < range->n; i++) {
		struct link *to = view_handle(v, 0, range->handle[i]);

		if (to != NULL && to != from && link_word(&to->member) >> 32 == f->own >> 32)
			copy_to(c, f, to, now_ms);
	}
	flush(c);
}

static void refuse(struct receiver *r, struct rx *x, struct fanout *fan, enum drop why)
{
	receive_drop(r, x, why);
	if (fan == NULL)
		return;
	fanout_tell(fan, x->relay.handle);
	x->verdict = VERDICT_REFUSED;
}

/* Moves those within the limits to the front; returns how many. */
static size_t admit(struct receiver *r, struct fanout *fan, const struct fan_range *range,
	struct rx *run[], size_t n, uint64_t now_ms)
{
	size_t admitted = 0;

	for (size_t i = 0; i < n; i++) {
		if (fanout_allows(fan, run[i]->len, range->n, now_ms)) {
			run[i]->verdict = VERDICT_EMPTY;
			run[admitted++] = run[i];
		} else {
			refuse(r, run[i], fan, DROP_GROUP_RATE);
		}
	}
	return admitted;
}

void copier_run(struct copier *c, struct receiver *r, const struct view *v, struct rx *run[],
	size_t n, uint64_t now_ms)
{
	struct link *from = run[0]->link;
	struct fanout *fan = atomic_load_explicit(&from->fanout, memory_order_acquire);
	struct fan_run f = {.run = run, .own = link_word(&from->member)};
	struct fan_range range;

	if (f.own == 0 || fan == NULL || !fanout_find(fan, run[0]->relay.handle, &range)) {
		for (size_t i = 0; i < n; i++)
			refuse(r, run[i], f.own != 0 ? fan : NULL,
				f.own != 0 ? DROP_FANOUT : DROP_NOT_REGISTERED);
		return;
	}
	f.n = admit(r, fan, &range, run, n, now_ms);
	for (size_t i = 0; i < f.n; i++)
		f.bytes += run[i]->len;
	if (f.n == 0)
		return;
	add(&c->packets, f.n);
	copy_to_all(c, v, &f, &range, now_ms);
}
