/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame that tells where an IP address is. */
#include "core/frame/announce.h"

#include <assert.h>
#include <string.h>

#include "base/endpoint.h"

#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_IPV6 0x86dd

#define ARP_ETHERNET 1
#define ARP_IPV4     0x0800
#define ARP_REQUEST  1

#define ICMPV6		  58
#define ICMPV6_LEN	  32 /* of an advertisement with one option */
#define HOPS		  255
#define ADVERTISEMENT	  136
#define OVERRIDE	  UINT32_C(0x20000000)
#define TARGET_LINK_LAYER 2

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};
static const uint8_t all_nodes_ip[16] = {0xff, 2, [15] = 1};

static void put_mac(struct writer *w, const struct mac *mac)
{
	writer_copy(w, mac->b, sizeof(mac->b));
}

/* RFC 826. */
static void put_arp(struct writer *w, const struct mac *mac, const uint8_t ip[4])
{
	static const struct mac unknown;

	put_mac(w, &everybody);
	put_mac(w, mac);
	writer_u16(w, ETHERTYPE_ARP);
	writer_u16(w, ARP_ETHERNET);
	writer_u16(w, ARP_IPV4);
	writer_u8(w, sizeof(mac->b));
	writer_u8(w, 4);
	writer_u16(w, ARP_REQUEST);
	put_mac(w, mac);
	writer_copy(w, ip, 4);
	put_mac(w, &unknown);
	writer_copy(w, ip, 4);
}

/* Of the pseudo-header and the message, which has a checksum of 0 so far. */
static uint16_t checksum(const uint8_t *addresses, const uint8_t *message)
{
	uint32_t sum = ICMPV6_LEN + ICMPV6;

	for (size_t i = 0; i < 32; i += 2)
		sum += load_be16(addresses + i) + (uint32_t)load_be16(message + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* RFC 8200, 3, and RFC 4861, 4.4. */
static void put_advertisement(struct writer *w, const struct mac *mac, const uint8_t ip[16])
{
	put_mac(w, &all_nodes);
	put_mac(w, mac);
	writer_u16(w, ETHERTYPE_IPV6);
	writer_u32(w, UINT32_C(6) << 28);
	writer_u16(w, ICMPV6_LEN);
	writer_u8(w, ICMPV6);
	writer_u8(w, HOPS);
	writer_copy(w, ip, 16);
	writer_copy(w, all_nodes_ip, 16);
	writer_u8(w, ADVERTISEMENT);
	writer_u8(w, 0);
	writer_u16(w, 0);
	writer_u32(w, OVERRIDE);
	writer_copy(w, ip, 16);
	writer_u8(w, TARGET_LINK_LAYER);
	writer_u8(w, 1);
	put_mac(w, mac);
}

size_t announce_frame(uint8_t out[ANNOUNCE_MAX], const struct mac *mac, const uint8_t ip[16])
{
	struct endpoint at = {.port = 0};
	struct writer w;

	memcpy(at.ip, ip, sizeof(at.ip));
	writer_init(&w, out, ANNOUNCE_MAX);
	if (endpoint_is_v4(&at)) {
		put_arp(&w, mac, ip + 12);
		return writer_len(&w);
	}
	put_advertisement(&w, mac, ip);
	store_be16(out + 14 + 40 + 2, checksum(out + 14 + 8, out + 14 + 40));
	return writer_len(&w);
}
