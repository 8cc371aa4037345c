/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests super-frames and unset checksums at the TAP interface against the kernel's own stack, in a
 * network namespace; needs root and /dev/net/tun.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feature_sets.h"
#include "os/linux/tap_inside.h"
#include "os/netif.h"

#include <cmocka.h>

#define OUR_PORT  7001 /* at the interface's own address */
#define PEER_PORT 7002 /* at the address behind the TAP */
#define TCP_LEN	  20
#define UDP_LEN	  8

static struct os_error err;

static const uint8_t our_mac[6] = {2, 0, 0, 0, 0, 1}, peer_mac[6] = {2, 0, 0, 0, 0, 2};
static const struct endpoint our_ip[2] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 1}, OUR_PORT},
	{{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, OUR_PORT}};
static const struct endpoint peer_ip[2] = {
	{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 2}, PEER_PORT},
	{{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, PEER_PORT}};

static bool has_own_route(void)
{
	char line[256];
	FILE *f = fopen("/proc/net/ipv6_route", "r");
	bool found = false;

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strncmp(line, "fd000000000000000000000000000001 80 ", 36) == 0;
	fclose(f);
	return found;
}

/*
 * Even where duplicates are not looked for, a work queue of the kernel takes a new address of IPv6
 * into use: before, it cannot be bound; last it gets its route, without which nothing arrives.
 */
static void wait_for_own_route(void)
{
	for (int ms = 0; ms < 5000 && !has_own_route(); ms++)
		usleep(1000);
	assert_true(has_own_route());
}

/* A TAP "t0" that is up and has addresses of both families, and a neighbour behind it. */
static struct tap *tap_up(unsigned use)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	struct tap *tap;

	assert_int_equal(tap_open(&tap, "t0", use, &err), 0);
	assert_int_equal(netif_set_mac(NULL, "t0", &mac, &err), 0);
	assert_int_equal(system("echo 0 >/proc/sys/net/ipv6/conf/t0/accept_dad"), 0);
	assert_int_equal(netif_set_up(NULL, "t0", &err), 0);
	assert_int_equal(netif_add_address(NULL, "t0", &our_ip[0], 24, &err), 0);
	assert_int_equal(netif_add_address(NULL, "t0", &our_ip[1], 64, &err), 0);
	wait_for_own_route();
	assert_int_equal(
		system("ip neighbour add 10.1.2.2 lladdr 02:00:00:00:00:02 dev t0 nud permanent && "
		       "ip neighbour add fd00::2 lladdr 02:00:00:00:00:02 dev t0 nud permanent"),
		0);
	return tap;
}

/* ---- frames ---- */

struct frame {
	uint8_t b[TAP_FRAME_MAX];
	size_t len;
	size_t l4; /* where the transport header starts */
};

static uint32_t sum_add(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The sum of the pseudo-header of an untagged frame. */
static uint16_t pseudo_sum(const struct frame *f)
{
	size_t len = f->len - f->l4;
	bool v6 = f->b[12] == 0x86;

	return sum_fold(sum_add(v6 ? f->b[20] : f->b[23], f->b + (v6 ? 22 : 26), v6 ? 32 : 8) +
			(uint32_t)len);
}

/* The transport checksum over a frame whose field is filled in: 0xffff when it is right. */
static uint16_t whole_sum(const struct frame *f)
{
	return sum_fold(sum_add(pseudo_sum(f), f->b + f->l4, f->len - f->l4));
}

/*
 * Makes a frame of the protocol (6 or 17) with len bytes of payload. Its transport checksum is the
 * sum of the pseudo-header.
 */
static void make_frame(struct frame *f, int v6, uint8_t protocol, bool to_us, size_t len)
{
	const struct endpoint *from = to_us ? &peer_ip[v6] : &our_ip[v6];
	const struct endpoint *to = to_us ? &our_ip[v6] : &peer_ip[v6];
	size_t header = protocol == IPPROTO_TCP ? TCP_LEN : UDP_LEN;
	uint8_t *ip = f->b + 14, *l4;

	memset(f->b, 0, 100);
	memcpy(f->b, to_us ? our_mac : peer_mac, 6);
	memcpy(f->b + 6, to_us ? peer_mac : our_mac, 6);
	store_be16(f->b + 12, v6 ? ETH_P_IPV6 : ETH_P_IP);
	f->l4 = v6 ? 54 : 34;
	f->len = f->l4 + header + len;
	if (v6) {
		ip[0] = 0x60;
		store_be16(ip + 4, (uint16_t)(header + len));
		ip[6] = protocol;
		ip[7] = 64;
		memcpy(ip + 8, from->ip, 16);
		memcpy(ip + 24, to->ip, 16);
	} else {
		ip[0] = 0x45;
		store_be16(ip + 2, (uint16_t)(20 + header + len));
		ip[8] = 64;
		ip[9] = protocol;
		memcpy(ip + 12, from->ip + 12, 4);
		memcpy(ip + 16, to->ip + 12, 4);
		store_be16(ip + 10, (uint16_t)~sum_fold(sum_add(0, ip, 20)));
	}
	l4 = f->b + f->l4;
	store_be16(l4, from->port);
	store_be16(l4 + 2, to->port);
	if (protocol == IPPROTO_TCP) {
		l4[12] = TCP_LEN / 4 << 4;
		l4[13] = 0x90; /* ACK, CWR */
		store_be16(l4 + 14, 1000);
	} else {
		store_be16(l4 + 4, (uint16_t)(UDP_LEN + len));
	}
	store_be16(l4 + (protocol == IPPROTO_TCP ? 16 : 6), pseudo_sum(f));
	for (size_t i = 0; i < len; i++)
		l4[header + i] = (uint8_t)(i * 7 >> 2);
}

static struct offload facts(
	const struct frame *f, enum offload_kind kind, uint8_t protocol, uint16_t segment_size)
{
	struct offload o = {.kind = (uint8_t)kind,
		.csum_unset = true,
		.csum_start = (uint16_t)f->l4,
		.csum_offset = protocol == IPPROTO_TCP ? 16 : 6,
		.segment_size = segment_size};

	if (kind != OFFLOAD_NONE)
		o.header_len = (uint16_t)(f->l4 + (protocol == IPPROTO_TCP ? TCP_LEN : UDP_LEN));
	return o;
}

static bool is_ours(const struct frame *f)
{
	bool v6 = f->b[12] == 0x86;
	uint8_t protocol = v6 ? f->b[20] : f->b[23];
	size_t l4 = v6 ? 54 : 34;

	return f->len > l4 + 4 && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) &&
	       load_be16(f->b + l4 + 2) == PEER_PORT;
}

/* Reads the next frame to the peer; the kernel sends others of its own accord. */
static void read_ours(struct tap *tap, struct frame *f, struct offload *o)
{
	struct pollfd p = {.fd = tap_fd(tap), .events = POLLIN};

	do {
		int len;

		assert_int_equal(poll(&p, 1, 2000), 1);
		memset(o, 0xff, sizeof(*o));
		len = tap_read(tap, f->b, sizeof(f->b), o);
		assert_true(len >= 14);
		f->len = (size_t)len;
	} while (!is_ours(f));
	f->l4 = f->b[12] == 0x86 ? 54 : 34;
}

static void nothing_more(struct tap *tap)
{
	struct frame *f = malloc(sizeof(*f));
	struct offload o;
	int len;

	while ((len = tap_read(tap, f->b, sizeof(f->b), &o)) >= 0) {
		f->len = (size_t)len;
		assert_false(is_ours(f));
	}
	assert_int_equal(len, N2N_EAGAIN);
	free(f);
}

/* A UDP socket at our address. */
static int our_socket(int v6)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(OUR_PORT)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(OUR_PORT)};
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	memcpy(&a4.sin_addr, our_ip[0].ip + 12, 4);
	memcpy(&a6.sin6_addr, our_ip[1].ip, 16);
	assert_true(fd >= 0);
	assert_int_equal(v6 ? bind(fd, (struct sockaddr *)&a6, sizeof(a6))
			    : bind(fd, (struct sockaddr *)&a4, sizeof(a4)),
		0);
	return fd;
}

static void send_to_peer(int fd, int v6, const uint8_t *data, size_t len)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(PEER_PORT)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(PEER_PORT)};

	memcpy(&a4.sin_addr, peer_ip[0].ip + 12, 4);
	memcpy(&a6.sin6_addr, peer_ip[1].ip, 16);
	assert_int_equal(v6 ? sendto(fd, data, len, 0, (struct sockaddr *)&a6, sizeof(a6))
			    : sendto(fd, data, len, 0, (struct sockaddr *)&a4, sizeof(a4)),
		len);
}

/* A packet socket at "t0" that gives and takes super-frames. */
static int packet_socket(void)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex("t0")};
	int one = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* ---- reading ---- */

/* A train of UDP datagrams that a program sends comes as use allows. */
static void check_udp_read(struct tap *tap, int v6)
{
	struct frame *f = malloc(sizeof(*f));
	uint8_t data[3500];
	size_t got = 0, header = (v6 ? 54 : 34) + UDP_LEN;
	struct offload o;
	int size = 1000, fd = our_socket(v6);
	bool train = tap_uses(tap) & FEATURE_USO;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 5 >> 1);
	assert_int_equal(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
	send_to_peer(fd, v6, data, sizeof(data));
	while (got < sizeof(data)) {
		size_t left = sizeof(data) - got;

		read_ours(tap, f, &o);
		assert_int_equal(o.kind, train ? OFFLOAD_UDP : OFFLOAD_NONE);
		assert_int_equal(o.segment_size, train ? 1000 : 0);
		assert_false(o.ecn);
		assert_int_equal(o.csum_unset, (tap_uses(tap) & FEATURE_VNET_HDR) != 0);
		assert_int_equal(f->len, header + (train || left < 1000 ? left : 1000));
		assert_memory_equal(f->b + header, data + got, f->len - header);
		if (o.csum_unset) {
			assert_int_equal(o.csum_start, f->l4);
			assert_int_equal(o.csum_offset, 6);
			assert_int_equal(load_be16(f->b + f->l4 + 6), pseudo_sum(f));
		} else {
			assert_int_equal(whole_sum(f), 0xffff);
		}
		got += f->len - header;
	}
	nothing_more(tap);
	close(fd);
	free(f);
}

static void udp_trains_are_read(void **state)
{
	(void)state;
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		struct tap *tap = tap_up(use);

		check_udp_read(tap, 0);
		check_udp_read(tap, 1);
		tap_close(tap);
	}
}

/* Sends a TCP train out of "t0" as the kernel's own TCP would. */
static void inject_tcp(const struct frame *f, int v6, bool ecn)
{
	struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = 1300,
		.hdr_len = (uint16_t)(f->l4 + TCP_LEN),
		.csum_start = (uint16_t)f->l4,
		.csum_offset = 16};
	union {
		const uint8_t *in;
		void *out;
	} unconst = {.in = f->b};
	struct iovec iov[] = {{&h, sizeof(h)}, {unconst.out, f->len}};
	int fd = packet_socket();

	if (ecn)
		h.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	assert_int_equal(writev(fd, iov, 2), sizeof(h) + f->len);
	close(fd);
}

static void check_tcp_read(struct tap *tap, int v6, bool ecn)
{
	struct frame *f = malloc(sizeof(*f)), *sent = malloc(sizeof(*sent));
	size_t got = 0, len = 40000, header = (v6 ? 54 : 34) + TCP_LEN;
	bool train = tap_uses(tap) & FEATURE_TSO;
	struct offload o;

	make_frame(sent, v6, IPPROTO_TCP, false, len);
	inject_tcp(sent, v6, ecn);
	while (got < len) {
		read_ours(tap, f, &o);
		if (train) {
			assert_int_equal(o.kind, v6 ? OFFLOAD_TCP6 : OFFLOAD_TCP4);
			assert_int_equal(o.ecn, ecn);
			assert_int_equal(o.segment_size, 1300);
			assert_int_equal(f->len, sent->len);
			assert_memory_equal(f->b, sent->b, sent->len);
		} else {
			assert_int_equal(o.kind, OFFLOAD_NONE);
			assert_false(o.ecn);
			assert_int_equal(f->len, header + (len - got < 1300 ? len - got : 1300));
			assert_memory_equal(f->b + header, sent->b + header + got, f->len - header);
		}
		assert_int_equal(o.csum_unset, (tap_uses(tap) & FEATURE_VNET_HDR) != 0);
		if (o.csum_unset) {
			assert_int_equal(o.csum_start, f->l4);
			assert_int_equal(o.csum_offset, 16);
		} else {
			assert_int_equal(whole_sum(f), 0xffff);
		}
		got += f->len - header;
	}
	nothing_more(tap);
	free(f);
	free(sent);
}

static void tcp_trains_are_read(void **state)
{
	(void)state;
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		struct tap *tap = tap_up(use);

		for (int v6 = 0; v6 < 2; v6++) {
			check_tcp_read(tap, v6, false);
			check_tcp_read(tap, v6, true);
		}
		tap_close(tap);
	}
}

/* ---- writing ---- */

/* Writes f, its header first and its payload in pieces of the given length. */
static int write_pieces(struct tap *tap, const struct frame *f, const struct offload *o, size_t len)
{
	struct slice piece[TAP_PIECES_MAX];
	size_t n = 1, at = o->header_len;

	piece[0] = (struct slice){f->b, at};
	for (; at < f->len; at += piece[n++].len)
		piece[n] = (struct slice){f->b + at, f->len - at < len ? f->len - at : len};
	assert_true(n <= TAP_PIECES_MAX);
	return tap_write(tap, piece, n, o);
}

static int write_whole(struct tap *tap, const struct frame *f, const struct offload *o)
{
	struct slice piece = {f->b, f->len};

	return tap_write(tap, &piece, 1, o);
}

static bool arrives(int fd, const uint8_t *data, size_t len)
{
	uint8_t room[2000];
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, 0) != 1)
		return false;
	assert_int_equal(recv(fd, room, sizeof(room), 0), len);
	assert_memory_equal(room, data, len);
	return true;
}

/* A train reaches a program as its datagrams. */
static void check_udp_write(struct tap *tap, int v6, size_t segments, uint16_t size)
{
	struct frame *f = malloc(sizeof(*f));
	int fd = our_socket(v6);
	const uint8_t *payload;
	size_t len = (segments - 1) * size + size / 2;
	struct offload o;

	make_frame(f, v6, IPPROTO_UDP, true, len);
	payload = f->b + f->l4 + UDP_LEN;
	o = facts(f, OFFLOAD_UDP, IPPROTO_UDP, size);
	assert_int_equal(write_pieces(tap, f, &o, size), 0);
	for (size_t i = 0; i < segments; i++)
		assert_true(arrives(fd, payload + i * size, i < segments - 1 ? size : size / 2));
	assert_false(arrives(fd, payload, 0));
	close(fd);
	free(f);
}

static void udp_trains_are_written(void **state)
{
	(void)state;
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		struct tap *tap = tap_up(use);

		if (tap_kinds(tap) & OFFLOAD_BIT(OFFLOAD_UDP))
			for (int v6 = 0; v6 < 2; v6++) {
				check_udp_write(tap, v6, 2, 1300);
				check_udp_write(tap, v6, 40, 1300);
				check_udp_write(tap, v6, TAP_PIECES_MAX - 1, 1000);
			}
		tap_close(tap);
	}
}

/* A TCP train comes in whole; a packet socket shows how the kernel took it. */
static void check_tcp_write(struct tap *tap, int v6, bool ecn)
{
	struct frame *f = malloc(sizeof(*f)), *seen = malloc(sizeof(*seen));
	struct virtio_net_hdr h;
	struct iovec iov[] = {{&h, sizeof(h)}, {seen->b, sizeof(seen->b)}};
	int fd = packet_socket();
	uint8_t type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	struct offload o;
	ssize_t len;

	make_frame(f, v6, IPPROTO_TCP, true, 63 * 1000);
	o = facts(f, v6 ? OFFLOAD_TCP6 : OFFLOAD_TCP4, IPPROTO_TCP, 1000);
	o.ecn = ecn;
	assert_int_equal(write_pieces(tap, f, &o, 1000), 0);
	do {
		len = readv(fd, iov, 2);
		assert_true(len > 0);
	} while ((size_t)len != sizeof(h) + f->len);
	assert_memory_equal(seen->b, f->b, f->len);
	assert_int_equal(h.gso_type, ecn ? type | VIRTIO_NET_HDR_GSO_ECN : type);
	assert_int_equal(h.gso_size, 1000);
	assert_int_equal(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h.csum_start, f->l4);
	assert_int_equal(h.csum_offset, 16);
	close(fd);
	free(f);
	free(seen);
}

static void tcp_trains_are_written(void **state)
{
	(void)state;
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		struct tap *tap = tap_up(use);

		if (tap_kinds(tap) & OFFLOAD_BIT(OFFLOAD_TCP4))
			for (int v6 = 0; v6 < 2; v6++) {
				check_tcp_write(tap, v6, false);
				check_tcp_write(tap, v6, true);
			}
		tap_close(tap);
	}
}

/* A single frame: with its checksum, with a wrong one, and with one that is unset. */
static void check_checksum_written(struct tap *tap, int v6)
{
	struct frame *f = malloc(sizeof(*f));
	int fd = our_socket(v6);
	struct offload o, plain = {0};
	uint8_t *field, *payload;

	make_frame(f, v6, IPPROTO_UDP, true, 999);
	field = f->b + f->l4 + 6;
	payload = f->b + f->l4 + UDP_LEN;
	o = facts(f, OFFLOAD_NONE, IPPROTO_UDP, 0);
	if (tap_uses(tap) & FEATURE_VNET_HDR) {
		assert_int_equal(write_whole(tap, f, &o), 0);
		assert_true(arrives(fd, payload, 999));
	}
	assert_int_equal(write_whole(tap, f, &plain), 0);
	assert_false(arrives(fd, payload, 999));
	/* The field holds the sum of the pseudo-header already. */
	store_be16(field, (uint16_t)~sum_fold(sum_add(0, f->b + f->l4, f->len - f->l4)));
	assert_int_equal(whole_sum(f), 0xffff);
	assert_int_equal(write_whole(tap, f, &plain), 0);
	assert_true(arrives(fd, payload, 999));
	close(fd);
	free(f);
}

static void unset_checksums_are_filled_in(void **state)
{
	(void)state;
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		struct tap *tap = tap_up(use);

		check_checksum_written(tap, 0);
		check_checksum_written(tap, 1);
		tap_close(tap);
	}
}

/* Facts that the kernel cannot believe fail the one frame. */
static void nonsense_does_no_harm(void **state)
{
	struct frame *f = malloc(sizeof(*f));
	struct tap *tap = tap_up(FEATURES_OF_TAP);
	struct offload good, bad;

	(void)state;
	if (tap_kinds(tap) == 0) {
		tap_close(tap);
		free(f);
		print_message("this system takes no super-frames\n");
		skip();
	}
	make_frame(f, 0, IPPROTO_TCP, true, 5000);
	good = bad = facts(f, OFFLOAD_TCP4, IPPROTO_TCP, 1000);
	bad.segment_size = 0;
	assert_int_equal(write_whole(tap, f, &bad), N2N_EIO);
	bad = good;
	bad.csum_start = 60000;
	assert_int_equal(write_whole(tap, f, &bad), N2N_EIO);
	bad = good;
	bad.header_len = 65535;
	assert_int_equal(write_whole(tap, f, &bad), N2N_EIO);
	assert_int_equal(write_whole(tap, f, &good), 0);
	tap_close(tap);
	free(f);
}

/* ---- what is used ---- */

static unsigned kinds_of(unsigned uses)
{
	return (uses & FEATURE_TSO ? OFFLOAD_BIT(OFFLOAD_TCP4) | OFFLOAD_BIT(OFFLOAD_TCP6) : 0) |
	       (uses & FEATURE_USO ? OFFLOAD_BIT(OFFLOAD_UDP) : 0);
}

static void what_is_used_is_what_was_asked_for(void **state)
{
	struct tap *tap;
	unsigned all;

	(void)state;
	assert_int_equal(tap_open(&tap, "t0", FEATURES_OF_TAP, &err), 0);
	all = tap_uses(tap);
	tap_close(tap);
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		unsigned expected = use & all;

		if (!(use & FEATURE_VNET_HDR))
			expected &= FEATURE_QUEUES;
		assert_int_equal(tap_open(&tap, "t0", use, &err), 0);
		assert_int_equal(tap_uses(tap), expected);
		assert_int_equal(tap_kinds(tap), kinds_of(expected));
		tap_close(tap);
	}
}

/* What the last owner of a persistent interface took is not forced on the next. */
static void offloads_of_the_last_owner_are_undone(void **state)
{
	struct ifreq ifr = {.ifr_name = "t0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), header_len = 12;
	struct tap *tap;

	(void)state;
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	assert_int_equal(ioctl(fd, TUNSETVNETHDRSZ, &header_len), 0);
	assert_int_equal(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6), 0);
	close(fd);
	tap = tap_up(0);
	check_tcp_read(tap, 0, false);
	check_udp_read(tap, 0);
	check_checksum_written(tap, 0);
	tap_close(tap);
	assert_int_equal(tap_open(&tap, "t0", FEATURES_OF_TAP, &err), 0);
	/* Otherwise the kernel takes up to a second to see that the carrier is back. */
	assert_int_equal(system("ip link set t0 down && ip link set t0 up"), 0);
	check_tcp_read(tap, 0, true);
	check_checksum_written(tap, 0);
	tap_close(tap);
}

/* Makes one request of the driver fail when any of the flags is in its argument. */
static int refuse_request(unsigned request, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* On a system that refuses the request, at least these are not in use, and the others are. */
static void check_fallback(unsigned request, unsigned flags, unsigned lost)
{
	struct tap *tap;
	int status;
	pid_t child;

	assert_int_equal(tap_open(&tap, "t0", FEATURES_OF_TAP, &err), 0);
	lost = tap_uses(tap) & ~lost;
	tap_close(tap);
	child = fork();
	if (child == 0) {
		if (refuse_request(request, flags))
			_exit(77);
		_exit(tap_open(&tap, "t0", FEATURES_OF_TAP, &err) == 0 && tap_uses(tap) == lost &&
					tap_kinds(tap) == kinds_of(lost)
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("needs seccomp\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void what_the_driver_lacks_is_left_away(void **state)
{
	(void)state;
	check_fallback(TUNSETOFFLOAD, 0x60, FEATURE_USO);
	check_fallback(TUNSETOFFLOAD, TUN_F_TSO4, FEATURE_USO | FEATURE_TSO);
	check_fallback(TUNSETOFFLOAD, TUN_F_CSUM, FEATURE_USO | FEATURE_TSO);
	check_fallback(TUNGETFEATURES, UINT32_MAX, FEATURES_OF_TAP);
}

/* A network for each test, so that nothing which one leaves behind is in the way of the next. */
static int own_network(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(udp_trains_are_read, own_network),
		cmocka_unit_test_setup(tcp_trains_are_read, own_network),
		cmocka_unit_test_setup(udp_trains_are_written, own_network),
		cmocka_unit_test_setup(tcp_trains_are_written, own_network),
		cmocka_unit_test_setup(unset_checksums_are_filled_in, own_network),
		cmocka_unit_test_setup(nonsense_does_no_harm, own_network),
		cmocka_unit_test_setup(what_is_used_is_what_was_asked_for, own_network),
		cmocka_unit_test_setup(offloads_of_the_last_owner_are_undone, own_network),
		cmocka_unit_test_setup(what_the_driver_lacks_is_left_away, own_network),
	};

	if (unshare(CLONE_NEWNET) != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
		print_message("skipped: needs root and /dev/net/tun\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
