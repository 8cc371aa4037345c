/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ethernet addresses (EUI-48). Any thread. */
#ifndef N2N_BASE_MAC_H
#define N2N_BASE_MAC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct mac {
	uint8_t b[6]; /* in the order of transmission */
};

#define MAC_TEXT_MAX 18 /* with the NUL */

/* Not in constant time: addresses are no secrets. */
bool mac_equal(const struct mac *a, const struct mac *b);
/* The I/G bit: broadcast and multicast. */
bool mac_is_group(const struct mac *m);
/* 00:00:00:00:00:00, which stands for "none" and which nobody may claim (PROTOCOL.md 7.11). */
bool mac_is_zero(const struct mac *m);
/* "02:00:5e:10:00:01" or with '-', in either case; N2N_EINVAL, with *m as it was, else. */
MUST_CHECK int mac_parse(struct mac *m, const char *text);
/* Writes "02:00:5e:10:00:01" and a NUL; returns buf. */
char *mac_format(const struct mac *m, char buf[MAC_TEXT_MAX]);

/* The address as a number: its first byte in transmission is the highest of 48 bits. */
static inline uint64_t mac_number(const struct mac *m)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < sizeof(m->b); i++)
		n = n << 8 | m->b[i];
	return n;
}

/* The address that is this number. */
static inline struct mac mac_from_number(uint64_t number)
{
	struct mac m;

	for (unsigned i = 0; i < sizeof(m.b); i++)
		m.b[i] = (uint8_t)(number >> (40 - 8 * i));
	return m;
}

#endif
