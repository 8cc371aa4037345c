/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to send a reliable message again. */
#include "core/session/outbox.h"

#define RESEND_FIRST_MS 300u
#define RESEND_MAX_MS	5000u

void outbox_post(struct outbox *o, enum control_type type, uint32_t seq)
{
	o->seq[type] = seq;
	o->next_ms[type] = 0;
	o->tries[type] = 0;
}

void outbox_withdraw(struct outbox *o, enum control_type type)
{
	o->seq[type] = 0;
}

bool outbox_holds(const struct outbox *o, enum control_type type)
{
	return o->seq[type] != 0;
}

bool outbox_is_empty(const struct outbox *o)
{
	for (unsigned type = 0; type < CONTROL_TYPES; type++)
		if (o->seq[type] != 0)
			return false;
	return true;
}

unsigned outbox_due(const struct outbox *o, unsigned from, uint64_t now_ms)
{
	while (from < CONTROL_TYPES && (o->seq[from] == 0 || now_ms < o->next_ms[from]))
		from++;
	return from;
}

void outbox_sent(struct outbox *o, enum control_type type, uint64_t now_ms)
{
	unsigned tries = o->tries[type];
	uint32_t wait = RESEND_FIRST_MS << (tries < 5 ? tries : 5);

	o->next_ms[type] = now_ms + (wait < RESEND_MAX_MS ? wait : RESEND_MAX_MS);
	if (tries < UINT8_MAX)
		o->tries[type]++;
}

static bool covers(const struct control_ack *ack, uint32_t seq)
{
	for (unsigned i = 0; i < ack->n; i++)
		if (seq >= ack->range[i].first && seq <= ack->range[i].last)
			return true;
	return false;
}

bool outbox_acked(struct outbox *o, enum control_type type, const struct control_ack *ack)
{
	if (o->seq[type] == 0 || o->tries[type] == 0 || !covers(ack, o->seq[type]))
		return false;
	o->seq[type] = 0;
	return true;
}
