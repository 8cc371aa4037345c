/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Identities and the secrets of a kind of handshake, all derived (PROTOCOL.md 2, 4.2). */
#include "core/keys/party.h"

#include <string.h>

#include "wire/envelope.h"

#define TEXT(s)                                                                                    \
	{                                                                                          \
		(s), sizeof(s) - 1                                                                 \
	}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void derive(uint8_t out[32], const uint8_t key[KEY_LEN], const struct slice *in, size_t n)
{
	crypto_blake2b(out, 32, key, key != NULL ? KEY_LEN : 0, in, n);
}

void party_name_tag(uint8_t tag[COMMUNITY_TAG_LEN], const char *name)
{
	const struct slice in[] = {TEXT("n2n4 tag"), {name, strlen(name)}};

	crypto_blake2b(tag, COMMUNITY_TAG_LEN, NULL, 0, in, COUNT(in));
}

int party_stretch(uint8_t prs[KEY_LEN], const char *name, const char *passphrase)
{
	uint8_t len = (uint8_t)strlen(name);
	const struct slice in[] = {TEXT("n2n4 pw salt"), {&len, 1}, {name, len}};
	uint8_t salt[16];

	if (strlen(name) > UINT8_MAX)
		return N2N_EINVAL;
	crypto_blake2b(salt, sizeof(salt), NULL, 0, in, COUNT(in));
	return crypto_argon2id(prs, passphrase, strlen(passphrase), salt);
}

static void init_edge(struct party *p, enum party_mode mode, const uint8_t seed[SEED_LEN])
{
	const struct slice in[] = {TEXT("n2n4 static"), {p->tag, sizeof(p->tag)}};

	p->role = ROLE_EDGE;
	p->mode = mode;
	derive(p->self.secret, seed, in, COUNT(in));
	crypto_x25519_public(p->self.public, p->self.secret);
	party_env_key(p, p->self.public, p->env_key);
}

void party_init_key(struct party *p, const struct community_key *key, const uint8_t seed[SEED_LEN])
{
	memset(p, 0, sizeof(*p));
	memcpy(p->tag, key->id, sizeof(p->tag));
	p->key_index = 1;
	derive(p->psk, key->key, &(struct slice)TEXT("n2n4 psk"), 1);
	derive(p->env_secret, key->key, &(struct slice)TEXT("n2n4 env"), 1);
	init_edge(p, MODE_KEY, seed);
}

void party_init_passphrase(
	struct party *p, const char *name, const uint8_t prs[KEY_LEN], const uint8_t seed[SEED_LEN])
{
	memset(p, 0, sizeof(*p));
	party_name_tag(p->tag, name);
	memcpy(p->prs, prs, sizeof(p->prs));

	/* A public constant: no secret that could be guessed may key anything on the wire. */
	const struct slice in[] = {TEXT("n2n4 psk pass"), {p->tag, sizeof(p->tag)}};

	derive(p->psk, NULL, in, COUNT(in));
	init_edge(p, MODE_PASSPHRASE, seed);
}

void party_init_hop(struct party *p, const uint8_t seed[SEED_LEN],
	const uint8_t tag[COMMUNITY_TAG_LEN], const uint8_t supernode_public[KEY_LEN])
{
	const struct slice in[] = {
		TEXT("n2n4 hop"), {tag, COMMUNITY_TAG_LEN}, {supernode_public, KEY_LEN}};

	memset(p, 0, sizeof(*p));
	p->role = ROLE_HOP;
	derive(p->self.secret, seed, in, COUNT(in));
	crypto_x25519_public(p->self.public, p->self.secret);
	party_env_key(p, p->self.public, p->env_key);
}

void party_init_supernode(struct party *p, const uint8_t secret[KEY_LEN])
{
	memset(p, 0, sizeof(*p));
	p->role = ROLE_HOP;
	memcpy(p->self.secret, secret, KEY_LEN);
	crypto_x25519_public(p->self.public, p->self.secret);
	party_env_key(p, p->self.public, p->env_key);
}

void party_wipe(struct party *p)
{
	crypto_wipe(p, sizeof(*p));
}

void party_prologue(const struct party *p, uint8_t out[PROLOGUE_LEN])
{
	struct writer w;

	writer_init(&w, out, PROLOGUE_LEN);
	writer_copy(&w, "n2n4", 4);
	writer_u8(&w, PROTOCOL_VERSION);
	writer_u8(&w, (uint8_t)p->role);
	writer_u8(&w, (uint8_t)p->mode);
	writer_copy(&w, p->tag, sizeof(p->tag));
	writer_u16(&w, p->key_index);
}

void party_env_key(
	const struct party *p, const uint8_t static_public[KEY_LEN], uint8_t out[KEY_LEN])
{
	const struct slice public = {static_public, KEY_LEN};

	if (p->role == ROLE_HOP) {
		derive(out, NULL, (const struct slice[]){TEXT("n2n4 env hop"), public}, 2);
	} else if (p->mode == MODE_KEY) {
		derive(out, p->env_secret, &public, 1);
	} else {
		const struct slice in[] = {TEXT("n2n4 env pass"), {p->tag, sizeof(p->tag)}, public};

		derive(out, NULL, in, COUNT(in));
	}
}

void party_hello_key(uint8_t out[KEY_LEN])
{
	derive(out, NULL, &(struct slice)TEXT("n2n4 env hello"), 1);
}

int party_register_proof(uint8_t proof[16], const uint8_t secret[KEY_LEN],
	const uint8_t public[KEY_LEN], const uint8_t hash[HASH_LEN],
	const uint8_t tag[COMMUNITY_TAG_LEN], const uint8_t registered[KEY_LEN])
{
	const struct slice in[] = {TEXT("n2n4 register"), {hash, HASH_LEN},
		{tag, COMMUNITY_TAG_LEN}, {registered, KEY_LEN}};
	uint8_t shared[KEY_LEN], full[32];
	int rc = crypto_x25519(shared, secret, public);

	if (rc == 0) {
		derive(full, shared, in, COUNT(in));
		memcpy(proof, full, 16);
	}
	crypto_wipe(shared, sizeof(shared));
	return rc;
}
