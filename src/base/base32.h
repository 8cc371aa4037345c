/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Base32 as of RFC 4648, section 6, written in lower case and without padding: for keys and ids
 * that people copy. Decoding takes either case and is constant-time in nothing: do not use it on
 * data whose timing matters. Any thread.
 */
#ifndef N2N_BASE_BASE32_H
#define N2N_BASE_BASE32_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Characters needed for len bytes, without the NUL. */
#define BASE32_LEN(len) (((len)*8 + 4) / 5)

/* Writes BASE32_LEN(len) characters and a NUL to out, which must not overlap data. */
void base32_encode(char *out, const uint8_t *data, size_t len);
/*
 * Decodes exactly text_len characters into exactly len bytes. N2N_EINVAL when a character is not
 * of the alphabet, the lengths do not fit each other, or the spare bits are not zero.
 */
MUST_CHECK int base32_decode(uint8_t *out, size_t len, const char *text, size_t text_len);

#endif
