/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames to more than one through the core, on fixed batches, to be counted by callgrind
 * (check-instructions.py): out at an edge, through its supernode, and in at one receiver.
 *
 *     packet_flood few [BATCHES]       broadcasts of 60 bytes to 4 relayed members
 *     packet_flood group [BATCHES]     to 50 relayed members
 *     packet_flood listener [BATCHES]  multicast of 1,000 bytes; one of 50 relayed members listens
 *
 * The members are the simulator's; its network is not in what is counted. Prints how many frames
 * went through each step, and how it was compiled. The packet ciphers do nothing, as in
 * packet_path.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "sim_inside.h"

#include <cmocka.h>

enum {
	FRAMES = 16, /* in a batch */
	RECEIVERS_MAX = 50,
	WIRE_MAX = FRAMES * RECEIVERS_MAX,
	SMALL_LEN = 60,
	STREAM_LEN = 1000,
	BETWEEN_MS = 200, /* batches: slower than what supernodes and edges limit */
	UP_MS = 60000,
	WARM_UP = 40, /* seconds: what members need to know each other by is handed out */
	ETH_LEN = 14,
	IP4_LEN = 20
};

static const struct mac all_hosts = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac group_mac = {{0x01, 0x00, 0x5e, 0x01, 0x02, 0x03}};
static const uint32_t group_ip = 0xef010203; /* 239.1.2.3 */

static void require(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "packet_flood: %s\n", what);
		exit(1);
	}
}

/* ---- frames ---- */

struct kind {
	const char *name;
	unsigned receivers;
	bool stream;
};

static const struct kind kinds[] = {
	{"few", 4, false},
	{"group", RECEIVERS_MAX, false},
	{"listener", RECEIVERS_MAX, true},
};

static uint16_t ip_sum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += load_be16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* Ethernet and IPv4 with header_len bytes, for the group. */
static uint8_t *put_ip4(
	uint8_t *frame, const struct mac *from, uint8_t protocol, size_t header_len, size_t len)
{
	uint8_t *ip = frame + ETH_LEN;

	memset(frame, 0, len);
	memcpy(frame, group_mac.b, 6);
	memcpy(frame + 6, from->b, 6);
	store_be16(frame + 12, 0x0800);
	ip[0] = (uint8_t)(0x40 | header_len / 4);
	store_be16(ip + 2, (uint16_t)(len - ETH_LEN));
	ip[8] = 1;
	ip[9] = protocol;
	store_be32(ip + 12, 0x0a010201);
	store_be32(ip + 16, group_ip);
	return ip + header_len;
}

/* A host behind the edge listens to the group: a report of IGMPv2, with Router Alert. */
static void listen_to_group(struct sim_node *at)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = SMALL_LEN};
	const struct mac own = sim_mac(at);
	uint8_t *igmp = put_ip4(f.data, &own, 2, IP4_LEN + 4, f.len), *ip = f.data + ETH_LEN;

	store_be16(ip + 2, IP4_LEN + 4 + 8);
	store_be32(ip + IP4_LEN, 0x94040000);
	store_be16(ip + 10, ip_sum(ip, IP4_LEN + 4));
	igmp[0] = 0x16;
	store_be32(igmp + 4, group_ip);
	store_be16(igmp + 2, ip_sum(igmp, 8));
	sim_frames_out(at, &f, 1);
}

static size_t put_frame(uint8_t *frame, const struct kind *kind, const struct mac *from)
{
	uint8_t *udp;

	if (!kind->stream) {
		memcpy(frame, all_hosts.b, 6);
		memcpy(frame + 6, from->b, 6);
		memset(frame + 12, 0, SMALL_LEN - 12);
		store_be16(frame + 12, 0x88b5);
		return SMALL_LEN;
	}
	udp = put_ip4(frame, from, 17, IP4_LEN, STREAM_LEN);
	store_be16(frame + ETH_LEN + 10, ip_sum(frame + ETH_LEN, IP4_LEN));
	store_be16(udp, 40000);
	store_be16(udp + 2, 5004);
	store_be16(udp + 4, STREAM_LEN - ETH_LEN - IP4_LEN);
	return STREAM_LEN;
}

/* ---- members ---- */

static bool drop_frame(void *ctx, struct sim_node *at, const struct joined *j)
{
	(void)ctx;
	(void)at;
	(void)j;
	return false;
}

struct rig {
	struct sim *s;
	const struct kind *kind;
	struct sim_node *sn, *sender, *receiver;
	struct edge_worker out, in;
	struct supernode_worker relay;
	uint8_t slots[FRAMES][SLOT_LEN];
	uint8_t bytes[2][WIRE_MAX][SLOT_LEN]; /* on the wire before and behind the supernode */
	struct datagram wire[2][WIRE_MAX];
	size_t n_wire[2];
	unsigned leg; /* that is caught */
	uint8_t taken[BATCH_MAX][SLOT_LEN];
	struct rx rx[BATCH_MAX];
	size_t n_rx;
	size_t n_delivered;
};

static void catch_datagrams(void *ctx, const struct datagram *d, size_t n)
{
	struct rig *r = ctx;

	for (size_t i = 0; i < n; i++) {
		const size_t at = r->n_wire[r->leg]++;

		require(at < WIRE_MAX, "more datagrams than frames and receivers");
		r->wire[r->leg][at] = d[i];
		r->wire[r->leg][at].data = r->bytes[r->leg][at];
		memcpy(r->bytes[r->leg][at], d[i].data, d[i].len);
	}
}

static void catch_frames(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	struct rig *r = ctx;

	(void)community;
	for (size_t i = 0; i < n; i++)
		r->n_delivered += j[i].n_pieces;
}

static struct rig *rig_create(const struct kind *kind)
{
	struct rig *r = sim_must(calloc(1, sizeof(*r)));
	struct datagram_sink sink = {catch_datagrams, r};

	r->kind = kind;
	r->s = sim_create(1, kind->receivers + 2);
	r->sn = sim_add_supernode(r->s);
	for (unsigned i = 0; i <= kind->receivers; i++)
		(void)sim_add_edge(r->s, &sim_key, r->sn);
	r->sender = r->s->nodes[1];
	r->receiver = r->s->nodes[2];
	r->s->interface = drop_frame;
	sim_block_direct(r->s, true);
	sim_start_all(r->s);
	require(sim_until(r->s, UP_MS, sim_all_up, r->s), "not all found each other");
	require(edge_worker_init(&r->out, 0, sink) == 0 && edge_worker_init(&r->in, 0, sink) == 0 &&
			supernode_worker_init(
				&r->relay, 0, supernode_pairs(r->sn->supernode), sink) == 0,
		"no memory");
	r->out.notes = &r->sender->notes;
	r->in.notes = &r->receiver->notes;
	r->in.in = (struct frame_sink){catch_frames, r, SIM_KINDS, true};
	return r;
}

static void rig_destroy(struct rig *r)
{
	edge_worker_fini(&r->out);
	edge_worker_fini(&r->in);
	supernode_worker_fini(&r->relay);
	sim_destroy(r->s);
	free(r);
}

/* ---- the steps ---- */

static void make_frames(struct rig *r, struct frame frames[FRAMES])
{
	const struct mac own = sim_mac(r->sender);

	for (unsigned i = 0; i < FRAMES; i++) {
		frames[i] = (struct frame){.data = r->slots[i] + SLOT_HEADROOM};
		frames[i].len = put_frame(frames[i].data, r->kind, &own);
	}
}

static struct frame batch[FRAMES];

/* What of a leg is for a node, up to a batch, as its sockets give it; false: no more is. */
static bool take(
	struct rig *r, unsigned leg, size_t *at, const struct sim_node *from, struct sim_node *to)
{
	r->n_rx = 0;
	while (*at < r->n_wire[leg] && r->n_rx < BATCH_MAX) {
		const struct datagram *d = &r->wire[leg][(*at)++];

		if (!endpoint_equal(&d->way.remote, &to->address))
			continue;
		memcpy(r->taken[r->n_rx], d->data, d->len);
		r->rx[r->n_rx].in = (struct datagram){
			r->taken[r->n_rx], d->len, {CARRIER_UDP, from->address, to->inner}};
		r->n_rx++;
	}
	return r->n_rx > 0;
}

static void step_out(struct rig *r)
{
	edge_frames_out(&r->out, r->sender->view, 0, batch, FRAMES, r->s->now_ms);
}

static void step_relay(struct rig *r)
{
	supernode_datagrams_in(&r->relay, r->sn->view, r->rx, r->n_rx, r->s->now_ms);
}

static void step_in(struct rig *r)
{
	edge_datagrams_in(&r->in, r->receiver->view, r->rx, r->n_rx, r->s->now_ms);
	edge_frames_in(&r->in, r->rx, r->n_rx);
}

/* Notes that a step left are taken before another node leaves some. */
static void drain(struct sim_node *n)
{
	sim_take_batch(n, NULL, 0);
}

/* Through pointers, so that each step stays a function that callgrind sees. */
static void (*volatile const steps[])(struct rig *) = {step_out, step_relay, step_in};

static void warm_up(struct rig *r)
{
	for (unsigned i = 0; i < WARM_UP; i++) {
		struct frame f = {.data = r->slots[0] + SLOT_HEADROOM};
		const struct mac own = sim_mac(r->sender);

		if (r->kind->stream && i % 10 == 0)
			listen_to_group(r->receiver);
		sim_run(r->s, 1000);
		f.len = put_frame(f.data, r->kind, &own);
		sim_frames_out(r->sender, &f, 1);
	}
}

static void run(struct rig *r, unsigned batches)
{
	size_t sent = 0, relayed = 0;

	for (unsigned i = 0; i < batches; i++) {
		sim_run(r->s, BETWEEN_MS);
		r->n_wire[0] = r->n_wire[1] = r->leg = 0;
		make_frames(r, batch);
		steps[0](r);
		drain(r->sender);
		sent += r->n_wire[0];
		r->leg = 1;
		for (size_t at = 0; take(r, 0, &at, r->sender, r->sn);) {
			steps[1](r);
			drain(r->sn);
		}
		relayed += r->n_wire[1];
		for (size_t at = 0; take(r, 1, &at, r->sn, r->receiver);) {
			steps[2](r);
			drain(r->receiver);
		}
	}
	fprintf(stderr, "%.2f datagrams a frame out, %.2f relayed\n",
		(double)sent / batches / FRAMES, (double)relayed / batches / FRAMES);
	require(r->n_delivered > 0, "nothing came in");
	printf("%u %s\n", batches * FRAMES, COMPILED_WITH);
}

int main(int argc, char **argv)
{
	const unsigned batches = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 50;

	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct rig *r;

		if (strcmp(kinds[i].name, argv[1]) != 0)
			continue;
		r = rig_create(&kinds[i]);
		warm_up(r);
		run(r, batches);
		rig_destroy(r);
		return 0;
	}
	fputs("usage: packet_flood few|group|listener [BATCHES]; see its source\n", stderr);
	return 2;
}
