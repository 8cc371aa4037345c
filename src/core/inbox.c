/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The slow way in, for both roles: what workers could not finish comes here as notes (PROTOCOL.md
 * 6.5). Opened control packets and envelopes; packets for key sets so new that no view had them;
 * first packets of handshakes that we answered. What strangers may have sent is worked on within
 * budgets only (session/budget.h), so that they keep nobody from his handshake.
 */
#include <string.h>

#include "core/control.h"
#include "core/data/guard.h"
#include "core/data/pieces.h"
#include "core/frame/offload.h"
#include "core/handshakes.h"
#include "core/path/path.h"
#include "core/session/responder.h"
#include "core/session/send.h"

#define SPLIT_MASKS_MAX 4
#define EARLY_MAX	8 /* frames of a peer that wait for its CLAIM */

/* A datagram that nobody could place yet, and whom it may be for. */
struct arrival {
	uint8_t *data;
	size_t len;
	const struct origin *from;
	unsigned n_listeners;
	struct listener listener[LISTENERS_MAX];
};

/* ---- what was opened ---- */

/* The worker's rules: from an address that its sender owns or may bring, and not for others. */
static enum drop objection(const struct node *n, struct session *s, const struct frame *f)
{
	uint64_t owned = link_word(&s->link.mac), source = frame_source(f->data);
	const struct view *v = n->core.view.shown;

	if (owned == 0)
		return DROP_SOURCE_MAC;
	if (owned != source && (v == NULL || !view_learn(v, &s->link, source))) {
		if (v == NULL || source != v->community[s->link.community].own ||
			!link_has_role(&s->link, ROLE_BRIDGE))
			guard_source(&s->link, source);
		return DROP_SOURCE_MAC;
	}
	return v != NULL ? guard_in(v, &s->link, f->data, f->len) : DROP_COUNT;
}

static bool passes_gate(struct node *n, const struct session *s, const struct frame *f)
{
	const struct view_community *c = &n->core.view.community[s->link.community].next;
	const struct addressee of = {
		.community = (uint8_t)s->link.community, .generation = c->generation};
	struct gate_verdict v;

	if (!gate_concerns(c->gate, f->data))
		return true;
	v = gate_in(c->gate, &s->link, f->data, f->len);
	if (v.told && n->role->loop != NULL)
		n->role->loop(n, &of, s->link.id, f);
	if (!v.passes)
		core_drop(&n->core, v.why);
	return v.passes;
}

/*
 * By another way a frame may come before the CLAIM that was sent first. Half of the pool is not for
 * who says nothing of itself.
 */
static bool waits_for_claim(struct node *n, struct session *s, const struct frame *f)
{
	struct core *core = &n->core;

	if (s->link.kind != LINK_PEER || link_word(&s->link.mac) != 0 || s->early.n >= EARLY_MAX ||
		core->waiting.n >= WAITING_MAX / 2 ||
		!waiting_add(&core->waiting, &s->early, f, core->now_ms))
		return false;
	session_look_at(core, s, core->flush_ms);
	return true;
}

static void deliver(struct node *n, struct session *s, const struct frame *f)
{
	bool fits = f->len >= FRAME_MIN && f->len <= FRAME_MAX;
	enum drop why;

	if (fits && waits_for_claim(n, s, f))
		return;
	why = fits ? objection(n, s, f) : DROP_SOURCE_MAC;
	if (why != DROP_COUNT)
		core_drop(&n->core, why);
	else if (passes_gate(n, s, f))
		n->core.io.deliver(n->core.io.ctx, s->link.community, f);
}

/* What came before the CLAIM, if that has come by now. */
static void deliver_early(struct node *n, struct session *s)
{
	while (s->early.first != NULL && link_word(&s->link.mac) != 0) {
		struct waiting *w = s->early.first;
		const struct frame f = {.data = w->slot + SLOT_HEADROOM, .len = w->len};

		deliver(n, s, &f);
		waiting_pop(&n->core.waiting, &s->early);
	}
}

/* A packet with control messages. */
static void take_control(struct node *n, struct session *s, const struct keyset *k,
	const struct slice *plain, const struct origin *from)
{
	control_input(n, s, k, plain->data, plain->len, from);
	if (!s->gone)
		deliver_early(n, s);
}

/* False: it was half a frame, and waits for the other or was dropped; else f is a whole one. */
static bool take_half(
	struct node *n, const struct data_header *h, struct frame *f, uint8_t whole[FRAME_MAX])
{
	const struct half half = {
		.index = h->index,
		.counter = h->counter,
		.piece = h->piece,
		.csum_unset = h->csum_unset,
		.data = f->data,
		.len = f->len,
	};

	if (h->piece == PIECE_WHOLE)
		return true;
	if (f->len < HALF_MIN || f->len > HALF_MAX) {
		core_drop(&n->core, DROP_MALFORMED);
		return false;
	}
	f->data = whole;
	f->len = pieces_take(n->core.view.pieces, &half, whole, &n->core.drops, n->core.now_ms);
	return f->len > 0;
}

/* The plaintext of a packet opened under k. */
static void take_plain(struct node *n, struct session *s, const struct keyset *k,
	const struct data_header *h, const struct slice *plain, const struct origin *from)
{
	union {
		const void *read;
		uint8_t *write; /* it lies in the note, which is ours */
	} text = {plain->data};
	struct frame f = {.data = text.write, .len = plain->len};
	uint8_t whole[FRAME_MAX];

	if (h->kind == KIND_CONTROL)
		take_control(n, s, k, plain, from);
	else if (s->link.kind != LINK_PEER || f.len == 0 || !take_half(n, h, &f, whole))
		return;
	else if (h->csum_unset && !(offload_locate(&f) && offload_fill(&f)))
		core_drop(&n->core, DROP_MALFORMED);
	else
		deliver(n, s, &f);
}

/* A key set is confirmed by its first packet; the answer confirms it at the other side too. */
static void confirm(struct node *n, struct session *s, struct keyset *k)
{
	unsigned effects = session_confirm(&n->core, s, k);

	if (effects == 0)
		return;
	node_act(n, s, effects);
	if (s->gone)
		return;
	if (!k->initiator)
		send_empty_under(&n->core, s, k);
	node_look(n, s);
}

static bool on_path(const struct session *s, const struct origin *from)
{
	const struct path *p = link_direct(&s->link);

	return p != NULL && way_same_remote(&p->way, &from->way);
}

/* A genuine packet came under k: it shows where the remote side is. */
static void heard(struct node *n, struct session *s, struct keyset *k, unsigned kind,
	const struct origin *from)
{
	confirm(n, s, k);
	if (s->gone || s->link.kind == LINK_HOP)
		return;
	if (from->hop_id != 0) {
		path_doubt(&n->core, s);
		return;
	}
	session_reached(&n->core, s, &from->way);
	if (s->wanted)
		session_look_at(&n->core, s, n->core.flush_ms);
	/* Whatever a source says of itself, it was heard by whoever is at the end of the path. */
	if (on_path(s, from))
		budget_know(n->budget, &from->way.remote);
	search_seen(&n->core, s, from, s->link.kind == LINK_PEER && kind == KIND_CONTROL);
}

static void note_heard(struct node *n, const struct note *note)
{
	struct keyset *k;
	struct session *s = session_by_index(&n->core, note->index, &k);

	if (s != NULL)
		heard(n, s, k, KIND_ETHERNET, &note->origin);
}

static void note_control(struct node *n, struct note *note)
{
	struct keyset *k;
	struct session *s = session_by_index(&n->core, note->index, &k);

	if (s == NULL)
		return;
	heard(n, s, k, KIND_CONTROL, &note->origin);
	if (!s->gone)
		take_control(n, s, k, &(struct slice){note->data, note->len}, &note->origin);
	crypto_wipe(note->data, note->len); /* group keys */
	/* Whom the roster named may be waited for. */
	node_look_due(n);
}

static void note_early(struct node *n, struct note *note)
{
	const struct frame f = {.data = note->data, .len = note->len};
	struct session *s = session_by_id(&n->core, INDEX_ID(note->index));

	if (s != NULL)
		deliver(n, s, &f);
	else
		core_drop(&n->core, DROP_UNKNOWN);
}

/* Frames move again: what watches over them is armed at the next tick. */
static void note_awake(struct node *n, const struct note *note)
{
	struct session *s = session_by_id(&n->core, note->index);

	if (s != NULL)
		session_look_at(&n->core, s, n->core.flush_ms);
}

static void note_lacking(struct node *n, const struct note *note)
{
	struct session *s = session_by_id(&n->core, note->index);

	if (s != NULL && n->role->lacking != NULL)
		n->role->lacking(n, s);
}

static void note_loop(struct node *n, struct note *note)
{
	const struct frame f = {.data = note->data, .len = note->len};

	if (n->role->loop != NULL)
		n->role->loop(n, &note->to, note->index, &f);
}

static void note_membership(struct node *n, struct note *note)
{
	const struct frame f = {.data = note->data, .len = note->len};

	if (n->role->membership != NULL)
		n->role->membership(n, &note->to, &f);
}

static void note_frame(struct node *n, struct note *note)
{
	if (n->role->frame == NULL)
		return;
	n->role->frame(n, note);
	node_look_due(n);
}

static void note_foreign(struct node *n, const struct note *note)
{
	struct mac source;

	if (n->role->foreign == NULL || note->len != sizeof(source.b))
		return;
	memcpy(source.b, note->data, sizeof(source.b));
	n->role->foreign(n, &note->to, &source);
}

static void note_storm(struct node *n, const struct note *note)
{
	struct mac source;

	if (n->role->storm == NULL || note->len != NOTE_STORM_LEN || note->index >= FLOOD_KINDS)
		return;
	memcpy(source.b, note->data, sizeof(source.b));
	n->role->storm(n, &note->to, &source, (enum flood_kind)note->index,
		load_be32(note->data + sizeof(source.b)));
}

/* ---- packets under keys that the worker did not know ---- */

static void open_packet(struct node *n, struct session *s, struct keyset *k,
	const struct data_header *h, const struct arrival *a)
{
	struct rx x = {.link = &s->link,
		.keys = &k->rx,
		.header = *h,
		.data = a->data,
		.len = a->len,
		.origin = *a->from};
	struct rx *run = &x;

	receive_open(&n->rx, &run, 1, n->core.now_ms);
	if (x.verdict == VERDICT_DROP)
		return;
	heard(n, s, k, x.verdict == VERDICT_CONTROL ? KIND_CONTROL : KIND_ETHERNET, a->from);
	if (!s->gone)
		take_plain(n, s, k, h, &(struct slice){x.data, x.len}, a->from);
}

/* The first packet of a handshake that we answered. */
static void confirm_embryo(
	struct node *n, struct embryo *e, const struct data_header *h, const struct arrival *a)
{
	struct core *core = &n->core;
	struct keyset *k = responder_open(core, e, h, a->data, a->len);
	struct session *s;

	if (k == NULL)
		return;
	s = e->session != NULL ? e->session : n->role->create(n, e->party, e->remote);
	if (s == NULL) {
		core_drop(core, DROP_POOL_FULL);
		keyset_destroy(k);
		session_discard_embryo(e);
		return;
	}
	responder_confirm(core, e, s, k, a->from);
	confirm(n, s, k);
	/* A member's path begins where its handshake came from: where it is now is probed. */
	if (!s->gone && s->link.kind == LINK_MEMBER)
		search_seen(core, s, a->from, false);
	if (!s->gone)
		take_plain(n, s, k, h,
			&(struct slice){a->data + DATA_HEADER_LEN, a->len - DATA_OVERHEAD},
			a->from);
}

/* A known index under this mask, or exactly the one given: it is for us, and handled. */
static bool try_mask(struct node *n, const uint8_t mask[MASK_LEN], const uint32_t *index,
	const struct arrival *a)
{
	struct data_header h;
	struct session *s;
	struct keyset *k;
	struct embryo *e;

	if (!receive_peek(&h, a->data, a->len, mask) || (index != NULL && h.index != *index))
		return false;
	s = session_by_index(&n->core, h.index, &k);
	e = s == NULL ? embryo_by_index(&n->core.embryos, h.index) : NULL;
	if (s == NULL && e == NULL)
		return false;
	data_header_write(a->data, &h);
	if (s != NULL)
		open_packet(n, s, k, &h, a);
	else
		confirm_embryo(n, e, &h, a);
	return true;
}

/* What is at a known index is no stranger's, and needs no budget. */
static bool try_known(struct node *n, const struct arrival *a)
{
	for (unsigned i = 0; a->from->hop_id == 0 && i < a->n_listeners; i++)
		if (try_mask(n, a->listener[i].mask, NULL, a))
			return true;
	return false;
}

static bool listens_as(const struct arrival *a, const struct party *self)
{
	for (unsigned i = 0; i < a->n_listeners; i++)
		if (a->listener[i].self == self)
			return true;
	return false;
}

/*
 * A session of this party that shook hands from there, was last heard or reached there, or is
 * relayed to under that handle.
 */
static bool is_bound_to(
	const struct session *s, const struct party *self, const struct origin *from)
{
	if (s->party != self)
		return false;
	if (origin_same(&s->origin, from))
		return true;
	return from->hop_id == 0 ? way_same_remote(&s->route.direct, &from->way)
				 : s->route.relay != NULL && s->route.relay->id == from->hop_id &&
					   s->route.handle == from->handle;
}

/* The other side was so late that its keys were let go here. They are gone, but they fitted. */
static bool is_late(struct node *n, struct session *s, const struct arrival *a)
{
	struct data_header h;

	if (s->late_index == 0 || !receive_peek(&h, a->data, a->len, s->late_mask) ||
		h.index != s->late_index)
		return false;
	core_drop(&n->core, DROP_EXPIRED);
	if (n->role->late != NULL)
		n->role->late(n, s);
	return true;
}

static bool try_split_masks_of(
	struct node *n, struct session *s, const struct arrival *a, unsigned *left)
{
	for (unsigned i = 0; i < LINK_POSITIONS && *left != 0; i++) {
		const struct keyset *k = s->keys[i];

		if (k == NULL)
			continue;
		--*left;
		if (try_mask(n, k->rx.mask, &k->rx.index, a))
			return true;
	}
	return is_late(n, s, a);
}

/*
 * The first packet of a handshake that waits for it, wherever it comes from: message 1 may have
 * come from elsewhere by anybody who repeated it. A mask costs little, and no budget.
 */
static bool try_embryos(struct node *n, const struct arrival *a)
{
	for (unsigned i = 0; i < n->core.embryos.n; i++) {
		const struct embryo *e = &n->core.embryos.at[i];

		if (e->party != NULL && e->party->role == ROLE_EDGE && listens_as(a, e->party) &&
			try_mask(n, e->rx_mask, &e->result.rx_index, a))
			return true;
	}
	return false;
}

/* Split masks of sessions that shook hands from this place, 4 at most. */
static bool try_split_masks(struct node *n, const struct party *self, const struct arrival *a)
{
	unsigned left = SPLIT_MASKS_MAX;

	for (struct session *s = n->core.sessions; s != NULL && left > 0; s = s->hh.next)
		if (is_bound_to(s, self, a->from) && try_split_masks_of(n, s, a, &left))
			return true;
	return false;
}

/* ---- envelopes ---- */

static bool same_addressee(const struct addressee *a, const struct addressee *b)
{
	return a->kind == b->kind && a->community == b->community && a->generation == b->generation;
}

/* Whom a worker opened it for may be gone by now, or not to be reached from there. */
static void note_envelope(struct node *n, const struct note *note)
{
	struct listener l[LISTENERS_MAX];
	unsigned count = n->role->listeners(n, &note->origin, l);

	if (note->len < TAG_LEN) {
		core_drop(&n->core, DROP_MALFORMED);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		if (!same_addressee(&l[i].to, &note->to))
			continue;
		handshake_take(n, &l[i], note->data, note->len - TAG_LEN, &note->origin);
		return;
	}
	core_drop(&n->core, DROP_UNKNOWN);
}

/* An envelope under a key newer than the worker's view. */
static bool try_late_envelope(struct node *n, const struct listener *l, struct arrival *a)
{
	uint8_t body[ENVELOPE_BODY_MAX + TAG_LEN];
	size_t body_len = a->len - ENVELOPE_OVERHEAD;

	if (envelope_open(body, a->data, a->len, NULL, 0, l->self->env_key) != 0)
		return false;
	memcpy(body + body_len, a->data + a->len - TAG_LEN, TAG_LEN);
	handshake_take(n, l, body, body_len, a->from);
	return true;
}

/* Cookies answer attempts, and name them by what they were sealed with. */
static bool try_cookie(struct node *n, struct session *s, const struct arrival *a)
{
	struct origin to;

	if (s->attempt == NULL || !session_way(s, &to))
		return false;
	/* Where it was last reached directly may answer beside the relay. */
	if (!origin_same(&to, a->from) &&
		(a->from->hop_id != 0 || !way_same_remote(&s->route.direct, &a->from->way)))
		return false;
	if (attempt_cookie(s->attempt, a->data, a->len) != 0)
		return false;
	s->attempt_next_ms = n->core.now_ms;
	node_look(n, s);
	return true;
}

static bool try_answers(struct node *n, const struct arrival *a)
{
	if (n->role->answer == NULL)
		return false;
	if (n->role->answer(n, a->data, a->len, a->from))
		return true;
	for (struct session *s = n->core.sessions; s != NULL; s = s->hh.next)
		if (try_cookie(n, s, a))
			return true;
	return false;
}

/* ---- unknown datagrams ---- */

/* A peer of an earlier run still sends to us under keys that we have forgotten. */
static bool wake_stale(struct node *n, const struct listener *l, const struct arrival *a)
{
	struct data_header h;

	if (a->from->hop_id != 0 || l->to.kind != TO_PEER ||
		!receive_peek(&h, a->data, a->len, l->mask))
		return false;
	for (struct session *s = n->core.sessions; s != NULL; s = s->hh.next) {
		if (s->party != l->self || s->current != NULL ||
			!way_same_remote(&s->route.direct, &a->from->way))
			continue;
		session_want(&n->core, s);
		node_look(n, s);
		return true;
	}
	return false;
}

static bool may_be_envelope(const struct arrival *a)
{
	return a->len >= ENVELOPE_MIN_LEN && a->len <= ENVELOPE_MAX_LEN;
}

static bool take_arrival(struct node *n, struct arrival *a, bool tried)
{
	for (unsigned i = 0; i < a->n_listeners; i++)
		if (a->listener[i].to.kind == TO_PEER && try_split_masks(n, a->listener[i].self, a))
			return true;
	for (unsigned i = 0; !tried && may_be_envelope(a) && i < a->n_listeners; i++)
		if (try_late_envelope(n, &a->listener[i], a))
			return true;
	if (may_be_envelope(a) && try_answers(n, a))
		return true;
	for (unsigned i = 0; i < a->n_listeners; i++)
		if (wake_stale(n, &a->listener[i], a))
			return true;
	return false;
}

/*
 * Under another passphrase come other keys and masks: what should confirm a handshake looks like
 * anything else that nobody can place, but comes from where message 1 came from.
 */
static void look_for_misfits(struct node *n, const struct arrival *a)
{
	struct data_header h;

	/* Who knows our mask key has known us, and holds keys of then. */
	for (unsigned i = 0; a->from->hop_id == 0 && i < a->n_listeners; i++)
		if (receive_peek(&h, a->data, a->len, a->listener[i].mask))
			return;
	for (unsigned i = 0; n->role->misfit != NULL && i < n->core.embryos.n; i++) {
		struct embryo *e = &n->core.embryos.at[i];

		if (e->party != NULL && !e->stale && listens_as(a, e->party) &&
			origin_same(&e->origin, a->from) && embryo_strange(e, n->core.now_ms))
			n->role->misfit(n, e);
	}
}

static bool within_budget(struct node *n, const struct origin *from)
{
	return (n->role->expected != NULL && n->role->expected(n, from)) ||
	       budget_datagram(n->budget, from, n->core.now_ms);
}

static void note_unknown(struct node *n, struct note *note)
{
	struct arrival a = {.data = note->data, .len = note->len, .from = &note->origin};
	bool tried = note->tried == n->env_version;

	if (a.len < DATAGRAM_MIN_LEN || a.len > DATAGRAM_MAX)
		return;
	a.n_listeners = n->role->listeners(n, a.from, a.listener);
	if (try_known(n, &a) || try_embryos(n, &a))
		return;
	if (!within_budget(n, a.from)) {
		core_drop(&n->core, DROP_RATE);
	} else if (!take_arrival(n, &a, tried)) {
		core_drop(&n->core, DROP_UNKNOWN);
		look_for_misfits(n, &a);
	}
}

void node_note(struct node *n, struct note *note, uint64_t now_ms)
{
	core_enter(&n->core, now_ms);
	switch (note->kind) {
	case NOTE_CONTROL:
		note_control(n, note);
		break;
	case NOTE_EARLY:
		note_early(n, note);
		break;
	case NOTE_ENVELOPE:
		note_envelope(n, note);
		break;
	case NOTE_UNKNOWN:
		note_unknown(n, note);
		break;
	case NOTE_HEARD:
		note_heard(n, note);
		break;
	case NOTE_AWAKE:
		note_awake(n, note);
		break;
	case NOTE_FRAME:
		note_frame(n, note);
		break;
	case NOTE_LACKING:
		note_lacking(n, note);
		break;
	case NOTE_BARRED:
		if (n->role->barred != NULL && note->index < BARRED_KINDS)
			n->role->barred(n, &note->to, (enum barred)note->index);
		break;
	case NOTE_LOOP:
		note_loop(n, note);
		break;
	case NOTE_MEMBERSHIP:
		note_membership(n, note);
		break;
	case NOTE_OWN:
		if (n->role->own != NULL)
			n->role->own(n, &note->to, &note->origin.way.remote);
		break;
	case NOTE_FOREIGN:
		note_foreign(n, note);
		break;
	case NOTE_STORM:
		note_storm(n, note);
		break;
	}
}
