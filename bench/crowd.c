/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A community of many on the real core, in the simulator: what it takes in memory, and what
 * broadcasts cost who sends, the supernode and who receives.
 *
 *     crowd [MEMBERS [direct]]      default 999, through the relay; a newcomer comes on top
 *
 * Time on the wire is virtual; CPU time is that of the core alone, as nothing stands for the
 * system's calls, and X25519 is a quick one, since each of some n squared / 2 pairs shakes hands.
 * Memory is what is freed when a node is destroyed, so that nothing of the simulator is in it.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/edge/edge_state.h"
#include "core/supernode/supernode_state.h"
#include "sim.h"
#include "sim_inside.h"

#include <cmocka.h>

#define FRAME_LEN     60
#define LARGE_LEN     1300
#define BROADCASTS    8	  /* that are measured */
#define TOGETHER      100 /* members that start at once, one such bunch in half a second */
#define UP_MS	      120000
#define QUIET_MS      5000
#define BETWEEN_MS    100    /* broadcasts that are measured */
#define PROMPT_MS     1000   /* between broadcasts while their sender hands out keys */
#define HANDED_OUT_MS 120000 /* at most */
#define NOT_AT_ALL_MS 5000   /* when it has not begun by then, nothing is handed out */
#define FIRST_PING_MS 30000
#define ASK_AGAIN_MS  1000 /* as ARP */
#define DELAY_MS      10   /* of the network, one way */

struct caught {
	struct endpoint from, to;
	size_t len;
	uint8_t *data;
};

void __real_sim_take_batch(struct sim_node *n, struct rx *x, size_t count);
void __real_sim_tick(struct sim_node *n);
void __wrap_sim_take_batch(struct sim_node *n, struct rx *x, size_t count);
void __wrap_sim_tick(struct sim_node *n);

/* What went through the network since it was told to catch it. */
struct net {
	bool catches;
	struct caught *at;
	size_t n, cap, bytes;
};

struct crowd {
	struct sim *s;
	struct net net;
	struct sim_node *sn, **member, *newcomer;
	unsigned n;
	double *used;	 /* us of CPU, by number of node */
	uint64_t frames; /* that interfaces were handed while nothing was checked */
};

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The CPU time that nodes took so far, in us, is kept with them; the linker puts these in between.
 */
static void took(struct sim_node *n, double began_us)
{
	*(double *)n->user += cpu_us() - began_us;
}

void __wrap_sim_take_batch(struct sim_node *n, struct rx *x, size_t count)
{
	const double began_us = cpu_us();

	__real_sim_take_batch(n, x, count);
	took(n, began_us);
}

void __wrap_sim_tick(struct sim_node *n)
{
	const double began_us = cpu_us();

	__real_sim_tick(n);
	took(n, began_us);
}

static bool on_wire(void *ctx, struct sim_node *from, const struct datagram *d)
{
	struct net *net = ctx;
	struct caught *c;

	if (!net->catches)
		return true;
	if (net->n == net->cap) {
		net->cap = net->cap * 2 + 1024;
		net->at = sim_must(realloc(net->at, net->cap * sizeof(*net->at)));
	}
	c = &net->at[net->n++];
	*c = (struct caught){from->address, d->way.remote, d->len, sim_must(malloc(d->len))};
	memcpy(c->data, d->data, d->len);
	net->bytes += d->len;
	return false;
}

static void forget(struct net *net)
{
	for (size_t i = 0; i < net->n; i++)
		free(net->at[i].data);
	net->n = net->bytes = 0;
}

static bool count_frame(void *ctx, struct sim_node *at, const struct joined *j)
{
	struct crowd *c = ctx;

	(void)at;
	if (!c->net.catches)
		return true;
	c->frames += j->n_pieces;
	return false;
}

static void set_up(struct crowd *c, unsigned members, bool relayed)
{
	*c = (struct crowd){.s = sim_create(sim_seed(), members + 2), .n = members};
	c->sn = sim_add_supernode(c->s);
	for (unsigned i = 0; i <= members; i++)
		(void)sim_add_edge(c->s, &sim_key, c->sn);
	c->used = sim_must(calloc(members + 2, sizeof(*c->used)));
	for (unsigned i = 0; i < c->s->n_nodes; i++)
		c->s->nodes[i]->user = &c->used[i];
	c->member = c->s->nodes + 1;
	c->newcomer = c->member[members];
	c->s->batch = BATCH_MAX;
	c->s->frame_len = FRAME_LEN;
	c->s->wire = on_wire;
	c->s->wire_ctx = &c->net;
	c->s->interface = count_frame;
	c->s->interface_ctx = c;
	sim_all_links(c->s, &(struct sim_link){.delay_ms = DELAY_MS});
	sim_block_direct(c->s, relayed);
}

/* ---- together ---- */

static bool all_up(void *crowd)
{
	const struct crowd *c = crowd;

	for (unsigned i = 0; i < c->n; i++)
		if (c->member[i]->events[EVENT_PEER_UP] < c->n - 1)
			return false;
	return true;
}

static void start(struct crowd *c)
{
	const uint64_t began_ms = c->s->now_ms;
	const double began_us = cpu_us();

	sim_start(c->sn);
	for (unsigned i = 0; i < c->n; i++) {
		sim_start(c->member[i]);
		if (i % TOGETHER == TOGETHER - 1)
			sim_run(c->s, 500);
	}
	if (!sim_until(c->s, UP_MS, all_up, c))
		printf("not all found each other\n");
	printf("all pairs up, %u started a second: %.1f s; CPU of all %.1f s\n", 2 * TOGETHER,
		(double)(c->s->now_ms - began_ms) / 1e3, (cpu_us() - began_us) / 1e6);
	fflush(stdout);
}

/* ---- what a broadcast costs ---- */

static void broadcast(struct sim_node *from, size_t len)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = len};
	const struct mac own = sim_mac(from);

	memset(f.data, 0xff, 6);
	memcpy(f.data + 6, own.b, 6);
	memset(f.data + 12, 0, len - 12);
	store_be16(f.data + 12, 0x88b5);
	sim_frames_out(from, &f, 1);
}

/* Gives a node what was caught for it, as its sockets would; returns how many those were. */
static size_t hand_over(const struct net *net, struct sim_node *to)
{
	static uint8_t slots[BATCH_MAX][SLOT_LEN];
	static struct rx x[BATCH_MAX];
	size_t n = 0, all = 0;

	for (size_t i = 0; i < net->n; i++) {
		const struct caught *c = &net->at[i];

		if (endpoint_equal(&c->to, &to->address)) {
			memcpy(slots[n], c->data, c->len);
			x[n++].in = (struct datagram){
				slots[n], c->len, {CARRIER_UDP, c->from, to->inner}};
			x[n - 1].in.data = slots[n - 1];
			all++;
		}
		if (n == BATCH_MAX || (i + 1 == net->n && n > 0)) {
			sim_take_batch(to, x, n);
			n = 0;
		}
	}
	return all;
}

/* The CPU time that a node took for what was caught for it, in us. */
static double take_caught(const struct net *net, struct sim_node *to, size_t *n)
{
	const double before = *(double *)to->user;

	*n += hand_over(net, to);
	return *(double *)to->user - before;
}

/* Each step alone, with all that is sent in it caught: the sender, the supernode, one receiver. */
static void measure_broadcast(struct crowd *c, size_t len)
{
	double at_sender = 0, at_supernode = 0, at_receiver = 0, began;
	size_t n = 0, bytes = 0, relayed = 0, copies = 0, taken = 0;

	c->frames = 0;
	for (unsigned i = 0; i < BROADCASTS; i++) {
		struct net sent;

		sim_run(c->s, BETWEEN_MS);
		c->net.catches = true;
		began = cpu_us();
		broadcast(c->member[0], len);
		at_sender += cpu_us() - began;
		n += c->net.n;
		bytes += c->net.bytes;
		sent = c->net;
		c->net = (struct net){.catches = true};
		at_supernode += take_caught(&sent, c->sn, &relayed);
		copies += c->net.n;
		at_receiver += take_caught(relayed > 0 ? &c->net : &sent, c->member[1], &taken);
		forget(&sent);
		free(sent.at);
		forget(&c->net);
		c->net.catches = false;
	}
	printf("%zu bytes to all: %.1f datagrams, %.0f bytes; the supernode sends %.1f\n", len,
		(double)n / BROADCASTS, (double)bytes / BROADCASTS, (double)copies / BROADCASTS);
	printf("    CPU: sender %.1f us, supernode %.1f us, a receiver %.1f us; it got %u of %u\n",
		at_sender / BROADCASTS, at_supernode / BROADCASTS, at_receiver / BROADCASTS,
		(unsigned)c->frames, BROADCASTS);
	fflush(stdout);
}

/* Datagrams that a broadcast is just now. */
static size_t datagrams_for_one(struct crowd *c)
{
	uint64_t before = c->s->datagrams;

	broadcast(c->member[0], FRAME_LEN);
	return (size_t)(c->s->datagrams - before);
}

/* CPU time in us: of the first member, who sends, of the supernode, of a mean other one. */
struct used {
	double sender, supernode, other;
};

static struct used used_until_now(const struct crowd *c)
{
	struct used u = {*(double *)c->member[0]->user, *(double *)c->sn->user, 0};

	for (unsigned i = 1; i < c->n; i++)
		u.other += *(double *)c->member[i]->user / (c->n - 1);
	return u;
}

/* In ms of CPU for each second of virtual time. */
static void print_used(
	const struct crowd *c, const char *what, const struct used *before, uint64_t ms)
{
	const struct used now = used_until_now(c);
	const double s = (double)ms;

	printf("    %s, CPU for a second of it: sender %.2f ms, supernode %.2f ms, another member "
	       "%.3f ms\n",
		what, (now.sender - before->sender) / s, (now.supernode - before->supernode) / s,
		(now.other - before->other) / s);
	fflush(stdout);
}

/* One broadcast a second, until one is at most so many datagrams, if that comes. */
static void broadcast_until(struct crowd *c, const char *what, size_t enough)
{
	const struct used before = used_until_now(c);
	const uint64_t began_ms = c->s->now_ms;
	size_t first = datagrams_for_one(c), last = first;

	while (last > enough && c->s->now_ms < began_ms + HANDED_OUT_MS &&
		(last < first || c->s->now_ms < began_ms + NOT_AT_ALL_MS)) {
		sim_run(c->s, PROMPT_MS);
		last = datagrams_for_one(c);
	}
	printf("%s: a broadcast took %zu datagrams, after %.0f s %zu\n", what, first,
		(double)(c->s->now_ms - began_ms) / 1e3, last);
	if (c->s->now_ms > began_ms)
		print_used(c, "meanwhile", &before, c->s->now_ms - began_ms);
}

static void measure_hand_out(struct crowd *c)
{
	const struct used before = used_until_now(c);

	sim_run(c->s, QUIET_MS);
	print_used(c, "idle", &before, QUIET_MS);
	broadcast_until(c, "the first", 1);
}

/* Its sender has a new key at once when a member is removed. */
static void measure_rekey(struct crowd *c)
{
	struct community *of = c->member[0]->edge->community[0];

	group_remove(of->peers);
	sim_run(c->s, BETWEEN_MS);
	/* One by the supernode, and one to who was removed. */
	broadcast_until(c, "a member was removed", 2);
}

/* ---- a newcomer ---- */

static bool came_to_first(void *crowd)
{
	const struct crowd *c = crowd;

	for (size_t i = 0; i < c->s->n_frames; i++)
		if (c->s->frames[i].to == c->member[0]->number && c->s->frames[i].count > 0)
			return true;
	return false;
}

static bool is_registered(void *crowd)
{
	return edge_is_registered(((const struct crowd *)crowd)->newcomer->edge);
}

static bool last_came(void *crowd)
{
	const struct crowd *c = crowd;

	return sim_came(c->s, c->s->n_frames - 1);
}

/* ARP's question to all, its answer, the echo and its answer. */
static void measure_first_ping(struct crowd *c)
{
	uint64_t began_ms = c->s->now_ms, registered_ms;
	bool came;

	c->s->n_frames = 0;
	sim_start(c->newcomer);
	if (!sim_until(c->s, FIRST_PING_MS, is_registered, c)) {
		printf("the newcomer was not registered\n");
		return;
	}
	registered_ms = c->s->now_ms;
	do {
		(void)sim_broadcast(c->newcomer);
		came = sim_until(c->s, ASK_AGAIN_MS, came_to_first, c);
	} while (!came && c->s->now_ms < began_ms + FIRST_PING_MS);
	for (unsigned i = 0; i < 3 && came; i++) {
		if (i % 2 == 0)
			(void)sim_send(c->member[0], c->newcomer);
		else
			(void)sim_send(c->newcomer, c->member[0]);
		came = sim_until(c->s, ASK_AGAIN_MS, last_came, c);
	}
	printf("a newcomer: registered after %u ms, first ping %s %u ms later; %u ms one way\n",
		(unsigned)(registered_ms - began_ms), came ? "answered" : "NOT answered",
		(unsigned)(c->s->now_ms - registered_ms), DELAY_MS);
	fflush(stdout);
}

/* ---- memory ---- */

static size_t freed_by_stopping(struct sim_node *n)
{
	const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;

	sim_stop(n, false);
	return before - (mallinfo2().uordblks + mallinfo2().hblkhd);
}

static void measure_memory(struct crowd *c)
{
	const size_t edge = freed_by_stopping(c->member[1]), sn = freed_by_stopping(c->sn);

	printf("memory: an edge %.1f MB, %.2f kB for each member; the supernode %.1f MB, %.2f kB "
	       "for each member; and %.1f and %.1f MB of buffers for each worker\n",
		(double)edge / 1e6, (double)edge / 1e3 / c->n, (double)sn / 1e6,
		(double)sn / 1e3 / c->n, (double)sizeof(struct edge_worker) / 1e6,
		(double)sizeof(struct supernode_worker) / 1e6);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const unsigned members =
		argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : COMMUNITY_MEMBERS_MAX - 1;
	const bool direct = argc > 2 && strcmp(argv[2], "direct") == 0;
	struct crowd c;

	if (members < 2 || members > COMMUNITY_MEMBERS_MAX - 1) {
		fprintf(stderr, "usage: crowd [MEMBERS [direct]]; 2 to %u members\n",
			COMMUNITY_MEMBERS_MAX - 1);
		return 2;
	}
	set_up(&c, members, !direct);
	printf("%u members, %s\n", members, direct ? "directly" : "through the relay");
	start(&c);
	measure_hand_out(&c);
	measure_broadcast(&c, FRAME_LEN);
	measure_broadcast(&c, LARGE_LEN);
	measure_rekey(&c);
	measure_first_ping(&c);
	measure_memory(&c);
	sim_destroy(c.s);
	free(c.net.at);
	free(c.used);
	return 0;
}
