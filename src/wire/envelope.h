/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Envelopes: everything that travels before there is a session, sealed with XChaCha20-Poly1305 so
 * that it shows no constant byte (PROTOCOL.md 4).
 *
 *   24 nonce | sealed body | 16 tag          at most 1,210 bytes
 *
 * The envelope key is known to whoever may speak to the receiver; the tag keeps out all others
 * before anything expensive is done. Which key belongs to whom is core/keys/party.h. Pure functions
 * but for the random bytes, which the caller's generator gives; any thread.
 */
#ifndef N2N_WIRE_ENVELOPE_H
#define N2N_WIRE_ENVELOPE_H

#include "base/random.h"
#include "crypto/crypto.h"
#include "wire/packet.h"

#define PROTOCOL_VERSION    1
#define ENVELOPE_OVERHEAD   (XNONCE_LEN + TAG_LEN)
#define ENVELOPE_MAX_LEN    1210
#define ENVELOPE_MIN_LEN    (ENVELOPE_OVERHEAD + 4)
#define ENVELOPE_BODY_MAX   (ENVELOPE_MAX_LEN - ENVELOPE_OVERHEAD)
#define ENVELOPE_PAD_MAX    255
#define MAC2_LEN	    16
#define COOKIE_LEN	    16
#define INIT_HEADER_LEN	    12
#define RESPONSE_HEADER_LEN 14
#define HELLO_HEADER_LEN    4
#define HELLO_ANSWER_LEN    (HELLO_HEADER_LEN + KEY_LEN + COOKIE_LEN + 8) /* body */
#define COOKIE_MSG_LEN	    (10 + COOKIE_LEN)				  /* body */

/*
 * Seals body_len <= ENVELOPE_BODY_MAX bytes of body into out (ENVELOPE_OVERHEAD more; not the same
 * memory) with a random nonce; the tag, the last 16 bytes, is how answers refer to this message. ad
 * may be NULL when ad_len is 0. PROTOCOL.md 4.1.
 */
void envelope_seal(uint8_t *out, const uint8_t *body, size_t body_len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN], const struct random *rnd);
/*
 * Opens it: body gets len - ENVELOPE_OVERHEAD bytes and may be datagram itself. N2N_EINVAL when no
 * envelope is so short or long, N2N_EAUTH when key or ad are not those it was sealed with; then
 * body is as it was, and the next key can be tried.
 */
MUST_CHECK int envelope_open(uint8_t *body, const uint8_t *datagram, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN]);

/*
 * The type (enum packet_type) of an opened body of any length, 0 when it is none that travels in
 * envelopes or its low 4 bits are not 0. The version is looked at by the decoders.
 */
unsigned envelope_type(const uint8_t *body, size_t len);

/* 0 type<<4 | 1 version | 2 sender index | 6 key index | 8 flags | 10 Noise length | Noise | mac2 |
 * pad */
struct msg_init {
	uint32_t sender;    /* the initiator's index for the key set to come */
	uint16_t key_index; /* which key of the community's ring; 0 on a hop */
	const uint8_t *noise;
	size_t noise_len;
	const uint8_t *mac2; /* 16 bytes, zero without a cookie */
};

/* 0 type<<4 | 1 version | 2 flags | 4 sender index | 8 receiver index | 12 Noise length | Noise |
 * mac2 | pad */
struct msg_response {
	uint32_t sender;
	uint32_t receiver; /* the initiator's sender index */
	const uint8_t *noise;
	size_t noise_len;
};

enum cookie_reason {
	COOKIE_STALE = 1,
	COOKIE_LOAD = 2
};

/* 0 type<<4 | 1 version | 2 receiver index | 6 difficulty 0 | 7 reason | 8 zero 2 | 10 cookie */
struct msg_cookie {
	uint32_t receiver;
	uint8_t reason;
	uint8_t cookie[COOKIE_LEN];
};

/* 0 type<<4 | 1 version | 2 flags: 0 asks, 1 answers | answer: static key 32, cookie 16 (0),
 * freshness 8 | pad */
struct msg_hello {
	bool answer;
	uint8_t static_public[KEY_LEN];
	uint64_t freshness; /* that the supernode takes now; 0: any */
};

/*
 * Encoders write a body of at most cap bytes, pad bytes of random padding included, and return its
 * length, 0 when it does not fit. Decoders borrow the body: pointers in *m lead into it.
 * N2N_EINVAL, with *m filled in part, when it is shorter than its fields, for another type or
 * version, and when reserved fields are not 0. What follows the last field is padding and ignored.
 */

/* PROTOCOL.md 4.3; all of *m is borrowed, mac2 included. */
size_t msg_init_encode(
	uint8_t *body, size_t cap, const struct msg_init *m, size_t pad, const struct random *rnd);
/* 4.3; whether mac2 is right only msg_init_mac2 tells, and who made the cookie. */
MUST_CHECK int msg_init_decode(struct msg_init *m, const uint8_t *body, size_t len);
/* 4.4; at most 46 bytes of padding keep it no longer than the INIT that it answers. */
size_t msg_response_encode(uint8_t *body, size_t cap, const struct msg_response *m, size_t pad,
	const struct random *rnd);
/* 4.4; mac2 is reserved and ignored. */
MUST_CHECK int msg_response_decode(struct msg_response *m, const uint8_t *body, size_t len);
/* 4.5; COOKIE_MSG_LEN bytes, never padded. */
size_t msg_cookie_encode(uint8_t *body, size_t cap, const struct msg_cookie *m);
/* 4.5; takes any reason. */
MUST_CHECK int msg_cookie_decode(struct msg_cookie *m, const uint8_t *body, size_t len);
/* 4.6; a question and an answer are equally long without padding. Of a question nothing else is
 * read. */
size_t msg_hello_encode(
	uint8_t *body, size_t cap, const struct msg_hello *m, size_t pad, const struct random *rnd);
/* 4.6; of a question the other fields mean nothing. */
MUST_CHECK int msg_hello_decode(struct msg_hello *m, const uint8_t *body, size_t len);

/*
 * The mac2 that *m has to carry with this cookie: BLAKE2b-128, keyed with the cookie, over the body
 * from the type to the end of the Noise message (PROTOCOL.md 4.3). m->mac2 is not read. Compare
 * with crypto_equal.
 */
void msg_init_mac2(
	uint8_t mac2[MAC2_LEN], const uint8_t cookie[COOKIE_LEN], const struct msg_init *m);

#endif
