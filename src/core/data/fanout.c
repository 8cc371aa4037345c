/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking up who gets a group packet, and whether it is within the limits. */
#include "core/data/fanout.h"

#define SECOND_NS     UINT64_C(1000000000)
#define SHARE_PACKETS 4u /* as many at once are within a share that was not used up */
#define SPAN_MS	      4096u

bool allowance_take(struct allowance *a, uint64_t now_ms, uint64_t cost_ns, uint64_t burst_ns)
{
	uint64_t now_ns = now_ms * 1000000, next;
	uint64_t until = atomic_load_explicit(&a->until_ns, memory_order_relaxed);

	do {
		next = (until > now_ns ? until : now_ns) + cost_ns;
		if (until > now_ns && next > now_ns + burst_ns)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&a->until_ns, &until, next, memory_order_relaxed, memory_order_relaxed));
	return true;
}

bool fanout_find(const struct fanout *f, uint32_t handle, struct fan_range *r)
{
	const struct fan_set *s =
		atomic_load_explicit(&f->set[FANOUT_SET(handle)], memory_order_acquire);
	const uint32_t version = FANOUT_VERSION(handle);

	if (s == NULL || version == 0 || (version != s->version && version != s->base))
		return false;
	*r = version == s->version ? (struct fan_range){s->handle + s->n_gone, s->n_both + s->n_new}
				   : (struct fan_range){s->handle, s->n_gone + s->n_both};
	return true;
}

/* What n of them cost when there are so many a second. */
static uint64_t cost_ns(uint64_t n, uint64_t per_s)
{
	return n * SECOND_NS / per_s;
}

static uint32_t senders_in(const struct fan_community *c, uint32_t span)
{
	uint64_t word = atomic_load_explicit(&c->senders[span % 2], memory_order_relaxed);

	return word >> 32 == span ? (uint32_t)word : 0;
}

static void count_sender(struct fan_community *c, uint32_t span)
{
	_Atomic uint64_t *word = &c->senders[span % 2];
	uint64_t old = atomic_load_explicit(word, memory_order_relaxed), next;

	do {
		next = old >> 32 == span ? old + 1 : (uint64_t)span << 32 | 1;
	} while (!atomic_compare_exchange_weak_explicit(
		word, &old, next, memory_order_relaxed, memory_order_relaxed));
}

/* How many of the community sent to groups of late, this one among them. */
static uint64_t senders(struct fanout *f, uint64_t now_ms)
{
	uint32_t span = (uint32_t)(now_ms / SPAN_MS) + 1, before, now;

	if (atomic_load_explicit(&f->span, memory_order_relaxed) != span &&
		atomic_exchange_explicit(&f->span, span, memory_order_relaxed) != span)
		count_sender(f->community, span);
	now = senders_in(f->community, span);
	before = senders_in(f->community, span - 1);
	if (now < before)
		now = before;
	return now > 0 ? now : 1;
}

/*
 * Shares together are what flows in, so whoever keeps to its own finds something, however many
 * others take all that they can get: these stop at half.
 */
static bool take_copies(struct fanout *f, size_t n, uint64_t now_ms)
{
	uint64_t cost = cost_ns(n, f->limits->copies), own = cost * senders(f, now_ms);
	bool within = allowance_take(&f->share, now_ms, own, SHARE_PACKETS * own);

	return allowance_take(
		&f->community->copies, now_ms, cost, within ? SECOND_NS : SECOND_NS / 2);
}

bool fanout_allows(struct fanout *f, size_t len, size_t n, uint64_t now_ms)
{
	const struct fan_limits *l = f->limits;

	if (l->packets != 0 && l->bits != 0 && l->copies != 0 &&
		allowance_take(&f->packets, now_ms, cost_ns(1, l->packets), SECOND_NS) &&
		allowance_take(&f->bits, now_ms, cost_ns(8 * len, l->bits), SECOND_NS) &&
		take_copies(f, n, now_ms))
		return true;
	atomic_fetch_add_explicit(&f->refused, 1, memory_order_relaxed);
	return false;
}

void fanout_tell(struct fanout *f, uint32_t handle)
{
	uint32_t bit = 1u << FANOUT_SET(handle);

	/* Most of a flood finds the bit set, and leaves the word where it is. */
	if ((atomic_load_explicit(&f->tell, memory_order_relaxed) & bit) == 0)
		atomic_fetch_or_explicit(&f->tell, bit, memory_order_relaxed);
}
