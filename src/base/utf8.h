/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text in UTF-8 (RFC 3629) that was cut to fit. Any thread. */
#ifndef N2N_BASE_UTF8_H
#define N2N_BASE_UTF8_H

#include <stddef.h>

/*
 * Takes away what is left of a character at the end of a text that was cut within it: JSON has no
 * room for half a character. Whole characters stay, and so does what is no UTF-8 anyway.
 */
void utf8_trim(char *text);

/* Room for n bytes as they are shown, and the 0 at the end. */
#define UTF8_SHOWN(n) ((n) + 1)

/*
 * Text from anybody as it may be shown, within quotes: what is no UTF-8, what controls a terminal
 * or the direction of writing, and quotes, are replaced, each byte or character by a "?". As much
 * as fits in cap bytes, which are not 0. Returns out.
 */
char *utf8_show(char *out, size_t cap, const char *text);

#endif
