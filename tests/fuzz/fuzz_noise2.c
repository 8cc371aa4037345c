/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An initiator reads message 2. A failing read must leave nothing of the handshake behind. */
#include "noise_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t msg1[NOISE_MSG1_OVERHEAD], *payload = malloc(size + 1);
	struct noise initiator, responder;

	if (payload == NULL) {
		return 0;
	}
	fixture_init(&initiator, &responder);
	if (noise_write1(&initiator, msg1, fixture_ephemeral_i, NULL, 0) < 0) {
		abort();
	}
	if (noise_read2(&initiator, payload, data, size) < 0 &&
		!crypto_is_zero(&initiator, sizeof(initiator))) {
		abort();
	}
	free(payload);
	return 0;
}
