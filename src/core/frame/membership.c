/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and writing what is said of multicast groups. */
#include "core/frame/membership.h"

#include <string.h>

#include "core/frame/parse.h"
#include "wire/loop_frame.h"

#define TAGS_MAX 2

enum {
	ETHER_IPV4 = 0x0800,
	ETHER_IPV6 = 0x86dd
};

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_IGMP = 2,
	NEXT_ICMPV6 = 58,
	NEXT_PIM = 103
};

enum {
	IGMP_QUERY = 0x11,
	IGMP_REPORT_V1 = 0x12,
	IGMP_REPORT_V2 = 0x16,
	IGMP_LEAVE = 0x17,
	IGMP_REPORT_V3 = 0x22,
	IGMP_ADVERTISEMENT = 0x30
};

enum {
	MLD_QUERY = 130,
	MLD_REPORT_V1 = 131,
	MLD_DONE = 132,
	MLD_REPORT_V2 = 143,
	MLD_ADVERTISEMENT = 151
};

enum {
	IS_INCLUDE = 1,
	IS_EXCLUDE,
	TO_INCLUDE,
	TO_EXCLUDE,
	ALLOW,
	BLOCK
};

#define QUERY_V1_MS    10000u
#define SUPPRESSES     0x08 /* of a query: timers stay as they are */
#define ROBUSTNESS     2
#define LENGTH_V3      12
#define LENGTH_MLD     24
#define LENGTH_MLD_V2  28
#define LINK_SCOPE_MAX 2 /* groups of IPv6 with this scope, or a smaller one, go no further */

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* ---- telling kinds apart ---- */

/* The EtherType behind up to two tags, which r is behind then. */
static uint16_t skip_tags(struct reader *r, unsigned *n_tags)
{
	uint16_t type;

	(void)reader_take(r, 12);
	type = reader_u16(r);
	for (*n_tags = 0; *n_tags < TAGS_MAX && ethertype_is_tag(type); ++*n_tags) {
		(void)reader_take(r, 2);
		type = reader_u16(r);
	}
	return type;
}

static bool is_group_v4(const uint8_t ip[4])
{
	return (ip[0] & 0xf0) == 0xe0;
}

/* 224.0.0.0/24 */
static bool is_link_v4(const uint8_t ip[4])
{
	return ip[0] == 224 && ip[1] == 0 && ip[2] == 0;
}

static bool is_link_v6(const uint8_t ip[16])
{
	return (ip[1] & 15) <= LINK_SCOPE_MAX;
}

static enum multicast_kind kind_igmp(const uint8_t *type)
{
	if (type == NULL)
		return MULTICAST_LINK;
	switch (*type) {
	case IGMP_REPORT_V1:
	case IGMP_REPORT_V2:
	case IGMP_REPORT_V3:
	case IGMP_LEAVE:
		return MULTICAST_REPORT;
	case IGMP_QUERY:
	case IGMP_ADVERTISEMENT:
		return MULTICAST_ROUTER;
	default:
		return MULTICAST_LINK;
	}
}

static enum multicast_kind kind_v4(struct reader *r)
{
	const uint8_t *ip = reader_take(r, IP4_LEN);

	if (ip == NULL || !is_group_v4(ip + 16))
		return MULTICAST_LINK;
	if (ip[9] == NEXT_IGMP) {
		(void)reader_take(r, (ip[0] & 15) > 5 ? 4 * (size_t)((ip[0] & 15) - 5) : 0);
		return kind_igmp(reader_take(r, 1));
	}
	if (!is_link_v4(ip + 16))
		return MULTICAST_STREAM;
	return ip[9] == NEXT_PIM ? MULTICAST_ROUTER : MULTICAST_LINK;
}

static enum multicast_kind kind_icmpv6(const uint8_t *type)
{
	if (type == NULL)
		return MULTICAST_LINK;
	switch (*type) {
	case MLD_REPORT_V1:
	case MLD_REPORT_V2:
	case MLD_DONE:
		return MULTICAST_REPORT;
	case MLD_QUERY:
	case MLD_ADVERTISEMENT:
		return MULTICAST_ROUTER;
	default:
		return MULTICAST_LINK;
	}
}

static enum multicast_kind kind_v6(struct reader *r)
{
	const uint8_t *ip = reader_take(r, IP6_LEN), *options;
	enum multicast_kind kind = MULTICAST_LINK;

	if (ip == NULL || ip[24] != 0xff)
		return MULTICAST_LINK;
	if (ip[6] == NEXT_HOP_BY_HOP && (options = reader_take(r, 8)) != NULL &&
		options[0] == NEXT_ICMPV6) {
		(void)reader_take(r, 8 * (size_t)options[1]);
		kind = kind_icmpv6(reader_take(r, 1));
	}
	if (kind != MULTICAST_LINK)
		return kind;
	if (!is_link_v6(ip + 24))
		return MULTICAST_STREAM;
	return ip[6] == NEXT_PIM ? MULTICAST_ROUTER : MULTICAST_LINK;
}

enum multicast_kind multicast_kind(const uint8_t *data, size_t len)
{
	unsigned n_tags;
	struct reader r;

	reader_init(&r, data, len);
	switch (skip_tags(&r, &n_tags)) {
	case ETHER_IPV4:
		return kind_v4(&r);
	case ETHER_IPV6:
		return kind_v6(&r);
	default:
		return MULTICAST_LINK;
	}
}

/* ---- reading ---- */

static void set_v4(uint8_t out[16], const uint8_t ip[4])
{
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped), ip, 4);
}

/* 4 bytes of IPv4, in its mapped form, or 16; NULL leaves what is there. */
static void set_address(uint8_t out[16], const uint8_t *ip, bool v6)
{
	if (ip == NULL)
		return;
	if (v6)
		memcpy(out, ip, 16);
	else
		set_v4(out, ip);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	while (len > 0)
		if (p[--len] != 0)
			return false;
	return true;
}

/* A code with a mantissa of so many bits, three of exponent above, and one that says so. */
static uint32_t expand(uint32_t code, unsigned bits)
{
	uint32_t mantissa = code & ((1u << bits) - 1), exponent = code >> bits & 7;

	if (code >> (bits + 3) == 0)
		return code;
	return (mantissa | 1u << bits) << (exponent + 3);
}

/* Behind the group of a query of a version that names sources as well, if there is something. */
static void read_sources(struct membership *m, struct reader *r)
{
	uint8_t flags = reader_u8(r);
	uint16_t sources;

	(void)reader_u8(r);
	sources = reader_u16(r);
	if (reader_ok(r) && ((flags & SUPPRESSES) != 0 || sources > 0))
		m->ends = false;
}

static void read_igmp_query(struct membership *m, struct reader *r, uint8_t code, size_t len)
{
	const uint8_t *group = reader_take(r, 4);

	m->response_ms = code == 0 ? QUERY_V1_MS : 100 * (len < LENGTH_V3 ? code : expand(code, 4));
	m->ends = group != NULL && !is_zero(group, 4);
	if (m->ends)
		set_v4(m->group, group);
	if (len >= LENGTH_V3)
		read_sources(m, r);
}

static bool read_igmp(struct membership *m, struct reader r, size_t len)
{
	uint8_t type = reader_u8(&r), code = reader_u8(&r);

	(void)reader_u16(&r);
	switch (type) {
	case IGMP_QUERY:
		m->kind = MEMBERSHIP_QUERY;
		read_igmp_query(m, &r, code, len);
		return len >= 8;
	case IGMP_REPORT_V1:
	case IGMP_REPORT_V2:
	case IGMP_LEAVE:
		m->kind = type == IGMP_LEAVE ? MEMBERSHIP_LEAVE : MEMBERSHIP_JOIN;
		set_address(m->group, reader_take(&r, 4), false);
		return reader_ok(&r);
	case IGMP_REPORT_V3:
		m->kind = MEMBERSHIP_RECORDS;
		(void)reader_u16(&r);
		m->n = reader_u16(&r);
		m->records = r;
		return reader_ok(&r);
	case IGMP_ADVERTISEMENT:
		m->kind = MEMBERSHIP_ROUTER;
		return len >= 8;
	default:
		return false;
	}
}

static bool read_v4(struct membership *m, struct reader *r)
{
	struct reader start = *r, options = *r, body;
	const uint8_t *ip = reader_take(&start, IP4_LEN), *all;
	size_t header, total;

	if (ip == NULL || ip[0] >> 4 != 4)
		return false;
	header = 4 * (size_t)(ip[0] & 15);
	total = load_be16(ip + IP4_TOTAL);
	if (header < IP4_LEN || total < header || (load_be16(ip + IP4_FLAGS) & 0x3fff) != 0)
		return false;
	all = reader_take(&options, total);
	if (all == NULL || sum_bytes(all, header) != 0xffff)
		return false;
	set_v4(m->source, ip + IP4_ADDRESSES);
	if (ip[9] == NEXT_PIM) {
		m->kind = MEMBERSHIP_ROUTER;
		return true;
	}
	if (ip[9] != NEXT_IGMP || total == header ||
		sum_bytes(all + header, total - header) != 0xffff)
		return false;
	reader_init(&body, all + header, total - header);
	return read_igmp(m, body, total - header);
}

static void read_mld_query(struct membership *m, struct reader *r, uint16_t code, size_t len)
{
	const uint8_t *group = reader_take(r, 16);

	m->response_ms = len < LENGTH_MLD_V2 ? code : expand(code, 12);
	m->ends = group != NULL && !is_zero(group, 16);
	if (m->ends)
		memcpy(m->group, group, 16);
	if (len >= LENGTH_MLD_V2)
		read_sources(m, r);
}

static bool read_mld(struct membership *m, struct reader r, size_t len)
{
	uint8_t type = reader_u8(&r);
	uint16_t code;

	(void)reader_take(&r, 3);
	code = reader_u16(&r);
	switch (type) {
	case MLD_QUERY:
		m->kind = MEMBERSHIP_QUERY;
		(void)reader_u16(&r);
		read_mld_query(m, &r, code, len);
		return len >= LENGTH_MLD;
	case MLD_REPORT_V1:
	case MLD_DONE:
		m->kind = type == MLD_DONE ? MEMBERSHIP_LEAVE : MEMBERSHIP_JOIN;
		(void)reader_u16(&r);
		set_address(m->group, reader_take(&r, 16), true);
		return reader_ok(&r);
	case MLD_REPORT_V2:
		m->kind = MEMBERSHIP_RECORDS;
		m->n = reader_u16(&r);
		m->records = r;
		return reader_ok(&r);
	case MLD_ADVERTISEMENT:
		m->kind = MEMBERSHIP_ROUTER;
		return reader_ok(&r);
	default:
		return false;
	}
}

/* With the pseudo-header of RFC 8200, 8.1; a checksum that is right gives 0xffff. */
static uint16_t sum_icmpv6(const uint8_t *addresses, const uint8_t *message, size_t len)
{
	uint32_t sum = (uint32_t)len + NEXT_ICMPV6;

	return sum_fold(
		sum_fold(sum) + (uint32_t)sum_bytes(addresses, 32) + sum_bytes(message, len));
}

static bool read_v6(struct membership *m, struct reader *r)
{
	const uint8_t *ip = reader_take(r, IP6_LEN), *all;
	struct reader body;
	size_t payload, options;

	if (ip == NULL || ip[0] >> 4 != 6)
		return false;
	payload = load_be16(ip + IP6_PAYLOAD);
	all = reader_take(r, payload);
	if (all == NULL)
		return false;
	memcpy(m->source, ip + IP6_ADDRESSES, 16);
	if (ip[6] == NEXT_PIM) {
		m->kind = MEMBERSHIP_ROUTER;
		return true;
	}
	if (ip[6] != NEXT_HOP_BY_HOP || payload < 8 || all[0] != NEXT_ICMPV6 || ip[7] != 1)
		return false;
	options = 8 + 8 * (size_t)all[1];
	if (payload <= options ||
		sum_icmpv6(ip + IP6_ADDRESSES, all + options, payload - options) != 0xffff)
		return false;
	reader_init(&body, all + options, payload - options);
	return read_mld(m, body, payload - options);
}

bool membership_read(struct membership *m, const uint8_t *data, size_t len)
{
	unsigned n_tags;
	struct reader r;

	memset(m, 0, sizeof(*m));
	reader_init(&r, data, len);
	switch (skip_tags(&r, &n_tags)) {
	case ETHER_IPV4:
		break;
	case ETHER_IPV6:
		m->v6 = true;
		break;
	default:
		return false;
	}
	m->nested = n_tags > 1;
	m->vlan = n_tags > 0 ? frame_vlan(data) : 0;
	return m->v6 ? read_v6(m, &r) : read_v4(m, &r);
}

bool membership_next(struct membership *m, struct membership_record *r)
{
	uint8_t type = reader_u8(&m->records), auxiliary = reader_u8(&m->records);
	uint16_t sources = reader_u16(&m->records);
	const uint8_t *group = reader_take(&m->records, m->v6 ? 16 : 4);

	memset(r, 0, sizeof(*r));
	if (m->n == 0 || group == NULL)
		return false;
	m->n--;
	(void)reader_take(&m->records, (size_t)sources * (m->v6 ? 16 : 4) + 4 * (size_t)auxiliary);
	set_address(r->group, group, m->v6);
	r->joins = type == IS_EXCLUDE || type == TO_EXCLUDE ||
		   (sources > 0 && (type == IS_INCLUDE || type == TO_INCLUDE || type == ALLOW));
	r->leaves = type == BLOCK || (type == TO_INCLUDE && sources == 0);
	return reader_ok(&m->records);
}

bool membership_is_limited(const uint8_t group[16])
{
	if (memcmp(group, mapped, sizeof(mapped)) == 0)
		return is_group_v4(group + 12) && !is_link_v4(group + 12);
	return group[0] == 0xff && !is_link_v6(group);
}

struct mac membership_mac(const uint8_t group[16])
{
	struct mac m = {{0x33, 0x33, group[12], group[13], group[14], group[15]}};

	if (memcmp(group, mapped, sizeof(mapped)) == 0)
		m = (struct mac){{0x01, 0x00, 0x5e, group[13] & 0x7f, group[14], group[15]}};
	return m;
}

/* ---- writing ---- */

#define IP4_HEADER 24 /* with the option */

static const uint8_t router_alert_v4[4] = {0x94, 4};
static const uint8_t options_v6[8] = {NEXT_ICMPV6, 0, 5, 2, 0, 0, 1, 0};

static void put_ethernet(struct writer *w, const struct membership_query *q, const struct mac *to)
{
	writer_copy(w, to->b, sizeof(to->b));
	writer_copy(w, q->source.b, sizeof(q->source.b));
	if (q->vlan != 0) {
		writer_u16(w, q->vlan & VLAN_SERVICE ? ETHERTYPE_SERVICE : ETHERTYPE_VLAN);
		writer_u16(w, q->vlan % VLAN_SERVICE);
	}
	writer_u16(w, q->v6 ? ETHER_IPV6 : ETHER_IPV4);
}

static size_t put_v4(uint8_t *out, const struct membership_query *q, const uint8_t to[4],
	uint8_t *message, size_t len)
{
	static const uint8_t nobody[4];
	uint8_t group[16];
	struct writer w;
	struct mac mac;
	size_t at;

	set_v4(group, to);
	mac = membership_mac(group);
	store_be16(message + 2, (uint16_t)~sum_bytes(message, len));
	writer_init(&w, out, MEMBERSHIP_FRAME_MAX);
	put_ethernet(&w, q, &mac);
	at = writer_len(&w);
	writer_u16(&w, 0x46c0);
	writer_u16(&w, (uint16_t)(IP4_HEADER + len));
	writer_u32(&w, 0x4000);
	writer_u16(&w, 1 << 8 | NEXT_IGMP);
	writer_u16(&w, 0);
	writer_copy(&w, nobody, sizeof(nobody));
	writer_copy(&w, to, 4);
	writer_copy(&w, router_alert_v4, sizeof(router_alert_v4));
	writer_copy(&w, message, len);
	store_be16(out + at + IP4_CSUM, (uint16_t)~sum_bytes(out + at, IP4_HEADER));
	return writer_len(&w);
}

/*
 * fe80::ffff and the MAC address: the first byte of an interface identifier made of a hardware
 * address is even, and others are lower but for one in 65,536.
 */
static const uint8_t own_v6[10] = {0xfe, 0x80, [8] = 0xff, [9] = 0xff};

void membership_querier(uint8_t out[16], const struct mac *mac)
{
	memcpy(out, own_v6, sizeof(own_v6));
	memcpy(out + sizeof(own_v6), mac->b, sizeof(mac->b));
}

bool membership_is_edge(const uint8_t source[16])
{
	return memcmp(source, own_v6, sizeof(own_v6)) == 0;
}

static size_t put_v6(uint8_t *out, const struct membership_query *q, const uint8_t to[16],
	uint8_t *message, size_t len)
{
	struct mac mac = membership_mac(to);
	uint8_t addresses[32];
	struct writer w;

	membership_querier(addresses, &q->source);
	memcpy(addresses + 16, to, 16);
	store_be16(message + 2, (uint16_t)~sum_icmpv6(addresses, message, len));
	writer_init(&w, out, MEMBERSHIP_FRAME_MAX);
	put_ethernet(&w, q, &mac);
	writer_u32(&w, UINT32_C(6) << 28);
	writer_u16(&w, (uint16_t)(sizeof(options_v6) + len));
	writer_u8(&w, NEXT_HOP_BY_HOP);
	writer_u8(&w, 1);
	writer_copy(&w, addresses, sizeof(addresses));
	writer_copy(&w, options_v6, sizeof(options_v6));
	writer_copy(&w, message, len);
	return writer_len(&w);
}

size_t membership_query(uint8_t out[MEMBERSHIP_FRAME_MAX], const struct membership_query *q)
{
	static const uint8_t all_v4[4] = {224, 0, 0, 1}, all_v6[16] = {0xff, 2, [15] = 1};
	bool general = is_zero(q->group, 16);
	uint8_t message[LENGTH_MLD_V2] = {0};

	if (q->v6) {
		message[0] = MLD_QUERY;
		store_be16(message + 4, (uint16_t)q->response_ms);
		memcpy(message + 8, q->group, 16);
		message[24] = ROBUSTNESS;
		message[25] = q->interval_s;
		return put_v6(out, q, general ? all_v6 : q->group, message, LENGTH_MLD_V2);
	}
	message[0] = IGMP_QUERY;
	message[1] = (uint8_t)(q->response_ms / 100);
	memcpy(message + 4, q->group + 12, 4);
	message[8] = ROBUSTNESS;
	message[9] = q->interval_s;
	return put_v4(out, q, general ? all_v4 : q->group + 12, message, LENGTH_V3);
}

size_t membership_advertise(uint8_t out[MEMBERSHIP_FRAME_MAX], const struct membership_query *q)
{
	static const uint8_t snoopers_v4[4] = {224, 0, 0, 106};
	static const uint8_t snoopers_v6[16] = {0xff, 2, [15] = 0x6a};
	uint8_t message[8] = {q->v6 ? MLD_ADVERTISEMENT : IGMP_ADVERTISEMENT, q->interval_s};

	store_be16(message + 4, q->interval_s);
	store_be16(message + 6, ROBUSTNESS);
	return q->v6 ? put_v6(out, q, snoopers_v6, message, sizeof(message))
		     : put_v4(out, q, snoopers_v4, message, sizeof(message));
}
