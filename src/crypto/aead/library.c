/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the list of packet cipher providers, how fast they are, and the choice among them. */
#include <stdlib.h>
#include <string.h>

#include "crypto/aead/provider.h"

#define PROVIDERS_MAX 3
#define CHOICE_LEN    1400 /* text of the packets that decide */
#define CHOICE_ROUNDS 5
#define PROBE_LEN     1514 /* at most */

static const enum aead_suite suites[] = {AEAD_AES256GCM, AEAD_CHACHA20POLY1305};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

struct aead_library {
	struct aead_provider *ipsec_mb;				       /* or NULL */
	const struct aead_provider *providers[PROVIDERS_MAX + 1];      /* ended by NULL */
	const struct aead_provider *choice[AEAD_CHACHA20POLY1305 + 1]; /* by suite */
};

/* ---- measuring ---- */

static uint64_t shorter(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int aead_measure(struct aead_speed *speed, const struct aead_provider *p, enum aead_suite suite,
	size_t len, unsigned rounds, uint64_t (*now_ns)(void))
{
	static const uint8_t secret[KEY_LEN] = {1}, ad[16] = {2};
	struct aead_op ops[AEAD_SPEED_BATCH] = {{.text = NULL}};
	uint8_t *texts = calloc(AEAD_SPEED_BATCH, len + TAG_LEN);
	struct aead_key *key = aead_key_create(p, suite, secret, 1);
	struct aead_state *state = aead_state_create(0);
	int rc = texts != NULL && key != NULL && state != NULL ? N2N_OK : N2N_ENOMEM;

	for (size_t i = 0; i < AEAD_SPEED_BATCH && texts; i++) {
		ops[i] = (struct aead_op){.text = texts + i * (len + TAG_LEN),
			.len = len,
			.ad = ad,
			.ad_len = sizeof(ad),
			.nonce = {(uint8_t)i}};
	}
	*speed = (struct aead_speed){UINT64_MAX, UINT64_MAX};
	for (unsigned i = 0; i < rounds && rc == N2N_OK; i++) {
		uint64_t start = now_ns(), sealed, opened;

		aead_seal(key, state, ops, AEAD_SPEED_BATCH);
		sealed = now_ns();
		(void)aead_open(key, state, ops, AEAD_SPEED_BATCH);
		opened = now_ns();
		speed->seal_ns = shorter(speed->seal_ns, sealed - start);
		speed->open_ns = shorter(speed->open_ns, opened - sealed);
	}
	aead_state_destroy(state);
	aead_key_destroy(key);
	free(texts);
	return rc;
}

static int choose(struct aead_library *lib, enum aead_suite suite, uint64_t (*now_ns)(void))
{
	uint64_t best = UINT64_MAX;

	for (const struct aead_provider *const *p = lib->providers; *p != NULL; p++) {
		struct aead_speed speed = {0, 0};
		int rc = N2N_OK;

		if (!(*p)->has(suite)) {
			continue;
		}
		if (now_ns != NULL) {
			rc = aead_measure(&speed, *p, suite, CHOICE_LEN, CHOICE_ROUNDS, now_ns);
		}
		if (rc != N2N_OK) {
			return rc;
		}
		if (speed.seal_ns + speed.open_ns < best) {
			best = speed.seal_ns + speed.open_ns;
			lib->choice[suite] = *p;
		}
	}
	return N2N_OK;
}

/* ---- finding ---- */

/* Seals zeros, and opens them again, but not damaged; false when memory is short, too. */
static bool probe(uint8_t box[PROBE_LEN + TAG_LEN], size_t len, const struct aead_provider *p,
	enum aead_suite suite)
{
	static const uint8_t secret[KEY_LEN] = {3}, ad[10] = {4}, zeros[PROBE_LEN];
	struct aead_op op = {.text = box, .len = len, .ad = ad, .ad_len = sizeof(ad)};
	struct aead_key *key = aead_key_create(p, suite, secret, 1);
	struct aead_state *state = aead_state_create(0);
	uint8_t copy[PROBE_LEN + TAG_LEN], damaged[PROBE_LEN + TAG_LEN];
	bool right = key && state;

	memset(box, 0, PROBE_LEN + TAG_LEN);
	if (right) {
		aead_seal(key, state, &op, 1);
		memcpy(copy, box, sizeof(copy));
		memcpy(damaged, box, sizeof(damaged));
		damaged[len / 2] ^= 1;
		op.text = copy;
		right = aead_open(key, state, &op, 1) == 1 && memcmp(copy, zeros, len) == 0;
		op.text = damaged;
		right = aead_open(key, state, &op, 1) == 0 && right;
	}
	aead_state_destroy(state);
	aead_key_destroy(key);
	return right;
}

/* What comes in at run time is believed only when it gives what the built-in ones give. */
static bool agrees(const struct aead_provider *p)
{
	static const size_t lengths[] = {0, 15, 100, PROBE_LEN};
	enum {
		LENGTHS = sizeof(lengths) / sizeof(lengths[0])
	};
	uint8_t want[PROBE_LEN + TAG_LEN], got[PROBE_LEN + TAG_LEN];

	for (size_t i = 0; i < SUITES * LENGTHS; i++) {
		enum aead_suite suite = suites[i / LENGTHS];
		size_t len = lengths[i % LENGTHS];

		if (!probe(want, len, &aead_openssl, suite) || !probe(got, len, p, suite) ||
			memcmp(want, got, sizeof(want)) != 0) {
			return false;
		}
	}
	return true;
}

static void find(struct aead_library *lib, bool without_ipsec_mb)
{
	const struct aead_provider **p = lib->providers;

	if (!without_ipsec_mb && aead_ipsec_mb_open(&lib->ipsec_mb) == N2N_OK &&
		agrees(lib->ipsec_mb)) {
		*p++ = lib->ipsec_mb;
	}
	*p++ = &aead_openssl;
	*p = &aead_sodium;
}

/* ---- the library ---- */

int aead_library_open(struct aead_library **out, uint64_t (*now_ns)(void), bool without_ipsec_mb)
{
	struct aead_library *lib = calloc(1, sizeof(*lib));
	int rc = lib != NULL ? N2N_OK : N2N_ENOMEM;

	if (lib != NULL) {
		find(lib, without_ipsec_mb);
	}
	for (size_t i = 0; i < SUITES && rc == N2N_OK; i++) {
		rc = choose(lib, suites[i], now_ns);
	}
	if (rc != N2N_OK) {
		aead_library_close(lib);
		lib = NULL;
	}
	*out = lib;
	return rc;
}

void aead_library_close(struct aead_library *lib)
{
	if (lib != NULL) {
		aead_ipsec_mb_close(lib->ipsec_mb);
		free(lib);
	}
}

const struct aead_provider *const *aead_library_providers(const struct aead_library *lib)
{
	return lib->providers;
}

const struct aead_provider *aead_library_choice(
	const struct aead_library *lib, enum aead_suite suite)
{
	if (!aead_openssl.has(suite)) {
		return NULL;
	}
	return lib != NULL ? lib->choice[suite] : &aead_openssl;
}
