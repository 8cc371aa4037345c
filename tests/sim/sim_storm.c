/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hosts that send to everybody: as much as hosts do, and more than anybody should. */
#include <stdio.h>

#include "sim_hosts.h"

#define FEW    6
#define TELLER 1 /* whose host it is that sends */

/* ---- what a host says when it is switched on ---- */

struct saying {
	uint32_t at_ms;
	uint8_t to[6];
	uint16_t len;
	const char *body; /* from the EtherType on; what follows is zeros */
	size_t body_len;
};

#define B(text) text, sizeof(text) - 1
#define IP4(protocol, ports)                                                                       \
	B("\x08\0\x45\0\0\x60\0\0\0\0\x01" protocol "\0\0\x0a\1\2\x09\xff\xff\xff\xff" ports)
#define IP6(next, rest)                                                                            \
	B("\x86\xdd\x60\0\0\0\0\x30" next                                                          \
	  "\xff\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\x16" rest)
#define ALL                                                                                        \
	{                                                                                          \
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff                                                 \
	}
#define MDNS                                                                                       \
	{                                                                                          \
		1, 0, 0x5e, 0, 0, 0xfb                                                             \
	}
#define SSDP                                                                                       \
	{                                                                                          \
		1, 0, 0x5e, 0x7f, 0xff, 0xfa                                                       \
	}
#define IGMP                                                                                       \
	{                                                                                          \
		1, 0, 0x5e, 0, 0, 0x16                                                             \
	}
#define MLD                                                                                        \
	{                                                                                          \
		0x33, 0x33, 0, 0, 0, 0x16                                                          \
	}
#define RS                                                                                         \
	{                                                                                          \
		0x33, 0x33, 0, 0, 0, 2                                                             \
	}

static const struct saying start_up[] = {
	{0, ALL, 342, IP4("\x11", "\0\x44\0\x43")}, /* DHCP, three times */
	{2000, ALL, 342, IP4("\x11", "\0\x44\0\x43")},
	{4000, ALL, 342, IP4("\x11", "\0\x44\0\x43")},
	{100, MLD, 90, IP6("\0", "\x3a\0\5\2\0\0\1\0\x8f")},
	{300, MLD, 90, IP6("\0", "\x3a\0\5\2\0\0\1\0\x8f")},
	{200, IGMP, 60, IP4("\2", "\x22")},
	{600, IGMP, 60, IP4("\2", "\x22")},
	{500, RS, 70, IP6("\x3a", "\x85")},
	{4500, RS, 70, IP6("\x3a", "\x85")},
	{8500, RS, 70, IP6("\x3a", "\x85")},
	{250, MDNS, 200, IP4("\x11", "\x14\xe9\x14\xe9")}, /* probes and announcements */
	{500, MDNS, 200, IP4("\x11", "\x14\xe9\x14\xe9")},
	{750, MDNS, 200, IP4("\x11", "\x14\xe9\x14\xe9")},
	{1000, MDNS, 600, IP4("\x11", "\x14\xe9\x14\xe9")},
	{2000, MDNS, 600, IP4("\x11", "\x14\xe9\x14\xe9")},
	{1500, ALL, 110, IP4("\x11", "\0\x89\0\x89")}, /* NetBIOS names */
	{2250, ALL, 110, IP4("\x11", "\0\x89\0\x89")},
	{3000, ALL, 110, IP4("\x11", "\0\x89\0\x89")},
	{3750, ALL, 110, IP4("\x11", "\0\x89\0\x89")},
	{3800, ALL, 240, IP4("\x11", "\0\x8a\0\x8a")},
	{1200, SSDP, 300, IP4("\x11", "\7\x6c\7\x6c")},
	{1210, SSDP, 300, IP4("\x11", "\7\x6c\7\x6c")},
	{1220, SSDP, 300, IP4("\x11", "\7\x6c\7\x6c")},
	{1230, SSDP, 300, IP4("\x11", "\7\x6c\7\x6c")},
	{1240, SSDP, 300, IP4("\x11", "\7\x6c\7\x6c")},
	{5000, ALL, 120, IP4("\x11", "\x17\x17\x17\x17")}, /* a game looks for servers */
	{6000, ALL, 120, IP4("\x11", "\x17\x17\x17\x17")},
	{7000, ALL, 120, IP4("\x11", "\x17\x17\x17\x17")},
};

static void host_says_that(struct sim_node *from, const struct saying *s)
{
	const struct mac own = sim_mac(from);
	uint8_t data[1500] = {0};

	memcpy(data, s->to, 6);
	memcpy(data + 6, own.b, 6);
	memcpy(data + 12, s->body, s->body_len);
	host_says(from, data, s->len);
}

/* From begin_ms on, a step of 100 ms at a time. */
static void hosts_start_up(struct hosts *h, uint64_t begin_ms)
{
	uint64_t past_ms = h->s->now_ms - begin_ms;

	for (unsigned i = 1; i < h->n; i++) {
		for (size_t k = 0; k < sizeof(start_up) / sizeof(*start_up); k++)
			if (start_up[k].at_ms / 100 == past_ms / 100)
				host_says_that(h->s->nodes[i], &start_up[k]);
		if (past_ms % 1000 == 0 && past_ms < 5000)
			(void)host_uses(h, i, 1 + (i + (unsigned)past_ms / 1000 * 7) % (h->n - 1));
	}
}

static void assert_nobody_complains(const struct hosts *h)
{
	for (unsigned i = 1; i < h->n; i++) {
		const struct sim_node *n = h->s->nodes[i];

		assert_int_equal(n->events[EVENT_STORM], 0);
		assert_int_equal(sim_drops(n, DROP_STORM), 0);
		assert_int_equal(sim_drops(n, DROP_PEER_STORM), 0);
		assert_int_equal(sim_drops(n, DROP_FLOOD), 0);
	}
}

static void all_start(unsigned edges, bool relayed)
{
	struct hosts h;
	uint64_t begin_ms, datagrams;

	hosts_init(&h, edges);
	sim_block_direct(h.s, relayed);
	sim_start_all(h.s);
	assert_true(sim_until(h.s, 30000, sim_all_registered, h.s));
	begin_ms = h.s->now_ms;
	datagrams = h.s->datagrams;
	while (h.s->now_ms < begin_ms + 12000) {
		hosts_start_up(&h, begin_ms);
		hosts_run(&h, 100);
	}
	printf("%u edges, %s: %u frames to all heard of each host in 12 s, %.0f datagrams a "
	       "second\n",
		edges, relayed ? "relayed" : "direct", (unsigned)(h.others / edges / (edges - 1)),
		(double)(h.s->datagrams - datagrams) / 12);
	assert_nobody_complains(&h);
	assert_true(h.others >= (uint64_t)edges * (edges - 1) * 15);
	hosts_fini(&h);
}

static void all_may_start_at_once(void **state)
{
	(void)state;
	all_start(40, false);
	all_start(40, true);
}

static void two_hundred_may_start_at_once(void **state)
{
	(void)state;
	all_start(200, true);
}

/* ---- what one host does at its worst in earnest ---- */

static void start(struct hosts *h)
{
	hosts_init(h, FEW);
	sim_start_all(h->s);
	assert_true(sim_until(h->s, 30000, sim_all_up, h->s));
	sim_run(h->s, 10000);
	h->heard = h->others = 0;
}

static void one_may_look_for_200_who_are_not_there(void **state)
{
	struct hosts h;

	for (unsigned relayed = 0; relayed < 2; relayed++) {
		(void)state;
		start(&h);
		sim_block_direct(h.s, relayed == 1);
		hosts_run(&h, relayed == 1 ? 30000 : 0);
		h.heard = 0;
		for (unsigned i = 0; i < TRIES; i++) {
			for (unsigned k = 0; k < 200; k++) {
				const uint8_t about[4] = {10, 9, 9, (uint8_t)k};
				uint8_t own[4];

				address_of(own, TELLER);
				say_arp(h.s->nodes[TELLER], &to_everybody, 1, own, about);
			}
			hosts_run(&h, AGAIN_MS);
			/* By relay there is room for each to be asked for once at least. */
			if (i == 0 || relayed == 0)
				assert_int_equal(h.heard, (i + 1) * 200 * (FEW - 1));
		}
		assert_int_equal(h.s->nodes[TELLER]->events[EVENT_STORM], 0);
		hosts_fini(&h);
	}
}

/* ---- more than anybody should ---- */

static void flood(struct hosts *h, unsigned per_step, unsigned steps, const uint8_t to[6])
{
	struct saying s = {.len = 100, .body = "\x08\0\x45", .body_len = 3};

	memcpy(s.to, to, 6);
	for (unsigned i = 0; i < steps; i++) {
		for (unsigned k = 0; k < per_step; k++)
			host_says_that(h->s->nodes[TELLER], &s);
		sim_run(h->s, 10);
	}
}

static void who_floods_is_held_and_named(void **state)
{
	const struct event *e;
	struct hosts h;
	uint64_t heard;

	(void)state;
	start(&h);
	e = &h.s->nodes[TELLER]->last_event[EVENT_STORM];
	flood(&h, 20, 1000, to_everybody.b); /* 2,000 a second, for 10 s */
	heard = h.others / (FEW - 1);
	assert_in_range(heard, 600 + 1900, 600 + 2100);
	assert_int_equal(h.s->nodes[TELLER]->events[EVENT_STORM], 1);
	assert_memory_equal(e->mac.b, sim_mac(h.s->nodes[TELLER]).b, 6);
	assert_int_equal(e->flood, FLOOD_BROADCAST);
	assert_in_range(e->value, 1500, 2000);
	assert_null(e->key);
	assert_true(sim_drops(h.s->nodes[TELLER], DROP_STORM) > 15000);
	/* The others do not hear of it, and what it says in earnest is heard. */
	for (unsigned i = 1; i <= FEW; i++)
		assert_int_equal(h.s->nodes[i]->events[EVENT_STORM], i == TELLER);
	h.heard = 0;
	say_arp(h.s->nodes[TELLER], &to_everybody, 1, (const uint8_t[]){10, 0, 1, 1},
		(const uint8_t[]){10, 9, 9, 9});
	hosts_run(&h, 25000);
	assert_int_equal(h.heard, FEW - 1);
	assert_int_equal(h.s->nodes[TELLER]->events[EVENT_STORM], 1);
	hosts_run(&h, 10000);
	assert_int_equal(h.s->nodes[TELLER]->events[EVENT_STORM], 2);
	assert_int_equal(e->value, 0);
	hosts_fini(&h);
}

/* Much at once, and again a while later: nothing to complain of. */
static void a_burst_is_no_storm(void **state)
{
	struct hosts h;

	(void)state;
	start(&h);
	for (unsigned i = 0; i < 10; i++) {
		flood(&h, 800, 1, to_everybody.b);
		hosts_run(&h, 6000);
	}
	assert_int_equal(h.s->nodes[TELLER]->events[EVENT_STORM], 0);
	hosts_fini(&h);
}

/* Its program is another one, which holds nothing back. */
static void a_member_that_floods_does_not_drown_others(void **state)
{
	struct sim_node *liar;
	const struct event *e;
	struct hosts h;

	(void)state;
	start(&h);
	liar = h.s->nodes[TELLER];
	e = &h.s->nodes[2]->last_event[EVENT_STORM];
	for (unsigned i = 0; i < 1000; i++) {
		memset(liar->worker.storm, 0, sizeof(*liar->worker.storm));
		flood(&h, 40, 1, to_everybody.b);
	}
	/* 40,000 were sent to each; 1,000 a second come in, and 4,000 before that. */
	assert_in_range(h.others / (FEW - 1), 12000, 15000);
	assert_int_equal(h.s->nodes[2]->events[EVENT_STORM], 1);
	assert_memory_equal(e->edge, h.s->nodes[3]->last_event[EVENT_STORM].edge, EDGE_ID_LEN);
	assert_int_equal(e->flood, FLOOD_BROADCAST);
	assert_in_range(e->value, 2500, 4000);
	assert_true(sim_drops(h.s->nodes[2], DROP_PEER_STORM) > 20000);
	/* What others send to all is heard as ever. */
	h.heard = 0;
	say_arp(h.s->nodes[2], &to_everybody, 1, (const uint8_t[]){10, 0, 1, 2},
		(const uint8_t[]){10, 9, 9, 9});
	hosts_run(&h, 1000);
	assert_int_equal(h.heard, FEW - 1);
	hosts_run(&h, 35000);
	assert_int_equal(e->value, 0);
	hosts_fini(&h);
}

/* What a program of its own sends to hosts that joined a group is no flood. */
static void streams_from_a_peer_are_not_held(void **state)
{
	static const uint8_t group[6] = {1, 0, 0x5e, 1, 2, 3};
	struct sim_node *source;
	struct hosts h;

	(void)state;
	start(&h);
	source = h.s->nodes[TELLER];
	for (unsigned i = 0; i < 500; i++) {
		memset(source->worker.storm, 0, sizeof(*source->worker.storm));
		flood(&h, 20, 1, group);
	}
	assert_int_equal(h.others / (FEW - 1), 10000);
	assert_int_equal(h.s->nodes[2]->events[EVENT_STORM], 0);
	hosts_fini(&h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_may_start_at_once),
		cmocka_unit_test(one_may_look_for_200_who_are_not_there),
		cmocka_unit_test(who_floods_is_held_and_named),
		cmocka_unit_test(a_burst_is_no_storm),
		cmocka_unit_test(a_member_that_floods_does_not_drown_others),
		cmocka_unit_test(streams_from_a_peer_are_not_held),
	};
	const struct CMUnitTest full[] = {
		cmocka_unit_test(two_hundred_may_start_at_once),
	};

	(void)argv;
	if (crypto_start() != 0)
		return 1;
	if (argc > 1)
		return sim_end(cmocka_run_group_tests(full, NULL, NULL));
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
