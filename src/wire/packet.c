/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data and relay headers, their masks, and the hop MAC: PROTOCOL.md 6.1, 6.3, 6.4. */
#include "wire/packet.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/crypto.h"

#define DATA_RESERVED_BITS 0x0e /* of byte 1 */
#define DATA_CSUM_BIT	   0x01
#define RELAY_GROUP_BIT	   0x01 /* of byte 0 */

static_assert(PACKET_GROUP == PACKET_DATA + 1, "a bit of the header tells them apart");

void data_header_write(uint8_t out[DATA_HEADER_LEN], const struct data_header *h)
{
	assert(h->kind <= KIND_CONTROL && h->piece <= PIECE_LAST && h->cipher <= 15);
	out[0] = (uint8_t)((PACKET_DATA + h->group) << 4 | h->kind << 2 | h->piece);
	out[1] = (uint8_t)(h->cipher << 4 | (h->csum_unset ? DATA_CSUM_BIT : 0));
	store_be32(out + 2, h->index);
	store_be32(out + 6, h->counter);
}

/* False when a reserved bit or piece is set. */
static inline bool read_header(
	struct data_header *h, const uint8_t in[DATA_HEADER_LEN], enum packet_type type)
{
	h->group = type == PACKET_GROUP;
	h->kind = in[0] >> 2 & 3;
	h->piece = in[0] & 3;
	h->cipher = in[1] >> 4;
	h->csum_unset = in[1] & DATA_CSUM_BIT;
	h->index = load_be32(in + 2);
	h->counter = load_be32(in + 6);
	return in[0] >> 4 == type && h->piece <= PIECE_LAST && !(in[1] & DATA_RESERVED_BITS);
}

bool data_header_read(struct data_header *h, const uint8_t in[DATA_HEADER_LEN])
{
	return read_header(h, in, PACKET_DATA) &&
	       (h->kind == KIND_ETHERNET || h->kind == KIND_CONTROL);
}

bool group_header_read(struct data_header *h, const uint8_t in[DATA_HEADER_LEN])
{
	return read_header(h, in, PACKET_GROUP) && h->kind == KIND_ETHERNET;
}

void relay_header_write(uint8_t out[RELAY_MASKED_LEN], const struct relay_header *h)
{
	out[0] = PACKET_RELAY << 4 | (h->group ? RELAY_GROUP_BIT : 0);
	out[1] = h->hop_limit;
	store_be32(out + 2, h->index);
	store_be32(out + 6, h->counter);
	store_be32(out + 10, h->handle);
}

bool relay_header_read(struct relay_header *h, const uint8_t in[RELAY_MASKED_LEN])
{
	h->hop_limit = in[1];
	h->index = load_be32(in + 2);
	h->counter = load_be32(in + 6);
	h->handle = load_be32(in + 10);
	h->group = in[0] & RELAY_GROUP_BIT;
	return (in[0] & ~RELAY_GROUP_BIT) == PACKET_RELAY << 4;
}

static void xor_mask(
	uint8_t *out, size_t n, const uint8_t *packet, size_t len, const uint8_t key[MASK_LEN])
{
	uint8_t mask[16];
	uint64_t first, its_mask;

	assert(n >= sizeof(first) && n <= sizeof(mask) && len >= DATAGRAM_TAIL_LEN && len >= n);
	crypto_siphash128(mask, key, packet + len - DATAGRAM_TAIL_LEN, DATAGRAM_TAIL_LEN);
	memcpy(&first, packet, sizeof(first));
	memcpy(&its_mask, mask, sizeof(its_mask));
	first ^= its_mask;
	memcpy(out, &first, sizeof(first));
	for (size_t i = sizeof(first); i < n; i++)
		out[i] = packet[i] ^ mask[i];
}

void packet_mask(uint8_t *packet, size_t len, size_t n, const uint8_t key[MASK_LEN])
{
	/* The mask must not change what it is made from. */
	assert(len >= n + DATAGRAM_TAIL_LEN);
	xor_mask(packet, n, packet, len, key);
}

void packet_peek(
	uint8_t *clear, size_t n, const uint8_t *packet, size_t len, const uint8_t key[MASK_LEN])
{
	xor_mask(clear, n, packet, len, key);
}

void relay_mac(uint8_t mac[RELAY_MAC_LEN], const uint8_t key[16],
	const uint8_t header[RELAY_MASKED_LEN], const uint8_t *inner, size_t inner_len)
{
	uint8_t in[RELAY_MASKED_LEN + 2 + DATAGRAM_TAIL_LEN];

	assert(inner_len >= DATAGRAM_TAIL_LEN && inner_len <= UINT16_MAX);
	memcpy(in, header, RELAY_MASKED_LEN);
	store_be16(in + RELAY_MASKED_LEN, (uint16_t)inner_len);
	memcpy(in + RELAY_MASKED_LEN + 2, inner + inner_len - DATAGRAM_TAIL_LEN, DATAGRAM_TAIL_LEN);
	crypto_siphash64(mac, key, in, sizeof(in));
}
