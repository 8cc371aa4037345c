/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answering handshakes out of a fixed pool of embryos. */
#include "core/session/responder.h"

#include <string.h>

#include "core/data/receive.h"

#define STALE_GAP_MS	 1000u /* stale cookies per static */
#define COOKIE_SECRET_MS 120000u

struct embryo *responder_find(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	for (unsigned i = 0; i < n->n_embryos; i++)
		if (n->embryos[i].party == self &&
			memcmp(n->embryos[i].remote, remote, KEY_LEN) == 0)
			return &n->embryos[i];
	return NULL;
}

struct embryo *responder_by_index(struct node *n, uint32_t index)
{
	for (unsigned i = 0; i < n->n_embryos; i++)
		if (n->embryos[i].party != NULL && n->embryos[i].result.rx_index == index)
			return &n->embryos[i];
	return NULL;
}

/* A free place (a quarter is for those we know), or that of the oldest one which has waited long
 * enough for an honest peer. */
static struct embryo *place(struct node *n, bool known, uint64_t now_ms)
{
	unsigned places = known ? n->n_embryos : n->n_embryos - n->n_embryos / 4;
	struct embryo *oldest = NULL;

	for (unsigned i = 0; i < places; i++) {
		struct embryo *e = &n->embryos[i];

		if (e->party == NULL)
			return e;
		if (oldest == NULL || e->born_ms < oldest->born_ms)
			oldest = e;
	}
	if (oldest == NULL || now_ms < oldest->born_ms + 1000)
		return NULL;
	responder_discard(n, oldest);
	return oldest;
}

void responder_discard(struct node *n, struct embryo *e)
{
	(void)n;
	if (e->session != NULL) {
		e->session->embryo = NULL;
		e->session->attempt_quiet = false;
	}
	crypto_wipe(e, sizeof(*e));
}

void responder_tick(struct node *n, uint64_t now_ms)
{
	for (unsigned i = 0; i < n->n_embryos; i++) {
		struct embryo *e = &n->embryos[i];
		const struct party *party = e->party;

		if (party == NULL || now_ms < e->born_ms + EMBRYO_LIFE_MS)
			continue;
		struct session *s = e->session;

		responder_discard(n, e);
		if (n->role->failed != NULL)
			n->role->failed(n, party, s, true, now_ms);
	}
}

/* ---- cookies: proof that the initiator can receive where it sends from ---- */

static void make_cookie(const struct node *n, unsigned secret, const struct origin *from,
	uint8_t cookie[COOKIE_LEN])
{
	uint8_t place_of[26];
	struct writer w;

	writer_init(&w, place_of, sizeof(place_of));
	writer_u32(&w, from->hop_id);
	writer_u32(&w, from->handle);
	writer_copy(&w, from->remote.ip, sizeof(from->remote.ip));
	writer_u16(&w, from->remote.port);
	crypto_blake2b(cookie, COOKIE_LEN, n->cookie_secret[secret], KEY_LEN,
		&(struct slice){place_of, sizeof(place_of)}, 1);
}

static void turn_secrets(struct node *n, uint64_t now_ms)
{
	if (now_ms < n->cookie_ms)
		return;
	memcpy(n->cookie_secret[1], n->cookie_secret[0], KEY_LEN);
	random_bytes(&n->io.random, n->cookie_secret[0], KEY_LEN);
	n->cookie_ms = now_ms + COOKIE_SECRET_MS;
}

static bool shows_cookie(
	struct node *n, const struct msg_init *m, const struct origin *from, uint64_t now_ms)
{
	turn_secrets(n, now_ms);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t cookie[COOKIE_LEN], mac2[MAC2_LEN];

		make_cookie(n, i, from, cookie);
		msg_init_mac2(mac2, cookie, m);
		if (crypto_equal(mac2, m->mac2, MAC2_LEN))
			return true;
	}
	return false;
}

static void send_cookie(struct node *n, const struct party *self, const struct msg_init *m,
	const struct origin *to, const uint8_t tag[TAG_LEN], uint64_t now_ms)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_OVERHEAD + 32], body[32];
	struct msg_cookie c = {.receiver = m->sender, .reason = COOKIE_STALE};
	size_t len;

	turn_secrets(n, now_ms);
	make_cookie(n, 0, to, c.cookie);
	len = msg_cookie_encode(body, sizeof(body), &c);
	envelope_seal(
		buf + RELAY_HEADER_LEN, body, len, tag, TAG_LEN, self->env_key, &n->io.random);
	node_reply(n, to, buf + RELAY_HEADER_LEN, len + ENVELOPE_OVERHEAD);
}

/*
 * An older handshake than one already taken is a replay, or comes from a peer whose clock went
 * back. A cookie tells them apart at the cost of one round trip.
 */
static bool refuse_stale(struct node *n, const struct party *self, const struct msg_init *m,
	const struct origin *from, const uint8_t tag[TAG_LEN], struct session *s, uint64_t now_ms)
{
	if (shows_cookie(n, m, from, now_ms))
		return false;
	drops_add(&n->drops, DROP_STALE, 1);
	if (s != NULL) {
		if (s->cookie_ms != 0 && now_ms < s->cookie_ms + STALE_GAP_MS)
			return true;
		s->cookie_ms = now_ms;
	}
	send_cookie(n, self, m, from, tag, now_ms);
	return true;
}

/* ---- message 1 in, message 2 out ---- */

static void send_answer(struct node *n, const struct embryo *e)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN];
	const struct msg_response m = {
		.sender = e->result.rx_index,
		.receiver = e->result.tx_index,
		.noise = e->noise2,
		.noise_len = e->noise2_len,
	};
	size_t len =
		answer_datagram(e->party, e->remote, &m, buf + RELAY_HEADER_LEN, &n->io.random);

	node_reply(n, &e->origin, buf + RELAY_HEADER_LEN, len);
}

/* The larger key gives way while both have begun; the other goes on, so one of them gets through.
 */
static void note_crossing(struct session *s, const struct party *self)
{
	if (s != NULL && s->attempt != NULL && memcmp(self->self.public, s->remote, KEY_LEN) > 0)
		s->attempt_quiet = true;
}

static void answer(struct node *n, const struct party *self, struct answer *a,
	const struct msg_init *m, struct session *s, const struct origin *from, uint64_t now_ms)
{
	uint32_t own = s != NULL ? session_generation(s) + 1 : 1;
	uint32_t generation = a->theirs.generation > own ? a->theirs.generation : own;
	struct embryo *e;
	uint32_t index;

	if (s != NULL && s->embryo != NULL)
		responder_discard(n, s->embryo);
	e = responder_find(n, self, a->noise.rs);
	if (e != NULL)
		responder_discard(n, e);
	e = place(n, s != NULL, now_ms);
	if (e == NULL) {
		drops_add(&n->drops, DROP_POOL_FULL, 1);
		return;
	}
	index = s != NULL ? (s->id << 2) | session_free_position(n, s) : node_new_id(n) << 2;
	if (answer_write(a, self, index, m->sender, generation, e->noise2, &e->noise2_len,
		    &e->result, &n->io.random) != 0) {
		crypto_wipe(e, sizeof(*e));
		drops_add(&n->drops, DROP_MALFORMED, 1);
		return;
	}
	e->party = self;
	e->session = s;
	memcpy(e->remote, a->noise.rs, KEY_LEN);
	memcpy(e->msg1_hash, a->msg1_hash, sizeof(e->msg1_hash));
	e->theirs = a->theirs;
	e->origin = *from;
	e->born_ms = now_ms;
	keyset_rx_mask(&e->result, e->rx_mask);
	if (s != NULL)
		s->embryo = e;
	/* Workers must let its first packet pass, whose mask only we know. */
	if (self->role == ROLE_EDGE && from->hop_id == 0)
		node_view_touch(n);
	note_crossing(s, self);
	send_answer(n, e);
}

void responder_init(struct node *n, const struct party *self, const struct msg_init *m,
	const struct origin *from, const uint8_t tag[TAG_LEN], uint64_t now_ms)
{
	struct answer a;
	struct session *s;
	struct embryo *e;
	bool repeated, stale;

	if (m->key_index != self->key_index || answer_read(&a, self, m) != 0) {
		drops_add(&n->drops, DROP_AUTH, 1);
		return;
	}
	if (memcmp(a.noise.rs, self->self.public, KEY_LEN) == 0) {
		drops_add(&n->drops, DROP_REFLECTED, 1);
		goto out;
	}
	s = n->role->find(n, self, a.noise.rs);
	e = responder_find(n, self, a.noise.rs);
	repeated = e != NULL && memcmp(e->msg1_hash, a.msg1_hash, sizeof(a.msg1_hash)) == 0;
	stale = (s != NULL && s->confirmed && a.theirs.freshness <= s->freshness) ||
		(e != NULL && a.theirs.freshness <= e->theirs.freshness);
	if (repeated) {
		e->origin = *from;
		send_answer(n, e);
	} else if (stale && refuse_stale(n, self, m, from, tag, s, now_ms)) {
		/* counted and told there */
	} else if ((s == NULL || !s->confirmed) && n->role->admit != NULL &&
		   !n->role->admit(n, self, a.noise.rs, from, now_ms)) {
		drops_add(&n->drops, DROP_RATE, 1);
	} else {
		answer(n, self, &a, m, s, from, now_ms);
	}
out:
	answer_wipe(&a);
}

/* ---- the first packet ---- */

struct session *responder_confirm(struct node *n, struct embryo *e, const struct data_header *h,
	uint8_t *packet, size_t len, const struct origin *from, uint64_t now_ms)
{
	struct keyset *k;
	struct session *s = NULL;
	struct aead_op op = {
		.text = packet + DATA_HEADER_LEN,
		.len = len - DATA_OVERHEAD,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN,
	};

	if (!receive_allowed(h, e->result.suite))
		return NULL;
	k = keyset_create(&e->result, n->ciphers, now_ms, n->nthreads, n->first_counter);
	if (k == NULL)
		return NULL;
	keyset_nonce(op.nonce, k->rx_iv, h->counter);
	if (aead_open(k->rx_key, n->tx.aead, &op, 1) != 1) {
		drops_add(&n->drops, DROP_AUTH, 1);
		keyset_destroy(k);
		return NULL;
	}
	k->incarnation = e->theirs.incarnation;
	s = e->session != NULL ? e->session : n->role->create(n, e->party, e->remote);
	if (s == NULL) {
		keyset_destroy(k);
		responder_discard(n, e);
		return NULL;
	}
	(void)replay_accept(&k->rx_window, h->counter);
	if (e->theirs.freshness > s->freshness)
		s->freshness = e->theirs.freshness;
	session_learn(s, &e->theirs, from);
	responder_discard(n, e);
	session_add_keys(n, s, k);
	session_confirm(n, s, k);
	return s;
}
