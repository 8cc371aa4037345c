/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames in which hosts and routers speak of groups, put together byte by byte. */
#ifndef N2N_TESTS_MEMBERSHIP_FRAMES_H
#define N2N_TESTS_MEMBERSHIP_FRAMES_H

#include <string.h>

#include "base/bytes.h"
#include "core/frame/frame.h"

#define SAID_MAX 400

struct said {
	uint8_t data[SAID_MAX];
	size_t len;
};

static inline uint16_t said_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void said_put(struct said *s, const void *bytes, size_t len)
{
	memcpy(s->data + s->len, bytes, len);
	s->len += len;
}

static inline void said_begin(
	struct said *s, const uint8_t to[6], const uint8_t from[6], unsigned vlan)
{
	s->len = 0;
	said_put(s, to, 6);
	said_put(s, from, 6);
	if (vlan != 0)
		said_put(s, (uint8_t[]){0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan}, 4);
}

/* An IPv4 packet of this protocol with a router alert; an IGMP message has its checksum set. */
static inline void say_v4(struct said *s, const uint8_t from_mac[6], unsigned vlan,
	const uint8_t from[4], const uint8_t to[4], uint8_t protocol, const void *message,
	size_t len)
{
	uint8_t mac[6] = {1, 0, 0x5e, to[1] & 0x7f, to[2], to[3]};
	uint8_t ip[24] = {0x46, 0xc0, 0, (uint8_t)(24 + len), 0, 0, 0x40, 0, 1, protocol};
	size_t at;

	memcpy(ip + 12, from, 4);
	memcpy(ip + 16, to, 4);
	memcpy(ip + 20, (uint8_t[]){0x94, 4, 0, 0}, 4);
	store_be16(ip + 10, said_sum(ip, sizeof(ip), 0));
	said_begin(s, mac, from_mac, vlan);
	said_put(s, (uint8_t[]){8, 0}, 2);
	said_put(s, ip, sizeof(ip));
	at = s->len;
	said_put(s, message, len);
	if (protocol == 2)
		store_be16(s->data + at + 2, said_sum(s->data + at, len, 0));
}

/* An ICMPv6 message behind a router alert. */
static inline void say_v6(struct said *s, const uint8_t from_mac[6], unsigned vlan,
	const uint8_t from[16], const uint8_t to[16], const void *message, size_t len)
{
	uint8_t mac[6] = {0x33, 0x33, to[12], to[13], to[14], to[15]};
	uint8_t ip[40] = {0x60, 0, 0, 0, 0, (uint8_t)(8 + len), 0, 1};
	uint32_t sum = 58 + (uint32_t)len;
	size_t at;

	memcpy(ip + 8, from, 16);
	memcpy(ip + 24, to, 16);
	said_begin(s, mac, from_mac, vlan);
	said_put(s, (uint8_t[]){0x86, 0xdd}, 2);
	said_put(s, ip, sizeof(ip));
	said_put(s, (uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0}, 8);
	at = s->len;
	said_put(s, message, len);
	sum += (uint16_t)~said_sum(ip + 8, 32, 0);
	store_be16(s->data + at + 2, said_sum(s->data + at, len, sum));
}

#endif
