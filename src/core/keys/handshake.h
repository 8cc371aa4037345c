/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two messages of a handshake, built and read, and the keys that come of them (PROTOCOL.md 4,
 * 5): Noise IKpsk1, with CPace inside it in passphrase communities. No tables, no timers, no I/O:
 * who may speak to whom and when is session.c's and its callers' business. Control thread. An int
 * is 0 or an error; lengths are in bytes.
 */
#ifndef N2N_CORE_KEYS_HANDSHAKE_H
#define N2N_CORE_KEYS_HANDSHAKE_H

#include "base/random.h"
#include "core/keys/keyset.h"
#include "core/keys/party.h"
#include "crypto/cpace.h"
#include "crypto/noise.h"
#include "wire/envelope.h"
#include "wire/payload.h"

#define NOISE_MAX (NOISE_MSG1_OVERHEAD + PAYLOAD_MAX_LEN)

/*
 * The initiator's side of one attempt: one ephemeral, one freshness, one CPace share. It is sent
 * again as often as needed, each time in a fresh envelope, and takes one answer.
 */
struct attempt {
	struct noise noise;
	uint8_t remote[KEY_LEN];  /* the responder's static */
	uint8_t env_key[KEY_LEN]; /* the responder's envelope key */
	uint32_t index;		  /* ours, for the key set to come */
	uint32_t generation;	  /* proposed */
	uint8_t msg1[NOISE_MAX];
	size_t msg1_len;
	uint8_t scalar[32];
	uint8_t share[CPACE_SHARE_LEN];
	uint8_t sid[CPACE_SID_LEN];
	uint8_t cookie[COOKIE_LEN]; /* zero: none was received */
	uint8_t sent_tag[TAG_LEN];  /* of the last datagram: a cookie answers it */
};

struct attempt_params {
	const uint8_t *remote; /* static public key */
	uint32_t index;
	uint32_t generation;
	uint64_t freshness;
	uint16_t result; /* with which the responder refused before */
};

/*
 * Begins one; *p is borrowed for the call. Three X25519 operations; with CPace one more and one on
 * ristretto255. N2N_EAUTH, the attempt wiped, when the remote key is a point of small order.
 */
MUST_CHECK int attempt_start(struct attempt *a, const struct party *self,
	const struct attempt_params *p, const struct random *rnd);
/*
 * Writes the INIT (PROTOCOL.md 4.3), at most ENVELOPE_MAX_LEN bytes, and returns its length: the
 * same Noise message in a new envelope, with mac2 once there is a cookie.
 */
size_t attempt_datagram(
	struct attempt *a, const struct party *self, uint8_t *out, const struct random *rnd);
/*
 * Takes message 2. On success fills the result and what the responder said, and the attempt may be
 * wiped; so is the result, by the caller. On failure the attempt is as before, so that a forged
 * answer ends nothing: N2N_EAUTH when the message or its share is not genuine, N2N_EINVAL when it
 * is malformed or offers what was not asked for (PROTOCOL.md 5.3). *theirs may be filled all the
 * same.
 */
MUST_CHECK int attempt_finish(struct attempt *a, const struct party *self,
	const struct msg_response *m, struct handshake_result *result, struct payload *theirs);
/*
 * Takes a COOKIE datagram (PROTOCOL.md 4.5); it will be shown from the next INIT on. N2N_EAUTH or
 * N2N_EINVAL, and nothing changed, when it is none or does not answer the last INIT.
 */
MUST_CHECK int attempt_cookie(struct attempt *a, const uint8_t *datagram, size_t len);
/* Ends it; a zeroed one is fine. */
void attempt_wipe(struct attempt *a);

/* The responder's side, between the two messages. */
struct answer {
	struct noise noise;
	struct payload theirs;
	uint8_t msg1_hash[32]; /* of the Noise message, to know a repetition */
	uint16_t result; /* 0, or set by the caller: message 2 refuses, and its keys are void */
};

/*
 * Reads message 1; afterwards noise.rs is the initiator, whose freshness and mac2 are the caller's
 * to judge (PROTOCOL.md 5.5). Two X25519 operations. N2N_EAUTH, N2N_EINVAL: wiped.
 */
MUST_CHECK int answer_read(struct answer *a, const struct party *self, const struct msg_init *m);
/*
 * Makes the Noise message 2, *noise2_len bytes, and the keys that it leads to; afterwards the
 * answer is to be wiped, and so is the result in the end. index is ours, tx_index the initiator's;
 * generation is the final one (PROTOCOL.md 5.6). N2N_EINVAL when no transform fits both, N2N_EAUTH
 * for a hostile key or share.
 */
MUST_CHECK int answer_write(struct answer *a, const struct party *self, uint32_t index,
	uint32_t tx_index, uint32_t generation, uint8_t noise2[NOISE_MAX], size_t *noise2_len,
	struct handshake_result *result, const struct random *rnd);
/* Ends it; a zeroed one is fine. */
void answer_wipe(struct answer *a);

/*
 * A RESPONSE datagram (PROTOCOL.md 4.4) around message 2, sealed for the initiator: at most
 * ENVELOPE_MAX_LEN bytes, never longer than the INIT. Returns its length.
 */
size_t answer_datagram(const struct party *self, const uint8_t remote[KEY_LEN],
	const struct msg_response *m, uint8_t *out, const struct random *rnd);

#endif
