/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guessing a passphrase takes one handshake per guess. Each with a static that nothing speaks for
 * counts until that static is confirmed. After ten within a minute, of those that knock in each six
 * seconds one is let in, drawn at random: first a place that they come from, then a static of that
 * place. So a guesser cannot lock a newcomer out by being faster, nor by having many statics.
 */
#include "core/edge/guesses.h"

#include <string.h>

#define YOUNG_MS   1000u   /* an answer to our attempt takes no longer, or waits for its turn */
#define MATURE_MS  120000u /* after so long an honest static has been confirmed */
#define SUSPECT_MS 300000u

struct guess *guess_place(struct guess *list, unsigned n, uint64_t now_ms)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].until_ms <= now_ms)
			return &list[i];
	return NULL;
}

bool guess_remove(struct guess *list, unsigned n, const uint8_t remote[KEY_LEN])
{
	bool any = false;

	for (unsigned i = 0; i < n; i++) {
		if (list[i].until_ms == 0 || memcmp(list[i].remote, remote, KEY_LEN) != 0)
			continue;
		list[i].until_ms = 0;
		any = true;
	}
	return any;
}

static unsigned count(const struct guess *list, unsigned n, uint64_t now_ms)
{
	unsigned used = 0;

	for (unsigned i = 0; i < n; i++)
		used += list[i].until_ms > now_ms;
	return used;
}

static unsigned counted(const struct guesses *g, uint64_t now_ms)
{
	return count(g->counted, GUESSES_PER_MINUTE, now_ms);
}

bool guesses_spent(const struct guesses *g, uint64_t now_ms)
{
	return counted(g, now_ms) == GUESSES_PER_MINUTE;
}

static void put(struct guess *at, const uint8_t remote[KEY_LEN], uint64_t until_ms)
{
	at->until_ms = until_ms;
	memcpy(at->remote, remote, KEY_LEN);
}

void guesses_spend(struct guesses *g, const uint8_t remote[KEY_LEN], uint64_t now_ms)
{
	unsigned oldest = 0;

	for (unsigned i = 1; i < GUESSES_PER_MINUTE; i++)
		if (g->counted[i].until_ms < g->counted[oldest].until_ms)
			oldest = i;
	put(&g->counted[oldest], remote, now_ms + GUESS_MS);
}

void guesses_refund(struct guesses *g, const uint8_t remote[KEY_LEN])
{
	/* Honest members join: they need no draws, unless it is spent again. */
	if (guess_remove(g->counted, GUESSES_PER_MINUTE, remote))
		g->drawing = false;
	guesses_begun(g, remote);
	for (unsigned i = 0; i < GUESSES_SUSPECT; i++)
		if (memcmp(g->suspect[i].remote, remote, KEY_LEN) == 0)
			g->suspect[i].ms = 0;
}

/* ---- draws ---- */

/* Under the key of this draw whoever has one ticket has no other, however often it knocks. */
static uint64_t ticket(const struct guesses *g, const void *of, size_t len)
{
	uint8_t h[8];

	crypto_siphash64(h, g->draw_key, of, len);
	return load_be64(h);
}

/* A place: a member of the relay's, an IPv4 address, or a /64 of IPv6. */
static uint64_t ticket_of_place(const struct guesses *g, const struct origin *from)
{
	const struct endpoint *e = &from->way.remote;
	uint8_t place[8 + sizeof(e->ip)] = {0};

	store_be32(place, from->hop_id);
	store_be32(place + 4, from->handle);
	if (from->hop_id == 0)
		memcpy(place + 8, e->ip, endpoint_is_v4(e) ? sizeof(e->ip) : 8);
	return ticket(g, place, sizeof(place));
}

static void begin_draw(struct guesses *g, uint64_t now_ms, const struct random *rnd)
{
	memset(g->candidate, 0, KEY_LEN);
	memset(g->best, 0, sizeof(g->best));
	random_bytes(rnd, g->draw_key, sizeof(g->draw_key));
	g->lottery_ms = now_ms + LOTTERY_MS;
}

/* Looks whether draws decide; they do not end as soon as one guess ages, or the fastest to knock
 * then would win. */
static bool draws(struct guesses *g, uint64_t now_ms, const struct random *rnd)
{
	g->drawing =
		g->drawing ? counted(g, now_ms) > GUESSES_PER_MINUTE / 2 : guesses_spent(g, now_ms);
	if (!g->drawing) {
		/* The draws are six seconds apart from this one too, or a day has too many. */
		memset(g->admitted, 0, KEY_LEN);
		g->lottery_ms = 0;
	} else if (g->lottery_ms == 0) {
		begin_draw(g, now_ms, rnd);
	} else if (now_ms >= g->lottery_ms) {
		memcpy(g->admitted, g->candidate, KEY_LEN);
		begin_draw(g, now_ms, rnd);
	}
	return g->drawing;
}

static bool has_won(struct guesses *g, const uint8_t remote[KEY_LEN], const struct origin *from)
{
	uint64_t place = ticket_of_place(g, from), own = ticket(g, remote, KEY_LEN);

	if (memcmp(remote, g->admitted, KEY_LEN) == 0) {
		memset(g->admitted, 0, KEY_LEN);
		return true;
	}
	if (place > g->best[0] || (place == g->best[0] && own > g->best[1])) {
		g->best[0] = place;
		g->best[1] = own;
		memcpy(g->candidate, remote, KEY_LEN);
	}
	return false;
}

bool guesses_admit(struct guesses *g, const uint8_t remote[KEY_LEN], const struct origin *from,
	uint64_t now_ms, const struct random *rnd)
{
	return !draws(g, now_ms, rnd) || has_won(g, remote, from);
}

bool guesses_begin(struct guesses *g, const uint8_t remote[KEY_LEN], const struct origin *to,
	uint64_t now_ms, const struct random *rnd, bool *drawn)
{
	struct guess *place = guess_place(g->begun, GUESSES_BEGUN, now_ms);

	*drawn = draws(g, now_ms, rnd) && has_won(g, remote, to);
	if (g->drawing)
		return *drawn;
	if (place == NULL ||
		counted(g, now_ms) + count(g->begun, GUESSES_BEGUN, now_ms) >= GUESSES_PER_MINUTE)
		return false;
	put(place, remote, now_ms + YOUNG_MS);
	return true;
}

void guesses_begun(struct guesses *g, const uint8_t remote[KEY_LEN])
{
	(void)guess_remove(g->begun, GUESSES_BEGUN, remote);
}

/* ---- evidence ---- */

void guesses_left(struct guesses *g, const uint8_t remote[KEY_LEN])
{
	for (unsigned i = 0; i < GUESSES_SUSPECT; i++)
		if (!g->suspect[i].tried && memcmp(g->suspect[i].remote, remote, KEY_LEN) == 0)
			g->suspect[i].ms = 0;
}

void guesses_failed(struct guesses *g, const uint8_t remote[KEY_LEN], uint64_t now_ms, bool tried)
{
	int at = -1;

	/* A free place, or that of one who never tried. */
	for (int i = 0; i < GUESSES_SUSPECT; i++) {
		bool free = g->suspect[i].ms == 0 || now_ms >= g->suspect[i].ms + SUSPECT_MS;

		if (free || (tried && at < 0 && !g->suspect[i].tried))
			at = i;
		if (free)
			break;
	}
	if (at < 0)
		return;
	g->suspect[at].ms = now_ms;
	g->suspect[at].tried = tried;
	memcpy(g->suspect[at].remote, remote, KEY_LEN);
}

bool guesses_tell(struct guesses *g, uint64_t now_ms)
{
	unsigned mature = 0, any = 0;

	for (unsigned i = 0; i < GUESSES_SUSPECT; i++) {
		uint64_t ms = g->suspect[i].ms;

		if (ms == 0 || now_ms >= ms + SUSPECT_MS)
			continue;
		any++;
		mature += now_ms >= ms + MATURE_MS;
	}
	if (any == 0)
		g->told = false;
	if (mature < GUESSES_SUSPECT || g->told)
		return false;
	g->told = true;
	return true;
}
