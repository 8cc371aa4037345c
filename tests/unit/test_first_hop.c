/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What frames say of the first hop, plain and disguised in every way in which a host would take it:
 * found at each, in no other, and without a look behind the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame/announce.h"
#include "core/frame/first_hop.h"

#include <cmocka.h>

#define CAP 2000

/* A frame as it is put together: wrappers, then extension headers, then what it is about. */
struct packet {
	uint8_t data[CAP];
	size_t len;
	size_t next;  /* where the next header's number goes; 0: nowhere */
	size_t needs; /* fewer bytes are not it */
};

static const uint8_t source[16] = {0xfd, [15] = 2}, target[16] = {0xfd, [15] = 3};
static const uint8_t v4_source[16] = {[10] = 0xff, 0xff, 10, 1, 2, 3};

static void put(struct packet *p, const void *bytes, size_t len)
{
	assert_true(p->len + len <= CAP);
	if (bytes != NULL)
		memcpy(p->data + p->len, bytes, len);
	else
		memset(p->data + p->len, 0, len);
	p->len += len;
}

static void put16(struct packet *p, uint16_t value)
{
	put(p, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void begin(struct packet *p)
{
	*p = (struct packet){.len = 0};
	put(p, NULL, 12);
}

static void put_tag(struct packet *p, uint16_t type)
{
	put16(p, type);
	put16(p, 5);
}

static void put_snap(struct packet *p, uint8_t last)
{
	put16(p, 60);
	put(p, (uint8_t[]){0xaa, 0xaa, 3, 0, 0, last}, 6);
}

static void put_arp(struct packet *p, uint16_t hardware, uint8_t hardware_len, const uint8_t ip[4])
{
	put16(p, 0x0806);
	put16(p, hardware);
	put16(p, 0x0800);
	put(p, (uint8_t[]){hardware_len, 4, 0, 1}, 4);
	put(p, NULL, hardware_len);
	put(p, ip, 4);
	p->needs = p->len;
	put(p, NULL, (size_t)hardware_len + 4);
}

/* options: words of them; at: offset of the fragment, in units of 8 bytes. */
static void put_v4(struct packet *p, uint8_t protocol, unsigned options, uint16_t fragment)
{
	put16(p, 0x0800);
	put(p, (uint8_t[]){(uint8_t)(0x45 + options), 0, 0, 0, 0, 0}, 6);
	put16(p, fragment);
	put(p, (uint8_t[]){64, protocol, 0, 0}, 4);
	put(p, v4_source + 12, 4);
	put(p, NULL, 4 + 4 * options);
}

static void put_v6(struct packet *p)
{
	put16(p, 0x86dd);
	put(p, (uint8_t[]){0x60, 0, 0, 0, 0, 0}, 6);
	p->next = p->len;
	put(p, (uint8_t[]){59, 255}, 2);
	put(p, source, 16);
	put(p, (uint8_t[16]){0xff, 2, [15] = 1}, 16);
}

static void put_header(struct packet *p, uint8_t which, uint8_t units)
{
	p->data[p->next] = which;
	p->next = p->len;
	put(p, (uint8_t[]){59, units}, 2);
	put(p, NULL, which == 51 ? 4 * (size_t)units + 6 : 8 * (size_t)units + 6);
}

static void put_fragment(struct packet *p, uint16_t at)
{
	p->data[p->next] = 44;
	p->next = p->len;
	put(p, (uint8_t[]){59, 0}, 2);
	put16(p, (uint16_t)(at << 3 | 1));
	put(p, NULL, 4);
}

static void put_icmp(struct packet *p, uint8_t type)
{
	p->data[p->next] = 58;
	put(p, (uint8_t[]){type, 0, 0, 0, 0, 0, 0, 0}, 8);
	p->needs = type == 134 || type == 137 ? p->len - 7 : p->len;
	put(p, target, 16);
	if (type == 136)
		p->needs = p->len;
	put(p, (uint8_t[8]){type == 135 ? 1 : 2, 1}, 8);
}

static void put_icmp_v4(struct packet *p, uint8_t type)
{
	put(p, (uint8_t[]){type}, 1);
	p->needs = p->len;
	put(p, NULL, 40);
}

static void put_udp(struct packet *p, uint16_t from, uint16_t to)
{
	if (p->next != 0)
		p->data[p->next] = 17;
	put16(p, from);
	put16(p, to);
	p->needs = p->len;
	put(p, NULL, 40);
}

/* At each length, in a block of its own, so that a sanitizer sees the first byte beyond. */
static void check(const struct packet *p, enum first_hop_kind kind, const uint8_t ip[16])
{
	static const uint8_t none[16];
	struct first_hop said;

	for (size_t len = 14; len <= p->len; len++) {
		uint8_t *block = malloc(len);

		assert_non_null(block);
		memcpy(block, p->data, len);
		first_hop_read(&said, block, len);
		if (said.kind != FIRST_HOP_OTHER)
			assert_true(first_hop_likely(block, len));
		if (len >= p->needs && kind != FIRST_HOP_HIDDEN) {
			assert_int_equal(said.kind, kind);
			assert_memory_equal(said.ip, ip != NULL ? ip : none, 16);
		} else if (kind != FIRST_HOP_HIDDEN) {
			assert_int_equal(said.kind, FIRST_HOP_OTHER);
		}
		free(block);
	}
	assert_int_equal(said.kind, kind);
}

/* What each wrapping takes before the frame proper. */
static void wrap(struct packet *p, unsigned how)
{
	begin(p);
	switch (how) {
	case 1:
		put_tag(p, 0x8100);
		break;
	case 2:
		put_tag(p, 0x88a8);
		put_tag(p, 0x8100);
		break;
	case 3: /* priority tags, one upon the other */
		for (unsigned i = 0; i < 4; i++)
			put_tag(p, 0x8100);
		break;
	case 4:
		put_snap(p, 0);
		break;
	case 5:
		put_tag(p, 0x8100);
		put_snap(p, 0xf8);
		break;
	case 6:
		put_snap(p, 0);
		put_tag(p, 0x9100);
		break;
	default:
		break;
	}
}

#define WRAPPINGS 7

static void arp_speaks_for_its_sender(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned how = 0; how < WRAPPINGS; how++) {
		wrap(&p, how);
		put_arp(&p, 1, 6, v4_source + 12);
		check(&p, FIRST_HOP_NEIGHBOUR, v4_source);
		wrap(&p, how);
		put_arp(&p, 6, 6, v4_source + 12); /* IEEE 802, which hosts take too */
		check(&p, FIRST_HOP_NEIGHBOUR, v4_source);
		wrap(&p, how);
		put_arp(&p, 1, 0, v4_source + 12);
		check(&p, FIRST_HOP_NEIGHBOUR, v4_source);
		wrap(&p, how);
		put_arp(&p, 1, 6, (const uint8_t[4]){0}); /* a probe */
		check(&p, FIRST_HOP_OTHER, NULL);
	}
}

static void neighbour_discovery_speaks_for_who_is_named(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned how = 0; how < WRAPPINGS; how++)
		for (unsigned headers = 0; headers <= 8; headers++) {
			wrap(&p, how);
			put_v6(&p);
			for (unsigned i = 0; i < headers; i++)
				put_header(&p,
					(const uint8_t[]){60, 0, 43, 51, 135, 139, 140}[i % 7],
					(uint8_t)i);
			for (uint8_t type = 130; type < 140; type++) {
				struct packet whole = p;

				put_icmp(&whole, type);
				if (type == 134 || type == 137)
					check(&whole, FIRST_HOP_ROUTER, source);
				else if (type == 133 || type == 135)
					check(&whole, FIRST_HOP_NEIGHBOUR, source);
				else
					check(&whole,
						type == 136 ? FIRST_HOP_NEIGHBOUR : FIRST_HOP_OTHER,
						type == 136 ? target : NULL);
			}
		}
}

/* Whoever looks whether an address is free speaks for nobody yet. */
static void detection_of_duplicates_speaks_for_nobody(void **state)
{
	struct packet p;

	(void)state;
	begin(&p);
	put_v6(&p);
	memset(p.data + 22, 0, 16);
	put_icmp(&p, 135);
	check(&p, FIRST_HOP_OTHER, NULL);
}

static void whoever_sends_to_a_client_is_a_server(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned how = 0; how < WRAPPINGS; how++)
		for (unsigned i = 0; i < 4; i++) {
			wrap(&p, how);
			put_v4(&p, 17, 2 * i, i % 2 ? 0x2000 : 0); /* whole, or a first fragment */
			put_udp(&p, i % 2 ? 67 : 5000, 68);
			check(&p, FIRST_HOP_DHCP, NULL);
			wrap(&p, how);
			put_v6(&p);
			for (unsigned k = 0; k < i; k++)
				put_header(&p, 60, 1);
			put_udp(&p, i % 2 ? 547 : 5000, 546);
			check(&p, FIRST_HOP_DHCP, NULL);
		}
}

/* Behind the options, or where they are; whatever version and length of the header say. */
static void a_client_may_look_for_the_ports_where_it_likes(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned how = 0; how < WRAPPINGS; how++)
		for (unsigned first = 0; first <= UINT8_MAX; first++) {
			size_t ip, behind = 4 * (first & 15);

			wrap(&p, how);
			put_v4(&p, 17, 0, 0);
			ip = p.len - 20;
			p.data[ip] = (uint8_t)first;
			put_udp(&p, 67, 68);
			check(&p, FIRST_HOP_DHCP, NULL);
			wrap(&p, how);
			put_v4(&p, 17, 0, 0);
			p.data[ip] = (uint8_t)first;
			put_udp(&p, 68, 67);
			check(&p, FIRST_HOP_OTHER, NULL);
			if (behind < 12)
				continue;
			store_be16(p.data + ip + behind + 2, 68);
			p.needs = ip + behind + 4 > ip + 20 ? ip + behind + 4 : ip + 20;
			check(&p, FIRST_HOP_DHCP, NULL);
		}
}

/* Redirects and advertisements of IPv4, and no other type, such as an echo. */
static void who_leads_out_of_ipv4_is_a_router(void **state)
{
	struct packet p;

	(void)state;
	for (unsigned how = 0; how < WRAPPINGS; how++)
		for (unsigned type = 0; type <= UINT8_MAX; type++)
			for (unsigned options = 0; options <= 10; options += 5) {
				bool routes = type == 5 || type == 9;

				wrap(&p, how);
				put_v4(&p, 1, options, options == 5 ? 0x2000 : 0);
				put_icmp_v4(&p, (uint8_t)type);
				check(&p, routes ? FIRST_HOP_ROUTER : FIRST_HOP_OTHER,
					routes ? v4_source : NULL);
				if (how < 2 && options == 0)
					assert_int_equal(first_hop_likely(p.data, p.len), routes);
			}
	begin(&p);
	put_v4(&p, 1, 0, 100); /* a later fragment */
	put_icmp_v4(&p, 5);
	check(&p, FIRST_HOP_OTHER, NULL);
}

static void what_a_fragment_may_hide_is_taken_for_it(void **state)
{
	struct first_hop said;
	struct packet p;

	(void)state;
	for (uint8_t type = 133; type <= 137; type++) {
		begin(&p);
		put_v6(&p);
		put_fragment(&p, 0);
		put_icmp(&p, type);
		check(&p, FIRST_HOP_HIDDEN, NULL);
		begin(&p);
		put_v6(&p);
		put_header(&p, 60, 2);
		put_fragment(&p, 0);
		put_header(&p, 60, 2);
		put_icmp(&p, type);
		check(&p, FIRST_HOP_HIDDEN, NULL);
	}
	/* The header that counts is in the next fragment. */
	begin(&p);
	put_v6(&p);
	put_fragment(&p, 0);
	put_header(&p, 60, 3);
	p.data[p.next + 1] = 40;
	check(&p, FIRST_HOP_HIDDEN, NULL);
	/* More headers than are looked behind, and more tags. */
	begin(&p);
	put_v6(&p);
	for (unsigned i = 0; i < 9; i++)
		put_header(&p, 60, 0);
	put_icmp(&p, 134);
	check(&p, FIRST_HOP_HIDDEN, NULL);
	begin(&p);
	for (unsigned i = 0; i < 5; i++)
		put_tag(&p, 0x8100);
	put_arp(&p, 1, 6, v4_source + 12);
	check(&p, FIRST_HOP_HIDDEN, NULL);
	/* A fragment of a DHCP answer is one. */
	begin(&p);
	put_v6(&p);
	put_fragment(&p, 0);
	put_udp(&p, 547, 546);
	first_hop_read(&said, p.data, p.len);
	assert_int_equal(said.kind, FIRST_HOP_DHCP);
}

static void other_frames_are_none(void **state)
{
	struct first_hop said;
	struct packet p;

	(void)state;
	for (unsigned how = 0; how < WRAPPINGS; how++) {
		wrap(&p, how);
		put_v4(&p, 17, 0, 0);
		put_udp(&p, 68, 67); /* a client */
		check(&p, FIRST_HOP_OTHER, NULL);
		wrap(&p, how);
		put_v4(&p, 17, 0, 100); /* a later fragment has no ports */
		put_udp(&p, 67, 68);
		check(&p, FIRST_HOP_OTHER, NULL);
		wrap(&p, how);
		put_v4(&p, 6, 0, 0);
		put_udp(&p, 67, 68); /* ports of TCP */
		check(&p, FIRST_HOP_OTHER, NULL);
		wrap(&p, how);
		put_v6(&p);
		put_udp(&p, 546, 547);
		check(&p, FIRST_HOP_OTHER, NULL);
		wrap(&p, how);
		put_v6(&p);
		put_fragment(&p, 100);
		put_icmp(&p, 134);
		check(&p, FIRST_HOP_OTHER, NULL);
		wrap(&p, how);
		put_v6(&p);
		put_fragment(&p, 0);
		put_icmp(&p, 128);
		first_hop_read(&said, p.data, p.len);
		assert_int_equal(said.kind, FIRST_HOP_OTHER);
		wrap(&p, how);
		put16(&p, 0x88b5);
		put(&p, NULL, 60);
		check(&p, FIRST_HOP_OTHER, NULL);
	}
	begin(&p); /* a BPDU */
	put16(&p, 38);
	put(&p, (uint8_t[]){0x42, 0x42, 3}, 3);
	put(&p, NULL, 43);
	check(&p, FIRST_HOP_OTHER, NULL);
}

/* Of another protocol, version or type. */
static void what_no_host_takes_is_none(void **state)
{
	static const struct {
		size_t at; /* in ARP or IPv4, behind the EtherType */
		uint8_t is;
	} wrong[] = {{2, 9}, {5, 16}, {5, 3}};
	struct packet p;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		begin(&p);
		put_arp(&p, 1, 6, v4_source + 12);
		p.data[14 + wrong[i].at] = wrong[i].is;
		check(&p, FIRST_HOP_OTHER, NULL);
	}
	begin(&p);
	put_v6(&p);
	p.data[14] = 0x40;
	put_icmp(&p, 134);
	check(&p, FIRST_HOP_OTHER, NULL);
	begin(&p);
	put16(&p, 0x0600); /* the first EtherType that is no length */
	put(&p, (uint8_t[]){0xaa, 0xaa, 3, 0, 0, 0}, 6);
	put_arp(&p, 1, 6, v4_source + 12);
	check(&p, FIRST_HOP_OTHER, NULL);
}

static void most_data_takes_no_second_look(void **state)
{
	static const uint8_t protocols[] = {6, 17};
	struct packet p;

	(void)state;
	for (unsigned tagged = 0; tagged < 2; tagged++)
		for (unsigned i = 0; i < 2; i++) {
			wrap(&p, tagged);
			put_v4(&p, protocols[i], 0, 0);
			put(&p, NULL, 20);
			assert_false(first_hop_likely(p.data, p.len));
			wrap(&p, tagged);
			put_v6(&p);
			p.data[p.next] = protocols[i];
			put(&p, NULL, 20);
			assert_false(first_hop_likely(p.data, p.len));
		}
}

/* What an edge tells its own host is what it would keep others from saying. */
static void our_announcements_are_of_that_kind(void **state)
{
	static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	uint8_t out[ANNOUNCE_MAX];
	struct first_hop said;

	(void)state;
	first_hop_read(&said, out, announce_frame(out, &mac, v4_source));
	assert_int_equal(said.kind, FIRST_HOP_NEIGHBOUR);
	assert_memory_equal(said.ip, v4_source, 16);
	first_hop_read(&said, out, announce_frame(out, &mac, target));
	assert_int_equal(said.kind, FIRST_HOP_NEIGHBOUR);
	assert_memory_equal(said.ip, target, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_speaks_for_its_sender),
		cmocka_unit_test(neighbour_discovery_speaks_for_who_is_named),
		cmocka_unit_test(detection_of_duplicates_speaks_for_nobody),
		cmocka_unit_test(whoever_sends_to_a_client_is_a_server),
		cmocka_unit_test(a_client_may_look_for_the_ports_where_it_likes),
		cmocka_unit_test(who_leads_out_of_ipv4_is_a_router),
		cmocka_unit_test(what_a_fragment_may_hide_is_taken_for_it),
		cmocka_unit_test(other_frames_are_none),
		cmocka_unit_test(what_no_host_takes_is_none),
		cmocka_unit_test(most_data_takes_no_second_look),
		cmocka_unit_test(our_announcements_are_of_that_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
