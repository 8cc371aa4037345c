/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Published test vectors: JSON files in the directory $N2N_VECTORS, or beside the checkout. A test
 * program calls vectors_need first and ends with its result, 77 to Meson, when they are not there.
 * Everything else stops the program on a malformed file, for that is no result of a test.
 */
#ifndef N2N_TESTS_VECTORS_H
#define N2N_TESTS_VECTORS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VECTORS_SKIP 77

/* 0, or VECTORS_SKIP after a message when the file is absent. */
int vectors_need(const char *file);
/* The parsed file; the caller drops it with json_decref. */
json_t *vectors_load(const char *file);

struct hex {
	uint8_t *data; /* never NULL, exactly len bytes, for the sanitizers */
	size_t len;
};

struct hex hex_decode(const char *text);
/* The member of an object as bytes; an absent member gives no bytes. */
struct hex hex_member(const json_t *object, const char *name);
void hex_free(struct hex *h);

#endif
