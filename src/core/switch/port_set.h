/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of a switch's ports, and sets of them: 1 KiB each, all zero: empty. Not thread-safe. */
#ifndef N2N_CORE_SWITCH_PORT_SET_H
#define N2N_CORE_SWITCH_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

#define PORT_BITS  13
#define PORTS_MAX  (1u << PORT_BITS) /* numbers are less */
#define PORT_FLOOD 0		     /* the number of the flood group */
#define PORT_HERE  (PORTS_MAX - 1)   /* and that of our own interface */

struct port_set {
	uint64_t word[PORTS_MAX / 64];
};

/* number is below PORTS_MAX, here and below. */
static inline bool port_set_has(const struct port_set *s, uint16_t number)
{
	return s->word[number / 64] >> number % 64 & 1;
}

/* A number that it has already is fine. */
static inline void port_set_add(struct port_set *s, uint16_t number)
{
	s->word[number / 64] |= UINT64_C(1) << number % 64;
}

#endif
