/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ethernet addresses as values and as text. */
#include "base/mac.h"

#include <stddef.h>
#include <string.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

bool mac_is_group(const struct mac *m)
{
	return m->b[0] & 1;
}

bool mac_is_zero(const struct mac *m)
{
	static const struct mac zero;

	return mac_equal(m, &zero);
}

int mac_parse(struct mac *m, const char *text)
{
	struct mac parsed;

	if (strlen(text) != MAC_TEXT_MAX - 1 || (text[2] != ':' && text[2] != '-')) {
		return N2N_EINVAL;
	}
	for (size_t i = 0; i < sizeof(parsed.b); i++) {
		int high = hex_value(text[3 * i]);
		int low = hex_value(text[3 * i + 1]);
		char after = i < 5 ? text[2] : '\0';

		if (high < 0 || low < 0 || text[3 * i + 2] != after) {
			return N2N_EINVAL;
		}
		parsed.b[i] = (uint8_t)(high << 4 | low);
	}
	*m = parsed;
	return N2N_OK;
}

char *mac_format(const struct mac *m, char buf[MAC_TEXT_MAX])
{
	static const char digits[] = "0123456789abcdef";
	char *p = buf;

	for (size_t i = 0; i < sizeof(m->b); i++) {
		*p++ = digits[m->b[i] >> 4];
		*p++ = digits[m->b[i] & 15];
		*p++ = i < 5 ? ':' : '\0';
	}
	return buf;
}
