/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single packets of the control thread, through a transmitter of its own. */
#include "core/session/send.h"

#include <string.h>

#define MEMBER_PAD_MAX 24
/* PONG and PATH_ECHO, with the shortest PAD. */
#define QUESTION_MIN (CONTROL_HEADER_LEN + 8 + 18 + CONTROL_HEADER_LEN)

static void send_under(struct core *core, struct session *s, struct send_keys *k,
	enum frame_kind kind, const struct slice *plain, struct path *via)
{
	uint8_t slot[SLOT_HEADROOM + CONTROL_MAX_LEN + DATA_TAG_LEN];
	struct tx x = {
		.link = &s->link,
		.keys = k,
		.packet = slot + RELAY_HEADER_LEN,
		.len = plain->len,
		.kind = (uint8_t)kind,
	};

	if (k == NULL || plain->len > CONTROL_MAX_LEN)
		return;
	if (plain->len > 0)
		memcpy(slot + SLOT_HEADROOM, plain->data, plain->len);
	if (via != NULL)
		(void)transmit_on(&core->tx, &x, 1, via, core->now_ms);
	else
		(void)transmit_run(&core->tx, &x, 1, core->now_ms);
}

void send_packet(struct core *core, struct session *s, enum frame_kind kind, const uint8_t *plain,
	size_t len, struct path *via)
{
	send_under(core, s, link_sending(&s->link, core->now_ms), kind, &(struct slice){plain, len},
		via);
}

/*
 * Sends what is in w, padded to a length between least and most, every one as likely; not at all
 * where no padding fits between. Returns the length.
 */
static size_t send_padded(struct core *core, struct session *s, struct send_keys *k,
	const struct writer *w, size_t least, size_t most, struct path *via)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer padded;

	if (writer_len(w) > sizeof(buf))
		return 0;
	writer_init(&padded, buf, sizeof(buf));
	writer_copy(&padded, w->start, writer_len(w));
	if (least < writer_len(w) + CONTROL_HEADER_LEN)
		least = writer_len(w) + CONTROL_HEADER_LEN;
	if (most > CONTROL_PADDED_MAX)
		most = CONTROL_PADDED_MAX;
	if (least <= most)
		control_pad(&padded,
			least + random_below(&core->io.random, (uint32_t)(most - least + 1)));
	send_under(core, s, k, KIND_CONTROL, &(struct slice){buf, writer_len(&padded)}, via);
	return writer_len(&padded);
}

/* Anybody may register at a supernode and acknowledge nothing: padding must make no lever of it. */
static size_t padding_of(const struct session *s)
{
	return s->link.kind == LINK_MEMBER ? MEMBER_PAD_MAX : SEND_PAD_MAX;
}

void send_control(struct core *core, struct session *s, const struct writer *w)
{
	send_padded(core, s, link_sending(&s->link, core->now_ms), w, 0,
		writer_len(w) + padding_of(s), NULL);
}

void send_question(struct core *core, struct session *s, const struct writer *w, struct path *via)
{
	send_padded(core, s, link_sending(&s->link, core->now_ms), w, QUESTION_MIN,
		QUESTION_MIN + SEND_PAD_MAX, via);
}

void send_reply(
	struct core *core, struct session *s, const struct writer *w, bool last, struct path *via)
{
	size_t len = send_padded(core, s, link_sending(&s->link, core->now_ms), w, 0,
		last ? core->asked_len : 0, via);

	if (core->asked_len > 0)
		core->asked_len = core->asked_len > len ? core->asked_len - len : 1;
}

static void send_nothing(
	struct core *core, struct session *s, struct send_keys *k, struct path *via)
{
	struct writer w;
	uint8_t none;

	writer_init(&w, &none, 0);
	send_padded(core, s, k, &w, 0, padding_of(s), via);
}

void send_empty(struct core *core, struct session *s)
{
	send_nothing(core, s, link_sending(&s->link, core->now_ms), NULL);
}

static struct link *hop_of(const struct core *core, const struct origin *o)
{
	struct session *hop = o->hop_id != 0 ? session_by_id(core, o->hop_id) : NULL;

	return hop != NULL ? &hop->link : NULL;
}

void send_empty_under(struct core *core, struct session *s, struct keyset *k)
{
	struct path via = {.way = s->origin.way,
		.hop_limit = RELAY_HOP_LIMIT,
		.hop = hop_of(core, &s->origin),
		.handle = s->origin.handle};
	bool known = s->link.kind == LINK_PEER && (via.hop != NULL || s->origin.hop_id == 0);

	send_nothing(core, s, &k->tx, known ? &via : NULL);
}

void send_envelope(struct core *core, const struct origin *to, uint8_t *buf, size_t len)
{
	struct datagram d = {buf, len, to->way};
	struct path path = {.handle = to->handle, .hop_limit = RELAY_HOP_LIMIT};
	struct relay_burst relay;

	if (to->hop_id != 0) {
		path.hop = hop_of(core, to);
		if (path.hop == NULL ||
			!transmit_relay_begin(&core->tx, &relay, &path, 1, core->now_ms))
			return;
		transmit_relay_header(&relay, buf, len, &d);
	}
	core->io.send(core->io.ctx, &d);
}

/* The frame lies in a slot. */
static bool send_slot(struct core *core, struct session *s, uint8_t slot[SLOT_LEN], size_t len)
{
	struct tx x = {
		.link = &s->link,
		.keys = link_sending(&s->link, core->now_ms),
		.packet = slot + RELAY_HEADER_LEN,
		.len = len,
		.kind = KIND_ETHERNET,
	};

	/* Keys that are used up send nothing: wait for the next. */
	if (x.keys == NULL || !transmit_run(&core->tx, &x, 1, core->now_ms))
		return false;
	/* As when a worker sends the first frame after idle. */
	atomic_store_explicit(&s->link.awake, true, memory_order_relaxed);
	return true;
}

bool send_frame(struct core *core, struct session *s, const uint8_t *data, size_t len)
{
	uint8_t slot[SLOT_LEN];

	memcpy(slot + SLOT_HEADROOM, data, len);
	return send_slot(core, s, slot, len);
}

void send_waiting(struct core *core, struct session *s)
{
	while (s->waiting.first != NULL &&
		send_slot(core, s, s->waiting.first->slot, s->waiting.first->len))
		waiting_pop(&core->waiting, &s->waiting);
}

void send_event(struct core *core, const struct session *s, enum event_kind kind, uint32_t value)
{
	const struct path *direct = link_direct(&s->link);
	struct event e = {
		.kind = kind, .community = s->link.community, .value = value, .key = s->remote};

	if (direct != NULL)
		e.remote = direct->way.remote;
	edge_id(e.edge, s->remote);
	core_event(core, &e);
}
