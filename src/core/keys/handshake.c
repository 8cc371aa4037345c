/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages 1 and 2 and the secret that comes of them. */
#include "core/keys/handshake.h"

#include <string.h>

/* Message 2 must never be longer than message 1: 46 is what its fixed parts are shorter. */
#define RESPONSE_PAD_MAX 46
#define TRANSFORMS	 ((1u << AEAD_AES256GCM) | (1u << AEAD_CHACHA20POLY1305))
/* CI = lv(prologue) lv(initiator) lv(responder), each length one byte below 128. */
#define CPACE_CI_LEN (3 + PROLOGUE_LEN + 2 * KEY_LEN)

static void write_lv(struct writer *w, const uint8_t *p, uint8_t len)
{
	writer_u8(w, len);
	writer_copy(w, p, len);
}

static void cpace_channel(uint8_t ci[CPACE_CI_LEN], const struct party *self,
	const uint8_t initiator[KEY_LEN], const uint8_t responder[KEY_LEN])
{
	uint8_t prologue[PROLOGUE_LEN];
	struct writer w;

	party_prologue(self, prologue);
	writer_init(&w, ci, CPACE_CI_LEN);
	write_lv(&w, prologue, PROLOGUE_LEN);
	write_lv(&w, initiator, KEY_LEN);
	write_lv(&w, responder, KEY_LEN);
}

static void cpace_session_id(uint8_t sid[CPACE_SID_LEN], const uint8_t ephemeral_public[KEY_LEN])
{
	uint8_t full[32];

	crypto_blake2b(full, sizeof(full), NULL, 0, &(struct slice){ephemeral_public, KEY_LEN}, 1);
	memcpy(sid, full, CPACE_SID_LEN);
}

static struct cpace_params cpace_params(
	const struct party *self, const uint8_t ci[CPACE_CI_LEN], const uint8_t sid[CPACE_SID_LEN])
{
	return (struct cpace_params){
		.prs = {self->prs, sizeof(self->prs)},
		.ci = {ci, CPACE_CI_LEN},
		.sid = {sid, CPACE_SID_LEN},
	};
}

static void fill_payload(struct payload *p, const struct party *self)
{
	memset(p, 0, sizeof(*p));
	p->caps = self->caps;
	p->incarnation = self->incarnation;
	p->mtu = self->mtu;
	p->key_indexes[0] = self->key_index;
	if (self->role == ROLE_HOP) {
		p->has_hop_mask = true;
		memcpy(p->hop_mask, self->hop_mask, MASK_LEN);
	}
}

/* The parts of a payload that the mode makes mandatory. */
static bool payload_fits(const struct payload *p, const struct party *self)
{
	return p->has_share == (self->mode == MODE_PASSPHRASE) &&
	       p->has_hop_mask == (self->role == ROLE_HOP);
}

int attempt_start(struct attempt *a, const struct party *self, const struct attempt_params *p,
	const struct random *rnd)
{
	uint8_t prologue[PROLOGUE_LEN], ephemeral[KEY_LEN], encoded[PAYLOAD_MAX_LEN];
	struct payload payload;
	size_t len;
	int rc;

	memset(a, 0, sizeof(*a));
	memcpy(a->remote, p->remote, KEY_LEN);
	a->index = p->index;
	a->generation = p->generation;
	party_env_key(self, p->remote, a->env_key);
	random_bytes(rnd, ephemeral, sizeof(ephemeral));
	fill_payload(&payload, self);
	payload.freshness = p->freshness;
	payload.transforms = TRANSFORMS;
	payload.generation = p->generation;
	payload.result = p->result;
	if (self->mode == MODE_PASSPHRASE) {
		uint8_t public[KEY_LEN], uniform[64], ci[CPACE_CI_LEN];

		crypto_x25519_public(public, ephemeral);
		cpace_session_id(a->sid, public);
		cpace_channel(ci, self, self->self.public, p->remote);
		const struct cpace_params params = cpace_params(self, ci, a->sid);

		random_bytes(rnd, uniform, sizeof(uniform));
		cpace_start(a->share, a->scalar, uniform, &params);
		crypto_wipe(uniform, sizeof(uniform));
		payload.has_share = true;
		memcpy(payload.share, a->share, CPACE_SHARE_LEN);
	}
	len = payload_encode(encoded, sizeof(encoded), &payload);
	party_prologue(self, prologue);
	noise_init_initiator(
		&a->noise, prologue, sizeof(prologue), &self->self, p->remote, self->psk);
	rc = noise_write1(&a->noise, a->msg1, ephemeral, encoded, len);
	crypto_wipe(ephemeral, sizeof(ephemeral));
	if (rc != 0)
		attempt_wipe(a);
	else
		a->msg1_len = len + NOISE_MSG1_OVERHEAD;
	return rc;
}

size_t attempt_datagram(
	struct attempt *a, const struct party *self, uint8_t *out, const struct random *rnd)
{
	struct msg_init m = {.sender = a->index,
		.key_index = self->key_index,
		.noise = a->msg1,
		.noise_len = a->msg1_len};
	uint8_t body[ENVELOPE_BODY_MAX], mac2[MAC2_LEN] = {0};
	size_t len;

	m.mac2 = mac2;
	if (!crypto_is_zero(a->cookie, sizeof(a->cookie)))
		msg_init_mac2(mac2, a->cookie, &m);
	len = msg_init_encode(body, sizeof(body), &m, random_below(rnd, ENVELOPE_PAD_MAX + 1), rnd);
	envelope_seal(out, body, len, NULL, 0, a->env_key, rnd);
	len += ENVELOPE_OVERHEAD;
	memcpy(a->sent_tag, out + len - TAG_LEN, TAG_LEN);
	return len;
}

static bool one_transform(uint32_t set)
{
	return set == (1u << AEAD_AES256GCM) || set == (1u << AEAD_CHACHA20POLY1305);
}

static void finish_result(struct handshake_result *r, const struct noise *noise, const uint8_t *isk,
	uint32_t transform)
{
	crypto_hkdf_extract(
		r->prk, noise->ck, sizeof(noise->ck), isk, isk != NULL ? CPACE_ISK_LEN : 0);
	memcpy(r->hash, noise->h, sizeof(r->hash));
	r->suite = transform == (1u << AEAD_AES256GCM) ? AEAD_AES256GCM : AEAD_CHACHA20POLY1305;
}

int attempt_finish(struct attempt *a, const struct party *self, const struct msg_response *m,
	struct handshake_result *result, struct payload *theirs)
{
	struct noise noise = a->noise; /* a failed read must leave the attempt intact */
	uint8_t plain[ENVELOPE_BODY_MAX], isk[CPACE_ISK_LEN], ci[CPACE_CI_LEN];
	const uint8_t *aux = NULL;
	int rc = N2N_EINVAL;

	if (m->noise_len < NOISE_MSG2_OVERHEAD || m->noise_len > sizeof(plain))
		goto out;
	rc = noise_read2(&noise, plain, m->noise, m->noise_len);
	if (rc != 0)
		goto out;
	rc = payload_decode(theirs, plain, m->noise_len - NOISE_MSG2_OVERHEAD);
	if (rc != 0)
		goto out;
	rc = N2N_EINVAL;
	if (!payload_fits(theirs, self) || !one_transform(theirs->transforms) ||
		theirs->generation < a->generation)
		goto out;
	if (self->mode == MODE_PASSPHRASE) {
		cpace_channel(ci, self, self->self.public, a->remote);
		const struct cpace_params params = cpace_params(self, ci, a->sid);

		rc = cpace_finish(isk, a->scalar, theirs->share, a->share, theirs->share, &params);
		if (rc != 0)
			goto out;
		aux = isk;
	}
	finish_result(result, &noise, aux, theirs->transforms);
	result->rx_index = a->index;
	result->tx_index = m->sender;
	result->generation = theirs->generation;
	result->initiator = true;
	rc = 0;
out:
	crypto_wipe(isk, sizeof(isk));
	noise_wipe(&noise);
	return rc;
}

int attempt_cookie(struct attempt *a, const uint8_t *datagram, size_t len)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	struct msg_cookie m;
	int rc;

	rc = envelope_open(body, datagram, len, a->sent_tag, TAG_LEN, a->env_key);
	if (rc == 0)
		rc = msg_cookie_decode(&m, body, len - ENVELOPE_OVERHEAD);
	if (rc == 0 && m.receiver != a->index)
		rc = N2N_EINVAL;
	if (rc == 0)
		memcpy(a->cookie, m.cookie, COOKIE_LEN);
	return rc;
}

void attempt_wipe(struct attempt *a)
{
	crypto_wipe(a, sizeof(*a));
}

int answer_read(struct answer *a, const struct party *self, const struct msg_init *m)
{
	uint8_t prologue[PROLOGUE_LEN], plain[ENVELOPE_BODY_MAX];
	int rc;

	if (m->noise_len < NOISE_MSG1_OVERHEAD + PAYLOAD_FIXED_LEN || m->noise_len > sizeof(plain))
		return N2N_EINVAL;
	a->result = 0;
	party_prologue(self, prologue);
	noise_init_responder(&a->noise, prologue, sizeof(prologue), &self->self, self->psk);
	rc = noise_read1(&a->noise, plain, m->noise, m->noise_len);
	if (rc == 0)
		rc = payload_decode(&a->theirs, plain, m->noise_len - NOISE_MSG1_OVERHEAD);
	if (rc == 0 && !payload_fits(&a->theirs, self))
		rc = N2N_EINVAL;
	if (rc != 0) {
		answer_wipe(a);
		return rc;
	}
	crypto_blake2b(a->msg1_hash, sizeof(a->msg1_hash), NULL, 0,
		&(struct slice){m->noise, m->noise_len}, 1);
	return 0;
}

/* A hop carries little and has many sessions: it takes the cipher that needs least memory. */
static uint32_t choose_transform(const struct party *self, const struct payload *theirs)
{
	uint32_t common = theirs->transforms & TRANSFORMS;
	bool aes = self->role == ROLE_EDGE && (self->caps & theirs->caps & CAP_AES_FAST) != 0;

	if (aes && (common & (1u << AEAD_AES256GCM)) != 0)
		return 1u << AEAD_AES256GCM;
	return common & (1u << AEAD_CHACHA20POLY1305);
}

int answer_write(struct answer *a, const struct party *self, uint32_t index, uint32_t tx_index,
	uint32_t generation, uint8_t noise2[NOISE_MAX], size_t *noise2_len,
	struct handshake_result *result, const struct random *rnd)
{
	uint8_t encoded[PAYLOAD_MAX_LEN], ephemeral[KEY_LEN], isk[CPACE_ISK_LEN];
	const uint8_t *aux = NULL;
	struct payload payload;
	size_t len;
	int rc;

	fill_payload(&payload, self);
	payload.generation = generation;
	payload.result = a->result;
	payload.transforms = choose_transform(self, &a->theirs);
	if (payload.transforms == 0)
		return N2N_EINVAL;
	if (self->mode == MODE_PASSPHRASE) {
		uint8_t uniform[64], scalar[32], ci[CPACE_CI_LEN], sid[CPACE_SID_LEN];

		cpace_session_id(sid, a->noise.re);
		cpace_channel(ci, self, a->noise.rs, self->self.public);
		const struct cpace_params params = cpace_params(self, ci, sid);

		random_bytes(rnd, uniform, sizeof(uniform));
		cpace_start(payload.share, scalar, uniform, &params);
		rc = cpace_finish(
			isk, scalar, a->theirs.share, a->theirs.share, payload.share, &params);
		crypto_wipe(uniform, sizeof(uniform));
		crypto_wipe(scalar, sizeof(scalar));
		if (rc != 0)
			return rc;
		payload.has_share = true;
		aux = isk;
	}
	len = payload_encode(encoded, sizeof(encoded), &payload);
	random_bytes(rnd, ephemeral, sizeof(ephemeral));
	rc = noise_write2(&a->noise, noise2, ephemeral, encoded, len);
	crypto_wipe(ephemeral, sizeof(ephemeral));
	if (rc == 0) {
		*noise2_len = len + NOISE_MSG2_OVERHEAD;
		finish_result(result, &a->noise, aux, payload.transforms);
		result->rx_index = index;
		result->tx_index = tx_index;
		result->generation = generation;
		result->initiator = false;
	}
	crypto_wipe(isk, sizeof(isk));
	return rc;
}

void answer_wipe(struct answer *a)
{
	crypto_wipe(a, sizeof(*a));
}

size_t answer_datagram(const struct party *self, const uint8_t remote[KEY_LEN],
	const struct msg_response *m, uint8_t *out, const struct random *rnd)
{
	uint8_t body[ENVELOPE_BODY_MAX], env_key[KEY_LEN];
	size_t len = msg_response_encode(
		body, sizeof(body), m, random_below(rnd, RESPONSE_PAD_MAX + 1), rnd);

	party_env_key(self, remote, env_key);
	envelope_seal(out, body, len, NULL, 0, env_key, rnd);
	crypto_wipe(env_key, sizeof(env_key));
	return len + ENVELOPE_OVERHEAD;
}
