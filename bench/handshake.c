/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a handshake costs a processor: both messages and both key sets, as two edges and as edge and
 * supernode make them, in microseconds for both sides together. usage: handshake [COUNT]
 */
#define _POSIX_C_SOURCE 200809L
#include "core/keys/handshake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fill(void *ctx, void *buf, size_t len)
{
	uint64_t *state = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		p[i] = (uint8_t)(*state >> 56);
	}
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void shake(const struct party *i, const struct party *r, const struct random *rnd)
{
	const struct attempt_params params = {r->self.public, 4, 1, 1, 0};
	uint8_t datagram[ENVELOPE_MAX_LEN], body[ENVELOPE_BODY_MAX], noise2[NOISE_MAX];
	struct handshake_result at_i, at_r;
	struct attempt attempt;
	struct answer answer;
	struct payload theirs;
	struct msg_response response;
	struct msg_init init;
	const struct keyset_params keys = {.nthreads = 2};
	size_t len, noise2_len;
	int err = attempt_start(&attempt, i, &params, rnd);

	assert(err == 0);
	len = attempt_datagram(&attempt, i, datagram, rnd);
	err |= envelope_open(body, datagram, len, NULL, 0, r->env_key);
	err |= msg_init_decode(&init, body, len - ENVELOPE_OVERHEAD);
	err |= answer_read(&answer, r, &init);
	err |= answer_write(&answer, r, 8, init.sender, 1, noise2, &noise2_len, &at_r, rnd);
	len = answer_datagram(
		r, i->self.public, &(struct msg_response){8, 4, noise2, noise2_len}, datagram, rnd);
	err |= envelope_open(body, datagram, len, NULL, 0, i->env_key);
	err |= msg_response_decode(&response, body, len - ENVELOPE_OVERHEAD);
	err |= attempt_finish(&attempt, i, &response, &at_i, &theirs);
	if (err != 0 || memcmp(at_i.prk, at_r.prk, sizeof(at_i.prk)) != 0) {
		fprintf(stderr, "handshake: the two sides do not agree\n");
		exit(1);
	}
	keyset_destroy(keyset_create(&at_i, &keys));
	keyset_destroy(keyset_create(&at_r, &keys));
}

static void measure(const char *name, const struct party *i, const struct party *r, unsigned count,
	const struct random *rnd)
{
	double start = now_us();

	for (unsigned n = 0; n < count; n++)
		shake(i, r, rnd);
	printf("%-28s %7.1f us\n", name, (now_us() - start) / count);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
	uint64_t state = 1;
	const struct random rnd = {fill, &state};
	const uint8_t seed_a[SEED_LEN] = {1}, seed_b[SEED_LEN] = {2}, prs[KEY_LEN] = {3};
	const struct community_key key = {.id = {4}, .key = {5}};
	struct party a, b;

	if (count == 0 || crypto_start() != 0) {
		fprintf(stderr, "usage: handshake [COUNT]\n");
		return 2;
	}
	party_init_key(&a, &key, seed_a);
	party_init_key(&b, &key, seed_b);
	measure("edge to edge, key", &a, &b, count, &rnd);
	party_init_passphrase(&a, "bench", prs, seed_a);
	party_init_passphrase(&b, "bench", prs, seed_b);
	measure("edge to edge, passphrase", &a, &b, count, &rnd);
	party_init_supernode(&b, seed_b);
	party_init_hop(&a, seed_a, a.tag, b.self.public);
	measure("edge to supernode", &a, &b, count, &rnd);
	return 0;
}
