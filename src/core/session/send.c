/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single packets of the control thread, through a transmitter of its own. */
#include "core/session/send.h"

#include <string.h>

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

	send_under(core, s, &k->tx, KIND_ETHERNET, &(struct slice){NULL, 0}, known ? &via : NULL);
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

void send_waiting(struct core *core, struct session *s)
{
	struct send_keys *k = link_sending(&s->link, core->now_ms);

	while (k != NULL && s->waiting.first != NULL) {
		struct waiting *w = s->waiting.first;
		struct tx x = {
			.link = &s->link,
			.keys = k,
			.packet = w->slot + RELAY_HEADER_LEN,
			.len = w->len,
			.kind = KIND_ETHERNET,
		};

		/* Keys that are used up send nothing: wait for the next. */
		if (!transmit_run(&core->tx, &x, 1, core->now_ms))
			return;
		waiting_pop(&core->waiting, &s->waiting);
		/* As when a worker sends the first frame after idle. */
		atomic_store_explicit(&s->link.awake, true, memory_order_relaxed);
	}
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
