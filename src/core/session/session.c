/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of sessions: key sets that come, are confirmed, age and go.
 *
 * A key set counts as confirmed at a side when that side has opened a packet under it. Of the
 * confirmed ones the newest generation is used for sending, of equals the smaller hash: both sides
 * know both numbers, so both choose the same. An initiator that has none sends on its unconfirmed
 * set, as the responder has proved its key already.
 */
#include "core/session/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/keys/group_key.h"

struct keyset *session_keyset(const struct session *s, uint32_t index)
{
	struct keyset *k = s->keys[INDEX_POSITION(index)];

	return k != NULL && k->rx.index == index ? k : NULL;
}

struct keyset *session_sending(const struct session *s, uint64_t now_ms)
{
	return s->current != NULL && keyset_alive(s->current, now_ms) ? s->current : NULL;
}

bool session_used_up(const struct session *s)
{
	return s->current != NULL && send_keys_reached(&s->current->tx, COUNTER_LIMIT);
}

struct session *session_by_id(const struct core *core, uint32_t id)
{
	const uint8_t *hash_key = core->hash_key;
	struct session *s;

	HASH_FIND(hh, core->sessions, &id, sizeof(id), s);
	return s;
}

struct session *session_by_index(const struct core *core, uint32_t index, struct keyset **keys)
{
	struct session *s = session_by_id(core, INDEX_ID(index));

	*keys = s != NULL ? session_keyset(s, index) : NULL;
	return *keys != NULL ? s : NULL;
}

uint32_t session_new_id(struct core *core)
{
	for (;;) {
		uint32_t id = random_u32(&core->io.random) >> 2;

		if (id != 0 && session_by_id(core, id) == NULL &&
			embryo_by_id(&core->embryos, id) == NULL)
			return id;
	}
}

struct session *session_create(struct core *core, enum link_kind kind, const struct party *party,
	unsigned community, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = core->hash_key;
	struct embryo *e = embryo_find(&core->embryos, party, remote);
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->link.id = e != NULL ? INDEX_ID(e->result.rx_index) : session_new_id(core);
	s->link.kind = kind;
	s->link.community = community;
	s->party = party;
	memcpy(s->remote, remote, KEY_LEN);
	HASH_ADD(hh, core->sessions, link.id, sizeof(s->link.id), s);
	if (s->hh.tbl == NULL) {
		free(s);
		return NULL;
	}
	if (view_put_link(&core->view, &s->link) != 0) {
		HASH_DELETE(hh, core->sessions, s);
		free(s);
		return NULL;
	}
	s->embryo = e;
	if (e != NULL)
		e->session = s;
	session_look_at(core, s, core->flush_ms);
	return s;
}

void session_end_attempt(struct session *s)
{
	if (s->attempt == NULL)
		return;
	attempt_wipe(s->attempt);
	free(s->attempt);
	s->attempt = NULL;
}

void session_discard_embryo(struct embryo *e)
{
	if (e->session != NULL) {
		e->session->embryo = NULL;
		e->session->attempt_quiet = false;
	}
	crypto_wipe(e, sizeof(*e));
}

/* Chooses the key set to send with. */
static void pick_current(struct core *core, struct session *s)
{
	struct keyset *best = NULL;

	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		struct keyset *k = s->keys[i];

		if (k == NULL || !keyset_alive(k, core->now_ms) || (!k->confirmed && !k->initiator))
			continue;
		if (best == NULL || k->confirmed > best->confirmed ||
			(k->confirmed == best->confirmed && keyset_better(k, best)))
			best = k;
	}
	s->current = best;
	atomic_store_explicit(&s->link.tx, best != NULL ? &best->tx : NULL, memory_order_release);
}

void session_drop_keys(struct core *core, struct session *s, unsigned position)
{
	struct keyset *k = s->keys[position];

	if (k == NULL)
		return;
	s->keys[position] = NULL;
	atomic_store_explicit(&s->link.rx[position], NULL, memory_order_release);
	if (s->current == k)
		pick_current(core, s);
	core_retire(core, k, keyset_destroy);
}

void session_forget_keys(struct core *core, struct session *s)
{
	for (unsigned i = 0; i < LINK_POSITIONS; i++)
		session_drop_keys(core, s, i);
	session_end_attempt(s);
	if (s->embryo != NULL)
		session_discard_embryo(s->embryo);
	s->confirm_next_ms = 0;
}

static void session_destroy(void *session)
{
	crypto_wipe(session, sizeof(struct session));
	free(session);
}

/*
 * Who may still refer to a session once it is retired, and why that ends in time:
 * - Views name its link until the next one is published. It is removed from that here, and the host
 *   hands the retired over for destruction only after that one is shown, so no worker that enters
 *   afterwards finds it. Ports and handles that lead to it are its owner's, removed before.
 * - A worker that entered before holds the link, key halves and paths until it leaves. The grace
 *   period waits for that.
 * - Paths of other sessions lead through a hop's link. Its owner takes them away first
 *   (hop.c, leave): they are swapped out before this, and so retired no later.
 * - Notes name it by id or index, never by pointer: they find nothing, or, once in 2^30, another.
 * - Embryo and deadline are the control thread's and are unhooked here. The owner's pointer is
 *   the owner's to clear; who walks the effects of a call looks at gone.
 */
void session_retire(struct core *core, struct session *s)
{
	if (s == NULL)
		return;
	s->gone = true;
	session_forget_keys(core, s);
	session_set_path(core, &s->link.path, NULL);
	session_set_path(core, &s->link.copy, NULL);
	for (unsigned i = 0; i < LINK_GROUP_KEYS; i++)
		core_retire(core, atomic_exchange(&s->link.group[i], NULL), group_recv_destroy);
	drops_add(&core->drops, DROP_NO_PEER, s->waiting.n);
	waiting_clear(&core->waiting, &s->waiting);
	drops_add(&core->drops, DROP_SOURCE_MAC, s->early.n);
	waiting_clear(&core->waiting, &s->early);
	free(s->search);
	s->search = NULL;
	deadline_clear(&s->due);
	core->n_bound -= s->bound;
	HASH_DELETE(hh, core->sessions, s);
	view_remove_link(&core->view, &s->link);
	core_retire(core, s, session_destroy);
}

void session_set_path(struct core *core, _Atomic(struct path *) *where, struct path *path)
{
	core_retire(core, atomic_exchange_explicit(where, path, memory_order_acq_rel), free);
}

struct path *session_relay_path(const struct session *s)
{
	struct path *path;

	if (s->route.relay == NULL || s->route.handle == 0)
		return NULL;
	path = calloc(1, sizeof(*path));
	if (path == NULL)
		return NULL;
	path->hop = s->route.relay;
	path->handle = s->route.handle;
	path->hop_limit = RELAY_HOP_LIMIT;
	return path;
}

void session_reached(struct core *core, struct session *s, const struct way *way)
{
	if (!way_same_remote(&s->route.direct, way) && core_is_underlay(core, way))
		s->route.direct = (struct way){.carrier = way->carrier, .remote = way->remote};
}

bool session_way(const struct session *s, struct origin *to)
{
	*to = (struct origin){.way = s->route.direct};
	if (s->route.relay != NULL && s->route.handle != 0) {
		*to = (struct origin){
			.hop_id = s->route.relay->id,
			.handle = s->route.handle,
		};
		return true;
	}
	return !way_is_none(&to->way);
}

static bool position_taken(const struct session *s, unsigned position)
{
	return s->keys[position] != NULL ||
	       (s->attempt != NULL && INDEX_POSITION(s->attempt->index) == position) ||
	       (s->embryo != NULL && INDEX_POSITION(s->embryo->result.rx_index) == position);
}

unsigned session_free_position(struct core *core, struct session *s)
{
	unsigned worst = LINK_POSITIONS;

	for (unsigned i = 0; i < LINK_POSITIONS; i++)
		if (!position_taken(s, i))
			return i;
	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		struct keyset *k = s->keys[i];

		if (k == NULL || k == s->current)
			continue;
		if (worst == LINK_POSITIONS || keyset_better(s->keys[worst], k))
			worst = i;
	}
	/* At most one set is in use, one an attempt's and one an embryo's: one is left. */
	assert(worst < LINK_POSITIONS);
	session_drop_keys(core, s, worst);
	return worst;
}

uint32_t session_generation(const struct session *s)
{
	uint32_t max = 0;

	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		const struct keyset *k = s->keys[i];

		if (k != NULL && k->confirmed && k->generation > max)
			max = k->generation;
	}
	return max;
}

struct keyset *session_make_keys(
	const struct core *core, enum link_kind kind, const struct handshake_result *r)
{
	const struct keyset_params p = {
		.ciphers = core->ciphers,
		.nthreads = core->nthreads,
		.now_ms = core->now_ms,
		.first_counter = core->first_counter,
		.hop = kind != LINK_PEER,
	};

	return keyset_create(r, &p);
}

void session_add_keys(struct core *core, struct session *s, struct keyset *k)
{
	unsigned position = INDEX_POSITION(k->rx.index);

	session_drop_keys(core, s, position);
	s->keys[position] = k;
	atomic_store_explicit(&s->link.rx[position], &k->rx, memory_order_release);
	pick_current(core, s);
	session_look_at(core, s, core->flush_ms);
}

/*
 * The remote side is another process than the last. What that one left unconfirmed is let go: word
 * of it that is late would make it the present one again.
 */
static unsigned change_process(struct core *core, struct session *s, const struct keyset *k)
{
	unsigned effects = SESSION_RESTARTED;

	/* A process never comes back: each has an incarnation of its own. */
	if (k->incarnation == s->former)
		effects |= SESSION_TWICE;
	s->former = s->incarnation;
	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		const struct keyset *other = s->keys[i];

		if (other != NULL && !other->confirmed && other->incarnation != k->incarnation)
			session_drop_keys(core, s, i);
	}
	memset(s->rx_seq, 0, sizeof(s->rx_seq));
	return effects;
}

unsigned session_confirm(struct core *core, struct session *s, struct keyset *k)
{
	unsigned effects = SESSION_CONFIRMED;

	if (k->confirmed)
		return 0;
	if (s->incarnation != 0 && s->incarnation != k->incarnation)
		effects |= change_process(core, s, k);
	if (!s->confirmed)
		effects |= SESSION_FIRST;
	k->confirmed = true;
	atomic_store_explicit(&k->rx.heard, true, memory_order_relaxed);
	s->incarnation = k->incarnation;
	s->confirmed = true;
	s->failures = 0;
	s->wanted = false;
	s->confirm_next_ms = 0;
	pick_current(core, s);
	session_look_at(core, s, core->flush_ms);
	return effects;
}

void session_bind(struct core *core, struct session *s, bool bound)
{
	if (bound == s->bound || s->link.kind != LINK_PEER)
		return;
	s->bound = bound;
	core->n_bound += bound ? 1u : -1u;
	if (bound)
		core_let_split(core, true);
	else
		core_view_touch(core);
}

void session_learn(struct core *core, struct session *s, const struct payload *theirs,
	const struct origin *from)
{
	session_bind(core, s, from->hop_id == 0 || !way_is_none(&s->attempt_also));
	s->origin = *from;
	s->caps = theirs->caps;
	s->mtu = theirs->mtu;
	if (theirs->has_hop_mask) {
		memcpy(s->mask, theirs->hop_mask, MASK_LEN);
		s->mask_known = true;
	}
}

void session_want(struct core *core, struct session *s)
{
	s->wanted = true;
	session_look_at(core, s, core->flush_ms);
}

void session_post_at(struct core *core, struct session *s, enum control_type type, uint64_t at_ms)
{
	outbox_post(&s->out, type, ++core->next_seq);
	outbox_wait(&s->out, type, at_ms);
	session_look_at(core, s, at_ms > core->flush_ms ? at_ms : core->flush_ms);
}

void session_post(struct core *core, struct session *s, enum control_type type)
{
	session_post_at(core, s, type, 0);
}

void session_look_at(struct core *core, struct session *s, uint64_t at_ms)
{
	deadline_set_earlier(&core->deadlines, &s->due, at_ms);
}

/* ---- ages ---- */

static uint64_t last_frame_ms(const struct session *s)
{
	uint64_t tx = link_word(&s->link.tx_frame_ms), rx = link_word(&s->link.rx_frame_ms);

	return tx > rx ? tx : rx;
}

static uint64_t rekey_ms(const struct keyset *k)
{
	/* By chance up to 20 s earlier, so that nobody knows a session by the time. */
	return k->born_ms + (k->initiator ? REKEY_INITIATOR_MS - 80u * k->hash[HASH_LEN - 1]
					  : REKEY_RESPONDER_MS);
}

static bool needs_rekey(const struct core *core, const struct session *s)
{
	const struct keyset *k = s->current;

	if (k == NULL || !k->confirmed)
		return false;
	if (send_keys_reached(&k->tx, COUNTER_REKEY))
		return true;
	if (core->now_ms < rekey_ms(k))
		return false;
	return s->link.kind == LINK_HOP || last_frame_ms(s) + SESSION_ACTIVE_MS > core->now_ms;
}

static void tick_ages(struct core *core, struct session *s)
{
	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		const struct keyset *k = s->keys[i];

		if (k != NULL && core->now_ms >= k->born_ms + KEYS_ERASE_MS)
			session_drop_keys(core, s, i);
	}
	if (s->current != NULL && !keyset_alive(s->current, core->now_ms))
		pick_current(core, s);
	/* A member of a supernode's is the edge that keeps the hop alive: it rekeys, not we. */
	if (s->link.kind != LINK_MEMBER && s->attempt == NULL && needs_rekey(core, s))
		s->wanted = true;
}

/*
 * From now on the next frame leaves a note. One that goes out in this very moment may not see that
 * the flag is down, and leaves none: the frame after it does, or the next deadline finds its time.
 */
static void fall_asleep(const struct core *core, struct session *s)
{
	if (!atomic_load_explicit(&s->link.awake, memory_order_relaxed) ||
		core->now_ms < last_frame_ms(s) + SESSION_IDLE_MS)
		return;
	atomic_store(&s->link.awake, false);
	if (core->now_ms < last_frame_ms(s) + SESSION_IDLE_MS)
		atomic_store(&s->link.awake, true);
}

void session_tick(struct core *core, struct session *s)
{
	unsigned expired = waiting_expire(&core->waiting, &s->waiting, core->now_ms);

	if (expired > 0)
		drops_add(&core->drops, DROP_WAIT_TIMEOUT, expired);
	expired = waiting_expire(&core->waiting, &s->early, core->now_ms);
	if (expired > 0)
		drops_add(&core->drops, DROP_SOURCE_MAC, expired);
	tick_ages(core, s);
	fall_asleep(core, s);
}

/* The first moment after now of two, 0 standing for none. */
static uint64_t earlier(uint64_t a, uint64_t b, uint64_t now_ms)
{
	if (b <= now_ms)
		return a;
	return a <= now_ms || b < a ? b : a;
}

static uint64_t next_age_ms(const struct core *core, const struct session *s)
{
	uint64_t next = 0;

	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		const struct keyset *k = s->keys[i];

		if (k == NULL)
			continue;
		if (!k->confirmed)
			return core->now_ms + SESSION_TICK_MS;
		next = earlier(next, rekey_ms(k), core->now_ms);
		next = earlier(next, k->tx.until_ms, core->now_ms);
		next = earlier(next, k->born_ms + KEYS_ERASE_MS, core->now_ms);
	}
	return next > core->now_ms ? next : core->now_ms + KEYS_ERASE_MS;
}

uint64_t session_next_ms(struct core *core, struct session *s)
{
	uint64_t soon = core->now_ms + SESSION_TICK_MS, next = next_age_ms(core, s);
	uint64_t told = outbox_next_ms(&s->out);
	struct origin to;

	if (s->attempt != NULL || s->confirm_next_ms != 0 || s->waiting.n > 0 || s->early.n > 0 ||
		atomic_load_explicit(&s->link.awake, memory_order_relaxed))
		return soon;
	/* What is to be told waits for keys, and they bring it up. */
	if (told < next && session_sending(s, core->now_ms) != NULL)
		next = told > soon ? told : soon;
	/* And a start for a way: who finds one looks (path_follow_route, inbox.c). */
	if (s->wanted && session_way(s, &to)) {
		uint64_t start = s->not_before_ms > soon ? s->not_before_ms : soon;

		return start < next ? start : next;
	}
	return next;
}
