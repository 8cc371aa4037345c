/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key strings: what parses is written back as the same text in lower case; any may be damaged. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/keystring.h"

static void check_same(const char *in, const char *out)
{
	for (; *in || *out; in++, out++) {
		if (tolower((unsigned char)*in) != *out) {
			abort();
		}
	}
}

static void check(const char *text)
{
	char out[COMMUNITY_KEY_TEXT_LEN + 1];
	struct community_key community;
	uint8_t public[KEY_LEN];

	if (community_key_parse(&community, text) == N2N_OK) {
		community_key_format(&community, out);
		check_same(text, out);
		if (!community_key_looks_like(text)) {
			abort();
		}
	}
	(void)community_key_is_damaged(text);
	if (public_key_parse(public, text) == N2N_OK) {
		public_key_format(public, out);
		check_same(text, out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	check(text);
	free(text);
	return 0;
}
