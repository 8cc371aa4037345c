/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the first touch of memory. */
#include "base/resident.h"

#include <stdlib.h>

#define PAGE 4096u /* the smallest there are */

void *resident_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);
	/* A compiler knows that calloc leaves zeroes, and would leave the writing away. */
	volatile unsigned char *byte = p;

	if (p == NULL)
		return NULL;
	for (size_t at = 0; at < n * size; at += PAGE)
		byte[at] = 0;
	if (n * size > 0)
		byte[n * size - 1] = 0;
	return p;
}
