/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frames that tell where an IP address is, unasked or asked. */
#include "core/frame/announce.h"

#include <assert.h>
#include <string.h>

#include "base/endpoint.h"

#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_IPV6 0x86dd

#define ARP_ETHERNET 1
#define ARP_IPV4     0x0800

#define ICMPV6		  58
#define ICMPV6_LEN	  32 /* of an advertisement with one option */
#define HOPS		  255
#define ADVERTISEMENT	  136
#define TARGET_LINK_LAYER 2

enum arp_operation {
	ARP_REQUEST = 1,
	ARP_REPLY = 2
};

enum advertisement_flag {
	ADV_ROUTER = 0x80,
	ADV_SOLICITED = 0x40,
	ADV_OVERRIDE = 0x20
};

/* Whom a frame is for: a MAC address, and what it says of the receiver. */
struct receiver {
	const struct mac *frame; /* of the frame */
	const struct mac *mac;	 /* as it says */
	const uint8_t *ip;
};

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac all_nodes = {{0x33, 0x33, 0, 0, 0, 1}};
static const uint8_t all_nodes_ip[16] = {0xff, 2, [15] = 1};

static void put_mac(struct writer *w, const struct mac *mac)
{
	writer_copy(w, mac->b, sizeof(mac->b));
}

/* RFC 826. */
static void put_arp(struct writer *w, enum arp_operation op, const struct mac *mac,
	const uint8_t ip[4], const struct receiver *to)
{
	put_mac(w, to->frame);
	put_mac(w, mac);
	writer_u16(w, ETHERTYPE_ARP);
	writer_u16(w, ARP_ETHERNET);
	writer_u16(w, ARP_IPV4);
	writer_u8(w, sizeof(mac->b));
	writer_u8(w, 4);
	writer_u16(w, (uint16_t)op);
	put_mac(w, mac);
	writer_copy(w, ip, 4);
	put_mac(w, to->mac);
	writer_copy(w, to->ip, 4);
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

/* RFC 8200, 3, and RFC 4861, 4.4, with its checksum. */
static void put_advertisement(struct writer *w, unsigned flags, const struct mac *mac,
	const uint8_t ip[16], const struct receiver *to)
{
	uint8_t *frame = w->p;

	put_mac(w, to->frame);
	put_mac(w, mac);
	writer_u16(w, ETHERTYPE_IPV6);
	writer_u32(w, UINT32_C(6) << 28);
	writer_u16(w, ICMPV6_LEN);
	writer_u8(w, ICMPV6);
	writer_u8(w, HOPS);
	writer_copy(w, ip, 16);
	writer_copy(w, to->ip, 16);
	writer_u8(w, ADVERTISEMENT);
	writer_u8(w, 0);
	writer_u16(w, 0);
	writer_u32(w, (uint32_t)flags << 24);
	writer_copy(w, ip, 16);
	writer_u8(w, TARGET_LINK_LAYER);
	writer_u8(w, 1);
	put_mac(w, mac);
	store_be16(frame + 14 + 40 + 2, checksum(frame + 14 + 8, frame + 14 + 40));
}

size_t announce_frame(uint8_t out[ANNOUNCE_MAX], const struct mac *mac, const uint8_t ip[16])
{
	static const struct mac unknown;
	const struct receiver everyone = {&everybody, &unknown, ip + 12};
	const struct receiver nodes = {&all_nodes, NULL, all_nodes_ip};
	struct endpoint at = {.port = 0};
	struct writer w;

	memcpy(at.ip, ip, sizeof(at.ip));
	writer_init(&w, out, ANNOUNCE_MAX);
	if (endpoint_is_v4(&at))
		put_arp(&w, ARP_REQUEST, mac, ip + 12, &everyone);
	else
		put_advertisement(&w, ADV_OVERRIDE, mac, ip, &nodes);
	return writer_len(&w);
}

size_t announce_answer(
	uint8_t out[ANNOUNCE_MAX], const struct question *q, const struct mac *mac, bool is_router)
{
	const struct receiver to = {&q->mac, &q->mac, q->v6 ? q->from : q->from + 12};
	unsigned flags = ADV_SOLICITED | ADV_OVERRIDE | (is_router ? ADV_ROUTER : 0);
	struct writer w;

	writer_init(&w, out, ANNOUNCE_MAX);
	if (q->v6)
		put_advertisement(&w, flags, mac, q->about, &to);
	else
		put_arp(&w, ARP_REPLY, mac, q->about + 12, &to);
	return writer_len(&w);
}
