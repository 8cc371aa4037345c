/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control messages of a session: taking packets apart, acknowledging, and sending reliable messages
 * until they are acknowledged (PROTOCOL.md 7.2). A reliable message is the newest state of its
 * type, so one slot per type is queue enough.
 */
#include "core/node.h"

#define RESEND_FIRST_MS 300u
#define RESEND_MAX_MS	5000u

void control_post(struct node *n, struct session *s, enum control_type type)
{
	s->out[type] = (struct outgoing){.seq = ++n->next_seq, .next_ms = 0, .tries = 0};
}

static void send_packet(struct node *n, struct session *s, struct writer *w)
{
	if (writer_len(w) > 0 && writer_ok(w))
		node_send(n, s, KIND_CONTROL, w->start, writer_len(w), NULL);
	writer_init(w, w->start, CONTROL_MAX_LEN);
}

static void write_due(struct node *n, struct session *s, enum control_type type, struct writer *w,
	uint64_t now_ms)
{
	struct outgoing *o = &s->out[type];
	uint32_t wait = RESEND_FIRST_MS << (o->tries < 5 ? o->tries : 5);
	const struct writer before = *w;

	n->role->encode(n, s, type, o->seq, w);
	if (!writer_ok(w)) {
		/* It did not fit behind what is there: it has a packet of its own. */
		*w = before;
		send_packet(n, s, w);
		n->role->encode(n, s, type, o->seq, w);
	}
	o->next_ms = now_ms + (wait < RESEND_MAX_MS ? wait : RESEND_MAX_MS);
	if (o->tries < UINT8_MAX)
		o->tries++;
}

void control_flush(struct node *n, struct session *s, struct writer *w, uint64_t now_ms)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer own;

	if (session_sending(s, now_ms) == NULL)
		return;
	if (w == NULL) {
		writer_init(&own, buf, sizeof(buf));
		w = &own;
	}
	for (unsigned type = 0; type < CONTROL_TYPES; type++)
		if (s->out[type].seq != 0 && now_ms >= s->out[type].next_ms)
			write_due(n, s, (enum control_type)type, w, now_ms);
	send_packet(n, s, w);
}

static bool covers(const struct control_ack *ack, uint32_t seq)
{
	for (unsigned i = 0; i < ack->n; i++)
		if (seq >= ack->range[i].first && seq <= ack->range[i].last)
			return true;
	return false;
}

static void take_ack(struct node *n, struct session *s, const struct control_msg *m)
{
	struct control_ack ack;

	if (control_ack_decode(&ack, m->body) != 0)
		return;
	for (unsigned type = 0; type < CONTROL_TYPES; type++) {
		struct outgoing *o = &s->out[type];

		if (o->seq == 0 || o->tries == 0 || !covers(&ack, o->seq))
			continue;
		o->seq = 0;
		if (n->role->acked != NULL)
			n->role->acked(n, s, (enum control_type)type);
	}
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
	if (acks->n == ACK_RANGES_MAX) {
		control_ack_encode(w, acks);
		send_packet(n, s, w);
		acks->n = 0;
	}
	acks->range[acks->n].first = seq;
	acks->range[acks->n++].last = seq;
}

void control_input(struct node *n, struct session *s, const struct keyset *k, const uint8_t *plain,
	size_t len, const struct origin *from, uint64_t now_ms)
{
	/* A process that was there before is not heard any more: its sequences would confuse. */
	bool former = k->incarnation != s->incarnation;
	uint8_t buf[CONTROL_MAX_LEN];
	struct control_ack acks = {0};
	struct control_msg m;
	struct reader r;
	struct writer w;
	int err;

	n->now_ms = now_ms;
	n->answered = false;
	reader_init(&r, plain, len);
	writer_init(&w, buf, sizeof(buf));
	while ((err = control_next(&r, &m)) == 1) {
		if (m.seq != 0 && former)
			continue;
		if (m.seq != 0)
			note_ack(n, s, &acks, m.seq, &w);
		if (m.type == CONTROL_ACK)
			take_ack(n, s, &m);
		else if (is_news(s, &m))
			n->role->message(n, s, k, &m, from, now_ms);
		if (s->gone)
			return;
	}
	if (err != 0)
		drops_add(&n->drops, DROP_MALFORMED, 1);
	if (acks.n > 0)
		control_ack_encode(&w, &acks);
	control_flush(n, s, &w, now_ms);
}
