/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control packets of a session: taking them apart, acknowledging, and sending reliable messages
 * until they are acknowledged (PROTOCOL.md 7.2). Control thread; part of the driver.
 */
#ifndef N2N_CORE_CONTROL_H
#define N2N_CORE_CONTROL_H

#include "core/node.h"

/* Sends what is due, together with what w holds already (may be NULL). */
void control_flush(struct node *n, struct session *s, struct writer *w);
/* Works through the messages of one control packet, opened under k. May retire the session. */
void control_input(struct node *n, struct session *s, const struct keyset *k, const uint8_t *plain,
	size_t len, const struct origin *from);

#endif
