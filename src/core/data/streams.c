/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/data/streams.h"

#include "core/data/transmit.h"

static uint32_t count(const struct listeners *l)
{
	return l != NULL ? l->n : 0;
}

static unsigned find(const struct group_plan *plan, uint64_t group)
{
	for (unsigned i = 1; i < FANOUT_SETS; i++)
		if (plan->set[i] != NULL && plan->set[i]->group == group)
			return i;
	return 0;
}

/* Groups that meet in one place take turns. */
static void want(struct group_use *use, uint64_t group, uint64_t now_ms)
{
	_Atomic uint64_t *place = &use->wanted[(group ^ group >> 8) % STREAMS_WANTED];

	if (link_word(place) != group)
		atomic_store_explicit(place, group, memory_order_relaxed);
	atomic_store_explicit(&use->used_ms, now_ms, memory_order_relaxed);
}

/* All workers share it: what one takes no other has. */
static bool take_share(const struct group_plan *plan, size_t len, uint64_t now_ms)
{
	uint64_t now_us = now_ms * 1000, was = link_word(&plan->use->stream_us), full;
	uint64_t cost_us = len * plan->stream_byte_us;

	if (cost_us < plan->stream_packet_us)
		cost_us = plan->stream_packet_us;
	do {
		full = (was > now_us ? was : now_us) + cost_us;
		if (full > now_us + STREAM_KEPT_US)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&plan->use->stream_us, &was, full, memory_order_relaxed, memory_order_relaxed));
	return true;
}

const struct group_set *streams_take(struct storm *s, const struct view *v, unsigned community,
	const struct audience *a, uint64_t group, size_t len, uint64_t now_ms)
{
	const struct group_plan *plan = v->community[community].group;
	struct group_use *use;
	size_t packets_len;
	unsigned i;

	if (plan == NULL || count(a->list[1]) == 0 ||
		count(a->list[0]) + count(a->list[1]) <= STORM_RELAYED_MAX)
		return NULL;
	use = plan->use;
	i = find(plan, group);
	if (i == 0) {
		want(use, group, now_ms);
		return NULL;
	}
	atomic_store_explicit(&use->used_ms, now_ms, memory_order_relaxed);
	atomic_store_explicit(&use->stream_ms[i], now_ms, memory_order_relaxed);
	if (now_ms < link_word(&use->paused_ms[i]))
		return NULL;
	packets_len = transmit_group_len(plan->set[i]->keys, &plan->set[i]->path, len);
	if (take_share(plan, packets_len, now_ms) &&
		storm_lets_stream(s, community, plan, packets_len, now_ms))
		return plan->set[i];
	atomic_store_explicit(&use->paused_ms[i], now_ms + STREAM_PAUSE_MS, memory_order_relaxed);
	return NULL;
}
