/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that can arrive at an edge, alone or in batches: noise, genuine datagrams repeated or
 * damaged, envelopes with any body, and control messages of a hostile member, which vouches for
 * anybody, and of a hostile supernode, whose place somebody else may take. Only what the peer sent
 * as a frame may come out, once; strangers get no more than they gave and leave no trace.
 */
#include "core_world.h"

#define ANY 0xff /* static, in place of a peer's */

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

static void put_some_static(struct run *r, uint8_t out[KEY_LEN])
{
	const struct community *c = r->w->a->community[0];
	const struct peer *p = c->peers;
	unsigned skip = feed_u8(&r->f);

	if (skip == ANY) {
		(void)feed_bytes(&r->f, out, KEY_LEN);
		return;
	}
	for (; skip > 0 && p != NULL; skip--)
		p = p->hh.next;
	memcpy(out, p != NULL ? p->remote : c->party.self.public, KEY_LEN);
}

/* The member asks about statics that A may have met, or says that it has met them itself. */
static void vouching_member(struct run *r, enum control_type type)
{
	struct session *s = world_session(r->w->b, r->w->a);
	struct core *core = &edge_node(r->w->b)->core;
	struct control_vouch m = {.n = feed_u8(&r->f) % (VOUCH_MAX + 1)};
	uint8_t plain[CONTROL_MAX_LEN];
	struct writer w;

	for (unsigned i = 0; i < m.n; i++)
		put_some_static(r, m.static_public[i]);
	if (s == NULL || session_sending(s, r->w->now_ms) == NULL)
		return;
	writer_init(&w, plain, sizeof(plain));
	control_vouch_encode(&w, type, &m);
	core->now_ms = r->w->now_ms;
	send_packet(core, s, KIND_CONTROL, plain, writer_len(&w), NULL);
}

static void hostile_member(struct run *r, uint8_t op)
{
	struct world *w = r->w;

	r->hostile = true;
	if ((op & 2) != 0)
		vouching_member(r, (op & 1) != 0 ? CONTROL_VOUCH : CONTROL_VOUCH_ASK);
	else
		world_control(w, &r->f, edge_node(w->b), world_session(w->b, w->a));
	world_run(w);
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

/* Whoever saw the question may answer it, in the supernode's name, with any key and freshness. */
static void answered_hello(struct run *r)
{
	const struct hop *h = &r->w->a->community[0]->hop;
	const struct random rnd = {world_random, &r->w->seed};
	const uint8_t how = feed_u8(&r->f);
	struct msg_hello m = {.answer = (how & 1) != 0};
	uint8_t body[ENVELOPE_BODY_MAX], key[KEY_LEN];
	struct parcel p = {.from = AT_SUPERNODE, .to = AT_A};
	size_t len;

	memcpy(m.static_public, supernode_public(r->w->sn), KEY_LEN);
	m.static_public[0] ^= how & 2;
	for (unsigned i = 0; i < sizeof(m.freshness); i++)
		m.freshness = m.freshness << 8 | feed_u8(&r->f);
	len = msg_hello_encode(body, sizeof(body), &m, how >> 2, &rnd);
	party_hello_key(key);
	envelope_seal(p.data, body, len, h->hello.tag[(how & 4) != 0], TAG_LEN, key, &rnd);
	p.len = len + ENVELOPE_OVERHEAD;
	r->hostile = true;
	r->listed++;
	world_arrive(r->w, &p);
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
		hostile_member(r, op);
		break;
	case 5:
		if ((op & 2) != 0)
			answered_hello(r);
		else
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

	r = (struct run){.w = world_begin(AT_A | WORLD_AGED | WORLD_PASSPHRASE), .f = {data, size}};
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
