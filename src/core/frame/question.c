/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ARP requests and neighbour solicitations, in the one form that every host sends. */
#include "core/frame/question.h"

#include <string.h>

#include "core/frame/parse.h"

#define ETHER_ARP    0x0806
#define ETHER_IPV6   0x86dd
#define ARP_HEAD     UINT64_C(0x0001080006040001) /* Ethernet, IPv4, a request */
#define ICMPV6	     58
#define SOLICITATION 32 /* bytes: with one option */
#define HOPS	     255

static bool is_mac(const uint8_t *at, const struct mac *mac)
{
	return at != NULL && memcmp(at, mac->b, sizeof(mac->b)) == 0;
}

static bool is_one_host(const uint8_t ip[4])
{
	return ip[0] != 0 && ip[0] != 127 && ip[0] < 224;
}

static void put_mapped(uint8_t out[16], const uint8_t ip[4])
{
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, ip, 4);
}

/* RFC 826. What the target's hardware address is before it is known is nobody's business. */
static bool read_arp(struct question *q, struct reader *r, const uint8_t to[6])
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint64_t head = reader_u64(r);
	const uint8_t *mac = reader_take(r, 6), *from = reader_take(r, 4), *about;

	(void)reader_take(r, 6);
	about = reader_take(r, 4);
	if (about == NULL || head != ARP_HEAD || !is_mac(mac, &q->mac) || !is_one_host(from) ||
		!is_one_host(about) || memcmp(from, about, 4) == 0 || memcmp(to, everybody, 6) != 0)
		return false;
	put_mapped(q->from, from);
	put_mapped(q->about, about);
	q->v6 = false;
	q->link_local = false;
	return true;
}

/* Whether both addresses are the group of the address asked for (RFC 4291, 2.7.1). */
static bool is_its_group(const uint8_t mac[6], const uint8_t ip[16], const uint8_t about[16])
{
	static const uint8_t group[13] = {0xff, 2, [11] = 1, [12] = 0xff};

	return memcmp(ip, group, sizeof(group)) == 0 && memcmp(ip + 13, about + 13, 3) == 0 &&
	       mac[0] == 0x33 && mac[1] == 0x33 && memcmp(mac + 2, ip + 12, 4) == 0;
}

static bool is_unspecified(const uint8_t ip[16])
{
	static const uint8_t unspecified[16];

	return memcmp(ip, unspecified, sizeof(unspecified)) == 0;
}

/* Of a packet of IP6_LEN + SOLICITATION bytes. */
static bool has_right_checksum(const uint8_t *ip)
{
	uint32_t sum = SOLICITATION + ICMPV6;

	sum += sum_bytes(ip + IP6_ADDRESSES, 32);
	sum += sum_bytes(ip + IP6_LEN, SOLICITATION);
	return sum_fold(sum) == 0xffff;
}

/* RFC 4861, 4.3 and 7.1.1. */
static bool read_solicitation(struct question *q, struct reader *r, const uint8_t to[6])
{
	const uint8_t *ip = reader_take(r, IP6_LEN + SOLICITATION), *from, *about, *message;

	if (ip == NULL)
		return false;
	from = ip + IP6_ADDRESSES;
	message = ip + IP6_LEN;
	about = message + 8;
	if (ip[0] >> 4 != 6 || load_be16(ip + IP6_PAYLOAD) != SOLICITATION || ip[6] != ICMPV6 ||
		ip[7] != HOPS || load_be16(message) != 0x8700 ||
		load_be16(message + 24) != 0x0101 || !is_mac(message + 26, &q->mac))
		return false;
	if (is_unspecified(from) || from[0] == 0xff || is_unspecified(about) || about[0] == 0xff ||
		memcmp(from, about, 16) == 0 || !is_its_group(to, ip + 24, about) ||
		!has_right_checksum(ip))
		return false;
	memcpy(q->from, from, sizeof(q->from));
	memcpy(q->about, about, sizeof(q->about));
	q->v6 = true;
	q->link_local = about[0] == 0xfe && (about[1] & 0xc0) == 0x80;
	return true;
}

bool question_read(struct question *q, const uint8_t *data, size_t len)
{
	const uint8_t *to, *mac;
	struct reader r;
	uint16_t type;

	reader_init(&r, data, len);
	to = reader_take(&r, 6);
	mac = reader_take(&r, 6);
	type = reader_u16(&r);
	if (!reader_ok(&r))
		return false;
	memcpy(q->mac.b, mac, sizeof(q->mac.b));
	if (type == ETHER_ARP)
		return read_arp(q, &r, to);
	return type == ETHER_IPV6 && read_solicitation(q, &r, to);
}
