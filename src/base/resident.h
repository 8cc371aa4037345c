/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory that is there from the start. A system hands out a page when it is first written to: rings
 * and buffers that are used round and round would grow for minutes or hours, which looks like a
 * leak, and could fail when the system is short of memory. Any thread.
 */
#ifndef N2N_BASE_RESIDENT_H
#define N2N_BASE_RESIDENT_H

#include <stddef.h>

/* As calloc, with every page written to; NULL when memory is short. The caller frees it. */
void *resident_calloc(size_t n, size_t size);

#endif
