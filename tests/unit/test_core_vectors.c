/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Identities, handshakes and their keys against tests/vectors/core.json, which a second
 * implementation made from the same secrets and random bytes.
 */
#include <stdio.h>

#include "core_test.h"
#include "vectors.h"

static const json_t *member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_non_null(value);
	return value;
}

static const json_t *given(void **state)
{
	return member(*state, "given");
}

static struct hex hex_of(const json_t *value)
{
	assert_true(json_is_string(value));
	return hex_decode(json_string_value(value));
}

/* Exactly len bytes. */
static void bytes(const json_t *value, void *out, size_t len)
{
	struct hex h = hex_of(value);

	assert_int_equal(h.len, len);
	memcpy(out, h.data, len);
	hex_free(&h);
}

static void expect(const json_t *object, const char *name, const void *got, size_t len)
{
	struct hex h = hex_of(member(object, name));

	assert_int_equal(h.len, len);
	assert_memory_equal(h.data, got, len);
	hex_free(&h);
}

static char *text(const json_t *object, const char *name)
{
	struct hex h = hex_of(member(object, name));
	char *s = calloc(1, h.len + 1);

	assert_non_null(s);
	memcpy(s, h.data, h.len);
	hex_free(&h);
	return s;
}

/* ---- identities ---- */

static struct party key_party(void **state, size_t device)
{
	uint8_t seed[SEED_LEN];
	struct community_key key;
	struct party p;

	bytes(json_array_get(member(given(state), "seeds"), device), seed, sizeof(seed));
	bytes(member(given(state), "community"), key.id, sizeof(key.id));
	bytes(member(given(state), "key"), key.key, sizeof(key.key));
	party_init_key(&p, &key, seed);
	return p;
}

static struct party passphrase_party(void **state, size_t device)
{
	uint8_t seed[SEED_LEN], prs[KEY_LEN];
	char *name = text(given(state), "name");
	struct party p;

	bytes(json_array_get(member(given(state), "seeds"), device), seed, sizeof(seed));
	bytes(member(given(state), "prs"), prs, sizeof(prs));
	party_init_passphrase(&p, name, prs, seed);
	free(name);
	return p;
}

static struct party supernode_party(void **state)
{
	uint8_t secret[KEY_LEN];
	struct party p;

	bytes(member(given(state), "supernode_secret"), secret, sizeof(secret));
	party_init_supernode(&p, secret);
	return p;
}

static struct party hop_party(void **state, size_t device)
{
	const struct party supernode = supernode_party(state);
	uint8_t seed[SEED_LEN], tag[COMMUNITY_TAG_LEN];
	struct party p;

	bytes(json_array_get(member(given(state), "seeds"), device), seed, sizeof(seed));
	bytes(member(given(state), "community"), tag, sizeof(tag));
	party_init_hop(&p, seed, tag, supernode.self.public);
	return p;
}

static void check_party(const json_t *v, const struct party *p)
{
	uint8_t prologue[PROLOGUE_LEN];

	expect(v, "secret", p->self.secret, KEY_LEN);
	expect(v, "public", p->self.public, KEY_LEN);
	expect(v, "tag", p->tag, COMMUNITY_TAG_LEN);
	expect(v, "psk", p->psk, KEY_LEN);
	expect(v, "env_key", p->env_key, KEY_LEN);
	expect(v, "prs", p->prs, p->mode == MODE_PASSPHRASE ? KEY_LEN : 0);
	assert_int_equal(json_integer_value(member(v, "key_index")), p->key_index);
	party_prologue(p, prologue);
	expect(v, "prologue", prologue, sizeof(prologue));
}

static void identities(void **state)
{
	struct party p;

	for (size_t device = 0; device < 2; device++) {
		p = key_party(state, device);
		check_party(json_array_get(member(*state, "key_parties"), device), &p);
		p = passphrase_party(state, device);
		check_party(json_array_get(member(*state, "passphrase_parties"), device), &p);
		p = hop_party(state, device);
		check_party(json_array_get(member(*state, "hop_parties"), device), &p);
	}
	p = supernode_party(state);
	check_party(member(*state, "supernode"), &p);
	party_wipe(&p);
	assert_true(crypto_is_zero(&p, sizeof(p)));
}

static void stretching(void **state)
{
	const json_t *rows = member(*state, "stretch"), *v;
	uint8_t prs[KEY_LEN];
	size_t i;

	assert_true(json_array_size(rows) > 0);
	json_array_foreach (rows, i, v) {
		char *name = text(v, "name"), *passphrase = text(v, "passphrase");

		assert_int_equal(party_stretch(prs, name, passphrase), 0);
		expect(v, "prs", prs, sizeof(prs));
		free(name);
		free(passphrase);
	}
}

static void register_proof(void **state)
{
	const json_t *v = member(*state, "register");
	const struct party p = key_party(state, 0), supernode = supernode_party(state);
	static const uint8_t zero[KEY_LEN];
	uint8_t hash[HASH_LEN], proof[16];

	bytes(member(v, "hash"), hash, sizeof(hash));
	assert_int_equal(party_register_proof(proof, p.self.secret, supernode.self.public, hash,
				 p.tag, p.self.public),
		0);
	expect(v, "proof", proof, sizeof(proof));
	memset(proof, 0, sizeof(proof));
	assert_int_equal(party_register_proof(proof, supernode.self.secret, p.self.public, hash,
				 p.tag, p.self.public),
		0);
	expect(v, "proof", proof, sizeof(proof));
	assert_int_equal(
		party_register_proof(proof, supernode.self.secret, zero, hash, p.tag, zero),
		N2N_EAUTH);
}

/* ---- handshakes ---- */

/* Gives the bytes of a vector, in order, and no more. */
static void replay_fill(void *ctx, void *buf, size_t len)
{
	struct reader *r = ctx;

	reader_copy(r, buf, len);
	assert_true(reader_ok(r));
}

static uint32_t number(const json_t *object, const char *name)
{
	const json_t *value = member(object, name);

	assert_true(json_is_integer(value));
	return (uint32_t)json_integer_value(value);
}

static void describe(struct party *p, const json_t *payload)
{
	p->caps = number(payload, "caps");
	p->mtu = (uint16_t)number(payload, "mtu");
	p->incarnation = number(payload, "incarnation");
	if (json_object_get(payload, "hop_mask") != NULL)
		bytes(member(payload, "hop_mask"), p->hop_mask, MASK_LEN);
}

/* The packet key cannot be read from a key set: what it seals must be what the vector's seals. */
static void check_sealing(const struct keyset *k, const json_t *way)
{
	struct aead_state *state = aead_state_create(0);
	struct aead_key *key;
	uint8_t secret[KEY_LEN], packets[2][4 + TAG_LEN] = {"text", "text"};
	struct aead_op ops[2] = {{.text = packets[0], .len = 4, .nonce = {1}},
		{.text = packets[1], .len = 4, .nonce = {1}}};

	bytes(member(way, "key"), secret, sizeof(secret));
	key = aead_key_create(aead_library_choice(NULL, k->tx.suite), k->tx.suite, secret, 1);
	assert_true(key != NULL && state != NULL);
	aead_seal(k->tx.key, state, &ops[0], 1);
	aead_seal(key, state, &ops[1], 1);
	assert_memory_equal(packets[0], packets[1], sizeof(packets[0]));
	aead_key_destroy(key);
	aead_state_destroy(state);
}

static void check_keys(const struct handshake_result *r, const json_t *v)
{
	const json_t *tx = member(v, r->initiator ? "i2r" : "r2i");
	const json_t *rx = member(v, r->initiator ? "r2i" : "i2r");
	const struct keyset_params p = {.nthreads = 1};
	struct keyset *k = keyset_create(r, &p);

	assert_non_null(k);
	expect(v, "hash", k->hash, HASH_LEN);
	expect(v, "prk", r->prk, HASH_LEN);
	assert_int_equal(k->tx.suite, number(v, "transform"));
	assert_int_equal(k->rx.suite, number(v, "transform"));
	expect(tx, "iv", k->tx.iv, NONCE_LEN);
	expect(rx, "iv", k->rx.iv, NONCE_LEN);
	expect(tx, "mask", k->tx.mask, MASK_LEN);
	expect(rx, "mask", k->rx.mask, MASK_LEN);
	expect(tx, "hop", k->tx.hop_key, sizeof(k->tx.hop_key));
	expect(rx, "hop", k->rx.hop_key, sizeof(k->rx.hop_key));
	check_sealing(k, tx);
	keyset_destroy(k);
}

static void check_handshake(const json_t *v, struct party *i, struct party *r)
{
	struct hex random_1 = hex_of(member(v, "random_1")),
		   random_2 = hex_of(member(v, "random_2"));
	struct reader drawn;
	const struct random rnd = {replay_fill, &drawn};
	const struct attempt_params params = {r->self.public, 4, 3, UINT64_C(1790000000001), 0};
	struct handshake_result ri, rr;
	struct msg_response m2 = {.sender = 8, .receiver = 4};
	struct payload theirs;
	struct attempt attempt;
	struct answer answer;
	uint8_t noise2[NOISE_MAX];

	describe(i, member(v, "one"));
	describe(r, member(v, "two"));
	reader_init(&drawn, random_1.data, random_1.len);
	assert_int_equal(attempt_start(&attempt, i, &params, &rnd), 0);
	assert_true(reader_done(&drawn));
	expect(v, "noise1", attempt.msg1, attempt.msg1_len);
	const struct msg_init m1 = {4, i->key_index, attempt.msg1, attempt.msg1_len, NULL};

	assert_int_equal(answer_read(&answer, r, &m1), 0);
	reader_init(&drawn, random_2.data, random_2.len);
	assert_int_equal(answer_write(&answer, r, 8, 4, 5, noise2, &m2.noise_len, &rr, &rnd), 0);
	assert_true(reader_done(&drawn));
	expect(v, "noise2", noise2, m2.noise_len);
	m2.noise = noise2;
	assert_int_equal(attempt_finish(&attempt, i, &m2, &ri, &theirs), 0);
	assert_int_equal(theirs.generation, number(member(v, "two"), "generation"));
	check_keys(&ri, v);
	check_keys(&rr, v);
	hex_free(&random_1);
	hex_free(&random_2);
}

static void handshakes(void **state)
{
	const json_t *rows = member(*state, "handshakes"), *v;
	size_t n;

	assert_int_equal(json_array_size(rows), 5);
	json_array_foreach (rows, n, v) {
		const char *name = json_string_value(member(v, "name"));
		const size_t first = strstr(name, "AES") != NULL ? 1 : 0;
		struct party i, r;

		if (strcmp(name, "hop") == 0) {
			i = hop_party(state, 0);
			r = supernode_party(state);
		} else if (name[0] == 'k') {
			i = key_party(state, first);
			r = key_party(state, 1 - first);
		} else {
			i = passphrase_party(state, first);
			r = passphrase_party(state, 1 - first);
		}
		check_handshake(v, &i, &r);
	}
}

static int load(void **state)
{
	const char *root = getenv("N2N_SOURCE_ROOT");
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/vectors/core.json", root != NULL ? root : ".");
	*state = json_load_file(path, 0, NULL);
	if (*state == NULL)
		print_error("cannot read %s\n", path);
	return *state != NULL ? 0 : -1;
}

static int unload(void **state)
{
	json_decref(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identities),
		cmocka_unit_test(stretching),
		cmocka_unit_test(register_proof),
		cmocka_unit_test(handshakes),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, load, unload);
}
