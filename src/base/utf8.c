/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/utf8.h"

#include <stddef.h>
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
