/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What cutting, joining and checksums share: where the headers of a TCP or UDP frame lie
 * (PROTOCOL.md 6.7), and the Internet checksum (RFC 1071). Offsets are in bytes from the start of
 * the frame; sums are numbers of 16 bits, as if the bytes were big-endian words. Any thread.
 */
#ifndef N2N_CORE_FRAME_PARSE_H
#define N2N_CORE_FRAME_PARSE_H

#include "base/err.h"
#include "core/frame/frame.h"

#define IP4_LEN 20 /* without options */
#define IP6_LEN 40

/* Fields of headers, from the start of theirs. */
enum {
	IP4_TOTAL = 2,
	IP4_ID = 4,
	IP4_FLAGS = 6,
	IP4_CSUM = 10,
	IP4_ADDRESSES = 12,
	IP6_PAYLOAD = 4,
	IP6_ADDRESSES = 8,
	TCP_SEQ = 4,
	TCP_FLAGS = 13,
	TCP_CSUM = 16,
	UDP_LENGTH = 4,
	UDP_CSUM = 6
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_URG = 0x20,
	TCP_CWR = 0x80
};

struct layout {
	uint32_t end;	  /* of the IP packet; what follows is padding */
	uint16_t l4;	  /* the transport header */
	uint16_t payload; /* behind it */
	uint8_t l3;	  /* the IP header */
	bool v6;
	bool tcp; /* else UDP */
};

/*
 * Finds them in a frame of len bytes. False, *l filled in part: not TCP or UDP as 6.7 describes it,
 * a fragment, or a header that does not fit.
 */
MUST_CHECK bool layout_find(struct layout *l, const uint8_t *data, size_t len);

/* Where the checksum is, from the start of the transport header (virtio's csum_offset). */
static inline uint16_t layout_csum_offset(const struct layout *l)
{
	return l->tcp ? TCP_CSUM : UDP_CSUM;
}

/* What a train of such segments is called. */
static inline enum offload_kind layout_kind(const struct layout *l)
{
	if (!l->tcp) {
		return OFFLOAD_UDP;
	}
	return l->v6 ? OFFLOAD_TCP6 : OFFLOAD_TCP4;
}

/* The one's complement sum of len bytes, an odd one filled up with zero; 0 only if all are zero. */
uint16_t sum_bytes(const uint8_t *p, size_t len);

/* Carries added in, twice, which is enough for any 32 bits. */
static inline uint16_t sum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* a - b in one's complement. */
static inline uint16_t sum_without(uint16_t a, uint16_t b)
{
	return sum_fold((uint32_t)a + (uint16_t)~b);
}

#endif
