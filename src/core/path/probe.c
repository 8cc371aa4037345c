/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending probes and answering the peer's, one answer for each packet. */
#include "core/path/probe.h"

#include <string.h>

#include "core/path/search.h"
#include "core/session/send.h"

struct path probe_path(const struct session *s, const struct way *way)
{
	struct path p = {.way = *way, .mask_known = s->mask_known};

	memcpy(p.mask, s->mask, MASK_LEN);
	return p;
}

void probe_send(struct core *core, struct session *s, const struct way *way, uint64_t token)
{
	struct path via = probe_path(s, way);
	uint8_t buf[CONTROL_HEADER_LEN + 8];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_probe_encode(&w, &(struct control_probe){token});
	/* A supernode asks strangers, who may forge where they are: with no byte too many. */
	if (s->link.kind == LINK_MEMBER)
		send_packet(core, s, KIND_CONTROL, buf, writer_len(&w), &via);
	else
		send_question(core, s, &w, &via);
}

static void reply(
	struct core *core, struct session *s, const struct origin *to, const struct writer *w)
{
	struct path via = probe_path(s, &to->way);

	/* Else one packet, with a forged source at that, would bring its victim many. */
	if (core->answered ||
		!bucket_take(&s->answers, core->now_ms, PROBE_ANSWERS_PER_S, PROBE_ANSWERS_PER_S)) {
		core_drop(core, DROP_RATE);
		return;
	}
	core->answered = true;
	if (to->hop_id == 0 && !core_is_underlay(core, &to->way)) {
		core_drop(core, DROP_OVERLAY);
		return;
	}
	send_reply(core, s, w, true, to->hop_id == 0 ? &via : NULL);
}

/* An echo came from there not long ago. */
static bool has_echoed(const struct core *core, const struct session *s, const struct way *way)
{
	const struct search *q = s->search;

	for (unsigned i = 0; q != NULL && i < q->n; i++)
		if (way_same_remote(&q->c[i].way, way))
			return q->c[i].echoed_ms != 0 &&
			       core->now_ms < q->c[i].echoed_ms + ECHO_LIFE_MS;
	return false;
}

/* Who answers is known to receive there. */
static bool is_proven(const struct core *core, const struct session *s, const struct origin *from)
{
	const struct path *p = link_direct(&s->link);

	return from->hop_id != 0 || (p != NULL && way_same_remote(&p->way, &from->way)) ||
	       has_echoed(core, s, &from->way);
}

void probe_answer(struct core *core, struct session *s, const struct control_probe *m,
	const struct origin *from)
{
	const struct control_echo echo = {m->token, from->way.remote};
	uint8_t buf[CONTROL_HEADER_LEN + 32];
	struct writer w;

	/* It probes that address already, and anybody may have keys here. */
	if (s->link.kind == LINK_MEMBER && !is_proven(core, s, from)) {
		core_drop(core, DROP_UNPROVEN);
		return;
	}
	writer_init(&w, buf, sizeof(buf));
	control_echo_encode(&w, &echo);
	reply(core, s, from, &w);
}

void probe_pong(struct core *core, struct session *s, const struct control_ping *m,
	const struct origin *from)
{
	struct control_pong pong = {.token = m->token};
	uint8_t buf[CONTROL_HEADER_LEN + 32];
	struct writer w;

	if (!is_proven(core, s, from)) {
		core_drop(core, DROP_UNPROVEN);
		return;
	}
	if (from->hop_id == 0)
		pong.observed = from->way.remote;
	writer_init(&w, buf, sizeof(buf));
	control_pong_encode(&w, &pong);
	reply(core, s, from, &w);
}
