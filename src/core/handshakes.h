/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages before a session, out of their envelopes (PROTOCOL.md 4, 5.5): INIT, RESPONSE, HELLO.
 * For each the cheapest question comes first, and nothing costs a Diffie-Hellman before the budget
 * of whoever sent it was asked (session/budget.h). Control thread.
 */
#ifndef N2N_CORE_HANDSHAKES_H
#define N2N_CORE_HANDSHAKES_H

#include "core/node.h"

/*
 * Takes the body of an envelope that was sealed for l, body_len bytes, behind which stands the tag
 * of its datagram (TAG_LEN); from is where it came from. What is not taken is counted.
 */
void handshake_take(struct node *n, const struct listener *l, const uint8_t *body, size_t body_len,
	const struct origin *from);

#endif
