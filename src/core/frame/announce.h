/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames that tell hosts which MAC address an IP address is at. Unasked, they have their old
 * knowledge replaced at once, instead of losing what they send until they doubt it; asked, they are
 * what the host that is there would answer (PROTOCOL.md 9.6, 10.4). Any thread.
 */
#ifndef N2N_CORE_FRAME_ANNOUNCE_H
#define N2N_CORE_FRAME_ANNOUNCE_H

#include "base/mac.h"
#include "core/frame/question.h"

#define ANNOUNCE_MAX (14 + 40 + 32)

/*
 * Writes one to out, which may be the slot of a frame, and returns its length: a gratuitous ARP
 * request for an IPv4 address (mapped; RFC 5227, 1.1), else an unsolicited neighbour advertisement
 * with the override flag (RFC 4861, 7.2.6). It goes to everybody and comes from mac.
 */
size_t announce_frame(uint8_t out[ANNOUNCE_MAX], const struct mac *mac, const uint8_t ip[16]);

/*
 * The same for the answer to a question (core/frame/question.h): an ARP reply, or a solicited
 * advertisement with the override flag (RFC 4861, 7.2.4), to who asked. is_router: whoever is there
 * is one.
 */
size_t announce_answer(
	uint8_t out[ANNOUNCE_MAX], const struct question *q, const struct mac *mac, bool is_router);

#endif
