/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who we are in one kind of handshake: as a member of a community towards other members, as an edge
 * towards one supernode, or as a supernode. Holds the secrets all sessions of that kind share
 * (PROTOCOL.md 2 and 4.2). Filled by one of the four inits and a few fields by whoever called it
 * (hop_mask, incarnation, caps, mtu); read-only afterwards, by any thread; wiped by party_wipe.
 * Keys, seeds and names that are passed in are copied or only read.
 */
#ifndef N2N_CORE_KEYS_PARTY_H
#define N2N_CORE_KEYS_PARTY_H

#include "crypto/keystring.h"
#include "wire/control.h"
#include "wire/packet.h"

#define PROLOGUE_LEN 25 /* "n2n4" 4 | version 1 | role 1 | mode 1 | tag 16 | key index 2 */
#define SEED_LEN     32

enum party_role {
	ROLE_EDGE = 1,
	ROLE_HOP = 2
};
enum party_mode {
	MODE_NONE = 0 /* on a hop */,
	MODE_KEY = 1,
	MODE_PASSPHRASE = 2
};

struct party {
	enum party_role role;
	enum party_mode mode;
	uint16_t key_index; /* of the community key; 0 in passphrase mode and on a hop */
	struct keypair self;
	uint8_t tag[COMMUNITY_TAG_LEN]; /* zero on a hop */
	uint8_t psk[KEY_LEN];
	uint8_t env_secret[KEY_LEN]; /* key mode: what envelope keys are made from */
	uint8_t prs[KEY_LEN];	     /* passphrase mode: the stretched passphrase, CPace's input */
	uint8_t env_key[KEY_LEN];    /* opens envelopes addressed to us */
	uint8_t hop_mask[MASK_LEN];  /* on a hop: our mask key, told in the handshake */
	uint32_t incarnation;
	uint32_t caps;
	uint16_t mtu;
};

/* The tag of a passphrase community, from its name alone (PROTOCOL.md 2.3). */
void party_name_tag(uint8_t tag[COMMUNITY_TAG_LEN], const char *name);
/*
 * Stretches the passphrase: crypto_argon2id salted with the name (PROTOCOL.md 2.3), wiped by the
 * caller. Slow by design. N2N_EINVAL for a name above 255 bytes, N2N_ENOMEM.
 */
MUST_CHECK int party_stretch(uint8_t prs[KEY_LEN], const char *name, const char *passphrase);

/* A member of a community held together by a key (PROTOCOL.md 2.1, 2.2). */
void party_init_key(struct party *p, const struct community_key *key, const uint8_t seed[SEED_LEN]);
/* One of a community held together by a passphrase; prs is what party_stretch made of it. */
void party_init_passphrase(struct party *p, const char *name, const uint8_t prs[KEY_LEN],
	const uint8_t seed[SEED_LEN]);
/* An edge towards a supernode, on behalf of the community with this tag. */
void party_init_hop(struct party *p, const uint8_t seed[SEED_LEN],
	const uint8_t tag[COMMUNITY_TAG_LEN], const uint8_t supernode_public[KEY_LEN]);
/* A supernode with its long-term secret. */
void party_init_supernode(struct party *p, const uint8_t secret[KEY_LEN]);
/* A zeroed or wiped one is fine. */
void party_wipe(struct party *p);

/* What both sides of a handshake must agree on: Noise's prologue (PROTOCOL.md 5.1). */
void party_prologue(const struct party *p, uint8_t out[PROLOGUE_LEN]);
/* The envelope key for datagrams to the holder of this static key (PROTOCOL.md 4.2). */
void party_env_key(
	const struct party *p, const uint8_t static_public[KEY_LEN], uint8_t out[KEY_LEN]);
/* The envelope key of HELLO, which everybody knows. */
void party_hello_key(uint8_t out[KEY_LEN]);
/*
 * The proof in REGISTER that the edge holds the secret of the static key it registers (PROTOCOL.md
 * 7.4). secret and public belong to different sides: the edge puts in its own secret and the
 * supernode's public key, the supernode the reverse. hash is that of the handshake whose keys carry
 * the message. N2N_EAUTH when the shared secret is zero. Compare with crypto_equal.
 */
MUST_CHECK int party_register_proof(uint8_t proof[16], const uint8_t secret[KEY_LEN],
	const uint8_t public[KEY_LEN], const uint8_t hash[HASH_LEN],
	const uint8_t tag[COMMUNITY_TAG_LEN], const uint8_t registered[KEY_LEN]);

#endif
