/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base32 without padding. */
#include "base/base32.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

static int digit_value(char c)
{
	if (c >= 'a' && c <= 'z') {
		return c - 'a';
	}
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= '2' && c <= '7') {
		return c - '2' + 26;
	}
	return -1;
}

void base32_encode(char *out, const uint8_t *data, size_t len)
{
	uint32_t acc = 0;
	unsigned bits = 0;

	for (size_t i = 0; i < len; i++) {
		acc = acc << 8 | data[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			*out++ = alphabet[acc >> bits & 31];
		}
	}
	if (bits > 0) {
		*out++ = alphabet[acc << (5 - bits) & 31];
	}
	*out = '\0';
}

int base32_decode(uint8_t *out, size_t len, const char *text, size_t text_len)
{
	uint32_t acc = 0;
	unsigned bits = 0;

	if (text_len != BASE32_LEN(len)) {
		return N2N_EINVAL;
	}
	for (size_t i = 0; i < text_len; i++) {
		int v = digit_value(text[i]);

		if (v < 0) {
			return N2N_EINVAL;
		}
		acc = acc << 5 | (uint32_t)v;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			*out++ = (uint8_t)(acc >> bits);
		}
	}
	return (acc & ((1U << bits) - 1)) ? N2N_EINVAL : N2N_OK;
}
