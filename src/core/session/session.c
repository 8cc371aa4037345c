/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of sessions: key sets that come, are confirmed, age and go; our own attempts.
 *
 * A key set counts as confirmed at a side when that side has opened a packet under it. Of the
 * confirmed ones the newest generation is used for sending, of equals the smaller hash: both sides
 * know both numbers, so both choose the same. An initiator that has none sends on its unconfirmed
 * set, as the responder has proved its key already.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/session/responder.h"

#define ATTEMPT_FIRST_MS   400u
#define ATTEMPT_MAX_MS	   5000u
#define HOP_ATTEMPT_MAX_MS 2000u /* a supernode that comes back is wanted at once */
#define WAITED_FOR_MAX_MS  1000u /* frames wait for it */
#define CONFIRM_FIRST_MS   200u
#define CONFIRM_TRIES	   5
#define START_GAP_MS	   1000u /* between own starts to one peer */
#define FAILURE_MAX_MS	   300000u

static struct keyset *load_rx(const struct session *s, unsigned position)
{
	return atomic_load_explicit(&s->rx[position], memory_order_acquire);
}

struct keyset *session_keys(const struct session *s, uint32_t index)
{
	struct keyset *k = load_rx(s, INDEX_POSITION(index));

	return k != NULL && k->rx_index == index ? k : NULL;
}

bool keyset_alive(const struct keyset *k, uint64_t now_ms)
{
	return now_ms < k->born_ms + KEYS_REJECT_MS;
}

struct keyset *session_sending(const struct session *s, uint64_t now_ms)
{
	struct keyset *k = session_tx(s);

	return k != NULL && keyset_alive(k, now_ms) ? k : NULL;
}

bool session_used_up(const struct session *s)
{
	const struct keyset *k = session_tx(s);

	return k != NULL &&
	       (atomic_load_explicit(&k->tx_counter, memory_order_relaxed) >= COUNTER_LIMIT ||
		       atomic_load_explicit(&k->tx_relay_counter, memory_order_relaxed) >=
			       COUNTER_LIMIT);
}

struct session *session_by_id(const struct node *n, uint32_t id)
{
	const uint8_t *hash_key = n->hash_key;
	struct session *s;

	HASH_FIND(hh, n->sessions, &id, sizeof(id), s);
	return s;
}

struct session *session_by_index(const struct node *n, uint32_t index, struct keyset **keys)
{
	struct session *s = session_by_id(n, INDEX_ID(index));

	*keys = s != NULL ? session_keys(s, index) : NULL;
	return *keys != NULL ? s : NULL;
}

struct session *session_create(struct node *n, enum session_kind kind, const struct party *party,
	unsigned community, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = n->hash_key;
	struct embryo *e = responder_find(n, party, remote);
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->id = e != NULL ? INDEX_ID(e->result.rx_index) : node_new_id(n);
	s->kind = kind;
	s->party = party;
	s->community = community;
	memcpy(s->remote, remote, KEY_LEN);
	HASH_ADD(hh, n->sessions, id, sizeof(s->id), s);
	if (s->hh.tbl == NULL) {
		free(s);
		return NULL;
	}
	s->embryo = e;
	if (e != NULL)
		e->session = s;
	node_view_touch(n);
	return s;
}

static void end_attempt(struct session *s)
{
	if (s->attempt == NULL)
		return;
	attempt_wipe(s->attempt);
	free(s->attempt);
	s->attempt = NULL;
}

static void drop_keys(struct node *n, struct session *s, unsigned position)
{
	struct keyset *k = load_rx(s, position);

	if (k == NULL)
		return;
	atomic_store_explicit(&s->rx[position], NULL, memory_order_release);
	if (session_tx(s) == k)
		session_pick_tx(n, s);
	node_retire(n, k, keyset_destroy);
}

void session_forget_keys(struct node *n, struct session *s)
{
	for (unsigned i = 0; i < SESSION_POSITIONS; i++)
		drop_keys(n, s, i);
	end_attempt(s);
	if (s->embryo != NULL)
		responder_discard(n, s->embryo);
	s->confirm_next_ms = 0;
}

static void session_destroy(void *session)
{
	crypto_wipe(session, sizeof(struct session));
	free(session);
}

void session_retire(struct node *n, struct session *s)
{
	if (s == NULL)
		return;
	s->gone = true;
	session_forget_keys(n, s);
	session_set_path(n, &s->path, NULL);
	session_set_path(n, &s->copy, NULL);
	wait_drop(n, s);
	HASH_DELETE(hh, n->sessions, s);
	node_view_touch(n);
	node_retire(n, s, session_destroy);
}

void session_set_path(struct node *n, _Atomic(struct path *) *where, struct path *path)
{
	node_retire(n, atomic_exchange_explicit(where, path, memory_order_acq_rel), free);
}

static bool position_taken(const struct session *s, unsigned position)
{
	return load_rx(s, position) != NULL ||
	       (s->attempt != NULL && INDEX_POSITION(s->attempt->index) == position) ||
	       (s->embryo != NULL && INDEX_POSITION(s->embryo->result.rx_index) == position);
}

unsigned session_free_position(struct node *n, struct session *s)
{
	unsigned worst = SESSION_POSITIONS;

	for (unsigned i = 0; i < SESSION_POSITIONS; i++)
		if (!position_taken(s, i))
			return i;
	for (unsigned i = 0; i < SESSION_POSITIONS; i++) {
		struct keyset *k = load_rx(s, i);

		if (k == NULL || k == session_tx(s))
			continue;
		if (worst == SESSION_POSITIONS || keyset_better(load_rx(s, worst), k))
			worst = i;
	}
	/* At most one set is in use, one an attempt's and one an embryo's: one is left. */
	assert(worst < SESSION_POSITIONS);
	drop_keys(n, s, worst);
	return worst;
}

uint32_t session_generation(const struct session *s)
{
	uint32_t max = 0;

	for (unsigned i = 0; i < SESSION_POSITIONS; i++) {
		struct keyset *k = load_rx(s, i);

		if (k != NULL && k->confirmed && k->generation > max)
			max = k->generation;
	}
	return max;
}

void session_pick_tx(struct node *n, struct session *s)
{
	struct keyset *best = NULL;

	for (unsigned i = 0; i < SESSION_POSITIONS; i++) {
		struct keyset *k = load_rx(s, i);

		if (k == NULL || !keyset_alive(k, n->now_ms) || (!k->confirmed && !k->initiator))
			continue;
		if (best == NULL || k->confirmed > best->confirmed ||
			(k->confirmed == best->confirmed && keyset_better(k, best)))
			best = k;
	}
	atomic_store_explicit(&s->tx, best, memory_order_release);
}

void session_add_keys(struct node *n, struct session *s, struct keyset *k)
{
	unsigned position = INDEX_POSITION(k->rx_index);

	drop_keys(n, s, position);
	atomic_store_explicit(&s->rx[position], k, memory_order_release);
	session_pick_tx(n, s);
}

void session_confirm(struct node *n, struct session *s, struct keyset *k)
{
	bool restarted = s->incarnation != 0 && s->incarnation != k->incarnation;

	if (k->confirmed)
		return;
	k->confirmed = true;
	atomic_store_explicit(&k->heard, true, memory_order_relaxed);
	s->incarnation = k->incarnation;
	s->failures = 0;
	s->wanted = false;
	s->confirm_next_ms = 0;
	if (restarted)
		memset(s->rx_seq, 0, sizeof(s->rx_seq));
	session_pick_tx(n, s);
	n->role->confirmed(n, s, restarted, n->now_ms);
	s->confirmed = true;
	/* The answer to the first packet, so that the initiator is confirmed too. */
	if (!k->initiator)
		node_send_under(n, s, k);
	wait_flush(n, s, n->now_ms);
}

void session_want(struct session *s)
{
	s->wanted = true;
}

/* ---- own attempts ---- */

static void start_attempt(struct node *n, struct session *s, uint64_t now_ms)
{
	struct attempt *a = malloc(sizeof(*a));
	const struct attempt_params params = {
		.remote = s->remote,
		.index = (s->id << 2) | session_free_position(n, s),
		.generation = session_generation(s) + 1,
		.freshness = node_freshness(n),
	};

	s->wanted = false;
	s->not_before_ms = now_ms + START_GAP_MS;
	if (a == NULL || attempt_start(a, s->party, &params, &n->io.random) != 0) {
		free(a);
		return;
	}
	s->attempt = a;
	s->attempt_ms = now_ms;
	s->attempt_next_ms = now_ms;
	s->attempt_tries = 0;
	s->attempt_quiet = false;
}

static uint32_t longest_pause(const struct session *s)
{
	if (s->waiting != NULL)
		return WAITED_FOR_MAX_MS;
	return s->kind == SESSION_HOP ? HOP_ATTEMPT_MAX_MS : ATTEMPT_MAX_MS;
}

static void send_attempt(struct node *n, struct session *s, uint64_t now_ms)
{
	uint32_t cap = longest_pause(s);
	uint32_t wait = ATTEMPT_FIRST_MS << (s->attempt_tries < 5 ? s->attempt_tries : 5);
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN];
	struct origin to;
	size_t len;

	s->attempt_next_ms = now_ms + random_jitter(&n->io.random, wait < cap ? wait : cap, 20);
	s->attempt_tries++;
	if (!n->role->way(n, s, &to))
		return;
	len = attempt_datagram(s->attempt, s->party, buf + RELAY_HEADER_LEN, &n->io.random);
	node_reply(n, &to, buf + RELAY_HEADER_LEN, len);
}

/* Nothing came of it: wait longer each time before trying again without being asked. */
static void attempt_failed(struct node *n, struct session *s, bool answered, uint64_t now_ms)
{
	uint32_t shift = s->failures < 5 ? s->failures : 5;
	uint64_t wait = UINT64_C(10000) << shift;

	end_attempt(s);
	if (s->failures < UINT8_MAX)
		s->failures++;
	s->not_before_ms = now_ms + (wait < FAILURE_MAX_MS ? wait : FAILURE_MAX_MS);
	n->role->failed(n, s->party, s, answered, now_ms);
}

static void tick_attempt(struct node *n, struct session *s, uint64_t now_ms)
{
	if (s->attempt != NULL && now_ms >= s->attempt_ms + ATTEMPT_GIVE_UP_MS)
		attempt_failed(n, s, false, now_ms);
	if (s->attempt == NULL && s->wanted && now_ms >= s->not_before_ms &&
		(s->embryo == NULL || now_ms >= s->embryo->born_ms + EMBRYO_HOLD_MS) &&
		n->role->may_start(n, s, now_ms))
		start_attempt(n, s, now_ms);
	if (s->attempt != NULL && !s->attempt_quiet && now_ms >= s->attempt_next_ms)
		send_attempt(n, s, now_ms);
}

bool session_response(struct node *n, struct session *s, const struct msg_response *m,
	const struct origin *from, uint64_t now_ms)
{
	struct handshake_result result;
	struct payload theirs;
	struct keyset *k;

	if (s->attempt == NULL || s->attempt->index != m->receiver ||
		attempt_finish(s->attempt, s->party, m, &result, &theirs) != 0)
		return false;
	if (s->kind == SESSION_PEER && !s->confirmed &&
		!n->role->admit(n, s->party, s->remote, from, now_ms)) {
		crypto_wipe(&result, sizeof(result));
		drops_add(&n->drops, DROP_RATE, 1);
		return true;
	}
	k = keyset_create(&result, n->ciphers, now_ms, n->nthreads, n->first_counter);
	crypto_wipe(&result, sizeof(result));
	end_attempt(s);
	s->wanted = false;
	if (k == NULL)
		return true;
	k->incarnation = theirs.incarnation;
	session_learn(s, &theirs, from);
	session_add_keys(n, s, k);
	s->confirm_tries = 0;
	s->confirm_next_ms = now_ms;
	n->role->keyed(n, s, now_ms);
	session_tick(n, s, now_ms);
	if (session_tx(s) == k)
		wait_flush(n, s, now_ms);
	return true;
}

void session_learn(struct session *s, const struct payload *theirs, const struct origin *from)
{
	s->origin = *from;
	s->caps = theirs->caps;
	s->mtu = theirs->mtu;
	if (theirs->has_hop_mask) {
		memcpy(s->mask, theirs->hop_mask, MASK_LEN);
		s->mask_known = true;
	}
}

/* ---- ages ---- */

/*
 * Looks after the sets that are not confirmed: takes note of what workers heard, lets go of what
 * was not heard in time. Returns the newest that still waits, or NULL.
 */
static struct keyset *newest_unconfirmed(struct node *n, struct session *s, uint64_t now_ms)
{
	struct keyset *newest = NULL, *tx;
	uint64_t lost_ms = 0; /* birth of the newest let go */

	for (unsigned i = 0; i < SESSION_POSITIONS; i++) {
		struct keyset *k = load_rx(s, i);

		if (k == NULL || k->confirmed)
			continue;
		if (atomic_load_explicit(&k->heard, memory_order_relaxed)) {
			session_confirm(n, s, k);
		} else if (now_ms >= k->born_ms + CONFIRM_GIVE_UP_MS) {
			lost_ms = k->born_ms > lost_ms ? k->born_ms : lost_ms;
			drop_keys(n, s, i);
		} else if (newest == NULL || k->born_ms > newest->born_ms) {
			newest = k;
		}
	}
	tx = session_tx(s);
	if (lost_ms != 0 && newest == NULL && (tx == NULL || tx->born_ms <= lost_ms))
		attempt_failed(n, s, true, now_ms);
	return newest;
}

/* The responder will not send before it has heard from us: be heard. */
static void tick_confirm(struct node *n, struct session *s, uint64_t now_ms)
{
	struct keyset *k = newest_unconfirmed(n, s, now_ms);

	if (k == NULL)
		s->confirm_next_ms = 0;
	if (s->confirm_next_ms == 0 || now_ms < s->confirm_next_ms)
		return;
	node_send_under(n, s, k);
	s->confirm_next_ms = s->confirm_tries < CONFIRM_TRIES
				     ? now_ms + (CONFIRM_FIRST_MS << s->confirm_tries)
				     : 0;
	s->confirm_tries++;
}

static uint64_t latest(const _Atomic uint64_t *a, const _Atomic uint64_t *b)
{
	uint64_t x = atomic_load_explicit(a, memory_order_relaxed);
	uint64_t y = atomic_load_explicit(b, memory_order_relaxed);

	return x > y ? x : y;
}

static bool needs_rekey(const struct session *s, uint64_t now_ms)
{
	const struct keyset *k = session_tx(s);
	uint64_t age;

	if (k == NULL || !k->confirmed)
		return false;
	age = now_ms - k->born_ms;
	if (atomic_load_explicit(&k->tx_counter, memory_order_relaxed) >= COUNTER_REKEY ||
		atomic_load_explicit(&k->tx_relay_counter, memory_order_relaxed) >= COUNTER_REKEY)
		return true;
	if (age < (k->initiator ? REKEY_INITIATOR_MS : REKEY_RESPONDER_MS))
		return false;
	return s->kind == SESSION_HOP ||
	       latest(&s->tx_frame_ms, &s->rx_frame_ms) + SESSION_ACTIVE_MS > now_ms;
}

static void tick_ages(struct node *n, struct session *s, uint64_t now_ms)
{
	struct keyset *tx = session_tx(s);

	for (unsigned i = 0; i < SESSION_POSITIONS; i++) {
		struct keyset *k = load_rx(s, i);

		if (k != NULL && now_ms >= k->born_ms + KEYS_ERASE_MS)
			drop_keys(n, s, i);
	}
	if (tx != NULL && !keyset_alive(tx, now_ms))
		session_pick_tx(n, s);
	/* A member of a supernode's is the edge that keeps the hop alive: it rekeys, not we. */
	if (s->kind != SESSION_MEMBER && s->attempt == NULL && needs_rekey(s, now_ms))
		session_want(s);
}

void session_tick(struct node *n, struct session *s, uint64_t now_ms)
{
	tick_ages(n, s, now_ms);
	tick_confirm(n, s, now_ms);
	if (s->kind != SESSION_MEMBER)
		tick_attempt(n, s, now_ms);
	wait_expire(n, s, now_ms);
}
