/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answering handshakes out of a fixed pool of embryos. */
#include "core/session/responder.h"

#include <string.h>

#include "core/data/receive.h"
#include "core/session/send.h"

#define STALE_GAP_MS	 1000u /* stale cookies per static */
#define COOKIE_SECRET_MS 120000u
/* Keys are made for each packet that may confirm a handshake. Who sees it can send many copies, all
 * wrong, and must not thereby keep the right one from being tried. */
#define OPENS_PER_S 200

/* ---- cookies: proof that the initiator can receive where it sends from ---- */

static void make_cookie(
	const uint8_t secret[KEY_LEN], const struct origin *from, uint8_t cookie[COOKIE_LEN])
{
	uint8_t place_of[26];
	struct writer w;

	writer_init(&w, place_of, sizeof(place_of));
	writer_u32(&w, from->hop_id);
	writer_u32(&w, from->handle);
	writer_copy(&w, from->way.remote.ip, sizeof(from->way.remote.ip));
	writer_u16(&w, from->way.remote.port);
	crypto_blake2b(cookie, COOKIE_LEN, secret, KEY_LEN,
		&(struct slice){place_of, sizeof(place_of)}, 1);
}

static void turn_secrets(struct core *core)
{
	struct embryos *p = &core->embryos;

	if (core->now_ms < p->cookie_ms)
		return;
	memcpy(p->cookie_secret[1], p->cookie_secret[0], KEY_LEN);
	random_bytes(&core->io.random, p->cookie_secret[0], KEY_LEN);
	p->cookie_ms = core->now_ms + COOKIE_SECRET_MS;
}

bool responder_shown(struct core *core, const struct request *r)
{
	if (crypto_is_zero(r->init->mac2, MAC2_LEN))
		return false;
	turn_secrets(core);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t cookie[COOKIE_LEN], mac2[MAC2_LEN];

		make_cookie(core->embryos.cookie_secret[i], r->from, cookie);
		msg_init_mac2(mac2, cookie, r->init);
		if (crypto_equal(mac2, r->init->mac2, MAC2_LEN))
			return true;
	}
	return false;
}

void responder_ask_cookie(struct core *core, const struct request *r, enum cookie_reason reason)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_OVERHEAD + 32], body[32];
	struct msg_cookie c = {.receiver = r->init->sender, .reason = (uint8_t)reason};
	size_t len;

	turn_secrets(core);
	make_cookie(core->embryos.cookie_secret[0], r->from, c.cookie);
	len = msg_cookie_encode(body, sizeof(body), &c);
	envelope_seal(buf + RELAY_HEADER_LEN, body, len, r->tag, TAG_LEN, r->self->env_key,
		&core->io.random);
	send_envelope(core, r->from, buf + RELAY_HEADER_LEN, len + ENVELOPE_OVERHEAD);
}

static bool refuse_stale(struct core *core, const struct request *r, bool may_pass)
{
	struct session *s = r->session;

	/* Who replays to a supernode hears nothing; an edge whose clock is wrong is told by HELLO.
	 */
	if (r->self->role == ROLE_HOP) {
		core_drop(core, DROP_STALE);
		return true;
	}
	if (may_pass && r->has_shown)
		return false;
	core_drop(core, DROP_STALE);
	if (s != NULL) {
		if (s->cookie_ms != 0 && core->now_ms < s->cookie_ms + STALE_GAP_MS)
			return true;
		s->cookie_ms = core->now_ms;
	}
	responder_ask_cookie(core, r, COOKIE_STALE);
	return true;
}

/* ---- message 1 in, message 2 out ---- */

static void send_answer(struct core *core, struct embryo *e, const struct origin *to)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN];
	const struct msg_response m = {
		.sender = e->result.rx_index,
		.receiver = e->result.tx_index,
		.noise = e->noise2,
		.noise_len = e->noise2_len,
	};
	size_t len =
		answer_datagram(e->party, e->remote, &m, buf + RELAY_HEADER_LEN, &core->io.random);

	/* Workers must let its first packet pass, whose mask only we know. */
	if (e->party->role == ROLE_EDGE && to->hop_id == 0) {
		e->directly = true;
		core_let_split(core, true);
	}
	send_envelope(core, to, buf + RELAY_HEADER_LEN, len);
}

bool responder_settles(struct core *core, struct request *r)
{
	struct embryo *e = embryo_find(&core->embryos, r->self, r->answer.noise.rs);
	const struct session *s = r->session;
	uint64_t freshness = r->answer.theirs.freshness;

	if (e != NULL && memcmp(e->msg1_hash, r->answer.msg1_hash, sizeof(e->msg1_hash)) == 0) {
		e->spread = e->spread || !way_same_remote(&r->from->way, &e->origin.way);
		send_answer(core, e, r->from);
		return true;
	}
	if ((s == NULL || !s->confirmed || freshness > s->freshness) &&
		(e == NULL || freshness > e->theirs.freshness))
		return false;
	r->stale = true;
	/* Who has recorded an older one must not put it in the place of one just begun. */
	return refuse_stale(core, r, e == NULL || core->now_ms >= e->born_ms + EMBRYO_HOLD_MS);
}

void responder_refuse(struct core *core, struct request *r, uint16_t result)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN], noise2[NOISE_MAX];
	struct msg_response m = {.receiver = r->init->sender, .noise = noise2};
	struct handshake_result keys;

	r->answer.result = result;
	if (answer_write(&r->answer, r->self, 0, m.receiver, r->answer.theirs.generation, noise2,
		    &m.noise_len, &keys, &core->io.random) == 0)
		send_envelope(core, r->from, buf + RELAY_HEADER_LEN,
			answer_datagram(r->self, r->answer.noise.rs, &m, buf + RELAY_HEADER_LEN,
				&core->io.random));
	crypto_wipe(&keys, sizeof(keys));
}

/* The larger key gives way while both have begun; the other goes on, so one of them gets through.
 */
static void note_crossing(struct session *s, const struct party *self)
{
	if (s != NULL && s->attempt != NULL && memcmp(self->self.public, s->remote, KEY_LEN) > 0)
		s->attempt_quiet = true;
}

/* A place for the handshake, any other of this remote being over. */
static struct embryo *make_room(struct core *core, const struct request *r)
{
	struct embryo *e = embryo_find(&core->embryos, r->self, r->answer.noise.rs);

	if (e != NULL)
		session_discard_embryo(e);
	e = embryo_place(&core->embryos, r->session != NULL, core->now_ms);
	if (e == NULL)
		core_drop(core, DROP_POOL_FULL);
	else if (e->party != NULL)
		session_discard_embryo(e);
	return e;
}

static bool write_answer(struct core *core, struct embryo *e, struct request *r)
{
	struct session *s = r->session;
	uint32_t own = s != NULL ? session_generation(s) + 1 : 1;
	uint32_t proposed = r->answer.theirs.generation;
	uint32_t index = s != NULL ? (s->link.id << 2) | session_free_position(core, s)
				   : session_new_id(core) << 2;

	return answer_write(&r->answer, r->self, index, r->init->sender,
		       proposed > own ? proposed : own, e->noise2, &e->noise2_len, &e->result,
		       &core->io.random) == 0;
}

void responder_answer(struct core *core, struct request *r)
{
	struct embryo *e = make_room(core, r);

	if (e == NULL)
		return;
	if (!write_answer(core, e, r)) {
		crypto_wipe(e, sizeof(*e));
		core_drop(core, DROP_MALFORMED);
		return;
	}
	e->party = r->self;
	e->session = r->session;
	memcpy(e->remote, r->answer.noise.rs, KEY_LEN);
	memcpy(e->msg1_hash, r->answer.msg1_hash, sizeof(e->msg1_hash));
	e->theirs = r->answer.theirs;
	e->origin = *r->from;
	e->stale = r->stale;
	e->born_ms = core->now_ms;
	embryos_expire_by(&core->embryos, e->born_ms + EMBRYO_LIFE_MS);
	keyset_rx_mask(&e->result, e->rx_mask);
	if (e->session != NULL)
		e->session->embryo = e;
	if (!e->stale)
		note_crossing(e->session, r->self);
	send_answer(core, e, r->from);
}

/* ---- the first packet ---- */

struct keyset *responder_open(struct core *core, struct embryo *e, const struct data_header *h,
	uint8_t *packet, size_t len)
{
	struct keyset *k;
	struct aead_op op = {
		.text = packet + DATA_HEADER_LEN,
		.len = len - DATA_OVERHEAD,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN,
	};

	if (!receive_allowed(h, e->result.suite))
		return NULL;
	if (!bucket_take(&e->opens, core->now_ms, OPENS_PER_S, OPENS_PER_S)) {
		core_drop(core, DROP_RATE);
		return NULL;
	}
	k = session_make_keys(
		core, e->party->role == ROLE_EDGE ? LINK_PEER : LINK_MEMBER, &e->result);
	if (k == NULL)
		return NULL;
	key_nonce(op.nonce, k->rx.iv, h->counter);
	if (aead_open(k->rx.key, core->tx.aead, &op, 1) != 1) {
		core_drop(core, DROP_AUTH);
		keyset_destroy(k);
		return NULL;
	}
	k->incarnation = e->theirs.incarnation;
	(void)replay_accept(&k->rx.window, h->counter);
	return k;
}

/*
 * Strangers become members of a supernode: a first packet with a forged source must not lead what
 * we send, which may be much more than came, to a victim. Whoever made it has read our answer, and
 * that went to the origin of message 1; if it went elsewhere, too, nobody knows where it was read,
 * and a member is found by probes alone. Where it is now, if elsewhere, is probed. Between edges
 * what came through the relay is worth more: nobody can forge it.
 */
void responder_confirm(struct core *core, struct embryo *e, struct session *s, struct keyset *k,
	const struct origin *from)
{
	const struct origin nowhere = {.hop_id = 0};
	const struct origin first = e->spread && s->link.kind == LINK_MEMBER ? nowhere : e->origin;
	bool as_begun = s->link.kind == LINK_MEMBER || first.hop_id != 0;

	if (e->theirs.freshness > s->freshness)
		s->freshness = e->theirs.freshness;
	session_learn(core, s, &e->theirs, as_begun ? &first : from);
	session_discard_embryo(e);
	session_add_keys(core, s, k);
	atomic_store_explicit(&s->link.rx_ms, core->now_ms, memory_order_relaxed);
}
