/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reliable control messages of one session, sent until they are acknowledged (PROTOCOL.md 7.2). A
 * reliable message is the newest state of its type, so one place per type is queue enough. This is
 * the bookkeeping only: what a message says is written when it is sent. Control thread.
 */
#ifndef N2N_CORE_SESSION_OUTBOX_H
#define N2N_CORE_SESSION_OUTBOX_H

#include "wire/control.h"

struct outbox {
	uint8_t tries[CONTROL_TYPES];
	uint8_t tries_max;	     /* as below; 0: no limit */
	uint32_t unsent;	     /* types, as bits, posted and not sent since */
	uint32_t seq[CONTROL_TYPES]; /* 0: nothing to send */
	uint64_t next_ms[CONTROL_TYPES];
};

/*
 * At most tries_max messages of a type are sent until one is acknowledged, or outbox_revive; a
 * newer state then has no earlier time either than the older would have had. For sessions whose
 * other end anybody may be, and may not be where it says.
 */
void outbox_limit(struct outbox *o, uint8_t tries_max);
/* There is a newer state of this type, to be sent under a new sequence: at once, if not limited. */
void outbox_post(struct outbox *o, enum control_type type, uint32_t seq);
/* What was posted of this type is not to be sent before this time. */
void outbox_wait(struct outbox *o, enum control_type type, uint64_t until_ms);
/* The other end has shown that it receives: all is as if posted just now. */
void outbox_revive(struct outbox *o);
/* Nothing of this type is to be sent any more. */
void outbox_withdraw(struct outbox *o, enum control_type type);
/* True when the message of this type is not acknowledged yet. */
bool outbox_holds(const struct outbox *o, enum control_type type);
/* When something is to be sent next, UINT64_MAX: never, as things are. */
uint64_t outbox_next_ms(const struct outbox *o);
/* The next type, from this one on, that is to be sent at this time; CONTROL_TYPES: none. */
unsigned outbox_due(const struct outbox *o, unsigned from, uint64_t now_ms);
/* It was sent: again later, unless acknowledged. */
void outbox_sent(struct outbox *o, enum control_type type, uint64_t now_ms);
/* Takes an ACK: the message of this type was sent and is covered. It is withdrawn then. */
bool outbox_acked(struct outbox *o, enum control_type type, const struct control_ack *ack);

#endif
