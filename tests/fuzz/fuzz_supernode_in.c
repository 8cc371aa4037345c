/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that can arrive at a supernode, alone or in batches: noise, genuine datagrams repeated
 * or damaged, envelopes with any body, and control messages of a hostile edge. Strangers become no
 * members, get no more than they gave, and nothing that is relayed changes on the way.
 */
#include "core_world.h"

#define MEMBERS 2

struct run {
	struct world *w;
	struct feed f;
	unsigned n_held; /* datagrams that will arrive together */
	struct parcel held[BATCH_MAX];
	bool hostile;
};

static void arrive_together(struct run *r)
{
	world_arrive_all(r->w, r->held, r->n_held);
	r->n_held = 0;
	world_run(r->w);
}

static void arrive(struct run *r, struct parcel *p, unsigned source, bool genuine, bool held)
{
	static const enum place places[] = {AT_A, AT_B, AT_STRANGER, AT_STRANGER_6};

	p->from = places[source];
	p->to = AT_SUPERNODE;
	if (p->from >= AT_STRANGER) {
		r->w->from_strangers += p->len;
		/* Whoever brings a genuine packet is asked whether he is the edge. */
		r->hostile = r->hostile || genuine;
	}
	if (held) {
		r->held[r->n_held++] = *p;
		return;
	}
	world_arrive(r->w, p);
	world_run(r->w);
}

static void hostile_edge(struct run *r, struct edge *e)
{
	world_control(r->w, &r->f, edge_node(e), e->community[0]->hop.session);
	world_run(r->w);
}

static void step(struct run *r)
{
	const uint8_t op = feed_u8(&r->f);
	struct world *w = r->w;
	const bool held = (op & 0x80) != 0;
	uint8_t key[KEY_LEN];
	struct parcel p;

	if (r->n_held == BATCH_MAX || (!held && r->n_held > 0))
		arrive_together(r);

	switch (op >> 2 & 7) {
	case 0:
		arrive(r, &p, op & 3, world_make_raw(w, &r->f, &p), held);
		break;
	case 1:
	case 2:
		arrive(r, &p, op & 3, world_make_damaged(w, &r->f, &p), held);
		break;
	case 3:
		world_make_envelope(w, &r->f, w->sn->party.env_key, &p);
		arrive(r, &p, op & 3, false, held);
		break;
	case 4:
		party_hello_key(key);
		world_make_envelope(w, &r->f, key, &p);
		arrive(r, &p, op & 3, false, held);
		break;
	case 5:
		hostile_edge(r, (op & 1) != 0 ? w->a : w->b);
		break;
	case 6:
		w->withheld = (op & 1) != 0;
		world_b_sends(w);
		world_run(w);
		break;
	default:
		world_tick(w, 1u + feed_u8(&r->f) % 64);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;

	r = (struct run){.w = world_begin(AT_SUPERNODE | WORLD_AGED), .f = {data, size}};
	r.w->from_strangers = r.w->to_strangers = 0;
	for (unsigned i = 0; i < 100 && world_goes_on(r.w, &r.f); i++) {
		step(&r);
		CHECK(HASH_COUNT(r.w->sn->members) <= MEMBERS);
		CHECK(HASH_COUNT(r.w->sn->node.core.sessions) == HASH_COUNT(r.w->sn->members));
		CHECK(HASH_COUNT(r.w->sn->registry.communities) <= MEMBERS);
		CHECK(r.hostile || r.w->to_strangers <= r.w->from_strangers);
	}
	if (r.n_held > 0)
		arrive_together(&r);
	world_end(r.w, data, size);
	return 0;
}
