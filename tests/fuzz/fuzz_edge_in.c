/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that can arrive at an edge, alone or in batches: noise, genuine datagrams repeated or
 * damaged, envelopes with any body, and control messages of a hostile member and a hostile
 * supernode. Only what the peer sent as a frame may come out, once; strangers get no more than they
 * gave and leave no trace.
 */
#include "core_world.h"

struct run {
	struct world *w;
	struct feed f;
	unsigned n_held; /* datagrams that will arrive together */
	struct parcel held[BATCH_MAX];
	bool hostile;	 /* someone with keys lied: addresses may be anybody's */
	unsigned listed; /* members a hostile supernode may have made up */
	size_t sessions;
};

static size_t sessions_of(const struct run *r)
{
	return HASH_COUNT(r->w->a->node.core.sessions);
}

static void arrive_together(struct run *r)
{
	world_arrive_all(r->w, r->held, r->n_held);
	r->n_held = 0;
	world_run(r->w);
}

static void arrive(struct run *r, struct parcel *p, unsigned source, bool genuine, bool held)
{
	static const enum place places[] = {AT_SUPERNODE, AT_B, AT_STRANGER, AT_STRANGER_6};

	p->from = places[source];
	p->to = AT_A;
	if (p->from >= AT_STRANGER) {
		r->w->from_strangers += p->len;
		/* Whoever brings a genuine packet is asked whether he is the peer. */
		r->hostile = r->hostile || genuine;
	}
	if (held) {
		r->held[r->n_held++] = *p;
		return;
	}
	world_arrive(r->w, p);
	world_run(r->w);
}

static void lying_supernode(struct run *r)
{
	const struct member *m = r->w->sn->members;
	const uint8_t *remote = r->w->a->community[0]->hop.party.self.public;

	while (m != NULL && memcmp(m->session->remote, remote, KEY_LEN) != 0)
		m = m->hh.next;
	r->hostile = true;
	r->listed += 400;
	world_control(r->w, &r->f, supernode_node(r->w->sn), m != NULL ? m->session : NULL);
	world_run(r->w);
}

static void step(struct run *r)
{
	const uint8_t op = feed_u8(&r->f);
	const bool held = (op & 0x80) != 0;
	struct world *w = r->w;
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
		world_make_envelope(w, &r->f, w->a->community[0]->party.env_key, &p);
		arrive(r, &p, op & 3, false, held);
		break;
	case 4:
		r->hostile = true;
		world_control(w, &r->f, edge_node(w->b), world_session(w->b, w->a));
		world_run(w);
		break;
	case 5:
		lying_supernode(r);
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

	r = (struct run){.w = world_begin(AT_A, true), .f = {data, size}};
	r.sessions = sessions_of(&r);
	r.w->from_strangers = r.w->to_strangers = 0;
	for (unsigned i = 0; i < 100 && world_goes_on(r.w, &r.f); i++) {
		step(&r);
		CHECK(sessions_of(&r) <= r.sessions + r.listed);
		CHECK(r.hostile || r.w->to_strangers <= r.w->from_strangers);
	}
	if (r.n_held > 0)
		arrive_together(&r);
	world_end(r.w, data, size);
	return 0;
}
