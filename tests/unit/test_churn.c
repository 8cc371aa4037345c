/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Communities and peers that come and go under traffic, while threads move packets.
 *
 *      A ---- two workers, threads of their own
 *     / \
 *    B---C    and a supernode, all on the control thread
 *
 * Each frame names the community that it was sent in; what comes out anywhere must be of the
 * community whose interface is handed it. An interface stays with its index until another community
 * gets that, which is the latest moment that a host may take it away. The clock is the real one,
 * faster, so that keys age within seconds. What is raced and what is freed too early is for the
 * sanitizers to see.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "churn_node.h"
#include "core/edge/edge_state.h"
#include "os/sys.h"

#define SPEED	     60
#define STEP_MAX_MS  100    /* of the clock, however long the control thread had to wait */
#define LAST_MS	     250000 /* longer than any key lives */
#define GIVE_UP_S    90	    /* real time */
#define NAP_NS	     50000
#define EVENT_GAP_MS 600 /* between two that come or go, at most */
#define BURST	     8	 /* frames */
#define ETHERTYPE    0x88b5u
#define SOURCE_AT    6 /* in a frame */
#define NAME_AT	     14
#define USE_AT	     18
#define PATTERN_AT   22
#define LEN_MIN	     64
#define BRIDGED	     0x80 /* of an address: of somebody behind the edge */

enum {
	SUPERNODE,
	A,
	B,
	C
};

enum {
	BASE = 1, /* the community that all are always in */
	NAMES = 8
};

/* What the host has for an index of a community. */
struct interface {
	_Atomic uint32_t name; /* 0: never used */
	_Atomic uint32_t use;  /* times that a community got it */
};

/* What a state directory keeps of a community. */
struct kept {
	bool any;
	uint8_t mask[MASK_LEN];
	size_t n;
	struct known_peer peer[CHURN_NODES];
};

struct world {
	struct churn_net net;
	struct kept kept[CHURN_NODES][NAMES];
	struct interface interface[CHURN_NODES][COMMUNITIES_MAX];
	int index[CHURN_NODES][NAMES]; /* of a community; negative: it is not in it */
	uint32_t last;		       /* that A joined */
	uint64_t seed;
	struct random random;
	uint64_t started_ns, clock_ns, next_ms;
	struct thread *thread[CHURN_MOVERS];
	atomic_bool stop;
	/* What happened. */
	atomic_bool wrong;
	_Atomic uint64_t to_reused, from_reused; /* frames, where A has the index */
	unsigned came, went, reused, restarts, farewells, rekeys, aged;
	uint32_t generation;	/* of the keys of A and B in BASE */
	uint64_t generation_ms; /* since when */
};

static struct world *world_of(const struct churn_net *net)
{
	return net->user;
}

/* ---- frames ---- */

static struct mac mac_of(uint32_t name, unsigned node)
{
	return (struct mac){{2, (uint8_t)name, 0, 0, 0, (uint8_t)node}};
}

static uint8_t pattern(const uint8_t *data, size_t i)
{
	return (uint8_t)(load_be32(data + PATTERN_AT) >> i % 25);
}

static size_t write_frame(struct churn_mover *m, uint8_t *data, uint32_t name, uint32_t use)
{
	const struct random r = seeded_random(&m->seed);
	struct mac source = mac_of(name, m->of->number);
	struct mac to = mac_of(name, A + random_below(&r, 3));
	size_t len = LEN_MIN + random_below(&r, 300);

	if (random_below(&r, 4) == 0)
		memset(to.b, 0xff, sizeof(to.b));
	if (name % 2 == 1 && random_below(&r, 4) == 0)
		(random_below(&r, 2) == 0 ? &source : &to)->b[5] |= BRIDGED;
	if (random_below(&r, 16) == 0)
		len = 14 + MTU_DEFAULT;
	memcpy(data, to.b, sizeof(to.b));
	memcpy(data + SOURCE_AT, source.b, sizeof(source.b));
	store_be16(data + 12, ETHERTYPE);
	store_be32(data + NAME_AT, name);
	store_be32(data + USE_AT, use);
	store_be32(data + PATTERN_AT, random_u32(&r));
	for (size_t i = PATTERN_AT + 4; i < len; i++)
		data[i] = pattern(data, i);
	return len;
}

static bool is_unaltered(const uint8_t *data, size_t len)
{
	if (len < LEN_MIN || load_be16(data + 12) != ETHERTYPE ||
		data[SOURCE_AT + 1] != load_be32(data + NAME_AT))
		return false;
	for (size_t i = PATTERN_AT + 4; i < len; i++)
		if (data[i] != pattern(data, i))
			return false;
	return true;
}

/* ---- interfaces ---- */

static void take_frame(struct churn_node *at, unsigned community, const struct slice *f)
{
	struct world *w = world_of(at->net);
	struct interface *here = &w->interface[at->number][community];
	const uint8_t *data = f->data;
	uint32_t name = atomic_load(&here->name);

	if (!is_unaltered(data, f->len) || load_be32(data + NAME_AT) != name) {
		if (!atomic_exchange(&w->wrong, true))
			print_error("a frame of %zu bytes of community %" PRIu32 " came to node "
				    "%u as one of %" PRIu32 "\n",
				f->len, load_be32(data + NAME_AT), at->number, name);
		return;
	}
	if (at->number == A && atomic_load(&here->use) > 1)
		atomic_fetch_add(&w->to_reused, 1);
	if ((data[SOURCE_AT + 5] & ~BRIDGED) == A && load_be32(data + USE_AT) > 1)
		atomic_fetch_add(&w->from_reused, 1);
}

static size_t give_frames(struct churn_mover *m, unsigned *community, struct frame *frames)
{
	const struct random r = seeded_random(&m->seed);
	struct interface *at = world_of(m->of->net)->interface[m->of->number];
	uint32_t name, use;
	size_t n = 1 + random_below(&r, BURST);

	*community = random_below(&r, COMMUNITIES_MAX);
	name = atomic_load(&at[*community].name);
	use = atomic_load(&at[*community].use);
	if (name == 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		frames[i] = (struct frame){.data = m->slots[i] + SLOT_HEADROOM};
		frames[i].len = write_frame(m, frames[i].data, name, use);
	}
	return n;
}

/* ---- what comes and goes ---- */

static void keep(struct world *w, unsigned node, uint32_t name)
{
	const struct edge *e = w->net.node[node]->edge;
	unsigned index = (unsigned)w->index[node][name];
	struct kept *k = &w->kept[node][name];

	k->any = true;
	memcpy(k->mask, edge_mask(e, index), MASK_LEN);
	k->n = edge_known_peers(e, index, k->peer, CHURN_NODES);
}

static void join(struct world *w, unsigned node, uint32_t name)
{
	struct edge *e = w->net.node[node]->edge;
	const struct kept *k = &w->kept[node][name];
	const struct community_key key = {.id = {9, (uint8_t)name}, .key = {9, (uint8_t)name}};
	const struct community_config c = {
		.key = &key,
		.mac = mac_of(name, node),
		.mtu = MTU_DEFAULT,
		.mask = k->any ? k->mask : NULL,
		.learn = name % 2 == 1 ? 64 : 0,
	};
	int index = edge_add_community(e, &c);
	struct interface *at;

	if (index == N2N_ENOSPC) /* all that are free have to rest */
		return;
	assert_in_range(index, 0, COMMUNITIES_MAX - 1);
	for (size_t i = 0; i < k->n; i++)
		edge_remember(e, (unsigned)index, &k->peer[i]);
	at = &w->interface[node][index];
	if (node == A) {
		w->came++;
		w->last = name;
		w->reused += atomic_load(&at->use) > 0 && atomic_load(&at->name) != name;
	}
	/* Workers learn of the community later, with the next view. */
	atomic_fetch_add(&at->use, 1);
	atomic_store(&at->name, name);
	w->index[node][name] = index;
}

static void leave(struct world *w, unsigned node, uint32_t name)
{
	keep(w, node, name);
	edge_remove_community(w->net.node[node]->edge, (unsigned)w->index[node][name],
		atomic_load(&w->net.now_ms));
	w->index[node][name] = -1;
	w->went += node == A;
}

static uint32_t any_name(struct world *w)
{
	return BASE + 1 + random_below(&w->random, NAMES - BASE - 1);
}

static void join_or_leave(struct world *w, unsigned node)
{
	uint32_t name = any_name(w);

	if (!w->net.node[node]->up)
		return;
	if (w->index[node][name] < 0)
		join(w, node, name);
	else
		leave(w, node, name);
}

/*
 * In one turn, while frames for one just joined wait to be noted: the one that comes must not get
 * the index of the one that goes, or these frames.
 */
static void exchange(struct world *w)
{
	uint32_t go = w->index[A][w->last] >= 0 ? w->last : any_name(w), come = any_name(w);

	if (go == BASE || w->index[A][go] < 0)
		return;
	while (w->index[A][come] >= 0 && come != go)
		come = come % (NAMES - 1) + 1;
	if (come == go)
		return;
	leave(w, A, go);
	join(w, A, come);
}

static void start(struct world *w, unsigned node)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		atomic_store(&w->interface[node][i].name, 0);
		atomic_store(&w->interface[node][i].use, 0);
	}
	for (unsigned name = 0; name < NAMES; name++)
		w->index[node][name] = -1;
	churn_start(w->net.node[node], w->net.node[SUPERNODE]);
	if (node == SUPERNODE)
		return;
	join(w, node, BASE);
	for (uint32_t name = BASE + 1; name < NAMES; name++)
		if (random_below(&w->random, 2) == 0)
			join(w, node, name);
}

static void restart(struct world *w)
{
	struct churn_node *c = w->net.node[C];
	bool goodbye = random_below(&w->random, 2) == 0;

	if (!c->up) {
		start(w, C);
		w->restarts++;
		return;
	}
	for (uint32_t name = BASE; name < NAMES; name++)
		if (w->index[C][name] >= 0)
			keep(w, C, name);
	churn_stop(c, goodbye);
	w->farewells += goodbye;
}

static void block_or_free(struct world *w)
{
	unsigned x = A + random_below(&w->random, 3), y = A + random_below(&w->random, 3);
	bool blocked = !atomic_load(&w->net.blocked[x][y]);

	atomic_store(&w->net.blocked[x][y], blocked);
	atomic_store(&w->net.blocked[y][x], blocked);
}

static void happen(struct world *w)
{
	uint64_t now_ms = atomic_load(&w->net.now_ms);
	unsigned what;

	if (now_ms < w->next_ms)
		return;
	what = random_below(&w->random, 100);
	w->next_ms = now_ms + 1 + random_below(&w->random, EVENT_GAP_MS);
	if (what < 25)
		join_or_leave(w, A);
	else if (what < 40)
		join_or_leave(w, B);
	else if (what < 75)
		exchange(w);
	else if (what < 85)
		restart(w);
	else
		block_or_free(w);
}

/* ---- threads ---- */

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

static void work(void *mover)
{
	struct churn_mover *m = mover;
	const struct world *w = world_of(m->of->net);

	while (!atomic_load(&w->stop))
		if (!churn_move(m))
			nap();
}

static void advance_clock(struct world *w)
{
	uint64_t step_ms = (sys_now_ns() - w->clock_ns) * SPEED / 1000000;

	if (step_ms == 0)
		return;
	w->clock_ns += step_ms * 1000000 / SPEED;
	if (step_ms > STEP_MAX_MS) {
		step_ms = STEP_MAX_MS;
		w->clock_ns = sys_now_ns();
	}
	atomic_fetch_add(&w->net.now_ms, step_ms);
}

/* The keys under which A and B are connected in BASE. */
static void watch_keys(struct world *w)
{
	const struct mac mac = mac_of(BASE, B);
	const struct community *c = w->net.node[A]->edge->community[w->index[A][BASE]];
	uint64_t now_ms = atomic_load(&w->net.now_ms);

	for (const struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		uint32_t generation = session_generation(p->session);

		if (!mac_equal(&p->claim.mac, &mac) || generation == w->generation)
			continue;
		w->rekeys += w->generation != 0;
		w->aged += w->generation != 0 && now_ms - w->generation_ms >= REKEY_INITIATOR_MS;
		w->generation = generation;
		w->generation_ms = now_ms;
	}
}

static void turn(struct world *w)
{
	bool moved = false;

	advance_clock(w);
	happen(w);
	for (unsigned i = 0; i < CHURN_NODES; i++) {
		struct churn_node *n = w->net.node[i];

		if (!n->up)
			continue;
		if (i != A)
			moved = churn_move(&n->mover[0]) || moved;
		churn_control(n);
	}
	watch_keys(w);
	if (!moved)
		nap();
}

/* ---- all of it ---- */

static const struct churn_interfaces interfaces = {take_frame, give_frames};

static struct world *set_up(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->seed = 1;
	w->random = seeded_random(&w->seed);
	w->net.user = w;
	w->net.interfaces = &interfaces;
	atomic_store(&w->net.now_ms, CHURN_START_MS);
	for (unsigned i = 0; i < CHURN_NODES; i++)
		(void)churn_add(&w->net, i != SUPERNODE, i == A ? CHURN_MOVERS : 1);
	for (unsigned i = 0; i < CHURN_NODES; i++)
		start(w, i);
	w->started_ns = w->clock_ns = sys_now_ns();
	for (unsigned i = 0; i < CHURN_MOVERS; i++)
		assert_int_equal(
			thread_start(&w->thread[i], "worker", work, &w->net.node[A]->mover[i]), 0);
	return w;
}

static void stop_threads(struct world *w)
{
	atomic_store(&w->stop, true);
	for (unsigned i = 0; i < CHURN_MOVERS; i++)
		thread_join(w->thread[i]);
}

static void tear_down(struct world *w)
{
	for (unsigned i = 0; i < CHURN_NODES; i++)
		churn_remove(w->net.node[i]);
	free(w);
}

/* What must have happened, and how often it did. */
struct count {
	const char *what;
	uint64_t least, n;
};

#define COUNTS 16

static uint64_t least(const _Atomic uint64_t *a, const _Atomic uint64_t *b)
{
	uint64_t x = atomic_load(a), y = atomic_load(b);

	return x < y ? x : y;
}

static void count(const struct world *w, struct count out[COUNTS])
{
	const struct churn_node *a = w->net.node[A];
	const struct churn_mover *first = &a->mover[0], *second = &a->mover[1];
	const struct count all[COUNTS] = {
		{"communities came", 50, w->came},
		{"communities went", 50, w->went},
		{"an index was used again", 30, w->reused},
		{"frames came in where an index was used again", 1000, w->to_reused},
		{"frames came from where an index was used again", 1000, w->from_reused},
		{"a frame that waited for a community was refused", 1,
			drops_get(&a->node->core.drops, DROP_NO_PEER)},
		{"C was started again", 5, w->restarts},
		{"C said goodbye", 2, w->farewells},
		{"A and B had new keys", 2, w->rekeys},
		{"... because the old ones had aged", 1, w->aged},
		{"A had a direct path", 10, a->events[EVENT_PATH_DIRECT]},
		{"A went back to the relay", 5, a->events[EVENT_PATH_RELAY]},
		{"a worker sent frames", 1000, least(&first->sent, &second->sent)},
		{"a worker had frames for the interfaces", 1000,
			least(&first->written, &second->written)},
		{"views were shown", 200, a->shown},
		{"memory was freed while workers ran", 2000, a->freed},
	};

	memcpy(out, all, sizeof(all));
}

static bool is_enough(const struct world *w)
{
	struct count c[COUNTS];

	count(w, c);
	for (unsigned i = 0; i < COUNTS; i++)
		if (c[i].n < c[i].least)
			return false;
	return atomic_load(&w->net.now_ms) >= CHURN_START_MS + LAST_MS;
}

static void tell(const struct world *w)
{
	struct count c[COUNTS];

	count(w, c);
	for (unsigned i = 0; i < COUNTS; i++)
		print_message(
			"# %s: %" PRIu64 ", at least %" PRIu64 "\n", c[i].what, c[i].n, c[i].least);
	print_message("# workers were in the way of it: %" PRIu64 "\n# %" PRIu64 " ms in %" PRIu64
		      " ms\n",
		w->net.node[A]->held, atomic_load(&w->net.now_ms) - CHURN_START_MS,
		(sys_now_ns() - w->started_ns) / 1000000);
}

static void communities_and_peers_come_and_go_while_threads_move_frames(void **state)
{
	struct world *w = set_up();
	bool late = false;

	(void)state;
	while (!is_enough(w) && !late && !atomic_load(&w->wrong)) {
		turn(w);
		late = sys_now_ns() - w->started_ns > GIVE_UP_S * UINT64_C(1000000000);
	}
	stop_threads(w);
	tell(w);
	assert_false(atomic_load(&w->wrong));
	if (late)
		fail_msg("not enough happened within %d s", GIVE_UP_S);
	tear_down(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(communities_and_peers_come_and_go_while_threads_move_frames),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
