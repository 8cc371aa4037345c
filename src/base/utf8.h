/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text in UTF-8 (RFC 3629) that was cut to fit. Any thread. */
#ifndef N2N_BASE_UTF8_H
#define N2N_BASE_UTF8_H

/*
 * Takes away what is left of a character at the end of a text that was cut within it: JSON has no
 * room for half a character. Whole characters stay, and so does what is no UTF-8 anyway.
 */
void utf8_trim(char *text);

#endif
