/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which kind of frame to many a frame is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame/flooded.h"
#include "wire/loop_frame.h"

#include <cmocka.h>

#define ALL   "\xff\xff\xff\xff\xff\xff"
#define HOST  "\x02\0\0\0\x09\x09"
#define IP4   "\x08\0\x45\0\0\x30\0\0\0\0\x01"
#define IP4_2 "\0\0\x0a\1\2\x09\xe0\0\0\1"
#define IP6   "\x86\xdd\x60\0\0\0\0\x20"
#define IP6_2 "\xff\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

#define REST "\0\0\0\0"

struct sample {
	const char *bytes;
	size_t len;
	enum flood_kind kind;
	const char *what;
};

#define S(kind, bytes, what)                                                                       \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, FLOOD_##kind, what                                       \
	}

static const struct sample samples[] = {
	S(UNKNOWN, "\x52\x54\0\0\0\1" HOST "\x08\0", "to one host"),
	S(UNKNOWN, "\x52\x54\0\0\0\1" HOST "\x08\6", "ARP to one host"),
	S(VITAL, ALL HOST "\x08\6", "ARP"),
	S(VITAL, ALL HOST "\x81\0\0\5\x08\6", "ARP in a VLAN"),
	S(VITAL, "\1\x80\xc2\0\0\x0e" HOST "\x88\xcc", "LLDP"),
	S(VITAL, "\1\x80\xc2\0\0\0" HOST "\0\x26\x42\x42\3", "spanning tree"),
	S(VITAL, "\1\0\x0c\xcc\xcc\xcd" HOST "\0\x32\xaa\xaa\3", "spanning tree of each VLAN"),
	S(VITAL, ALL HOST IP4 "\x11" IP4_2 "\0\x44\0\x43" REST, "DHCP"),
	S(VITAL, "\1\0\x5e\0\0\x09" HOST IP4 "\x11" IP4_2 "\2\x08\2\x08" REST, "RIP"),
	S(VITAL, "\1\0\x5e\0\0\5" HOST IP4 "\x59" IP4_2, "OSPF"),
	S(VITAL, "\1\0\x5e\0\0\x12" HOST IP4 "\x70" IP4_2, "VRRP"),
	S(VITAL, "\1\0\x5e\0\0\x16" HOST "\x08\0\x46\0\0\x30\0\0\0\0\x01\2" IP4_2 "\x94\4\0\0",
		"IGMP with a router alert"),
	S(VITAL, "\x33\x33\xff\0\0\1" HOST IP6 "\x3a" IP6_2 "\x87\0\0\0" REST, "a solicitation"),
	S(VITAL, "\x33\x33\0\0\0\x16" HOST IP6 "\0" IP6_2 "\x3a\0\5\2\0\0\1\0\x8f\0\0\0" REST,
		"MLD"),
	S(VITAL, "\x33\x33\0\1\0\2" HOST IP6 "\x11" IP6_2 "\2\x22\2\x23" REST, "DHCP of IPv6"),
	S(VITAL, "\x33\x33\0\0\0\5" HOST IP6 "\x59" IP6_2, "OSPF of IPv6"),
	S(BROADCAST, ALL HOST IP4 "\x11" IP4_2 "\x17\x17\x17\x17", "a game"),
	S(BROADCAST, ALL HOST "\x08\0\x45\0\0\x30\0\0\0\1\x01\x11" IP4_2 "\0\x44\0\x43",
		"what is no first fragment"),
	S(BROADCAST, ALL HOST "\x88\xb5", "anything"),
	S(BROADCAST, ALL HOST "\0\x30\xf0\xf0\3", "NetBIOS of old"),
	S(MULTICAST, "\1\0\x5e\0\0\xfb" HOST IP4 "\x11" IP4_2 "\x14\xe9\x14\xe9", "mDNS"),
	S(MULTICAST, "\x33\x33\0\0\0\xfb" HOST IP6 "\x11" IP6_2 "\x14\xe9\x14\xe9", "mDNS of IPv6"),
	S(MULTICAST, "\x33\x33\0\0\0\1" HOST IP6 "\x3a" IP6_2 "\x80\0\0\0" REST,
		"ping to all nodes"),
	S(MULTICAST, "\3\0\0\0\0\1" HOST "\x12\x34", "not of IP"),
	S(STREAM, "\1\0\x5e\x7f\xff\xfa" HOST IP4 "\x11" IP4_2 "\7\x6c\7\x6c", "SSDP"),
	S(STREAM,
		"\x33\x33\0\0\0\x99" HOST IP6 "\x11"
		"\xff\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\xff\5"
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\x99"
		"\x14\xe9\x14\xe9",
		"of a site"),
};

/* In memory of its own length, so that a sanitizer sees who reads beyond it. */
static enum flood_kind kind_of(const void *data, size_t len)
{
	uint8_t *block = malloc(len);
	enum flood_kind kind;

	assert_non_null(block);
	memcpy(block, data, len);
	kind = flooded_kind(block, len);
	free(block);
	return kind;
}

static void what_a_network_stands_on_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		if (kind_of(samples[i].bytes, samples[i].len) != samples[i].kind)
			fail_msg("%s", samples[i].what);
}

/* It may be less than it was, but is never another thing that a network stands on. */
static void cut_short_it_reads_no_further(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
		for (size_t len = FRAME_MIN; len < samples[i].len; len++) {
			enum flood_kind kind = kind_of(samples[i].bytes, len);

			assert_true(kind < FLOOD_KINDS);
			if (samples[i].kind != FLOOD_VITAL)
				assert_int_not_equal(kind, FLOOD_VITAL);
		}
}

static void loop_probes_have_a_kind_of_their_own(void **state)
{
	struct loop_frame f = {.kind = LOOP_PROBE, .source = {{10, 1, 2, 3, 4, 5}}};
	uint8_t out[LOOP_FRAME_MAX];

	(void)state;
	for (f.vlan = 0; f.vlan < 6; f.vlan += 5)
		assert_int_equal(kind_of(out, loop_frame_encode(out, &f)), FLOOD_PROBE);
	f.kind = LOOP_ANNOUNCEMENT;
	assert_int_equal(kind_of(out, loop_frame_encode(out, &f)), FLOOD_BROADCAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_network_stands_on_is_told_apart),
		cmocka_unit_test(cut_short_it_reads_no_further),
		cmocka_unit_test(loop_probes_have_a_kind_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
