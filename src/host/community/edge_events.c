/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge tells its user, a line per event, and which events it remembers. */
#include <stdio.h>
#include <string.h>

#include "host/community/edge_host_state.h"
#include "host/community/keep.h"
#include "os/sys.h"

#define PEER_NAME_MAX 128

static const char *relay_reason_text(uint32_t reason)
{
	switch ((enum relay_reason)reason) {
	case RELAY_NOT:
		return "no reason";
	case RELAY_SEARCHING:
		return "a direct path is being searched";
	case RELAY_NO_ADDRESS:
		return "it told no address that could be tried";
	case RELAY_NO_ANSWER:
		return "none of its addresses answered";
	case RELAY_SILENT:
		return "the direct path fell silent";
	}
	return "unknown reason";
}

/* ---- looking things up in the status ---- */

struct lookup {
	const uint8_t *edge;	  /* the peer looked for, or NULL */
	unsigned supernode;	  /* the supernode looked for */
	bool any_up;		  /* some registration stands */
	char peer[PEER_NAME_MAX]; /* ", 10.1.2.2, 02:..": what is known of the peer */
	struct endpoint observed;
};

static void see_community(void *ctx, const struct status_community *c)
{
	(void)ctx;
	(void)c;
}

static void see_peer(void *ctx, const struct status_peer *p)
{
	struct lookup *l = ctx;
	char ip[ENDPOINT_TEXT_MAX], mac[MAC_TEXT_MAX];
	struct endpoint e = {0};

	if (l->edge == NULL || memcmp(p->edge_id, l->edge, EDGE_ID_LEN) != 0 || !p->has_mac)
		return;
	if (p->n_addresses > 0)
		memcpy(e.ip, p->address[0].ip, sizeof(e.ip));
	snprintf(l->peer, sizeof(l->peer), " (%s%s%s)",
		p->n_addresses > 0 ? endpoint_format_ip(&e, ip) : "",
		p->n_addresses > 0 ? ", " : "", mac_format(&p->mac, mac));
}

static void see_supernode(void *ctx, const struct status_supernode *s)
{
	struct lookup *l = ctx;

	l->any_up = l->any_up || s->state == SUPERNODE_UP;
	if (s->index == l->supernode && !endpoint_is_none(&s->observed))
		l->observed = s->observed;
}

static void look_up(const struct edge_host *h, struct lookup *l, uint64_t now_ms)
{
	const struct status_sink sink = {
		.ctx = l, .community = see_community, .peer = see_peer, .supernode = see_supernode};

	edge_status(h->edge, now_ms, &sink);
}

bool edge_has_supernode(const struct edge_host *h, uint64_t now_ms)
{
	struct lookup l = {.edge = NULL};

	look_up(h, &l, now_ms);
	return l.any_up;
}

/* ---- lines ---- */

static void say_registered(const struct edge_host *h, const struct event *e)
{
	struct lookup l = {.supernode = e->supernode};
	char remote[ENDPOINT_TEXT_MAX], observed[ENDPOINT_TEXT_MAX];

	look_up(h, &l, sys_now_ms());
	if (endpoint_is_none(&l.observed))
		snprintf(observed, sizeof(observed), "not told");
	else
		endpoint_format(&l.observed, observed);
	log_info(h->host.log, "supernode %s: registered in community %s at %s, we are seen as %s",
		h->supernode[e->supernode], h->community, endpoint_format(&e->remote, remote),
		observed);
}

static void on_supernode_event(struct edge_host *h, const struct event *e)
{
	const char *name = h->supernode[e->supernode];
	const struct log *log = h->host.log;
	struct os_error err;

	switch (e->kind) {
	case EVENT_SUPERNODE_UP:
		say_registered(h, e);
		break;
	case EVENT_SUPERNODE_SILENT:
		log_warn(log,
			"supernode %s: no answer; is it running, is its UDP port open? Trying on",
			name);
		break;
	case EVENT_SUPERNODE_KEY:
		host_not_kept(&h->host, keep_supernode(h->host.state, name, e->key, &err), &err);
		break;
	case EVENT_SUPERNODE_KEY_CHANGED:
		log_warn(log,
			"supernode %s: its key is not the one of last time; was it set up anew? "
			"Going on with the new key",
			name);
		break;
	case EVENT_SUPERNODE_KEY_MISMATCH:
		log_error(log,
			"supernode %s: it has another key than the one given for it; not used. "
			"Compare with the key it prints at its start",
			name);
		break;
	default:
		log_warn(log, "supernode %s: registration refused: %s", name,
			e->value == REGISTER_FULL ? "it is full" : "it doubts our identity");
		break;
	}
}

static void on_peer_event(const struct edge_host *h, const struct event *e)
{
	struct lookup l = {.edge = e->edge};
	char id[EDGE_ID_TEXT_LEN + 1], remote[ENDPOINT_TEXT_MAX];
	const struct log *log = h->host.log;

	edge_id_format(e->edge, id);
	look_up(h, &l, sys_now_ms());
	switch (e->kind) {
	case EVENT_PEER_UP:
		log_info(log, "peer %.8s%s: connected", id, l.peer);
		break;
	case EVENT_PEER_DOWN:
		log_info(log, "peer %.8s%s: gone", id, l.peer);
		break;
	case EVENT_PEER_RESTARTED:
		log_info(log, "peer %.8s%s: was restarted", id, l.peer);
		break;
	case EVENT_PATH_DIRECT:
		log_info(log, "peer %.8s%s: direct path to %s, %u ms", id, l.peer,
			endpoint_format(&e->remote, remote), e->value);
		break;
	default:
		log_info(log, "peer %.8s%s: through the relay, %s", id, l.peer,
			relay_reason_text(e->value));
		break;
	}
}

static void on_community_event(const struct edge_host *h, const struct event *e)
{
	switch (e->kind) {
	case EVENT_WRONG_KEY:
		log_warn(h->host.log,
			"community %s: no other member under this key; is it the same key "
			"everywhere?",
			h->community);
		break;
	case EVENT_WRONG_PASSPHRASE:
		log_warn(h->host.log,
			"community %s: the passphrase differs from that of every member reached; "
			"is it typed right?",
			h->community);
		break;
	default:
		log_warn(h->host.log,
			"community %s: many joins with a wrong passphrase; somebody may be "
			"guessing it. Members known before get in as always",
			h->community);
		break;
	}
}

void edge_on_event(void *ctx, const struct event *e)
{
	struct edge_host *h = ctx;

	switch (e->kind) {
	case EVENT_SUPERNODE_UP:
	case EVENT_SUPERNODE_SILENT:
	case EVENT_SUPERNODE_KEY:
	case EVENT_SUPERNODE_KEY_CHANGED:
	case EVENT_SUPERNODE_KEY_MISMATCH:
	case EVENT_SUPERNODE_REFUSED:
		on_supernode_event(h, e);
		break;
	case EVENT_PEER_UP:
	case EVENT_PEER_DOWN:
	case EVENT_PEER_RESTARTED:
	case EVENT_PATH_DIRECT:
	case EVENT_PATH_RELAY:
		on_peer_event(h, e);
		break;
	case EVENT_WRONG_KEY:
	case EVENT_WRONG_PASSPHRASE:
	case EVENT_GUESSING:
		on_community_event(h, e);
		break;
	case EVENT_STATE:
		h->state_changed = true;
		break;
	case EVENT_MEMBER_UP:
	case EVENT_MEMBER_DOWN: /* a supernode's */
		break;
	}
}
