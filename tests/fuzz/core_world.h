/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small world for the core targets: edges A and B and a supernode, registered and connected, all
 * from one seed and a snapshot, so that an input always meets the same state. Datagrams go through
 * one queue; those for the target are recorded, so that inputs can repeat and damage genuine ones.
 */
#ifndef N2N_TESTS_CORE_WORLD_H
#define N2N_TESTS_CORE_WORLD_H

#include "../own_queries.h"
#include "core/data/supernode_data.h"
#include "core/edge/edge_state.h"
#include "core/frame/announce.h"
#include "core/path/path.h"
#include "core/session/send.h"
#include "core/supernode/supernode_state.h"
#include "fuzz_check.h"
#include "snapshot.h"

#define QUEUE_MAX    512
#define RECORDED_MAX 64
#define FRAMES_MAX   256
#define PUNCTUAL     5	    /* ticks of a wait, before ... */
#define LATE	     9	    /* ... it takes as many at once */
#define AGED_MS	     118000 /* keys are soon to be renewed ... */
#define HORIZON_MS   242000 /* ... and by then erased */
#define FLOOD	     20000  /* datagrams in one run: more is a storm */

/* What a world is built for: a place, and of these. */
#define WORLD_AGED	 0x10
#define WORLD_PASSPHRASE 0x20 /* its community has one, and no key */

enum place {
	AT_A,
	AT_B,
	AT_SUPERNODE,
	AT_STRANGER,
	AT_STRANGER_6,
	PLACES
};

struct parcel {
	uint8_t data[SLOT_LEN];
	size_t len;
	enum place from, to;
};

struct world;

/* What a node's callbacks get. */
struct end {
	struct world *world;
	enum place place;
};

/* One that moves packets, and what it leaves for the control thread. */
struct mover {
	struct edge_worker edge;
	struct supernode_worker relay;
	struct notes notes;
	size_t n[NOTE_QUEUES];
	struct note note[NOTE_QUEUES][BATCH_MAX];
};

struct world {
	struct mover mover[AT_SUPERNODE + 1];
	uint64_t seed, now_ms;
	struct edge *a, *b;
	struct supernode *sn;
	struct end end[PLACES];
	unsigned head, count;
	struct parcel queue[QUEUE_MAX];
	bool passphrase;
	enum place target; /* what is sent to it is recorded ... */
	bool withheld;	   /* ... and now not delivered */
	bool ageing;	   /* nothing is recorded */
	unsigned n_recorded;
	struct parcel recorded[RECORDED_MAX];
	unsigned n_sent;	 /* frames of B, numbered */
	uint8_t got[FRAMES_MAX]; /* how often each came out at A */
	size_t from_strangers, to_strangers;
	unsigned long traffic;
	void (*at_b)(struct world *w, const struct frame *f);
	void *ctx;
};

/* Input bytes, zeros behind their end. */
struct feed {
	const uint8_t *p;
	size_t left;
};

static inline uint8_t feed_u8(struct feed *f)
{
	if (f->left == 0)
		return 0;
	f->left--;
	return *f->p++;
}

static inline size_t feed_bytes(struct feed *f, uint8_t *out, size_t cap)
{
	size_t n = (size_t)feed_u8(f) << 8;

	n = (n | feed_u8(f)) % (cap + 1);
	n = n < f->left ? n : f->left;
	if (n > 0)
		memcpy(out, f->p, n);
	f->p += n;
	f->left -= n;
	return n;
}

static inline void world_random(void *ctx, void *buf, size_t len)
{
	uint64_t *state = ctx;
	uint8_t *p = buf;

	for (size_t i = 0; i < len; i++) {
		*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		p[i] = (uint8_t)(*state >> 56);
	}
}

static inline struct endpoint world_address(enum place p)
{
	struct endpoint e = endpoint_v4(0xc0000200u + (uint32_t)p, (uint16_t)(1000 + p));

	if (p == AT_STRANGER_6)
		e = (struct endpoint){{0x20, 0x01, 0x0d, 0xb8, [15] = 7}, 1007};
	return e;
}

static inline void world_post(
	struct world *w, enum place from, enum place to, const uint8_t *data, size_t len)
{
	struct parcel *p = &w->queue[(w->head + w->count) % QUEUE_MAX];

	CHECK(w->traffic++ < FLOOD);
	if (w->count == QUEUE_MAX || len > sizeof(p->data))
		return;
	memcpy(p->data, data, len);
	p->len = len;
	p->from = from;
	p->to = to;
	if (to == w->target && from < AT_STRANGER && !w->ageing)
		w->recorded[w->n_recorded++ % RECORDED_MAX] = *p;
	if (to != w->target || !w->withheld)
		w->count++;
}

static inline void world_send(void *ctx, const struct datagram *d)
{
	struct end *end = ctx;

	for (enum place to = 0; to < PLACES; to++) {
		struct endpoint e = world_address(to);

		if (!endpoint_equal(&e, &d->way.remote))
			continue;
		if (to >= AT_STRANGER)
			end->world->to_strangers += d->len;
		else
			world_post(end->world, end->place, to, d->data, d->len);
	}
}

static inline void world_sink(void *ctx, const struct datagram *d, size_t n)
{
	for (size_t i = 0; i < n; i++)
		world_send(ctx, &d[i]);
}

/* Frames of B: its address, a number, and a tail that hangs on the number. Some go in halves. */
static inline size_t world_frame(const struct world *w, uint8_t number, uint8_t frame[FRAME_MAX])
{
	const struct mac a = edge_mac(w->a, 0), b = edge_mac(w->b, 0);
	size_t len = number % 3 == 2 ? FRAME_MAX - (size_t)number : FRAME_MIN + 1u + number * 5u;

	memset(frame, number ^ 0x5a, len);
	memcpy(frame, a.b, sizeof(a.b));
	memcpy(frame + sizeof(a.b), b.b, sizeof(b.b));
	frame[FRAME_MIN] = number;
	return len;
}

/* What A makes itself, of what B claims: whose address is where. */
static inline bool world_is_announcement(const struct frame *f)
{
	uint8_t want[ANNOUNCE_MAX], ip[16] = {[10] = 0xff, [11] = 0xff};
	bool arp = f->data[12] == 0x08 && f->data[13] == 0x06;
	struct mac source;

	if (!arp && !(f->data[12] == 0x86 && f->data[13] == 0xdd))
		return false;
	memcpy(source.b, f->data + 6, sizeof(source.b));
	memcpy(arp ? ip + 12 : ip, f->data + (arp ? 28 : 22), arp ? 4 : 16);
	CHECK(f->len == announce_frame(want, &source, ip));
	CHECK(memcmp(f->data, want, f->len) == 0);
	return true;
}

/* At A only what B sent may come out, and once. B may have left and joined again. */
static inline void world_deliver(void *ctx, unsigned community, const struct frame *f)
{
	struct end *end = ctx;
	struct world *w = end->world;
	uint8_t want[FRAME_MAX];

	if (is_own_query(f->data, f->len))
		return;
	if (end->place == AT_B) {
		if (w->at_b != NULL)
			w->at_b(w, f);
		return;
	}
	CHECK(community == 0);
	if (world_is_announcement(f))
		return;
	CHECK(f->len > FRAME_MIN && f->data[FRAME_MIN] < w->n_sent);
	CHECK(f->len == world_frame(w, f->data[FRAME_MIN], want));
	CHECK(memcmp(f->data, want, f->len) == 0);
	CHECK(++w->got[f->data[FRAME_MIN]] == 1);
}

static inline void world_event(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
}

static inline struct node *world_node(struct world *w, enum place p)
{
	if (p == AT_SUPERNODE)
		return supernode_node(w->sn);
	return edge_node(p == AT_A ? w->a : w->b);
}

static inline void world_rest(struct world *w)
{
	for (enum place p = AT_A; p <= AT_SUPERNODE; p++) {
		struct core *core = &world_node(w, p)->core;

		if (core->retired != NULL) {
			(void)node_view_changed(world_node(w, p));
			retired_destroy(core_take_retired(core));
		}
	}
}

static inline const struct view *world_view(struct world *w, enum place p)
{
	(void)node_view_changed(world_node(w, p));
	return world_node(w, p)->core.view.shown;
}

/* ---- notes ---- */

static inline struct note *world_next_note(void *ctx, enum note_queue queue)
{
	struct mover *m = ctx;

	return m->n[queue] < BATCH_MAX ? &m->note[queue][m->n[queue]] : NULL;
}

static inline void world_push_note(void *ctx, enum note_queue queue)
{
	((struct mover *)ctx)->n[queue]++;
}

static inline size_t world_filled(void *ctx, enum note_queue queue)
{
	return ((struct mover *)ctx)->n[queue];
}

static inline void world_take_notes(struct world *w, enum place p)
{
	struct mover *m = &w->mover[p];

	for (unsigned queue = 0; queue < NOTE_QUEUES; queue++) {
		for (size_t i = 0; i < m->n[queue]; i++)
			node_note(world_node(w, p), &m->note[queue][i], w->now_ms);
		m->n[queue] = 0;
	}
	world_rest(w);
}

/* As a worker takes what its sockets got, and the control thread what the worker left. */
static inline void world_take(struct world *w, enum place p, struct rx *x, size_t n)
{
	struct mover *m = &w->mover[p];

	if (p == AT_SUPERNODE) {
		supernode_datagrams_in(&m->relay, world_view(w, p), x, n, w->now_ms);
	} else {
		edge_datagrams_in(&m->edge, world_view(w, p), x, n, w->now_ms);
		edge_frames_in(&m->edge, x, n);
	}
	for (size_t i = 0; i < n; i++) {
		CHECK(x[i].verdict != VERDICT_NONE && x[i].verdict != VERDICT_RELAYED);
		notes_rx(&m->notes, &x[i], w->now_ms);
	}
	world_take_notes(w, p);
}

/* Datagrams arrive together; each lies in a block that ends with it. */
static inline void world_arrive_all(struct world *w, const struct parcel *parcels, size_t n)
{
	struct rx x[BATCH_MAX];

	for (size_t i = 0; i < n; i++) {
		const struct parcel *p = &parcels[i];
		uint8_t *block = malloc(p->len + 1);

		CHECK(block != NULL && p->to == parcels[0].to);
		memcpy(block + 1, p->data, p->len);
		x[i].in = (struct datagram){block + 1, p->len, {.remote = world_address(p->from)}};
	}
	if (n > 0)
		world_take(w, parcels[0].to, x, n);
	for (size_t i = 0; i < n; i++)
		free(x[i].in.data - 1);
}

static inline void world_arrive(struct world *w, const struct parcel *p)
{
	world_arrive_all(w, p, 1);
}

static inline void world_run(struct world *w)
{
	while (w->count > 0) {
		const struct parcel p = w->queue[w->head];

		w->head = (w->head + 1) % QUEUE_MAX;
		w->count--;
		world_arrive(w, &p);
	}
}

/* In a long wait the timer comes late, as it may: that takes less time, and passes as much. */
static inline void world_tick(struct world *w, unsigned ticks)
{
	unsigned late = 1;

	for (unsigned i = 0; i < ticks; i += late) {
		late = i < PUNCTUAL ? 1 : ticks - i < LATE ? ticks - i : LATE;
		w->now_ms += late * TICK_MS;
		node_tick(edge_node(w->a), w->now_ms);
		node_tick(edge_node(w->b), w->now_ms);
		node_tick(supernode_node(w->sn), w->now_ms);
		world_rest(w);
		world_run(w);
	}
}

static inline struct core_config world_config(struct world *w, enum place p)
{
	w->end[p] = (struct end){w, p};
	return (struct core_config){
		.io = {.ctx = &w->end[p],
			.send = world_send,
			.deliver = world_deliver,
			.event = world_event,
			.random = {world_random, &w->seed}},
		.nworkers = 1,
		.now_ms = w->now_ms,
		.wall_ms = UINT64_C(1700000000000),
		.embryos = 8,
	};
}

static inline struct edge *world_edge(struct world *w, enum place p)
{
	const struct edge_config c = {world_config(w, p), {(uint8_t)(1 + p)}};
	const struct community_key key = {{1}, {2}};
	const uint8_t prs[KEY_LEN] = {3};
	const struct community_config community = {.name = "x",
		.key = w->passphrase ? NULL : &key,
		.prs = w->passphrase ? prs : NULL,
		.mtu = MTU_DEFAULT};
	const struct endpoint supernode = world_address(AT_SUPERNODE), own = world_address(p);
	struct edge *e = edge_create(&c);

	CHECK(e != NULL && edge_add_community(e, &community) == 0);
	CHECK(edge_add_supernode(e, supernode_public(w->sn), NULL) == 0);
	edge_supernode_resolved(e, 0, &supernode, 1);
	edge_local_addresses(e, &own, 1, w->now_ms);
	return e;
}

static inline struct session *world_session(struct edge *from, struct edge *to)
{
	struct peer *p = peer_find(from->community[0], to->community[0]->party.self.public);

	return p != NULL ? p->session : NULL;
}

/* Hands a frame to an edge's interface. */
static inline void world_frame_out(struct world *w, enum place p, uint8_t *frame, size_t len)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = len};

	memcpy(f.data, frame, len);
	edge_frames_out(&w->mover[p].edge, world_view(w, p), 0, &f, 1, w->now_ms);
	world_take_notes(w, p);
}

static inline void world_b_sends(struct world *w)
{
	uint8_t frame[FRAME_MAX];

	if (w->n_sent == FRAMES_MAX - 1)
		return;
	size_t len = world_frame(w, (uint8_t)w->n_sent++, frame);

	world_frame_out(w, AT_B, frame, len);
}

/* What an interface is handed, one frame at a time. */
static inline void world_write(void *ctx, unsigned community, const struct joined *j, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t whole[FRAME_MAX];
		const struct frame f = {whole, j[i].piece[0].len, j[i].offload};

		/* Nobody sends anything that could be joined. */
		CHECK(j[i].n_pieces == 1 && f.len <= FRAME_MAX);
		memcpy(whole, j[i].piece[0].data, f.len);
		world_deliver(ctx, community, &f);
	}
}

static inline void world_mover(struct world *w, enum place p)
{
	struct mover *m = &w->mover[p];
	struct note_sink sink = {
		.next = world_next_note, .push = world_push_note, .filled = world_filled, .ctx = m};
	const struct datagram_sink out = {world_sink, &w->end[p]};

	for (unsigned i = 0; i < NOTE_QUEUES; i++)
		sink.size[i] = BATCH_MAX;
	if (p == AT_SUPERNODE) {
		CHECK(supernode_worker_init(&m->relay, 0, supernode_pairs(w->sn), out) == 0);
		notes_init(&m->notes, &sink, &m->relay.drops);
		return;
	}
	CHECK(edge_worker_init(&m->edge, 0, out) == 0);
	notes_init(&m->notes, &sink, &m->edge.drops);
	m->edge.notes = &m->notes;
	m->edge.in = (struct frame_sink){world_write, &w->end[p], ~0u, true};
}

static inline bool world_is_up(struct world *w)
{
	const struct session *ab = world_session(w->a, w->b), *ba = world_session(w->b, w->a);

	return ab != NULL && ba != NULL && ab->current != NULL && ba->current != NULL &&
	       ab->current->confirmed && ba->current->confirmed && ab->link.mac != 0 &&
	       ba->link.mac != 0 && link_direct(&ba->link) != NULL &&
	       link_direct(&ab->link) != NULL;
}

/* Until its keys are old. What was recorded stays: handshakes above all. */
static inline void world_age(struct world *w)
{
	w->ageing = true;
	while (w->now_ms < AGED_MS)
		world_tick(w, PUNCTUAL + LATE);
	w->ageing = false;
	CHECK(world_is_up(w));
}

static inline void *world_build(int what)
{
	struct world *w = calloc(1, sizeof(*w));
	struct supernode_config c = {.secret = {9}, .groups = FAN_LIMITS_DEFAULT};

	CHECK(w != NULL && crypto_start() == 0);
	w->target = (enum place)(what & ~(WORLD_AGED | WORLD_PASSPHRASE));
	w->passphrase = (what & WORLD_PASSPHRASE) != 0;
	w->now_ms = 1000;
	c.node = world_config(w, AT_SUPERNODE);
	w->sn = supernode_create(&c);
	CHECK(w->sn != NULL);
	w->a = world_edge(w, AT_A);
	w->b = world_edge(w, AT_B);
	for (enum place p = AT_A; p <= AT_SUPERNODE; p++)
		world_mover(w, p);
	for (unsigned i = 0; i < 100 && !world_is_up(w); i++)
		world_tick(w, 1);
	CHECK(world_is_up(w));
	world_b_sends(w);
	world_run(w);
	CHECK(w->got[0] == 1);
	if ((what & WORLD_AGED) != 0)
		world_age(w);
	w->traffic = 0;
	return w;
}

/* The input has more to say, and there is time. */
static inline bool world_goes_on(const struct world *w, const struct feed *f)
{
	return f->left > 0 && w->now_ms < HORIZON_MS;
}

/* A run begins with the world as it was when first built for this ... */
static inline struct world *world_begin(int what)
{
	return snapshot_take(world_build, what);
}

/* ... and leaves nothing of it. */
static inline void world_end(struct world *w, const uint8_t *input, size_t len)
{
	if (snapshot_wants_end(input, len)) {
		edge_worker_fini(&w->mover[AT_A].edge);
		edge_worker_fini(&w->mover[AT_B].edge);
		supernode_worker_fini(&w->mover[AT_SUPERNODE].relay);
		edge_destroy(w->a);
		edge_destroy(w->b);
		supernode_destroy(w->sn);
		free(w);
	}
	snapshot_restore();
}

/*
 * A datagram of the input's own making, or a genuine one that it changed; true when it may still
 * pass for genuine. A supernode sees no more of what it relays than the header, and answers for it.
 */
static inline bool world_make_raw(struct world *w, struct feed *f, struct parcel *p)
{
	p->len = feed_bytes(f, p->data, sizeof(p->data));
	(void)w;
	return false;
}

static inline bool world_make_damaged(struct world *w, struct feed *f, struct parcel *p)
{
	const unsigned n = w->n_recorded < RECORDED_MAX ? w->n_recorded : RECORDED_MAX;
	const struct parcel *genuine;
	unsigned changes;

	if (n == 0)
		return world_make_raw(w, f, p);
	/* Counted from the newest. */
	genuine = &w->recorded[(w->n_recorded - 1 - feed_u8(f) % n) % RECORDED_MAX];
	memcpy(p->data, genuine->data, genuine->len);
	p->len = genuine->len;
	changes = feed_u8(f) % 8;
	for (unsigned i = 0; i < changes; i++) {
		size_t at = (size_t)feed_u8(f) << 8;

		at = (at | feed_u8(f)) % p->len;
		p->data[at] ^= feed_u8(f);
	}
	if (changes == 7)
		p->len -= feed_u8(f) % p->len;
	if (w->target == AT_SUPERNODE && p->len > RELAY_HEADER_LEN)
		return memcmp(p->data, genuine->data, RELAY_HEADER_LEN) == 0;
	return p->len == genuine->len && memcmp(p->data, genuine->data, p->len) == 0;
}

/* An envelope that opens at its receiver, around a body of the input's making. */
static inline void world_make_envelope(
	struct world *w, struct feed *f, const uint8_t key[KEY_LEN], struct parcel *p)
{
	const struct random rnd = {world_random, &w->seed};
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = feed_bytes(f, body, sizeof(body));

	envelope_seal(p->data, body, len, NULL, 0, key, &rnd);
	p->len = len + ENVELOPE_OVERHEAD;
}

/* Control messages of the input's making, sealed by one who has the keys. */
static inline void world_control(struct world *w, struct feed *f, struct node *n, struct session *s)
{
	uint8_t plain[CONTROL_MAX_LEN];
	size_t len = feed_bytes(f, plain, sizeof(plain));

	if (s == NULL || session_sending(s, w->now_ms) == NULL)
		return;
	n->core.now_ms = w->now_ms;
	send_packet(&n->core, s, KIND_CONTROL, plain, len, NULL);
}

#endif
