/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What edges and supernodes share: sessions, retired memory, views, and the way out. */
#include "core/node.h"

#include <stdlib.h>
#include <string.h>

#include "core/link/view.h"
#include "core/session/responder.h"

static void send_out(void *ctx, const struct datagram *d, size_t n)
{
	struct node *node = ctx;

	for (size_t i = 0; i < n; i++)
		node->io.send(node->io.ctx, &d[i]);
}

struct datagram_sink node_sink(struct node *n)
{
	return (struct datagram_sink){send_out, n};
}

int node_init(struct node *n, const struct role *role, const struct node_config *c)
{
	memset(n, 0, sizeof(*n));
	n->io = c->io;
	n->role = role;
	n->ciphers = c->ciphers;
	n->nthreads = c->nworkers + 1;
	n->first_counter = c->first_counter;
	n->wall_ms = c->wall_ms;
	n->freshness = c->freshness;
	n->n_embryos = c->embryos;
	n->embryos = calloc(c->embryos, sizeof(*n->embryos));
	n->waiting_pool = calloc(WAITING_MAX, sizeof(*n->waiting_pool));
	if (n->embryos == NULL || n->waiting_pool == NULL ||
		transmitter_init(&n->tx, c->nworkers, node_sink(n), &n->drops) != 0) {
		node_fini(n);
		return N2N_ENOMEM;
	}
	for (unsigned i = 0; i < WAITING_MAX; i++) {
		n->waiting_pool[i].next = n->waiting_free;
		n->waiting_free = &n->waiting_pool[i];
	}
	random_bytes(&n->io.random, n->hash_key, sizeof(n->hash_key));
	random_bytes(&n->io.random, n->cookie_secret, sizeof(n->cookie_secret));
	n->view_stale = true;
	return 0;
}

void node_fini(struct node *n)
{
	struct session *s, *next;

	HASH_ITER (hh, n->sessions, s, next)
		session_retire(n, s);
	node_retire(n, n->view, view_destroy);
	n->view = NULL;
	retired_destroy(node_take_retired(n));
	transmitter_fini(&n->tx);
	if (n->embryos != NULL)
		crypto_wipe(n->embryos, n->n_embryos * sizeof(*n->embryos));
	free(n->embryos);
	if (n->waiting_pool != NULL)
		crypto_wipe(n->waiting_pool, WAITING_MAX * sizeof(*n->waiting_pool));
	free(n->waiting_pool);
	crypto_wipe(n, sizeof(*n));
}

void node_retire(struct node *n, void *memory, void (*destroy)(void *memory))
{
	struct retired *r;

	if (memory == NULL)
		return;
	r = malloc(sizeof(*r));
	/* Without memory to remember it by, leaking is the one safe thing left. */
	if (r == NULL)
		return;
	*r = (struct retired){n->retired, memory, destroy};
	n->retired = r;
}

struct retired *node_take_retired(struct node *n)
{
	struct retired *list = n->retired;

	n->retired = NULL;
	return list;
}

void retired_destroy(struct retired *list)
{
	while (list != NULL) {
		struct retired *next = list->next;

		list->destroy(list->memory);
		free(list);
		list = next;
	}
}

void node_tick(struct node *n, uint64_t now_ms)
{
	struct session *s, *next;

	n->now_ms = now_ms;
	responder_tick(n, now_ms);
	HASH_ITER (hh, n->sessions, s, next) {
		session_tick(n, s, now_ms);
		search_tick(n, s, now_ms);
		control_flush(n, s, NULL, now_ms);
	}
	n->role->tick(n, now_ms);
}

const struct view *node_view(struct node *n)
{
	struct view *v;

	if (!n->view_stale && n->view != NULL)
		return n->view;
	v = n->role->view(n);
	if (v == NULL)
		return n->view;
	node_retire(n, n->view, view_destroy);
	n->view = v;
	n->view_stale = false;
	n->view_fresh = true;
	return v;
}

const struct view *node_view_changed(struct node *n)
{
	const struct view *v = node_view(n);

	if (!n->view_fresh)
		return NULL;
	n->view_fresh = false;
	return v;
}

void node_view_touch(struct node *n)
{
	n->view_stale = true;
}

uint32_t node_new_id(struct node *n)
{
	for (;;) {
		uint32_t id = random_u32(&n->io.random) >> 2;
		bool used = id == 0 || session_by_id(n, id) != NULL;

		for (unsigned i = 0; i < n->n_embryos && !used; i++)
			used = n->embryos[i].party != NULL &&
			       INDEX_ID(n->embryos[i].result.rx_index) == id;
		if (!used)
			return id;
	}
}

uint64_t node_freshness(struct node *n)
{
	uint64_t wall = n->wall_ms + n->now_ms;

	n->freshness = wall > n->freshness ? wall : n->freshness + 1;
	return n->freshness;
}

void node_event(struct node *n, const struct event *e)
{
	n->io.event(n->io.ctx, e);
}

void node_peer_event(struct node *n, const struct session *s, enum event_kind kind, uint32_t value)
{
	const struct path *p = session_path(s);
	struct event e = {
		.kind = kind, .community = s->community, .value = value, .key = s->remote};

	if (p != NULL && p->hop == NULL)
		e.remote = p->remote;
	edge_id(e.edge, s->remote);
	node_event(n, &e);
}

void node_reply(struct node *n, const struct origin *to, uint8_t *buf, size_t len)
{
	struct datagram d = {buf, len, to->remote, to->local};
	struct path path = {.handle = to->handle, .hop_limit = RELAY_HOP_LIMIT};
	struct relay_burst relay;

	if (to->hop_id != 0) {
		path.hop = session_by_id(n, to->hop_id);
		if (path.hop == NULL || !transmit_relay_begin(&n->tx, &relay, &path, 1, n->now_ms))
			return;
		transmit_relay_header(&relay, buf, len, &d);
	}
	n->io.send(n->io.ctx, &d);
}

static void send_packet(struct node *n, struct session *s, struct keyset *k, enum frame_kind kind,
	const struct slice *plain, struct path *via)
{
	uint8_t slot[SLOT_HEADROOM + CONTROL_MAX_LEN + DATA_TAG_LEN];
	struct tx x = {
		.session = s,
		.keys = k,
		.packet = slot + RELAY_HEADER_LEN,
		.len = plain->len,
		.kind = (uint8_t)kind,
	};

	if (k == NULL || plain->len > CONTROL_MAX_LEN)
		return;
	if (plain->len > 0)
		memcpy(slot + SLOT_HEADROOM, plain->data, plain->len);
	if (via != NULL)
		(void)transmit_on(&n->tx, &x, 1, via, n->now_ms);
	else
		(void)transmit_run(&n->tx, &x, 1, n->now_ms);
}

void node_send(struct node *n, struct session *s, enum frame_kind kind, const uint8_t *plain,
	size_t len, struct path *via)
{
	send_packet(n, s, session_sending(s, n->now_ms), kind, &(struct slice){plain, len}, via);
}

void node_send_under(struct node *n, struct session *s, struct keyset *k)
{
	struct path via = {.remote = s->origin.remote,
		.local = s->origin.local,
		.hop_limit = RELAY_HOP_LIMIT,
		.hop = session_by_id(n, s->origin.hop_id),
		.handle = s->origin.handle};
	bool known = s->kind == SESSION_PEER && (via.hop != NULL || s->origin.hop_id == 0);

	send_packet(n, s, k, KIND_ETHERNET, &(struct slice){NULL, 0}, known ? &via : NULL);
}
