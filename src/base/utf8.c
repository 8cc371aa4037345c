/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define CHARACTER_MAX 4

static size_t length_by(unsigned char first)
{
	if (first >= 0xf0)
		return 4;
	if (first >= 0xe0)
		return 3;
	return first >= 0xc0 ? 2 : 1;
}

void utf8_trim(char *text)
{
	size_t len = strlen(text), tail = 1;

	while (tail <= len && tail < CHARACTER_MAX &&
		((unsigned char)text[len - tail] & 0xc0) == 0x80)
		tail++;
	if (tail <= len && length_by((unsigned char)text[len - tail]) > tail)
		text[len - tail] = 0;
}

/* The character at text, and its length; 0: it is none. */
static size_t decode(const char *text, uint32_t *character)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *at = (const unsigned char *)text;
	size_t len = length_by(at[0]);

	*character = at[0] & (len == 1 ? 0x7fu : 0x7fu >> len);
	if (len == 1 || at[0] >= 0xf8)
		return at[0] < 0x80;
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*character = *character << 6 | (at[i] & 0x3f);
	}
	return *character >= lowest[len] && *character <= 0x10ffff &&
			       (*character < 0xd800 || *character > 0xdfff)
		       ? len
		       : 0;
}

/* Controls, marks that are not seen and those that turn what follows around. */
static bool is_plain(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} barred[] = {{0, 0x1f}, {'"', '"'}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200b, 0x200f},
		{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xe0000, 0xe0fff}};

	for (size_t i = 0; i < sizeof(barred) / sizeof(barred[0]); i++)
		if (c >= barred[i].first && c <= barred[i].last)
			return false;
	return true;
}

char *utf8_show(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	while (*text != 0) {
		uint32_t character;
		size_t len = decode(text, &character);
		bool plain = len > 0 && is_plain(character);

		if (n + (plain ? len : 1) >= cap)
			break;
		if (plain)
			memcpy(out + n, text, len);
		else
			out[n] = '?';
		n += plain ? len : 1;
		text += len > 0 ? len : 1;
	}
	out[n] = 0;
	return out;
}
