/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places of headers and checksums in a frame, and checksums that were left unset. */
#include "core/frame/offload.h"

#include <string.h>

#include "core/frame/parse.h"

enum {
	ETHER_LEN = 14,
	ETHER_TYPE = 12,
	ETHER_IP4 = 0x0800,
	ETHER_IP6 = 0x86dd,
	ETHER_VLAN = 0x8100,
	ETHER_SERVICE_VLAN = 0x88a8,
	VLAN_LEN = 4,
	VLAN_TAGS = 2
};

enum {
	PROTO_HOP_OPTIONS = 0,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ROUTING = 43,
	PROTO_OPTIONS = 60
};

enum {
	TCP_LEN = 20,
	UDP_LEN = 8,
	IP4_FRAGMENT = 0x3fff,
	EXTENSIONS_MAX = 8
};

/* ---- the layout of a frame ---- */

/*
 * These two leave r at the transport header, with the end of the IP packet as its own. They return
 * the protocol, or a negative value.
 */
static int enter_ip4(struct reader *r)
{
	const uint8_t *ip = reader_take(r, IP4_LEN);
	size_t header, total;

	if (ip == NULL || ip[0] >> 4 != 4 || (load_be16(ip + IP4_FLAGS) & IP4_FRAGMENT) != 0) {
		return -1;
	}
	header = 4u * (ip[0] & 15);
	total = load_be16(ip + IP4_TOTAL);
	if (header < IP4_LEN || total < header) {
		return -1;
	}
	*r = reader_sub(r, total - IP4_LEN);
	return reader_take(r, header - IP4_LEN) ? ip[9] : -1;
}

static int enter_ip6(struct reader *r)
{
	const uint8_t *ip = reader_take(r, IP6_LEN);
	uint8_t next;

	if (ip == NULL || ip[0] >> 4 != 6) {
		return -1;
	}
	*r = reader_sub(r, load_be16(ip + IP6_PAYLOAD));
	next = ip[6];
	for (unsigned n = 0; n <= EXTENSIONS_MAX; n++) {
		const uint8_t *extension;

		if (next != PROTO_HOP_OPTIONS && next != PROTO_ROUTING && next != PROTO_OPTIONS) {
			return reader_ok(r) ? next : -1;
		}
		extension = reader_take(r, 8);
		if (!extension || !reader_take(r, 8u * extension[1])) {
			return -1;
		}
		next = extension[0];
	}
	return -1;
}

static bool take_transport(struct reader *r, bool tcp)
{
	const uint8_t *header = reader_take(r, tcp ? TCP_LEN : UDP_LEN);
	size_t len;

	if (!tcp || !header) {
		return header != NULL;
	}
	len = 4u * (header[12] >> 4);
	return len >= TCP_LEN && reader_take(r, len - TCP_LEN);
}

static bool is_vlan(uint16_t type)
{
	return type == ETHER_VLAN || type == ETHER_SERVICE_VLAN;
}

/* Leaves r behind up to two tags; returns the type of what follows. */
static uint16_t enter_tags(struct reader *r, uint16_t type)
{
	for (unsigned tags = 0; tags < VLAN_TAGS && is_vlan(type); tags++) {
		const uint8_t *vlan = reader_take(r, VLAN_LEN);

		type = vlan != NULL ? load_be16(vlan + 2) : 0;
	}
	return type;
}

bool layout_find(struct layout *l, const uint8_t *data, size_t len)
{
	struct reader r;
	const uint8_t *ether;
	uint16_t type;
	int proto;

	reader_init(&r, data, len);
	ether = reader_take(&r, ETHER_LEN);
	if (ether == NULL) {
		return false;
	}
	type = load_be16(ether + ETHER_TYPE);
	l->l3 = ETHER_LEN;
	if (is_vlan(type)) {
		type = enter_tags(&r, type);
		l->l3 = (uint8_t)(r.p - data);
	}
	if (type != ETHER_IP4 && type != ETHER_IP6) {
		return false;
	}
	l->v6 = type == ETHER_IP6;
	proto = l->v6 ? enter_ip6(&r) : enter_ip4(&r);
	if (proto != PROTO_TCP && proto != PROTO_UDP) {
		return false;
	}
	l->tcp = proto == PROTO_TCP;
	l->l4 = (uint16_t)(r.p - data);
	l->end = (uint32_t)(r.end - data);
	if (!take_transport(&r, l->tcp)) {
		return false;
	}
	l->payload = (uint16_t)(r.p - data);
	return true;
}

/* ---- checksums ---- */

static uint64_t add_carry(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static uint64_t native64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The sum of at most 7 bytes, as words in the order of the machine. */
static uint64_t native_rest(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	uint32_t four;
	uint16_t two;

	if ((len & 4) != 0) {
		memcpy(&four, p, sizeof(four));
		sum += four;
		p += sizeof(four);
	}
	if ((len & 2) != 0) {
		memcpy(&two, p, sizeof(two));
		sum += two;
		p += sizeof(two);
	}
	if ((len & 1) != 0) {
		memcpy(&two, (const uint8_t[]){p[0], 0}, sizeof(two));
		sum += two;
	}
	return sum;
}

/* RFC 1071, 2: words of any size and order may be added, if carries go round. */
uint16_t sum_bytes(const uint8_t *p, size_t len)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	uint16_t folded;
	uint8_t bytes[2];

	for (; len >= 32; p += 32, len -= 32) {
		a = add_carry(a, native64(p));
		b = add_carry(b, native64(p + 8));
		c = add_carry(c, native64(p + 16));
		d = add_carry(d, native64(p + 24));
	}
	for (; len >= 8; p += 8, len -= 8) {
		a = add_carry(a, native64(p));
	}
	a = add_carry(add_carry(a, b), add_carry(c, add_carry(d, native_rest(p, len))));
	a = (a & 0xffffffff) + (a >> 32);
	folded = sum_fold(sum_fold((uint32_t)a) + (uint32_t)(a >> 32));
	memcpy(bytes, &folded, sizeof(bytes));
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

bool offload_locate(struct frame *f)
{
	struct layout l;

	if (!layout_find(&l, f->data, f->len) || l.end != f->len) {
		return false;
	}
	f->offload = (struct offload){
		.csum_unset = true,
		.csum_start = l.l4,
		.csum_offset = layout_csum_offset(&l),
	};
	return true;
}

bool offload_travels(const struct frame *f)
{
	struct frame seen = *f;

	return f->offload.kind == OFFLOAD_NONE && f->offload.csum_unset && offload_locate(&seen) &&
	       seen.offload.csum_start == f->offload.csum_start &&
	       seen.offload.csum_offset == f->offload.csum_offset;
}

bool offload_fill(struct frame *f)
{
	const size_t start = f->offload.csum_start;
	const size_t field = start + f->offload.csum_offset;
	uint16_t sum;

	if (!f->offload.csum_unset) {
		return true;
	}
	if (field + 2 > f->len) {
		return false;
	}
	sum = (uint16_t)~sum_bytes(f->data + start, f->len - start);
	/* To UDP 0 says that there is no checksum; to all others both are the same. */
	store_be16(f->data + field, sum ? sum : 0xffff);
	f->offload = (struct offload){.kind = OFFLOAD_NONE};
	return true;
}
