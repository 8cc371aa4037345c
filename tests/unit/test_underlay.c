/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is underlay, and which address is best to offer, from tables of facts about hosts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/underlay.h"

#include <cmocka.h>

#define OUT_MAX 12

static const struct underlay_socket both = {.v4 = true, .v6 = true};

/* A host of some links, and a few addresses of each, told as "10.0.0.1 fd00::1". */
struct fact {
	struct underlay_link link;
	const char *addresses;
};

struct host {
	struct underlay_host h;
	struct underlay_link link[128];
	struct underlay_address address[256];
	unsigned supernode[2];
};

static void add_addresses(struct host *host, unsigned link, const char *text)
{
	char one[64];
	int used;

	for (; text != NULL && sscanf(text, "%63s%n", one, &used) == 1; text += used) {
		struct underlay_address *a = &host->address[host->h.n_addresses++];

		assert_int_equal(endpoint_parse(&a->ip, one, 1), 0);
		a->ip.port = 0;
		a->link = link;
	}
}

static void make(struct host *host, const struct fact *facts, size_t n)
{
	*host = (struct host){.h = {.link = host->link,
				      .address = host->address,
				      .supernode = host->supernode,
				      .n_supernodes = 2}};
	for (size_t i = 0; i < n; i++) {
		host->link[host->h.n_links++] = facts[i].link;
		add_addresses(host, facts[i].link.index, facts[i].addresses);
	}
}

/* With arrays that end where they end, which the sanitizers see. */
static size_t rank(struct underlay_host *h, const struct underlay_socket *socket,
	struct endpoint *out, size_t cap)
{
	struct underlay_host exact = *h;
	size_t n;

	exact.link = malloc((h->n_links + 1) * sizeof(*h->link));
	exact.address = malloc((h->n_addresses + 1) * sizeof(*h->address));
	assert_true(exact.link != NULL && exact.address != NULL);
	/* Behind the end is what would count as one more. */
	memcpy(exact.link, h->link, h->n_links * sizeof(*h->link));
	memcpy(exact.address, h->address, h->n_addresses * sizeof(*h->address));
	exact.link[h->n_links] = (struct underlay_link){.index = 1000, .up = true, .carrier = true};
	exact.address[h->n_addresses] =
		(struct underlay_address){.ip = endpoint_v4(0x01020304, 0), .link = 1000};
	underlay_settle(&exact);
	n = underlay_rank(&exact, socket, out, cap);
	free(exact.link);
	free(exact.address);
	return n;
}

/* The addresses that it offers, as one text. */
static const char *offer(struct host *host, const struct underlay_socket *socket, size_t cap)
{
	static char text[OUT_MAX * ENDPOINT_TEXT_MAX];
	struct endpoint out[OUT_MAX];
	char one[ENDPOINT_TEXT_MAX];
	size_t n;

	underlay_settle(&host->h);
	n = rank(&host->h, socket, out, cap);
	assert_true(n <= cap);
	text[0] = 0;
	for (size_t i = 0; i < n; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, endpoint_format_ip(&out[i], one));
	}
	return text;
}

#define UP		  .up = true, .carrier = true
#define MAKE(host, facts) make(host, facts, sizeof(facts) / sizeof((facts)[0]))

static const struct fact lo = {{.index = 1, UP, .loopback = true}, "127.0.0.1 ::1 10.255.0.1"};

static void a_card_comes_before_containers(void **state)
{
	const struct fact facts[] = {
		lo,
		{{.index = 2, .kind = UNDERLAY_BRIDGE, .up = true}, "172.17.0.1"}, /* docker0 */
		{{.index = 3, .kind = UNDERLAY_BRIDGE, UP}, "172.18.0.1"},
		{{.index = 4, .kind = UNDERLAY_SOFTWARE, UP, .master = 3}, NULL},
		{{.index = 5, UP}, "127.0.0.2 169.254.1.1 192.168.1.5 fe80::5 2001:db8:1::5"},
		{{.index = 6, UP}, "192.168.2.5"},
		{{.index = 7, .up = true}, "192.168.3.5"},
		{{.index = 8}, "192.168.4.5"},
	};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &both, OUT_MAX),
		"192.168.1.5 2001:db8:1::5 192.168.2.5 172.18.0.1 172.17.0.1 192.168.3.5");
	/* The way to everywhere, and then the way to the supernode, come first. */
	host.h.far[0] = 6;
	assert_string_equal(offer(&host, &both, 2), "192.168.2.5 2001:db8:1::5");
	host.supernode[1] = 3;
	assert_string_equal(
		offer(&host, &both, 4), "172.18.0.1 192.168.2.5 192.168.1.5 2001:db8:1::5");
}

static void many_containers_do_not_crowd_it_out(void **state)
{
	struct host host;

	(void)state;
	make(&host, &lo, 1);
	for (unsigned i = 0; i < 40; i++) {
		const char name[] = {"10.200.0.1"};
		struct underlay_link *l = &host.link[host.h.n_links];

		l[0] = (struct underlay_link){.index = 10 + 2 * i, UP, .kind = UNDERLAY_BRIDGE};
		l[1] = (struct underlay_link){
			.index = 11 + 2 * i, UP, .kind = UNDERLAY_SOFTWARE, .master = 10 + 2 * i};
		host.h.n_links += 2;
		add_addresses(&host, l->index, name);
		host.address[host.h.n_addresses - 1].ip.ip[14] = (uint8_t)i;
	}
	host.link[host.h.n_links++] = (struct underlay_link){.index = 100, UP};
	add_addresses(&host, 100, "192.168.1.5 2001:db8:1::5");
	host.link[host.h.n_links++] =
		(struct underlay_link){.index = 101, UP, .kind = UNDERLAY_TUNNEL};
	add_addresses(&host, 101, "10.8.0.2");
	assert_string_equal(offer(&host, &both, OUT_MAX),
		"192.168.1.5 2001:db8:1::5 10.200.0.1 10.200.1.1 10.200.2.1 10.200.3.1 10.8.0.2");
}

static void tunnels_come_last(void **state)
{
	const struct fact facts[] = {
		{{.index = 2, .kind = UNDERLAY_TUNNEL, UP}, "10.9.0.2"},
		{{.index = 3, .kind = UNDERLAY_TUNNEL, UP}, "10.8.0.2"}, /* all goes this way */
		{{.index = 4, UP}, "192.168.1.5"},
		{{.index = 5, .kind = UNDERLAY_BRIDGE, UP}, "172.17.0.1"},
	};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	host.h.far[0] = 3;
	host.supernode[0] = 3;
	assert_string_equal(
		offer(&host, &both, OUT_MAX), "192.168.1.5 172.17.0.1 10.8.0.2 10.9.0.2");
	host.supernode[0] = 0;
	assert_string_equal(
		offer(&host, &both, OUT_MAX), "192.168.1.5 172.17.0.1 10.8.0.2 10.9.0.2");
	host.h.far[0] = 0;
	assert_string_equal(
		offer(&host, &both, OUT_MAX), "192.168.1.5 172.17.0.1 10.9.0.2 10.8.0.2");
	host.supernode[1] = 3;
	assert_string_equal(
		offer(&host, &both, OUT_MAX), "192.168.1.5 172.17.0.1 10.8.0.2 10.9.0.2");
}

/* The host of a bridged edge has its only address at the bridge. */
static void a_bridge_with_a_way_out_is_underlay(void **state)
{
	struct fact facts[] = {
		{{.index = 2, UP, .master = 4}, NULL},
		{{.index = 3, UP, .kind = UNDERLAY_TUNNEL, .side = UNDERLAY_OURS, .master = 4},
			NULL},
		{{.index = 4, UP, .kind = UNDERLAY_BRIDGE}, "192.168.1.5"},
		{{.index = 5, UP, .lower = 4}, "192.168.10.5"},
	};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &both, OUT_MAX), "192.168.1.5 192.168.10.5");
	assert_int_equal(underlay_side_of(&host.h, 3), UNDERLAY_OURS);
	assert_int_equal(underlay_side_of(&host.h, 4), UNDERLAY_OUTSIDE);
	/* In a container the card is one end of a veth. */
	facts[0].link.kind = UNDERLAY_SOFTWARE;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &both, OUT_MAX), "192.168.10.5 192.168.1.5");
	/* Without a carrier there is no way out, nor with tunnels of virtual machines. */
	facts[0].link.carrier = false;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &both, OUT_MAX), "");
	assert_int_equal(underlay_side_of(&host.h, 4), UNDERLAY_OURS);
	assert_int_equal(underlay_side_of(&host.h, 5), UNDERLAY_OURS);
	facts[0].link =
		(struct underlay_link){.index = 2, UP, .kind = UNDERLAY_TUNNEL, .master = 4};
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &both, OUT_MAX), "");
}

static void what_is_stacked_on_an_overlay_is_one(void **state)
{
	const struct fact facts[] = {
		{{.index = 9, UP, .lower = 8}, "10.3.0.1"},
		{{.index = 8, UP, .lower = 7}, "10.2.0.1"},
		{{.index = 7, UP, .kind = UNDERLAY_TUNNEL, .side = UNDERLAY_OTHERS}, "10.1.0.1"},
		{{.index = 6, UP, .kind = UNDERLAY_BRIDGE}, "10.4.0.1"},
		{{.index = 5, UP, .lower = 7, .master = 6}, NULL},
		{{.index = 4, UP, .lower = 3}, "10.5.0.1"}, /* on each other, and on nothing */
		{{.index = 3, UP, .lower = 4}, NULL},
		{{.index = 2, UP, .lower = 99}, "192.168.1.5"},
	};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &both, OUT_MAX), "10.5.0.1 192.168.1.5");
	for (unsigned link = 5; link <= 9; link++)
		assert_int_equal(underlay_side_of(&host.h, link), UNDERLAY_OTHERS);
	assert_int_equal(underlay_side_of(&host.h, 0), UNDERLAY_OUTSIDE);
	assert_int_equal(underlay_side_of(&host.h, 99), UNDERLAY_OUTSIDE);
}

static void both_families_have_a_place(void **state)
{
	const struct fact facts[] = {
		{{.index = 2, UP}, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4"},
		{{.index = 3, UP}, "192.0.3.1 192.0.3.2 2001:db8:3::1 2001:db8:3::2"},
		{{.index = 4, UP, .kind = UNDERLAY_TUNNEL}, "fd00::4"},
	};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	/* Two of a family are in front of other interfaces' addresses, the rest behind them. */
	assert_string_equal(offer(&host, &both, OUT_MAX),
		"192.0.2.1 192.0.2.2 192.0.3.1 192.0.3.2 2001:db8:3::1 2001:db8:3::2 192.0.2.3 "
		"192.0.2.4 fd00::4");
	host.supernode[0] = 2;
	assert_string_equal(offer(&host, &both, 3), "192.0.2.1 192.0.2.2 2001:db8:3::1");
	assert_string_equal(offer(&host, &both, 1), "192.0.2.1");
	assert_string_equal(offer(&host, &both, 0), "");
}

static void only_what_the_sockets_have_is_offered(void **state)
{
	const struct fact facts[] = {
		{{.index = 2, UP}, "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1"},
	};
	struct underlay_socket socket = {.v4 = true};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &socket, 2), "192.0.2.1 192.0.2.2");
	socket = (struct underlay_socket){.v6 = true};
	assert_string_equal(offer(&host, &socket, 2), "2001:db8::1");
	socket = (struct underlay_socket){.v4 = true, .only = endpoint_v4(0xc0000203, 7777)};
	assert_string_equal(offer(&host, &socket, 2), "192.0.2.3");
}

/* Nobody could answer to the others. */
static void only_what_is_sent_by_is_offered(void **state)
{
	const struct fact facts[] = {
		{{.index = 2, UP}, "192.0.2.1 2001:db8::1"},
		{{.index = 3, UP}, "192.0.3.1"},
		{{.index = 4, UP}, "2001:db8:4::1"},
	};
	struct underlay_socket socket = {.v4 = true, .v6 = true, .link = 3};
	struct host host;

	(void)state;
	MAKE(&host, facts);
	assert_string_equal(offer(&host, &socket, OUT_MAX), "192.0.3.1");
	socket.link = 2;
	assert_string_equal(offer(&host, &socket, OUT_MAX), "192.0.2.1 2001:db8::1");
	socket.link = 9;
	assert_string_equal(offer(&host, &socket, OUT_MAX), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_comes_before_containers),
		cmocka_unit_test(many_containers_do_not_crowd_it_out),
		cmocka_unit_test(tunnels_come_last),
		cmocka_unit_test(a_bridge_with_a_way_out_is_underlay),
		cmocka_unit_test(what_is_stacked_on_an_overlay_is_one),
		cmocka_unit_test(both_families_have_a_place),
		cmocka_unit_test(only_what_the_sockets_have_is_offered),
		cmocka_unit_test(only_what_is_sent_by_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
