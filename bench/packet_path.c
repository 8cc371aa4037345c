/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The data path of the core on fixed batches, to be counted by callgrind (check-instructions.py):
 * frames go out at one edge, perhaps through a supernode's relay, and in at another one.
 *
 *     packet_path tcp [BATCHES]       a train of 45 TCP segments of 1,324 bytes, directly
 *     packet_path small [BATCHES]     64 UDP frames of 64 bytes, directly
 *     packet_path relayed [BATCHES]   the train of tcp through the relay
 *     packet_path bridged [BATCHES]   that of tcp between hosts behind bridges at both ends
 *     packet_path bridged-small [..]  the frames of small between two such hosts
 *     packet_path bridged-mixed [..]  the frames of small, each between other hosts than the last
 *     packet_path halves [BATCHES]    32 full segments for an MTU of 1,500, in halves, directly
 *     packet_path many [BATCHES]      that of tcp, in the last of 16 communities
 *     packet_path many-relayed [..]   that of relayed, in the last of 16 communities
 *     packet_path many-small [..]     the frames of small, in the last of 16 communities
 *     packet_path many-mixed [..]     the frames of small, each in another community than the last
 *     packet_path many-relayed-mixed  the same through the relay
 *
 * Addresses of others are learned in all of them.
 *
 * Prints how many frames went through each step, and how it was compiled. What the packet ciphers
 * cost depends on the processor, so they are replaced here (by the linker, see meson.build) and do
 * nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge.h"
#include "core/supernode/supernode.h"

enum {
	SEGMENTS = 45,
	SEGMENT_LEN = 1324,
	FULL_SEGMENTS = 32, /* 64 packets */
	FULL_SEGMENT_LEN = 1448,
	SMALL = 64,
	SMALL_LEN = 64,
	ETH_LEN = 14,
	IP4_LEN = 20,
	TCP_LEN = 32, /* with timestamps */
	UDP_LEN = 8,
	BRIDGED = 8, /* hosts behind each bridge */
	HOSTS = COMMUNITIES_MAX,
	TRAIN_LEN = ETH_LEN + IP4_LEN + TCP_LEN + SEGMENTS * SEGMENT_LEN,
	IP4_TCP = 6,
	IP4_UDP = 17,
	QUEUE_MAX = 1024,
	EMBRYOS = 64,
	NOTES_MAX = 8,
	SETTLE_TICKS = 200
};

enum place {
	AT_A,
	AT_B,
	AT_SUPERNODE,
	PLACES
};

static void require(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "packet_path: %s\n", what);
		exit(1);
	}
}

/* ---- two edges and a supernode, until they know each other ---- */

struct parcel {
	uint8_t data[SLOT_LEN];
	size_t len;
	enum place from, to;
};

/* What the worker of a node leaves, until its batch is done. */
struct inbox {
	struct notes notes;
	size_t n[NOTE_QUEUES];
	struct note note[NOTE_QUEUES][NOTES_MAX];
};

struct world {
	uint64_t seed, now_ms;
	bool blocked; /* nothing passes between the edges but through the supernode */
	struct edge *edge[AT_SUPERNODE];
	struct edge_worker worker[AT_SUPERNODE];
	struct supernode *sn;
	struct supernode_worker relay;
	struct inbox inbox[PLACES];
	struct end {
		struct world *world;
		enum place place;
	} end[PLACES];
	unsigned head, count;
	struct parcel queue[QUEUE_MAX];
};

static void fill(void *ctx, void *buf, size_t len)
{
	uint64_t *state = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		p[i] = (uint8_t)(*state >> 56);
	}
}

static struct endpoint address(enum place p)
{
	return endpoint_v4(0xc0000200u + (uint32_t)p, (uint16_t)(1000 + p));
}

static enum place place_of(const struct endpoint *e)
{
	enum place p = AT_A;

	while (p < PLACES) {
		struct endpoint at = address(p);

		if (endpoint_equal(&at, e))
			break;
		p++;
	}
	return p;
}

static void post(void *ctx, const struct datagram *d)
{
	const struct end *end = ctx;
	struct world *w = end->world;
	enum place to = place_of(&d->way.remote);
	struct parcel *p = &w->queue[(w->head + w->count) % QUEUE_MAX];

	if (to == PLACES || (w->blocked && to != AT_SUPERNODE && end->place != AT_SUPERNODE))
		return;
	require(w->count < QUEUE_MAX && d->len <= sizeof(p->data), "a storm of datagrams");
	memcpy(p->data, d->data, d->len);
	p->len = d->len;
	p->from = end->place;
	p->to = to;
	w->count++;
}

static void post_all(void *ctx, const struct datagram *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		post(ctx, &d[i]);
}

static void deliver(void *ctx, unsigned community, const struct frame *f)
{
	(void)ctx;
	(void)community;
	(void)f;
}

static void ignore(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
}

static struct node *node_at(struct world *w, enum place p)
{
	return p == AT_SUPERNODE ? supernode_node(w->sn) : edge_node(w->edge[p]);
}

static struct note *next_note(void *ctx, enum note_queue queue)
{
	struct inbox *inbox = ctx;
	size_t n = inbox->n[queue];

	return n < NOTES_MAX ? &inbox->note[queue][n] : NULL;
}

static void push_note(void *ctx, enum note_queue queue)
{
	((struct inbox *)ctx)->n[queue]++;
}

static size_t filled(void *ctx, enum note_queue queue)
{
	return ((struct inbox *)ctx)->n[queue];
}

static void init_notes(struct inbox *inbox, struct drops *drops)
{
	struct note_sink sink = {next_note, push_note, filled, .ctx = inbox};

	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		sink.size[i] = NOTES_MAX;
	notes_init(&inbox->notes, &sink, drops);
}

static void take_notes(struct world *w, enum place at, uint64_t now_ms)
{
	struct inbox *inbox = &w->inbox[at];

	for (unsigned queue = 0; queue < NOTE_QUEUES; queue++) {
		for (size_t i = 0; i < inbox->n[queue]; i++) {
			require(inbox->note[queue][i].kind != NOTE_FRAME,
				"the edges have no session");
			node_note(node_at(w, at), &inbox->note[queue][i], now_ms);
		}
		inbox->n[queue] = 0;
	}
}

static const struct view *view_of(struct node *n)
{
	(void)node_view_changed(n);
	require(!node_view_is_due(n), "no memory");
	return n->core.view.shown;
}

static void arrive(struct world *w, struct parcel *p)
{
	const struct endpoint from = address(p->from);
	const struct view *v = view_of(node_at(w, p->to));
	struct rx x = {.in = {.data = p->data, .len = p->len, .way = way_to(&from)}};

	if (p->to == AT_SUPERNODE)
		supernode_datagrams_in(&w->relay, v, &x, 1, w->now_ms);
	else
		edge_datagrams_in(&w->worker[p->to], v, &x, 1, w->now_ms);
	notes_rx(&w->inbox[p->to].notes, &x, w->now_ms);
	take_notes(w, p->to, w->now_ms);
	retired_destroy(core_take_retired(&node_at(w, p->to)->core));
}

static void tick(struct world *w)
{
	w->now_ms += TICK_MS;
	for (enum place p = AT_A; p < PLACES; p++) {
		node_tick(node_at(w, p), w->now_ms);
		retired_destroy(core_take_retired(&node_at(w, p)->core));
	}
	while (w->count > 0) {
		struct parcel p = w->queue[w->head];

		w->head = (w->head + 1) % QUEUE_MAX;
		w->count--;
		arrive(w, &p);
	}
}

static struct core_config config(struct world *w, enum place p)
{
	w->end[p] = (struct end){w, p};
	return (struct core_config){
		.io = {.ctx = &w->end[p],
			.send = post,
			.deliver = deliver,
			.event = ignore,
			.random = {fill, &w->seed}},
		.nworkers = 1,
		.wall_ms = UINT64_C(1700000000000),
		.embryos = EMBRYOS,
	};
}

/* What the frames of a world are. */
struct kind {
	const char *name;
	bool small, blocked, bridged, halves, many;
	unsigned hosts; /* at each side; each in a community of its own with many */
};

static unsigned communities_of(const struct kind *kind)
{
	return kind->many ? COMMUNITIES_MAX : 1;
}

/* Of the traffic of a host: the last one if there is one of them. */
static unsigned community_of(const struct kind *kind, unsigned host)
{
	return kind->hosts == 1 ? communities_of(kind) - 1 : kind->many ? host : 0;
}

static void join_communities(struct edge *e, const struct kind *kind)
{
	for (unsigned i = 0; i < communities_of(kind); i++) {
		const struct community_key key = {{1, (uint8_t)i}, {2}};
		const struct community_config community = {.name = "x",
			.key = &key,
			.mtu = kind->halves ? MTU_MAX : MTU_DEFAULT,
			.learn = LEARN_DEFAULT,
			.roles = kind->bridged ? ROLE_BRIDGE : 0};

		require(edge_add_community(e, &community) == (int)i, "cannot join a community");
	}
}

static struct edge *make_edge(struct world *w, enum place p, const struct kind *kind)
{
	const struct edge_config c = {config(w, p), {(uint8_t)(1 + p)}};
	const struct endpoint supernode = address(AT_SUPERNODE), own = address(p);
	struct edge *e = edge_create(&c);

	require(e != NULL && edge_add_supernode(e, supernode_public(w->sn), NULL) == 0,
		"cannot make an edge");
	join_communities(e, kind);
	edge_supernode_resolved(e, 0, &supernode, 1);
	edge_local_addresses(e, &own, 1, w->now_ms);
	require(edge_own_sockets(e, &own, 1, w->now_ms) == 0, "no memory");
	require(edge_worker_init(&w->worker[p], 0, (struct datagram_sink){post_all, &w->end[p]}) ==
			0,
		"no memory");
	init_notes(&w->inbox[p], &w->worker[p].drops);
	w->worker[p].notes = &w->inbox[p].notes;
	return e;
}

static struct world *world_create(const struct kind *kind)
{
	struct world *w = calloc(1, sizeof(*w));
	struct supernode_config c = {.secret = {9}, .groups = FAN_LIMITS_DEFAULT};

	require(w != NULL && crypto_start() == 0, "cannot start");
	w->blocked = kind->blocked;
	c.node = config(w, AT_SUPERNODE);
	w->sn = supernode_create(&c);
	require(w->sn != NULL &&
			supernode_worker_init(&w->relay, 0, supernode_pairs(w->sn),
				(struct datagram_sink){post_all, &w->end[AT_SUPERNODE]}) == 0,
		"cannot make a supernode");
	init_notes(&w->inbox[AT_SUPERNODE], &w->relay.drops);
	w->edge[AT_A] = make_edge(w, AT_A, kind);
	w->edge[AT_B] = make_edge(w, AT_B, kind);
	for (unsigned i = 0; i < SETTLE_TICKS; i++)
		tick(w);
	return w;
}

static void world_destroy(struct world *w)
{
	for (enum place p = AT_A; p < AT_SUPERNODE; p++) {
		edge_worker_fini(&w->worker[p]);
		edge_destroy(w->edge[p]);
	}
	supernode_worker_fini(&w->relay);
	supernode_destroy(w->sn);
	free(w);
}

/* ---- what is sent ---- */

/* As the frames of both edges' own hosts are, or of some behind their bridges. */
struct hosts {
	struct mac at[AT_SUPERNODE][HOSTS];
	unsigned n;
};

struct load {
	uint8_t data[HOSTS][TRAIN_LEN];
	struct frame frame[HOSTS];
	const struct frame *batch[SMALL]; /* by turns */
	unsigned together;		  /* so many at once are of one community, */
	unsigned community[SMALL];	  /* this one */
	unsigned repeat;		  /* so many */
	unsigned frames;		  /* that a batch is cut to */
	unsigned packets;
};

static struct hosts hosts_of(const struct world *w, const struct kind *kind)
{
	struct hosts h = {.n = kind->hosts};

	for (enum place p = AT_A; p < AT_SUPERNODE; p++)
		for (unsigned i = 0; i < h.n; i++)
			h.at[p][i] = kind->bridged
					     ? (struct mac){{2, 0, 0, 0, (uint8_t)p, (uint8_t)i}}
					     : edge_mac(w->edge[p], community_of(kind, i));
	return h;
}

static uint16_t pseudo_sum(uint32_t from, uint32_t to, uint8_t protocol, size_t len)
{
	uint32_t sum = (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff) + protocol +
		       (uint32_t)len;

	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Ethernet and IPv4 before a transport part of that length; the header sum is the cut's matter. */
static uint8_t *put_ip4(struct frame *f, const struct mac *from, const struct mac *to,
	uint8_t protocol, size_t transport_len)
{
	uint8_t *ip = f->data + ETH_LEN;

	memcpy(f->data, to->b, sizeof(to->b));
	memcpy(f->data + sizeof(to->b), from->b, sizeof(from->b));
	store_be16(f->data + 12, 0x0800);
	ip[0] = 0x45;
	store_be16(ip + 2, (uint16_t)(IP4_LEN + transport_len));
	ip[6] = 0x40; /* DF */
	ip[8] = 64;
	ip[9] = protocol;
	store_be32(ip + 12, 0x0a010201);
	store_be32(ip + 16, 0x0a010202);
	f->len = ETH_LEN + IP4_LEN + transport_len;
	f->offload.csum_unset = true;
	f->offload.csum_start = ETH_LEN + IP4_LEN;
	return ip + IP4_LEN;
}

static void put_tcp(struct frame *f, const struct mac *from, const struct mac *to,
	unsigned segments, uint16_t segment_len)
{
	const size_t len = TCP_LEN + (size_t)segments * segment_len;
	uint8_t *tcp = put_ip4(f, from, to, IP4_TCP, len);

	store_be16(tcp, 40000);
	store_be16(tcp + 2, 5201);
	tcp[12] = TCP_LEN / 4 << 4;
	tcp[13] = 0x10; /* ACK */
	store_be16(tcp + 16, pseudo_sum(0x0a010201, 0x0a010202, IP4_TCP, len));
	memcpy(tcp + 20, (const uint8_t[]){1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}, 12);
	f->offload.kind = OFFLOAD_TCP4;
	f->offload.csum_offset = 16;
	f->offload.header_len = ETH_LEN + IP4_LEN + TCP_LEN;
	f->offload.segment_size = segment_len;
}

/* What a program's sending socket makes: whole frames, the transport sum left unset. */
static void put_small(struct frame *f, const struct mac *from, const struct mac *to)
{
	const size_t len = SMALL_LEN - ETH_LEN - IP4_LEN;
	uint8_t *udp = put_ip4(f, from, to, IP4_UDP, len);

	store_be16(udp, 40000);
	store_be16(udp + 2, 5201);
	store_be16(udp + 4, (uint16_t)len);
	store_be16(udp + 6, pseudo_sum(0x0a010201, 0x0a010202, IP4_UDP, len));
	f->offload.csum_offset = 6;
}

static void load_for(struct load *l, const struct kind *kind, const struct hosts *h)
{
	l->repeat = kind->small ? SMALL : 1;
	l->frames = kind->small ? SMALL : kind->halves ? FULL_SEGMENTS : SEGMENTS;
	l->packets = l->frames * (kind->halves ? 2 : 1);
	l->together = kind->many && h->n > 1 ? 1 : l->frames;
	for (unsigned i = 0; i < l->repeat; i++) {
		/* In no order that a search could be lucky with. */
		unsigned host = (i / h->n * 5 + i * i * 3 + i * 7) % h->n;

		l->batch[i] = &l->frame[kind->many ? host : i % h->n];
		l->community[i] = community_of(kind, host);
	}
	for (unsigned i = 0; i < h->n; i++) {
		const struct mac *from = &h->at[AT_A][i], *to = &h->at[AT_B][i];
		struct frame *f = &l->frame[i];

		f->data = l->data[i];
		if (kind->small)
			put_small(f, from, to);
		else if (kind->halves)
			put_tcp(f, from, to, FULL_SEGMENTS, FULL_SEGMENT_LEN);
		else
			put_tcp(f, from, to, SEGMENTS, SEGMENT_LEN);
	}
}

/* ---- the steps ---- */

struct rig {
	struct world *world;
	const struct view *view[PLACES];
	struct edge_worker edge[AT_SUPERNODE];
	struct supernode_worker relay;
	struct load load;
	uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct datagram wire[BATCH_MAX]; /* their bytes stay in the slots */
	size_t n_wire;
	struct rx rx[BATCH_MAX];
	size_t n_delivered;
	uint64_t now_ms;
};

static void catch_datagrams(void *ctx, const struct datagram *d, size_t n)
{
	struct rig *r = ctx;

	require(r->n_wire + n <= BATCH_MAX, "more datagrams than frames");
	memcpy(&r->wire[r->n_wire], d, n * sizeof(*d));
	r->n_wire += n;
}

static void catch_frames(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	struct rig *r = ctx;

	(void)community;
	for (size_t i = 0; i < n; i++)
		r->n_delivered += j[i].n_pieces;
}

static void wire_to_rx(struct rig *r, enum place from)
{
	for (size_t i = 0; i < r->n_wire; i++) {
		r->rx[i].in = r->wire[i];
		r->rx[i].in.way.remote = address(from);
	}
}

/* As a worker of the host does it. */
static void step_out(struct rig *r)
{
	const struct load *l = &r->load;
	struct frame frames[BATCH_MAX];
	size_t n = 0;

	r->n_wire = 0;
	for (unsigned i = 0; i < l->repeat; i++) {
		struct cut cut;

		require(cut_begin(&cut, l->batch[i]), "the frame cannot be cut");
		while (cut_left(&cut) > 0) {
			frames[n].data = r->slots[n] + SLOT_HEADROOM;
			cut_next(&cut, &frames[n++]);
		}
	}
	for (size_t i = 0; i < n; i += l->together)
		edge_frames_out(&r->edge[AT_A], r->view[AT_A], l->community[i], &frames[i],
			l->together, r->now_ms);
}

static void step_relay(struct rig *r)
{
	size_t n = r->n_wire;

	wire_to_rx(r, AT_A);
	r->n_wire = 0;
	supernode_datagrams_in(&r->relay, r->view[AT_SUPERNODE], r->rx, n, r->now_ms);
}

static void step_in(struct rig *r)
{
	wire_to_rx(r, r->world->blocked ? AT_SUPERNODE : AT_A);
	edge_datagrams_in(&r->edge[AT_B], r->view[AT_B], r->rx, r->n_wire, r->now_ms);
	edge_frames_in(&r->edge[AT_B], r->rx, r->n_wire);
}

static struct rig *rig_create(struct world *w)
{
	struct rig *r = calloc(1, sizeof(*r));
	const struct datagram_sink sink = {catch_datagrams, r};

	require(r != NULL, "no memory");
	r->world = w;
	r->now_ms = w->now_ms;
	for (enum place p = AT_A; p < PLACES; p++)
		r->view[p] = view_of(node_at(w, p));
	for (enum place p = AT_A; p < AT_SUPERNODE; p++) {
		require(edge_worker_init(&r->edge[p], 0, sink) == 0, "no memory");
		r->edge[p].notes = &w->inbox[p].notes;
		r->edge[p].in = (struct frame_sink){catch_frames, r,
			OFFLOAD_BIT(OFFLOAD_TCP4) | OFFLOAD_BIT(OFFLOAD_TCP6) |
				OFFLOAD_BIT(OFFLOAD_UDP),
			true};
	}
	require(supernode_worker_init(&r->relay, 0, supernode_pairs(r->world->sn), sink) == 0,
		"no memory");
	return r;
}

static void rig_destroy(struct rig *r)
{
	edge_worker_fini(&r->edge[AT_A]);
	edge_worker_fini(&r->edge[AT_B]);
	supernode_worker_fini(&r->relay);
	free(r);
}

/*
 * One frame back: what is sent to somebody who never answered, a supernode relays slowly, and an
 * edge floods.
 */
static void answer(struct rig *r, unsigned community, const struct mac *from, const struct mac *to)
{
	struct frame f = {.data = r->slots[0] + SLOT_HEADROOM, .len = SMALL_LEN};

	memcpy(f.data, to->b, sizeof(to->b));
	memcpy(f.data + sizeof(to->b), from->b, sizeof(from->b));
	r->n_wire = 0;
	edge_frames_out(&r->edge[AT_B], r->view[AT_B], community, &f, 1, r->now_ms);
	wire_to_rx(r, AT_B);
	if (r->world->blocked)
		supernode_datagrams_in(&r->relay, r->view[AT_SUPERNODE], r->rx, 1, r->now_ms);
	else
		edge_datagrams_in(&r->edge[AT_A], r->view[AT_A], r->rx, 1, r->now_ms);
}

/* Until nothing is sent for the first time any more. */
static void acquaint(struct rig *r, const struct kind *kind, const struct hosts *h)
{
	if (r->world->blocked) {
		step_out(r);
		step_relay(r);
	}
	for (unsigned i = 0; i < h->n; i++)
		answer(r, community_of(kind, i), &h->at[AT_B][i], &h->at[AT_A][i]);
}

/* Through pointers, so that each step stays a function that callgrind sees. */
static void (*volatile const steps[])(struct rig *) = {step_out, step_relay, step_in};

static void run(struct rig *r, unsigned batches)
{
	for (unsigned i = 0; i < batches; i++) {
		r->now_ms++;
		steps[0](r);
		require(r->n_wire == r->load.packets, "not all frames went out");
		if (r->world->blocked)
			steps[1](r);
		require(r->n_wire == r->load.packets, "not all packets were relayed");
		steps[2](r);
		for (enum place p = AT_A; p < PLACES; p++)
			take_notes(r->world, p, r->now_ms);
	}
	require(r->n_delivered == (size_t)batches * r->load.frames, "not all frames came in");
	printf("%zu %s\n", r->n_delivered, COMPILED_WITH);
}

static const struct kind kinds[] = {
	{"tcp", .hosts = 1},
	{"small", .small = true, .hosts = 1},
	{"relayed", .blocked = true, .hosts = 1},
	{"bridged", .bridged = true, .hosts = 1},
	{"bridged-small", .bridged = true, .small = true, .hosts = 1},
	{"bridged-mixed", .bridged = true, .small = true, .hosts = BRIDGED},
	{"halves", .halves = true, .hosts = 1},
	{"many", .many = true, .hosts = 1},
	{"many-relayed", .many = true, .blocked = true, .hosts = 1},
	{"many-small", .many = true, .small = true, .hosts = 1},
	{"many-mixed", .many = true, .small = true, .hosts = HOSTS},
	{"many-relayed-mixed", .many = true, .small = true, .blocked = true, .hosts = HOSTS},
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct kind *kind = kind_of(argc > 1 ? argv[1] : "");
	unsigned batches = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
	struct hosts hosts;
	struct world *w;
	struct rig *r;

	if (kind == NULL) {
		fputs("usage: packet_path KIND [BATCHES]; see its source\n", stderr);
		return 2;
	}
	w = world_create(kind);
	hosts = hosts_of(w, kind);
	r = rig_create(w);
	load_for(&r->load, kind, &hosts);
	acquaint(r, kind, &hosts);
	run(r, batches);
	rig_destroy(r);
	world_destroy(w);
	return 0;
}
