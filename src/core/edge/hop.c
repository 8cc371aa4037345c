/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A community's way to its supernode (PROTOCOL.md 8).
 *
 *   UNRESOLVED --address--> [HELLO --key-->] HANDSHAKE --keys--> REGISTERING --REGISTERED--> UP
 *        any of them --6 s silence--> the next address or supernode, over and over
 *        any of them --refused--> UNRESOLVED, and on to the next that has not refused lately
 *
 * Up, a PING goes every few seconds, and a second after the last answer while other packets do. One
 * unanswered for a second starts a new handshake beside the old session: a supernode that restarted
 * has forgotten us, and this finds out first. What is heard meanwhile does not show that we are:
 * peers behind the relay are asked as well, and their answers count as the supernode's.
 */
#include <string.h>

#include "core/edge/edge_state.h"
#include "core/path/probe.h"
#include "core/session/send.h"

#define TRY_MS		  1500u /* silence to a handshake before asking, or trying, another */
#define UP_DOUBT_MS	  300u	/* the same while frames rely on the relay */
#define LOST_MS		  6000u
#define SILENT_MS	  5000u /* so long without an answer, people are told */
#define PING_MS		  5250u /* +- 2.75 s */
#define PING_AGAIN_MS	  1000u
#define PING_BUSY_MS	  1000u /* what is sent is asked about by then */
#define REGISTER_AGAIN_MS 2000u
#define REFUSED_FIRST_MS  5000u /* before a supernode is asked again, +- 20 %, then doubled */
#define REFUSED_DOUBLINGS 6	/* up to 320 s */
#define TWICE_DOUBLINGS	  3	/* up to 40 s: somebody waits for what the user has mended */

/* An honest supernode takes no more REGISTERs. Each answer may cost a line, and paths of all. */
#define REGISTERED_PER_S 2
#define REGISTERED_BURST 10

/*
 * It may be asked: it has an address, and has not refused us lately. Where another host with our
 * identity is, no other supernode is asked: there we would work beside it, and in its way.
 */
static bool is_open(const struct community *c, unsigned supernode)
{
	const struct refusal *r = &c->hop.refused[supernode];

	return c->edge->supernode[supernode].n > 0 && core_of(c)->now_ms >= r->until_ms &&
	       (r->result == REGISTER_IDENTITY_TWICE || !twins_wait(c));
}

/* The next usable address after the one in use, round and round; false when there is none. */
static bool next_address(const struct community *c, struct hop *h)
{
	const struct edge *e = c->edge;

	for (unsigned i = 0; i < SUPERNODES_MAX * SUPERNODE_ADDRESSES; i++) {
		const struct supernode_entry *entry = &e->supernode[h->supernode];

		if (++h->address >= entry->n) {
			h->address = 0;
			h->supernode = (h->supernode + 1) % e->n_supernodes;
			entry = &e->supernode[h->supernode];
		}
		if (h->address < entry->n && is_open(c, h->supernode)) {
			h->way = way_to(&entry->address[h->address]);
			return true;
		}
	}
	return false;
}

/*
 * Mask key and incarnation differ from hop to hop, so that no two supernodes, nor one for two
 * communities, can tell by them that we are the same; to one they stay what they are while we run.
 */
static void name_ourselves(struct party *p, const uint8_t secret[KEY_LEN])
{
	const struct slice self = {p->self.public, KEY_LEN};
	uint8_t names[MASK_LEN + 4];

	crypto_blake2b(names, sizeof(names), secret, KEY_LEN, &self, 1);
	memcpy(p->hop_mask, names, MASK_LEN);
	p->incarnation = load_be32(names + MASK_LEN);
}

static void open_session(struct community *c, const uint8_t key[KEY_LEN])
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct edge *e = c->edge;
	struct hop *h = &c->hop;

	party_wipe(&h->party);
	party_init_hop(&h->party, c->seed, c->party.tag, key);
	name_ourselves(&h->party, e->hop_secret);
	e->node.env_version++;
	h->session = session_create(&e->node.core, LINK_HOP, &h->party, c->index, key);
	if (h->session == NULL)
		return;
	h->session->owner = c;
	h->session->route.direct = h->way;
	h->session->result = twins_are_refused(c) ? REGISTER_IDENTITY_TWICE : REGISTER_OK;
	h->state = SUPERNODE_HANDSHAKE;
	h->tried_ms = now_ms;
	h->hello_ms = now_ms + TRY_MS;
	session_want(core_of(c), h->session);
}

void hop_leave(struct community *c)
{
	struct hop *h = &c->hop;

	h->state = SUPERNODE_UNRESOLVED; /* before paths are made anew: none is relayed now */
	h->handle = 0;
	h->up_ms = 0;
	h->roster = 0;
	h->collecting = false;
	group_hop_lost(c);
	peers_repath(c);
	/* Last, when no path leads through it any more. */
	session_retire(core_of(c), h->session);
	h->session = NULL;
}

static void begin(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct hop *h = &c->hop;

	hop_leave(c);
	h->began_ms = now_ms;
	hello_begin(&h->hello);
	h->hello_ms = now_ms;
	h->unanswered_ms = 0;
	core_view_touch(core_of(c));
	if (c->edge->n_supernodes == 0 || !next_address(c, h))
		return;
	h->state = SUPERNODE_HELLO;
	if (c->edge->supernode[h->supernode].has_key)
		open_session(c, c->edge->supernode[h->supernode].key);
}

static void supernode_event(struct community *c, enum event_kind kind, uint32_t value)
{
	const struct hop *h = &c->hop;

	core_event(core_of(c), &(struct event){
				       .kind = kind,
				       .community = c->index,
				       .supernode = h->supernode,
				       .value = value,
				       .remote = h->way.remote,
				       .key = c->edge->supernode[h->supernode].key,
			       });
}

static bool is_unanswered(const struct hop *h)
{
	return h->session != NULL && h->session->attempt != NULL;
}

/* ---- HELLO: which key do you have, and what is wrong with ours, or with our clock? ---- */

/* What is tried now has had the time in which an honest supernode answers. */
static bool had_its_time(const struct hop *h, uint64_t now_ms)
{
	uint64_t since_ms = h->tried_ms;

	if (is_unanswered(h) && h->session->attempt_ms > since_ms)
		since_ms = h->session->attempt_ms;
	return h->session == NULL || now_ms >= since_ms + (h->tried_ms == 0 ? UP_DOUBT_MS : TRY_MS);
}

/* With this key, and the freshness told along with it; 0: our own. */
static void try(struct community *c, const uint8_t key[KEY_LEN], uint64_t freshness)
{
	struct hop *h = &c->hop;

	if (h->session == NULL || memcmp(h->session->remote, key, KEY_LEN) != 0) {
		hop_leave(c);
		open_session(c, key);
	}
	h->tried_ms = core_of(c)->now_ms;
	if (h->session == NULL)
		return;
	session_end_attempt(h->session);
	h->session->told_freshness = freshness;
	h->session->not_before_ms = core_of(c)->now_ms;
	session_want(core_of(c), h->session);
	core_view_touch(core_of(c));
}

/*
 * Answers prove nothing: what they claim gets its turn, one after the other, and then what we knew
 * before. So whoever forges some costs us their turns, and no more.
 */
static void try_next(struct community *c)
{
	struct hop *h = &c->hop;
	const struct supernode_entry *entry = &c->edge->supernode[h->supernode];
	const struct hello_claim *claim;
	bool was_claimed = h->hello.trying;

	if (!had_its_time(h, core_of(c)->now_ms))
		return;
	claim = hello_next(&h->hello);
	if (claim != NULL) {
		try(c, claim->key, claim->freshness);
	} else if (was_claimed) {
		if (h->state == SUPERNODE_UP && h->session != NULL)
			try(c, h->session->remote, 0);
		else if (entry->has_key)
			try(c, entry->key, 0);
		h->hello_ms = core_of(c)->now_ms; /* all had their turn: ask anew */
	}
}

static void take_hello(struct community *c, const struct msg_hello *m)
{
	struct hop *h = &c->hop;
	struct supernode_entry *entry = &c->edge->supernode[h->supernode];
	bool up = h->state == SUPERNODE_UP;
	const uint8_t *key = up ? h->session->remote : entry->key;
	bool same = (up || entry->has_key) && memcmp(key, m->static_public, KEY_LEN) == 0;

	if (!same && up)
		return;
	if (!same && entry->given) {
		if (!entry->mismatch)
			supernode_event(c, EVENT_SUPERNODE_KEY_MISMATCH, 0);
		entry->mismatch = true;
		return;
	}
	hello_claim(&h->hello, m, &core_of(c)->io.random);
	try_next(c);
}

bool hop_hello_answer(struct community *c, const uint8_t *data, size_t len)
{
	struct hop *h = &c->hop;
	struct msg_hello m;

	/* Whoever saw a HELLO can answer it: nothing new of a key that proved itself. */
	if (h->state == SUPERNODE_REGISTERING ||
		(h->state == SUPERNODE_UP && !is_unanswered(h) && !h->hello.trying) ||
		!hello_is_answer(&h->hello, data, len, &m))
		return false;
	if (m.answer) {
		h->silent[h->supernode] = false;
		take_hello(c, &m);
	}
	return true;
}

/* ---- registration ---- */

void hop_keyed(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct hop *h = &c->hop;

	path_use(core_of(c), h->session, &h->way);
	c->edge->supernode[h->supernode].mismatch = false;
	h->silent[h->supernode] = false;
	h->hello_ms = 0;
	hello_settle(&h->hello);
	h->tried_ms = 0;
	h->unanswered_ms = 0;
	h->answered_ms = now_ms;
	/*
	 * Soon, and again until answered: the supernode confirms new keys with one packet, and if
	 * that is lost, they would be let go here while it uses them.
	 */
	h->ping_ms = now_ms + random_jitter(&core_of(c)->io.random, PING_AGAIN_MS, 20);
	if (h->state != SUPERNODE_UP)
		h->state = SUPERNODE_REGISTERING;
	session_post(core_of(c), h->session, CONTROL_REGISTER);
}

void hop_encode_register(struct community *c, uint32_t seq, struct writer *w)
{
	const struct hop *h = &c->hop;
	const struct keyset *k = h->session->current;
	struct control_register m = {
		.incarnation = c->party.incarnation,
		.roster_version = h->roster,
	};

	memcpy(m.tag, c->party.tag, sizeof(m.tag));
	memcpy(m.static_public, c->party.self.public, KEY_LEN);
	if (party_register_proof(m.proof, c->party.self.secret, h->session->remote, k->hash, m.tag,
		    m.static_public) == 0)
		control_register_encode(w, seq, &m);
}

static void set_observed(struct community *c, const struct endpoint *seen)
{
	if (endpoint_equal(seen, &c->hop.observed) || !endpoint_is_usable(seen))
		return;
	c->hop.observed = *seen;
	for (struct peer *p = c->peers; p != NULL; p = p->hh.next)
		session_post(core_of(c), p->session, CONTROL_CANDIDATES);
}

/* Told once; the tick goes on to the next supernode, or comes back to this one. */
static void take_refusal(struct community *c, uint8_t result)
{
	struct core *core = core_of(c);
	struct hop *h = &c->hop;
	struct refusal *r = &h->refused[h->supernode];
	bool news = r->result != result;

	r->result = result;
	r->until_ms =
		core->now_ms + random_jitter(&core->io.random, REFUSED_FIRST_MS << r->times, 20);
	if (r->times < (result == REGISTER_IDENTITY_TWICE ? TWICE_DOUBLINGS : REFUSED_DOUBLINGS))
		r->times++;
	if (news)
		supernode_event(c, EVENT_SUPERNODE_REFUSED, result);
	hop_leave(c);
	core_view_touch(core);
	if (result == REGISTER_IDENTITY_TWICE) {
		twins_ours(c, TWICE_US);
		twins_keep_still(c);
	}
}

static void unregister(struct community *c)
{
	uint8_t buf[CONTROL_HEADER_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_unregister_encode(&w);
	send_control(core_of(c), c->hop.session, &w);
}

/* The key that it proved is the one given or remembered, and not just claimed by whoever answers.
 */
static bool is_known(const struct community *c)
{
	const struct supernode_entry *entry = &c->edge->supernode[c->hop.supernode];

	return entry->has_key && memcmp(entry->key, c->hop.session->remote, KEY_LEN) == 0;
}

void hop_refused(struct community *c, uint16_t result)
{
	/* What ends sessions with members is no stranger's to say. */
	if (result > UINT8_MAX || (result == REGISTER_IDENTITY_TWICE && !is_known(c)))
		result = UINT8_MAX;
	take_refusal(c, (uint8_t)result);
}

/* Its RESPONSE proved that it has this key, and now it is the supernode that we use. */
static void keep_key(struct community *c)
{
	struct hop *h = &c->hop;
	struct supernode_entry *entry = &c->edge->supernode[h->supernode];

	if (is_known(c))
		return;
	memcpy(entry->key, h->session->remote, KEY_LEN);
	entry->told = false;
	entry->changed = entry->changed || entry->has_key;
	entry->has_key = true;
	if (entry->changed)
		supernode_event(c, EVENT_SUPERNODE_KEY_CHANGED, 0);
}

static void take_registered(struct community *c, const struct control_registered *m)
{
	struct hop *h = &c->hop;
	struct supernode_entry *entry = &c->edge->supernode[h->supernode];
	bool news = h->state != SUPERNODE_UP || h->handle != m->handle;

	if (!bucket_take(&h->registered, core_of(c)->now_ms, REGISTERED_PER_S, REGISTERED_BURST)) {
		core_drop(core_of(c), DROP_RATE);
		/* It was acknowledged, and may have named a new handle: ask once more, later. */
		h->register_ms = core_of(c)->now_ms + REGISTER_AGAIN_MS;
		return;
	}
	h->register_ms = 0;
	if (m->result != REGISTER_OK) {
		unregister(c);
		/* That one is said in a handshake (PROTOCOL.md 7.5). */
		take_refusal(c, m->result == REGISTER_IDENTITY_TWICE ? UINT8_MAX : m->result);
		return;
	}
	h->refused[h->supernode] = (struct refusal){.result = REGISTER_OK};
	h->session->result = REGISTER_OK;
	twins_ours(c, m->twice ? TWICE_OTHER : TWICE_NOT);
	if (h->state != SUPERNODE_UP) {
		keep_key(c);
		h->up_ms = core_of(c)->now_ms;
	}
	h->state = SUPERNODE_UP;
	c->told_silent = false;
	h->handle = m->handle;
	set_observed(c, &m->observed);
	if (!news)
		return;
	group_hop_lost(c);
	peers_repath(c);
	if (!entry->told) {
		entry->told = true;
		supernode_event(c, EVENT_SUPERNODE_KEY, 0);
	}
	core_event(core_of(c), &(struct event){
				       .kind = EVENT_SUPERNODE_UP,
				       .community = c->index,
				       .supernode = h->supernode,
				       .value = m->handle,
				       .remote = h->way.remote,
				       .observed = h->observed,
			       });
}

static void take_pong(struct community *c, const struct control_pong *m)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct hop *h = &c->hop;

	/* One for each PING: it may tell an address, which all peers are then told. */
	if (h->unanswered_ms == 0 || m->token != h->token)
		return;
	h->unanswered_ms = 0;
	h->answered_ms = now_ms;
	h->ping_ms = now_ms + random_jitter(&core_of(c)->io.random, PING_MS, 52);
	set_observed(c, &m->observed);
}

void hop_message(struct community *c, const struct control_msg *m, const struct origin *from)
{
	union {
		struct control_probe probe;
		struct control_registered registered;
		struct control_roster roster;
		struct control_pong pong;
		struct control_fanned fanned;
	} u;

	switch (m->type) {
	case CONTROL_FANNED:
		if (control_fanned_decode(&u.fanned, m->body) == 0)
			group_fanned(c, &u.fanned);
		break;
	case CONTROL_REGISTERED:
		if (control_registered_decode(&u.registered, m->body) == 0)
			take_registered(c, &u.registered);
		break;
	case CONTROL_ROSTER:
		if (control_roster_decode(&u.roster, m->body) == 0)
			peers_roster(c, &u.roster);
		break;
	case CONTROL_PONG:
		if (control_pong_decode(&u.pong, m->body) == 0)
			take_pong(c, &u.pong);
		break;
	case CONTROL_PATH_PROBE: /* are we where a packet of ours came from? */
		if (control_probe_decode(&u.probe, m->body) == 0)
			probe_answer(core_of(c), c->hop.session, &u.probe, from);
		break;
	default:
		break;
	}
}

/* ---- staying registered ---- */

void hop_peer_pong(struct community *c, const struct control_pong *m)
{
	struct hop *h = &c->hop;

	if (h->unanswered_ms != 0 && m->token == h->token)
		h->answered_ms = core_of(c)->now_ms;
}

/* Of those whose packets come by the relay, and go by it, the one asked longest ago; or NULL. */
static struct peer *next_to_ask(const struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct peer *next = NULL;

	for (struct peer *p = c->peers; p != NULL; p = p->hh.next) {
		const struct path *path = link_path(&p->session->link);

		if (path != NULL && path->hop == &c->hop.session->link &&
			now_ms < link_word(&p->session->link.rx_ms) + LOST_MS &&
			(next == NULL || p->hop_asked_ms < next->hop_asked_ms))
			next = p;
	}
	return next;
}

static void ping(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct hop *h = &c->hop;
	struct peer *also = NULL;
	uint8_t buf[CONTROL_HEADER_LEN + 8];
	struct writer w;

	if (h->unanswered_ms == 0) {
		h->unanswered_ms = now_ms;
		h->token = random_u64(&core_of(c)->io.random);
	} else {
		session_want(core_of(c), h->session);
		also = next_to_ask(c);
	}
	h->ping_ms = now_ms + random_jitter(&core_of(c)->io.random, PING_AGAIN_MS, 20);
	writer_init(&w, buf, sizeof(buf));
	control_ping_encode(&w, &(struct control_ping){h->token});
	send_question(core_of(c), h->session, &w, NULL);
	if (also == NULL)
		return;
	also->hop_asked_ms = now_ms;
	send_question(core_of(c), also->session, &w, NULL);
}

/* Packets leave that the last answer says nothing of. */
static bool is_busy(const struct hop *h, uint64_t now_ms)
{
	return h->unanswered_ms == 0 && now_ms >= h->answered_ms + PING_BUSY_MS &&
	       link_word(&h->session->link.tx_ms) > h->answered_ms;
}

void hop_moved(struct community *c)
{
	if (hop_is_up(c))
		ping(c);
	else if (c->hop.session != NULL && c->hop.session->attempt != NULL)
		c->hop.session->attempt_next_ms = core_of(c)->now_ms;
}

/* Up, and for so long nothing shows that what is sent gets there. */
static bool is_silent_for(const struct hop *h, uint64_t now_ms, uint64_t ms)
{
	uint64_t since = h->answered_ms > h->unanswered_ms ? h->answered_ms : h->unanswered_ms;

	return h->unanswered_ms != 0 && now_ms >= since + ms;
}

static bool is_lost(const struct hop *h, uint64_t now_ms)
{
	uint64_t heard = h->began_ms;

	/* Up and idle is silent between PINGs: then only an unanswered one counts. */
	if (h->state == SUPERNODE_UP)
		return is_silent_for(h, now_ms, LOST_MS);
	if (h->session != NULL) {
		uint64_t rx = link_word(&h->session->link.rx_ms);

		if (rx > heard)
			heard = rx;
	}
	/* What was claimed here gets its turn: there are few, and nothing is asked meanwhile. */
	return now_ms >= heard + LOST_MS && !hello_has_more(&h->hello);
}

enum supernode_state hop_state(const struct community *c, uint64_t now_ms)
{
	const struct hop *h = &c->hop;
	uint64_t heard = h->session != NULL ? link_word(&h->session->link.rx_ms) : 0;
	bool silent;

	if (h->state == SUPERNODE_UNRESOLVED)
		return h->state;
	if (h->state == SUPERNODE_UP)
		silent = is_silent_for(h, now_ms, SILENT_MS);
	else
		silent = h->silent[h->supernode] ||
			 (heard == 0 && now_ms >= h->began_ms + SILENT_MS);
	return silent ? SUPERNODE_NO_ANSWER : h->state;
}

static bool may_begin(const struct community *c)
{
	for (unsigned i = 0; i < c->edge->n_supernodes; i++)
		if (is_open(c, i))
			return true;
	return false;
}

static bool must_ask(const struct hop *h, uint64_t now_ms)
{
	if (hello_has_more(&h->hello))
		return false;
	if (h->state == SUPERNODE_UP)
		return is_unanswered(h) && now_ms >= h->hello_ms &&
		       now_ms >= h->session->attempt_ms + UP_DOUBT_MS;
	return h->hello_ms != 0 && now_ms >= h->hello_ms &&
	       (h->state == SUPERNODE_HELLO || h->state == SUPERNODE_HANDSHAKE);
}

void hop_tick(struct community *c)
{
	uint64_t now_ms = core_of(c)->now_ms;
	struct hop *h = &c->hop;

	if (h->state == SUPERNODE_UNRESOLVED) {
		if (!may_begin(c))
			return;
		begin(c);
	}
	if (is_lost(h, now_ms)) {
		/* What does not reach it is our fault, and told as that. */
		if (!c->told_silent && !own_is_led(c->edge, &h->way.remote)) {
			supernode_event(c, EVENT_SUPERNODE_SILENT, 0);
			c->told_silent = true;
		}
		h->silent[h->supernode] = true;
		twins_forget(&h->refused[h->supernode]);
		begin(c);
		return;
	}
	try_next(c);
	if (must_ask(h, now_ms))
		h->hello_ms = now_ms + hello_ask(&h->hello, core_of(c), &h->way);
	if (h->register_ms != 0 && now_ms >= h->register_ms && h->session != NULL) {
		h->register_ms = 0;
		session_post(core_of(c), h->session, CONTROL_REGISTER);
	}
	if (h->state == SUPERNODE_UP && (now_ms >= h->ping_ms || is_busy(h, now_ms)))
		ping(c);
}
