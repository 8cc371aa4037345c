/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to send a reliable message again. */
#include "core/session/outbox.h"

#define RESEND_FIRST_MS 300u
#define RESEND_MAX_MS	5000u

void outbox_limit(struct outbox *o, uint8_t tries_max)
{
	o->tries_max = tries_max;
}

static void begin_anew(struct outbox *o, unsigned type)
{
	o->next_ms[type] = 0;
	o->tries[type] = 0;
}

void outbox_post(struct outbox *o, enum control_type type, uint32_t seq)
{
	o->seq[type] = seq;
	o->unsent |= 1u << type;
	if (o->tries_max == 0)
		begin_anew(o, type);
}

void outbox_wait(struct outbox *o, enum control_type type, uint64_t until_ms)
{
	if (o->next_ms[type] < until_ms)
		o->next_ms[type] = until_ms;
}

void outbox_revive(struct outbox *o)
{
	for (unsigned type = 0; type < CONTROL_TYPES; type++)
		begin_anew(o, type);
}

void outbox_withdraw(struct outbox *o, enum control_type type)
{
	o->seq[type] = 0;
}

bool outbox_holds(const struct outbox *o, enum control_type type)
{
	return o->seq[type] != 0;
}

static bool may_go(const struct outbox *o, unsigned type)
{
	return o->seq[type] != 0 && (o->tries_max == 0 || o->tries[type] < o->tries_max);
}

uint64_t outbox_next_ms(const struct outbox *o)
{
	uint64_t next_ms = UINT64_MAX;

	for (unsigned type = 0; type < CONTROL_TYPES; type++)
		if (may_go(o, type) && o->next_ms[type] < next_ms)
			next_ms = o->next_ms[type];
	return next_ms;
}

unsigned outbox_due(const struct outbox *o, unsigned from, uint64_t now_ms)
{
	while (from < CONTROL_TYPES && (!may_go(o, from) || now_ms < o->next_ms[from]))
		from++;
	return from;
}

void outbox_sent(struct outbox *o, enum control_type type, uint64_t now_ms)
{
	unsigned tries = o->tries[type];
	uint32_t wait = RESEND_FIRST_MS << (tries < 5 ? tries : 5);

	if (o->seq[type] == 0)
		return; /* withdrawn, when it was to be written */
	o->unsent &= ~(1u << type);
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
	if (o->seq[type] == 0 || (o->unsent & 1u << type) != 0 || !covers(ack, o->seq[type]))
		return false;
	o->seq[type] = 0;
	begin_anew(o, type);
	return true;
}
