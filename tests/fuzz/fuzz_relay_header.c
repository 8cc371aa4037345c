/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A relay packet, clear or masked: as fuzz_data_header, and the hop MAC of what it carries. */
#include "fuzz_check.h"
#include "wire/packet.h"

static const uint8_t key[MASK_LEN];

static void check_packet(const uint8_t *packet, size_t size)
{
	uint8_t again[RELAY_MASKED_LEN], mac[RELAY_MAC_LEN], other[RELAY_MAC_LEN];
	struct relay_header h;

	if (!relay_header_read(&h, packet))
		return;
	relay_header_write(again, &h);
	CHECK(memcmp(again, packet, sizeof(again)) == 0);
	relay_mac(mac, key, packet, packet + RELAY_HEADER_LEN, size - RELAY_HEADER_LEN);
	again[1] ^= 1;
	relay_mac(other, key, again, packet + RELAY_HEADER_LEN, size - RELAY_HEADER_LEN);
	CHECK(memcmp(mac, other, sizeof(mac)) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet;

	if (size < RELAYED_MIN_LEN || size > UINT16_MAX)
		return 0;
	check_packet(data, size);
	packet = malloc(size);
	CHECK(packet != NULL);
	memcpy(packet, data, size);
	packet_mask(packet, size, RELAY_MASKED_LEN, key);
	check_packet(packet, size);
	packet_mask(packet, size, RELAY_MASKED_LEN, key);
	CHECK(memcmp(packet, data, size) == 0);
	free(packet);
	return 0;
}
