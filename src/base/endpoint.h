/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A UDP endpoint of either family as one value: an IPv4 address is kept in its IPv4-mapped IPv6
 * form (RFC 4291, 2.5.5.2), so two endpoints are the same exactly when the structs are. Any thread.
 */
#ifndef N2N_BASE_ENDPOINT_H
#define N2N_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct endpoint {
	uint8_t ip[16]; /* network byte order; ::ffff:a.b.c.d for IPv4; all zero means "none" */
	uint16_t port;	/* host byte order */
};

#define ENDPOINT_TEXT_MAX 56 /* "[" + 45 + "]:65535" and the NUL, rounded up */

/* Address and port: the same as comparing the members, since there is one form for each address. */
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
/* Compares the addresses alone, not the ports. */
bool endpoint_same_ip(const struct endpoint *a, const struct endpoint *b);
/* True for an IPv4-mapped address, 0.0.0.0 included. */
bool endpoint_is_v4(const struct endpoint *e);
/* True when the address is all zero (or 0.0.0.0): no endpoint. */
bool endpoint_is_none(const struct endpoint *e);
/*
 * True for what may be sent to at all: a port, and an address that is not unspecified, multicast,
 * in 0.0.0.0/8 or in 240.0.0.0/4 (PROTOCOL.md 7.9). Loopback and link-local addresses pass.
 */
bool endpoint_is_usable(const struct endpoint *e);
/* fe80::/10 or 169.254/16. */
bool endpoint_is_link_local(const struct endpoint *e);
/* ::1 or 127/8. */
bool endpoint_is_loopback(const struct endpoint *e);
/* Both arguments are in host byte order: 0x7f000001 is 127.0.0.1. */
struct endpoint endpoint_v4(uint32_t ip_host_order, uint16_t port);
/*
 * Parses "1.2.3.4:5", "[2001:db8::1]:5", and without a port when default_port is not 0 ("1.2.3.4",
 * "2001:db8::1", "[2001:db8::1]"); text ends with a NUL. N2N_EINVAL, with *e as it was, for
 * anything else, host names and zones ("%eth0") included.
 */
MUST_CHECK int endpoint_parse(struct endpoint *e, const char *text, uint16_t default_port);
/* Writes "1.2.3.4:5" or "[2001:db8::1]:5" (RFC 5952), NUL-terminated, and returns buf. */
char *endpoint_format(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX]);
/* The address alone, without brackets; returns buf. */
char *endpoint_format_ip(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX]);

#endif
