/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A responder reads message 1. A failing read must leave nothing of the handshake behind. */
#include "noise_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct noise initiator, responder;
	uint8_t *payload = malloc(size + 1);

	if (payload == NULL) {
		return 0;
	}
	fixture_init(&initiator, &responder);
	if (noise_read1(&responder, payload, data, size) < 0 &&
		!crypto_is_zero(&responder, sizeof(responder))) {
		abort();
	}
	free(payload);
	return 0;
}
