/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A data packet, clear or masked: a header is read only if it can be written just so. */
#include "fuzz_check.h"
#include "wire/packet.h"

static const uint8_t mask_key[MASK_LEN];

static void check_header(const uint8_t *packet)
{
	uint8_t again[DATA_HEADER_LEN];
	struct data_header h;

	if (data_header_read(&h, packet)) {
		data_header_write(again, &h);
		CHECK(memcmp(again, packet, sizeof(again)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet;

	if (size < DATAGRAM_MIN_LEN)
		return 0;
	check_header(data);
	packet = malloc(size);
	CHECK(packet != NULL);
	memcpy(packet, data, size);
	packet_mask(packet, size, DATA_HEADER_LEN, mask_key);
	check_header(packet);
	packet_mask(packet, size, DATA_HEADER_LEN, mask_key);
	CHECK(memcmp(packet, data, size) == 0);
	free(packet);
	return 0;
}
