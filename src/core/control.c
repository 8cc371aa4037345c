/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control packets in and out. */
#include "core/control.h"

#include "core/session/send.h"

/*
 * What a supernode answers is padded to no more than it was asked with: anybody may ask. If there
 * are several packets, the last has what the others left.
 */
static void send_written(struct node *n, struct session *s, struct writer *w, bool last)
{
	bool answers = s->link.kind == LINK_MEMBER && n->core.asked_len > 0;

	if (writer_len(w) > 0 && writer_ok(w)) {
		if (answers)
			send_reply(&n->core, s, w, last, NULL);
		else
			send_control(&n->core, s, w);
	}
	writer_init(w, w->start, CONTROL_MAX_LEN);
}

static void write_due(struct node *n, struct session *s, enum control_type type, struct writer *w)
{
	uint32_t seq = s->out.seq[type];
	const struct writer before = *w;

	n->role->encode(n, s, type, seq, w);
	if (!writer_ok(w)) {
		/* It did not fit behind what is there: it has a packet of its own. */
		*w = before;
		send_written(n, s, w, false);
		n->role->encode(n, s, type, seq, w);
	}
	outbox_sent(&s->out, type, n->core.now_ms);
}

void control_flush(struct node *n, struct session *s, struct writer *w)
{
	uint64_t now_ms = n->core.now_ms;
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer own;

	if (session_sending(s, now_ms) == NULL)
		return;
	if (w == NULL) {
		writer_init(&own, buf, sizeof(buf));
		w = &own;
	}
	for (unsigned type = outbox_due(&s->out, 0, now_ms); type < CONTROL_TYPES;
		type = outbox_due(&s->out, type + 1, now_ms))
		write_due(n, s, (enum control_type)type, w);
	send_written(n, s, w, true);
	crypto_wipe(w->start, CONTROL_MAX_LEN); /* group keys */
}

static void take_ack(struct node *n, struct session *s, const struct control_msg *m)
{
	struct control_ack ack;

	if (control_ack_decode(&ack, m->body) != 0)
		return;
	for (unsigned type = 0; type < CONTROL_TYPES; type++)
		if (outbox_acked(&s->out, (enum control_type)type, &ack) && n->role->acked != NULL)
			n->role->acked(n, s, (enum control_type)type);
}

/* False for a message older than the last of its type. */
static bool is_news(struct session *s, const struct control_msg *m)
{
	if (m->seq == 0 || m->type >= CONTROL_TYPES)
		return true;
	if (m->seq < s->rx_seq[m->type])
		return false;
	s->rx_seq[m->type] = m->seq;
	return true;
}

/* Notes a sequence to be acknowledged; sends what was noted when no more fit. */
static void note_ack(
	struct node *n, struct session *s, struct control_ack *acks, uint32_t seq, struct writer *w)
{
	if (acks->n > 0 && seq - acks->range[acks->n - 1].last <= 1) {
		acks->range[acks->n - 1].last = seq;
		return;
	}
	if (acks->n == ACK_RANGES_MAX) {
		control_ack_encode(w, acks);
		send_written(n, s, w, false);
		acks->n = 0;
	}
	acks->range[acks->n].first = seq;
	acks->range[acks->n++].last = seq;
}

void control_input(struct node *n, struct session *s, const struct keyset *k, const uint8_t *plain,
	size_t len, const struct origin *from)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_ack acks = {0};
	struct control_msg m;
	struct reader r;
	struct writer w;
	int rc;

	/* A process that was there before is not heard any more: it knows nothing of this one. */
	if (k->incarnation != s->incarnation)
		return;
	n->core.answered = false;
	n->core.asked_len = len;
	reader_init(&r, plain, len);
	writer_init(&w, buf, sizeof(buf));
	while ((rc = control_next(&r, &m)) == 1) {
		if (m.seq != 0)
			note_ack(n, s, &acks, m.seq, &w);
		if (m.type == CONTROL_ACK)
			take_ack(n, s, &m);
		else if (is_news(s, &m))
			n->role->message(n, s, k, &m, from);
		if (s->gone) {
			n->core.asked_len = 0;
			return;
		}
	}
	if (rc != 0)
		core_drop(&n->core, DROP_MALFORMED);
	if (acks.n > 0)
		control_ack_encode(&w, &acks);
	control_flush(n, s, &w);
	n->core.asked_len = 0;
}
