/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An edge as a whole: set-up, its role's table, ticks, shutting down. */
#include "core/edge/edge.h"

#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"

#define SWEEP_PER_S 100 /* own handshakes with members never met */

struct community *edge_community(struct edge *e, const struct party *self)
{
	for (unsigned i = 0; i < e->n_communities; i++)
		if (&e->community[i]->party == self)
			return e->community[i];
	return NULL;
}

/* ---- the role ---- */

static struct session *role_find(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct community *c = edge_community(edge_of(n), self);
	struct peer *p = c != NULL ? peer_find(c, remote) : NULL;

	return p != NULL ? p->session : NULL;
}

static bool role_admit(struct node *n, const struct party *self, const uint8_t remote[KEY_LEN],
	const struct origin *from, uint64_t now_ms)
{
	struct community *c = edge_community(edge_of(n), self);

	(void)from;
	if (c == NULL || self->mode != MODE_PASSPHRASE)
		return c != NULL;
	if (!guesses_admit(&c->guesses, remote, now_ms, &n->io.random))
		return false;
	guesses_spend(&c->guesses, remote, now_ms);
	return true;
}

static struct session *role_create(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct community *c = edge_community(edge_of(n), self);
	struct peer *p = c != NULL ? peer_create(c, remote) : NULL;

	return p != NULL ? p->session : NULL;
}

static bool role_way(struct node *n, struct session *s, struct origin *to)
{
	(void)n;
	if (s->kind == SESSION_PEER)
		return peer_way(s->owner, to);
	*to = (struct origin){.remote = ((struct community *)s->owner)->hop.remote};
	return true;
}

static bool role_may_start(struct node *n, struct session *s, uint64_t now_ms)
{
	struct community *c;
	struct origin to;

	if (s->kind == SESSION_HOP)
		return true;
	c = ((struct peer *)s->owner)->community;
	if (!role_way(n, s, &to))
		return false;
	if (s->confirmed)
		return true;
	return s->waiting != NULL || bucket_take(&c->sweep, now_ms, SWEEP_PER_S, SWEEP_PER_S / 4);
}

static struct path *role_fallback(struct node *n, struct session *s)
{
	struct peer *p = s->owner;
	struct path *path;

	(void)n;
	if (s->kind != SESSION_PEER || !hop_is_up(p->community) || p->handle == 0)
		return NULL;
	path = calloc(1, sizeof(*path));
	if (path == NULL)
		return NULL;
	path->hop = p->community->hop.session;
	path->handle = p->handle;
	path->hop_limit = RELAY_HOP_LIMIT;
	return path;
}

static void role_keyed(struct node *n, struct session *s, uint64_t now_ms)
{
	(void)n;
	if (s->kind == SESSION_HOP)
		hop_keyed(s->owner, now_ms);
	else
		peer_keyed(s->owner, now_ms);
}

static void role_confirmed(struct node *n, struct session *s, bool restarted, uint64_t now_ms)
{
	struct peer *p = s->owner;

	(void)n;
	if (s->kind != SESSION_PEER)
		return;
	if (!s->confirmed && s->party->mode == MODE_PASSPHRASE)
		guesses_refund(&p->community->guesses, s->remote);
	peer_confirmed(p, restarted, now_ms);
}

static void role_failed(
	struct node *n, const struct party *self, struct session *s, bool answered, uint64_t now_ms)
{
	struct community *c = edge_community(edge_of(n), self);

	if (c == NULL || (s != NULL && s->confirmed))
		return;
	if (!answered) {
		c->unanswered++;
		return;
	}
	if (self->mode != MODE_PASSPHRASE)
		return;
	c->unfit++;
	if (guesses_spent(&c->guesses, now_ms) && !c->guesses.told) {
		c->guesses.told = true;
		node_event(n, &(struct event){.kind = EVENT_GUESSING, .community = c->index});
	}
}

static void role_message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from, uint64_t now_ms)
{
	(void)k;
	if (s->kind == SESSION_PEER)
		peer_message(s->owner, m, from, now_ms);
	else if (m->type == CONTROL_PATH_PROBE)
		hop_probe(n, s, m, from);
	else
		hop_message(s->owner, m, now_ms);
}

static void role_encode(
	struct node *n, struct session *s, enum control_type type, uint32_t seq, struct writer *w)
{
	(void)n;
	if (s->kind == SESSION_PEER)
		peer_encode(s->owner, type, seq, w);
	else if (type == CONTROL_REGISTER)
		hop_encode_register(s->owner, seq, w);
}

/* Why does nobody answer? Told once, and again after it was right in between. */
static void tell_wrong_key(struct community *c)
{
	enum community_state state = community_state(c);

	if (c->told_wrong)
		return;
	if (state != COMMUNITY_WRONG_KEY && state != COMMUNITY_WRONG_PASSPHRASE)
		return;
	c->told_wrong = true;
	node_event(&c->edge->node,
		&(struct event){
			.kind = state == COMMUNITY_WRONG_KEY ? EVENT_WRONG_KEY
							     : EVENT_WRONG_PASSPHRASE,
			.community = c->index,
		});
}

static void role_tick(struct node *n, uint64_t now_ms)
{
	struct edge *e = edge_of(n);

	for (unsigned i = 0; i < e->n_communities; i++) {
		struct community *c = e->community[i];

		hop_tick(c, now_ms);
		peers_tick(c, now_ms);
		tell_wrong_key(c);
		if (c->guesses.told && !guesses_spent(&c->guesses, now_ms))
			c->guesses.told = false;
	}
}

/* It shook hands directly, and may not know our mask key yet. */
static bool peer_is_bound_directly(const struct peer *p)
{
	const struct session *s = p->session;

	return s->origin.hop_id == 0 && !endpoint_is_none(&s->origin.remote);
}

static bool view_community(struct view *v, struct community *c)
{
	struct view_community *vc = &v->community[c->index];

	vc->mac = c->mac;
	memcpy(vc->mask, c->mask, MASK_LEN);
	view_add_env_key(v, c->party.env_key);
	if (c->hop.session != NULL)
		view_add_env_key(v, c->hop.party.env_key);
	if (view_size_community(v, c->index, HASH_COUNT(c->peers)) != 0)
		return false;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		view_add_peer(
			v, c->index, p->session, mac_is_zero(&p->claim.mac) ? NULL : &p->claim.mac);
		v->split_direct = v->split_direct || peer_is_bound_directly(p);
		if (p->handle != 0 && c->hop.session != NULL)
			view_add_handle(v, c->hop.session->id, p->handle, p->session);
	}
	if (c->hop.state != SUPERNODE_UNRESOLVED)
		v->supernodes[v->n_supernodes++] = c->hop.remote;
	return true;
}

static struct view *role_view(struct node *n)
{
	struct edge *e = edge_of(n);
	uint32_t sessions = HASH_COUNT(n->sessions);
	struct view *v = view_create(n->hash_key, sessions, sessions);

	if (v == NULL)
		return NULL;
	memcpy(v->hop_mask, e->hop_mask, MASK_LEN);
	for (struct session *s = n->sessions; s != NULL; s = s->hh.next)
		view_add_session(v, s);
	v->n_communities = e->n_communities;
	for (unsigned i = 0; i < n->n_embryos; i++)
		if (n->embryos[i].party != NULL && n->embryos[i].origin.hop_id == 0)
			v->split_direct = true;
	for (unsigned i = 0; i < e->n_communities; i++) {
		if (!view_community(v, e->community[i])) {
			view_destroy(v);
			return NULL;
		}
	}
	return v;
}

static const struct role edge_role = {
	.find = role_find,
	.admit = role_admit,
	.create = role_create,
	.may_start = role_may_start,
	.way = role_way,
	.fallback = role_fallback,
	.keyed = role_keyed,
	.confirmed = role_confirmed,
	.failed = role_failed,
	.message = role_message,
	.encode = role_encode,
	.tick = role_tick,
	.view = role_view,
};

/* ---- set-up ---- */

struct edge *edge_create(const struct edge_config *c)
{
	struct edge *e = crypto_secret_alloc(sizeof(*e));

	if (e == NULL)
		return NULL;
	if (node_init(&e->node, &edge_role, &c->node) != 0) {
		crypto_secret_free(e);
		return NULL;
	}
	if (edge_worker_init(&e->worker, c->node.nworkers, node_sink(&e->node)) != 0) {
		edge_destroy(e);
		return NULL;
	}
	e->worker.tx.drops = &e->node.drops;
	e->worker.rx.drops = &e->node.drops;
	memcpy(e->seed, c->seed, SEED_LEN);
	budget_init(&e->budget, e->node.hash_key);
	random_bytes(&e->node.io.random, e->hop_mask, sizeof(e->hop_mask));
	e->incarnation = random_u32(&e->node.io.random);
	return e;
}

static void community_destroy(struct community *c)
{
	struct peer *p, *next;

	HASH_ITER (hh, c->peers, p, next) {
		HASH_DELETE(hh, c->peers, p);
		free(p);
	}
	crypto_secret_free(c);
}

void edge_destroy(struct edge *e)
{
	if (e == NULL)
		return;
	/* Sessions first: they refer to the parties of their communities. */
	node_fini(&e->node);
	edge_worker_fini(&e->worker);
	for (unsigned i = 0; i < e->n_communities; i++)
		community_destroy(e->community[i]);
	crypto_secret_free(e);
}

struct node *edge_node(struct edge *e)
{
	return &e->node;
}

static void init_party(struct community *c, const struct community_config *config)
{
	struct party *p = &c->party;

	if (config->key != NULL)
		party_init_key(p, config->key, c->edge->seed);
	else
		party_init_passphrase(p, config->name, config->prs, c->edge->seed);
	p->incarnation = c->edge->incarnation;
	p->caps = aead_aes_is_fast() ? CAP_AES_FAST : 0;
	p->mtu = config->mtu;
}

static bool has_tag(const struct edge *e, const uint8_t tag[TAG_ID_LEN])
{
	for (unsigned i = 0; i < e->n_communities; i++)
		if (memcmp(e->community[i]->party.tag, tag, TAG_ID_LEN) == 0)
			return true;
	return false;
}

int edge_add_community(struct edge *e, const struct community_config *config)
{
	struct community *c;

	if (e->n_communities >= COMMUNITIES_MAX)
		return N2N_ENOSPC;
	c = crypto_secret_alloc(sizeof(*c));
	if (c == NULL)
		return N2N_ENOMEM;
	c->edge = e;
	c->index = e->n_communities;
	if (config->name != NULL)
		strncpy(c->name, config->name, COMMUNITY_NAME_MAX);
	init_party(c, config);
	if (has_tag(e, c->party.tag)) {
		community_destroy(c);
		return N2N_EEXIST;
	}
	c->mac = config->mac;
	if (mac_is_zero(&c->mac)) {
		/* Locally administered, and the same at each start. */
		memcpy(c->mac.b, c->party.self.public, sizeof(c->mac.b));
		c->mac.b[0] = 0x02;
	}
	c->n_addresses = config->n_addresses;
	memcpy(c->address, config->address, sizeof(c->address));
	if (config->mask != NULL)
		memcpy(c->mask, config->mask, MASK_LEN);
	else
		random_bytes(&e->node.io.random, c->mask, MASK_LEN);
	c->hop.address = UINT32_MAX; /* the one before the first */
	e->community[e->n_communities++] = c;
	node_view_touch(&e->node);
	return (int)c->index;
}

struct mac edge_mac(const struct edge *e, unsigned community)
{
	return e->community[community]->mac;
}

const uint8_t *edge_mask(const struct edge *e, unsigned community)
{
	return e->community[community]->mask;
}

int edge_add_supernode(struct edge *e, const uint8_t *key, const uint8_t *pinned)
{
	struct supernode_entry *s = &e->supernode[e->n_supernodes];

	if (e->n_supernodes >= SUPERNODES_MAX)
		return N2N_ENOSPC;
	s->given = key != NULL;
	s->has_key = key != NULL || pinned != NULL;
	if (s->has_key)
		memcpy(s->key, key != NULL ? key : pinned, KEY_LEN);
	return (int)e->n_supernodes++;
}

void edge_supernode_resolved(
	struct edge *e, unsigned supernode, const struct endpoint *addresses, size_t n)
{
	struct supernode_entry *s = &e->supernode[supernode];

	s->n = 0;
	for (size_t i = 0; i < n && s->n < SUPERNODE_ADDRESSES; i++)
		if (endpoint_is_usable(&addresses[i]))
			s->address[s->n++] = addresses[i];
}

void edge_local_addresses(struct edge *e, const struct endpoint *addresses, size_t n)
{
	uint64_t now_ms = e->node.now_ms;

	if (n > LOCAL_ADDRESSES_MAX)
		n = LOCAL_ADDRESSES_MAX;
	if (n == e->n_local && (n == 0 || memcmp(e->local, addresses, n * sizeof(*addresses)) == 0))
		return;
	e->n_local = (uint8_t)n;
	if (n > 0)
		memcpy(e->local, addresses, n * sizeof(*addresses));
	for (unsigned i = 0; i < e->n_communities; i++) {
		hop_moved(e->community[i], now_ms);
		peers_moved(e->community[i], now_ms);
	}
}

void edge_remember(struct edge *e, unsigned community, const struct known_peer *k)
{
	struct community *c = e->community[community];
	struct peer *p = peer_find(c, k->remote);

	if (p == NULL)
		p = peer_create(c, k->remote);
	if (p == NULL)
		return;
	p->remembered = true;
	p->last_direct = k->direct;
	p->session->confirmed = true;
	p->session->freshness = k->freshness;
}

/* Those met in this run first, so that old acquaintances give way when there is no room for all. */
size_t edge_known_peers(
	const struct edge *e, unsigned community, struct known_peer *out, size_t cap)
{
	const struct peer *first = e->community[community]->peers;
	size_t n = 0;

	for (unsigned old = 0; old < 2; old++) {
		for (const struct peer *p = first; p != NULL && n < cap; p = p->hh.next) {
			if (!p->session->confirmed || (p->session->incarnation == 0) != (bool)old)
				continue;
			memcpy(out[n].remote, p->remote, KEY_LEN);
			out[n].freshness = p->session->freshness;
			out[n++].direct = p->last_direct;
		}
	}
	return n;
}

static void say_goodbye(struct node *n, enum session_kind kind)
{
	for (struct session *s = n->sessions; s != NULL; s = s->hh.next) {
		uint8_t buf[2 * CONTROL_HEADER_LEN];
		struct writer w;

		if (s->kind != kind)
			continue;
		writer_init(&w, buf, sizeof(buf));
		if (kind == SESSION_HOP)
			control_unregister_encode(&w);
		else
			control_bye_encode(&w, &(struct control_bye){BYE_SHUTDOWN});
		node_send(n, s, KIND_CONTROL, buf, writer_len(&w), NULL);
	}
}

void edge_shutdown(struct edge *e, uint64_t now_ms)
{
	e->node.now_ms = now_ms;
	/* Peers first: the supernode relays for the registered only. */
	say_goodbye(&e->node, SESSION_PEER);
	say_goodbye(&e->node, SESSION_HOP);
}
