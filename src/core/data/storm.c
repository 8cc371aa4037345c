/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Token buckets of floods, and the numbers that they have. */
#include "core/data/storm.h"

/* One token each every_ms, so many kept. */
struct rate {
	uint16_t every_ms, burst;
};

struct limit {
	struct rate source, total, peer;
};

/*
 * What a host does at its worst in earnest passes: some hundred addresses asked for three times. An
 * interface has room for several such, and a peer for whatever one that keeps to that sends. What
 * comes to an unknown address or a joined group is not told from other frames for us.
 */
static const struct limit limits[FLOOD_KINDS] = {
	[FLOOD_VITAL] = {{10, 600}, {5, 2000}, {2, 4000}},
	[FLOOD_PROBE] = {{5, 400}, {2, 1000}, {1, 2000}},
	[FLOOD_BROADCAST] = {{5, 600}, {2, 2000}, {1, 4000}},
	[FLOOD_MULTICAST] = {{5, 600}, {2, 2000}, {1, 4000}},
	[FLOOD_STREAM] = {{5, 600}, {2, 2000}, {0, 1}},
	[FLOOD_UNKNOWN] = {{2, 1000}, {1, 2000}, {0, 1}},
};

/*
 * Together as much as a supernode takes, which keeps a second of it: 200 packets and 1 Mbit. Each
 * has its share of what flows in, and of what is kept most while the others are quiet.
 */
static const struct {
	uint32_t packet_us; /* a packet takes so long, ... */
	uint32_t byte_ns;   /* ... or so long for each of its bytes, if that is longer */
	uint32_t kept_us;
} shares[SHARES] = {
	[SHARE_VITAL] = {10000, 16000, 2000000},
	[SHARE_PROBE] = {50000, 80000, 2000000},
	[SHARE_OTHERS] = {12500, 20000, 1500000},
	[SHARE_ALL] = {1000000 / GROUP_PACKETS_DEFAULT, 8000, 1000000},
};

static bool take(_Atomic uint64_t *full_ms, const struct rate *r, uint64_t now_ms)
{
	struct pace p = {.full_ms = link_word(full_ms)};

	if (!pace_take(&p, now_ms, r->every_ms, r->burst))
		return false;
	atomic_store_explicit(full_ms, p.full_ms, memory_order_relaxed);
	return true;
}

static bool has_some(_Atomic uint64_t *full_ms, const struct rate *r, uint64_t now_ms)
{
	const struct pace p = {.full_ms = link_word(full_ms)};

	return pace_due_ms(&p, now_ms, r->every_ms, r->burst) <= now_ms;
}

/* ---- of our interface ---- */

static uint64_t debt(const struct storm_source *s)
{
	uint64_t full_ms = 0;

	for (unsigned i = 0; i < FLOOD_KINDS; i++)
		if (link_word(&s->full_ms[i]) > full_ms)
			full_ms = link_word(&s->full_ms[i]);
	return full_ms;
}

/*
 * Where there is no room, the one that has taken the least gives way: who floods stays, however
 * many others come. If they are all forged, the total holds them.
 */
static struct storm_source *find(struct storm *s, const uint8_t *hash_key, uint64_t who)
{
	struct storm_source *set = s->source[table_sip(hash_key, who) % STORM_SETS];
	struct storm_source *least = &set[0];

	for (unsigned i = 0; i < STORM_WAYS; i++) {
		if (link_word(&set[i].who) == who)
			return &set[i];
		if (debt(&set[i]) < debt(least))
			least = &set[i];
	}
	for (unsigned i = 0; i < FLOOD_KINDS; i++)
		atomic_store_explicit(&least->full_ms[i], 0, memory_order_relaxed);
	atomic_store_explicit(&least->who, who, memory_order_relaxed);
	return least;
}

bool storm_lets_out(struct storm *s, const uint8_t hash_key[SIPHASH_KEY_LEN], unsigned community,
	uint64_t source, enum flood_kind kind, uint64_t now_ms)
{
	uint64_t who = (uint64_t)(community + 1) << 48 | source;
	_Atomic uint64_t *its = &find(s, hash_key, who)->full_ms[kind];
	const struct limit *l = &limits[kind];

	/* What the total refuses costs the source nothing. */
	return has_some(its, &l->source, now_ms) &&
	       take(&s->total_ms[community][kind], &l->total, now_ms) &&
	       take(its, &l->source, now_ms);
}

static enum storm_share share_of(enum flood_kind kind)
{
	if (kind == FLOOD_VITAL)
		return SHARE_VITAL;
	return kind == FLOOD_PROBE ? SHARE_PROBE : SHARE_OTHERS;
}

/* As a supernode with other limits takes it. */
static uint64_t cost_us(const struct group_plan *plan, enum storm_share share, size_t len)
{
	bool known = plan != NULL && plan->packets_s != 0 && plan->bytes_s != 0;
	uint64_t packets_s = known ? plan->packets_s : GROUP_PACKETS_DEFAULT;
	uint64_t bytes_s = known ? plan->bytes_s : GROUP_BITS_DEFAULT / 8;
	uint64_t packet_us = (uint64_t)shares[share].packet_us * GROUP_PACKETS_DEFAULT / packets_s;
	uint64_t bytes_ns = len * shares[share].byte_ns * (GROUP_BITS_DEFAULT / 8) / bytes_s;
	uint64_t bytes_us = (bytes_ns + 999) / 1000;

	return bytes_us > packet_us ? bytes_us : packet_us;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of what others leave unused anybody may have some, as long as half of all is there for them. */
bool storm_lets_relay(struct storm *s, unsigned community, const struct group_plan *plan,
	enum flood_kind kind, size_t len, uint64_t now_ms)
{
	enum storm_share share = share_of(kind);
	_Atomic uint64_t *full_us = s->relay_us[community];
	uint64_t now_us = now_ms * 1000;
	uint64_t its_us = later(link_word(&full_us[share]), now_us) + cost_us(plan, share, len);
	uint64_t all_us =
		later(link_word(&full_us[SHARE_ALL]), now_us) + cost_us(plan, SHARE_ALL, len);

	if (all_us > now_us + shares[SHARE_ALL].kept_us)
		return false;
	if (its_us <= now_us + shares[share].kept_us)
		atomic_store_explicit(&full_us[share], its_us, memory_order_relaxed);
	else if (all_us > now_us + shares[SHARE_ALL].kept_us / 2)
		return false;
	atomic_store_explicit(&full_us[SHARE_ALL], all_us, memory_order_relaxed);
	return true;
}

bool storm_lets_stream(struct storm *s, unsigned community, const struct group_plan *plan,
	size_t len, uint64_t now_ms)
{
	_Atomic uint64_t *full_us = &s->relay_us[community][SHARE_ALL];
	uint64_t now_us = now_ms * 1000;
	uint64_t all_us = later(link_word(full_us), now_us) + cost_us(plan, SHARE_ALL, len);

	if (all_us > now_us + shares[SHARE_ALL].kept_us / 2)
		return false;
	atomic_store_explicit(full_us, all_us, memory_order_relaxed);
	return true;
}

uint32_t storm_over(struct storm *s, unsigned community, uint64_t now_ms)
{
	_Atomic uint32_t *n = &s->over[community].n;
	uint64_t since_ms = link_word(&s->over[community].since_ms);
	bool goes_on = now_ms < since_ms + 2000;
	uint32_t before;

	/* Of several workers one tells. */
	if ((goes_on && now_ms < since_ms + 1000) ||
		!atomic_compare_exchange_strong(&s->over[community].since_ms, &since_ms, now_ms)) {
		atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
		return 0;
	}
	before = atomic_exchange_explicit(n, 1, memory_order_relaxed);
	return goes_on ? before : 0;
}

/* ---- of a peer ---- */

bool storm_lets_in(struct link *from, enum flood_kind kind, uint64_t now_ms)
{
	if (take(&from->flood_ms[kind], &limits[kind].peer, now_ms))
		return true;
	atomic_fetch_add_explicit(&from->flooded[kind], 1, memory_order_relaxed);
	return false;
}

uint64_t storm_dropped(const struct link *from, enum flood_kind kind)
{
	return link_word(&from->flooded[kind]);
}
