/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the control thread of an edge or a supernode is left: notes of every kind with any content,
 * about what is there, what is gone, and what never was, early or when the tick is late, while
 * communities come and go. Nobody new gets in by that, and it ends.
 */
#include "core_world.h"

#define KINDS	 (NOTE_FRAME + 1)
#define LATE_MAX 250u /* ms that a tick may be overdue */

struct run {
	struct world *w;
	struct feed f;
	size_t listed; /* peers that the supernode may have made up */
};

static uint32_t feed_u32(struct feed *f)
{
	uint8_t b[4];

	for (unsigned i = 0; i < sizeof(b); i++)
		b[i] = feed_u8(f);
	return load_be32(b);
}

static struct session *some_session(struct run *r, const struct node *n)
{
	struct session *s = n->core.sessions;

	for (unsigned skip = feed_u8(&r->f) % 8; skip > 0 && s != NULL && s->hh.next != NULL;
		skip--)
		s = s->hh.next;
	return s;
}

/* Of a key set or a session, in use, one that was, or any. */
static uint32_t make_index(struct run *r, const struct node *n)
{
	const uint8_t how = feed_u8(&r->f);
	const struct session *s = some_session(r, n);

	if (s == NULL || how % 8 == 0)
		return feed_u32(&r->f);
	if (how % 8 < 3)
		return s->link.id;
	if (s->current == NULL || how % 8 == 3)
		return s->link.id << 2 | how >> 6;
	return s->current->rx.index;
}

static struct origin make_origin(struct run *r, const struct node *n)
{
	const uint8_t how = feed_u8(&r->f);
	const struct endpoint at = world_address((enum place)(how % PLACES));
	const struct session *hop = (how & 0x80) != 0 ? some_session(r, n) : NULL;
	struct origin o = {.way = way_to(&at)};

	if (hop == NULL)
		return o;
	o.hop_id = hop->link.id;
	o.handle = (how & 0x40) != 0 ? hop->route.handle : feed_u32(&r->f);
	return o;
}

static void make_data(struct run *r, struct note *note)
{
	const uint8_t how = feed_u8(&r->f);
	const unsigned n = r->w->n_recorded < RECORDED_MAX ? r->w->n_recorded : RECORDED_MAX;
	const size_t max =
		note->kind == NOTE_FRAME || note->kind == NOTE_EARLY ? FRAME_MAX : DATAGRAM_MAX;

	if (how < 0x40 && n > 0) {
		const struct parcel *p =
			&r->w->recorded[(r->w->n_recorded - 1 - how % n) % RECORDED_MAX];

		note->len = p->len < max ? p->len : max;
		memcpy(note->data, p->data, note->len);
		return;
	}
	note->len = feed_bytes(&r->f, note->data, max);
	if (how >= 0xf0)
		note->len = max;
}

static void leave(struct run *r, enum place p)
{
	static struct note note;
	struct node *n = world_node(r->w, p);
	uint8_t how;

	memset(&note, 0, sizeof(note));
	note.kind = (enum note_kind)(feed_u8(&r->f) % KINDS);
	note.index = make_index(r, n);
	note.origin = make_origin(r, n);
	how = feed_u8(&r->f);
	note.to = (struct addressee){
		.kind = how & 3, .community = how >> 2 & 1, .generation = 1u + (how >> 3 & 7)};
	note.tried = (how & 0x40) != 0 ? n->env_version : how;
	make_data(r, &note);
	r->listed += note.kind == NOTE_CONTROL ? 60 : 1;
	node_note(n, &note, r->w->now_ms);
	world_rest(r->w);
	world_run(r->w);
}

static void add_community(struct world *w, uint8_t which)
{
	const struct community_key key = {{which}, {2}};
	const struct community_config c = {
		.name = "y", .key = &key, .mtu = MTU_DEFAULT, .learn = which % 2 ? 64 : 0};

	CHECK(edge_add_community(w->b, &c) < COMMUNITIES_MAX);
}

static void step(struct run *r)
{
	const uint8_t op = feed_u8(&r->f);
	struct world *w = r->w;

	switch (op & 7) {
	case 0:
		w->now_ms += 1u + feed_u8(&r->f) % LATE_MAX;
		break;
	case 1:
		world_tick(w, 1u + feed_u8(&r->f) % 64);
		break;
	case 2:
		edge_remove_community(w->b, op >> 3 & 1, w->now_ms);
		world_rest(w);
		edge_drained(w->b);
		break;
	case 3:
		add_community(w, 1 + (op >> 3) % 4);
		break;
	case 4:
		leave(r, AT_SUPERNODE);
		break;
	default:
		leave(r, AT_B);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;
	size_t sessions;

	r = (struct run){.w = world_begin(AT_B | WORLD_AGED), .f = {data, size}};
	sessions = HASH_COUNT(r.w->b->node.core.sessions);
	for (unsigned i = 0; i < 100 && world_goes_on(r.w, &r.f); i++) {
		step(&r);
		CHECK(HASH_COUNT(r.w->b->node.core.sessions) <=
			sessions + COMMUNITIES_MAX + r.listed);
		CHECK(HASH_COUNT(r.w->sn->members) <= 2 + COMMUNITIES_MAX);
	}
	world_end(r.w, data, size);
	return 0;
}
