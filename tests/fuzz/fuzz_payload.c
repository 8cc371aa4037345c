/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handshake payload: what is read can be written and read again. */
#include "fuzz_check.h"
#include "wire/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t once[PAYLOAD_MAX_LEN], twice[PAYLOAD_MAX_LEN];
	struct payload p;
	size_t len;

	if (payload_decode(&p, data, size) != 0)
		return 0;
	len = payload_encode(once, sizeof(once), &p);
	CHECK(len >= PAYLOAD_FIXED_LEN && len <= size);
	CHECK(payload_decode(&p, once, len) == 0);
	CHECK(payload_encode(twice, sizeof(twice), &p) == len);
	CHECK(memcmp(once, twice, len) == 0);
	return 0;
}
