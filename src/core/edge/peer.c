/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other members of a community: who is listed, how to reach them, what they say of themselves
 * inside the session. Sessions, keys and paths themselves are session.c's and search.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "core/edge/misfit.h"
#include "core/edge/presence.h"
#include "core/path/probe.h"
#include "core/session/send.h"

#define FORGET_MS      60000u /* an unlisted peer without keys is forgotten */
#define GIVE_WAY_MS    1000u  /* of two that are listed together the larger key lets go first */
#define RESTART_GAP_MS 5000u  /* between handshakes because the roster says "restarted" */
#define SILENT_MS      15000u /* sending and hearing nothing at all: try a new handshake */
#define AGAIN_MS       500u   /* what waits for others is looked at again */

#define REROUTED_AT_ONCE 64 /* peers whose paths are looked at in a tick when routes change */

struct peer *peer_find(struct community *c, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = core_of(c)->hash_key;
	struct peer *p;

	HASH_FIND(hh, c->peers, remote, KEY_LEN, p);
	return p;
}

/* The handle under which packets that its supernode relays come, in the view as it is by now. */
static void show_handle(struct peer *p)
{
	struct view_editor *v = &core_of(p->community)->view;
	const struct session *hop = p->community->hop.session;
	uint32_t hop_id =
		hop != NULL && hop_is_up(p->community) && p->handle != 0 ? hop->link.id : 0;

	if (hop_id == p->shown_hop && (hop_id == 0 || p->handle == p->shown_handle))
		return;
	if (p->shown_hop != 0)
		view_remove_handle(v, p->shown_hop, p->shown_handle, &p->session->link);
	p->shown_hop = hop_id;
	p->shown_handle = p->handle;
	/* Without memory its relayed packets take the slow way in, until its handle is told again.
	 */
	if (hop_id != 0 && view_put_handle(v, hop_id, p->handle, &p->session->link) != 0)
		p->shown_hop = 0;
}

/* Takes what workers see of it out of the view, and retires it. */
static void hide(struct peer *p)
{
	struct core *core = core_of(p->community);
	unsigned community = p->community->index;

	p->handle = 0;
	show_handle(p);
	group_part(p);
	claims_part(p);
	backlog_part(p);
	listeners_part(p);
	view_remove_port(&core->view, community, p->port);
	core_retire(core, p->port, free);
	session_retire(core, p->session);
}

struct peer *peer_create(struct community *c, const uint8_t remote[KEY_LEN])
{
	const uint8_t *hash_key = core_of(c)->hash_key;
	struct core *core = core_of(c);
	struct peer *p;

	if (HASH_COUNT(c->peers) >= PEERS_MAX)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->community = c;
	p->session = session_create(core, LINK_PEER, &c->party, c->index, remote);
	if (p->session == NULL) {
		free(p);
		return NULL;
	}
	p->port = view_add_port(&core->view, c->index,
		&(struct port){.kind = PORT_LINK, .link = &p->session->link});
	if (p->port == NULL || listeners_meet(p) != 0) {
		if (p->port != NULL) {
			view_remove_port(&core->view, c->index, p->port);
			core_retire(core, p->port, free);
		}
		session_retire(core, p->session);
		free(p);
		return NULL;
	}
	p->view = core->view.version + 1;
	p->session->link.port = p->port->number;
	p->session->owner = p;
	p->unlisted_ms = core->now_ms;
	p->unreached = true; /* what it brings soon is not to be forgotten for its silence before */
	memcpy(p->remote, remote, KEY_LEN);
	HASH_ADD(hh, c->peers, remote, KEY_LEN, p);
	if (p->hh.tbl == NULL) {
		hide(p);
		free(p);
		return NULL;
	}
	claims_meet(p);
	return p;
}

void peer_forget(struct peer *p)
{
	misfit_clear(p);
	twins_part(p);
	claims_unsay(p);
	barred_part(p);
	storms_part(p);
	labels_part(p);
	addresses_part(p);
	HASH_DELETE(hh, p->community->peers, p);
	hide(p);
	free(p);
}

static struct core *core_of_peer(const struct peer *p)
{
	return core_of(p->community);
}

/* A relayed session follows the relay; one without any path takes what there is. */
static void reroute(struct peer *p)
{
	const struct community *c = p->community;
	struct route *r = &p->session->route;

	r->relay = hop_is_up(c) ? &c->hop.session->link : NULL;
	r->handle = p->handle;
	show_handle(p);
	group_follow(p);
	path_follow_route(core_of(c), p->session);
}

void peers_repath(struct community *c)
{
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		reroute(p);
}

/* ---- the roster ---- */

/* Who never confirmed is nobody: names in a roster must not use up the room for members. */
static bool is_nobody(const struct peer *p)
{
	return !p->session->confirmed && !p->remembered;
}

/* May forget the peer. */
static void unlist(struct peer *p)
{
	if (!p->listed)
		return;
	if (is_nobody(p)) {
		peer_forget(p);
		return;
	}
	misfit_clear(p);
	p->listed = false;
	twins_listed(p, false);
	p->handle = 0;
	p->unlisted_ms = core_of_peer(p)->now_ms;
	reroute(p);
	session_look_at(core_of_peer(p), p->session, p->unlisted_ms + FORGET_MS);
}

static void want_soon(struct peer *p, uint64_t delay_ms)
{
	/*
	 * With a passphrase the newcomer has the first word: who guesses is known by what it begins
	 * (admission_unconfirmed).
	 */
	if (p->community->party.mode == MODE_PASSPHRASE && delay_ms < TICK_MS)
		delay_ms = TICK_MS;
	p->session->failures = 0;
	p->session->not_before_ms = core_of_peer(p)->now_ms + delay_ms;
	session_want(core_of_peer(p), p->session);
	/* Somebody waits. */
	if (p->community->backlog.first != NULL)
		session_look_at(core_of_peer(p), p->session, core_of_peer(p)->now_ms + delay_ms);
}

static void list(struct community *c, const struct roster_entry *r)
{
	struct peer *p = peer_find(c, r->static_public);
	bool was_listed, restarted;

	if (memcmp(r->static_public, c->party.self.public, KEY_LEN) == 0)
		return;
	if (p == NULL)
		p = peer_create(c, r->static_public);
	if (p == NULL)
		return;
	was_listed = p->listed;
	restarted = p->session->confirmed && p->session->incarnation != r->incarnation &&
		    p->incarnation != r->incarnation;
	if (!was_listed || p->incarnation != r->incarnation) {
		misfit_clear(p);
		p->listed_ms = core_of(c)->now_ms;
	}
	p->marked = true;
	p->listed = true;
	p->left = false;
	p->incarnation = r->incarnation;
	twins_listed(p, r->twice);
	if (p->handle != r->handle) {
		p->handle = r->handle;
		reroute(p);
	}
	if (restarted)
		want_soon(p, random_below(&core_of(c)->io.random, RESTART_GAP_MS / 10));
	else if (!was_listed && p->session->current == NULL)
		want_soon(
			p, memcmp(c->party.self.public, p->remote, KEY_LEN) > 0 ? GIVE_WAY_MS : 0);
}

static void drop_unmarked(struct community *c)
{
	struct peer *p, *next;

	HASH_ITER (hh, c->peers, p, next)
		if (!p->marked)
			unlist(p);
}

void peers_roster(struct community *c, const struct control_roster *m)
{
	struct hop *h = &c->hop;
	bool anew = m->base == 0;

	/* A page repeated, or one of a version older than ours. */
	if (!anew && m->version >> 32 == h->roster >> 32 && m->version <= h->roster)
		return;
	if (!anew && (m->base >> 32 != h->roster >> 32 || m->base > h->roster)) {
		session_post(core_of(c), h->session, CONTROL_REGISTER);
		return;
	}
	if (anew) {
		if (h->collecting && m->version == h->roster)
			return;
		for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
			p->marked = false;
		h->collecting = true;
	}
	for (unsigned i = 0; i < m->n; i++) {
		const struct roster_entry *r = &m->entry[i];
		struct peer *p = r->gone ? peer_find(c, r->static_public) : NULL;

		if (!r->gone)
			list(c, r);
		else if (p != NULL && (p->handle == r->handle || p->handle == 0))
			unlist(p);
	}
	h->roster = m->version;
	if (m->last && h->collecting) {
		h->collecting = false;
		drop_unmarked(c);
	}
}

/* ---- in the session ---- */

/* It is where its handshake came from. */
static void note_place(struct peer *p)
{
	struct session *s = p->session;

	if (s->origin.hop_id == 0 && !way_is_none(&s->origin.way))
		session_reached(core_of_peer(p), s, &s->origin.way);
}

void peer_keyed(struct peer *p)
{
	struct session *s = p->session;

	note_place(p);
	if (link_path(&s->link) == NULL)
		reroute(p);
	session_post(core_of_peer(p), s, CONTROL_CLAIM);
	session_post(core_of_peer(p), s, CONTROL_CANDIDATES);
	labels_tell(p);
	snoop_keyed(p);
}

static void told_right_key(struct community *c)
{
	c->any_confirmed = true;
	c->told_wrong = false;
	c->unanswered = 0;
	c->unfit = 0;
	c->misfit_ms = 0;
}

/*
 * A new process is reached by the way that its handshake came, whatever was known of the one
 * before: by the relay, if it is registered there, as the roster says of this very process or else
 * its handshake, which may be that of a copy; else where it is, under the split's mask, as it may
 * have another one now.
 */
static void follow_process(struct peer *p)
{
	struct session *s = p->session;

	if (!p->listed || p->incarnation != s->incarnation)
		p->handle = s->origin.hop_id != 0 ? s->origin.handle : 0;
	s->mask_known = false;
	note_place(p);
	reroute(p);
	path_restart(core_of_peer(p), s);
}

void peer_confirmed(struct peer *p, unsigned effects)
{
	struct core *core = core_of_peer(p);

	told_right_key(p->community);
	misfit_clear(p);
	if (p->handle == 0 && p->session->origin.hop_id != 0) {
		p->handle = p->session->origin.handle;
		reroute(p);
	}
	if (effects & SESSION_RESTARTED) {
		group_restarted(p);
		follow_process(p);
		listeners_restart(p);
		if (effects & SESSION_TWICE)
			twins_met(p);
		if (!twins_is_one(p))
			send_event(core, p->session, EVENT_PEER_RESTARTED, 0);
	}
	peer_keyed(p);
	presence_met(p);
	core_event(core, &(struct event){.kind = EVENT_STATE, .community = p->community->index});
}

static void take_candidates(struct peer *p, const struct control_candidates *m)
{
	struct session *s = p->session;
	const struct path *direct = link_direct(&s->link);
	bool new_mask = !s->mask_known || memcmp(s->mask, m->mask, MASK_LEN) != 0;

	memcpy(s->mask, m->mask, MASK_LEN);
	s->mask_known = true;
	if (new_mask && direct != NULL)
		path_use(core_of_peer(p), s, &direct->way);
	search_told(core_of_peer(p), s, m);
}

static void take_bye(struct peer *p)
{
	struct core *core = core_of_peer(p);

	session_forget_keys(core, p->session);
	p->session->wanted = false;
	p->session->not_before_ms = core->now_ms + RESTART_GAP_MS;
	p->left = true;
	unlist(p);
	addresses_look(p);
	session_look_at(core, p->session, core->flush_ms);
}

void peer_message(struct peer *p, const struct control_msg *m, const struct origin *from)
{
	struct core *core = core_of_peer(p);
	union {
		struct control_candidates candidates;
		struct control_claim claim;
		struct control_claim_refused refused;
		struct control_listeners listeners;
		struct control_probe probe;
		struct control_echo echo;
		struct control_ping ping;
		struct control_group_key group_key;
		struct control_group_ask group_ask;
		struct control_names names;
	} u;

	switch (m->type) {
	case CONTROL_GROUP_KEY:
		if (control_group_key_decode(&u.group_key, m->body) == 0)
			group_take_key(p, &u.group_key);
		crypto_wipe(&u, sizeof(u));
		break;
	case CONTROL_GROUP_ASK:
		if (control_group_ask_decode(&u.group_ask, m->body) == 0)
			group_take_ask(p, &u.group_ask);
		break;
	case CONTROL_CANDIDATES:
		if (control_candidates_decode(&u.candidates, m->body) == 0)
			take_candidates(p, &u.candidates);
		break;
	case CONTROL_CLAIM:
		if (control_claim_decode(&u.claim, m->body) == 0)
			claims_take(p, &u.claim);
		break;
	case CONTROL_CLAIM_REFUSED:
		if (control_claim_refused_decode(&u.refused, m->body) == 0)
			refusals_take(p, &u.refused);
		break;
	case CONTROL_LISTENERS:
		if (control_listeners_decode(&u.listeners, m->body) == 0)
			listeners_take(p, &u.listeners);
		break;
	case CONTROL_PATH_PROBE:
		if (from->hop_id == 0 && control_probe_decode(&u.probe, m->body) == 0) {
			probe_answer(core, p->session, &u.probe, from);
			search_seen(core, p->session, from, true);
			path_probed(core, p->session, from);
		}
		break;
	case CONTROL_PATH_ECHO:
		if (control_echo_decode(&u.echo, m->body) == 0) {
			path_echo(core, p->session, &u.echo, from);
		}
		break;
	case CONTROL_PING:
		if (control_ping_decode(&u.ping, m->body) == 0)
			probe_pong(core, p->session, &u.ping, from);
		break;
	case CONTROL_NAMES:
		if (control_names_decode(&u.names, m->body) == 0)
			labels_take(p, &u.names);
		break;
	case CONTROL_BYE:
		take_bye(p);
		break;
	default:
		break;
	}
}

static void encode_candidates(struct community *c, uint32_t seq, struct writer *w)
{
	const struct edge *e = c->edge;
	struct control_candidates m = {.port_count = 1};

	memcpy(m.mask, c->mask, MASK_LEN);
	/* A supernode inside another n2n network sees us there. */
	if (hop_is_up(c) && endpoint_is_usable(&c->hop.observed) &&
		core_is_underlay(core_of(c), &c->hop.way)) {
		m.candidate[m.n].kind = CANDIDATE_OBSERVED;
		m.candidate[m.n++].endpoint = c->hop.observed;
	}
	for (unsigned i = 0; i < e->n_local && m.n < CANDIDATES_MAX; i++) {
		m.candidate[m.n].kind = CANDIDATE_LOCAL;
		m.candidate[m.n++].endpoint = e->local[i];
	}
	control_candidates_encode(w, seq, &m);
}

void peer_encode(struct peer *p, enum control_type type, uint32_t seq, struct writer *w)
{
	struct community *c = p->community;
	struct control_claim claim = {.mac = c->mac, .roles = c->roles, .n = c->n_addresses};

	if (type == CONTROL_CANDIDATES) {
		encode_candidates(c, seq, w);
	} else if (type == CONTROL_LISTENERS) {
		snoop_encode(c, seq, w);
	} else if (type == CONTROL_CLAIM) {
		memcpy(claim.address, c->address, sizeof(claim.address));
		memcpy(claim.tag, c->loop_tag, sizeof(claim.tag));
		if (c->stands_by)
			claim.roles |= ROLE_STANDBY;
		control_claim_encode(w, seq, &claim);
	} else if (type == CONTROL_GROUP_KEY) {
		group_encode(p, seq, w);
	} else if (type == CONTROL_NAMES) {
		labels_encode(c, seq, w);
	}
}

void peers_moved(struct community *c)
{
	struct core *core = core_of(c);

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		const struct path *direct = link_direct(&p->session->link);

		session_post(core, p->session, CONTROL_CANDIDATES);
		if (direct != NULL) {
			struct way from_anywhere = {
				.carrier = direct->way.carrier, .remote = direct->way.remote};

			path_use(core, p->session, &from_anywhere);
		}
		search_again(core, p->session);
		/* Whoever hears this from a new address asks back there. */
		send_empty(core, p->session);
	}
}

void peers_rerouted(struct community *c)
{
	struct core *core = core_of(c);
	unsigned n = 0;

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		p->rerouted = true;
		session_look_at(core, p->session,
			core->flush_ms + (uint64_t)(n++ / REROUTED_AT_ONCE) * SESSION_TICK_MS);
	}
}

/* ---- time ---- */

static void look_at_routes(struct peer *p)
{
	if (!p->rerouted)
		return;
	p->rerouted = false;
	path_rerouted(core_of_peer(p), p->session);
}

/* The other side may be a new process that knows nothing of us, and no roster says so. */
static void doubt_silence(struct peer *p)
{
	struct session *s = p->session;
	uint64_t now_ms = core_of_peer(p)->now_ms, since = p->asked_ms;

	if (since == 0 || s->current == NULL || s->attempt != NULL || s->wanted)
		return;
	if (since < s->current->born_ms)
		since = s->current->born_ms;
	if (now_ms >= since + SILENT_MS && now_ms < link_word(&s->link.tx_frame_ms) + SILENT_MS)
		session_want(core_of_peer(p), s);
}

/* A handshake with one who is there came to nothing: the next follows, after its pause. */
static void begin_again(struct peer *p)
{
	struct session *s = p->session;

	if (p->listed && s->failures > 0 && s->attempt == NULL && s->current == NULL && !s->wanted)
		session_want(core_of_peer(p), s);
}

static bool is_forgettable(const struct peer *p)
{
	return !p->listed && !p->remembered && !p->up && p->session->current == NULL;
}

uint64_t peer_look(struct peer *p)
{
	struct session *s = p->session;
	struct core *core = core_of_peer(p);
	bool idle = s->attempt == NULL && s->embryo == NULL;
	uint64_t leaves_ms = presence_look(p), claims_ms = claims_look(p);
	uint64_t keys_ms = group_age_keys(p), groups_ms = listeners_look(p), next_ms;

	backlog_give(p);
	look_at_routes(p);
	doubt_silence(p);
	begin_again(p);
	if (is_forgettable(p) && idle && core->now_ms >= p->unlisted_ms + FORGET_MS) {
		peer_forget(p);
		return 0;
	}
	if (is_forgettable(p))
		return core->now_ms < p->unlisted_ms + FORGET_MS ? p->unlisted_ms + FORGET_MS
								 : core->now_ms + AGAIN_MS;
	next_ms = leaves_ms < claims_ms ? leaves_ms : claims_ms;
	next_ms = next_ms < keys_ms ? next_ms : keys_ms;
	return next_ms < groups_ms ? next_ms : groups_ms;
}
