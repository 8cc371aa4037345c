/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An edge as a whole: set-up, its role's table, ticks, shutting down. */
#include "core/edge/edge.h"

#include <stdlib.h>
#include <string.h>

#include "core/data/pieces.h"
#include "core/edge/misfit.h"
#include "core/session/send.h"

#define SUPERNODE_PER_S 20000 /* answers to HELLO, and cookies: no Diffie-Hellman */

struct community *edge_community(struct edge *e, const struct party *self)
{
	struct community *c;

	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;)
		if (&c->party == self)
			return c;
	return NULL;
}

/* ---- the role: who is addressed ---- */

static bool is_its_supernode(const struct community *c, const struct way *from)
{
	return c->hop.state != SUPERNODE_UNRESOLVED && way_same_remote(&c->hop.way, from);
}

static void listen_as(struct listener *l, const struct community *c, enum addressee_kind kind)
{
	l->self = kind == TO_HOP ? &c->hop.party : &c->party;
	l->mask = kind == TO_HOP ? c->hop.party.hop_mask : c->mask;
	l->to = (struct addressee){
		.kind = (uint8_t)kind,
		.community = (uint8_t)c->index,
		.generation = c->generation,
	};
}

static unsigned role_listeners(
	struct node *n, const struct origin *from, struct listener out[LISTENERS_MAX])
{
	const struct community *c;
	unsigned count = 0;

	for (unsigned at = 0; (c = edge_next_community(edge_of(n), &at)) != NULL;) {
		const struct session *hop = c->hop.session;

		if (from->hop_id != 0 && (hop == NULL || hop->link.id != from->hop_id))
			continue;
		listen_as(&out[count++], c, TO_PEER);
		if (hop != NULL && from->hop_id == 0 && is_its_supernode(c, &from->way))
			listen_as(&out[count++], c, TO_HOP);
	}
	return count;
}

static bool from_supernode(const struct edge *e, const struct origin *from)
{
	const struct community *c;

	if (from->hop_id != 0)
		return false;
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;)
		if (is_its_supernode(c, &from->way))
			return true;
	return false;
}

static bool role_expected(struct node *n, const struct origin *from)
{
	struct edge *e = edge_of(n);

	return from_supernode(e, from) &&
	       bucket_take(&e->supernodes, n->core.now_ms, SUPERNODE_PER_S, SUPERNODE_PER_S);
}

static bool role_answer(struct node *n, const uint8_t *data, size_t len, const struct origin *from)
{
	struct community *c;

	if (from->hop_id != 0)
		return false;
	for (unsigned at = 0; (c = edge_next_community(edge_of(n), &at)) != NULL;)
		if (is_its_supernode(c, &from->way) && hop_hello_answer(c, data, len))
			return true;
	return false;
}

/* ---- the role: sessions ---- */

static struct session *role_find(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct community *c = edge_community(edge_of(n), self);
	struct peer *p = c != NULL ? peer_find(c, remote) : NULL;

	return p != NULL ? p->session : NULL;
}

/* Where another host has our identity only with who speaks with us. */
static bool may_shake_hands(const struct community *c, const struct peer *p)
{
	return !twins_are_refused(c) || (p != NULL && twins_spare(p));
}

static bool role_admit(struct node *n, const struct party *self, const uint8_t remote[KEY_LEN],
	const struct origin *from, bool stale)
{
	struct community *c = edge_community(edge_of(n), self);

	if (c == NULL || !may_shake_hands(c, peer_find(c, remote)))
		return false;
	return stale ? admission_answer_stale(c, remote, from) : admission_answer(c, remote, from);
}

static bool role_begin(struct node *n, struct session *s)
{
	(void)n;
	const struct peer *p = s->owner;

	if (s->link.kind != LINK_PEER)
		return true;
	return may_shake_hands(p->community, p) && admission_begin(s->owner);
}

static void role_refused(struct node *n, struct session *s, uint16_t result)
{
	(void)n;
	hop_refused(s->owner, result);
}

static bool role_accept(struct node *n, struct session *s)
{
	(void)n;
	return s->link.kind != LINK_PEER || admission_accept(s->owner);
}

static struct session *role_create(
	struct node *n, const struct party *self, const uint8_t remote[KEY_LEN])
{
	struct community *c = edge_community(edge_of(n), self);
	struct peer *p = c != NULL ? peer_create(c, remote) : NULL;

	return p != NULL ? p->session : NULL;
}

static void role_unconfirmed(struct node *n, const struct embryo *e)
{
	struct community *c = edge_community(edge_of(n), e->party);

	/* A replay says nothing of the member who once sent it; it was counted when answered. */
	if (c != NULL && !e->stale)
		admission_unconfirmed(c, e->remote, e->born_ms, e->strange > 0);
}

static void role_late(struct node *n, struct session *s)
{
	(void)n;
	if (s->link.kind == LINK_PEER)
		misfit_right(s->owner);
}

static void role_misfit(struct node *n, const struct embryo *e)
{
	struct community *c = edge_community(edge_of(n), e->party);
	struct peer *p = c != NULL ? peer_find(c, e->remote) : NULL;

	if (p != NULL)
		misfit_proved(p, &e->origin);
}

static void peer_effects(struct peer *p, unsigned effects)
{
	struct community *c = p->community;

	if (effects & SESSION_KEYED)
		peer_keyed(p);
	if (effects & SESSION_CONFIRMED) {
		admission_confirmed(p);
		peer_confirmed(p, effects);
	}
	if (effects & SESSION_UNFIT) {
		admission_unconfirmed(c, p->remote, core_of(c)->now_ms - CONFIRM_GIVE_UP_MS, false);
		misfit_unfit(p);
	}
	if (effects & SESSION_UNANSWERED)
		misfit_unanswered(p);
}

static void role_effects(struct node *n, struct session *s, unsigned effects)
{
	(void)n;
	if (s->link.kind == LINK_PEER) {
		peer_effects(s->owner, effects);
		return;
	}
	/* Another process has no fan-out sets of ours. */
	if (effects & SESSION_RESTARTED)
		group_hop_lost(s->owner);
	if (effects & SESSION_KEYED)
		hop_keyed(s->owner);
}

static void take_peer_pong(struct peer *p, const struct control_msg *m)
{
	struct control_pong pong;

	if (control_pong_decode(&pong, m->body) == 0)
		hop_peer_pong(p->community, &pong);
}

static void role_message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from)
{
	(void)n;
	(void)k;
	if (s->link.kind == LINK_PEER && m->type == CONTROL_PONG)
		take_peer_pong(s->owner, m);
	else if (s->link.kind == LINK_PEER &&
		 (m->type == CONTROL_VOUCH_ASK || m->type == CONTROL_VOUCH))
		vouch_message(s->owner, m);
	else if (s->link.kind == LINK_PEER)
		peer_message(s->owner, m, from);
	else
		hop_message(s->owner, m, from);
}

static void role_encode(
	struct node *n, struct session *s, enum control_type type, uint32_t seq, struct writer *w)
{
	(void)n;
	if (s->link.kind == LINK_PEER)
		peer_encode(s->owner, type, seq, w);
	else if (type == CONTROL_REGISTER)
		hop_encode_register(s->owner, seq, w);
}

static void role_acked(struct node *n, struct session *s, enum control_type type)
{
	(void)n;
	if (s->link.kind == LINK_PEER && type == CONTROL_GROUP_KEY)
		group_acked(s->owner);
}

static void role_lacking(struct node *n, struct session *s)
{
	(void)n;
	if (s->link.kind == LINK_PEER)
		group_lacking(s->owner);
}

static uint64_t role_look(struct node *n, struct session *s)
{
	(void)n;
	return s->link.kind == LINK_PEER ? peer_look(s->owner) : UINT64_MAX;
}

/* ---- the role: time ---- */

/* Why does nobody answer? Told once, and again after it was right in between. */
static void tell_wrong_key(struct community *c)
{
	enum community_state state = community_state(c);

	if (c->told_wrong)
		return;
	if (state != COMMUNITY_WRONG_KEY && state != COMMUNITY_WRONG_PASSPHRASE)
		return;
	c->told_wrong = true;
	core_event(
		core_of(c), &(struct event){
				    .kind = state == COMMUNITY_WRONG_KEY ? EVENT_WRONG_KEY
									 : EVENT_WRONG_PASSPHRASE,
				    .community = c->index,
			    });
}

static void role_tick(struct node *n)
{
	struct community *c;

	for (unsigned at = 0; (c = edge_next_community(edge_of(n), &at)) != NULL;) {
		hop_tick(c);
		group_tick(c);
		group_streams_tick(c);
		switch_tick(c);
		foreign_tick(c);
		backlog_tick(c);
		bridge_tick(c);
		snoop_tick(c);
		claims_tick(c);
		addresses_tick(c);
		barred_tick(c);
		storms_tick(c);
		refusals_tick(c);
		twins_tick(c);
		tell_wrong_key(c);
		admission_tick(c);
	}
	own_tick(edge_of(n));
	pieces_sweep(n->core.view.pieces, &n->core.drops, n->core.now_ms);
}

/* A bridge leaves word of what another member has claimed, any other of what is not its own. */
static void role_foreign(struct node *n, const struct addressee *of, const struct mac *source)
{
	struct community *c = edge_of(n)->community[of->community];

	/* Its interface is another community's by now. */
	if (c == NULL || c->generation != of->generation)
		return;
	if ((c->roles & ROLE_BRIDGE) != 0)
		(void)claims_brought(c, source, NULL);
	else
		foreign_came(c, source);
}

static void role_storm(struct node *n, const struct addressee *of, const struct mac *source,
	enum flood_kind kind, uint32_t per_s)
{
	struct community *c = edge_of(n)->community[of->community];

	if (c != NULL && c->generation == of->generation)
		storms_came(c, source, kind, per_s);
}

static const struct role edge_role = {
	.listeners = role_listeners,
	.expected = role_expected,
	.find = role_find,
	.admit = role_admit,
	.begin = role_begin,
	.refused = role_refused,
	.accept = role_accept,
	.create = role_create,
	.effects = role_effects,
	.unconfirmed = role_unconfirmed,
	.late = role_late,
	.misfit = role_misfit,
	.message = role_message,
	.encode = role_encode,
	.acked = role_acked,
	.lacking = role_lacking,
	.answer = role_answer,
	.frame = edge_frame,
	.own = own_led,
	.barred = barred_ours,
	.foreign = role_foreign,
	.storm = role_storm,
	.loop = bridge_told,
	.membership = snoop_heard,
	.look = role_look,
	.tick = role_tick,
	.doors = edge_doors,
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
	e->node.core.view.pieces = pieces_create();
	if (e->node.core.view.pieces == NULL) {
		edge_destroy(e);
		return NULL;
	}
	memcpy(e->seed, c->seed, SEED_LEN);
	random_bytes(&e->node.core.io.random, e->hop_secret, sizeof(e->hop_secret));
	return e;
}

static void community_destroy(struct community *c)
{
	struct peer *p, *next;

	if (c == NULL)
		return;
	HASH_ITER (hh, c->peers, p, next) {
		HASH_DELETE(hh, c->peers, p);
		free(p->port);
		listeners_free(&p->listened);
		free(p);
	}
	owners_fini(&c->owners);
	addresses_fini(c);
	fdb_destroy(c->fdb);
	bridge_destroy(c);
	backlog_clear(c);
	group_destroy(&c->group);
	snoop_close(c);
	crypto_secret_free(c);
}

void edge_destroy(struct edge *e)
{
	if (e == NULL)
		return;
	/* Sessions first: they refer to the parties of their communities. */
	pieces_destroy(e->node.core.view.pieces);
	node_fini(&e->node);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
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

	memcpy(c->seed, config->seed != NULL ? config->seed : c->edge->seed, SEED_LEN);
	if (config->key != NULL)
		party_init_key(p, config->key, c->seed);
	else
		party_init_passphrase(p, config->name, config->prs, c->seed);
	p->incarnation = random_u32(&core_of(c)->io.random);
	p->caps = aead_aes_is_fast() ? CAP_AES_FAST : 0;
	p->mtu = config->mtu;
}

static bool has_tag(const struct edge *e, const uint8_t tag[COMMUNITY_TAG_LEN])
{
	const struct community *c;

	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;)
		if (memcmp(c->party.tag, tag, COMMUNITY_TAG_LEN) == 0)
			return true;
	return false;
}

static int free_slot(const struct edge *e)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (e->slot[i].state == SLOT_FREE)
			return (int)i;
	return N2N_ENOSPC;
}

static void set_trusted(struct community *c, const struct trusted *list, size_t n)
{
	c->n_trusted = n < TRUSTED_MAX ? n : TRUSTED_MAX;
	if (c->n_trusted > 0)
		memcpy(c->trusted, list, c->n_trusted * sizeof(*c->trusted));
}

static void init_community(struct community *c, const struct community_config *config)
{
	c->mac = config->mac;
	if (mac_is_zero(&c->mac))
		c->mac = owners_derive(c->party.self.public);
	c->hold_ms = config->hold_ms;
	c->roles = config->roles;
	c->bpdu_guard = config->bpdu_guard;
	set_trusted(c, config->trusted, config->n_trusted);
	c->aged_ms = core_of(c)->now_ms;
	c->group.is_signed = config->signed_broadcast;
	c->n_addresses = config->n_addresses;
	memcpy(c->address, config->address, sizeof(c->address));
	if (config->mask != NULL)
		memcpy(c->mask, config->mask, MASK_LEN);
	else
		random_bytes(&core_of(c)->io.random, c->mask, MASK_LEN);
	c->hop.address = UINT32_MAX; /* the one before the first */
}

static int show_community(struct community *c, uint32_t learn)
{
	struct core *core = core_of(c);
	uint8_t key[FDB_KEY_LEN];
	int rc;

	if (learn > 0) {
		random_bytes(&core->io.random, key, sizeof(key));
		c->learn = learn;
		c->fdb = fdb_create(2 * learn, key);
		if (c->fdb == NULL)
			return N2N_ENOMEM;
	}
	rc = view_add_community(&core->view, c->index, c->generation, c->mask, c->fdb);
	if (rc != 0)
		return rc;
	/* Ours is nobody else's to bring. */
	view_set_interface(
		&core->view, c->index, mac_number(&c->mac), (c->roles & ROLE_BRIDGE) != 0);
	view_set_roles(&core->view, c->index, c->roles);
	rc = view_put_owner(&core->view, c->index, mac_number(&c->mac), &port_nobody);
	if (rc == 0)
		rc = addresses_show_ours(c);
	if (rc == 0)
		rc = snoop_open(c);
	if (rc == 0)
		rc = bridge_open(c);
	if (rc == 0)
		rc = group_open(c);
	if (rc != 0)
		view_remove_community(&core->view, c->index, core_retire_any, core);
	return rc;
}

int edge_add_community(struct edge *e, const struct community_config *config)
{
	int index = free_slot(e);
	struct community *c;

	if (index < 0)
		return index;
	c = crypto_secret_alloc(sizeof(*c));
	if (c == NULL)
		return N2N_ENOMEM;
	c->edge = e;
	c->index = (unsigned)index;
	if (config->name != NULL)
		strncpy(c->name, config->name, COMMUNITY_NAME_MAX);
	init_party(c, config);
	if (has_tag(e, c->party.tag)) {
		community_destroy(c);
		return N2N_EEXIST;
	}
	c->generation = ++e->last_generation;
	init_community(c, config);
	if (show_community(c, config->learn) != 0) {
		community_destroy(c);
		return N2N_ENOMEM;
	}
	e->community[index] = c;
	e->slot[index].state = SLOT_USED;
	e->node.env_version++;
	return index;
}

static void slot_rested(void *slot)
{
	((struct slot *)slot)->state = SLOT_DRAINING;
}

/* Embryos of a party must not outlive it. */
static void discard_embryos(struct core *core, const struct party *self)
{
	for (unsigned i = 0; i < core->embryos.n; i++)
		if (core->embryos.at[i].party == self)
			session_discard_embryo(&core->embryos.at[i]);
}

static void bid_farewell(struct community *c);

/*
 * What still knows a community that is gone, and until when:
 * - Sessions, embryos and deadlines refer to its party: all of them end here, before it is freed.
 * - Workers find its peers, addresses and keys in the view until they enter after the next one is
 *   shown. They never see struct community itself, so that it can be freed at once; links and paths
 *   are retired with their sessions.
 * - A worker may until then leave frames of its interface, and envelopes for it. Such a note names
 *   the index together with the generation, which is never used twice: it finds nobody.
 * - The index is used again when both have ended: the retired slot is destroyed after the grace
 *   period, and the host then sees all queues empty (edge_drained). So no frame that was read from
 *   one community's interface is ever sent in another.
 */
void edge_remove_community(struct edge *e, unsigned community, uint64_t now_ms)
{
	struct community *c = e->community[community];
	struct core *core = &e->node.core;
	struct peer *p, *next;

	core_enter(core, now_ms);
	if (c == NULL)
		return;
	bid_farewell(c);
	HASH_ITER (hh, c->peers, p, next)
		peer_forget(p);
	hop_leave(c);
	own_end(e, c);
	foreign_end(c);
	storms_end(c);
	discard_embryos(core, &c->party);
	e->community[community] = NULL;
	e->slot[community].state = SLOT_RETIRED;
	e->node.env_version++;
	view_remove_community(&core->view, community, core_retire_any, core);
	core_retire(core, c->fdb, fdb_destroy);
	c->fdb = NULL;
	group_close(c);
	bridge_close(c);
	core_retire(core, &e->slot[community], slot_rested);
	community_destroy(c);
}

int edge_revoke_group(
	struct edge *e, unsigned community, const uint8_t remote[KEY_LEN], uint64_t now_ms)
{
	struct peer *p = peer_find(e->community[community], remote);

	core_enter(core_of(e->community[community]), now_ms);
	if (p == NULL)
		return N2N_EINVAL;
	group_remove(p);
	return 0;
}

void edge_drained(struct edge *e)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (e->slot[i].state == SLOT_DRAINING)
			e->slot[i].state = SLOT_FREE;
}

struct mac edge_mac(const struct edge *e, unsigned community)
{
	return e->community[community]->mac;
}

static void claim_again(struct community *c)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		session_post(core_of(c), p->session, CONTROL_CLAIM);
}

int edge_set_mac(struct edge *e, unsigned community, const struct mac *mac, uint64_t now_ms)
{
	struct community *c = e->community[community];
	int rc;

	if (mac_is_zero(mac) || mac_is_group(mac))
		return N2N_EINVAL;
	core_enter(core_of(c), now_ms);
	if (mac_equal(mac, &c->mac))
		return 0;
	rc = claims_move(c, mac);
	if (rc == 0)
		claim_again(c);
	return rc;
}

int edge_set_addresses(struct edge *e, unsigned community, const struct claim_address *list,
	unsigned n, uint64_t now_ms)
{
	struct community *c = e->community[community];
	int rc;

	core_enter(core_of(c), now_ms);
	rc = addresses_change_ours(c, list, n);
	if (rc == 0)
		claim_again(c);
	return rc;
}

void edge_set_trusted(
	struct edge *e, unsigned community, const struct trusted *list, size_t n, uint64_t now_ms)
{
	struct community *c = e->community[community];

	core_enter(core_of(c), now_ms);
	set_trusted(c, list, n);
	claims_regrant(c);
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

/* In whatever order; each is there once. */
static bool same_addresses(const struct edge *e, const struct endpoint *addresses, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < e->n_local; j++)
			found += endpoint_equal(&addresses[i], &e->local[j]);
	return n == e->n_local && found == n;
}

void edge_local_addresses(
	struct edge *e, const struct endpoint *addresses, size_t n, uint64_t now_ms)
{
	struct community *c;
	bool same;

	core_enter(&e->node.core, now_ms);
	if (n > LOCAL_ADDRESSES_MAX)
		n = LOCAL_ADDRESSES_MAX;
	same = same_addresses(e, addresses, n);
	e->n_local = (uint8_t)n;
	if (n > 0)
		memcpy(e->local, addresses, n * sizeof(*addresses));
	if (same)
		return;
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;) {
		hop_moved(c);
		peers_moved(c);
	}
}

void edge_measure(struct edge *e, uint64_t now_ms)
{
	core_enter(&e->node.core, now_ms);
	for (struct session *s = e->node.core.sessions; s != NULL; s = s->hh.next)
		path_measure(&e->node.core, s);
}

void edge_rerouted(struct edge *e, uint64_t now_ms)
{
	struct community *c;

	core_enter(&e->node.core, now_ms);
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;) {
		peers_rerouted(c);
		if (c->hop.session != NULL)
			path_measure(core_of(c), c->hop.session);
	}
	own_rerouted(e);
}

size_t edge_supernode_places(const struct edge *e, struct endpoint *out, size_t cap)
{
	const struct community *c;
	size_t n = 0;

	for (unsigned at = 0; n < cap && (c = edge_next_community(e, &at)) != NULL;)
		if (!way_is_none(&c->hop.way) && c->hop.way.carrier == CARRIER_UDP)
			out[n++] = c->hop.way.remote;
	return n;
}

void edge_remember(struct edge *e, unsigned community, const struct known_peer *k)
{
	struct community *c = e->community[community];
	struct peer *p = peer_find(c, k->remote);

	if (memcmp(k->remote, c->party.self.public, KEY_LEN) == 0)
		return;
	if (p == NULL)
		p = peer_create(c, k->remote);
	if (p == NULL)
		return;
	p->remembered = true;
	p->left = !p->listed;
	p->trust.known = true;
	if (endpoint_is_usable(&k->direct)) {
		const struct way last = way_to(&k->direct);

		session_reached(&e->node.core, p->session, &last);
	}
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
			out[n++].direct = p->session->route.direct.remote;
		}
	}
	return n;
}

void edge_remember_owner(struct edge *e, unsigned community, const struct known_owner *k)
{
	struct community *c = e->community[community];

	claims_remember(c, k, peer_find(c, k->remote));
}

size_t edge_known_owners(
	const struct edge *e, unsigned community, struct known_owner *out, size_t cap)
{
	const struct owners *owners = &e->community[community]->owners;
	size_t n = owners->n < cap ? owners->n : cap;

	for (size_t i = 0; i < n; i++) {
		const struct owner *o = &owners->at[i];

		out[i] = (struct known_owner){
			.mac = o->mac,
			.absent_ms = o->absent_ms,
			.trial = owners_on_trial(o, core_of(e->community[community])->now_ms),
		};
		memcpy(out[i].remote, o->remote, KEY_LEN);
	}
	return n;
}

bool edge_forget_owner(struct edge *e, unsigned community, const struct mac *mac, uint64_t now_ms,
	struct forgotten_owner *out)
{
	struct community *c = e->community[community];

	core_enter(&e->node.core, now_ms);
	return c != NULL && claims_forget(c, mac, out);
}

static void say_goodbye(struct core *core, struct session *s)
{
	uint8_t buf[2 * CONTROL_HEADER_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	if (s->link.kind == LINK_HOP)
		control_unregister_encode(&w);
	else
		control_bye_encode(&w, &(struct control_bye){BYE_SHUTDOWN});
	send_control(core, s, &w);
}

static void bid_farewell(struct community *c)
{
	/* Peers first: the supernode relays for the registered only. */
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		say_goodbye(core_of(c), p->session);
	if (c->hop.session != NULL)
		say_goodbye(core_of(c), c->hop.session);
}

void edge_shutdown(struct edge *e, uint64_t now_ms)
{
	struct community *c;

	core_enter(&e->node.core, now_ms);
	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;)
		bid_farewell(c);
}
