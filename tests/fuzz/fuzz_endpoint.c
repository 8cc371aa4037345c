/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Endpoints: what parses is written in a form that parses to the same; so is every value. */
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"

static void check_round_trip(const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];
	struct endpoint again;

	endpoint_format(e, text);
	if (endpoint_parse(&again, text, 0) < 0 || !endpoint_equal(e, &again)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct endpoint e;

	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (endpoint_parse(&e, text, 0) == N2N_OK) {
		check_round_trip(&e);
	}
	if (endpoint_parse(&e, text, 7654) == N2N_OK) {
		check_round_trip(&e);
	}
	if (size == 18) {
		memcpy(e.ip, data, 16);
		e.port = (uint16_t)(data[16] << 8 | data[17]);
		check_round_trip(&e);
	}
	free(text);
	return 0;
}
