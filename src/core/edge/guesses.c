/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guessing a passphrase takes one handshake per guess. Each with an unknown key counts until that
 * key is confirmed. After ten within a minute, of the unknown keys that knock in each six seconds
 * one is let in, drawn at random: a guesser cannot lock a newcomer out by being faster.
 */
#include <string.h>

#include "core/edge/edge_state.h"

#define MINUTE_MS 60000u

static unsigned count_recent(const struct guesses *g, uint64_t now_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		n += g->spent[i].ms != 0 && now_ms < g->spent[i].ms + MINUTE_MS;
	return n;
}

bool guesses_spent(const struct guesses *g, uint64_t now_ms)
{
	return count_recent(g, now_ms) == GUESSES_PER_MINUTE;
}

void guesses_spend(struct guesses *g, const uint8_t remote[KEY_LEN], uint64_t now_ms)
{
	unsigned oldest = 0;

	for (unsigned i = 1; i < GUESSES_PER_MINUTE; i++)
		if (g->spent[i].ms < g->spent[oldest].ms)
			oldest = i;
	g->spent[oldest].ms = now_ms;
	memcpy(g->spent[oldest].remote, remote, KEY_LEN);
}

void guesses_refund(struct guesses *g, const uint8_t remote[KEY_LEN])
{
	for (unsigned i = 0; i < GUESSES_PER_MINUTE; i++)
		if (memcmp(g->spent[i].remote, remote, KEY_LEN) == 0)
			g->spent[i].ms = 0;
	/* Honest members join: they need no draws, unless it is spent again. */
	g->drawing = false;
}

/* Under the key of this draw each static has one ticket, however often it knocks. */
static uint64_t ticket(const struct guesses *g, const uint8_t remote[KEY_LEN])
{
	uint8_t h[8];

	crypto_siphash64(h, g->draw_key, remote, KEY_LEN);
	return load_be64(h);
}

static void begin_draw(struct guesses *g, uint64_t now_ms, const struct random *rnd)
{
	memset(g->candidate, 0, KEY_LEN);
	g->best = 0;
	random_bytes(rnd, g->draw_key, sizeof(g->draw_key));
	g->lottery_ms = now_ms + LOTTERY_MS;
}

bool guesses_admit(
	struct guesses *g, const uint8_t remote[KEY_LEN], uint64_t now_ms, const struct random *rnd)
{
	/* Not off again as soon as one entry ages, or the fastest to knock then would win. */
	g->drawing = g->drawing ? count_recent(g, now_ms) > GUESSES_PER_MINUTE / 2
				: guesses_spent(g, now_ms);
	if (!g->drawing) {
		/* The draws are six seconds apart from this one too, or a day has too many. */
		memset(g->admitted, 0, KEY_LEN);
		begin_draw(g, now_ms, rnd);
		return true;
	}
	if (now_ms >= g->lottery_ms) {
		memcpy(g->admitted, g->candidate, KEY_LEN);
		begin_draw(g, now_ms, rnd);
	}
	if (memcmp(remote, g->admitted, KEY_LEN) == 0) {
		memset(g->admitted, 0, KEY_LEN);
		return true;
	}
	if (ticket(g, remote) > g->best) {
		g->best = ticket(g, remote);
		memcpy(g->candidate, remote, KEY_LEN);
	}
	return false;
}
