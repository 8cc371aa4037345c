/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks for a secret in the heap of this process, in freed memory too. Not in its stack, where
 * calls that have returned leave copies. The secret is given hidden, each byte XORed with
 * HEAP_HIDE, so that the search does not find itself.
 */
#ifndef N2N_TESTS_HEAP_SEARCH_H
#define N2N_TESTS_HEAP_SEARCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAP_HIDE    0x5a
#define HEAP_PIECE   65536
#define HEAP_OVERLAP 64		 /* more than the length of a secret */
#define HEAP_MAP_MAX (1ul << 30) /* the sanitizers' own are larger */

static inline bool heap_piece_holds(
	const uint8_t *p, size_t len, const uint8_t *hidden, size_t hidden_len)
{
	const uint8_t *end = p + len;

	while ((p = memchr(p, hidden[0] ^ HEAP_HIDE, (size_t)(end - p))) != NULL) {
		size_t i = 0;

		while (i < hidden_len && p + i < end && p[i] == (hidden[i] ^ HEAP_HIDE))
			i++;
		if (i == hidden_len)
			return true;
		p++;
	}
	return false;
}

static inline bool heap_map_holds(FILE *memory, unsigned long start, unsigned long end,
	const uint8_t *hidden, size_t hidden_len)
{
	static uint8_t piece[HEAP_PIECE + HEAP_OVERLAP];
	bool found = false;

	for (unsigned long at = start; at < end && !found; at += HEAP_PIECE) {
		size_t want = end - at < sizeof(piece) ? end - at : sizeof(piece);

		if (fseek(memory, (long)at, SEEK_SET) == 0)
			found = heap_piece_holds(
				piece, fread(piece, 1, want, memory), hidden, hidden_len);
	}
	/* Else the next search would find the find. */
	memset(piece, 0, sizeof(piece));
	return found;
}

static inline bool heap_holds(const uint8_t *hidden, size_t hidden_len)
{
	FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
	char line[512];
	bool found = false;

	assert_true(maps != NULL && memory != NULL && hidden_len < HEAP_OVERLAP);
	setvbuf(memory, NULL, _IONBF, 0);
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		char rights[5], name[256] = "";
		unsigned long start, end;

		assert_true(sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &start, &end, rights,
				    name) >= 3);
		if (rights[1] == 'w' && end - start < HEAP_MAP_MAX &&
			(name[0] == 0 || strcmp(name, "[heap]") == 0))
			found = heap_map_holds(memory, start, end, hidden, hidden_len);
	}
	fclose(maps);
	fclose(memory);
	return found;
}

#endif
