/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answering handshakes: repetitions, replays, cookies, the pool, confirmation. */
#include "core/session/attempt.h"
#include "core_test.h"

#define EMBRYOS	 4
#define START_MS 100000u

/* The responder; rig first, because its node finds it. */
struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party self;
	uint8_t mask[MASK_LEN];
	struct note note;
	struct session *session; /* what find gives */
	enum link_kind kind;	 /* of what is created */
	bool admits;
	unsigned asked, failed, confirmed;
};

/* An initiator with one attempt. */
struct peer_end {
	struct party party;
	struct attempt attempt;
	struct origin at;
	uint8_t datagram[ENVELOPE_MAX_LEN];
	size_t len;
};

/* ---- the role ---- */

static struct fixture *fixture_of(struct node *n)
{
	return (struct fixture *)n;
}

static unsigned listeners(
	struct node *n, const struct origin *from, struct listener out[LISTENERS_MAX])
{
	(void)from;
	out[0] = (struct listener){
		.self = &fixture_of(n)->self, .mask = fixture_of(n)->mask, .to = {.kind = TO_PEER}};
	return 1;
}

static struct session *find(struct node *n, const struct party *self, const uint8_t *remote)
{
	struct session *s = fixture_of(n)->session;

	(void)self;
	return s != NULL && memcmp(s->remote, remote, KEY_LEN) == 0 ? s : NULL;
}

static bool admit(struct node *n, const struct party *self, const uint8_t *remote,
	const struct origin *from, bool stale)
{
	(void)from;
	(void)stale;
	(void)self;
	(void)remote;
	fixture_of(n)->asked++;
	return fixture_of(n)->admits;
}

static struct session *create(struct node *n, const struct party *self, const uint8_t *remote)
{
	fixture_of(n)->session = session_create(&n->core, fixture_of(n)->kind, self, 0, remote);
	return fixture_of(n)->session;
}

static void effects(struct node *n, struct session *s, unsigned what)
{
	(void)s;
	fixture_of(n)->confirmed += (what & SESSION_CONFIRMED) != 0;
}

static void unconfirmed(struct node *n, const struct embryo *e)
{
	(void)e;
	fixture_of(n)->failed++;
}

static uint64_t look(struct node *n, struct session *s)
{
	(void)n;
	(void)s;
	return UINT64_MAX;
}

static void tick(struct node *n)
{
	(void)n;
}

static const struct role role = {
	.listeners = listeners,
	.find = find,
	.admit = admit,
	.create = create,
	.effects = effects,
	.unconfirmed = unconfirmed,
	.look = look,
	.tick = tick,
};

/* ---- the two ends ---- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, &role, EMBRYOS);
	f->self = test_member(MODE_KEY, 5, 200);
	f->admits = true;
	f->core = &f->rig.node.core;
	f->core->now_ms = START_MS;
	memset(f->mask, 0x42, MASK_LEN);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rig_fini(&f->rig);
	free(f);
	return 0;
}

static void begin(struct fixture *f, struct peer_end *p, uint8_t device, uint64_t freshness)
{
	const struct attempt_params params = {
		f->self.self.public, 0x404u + device, 1, freshness, 0};

	p->party = test_member(MODE_KEY, 5, device);
	p->at = (struct origin){.way = {.remote = test_endpoint(device, 1000)}};
	assert_int_equal(attempt_start(&p->attempt, &p->party, &params, &f->core->io.random), 0);
}

/* The peer sends its message 1, in a new envelope; true when something was answered. */
static bool knock(struct fixture *f, struct peer_end *p)
{
	unsigned before = f->rig.n_sent;
	struct note *note = &f->note;

	p->len = attempt_datagram(&p->attempt, &p->party, p->datagram, &f->core->io.random);
	*note = (struct note){.kind = NOTE_ENVELOPE,
		.to = {.kind = TO_PEER},
		.origin = p->at,
		.len = p->len - ENVELOPE_OVERHEAD + TAG_LEN};
	assert_int_equal(
		envelope_open(note->data, p->datagram, p->len, NULL, 0, f->self.env_key), 0);
	memcpy(note->data + note->len - TAG_LEN, p->datagram + p->len - TAG_LEN, TAG_LEN);
	node_note(&f->rig.node, note, f->core->now_ms);
	assert_in_range(f->rig.n_sent, before, before + 1);
	return f->rig.n_sent > before;
}

static const struct sent *last(const struct fixture *f)
{
	return &f->rig.sent[f->rig.n_sent - 1];
}

static bool is_response(
	const struct fixture *f, const struct peer_end *p, uint8_t *body, struct msg_response *m)
{
	const struct sent *s = last(f);

	assert_true(endpoint_equal(&s->way.remote, &p->at.way.remote));
	assert_true(s->len <= p->len);
	return envelope_open(body, s->data, s->len, NULL, 0, p->party.env_key) == 0 &&
	       msg_response_decode(m, body, s->len - ENVELOPE_OVERHEAD) == 0;
}

/* The keys that the peer gets from the last answer, or NULL. */
static struct keyset *take_response(struct fixture *f, struct peer_end *p)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	const struct keyset_params params = {.nthreads = 2};
	struct handshake_result result;
	struct msg_response m;
	struct payload theirs;

	if (!is_response(f, p, body, &m) ||
		attempt_finish(&p->attempt, &p->party, &m, &result, &theirs) != 0)
		return NULL;
	return keyset_create(&result, &params);
}

static bool take_cookie(const struct fixture *f, struct peer_end *p)
{
	assert_true(last(f)->len <= p->len);
	return attempt_cookie(&p->attempt, last(f)->data, last(f)->len) == 0;
}

static struct embryo *waiting_for(const struct fixture *f, const struct keyset *k)
{
	return embryo_by_index(&f->core->embryos, k->tx.index);
}

/* The first packet under the keys comes to the responder: the session that it confirms, or NULL. */
static struct session *confirm(struct fixture *f, struct keyset *k, struct data_header h)
{
	uint8_t *packet = f->note.data;
	struct aead_op op = {
		.text = packet + DATA_HEADER_LEN, .ad = packet, .ad_len = DATA_HEADER_LEN};
	unsigned before = f->confirmed;

	f->note = (struct note){.kind = NOTE_UNKNOWN,
		.origin = {.way = {.remote = test_endpoint(77, 7)}},
		.len = DATA_OVERHEAD};

	h.index = k->tx.index;
	data_header_write(packet, &h);
	key_nonce(op.nonce, k->tx.iv, h.counter);
	aead_seal(k->tx.key, f->core->tx.aead, &op, 1);
	packet_mask(packet, f->note.len, DATA_HEADER_LEN, f->mask);
	assert_non_null(waiting_for(f, k));
	node_note(&f->rig.node, &f->note, f->core->now_ms);
	assert_in_range(f->confirmed, before, before + 1);
	return f->confirmed > before ? f->session : NULL;
}

static struct session *join(struct fixture *f, uint8_t device, uint64_t freshness)
{
	struct peer_end p;
	struct keyset *k;
	struct session *s;

	begin(f, &p, device, freshness);
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	assert_non_null(k);
	s = confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite});
	keyset_destroy(k);
	return s;
}

static uint64_t drops(const struct fixture *f, enum drop why)
{
	return drops_get(&f->core->drops, why);
}

/* ---- the tests ---- */

static void a_repetition_gets_the_same_answer(void **state)
{
	struct fixture *f = *state;
	uint8_t one[ENVELOPE_BODY_MAX], two[ENVELOPE_BODY_MAX];
	struct msg_response m1, m2;
	struct peer_end p;

	begin(f, &p, 1, 1000);
	assert_true(knock(f, &p));
	assert_true(is_response(f, &p, one, &m1));
	p.at.way.remote = test_endpoint(99, 99); /* it may have moved meanwhile */
	assert_true(knock(f, &p));
	assert_true(is_response(f, &p, two, &m2));
	assert_int_equal(m1.sender, m2.sender);
	assert_int_equal(m1.noise_len, m2.noise_len);
	assert_memory_equal(m1.noise, m2.noise, m1.noise_len);
	assert_memory_not_equal(f->rig.sent[0].data, f->rig.sent[1].data, XNONCE_LEN);
	assert_int_equal(f->asked, 1);
}

static void the_first_packet_makes_a_session(void **state)
{
	struct fixture *f = *state;
	struct session *s;
	struct keyset *k;
	struct peer_end p;

	begin(f, &p, 1, 1000);
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	assert_non_null(k);
	assert_null(f->session);
	s = confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite, .counter = 5});
	assert_non_null(s);
	assert_ptr_equal(s, f->session);
	assert_true(s->confirmed && s->current != NULL && s->current->confirmed);
	assert_memory_equal(s->remote, p.party.self.public, KEY_LEN);
	assert_int_equal(s->freshness, 1000);
	assert_int_equal(s->incarnation, p.party.incarnation);
	assert_int_equal(s->current->rx.index, k->tx.index);
	assert_int_equal(session_generation(s), 1);
	assert_int_equal(f->confirmed, 1);
	assert_null(waiting_for(f, k));
	assert_true(replay_seen(&s->current->rx.window, 5));
	assert_false(replay_seen(&s->current->rx.window, 4));
	/* A peer's frames may come as late as that; a hop's window is smaller. */
	assert_int_equal(s->current->rx.window.words, REPLAY_WORDS);
	keyset_destroy(k);
}

/* It reads the answer and confirms: where we take it to be. */
static struct origin origin_confirmed(struct fixture *f, struct peer_end *p)
{
	struct keyset *k = take_response(f, p);
	struct session *s;

	assert_non_null(k);
	s = confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite});
	assert_non_null(s);
	keyset_destroy(k);
	return s->origin;
}

/* Where we take the one to be whose first packet comes from elsewhere. */
static struct origin origin_after(struct fixture *f, uint8_t device, bool relayed)
{
	struct peer_end p;

	f->session = NULL;
	begin(f, &p, device, 1000);
	if (relayed) {
		p.at = (struct origin){.hop_id = 5, .handle = 6};
		(void)knock(f, &p);
		/* The answer shows itself on a direct way only. */
		p.at = (struct origin){.way = {.remote = test_endpoint(device, 1000)}};
	}
	assert_true(knock(f, &p));
	return origin_confirmed(f, &p);
}

/* The source of one packet is easily forged: it leads nothing to a victim, nor off the relay. */
static void a_first_packet_from_elsewhere_leads_peers_only(void **state)
{
	struct fixture *f = *state;
	const struct endpoint elsewhere = test_endpoint(77, 7), begun = test_endpoint(2, 1000);
	struct origin o = origin_after(f, 1, false);

	assert_true(endpoint_equal(&o.way.remote, &elsewhere));
	f->kind = LINK_MEMBER;
	o = origin_after(f, 2, false);
	assert_true(endpoint_equal(&o.way.remote, &begun));
	f->kind = LINK_PEER;
	o = origin_after(f, 3, true);
	assert_int_equal(o.hop_id, 5);
	assert_int_equal(o.handle, 6);
}

/* Where we take a member to be whose message 1 came from these hosts, one after the other. */
static struct origin member_begun_at(
	struct fixture *f, uint8_t device, const uint8_t *hosts, unsigned n)
{
	struct peer_end p;

	f->session = NULL;
	f->kind = LINK_MEMBER;
	begin(f, &p, device, 1000);
	for (unsigned i = 0; i < n; i++) {
		p.at.way.remote = test_endpoint(hosts[i], 1000);
		assert_true(knock(f, &p));
	}
	return origin_confirmed(f, &p);
}

/* Each place was answered, so nobody knows where the answer was read; probes will find it. */
static void a_member_that_was_answered_at_two_places_is_at_neither(void **state)
{
	static const uint8_t twice[] = {1, 1}, two[] = {2, 90}, back[] = {3, 90, 3};
	const struct endpoint begun = test_endpoint(1, 1000);
	struct fixture *f = *state;
	struct origin o = member_begun_at(f, 1, twice, 2);

	assert_true(endpoint_equal(&o.way.remote, &begun));
	o = member_begun_at(f, 2, two, 2);
	assert_true(way_is_none(&o.way));
	/* A repetition from the first does not take back what went to the other. */
	o = member_begun_at(f, 3, back, 3);
	assert_true(way_is_none(&o.way));
}

/* Who is not confirmed yet may send any number of packets, each of which costs keys. */
static void not_every_packet_is_tried(void **state)
{
	struct fixture *f = *state;
	struct data_header h = {0};
	struct peer_end p;
	struct keyset *k;

	begin(f, &p, 1, 1000);
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	assert_non_null(k);
	h.index = k->tx.index;
	h.cipher = (uint8_t)k->tx.suite;
	for (unsigned i = 0; i < 600; i++) {
		f->note = (struct note){.kind = NOTE_UNKNOWN, .len = DATA_OVERHEAD};
		data_header_write(f->note.data, &h);
		packet_mask(f->note.data, f->note.len, DATA_HEADER_LEN, f->mask);
		node_note(&f->rig.node, &f->note, f->core->now_ms);
	}
	assert_int_equal(drops(f, DROP_AUTH), 200);
	assert_int_equal(drops(f, DROP_RATE), 400);
	f->core->now_ms += 5;
	assert_non_null(confirm(f, k, h));
	keyset_destroy(k);
}

static void a_wrong_first_packet_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct data_header h = {.cipher = AEAD_CHACHA20POLY1305};
	struct keyset *k;
	struct peer_end p;

	begin(f, &p, 1, 1000);
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	assert_non_null(k);
	h.cipher = AEAD_AES256GCM;
	assert_null(confirm(f, k, h));
	h.cipher = AEAD_CHACHA20POLY1305;
	h.counter = COUNTER_LIMIT;
	assert_null(confirm(f, k, h));
	h.counter = 0;
	h.csum_unset = true; /* frames only have one */
	h.kind = KIND_CONTROL;
	assert_null(confirm(f, k, h));
	h.csum_unset = false;
	h.kind = KIND_ETHERNET;
	k->tx.iv[0] ^= 1;
	assert_null(confirm(f, k, h));
	assert_int_equal(drops(f, DROP_AUTH), 1);
	assert_null(f->session);
	k->tx.iv[0] ^= 1;
	assert_non_null(confirm(f, k, h));
	keyset_destroy(k);
}

static void old_freshness_costs_a_round_trip(void **state)
{
	struct fixture *f = *state;
	struct session *s = join(f, 1, 1000);
	struct peer_end p;
	struct keyset *k;

	assert_non_null(s);
	begin(f, &p, 1, 1000);
	assert_true(knock(f, &p));
	assert_int_equal(drops(f, DROP_STALE), 1);
	assert_true(take_cookie(f, &p));
	/* The cookie is of no use anywhere else. */
	p.at.way.remote.port++;
	f->core->now_ms += 1000;
	assert_true(knock(f, &p));
	assert_int_equal(drops(f, DROP_STALE), 2);
	p.at.way.remote.port--;
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	assert_non_null(k);
	assert_int_equal(k->generation, 2);
	assert_ptr_equal(confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite}), s);
	assert_int_equal(session_generation(s), 2);
	assert_int_equal(s->current->generation, 2);
	keyset_destroy(k);
}

static void cookies_to_a_known_static_are_rare(void **state)
{
	struct fixture *f = *state;
	struct peer_end p;

	assert_non_null(join(f, 1, 1000));
	begin(f, &p, 1, 900);
	assert_true(knock(f, &p));
	assert_false(knock(f, &p));
	f->core->now_ms += 999;
	assert_false(knock(f, &p));
	f->core->now_ms += 1;
	assert_true(knock(f, &p));
	assert_int_equal(drops(f, DROP_STALE), 4);
}

static void cookies_expire(void **state)
{
	struct fixture *f = *state;
	struct peer_end p, late;

	assert_non_null(join(f, 1, 1000));
	begin(f, &p, 1, 900);
	assert_true(knock(f, &p) && take_cookie(f, &p));
	late = p;
	f->core->now_ms += 120000; /* the secret has turned once */
	assert_true(knock(f, &p));
	struct keyset *k = take_response(f, &p);
	assert_non_null(k);
	keyset_destroy(k);
	f->core->now_ms += 240000;
	node_tick(&f->rig.node, f->core->now_ms);
	assert_true(knock(f, &late)); /* the first use in a long time turns it once only */
	f->core->now_ms += 120000;
	node_tick(&f->rig.node, f->core->now_ms);
	assert_true(knock(f, &late));
	assert_null(take_response(f, &late));
	assert_true(take_cookie(f, &late));
}

static void newer_handshakes_replace_older(void **state)
{
	struct fixture *f = *state;
	struct peer_end older, newer, late;
	struct keyset *k1, *k2;

	begin(f, &older, 1, 1000);
	begin(f, &newer, 1, 1001);
	begin(f, &late, 1, 999);
	assert_true(knock(f, &older));
	k1 = take_response(f, &older);
	assert_true(knock(f, &newer));
	k2 = take_response(f, &newer);
	assert_true(k1 != NULL && k2 != NULL && k1->tx.index != k2->tx.index);
	assert_null(waiting_for(f, k1));
	assert_non_null(waiting_for(f, k2));
	/* Older than one that waits: a cookie, and that one goes on waiting. */
	assert_true(knock(f, &late));
	assert_null(take_response(f, &late));
	assert_true(take_cookie(f, &late));
	assert_true(knock(f, &older) && drops(f, DROP_STALE) == 2);
	assert_non_null(confirm(f, k2, (struct data_header){.cipher = (uint8_t)k2->tx.suite}));
	keyset_destroy(k1);
	keyset_destroy(k2);
}

/* Somebody who recorded it repeats it from elsewhere: nothing of the handshake changes. */
static void a_repetition_by_another_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct peer_end p;
	struct origin at;
	struct keyset *k;
	struct session *s;

	begin(f, &p, 1, 1000);
	at = p.at;
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	p.at.way.remote = test_endpoint(99, 99);
	for (unsigned i = 0; i < 30; i++)
		assert_true(knock(f, &p));
	assert_true(way_same_remote(&waiting_for(f, k)->origin.way, &at.way));
	s = confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite});
	assert_non_null(s);
	keyset_destroy(k);
}

/* A hop's rekey must not be blocked by who recorded an earlier attempt, and shows a cookie. */
static void an_older_one_does_not_displace_one_just_begun(void **state)
{
	struct fixture *f = *state;
	struct peer_end old, p;
	struct keyset *k;

	assert_non_null(join(f, 1, 1000));
	begin(f, &old, 1, 1500);
	begin(f, &p, 1, 2000);
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	old.at.way.remote = test_endpoint(99, 99);
	assert_true(knock(f, &old));
	assert_true(take_cookie(f, &old));
	for (unsigned ms = 0; ms < EMBRYO_HOLD_MS; ms += 100) {
		(void)knock(f, &old);
		assert_non_null(waiting_for(f, k));
		f->core->now_ms += 100;
	}
	assert_non_null(confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite}));
	keyset_destroy(k);
	/* What is taken for its cookie may be a replay: it keeps us from nothing. */
	assert_true(knock(f, &old));
	assert_true(f->session->embryo != NULL && f->session->embryo->stale);
	f->session->route.direct = p.at.way;
	session_want(f->core, f->session);
	(void)attempt_tick(f->core, f->session, attempt_is_due(f->core, f->session));
	assert_non_null(f->session->attempt);
}

/* Two messages of one freshness: the second may be a replay, with a cookie too, until the first has
 * had its time. */
static void one_as_fresh_waits_until_the_other_had_its_time(void **state)
{
	struct fixture *f = *state;
	struct peer_end first, second;
	struct keyset *k;

	begin(f, &first, 1, 1000);
	begin(f, &second, 1, 1000);
	assert_true(knock(f, &first));
	k = take_response(f, &first);
	assert_non_null(k);
	assert_true(knock(f, &second));
	assert_true(take_cookie(f, &second));
	f->core->now_ms = START_MS + EMBRYO_HOLD_MS - 1;
	assert_true(knock(f, &second));
	assert_null(take_response(f, &second));
	assert_non_null(waiting_for(f, k));
	f->core->now_ms++;
	assert_true(knock(f, &second));
	assert_null(waiting_for(f, k));
	keyset_destroy(k);
	k = take_response(f, &second);
	assert_non_null(k);
	keyset_destroy(k);
}

/* Workers look for first packets that came directly only if an answer went directly. */
static void an_answer_through_a_relay_opens_no_door(void **state)
{
	struct fixture *f = *state;
	struct peer_end p;
	struct embryo *e;

	begin(f, &p, 1, 1000);
	p.at = (struct origin){.hop_id = 5, .handle = 6};
	(void)knock(f, &p);
	e = embryo_find(&f->core->embryos, &f->self, p.party.self.public);
	assert_non_null(e);
	assert_false(e->directly);
	p.at = (struct origin){.way = {.remote = test_endpoint(1, 1000)}};
	assert_true(knock(f, &p));
	assert_true(e->directly);
}

/*
 * Forged sources use up what there is for strangers; who receives at his own is asked for a cookie,
 * and then draws on what is there for those alone.
 */
static void a_flood_keeps_nobody_out(void **state)
{
	struct fixture *f = *state;
	struct peer_end flood, honest;
	struct keyset *k;

	begin(f, &flood, 1, 1000);
	for (unsigned i = 0; i < 5000; i++) {
		flood.at.way.remote = test_endpoint((uint8_t)i, (uint16_t)(1000 + i / 256));
		flood.party.key_index = 2; /* wrong, and found so after the budget */
		(void)knock(f, &flood);
		f->rig.n_sent = 0;
	}
	assert_int_equal(drops(f, DROP_AUTH), 100);
	assert_int_equal(drops(f, DROP_UNPROVEN), 4900);
	begin(f, &honest, 2, 1000);
	assert_true(knock(f, &honest));
	assert_null(take_response(f, &honest));
	assert_true(take_cookie(f, &honest));
	assert_true(knock(f, &honest));
	k = take_response(f, &honest);
	assert_non_null(k);
	assert_non_null(confirm(f, k, (struct data_header){.cipher = (uint8_t)k->tx.suite}));
	keyset_destroy(k);
	/* A cookie is for where it was sent to. */
	honest.at.way.remote.port++;
	begin(f, &flood, 2, 1001);
	memcpy(flood.attempt.cookie, honest.attempt.cookie, COOKIE_LEN);
	flood.at = honest.at;
	assert_true(knock(f, &flood));
	assert_null(take_response(f, &flood));
}

/* A quarter is kept for those we know. */
#define FOR_STRANGERS (EMBRYOS - EMBRYOS / 4)

static void the_pool_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct peer_end p[FOR_STRANGERS + 1];
	struct keyset *first = NULL;

	for (uint8_t i = 0; i < FOR_STRANGERS; i++) {
		begin(f, &p[i], (uint8_t)(1 + i), 1000);
		assert_true(knock(f, &p[i]));
		f->core->now_ms += 10;
		if (i == 0)
			first = take_response(f, &p[0]);
	}
	assert_non_null(first);
	begin(f, &p[FOR_STRANGERS], 50, 1000);
	assert_false(knock(f, &p[FOR_STRANGERS]));
	assert_int_equal(drops(f, DROP_POOL_FULL), 1);
	assert_non_null(waiting_for(f, first));
	f->core->now_ms = START_MS + 1000; /* long enough for an honest peer */
	assert_true(knock(f, &p[FOR_STRANGERS]));
	assert_null(waiting_for(f, first));
	assert_false(knock(f, &p[0])); /* the next one is younger */
	assert_int_equal(drops(f, DROP_POOL_FULL), 2);
	assert_null(f->core->retired); /* strangers allocate nothing */
	keyset_destroy(first);
}

/* A session must not go on waiting for the one that gave way. */
static void a_session_hears_that_its_handshake_gave_way(void **state)
{
	struct fixture *f = *state;
	struct peer_end p[FOR_STRANGERS + 1];
	struct session *s;

	begin(f, &p[0], 1, 1000);
	s = f->session = session_create(f->core, LINK_PEER, &f->self, 0, p[0].party.self.public);
	assert_non_null(s);
	assert_true(knock(f, &p[0]));
	assert_ptr_equal(s->embryo, &f->core->embryos.at[0]);
	f->core->now_ms++;
	for (uint8_t i = 1; i < FOR_STRANGERS; i++) {
		begin(f, &p[i], (uint8_t)(1 + i), 1000);
		assert_true(knock(f, &p[i]));
	}
	f->core->now_ms = START_MS + 1000;
	begin(f, &p[FOR_STRANGERS], 50, 1000);
	assert_true(knock(f, &p[FOR_STRANGERS]));
	assert_null(s->embryo);
}

static void what_is_not_for_us_is_not_answered(void **state)
{
	struct fixture *f = *state;
	struct peer_end p;

	begin(f, &p, 200, 1000); /* our own static: it came back to us */
	assert_memory_equal(p.party.self.public, f->self.self.public, KEY_LEN);
	assert_false(knock(f, &p));
	assert_int_equal(drops(f, DROP_REFLECTED), 1);
	begin(f, &p, 1, 1000);
	p.party.key_index = 2;
	assert_false(knock(f, &p));
	assert_int_equal(drops(f, DROP_AUTH), 1);
	p.party.key_index = 1;
	p.attempt.msg1[40] ^= 1;
	assert_false(knock(f, &p));
	assert_int_equal(drops(f, DROP_AUTH), 2);
	assert_int_equal(f->asked, 0);
}

static void who_is_not_admitted_is_not_answered(void **state)
{
	struct fixture *f = *state;
	struct peer_end p;

	assert_non_null(join(f, 1, 1000));
	assert_int_equal(f->asked, 1);
	f->admits = false;
	begin(f, &p, 2, 1000);
	assert_false(knock(f, &p));
	assert_int_equal(drops(f, DROP_RATE), 1);
	f->admits = true;
	begin(f, &p, 2, 1001);
	assert_true(knock(f, &p));
	assert_int_equal(f->asked, 3);
}

static void what_is_not_confirmed_ends(void **state)
{
	struct fixture *f = *state;
	struct peer_end p;
	struct keyset *k;

	begin(f, &p, 1, 1000);
	assert_true(knock(f, &p));
	k = take_response(f, &p);
	assert_non_null(k);
	node_tick(&f->rig.node, START_MS + EMBRYO_LIFE_MS - 1);
	assert_non_null(waiting_for(f, k));
	assert_int_equal(f->failed, 0);
	node_tick(&f->rig.node, START_MS + EMBRYO_LIFE_MS);
	assert_null(waiting_for(f, k));
	assert_int_equal(f->failed, 1);
	keyset_destroy(k);
}

/* Both have begun: the one with the larger key keeps quiet until the other's is through. */
static void the_larger_key_gives_way(void **state)
{
	struct fixture *f = *state;
	unsigned larger = 0;

	for (uint8_t device = 1; device <= 40; device++) {
		struct peer_end p;
		struct session *s;
		bool quiet;

		begin(f, &p, device, 1000);
		s = session_create(f->core, LINK_PEER, &f->self, 0, p.party.self.public);
		assert_non_null(s);
		s->attempt = calloc(1, sizeof(*s->attempt));
		s->attempt->index = s->link.id << 2;
		f->session = s;
		assert_true(knock(f, &p));
		quiet = memcmp(f->self.self.public, p.party.self.public, KEY_LEN) > 0;
		larger += quiet;
		assert_int_equal(s->attempt_quiet, quiet);
		assert_non_null(s->embryo);
		assert_int_not_equal(INDEX_POSITION(s->embryo->result.rx_index), 0);
		assert_int_equal(INDEX_ID(s->embryo->result.rx_index), s->link.id);
		/* Forgotten: then our own goes on. */
		session_discard_embryo(s->embryo);
		assert_false(s->attempt_quiet);
		assert_null(s->embryo);
	}
	assert_in_range(larger, 1, 39);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_repetition_gets_the_same_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_packet_makes_a_session, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_first_packet_from_elsewhere_leads_peers_only, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_member_that_was_answered_at_two_places_is_at_neither, setup, teardown),
		cmocka_unit_test_setup_teardown(not_every_packet_is_tried, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_wrong_first_packet_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(old_freshness_costs_a_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(
			cookies_to_a_known_static_are_rare, setup, teardown),
		cmocka_unit_test_setup_teardown(cookies_expire, setup, teardown),
		cmocka_unit_test_setup_teardown(newer_handshakes_replace_older, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_repetition_by_another_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_older_one_does_not_displace_one_just_begun, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_as_fresh_waits_until_the_other_had_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_answer_through_a_relay_opens_no_door, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_keeps_nobody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(the_pool_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_session_hears_that_its_handshake_gave_way, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_for_us_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			who_is_not_admitted_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_confirmed_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(the_larger_key_gives_way, setup, teardown),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
