/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a frame asks everybody where an IP address is, so that a third one may answer
 * (PROTOCOL.md 10.4). Pure functions on bytes; any thread.
 */
#ifndef N2N_CORE_FRAME_QUESTION_H
#define N2N_CORE_FRAME_QUESTION_H

#include "base/mac.h"
#include "core/frame/frame.h"

struct question {
	bool v6;
	bool link_local;   /* about is such an address, of IPv6 */
	struct mac mac;	   /* of who asks: where the answer goes */
	uint8_t from[16];  /* its address; IPv4 in its mapped form, here and below */
	uint8_t about[16]; /* the address asked for */
};

/*
 * True for an ARP request to everybody, or a neighbour solicitation to the group of the address
 * asked for, with the option of its sender's address and no other: without a tag, in the form in
 * which hosts send them, and whole, its checksum right. False, *q undefined, for everything else:
 * for probes (RFC 5227) and duplicate address detection (RFC 4862), which the host that has the
 * address must hear, announcements, and whoever asks for another than itself.
 */
MUST_CHECK bool question_read(struct question *q, const uint8_t *data, size_t len);

#endif
