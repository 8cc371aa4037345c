/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What workers leave, as notes come in: whom it is for, what is opened again and what is not, and
 * what strangers may cause. A role that only records stands above.
 */
#include "core/frame/offload.h"
#include "core/session/attempt.h"
#include "core_test.h"
#include "offload_test.h"

#define START_MS   100000u
#define EMBRYOS	   8
#define COMMUNITY  2
#define GENERATION 40
#define HOST	   9   /* where the peer is */
#define PORT	   500 /* of everybody */
#define OWNED	   UINT64_C(0x020000000009)

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party self, peer;
	uint8_t mask[MASK_LEN];
	struct note note;
	/* What the role says ... */
	unsigned n_listeners;
	struct listener listener[3];
	struct session *known;
	bool refuses, admits, answers;
	/* ... and what it heard. */
	unsigned budget, asked, hellos, asks, frames, looks, failed, created;
	unsigned n_effects, effects, messages[CONTROL_TYPES];
	struct note frame;
	/* The session's other end. */
	struct keyset *far;
	uint32_t counter;
};

/* ---- envelopes that are opened, counted ---- */

static unsigned opened;

int __real_envelope_open(uint8_t *body, const uint8_t *datagram, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN]);
int __wrap_envelope_open(uint8_t *body, const uint8_t *datagram, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN]);

int __wrap_envelope_open(uint8_t *body, const uint8_t *datagram, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN])
{
	opened++;
	return __real_envelope_open(body, datagram, len, ad, ad_len, key);
}

/* ---- the role ---- */

static struct fixture *fixture_of(struct node *n)
{
	return (struct fixture *)n;
}

static unsigned listeners(
	struct node *n, const struct origin *from, struct listener out[LISTENERS_MAX])
{
	const struct fixture *f = fixture_of(n);

	(void)from;
	memcpy(out, f->listener, f->n_listeners * sizeof(out[0]));
	return f->n_listeners;
}

static bool within_budget(struct node *n, const struct origin *from)
{
	(void)from;
	fixture_of(n)->budget++;
	return !fixture_of(n)->refuses;
}

static struct session *find(struct node *n, const struct party *self, const uint8_t *remote)
{
	struct session *s = fixture_of(n)->known;

	return s != NULL && s->party == self && memcmp(s->remote, remote, KEY_LEN) == 0 ? s : NULL;
}

static bool admit(struct node *n, const struct party *self, const uint8_t *remote)
{
	(void)self;
	(void)remote;
	fixture_of(n)->asked++;
	return fixture_of(n)->admits;
}

static struct session *create(struct node *n, const struct party *self, const uint8_t *remote)
{
	struct fixture *f = fixture_of(n);

	f->created++;
	f->known = session_create(&n->core, LINK_PEER, self, COMMUNITY, remote);
	return f->known;
}

static void effects(struct node *n, struct session *s, unsigned what)
{
	(void)s;
	fixture_of(n)->effects |= what;
	fixture_of(n)->n_effects++;
}

static void message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from)
{
	(void)k;
	(void)from;
	fixture_of(n)->messages[m->type]++;
	if (m->type == CONTROL_UNREGISTER)
		session_retire(&n->core, s);
}

static bool answer(struct node *n, const uint8_t *data, size_t len, const struct origin *from)
{
	(void)data;
	(void)len;
	(void)from;
	fixture_of(n)->asks++;
	return fixture_of(n)->answers;
}

static void hello(struct node *n, const uint8_t *body, size_t body_len, const struct origin *from)
{
	(void)body;
	(void)body_len;
	(void)from;
	fixture_of(n)->hellos++;
}

static void frame(
	struct node *n, const struct addressee *of, uint32_t link_id, const struct frame *f)
{
	struct note *copy = &fixture_of(n)->frame;

	fixture_of(n)->frames++;
	copy->to = *of;
	copy->index = link_id;
	copy->len = f->len;
	memcpy(copy->data, f->data, f->len);
}

static uint64_t look(struct node *n, struct session *s)
{
	(void)s;
	fixture_of(n)->looks++;
	return UINT64_MAX;
}

static const struct role role = {
	.listeners = listeners,
	.within_budget = within_budget,
	.find = find,
	.admit = admit,
	.create = create,
	.effects = effects,
	.message = message,
	.answer = answer,
	.hello = hello,
	.frame = frame,
	.look = look,
};

/* ---- the world ---- */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, &role, EMBRYOS);
	f->core = &f->rig.node.core;
	f->core->now_ms = f->core->flush_ms = START_MS;
	f->rig.node.env_version = 5;
	f->self = test_member(MODE_KEY, 5, 1);
	f->peer = test_member(MODE_KEY, 5, HOST);
	f->admits = true;
	memset(f->mask, 0x42, MASK_LEN);
	f->n_listeners = 1;
	f->listener[0] = (struct listener){.self = &f->self,
		.mask = f->mask,
		.to = {.kind = TO_PEER, .community = COMMUNITY, .generation = GENERATION}};
	opened = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	keyset_destroy(f->far);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

static struct origin from_host(uint8_t host)
{
	return (struct origin){.way = {.remote = test_endpoint(host, PORT)}};
}

/* The peer's session, without keys. */
static struct session *add_session(struct fixture *f)
{
	const struct origin at = from_host(HOST);

	f->known = session_create(f->core, LINK_PEER, &f->self, COMMUNITY, f->peer.self.public);
	assert_non_null(f->known);
	f->known->route.direct = at.way;
	f->known->origin = at;
	return f->known;
}

/* And with confirmed keys, reached directly. */
static struct session *add_keyed(struct fixture *f)
{
	struct session *s = add_session(f);

	f->far = rig_keys(&f->rig, s, s->link.id << 2 | 1, 1);
	path_use(f->core, s, &s->route.direct);
	s->link.rx_direct_ms = START_MS;
	return s;
}

static void begin_note(struct fixture *f, enum note_kind kind, uint8_t host)
{
	f->note.kind = kind;
	f->note.index = 0;
	f->note.origin = from_host(host);
	f->note.to = f->listener[0].to;
	f->note.tried = f->rig.node.env_version;
	f->note.len = 0;
}

static void take(struct fixture *f)
{
	f->rig.n_sent = 0;
	node_note(&f->rig.node, &f->note, f->core->now_ms);
}

static uint64_t drops(const struct fixture *f, enum drop why)
{
	return drops_get(&f->core->drops, why);
}

static void assert_drops(const struct fixture *f, enum drop why, uint64_t n)
{
	uint64_t all = 0;

	for (enum drop d = 0; d < DROP_COUNT; d++)
		all += drops(f, d);
	assert_int_equal(drops(f, why), n);
	assert_int_equal(all, n);
}

/* ---- what the peer sends ---- */

/* Under the keys of the far end of a session, into the note. */
static void seal_as(struct fixture *f, struct keyset *k, struct data_header h, const void *plain,
	size_t len, const uint8_t mask[MASK_LEN])
{
	uint8_t *packet = f->note.data;
	struct aead_op op = {.text = packet + DATA_HEADER_LEN,
		.len = len,
		.ad = packet,
		.ad_len = DATA_HEADER_LEN};

	h.cipher = AEAD_CHACHA20POLY1305;
	h.index = k->tx.index;
	data_header_write(packet, &h);
	if (len > 0)
		memcpy(op.text, plain, len);
	key_nonce(op.nonce, k->tx.iv, h.counter);
	aead_seal(k->tx.key, f->core->tx.aead, &op, 1);
	f->note.len = len + DATA_OVERHEAD;
	packet_mask(packet, f->note.len, DATA_HEADER_LEN, mask);
}

/* A packet that no worker could place, from the peer. */
static void send_packet_as_peer(
	struct fixture *f, uint8_t kind, const void *plain, size_t len, const uint8_t *mask)
{
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, f->far, (struct data_header){.kind = kind, .counter = f->counter++}, plain, len,
		mask);
}

static size_t bye(uint8_t buf[64])
{
	struct writer w;

	writer_init(&w, buf, 64);
	control_bye_encode(&w, &(struct control_bye){BYE_SHUTDOWN});
	return writer_len(&w);
}

/* A whole frame from this source address. */
static size_t frame_of(uint64_t source, uint8_t out[60])
{
	memset(out, 0x33, 60);
	store_be16(out + 6, (uint16_t)(source >> 32));
	store_be32(out + 8, (uint32_t)source);
	store_be16(out + 12, 0x88b5);
	return 60;
}

/* The peer's handshake, begun; its datagram. */
struct knock {
	struct party party;
	struct attempt attempt;
	uint8_t datagram[ENVELOPE_MAX_LEN];
	size_t len;
};

static void knock(struct fixture *f, struct knock *k, uint8_t device)
{
	const struct attempt_params p = {f->self.self.public, 0x400u + device * 4u, 1, 1000};

	k->party = test_member(MODE_KEY, 5, device);
	assert_int_equal(attempt_start(&k->attempt, &k->party, &p, &f->core->io.random), 0);
	k->len = attempt_datagram(&k->attempt, &k->party, k->datagram, &f->core->io.random);
}

/* As a worker opens it: the body, then the tag. */
static void note_opened(struct fixture *f, const uint8_t *datagram, size_t len,
	const uint8_t key[KEY_LEN], uint8_t host)
{
	begin_note(f, NOTE_ENVELOPE, host);
	assert_int_equal(envelope_open(f->note.data, datagram, len, NULL, 0, key), 0);
	f->note.len = len - ENVELOPE_OVERHEAD + TAG_LEN;
	memcpy(f->note.data + f->note.len - TAG_LEN, datagram + len - TAG_LEN, TAG_LEN);
	opened = 0;
}

static void note_raw(struct fixture *f, const uint8_t *datagram, size_t len, uint8_t host)
{
	begin_note(f, NOTE_UNKNOWN, host);
	memcpy(f->note.data, datagram, len);
	f->note.len = len;
	opened = 0;
}

/* The keys that the peer has after our answer, which was sent last. */
static struct keyset *take_answer(struct fixture *f, struct knock *k)
{
	const struct sent *sent = &f->rig.sent[0];
	const struct keyset_params p = {.nthreads = 2};
	uint8_t body[ENVELOPE_BODY_MAX];
	struct handshake_result result;
	struct payload theirs;
	struct msg_response m;
	struct keyset *keys;

	assert_int_equal(f->rig.n_sent, 1);
	assert_int_equal(envelope_open(body, sent->data, sent->len, NULL, 0, k->party.env_key), 0);
	assert_int_equal(msg_response_decode(&m, body, sent->len - ENVELOPE_OVERHEAD), 0);
	assert_int_equal(attempt_finish(&k->attempt, &k->party, &m, &result, &theirs), 0);
	keys = keyset_create(&result, &p);
	assert_non_null(keys);
	return keys;
}

/* ---- envelopes ---- */

static void what_a_worker_opened_is_not_opened_again(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(opened, 0);
	keyset_destroy(take_answer(f, &k));
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->budget, 1);
	assert_drops(f, DROP_RATE, 0);
}

/* The other side's answer to an attempt of ours, opened by a worker. */
static size_t answer_of_peer(struct fixture *f, uint8_t out[ENVELOPE_MAX_LEN])
{
	const struct attempt *a = f->known->attempt;
	const struct msg_init init = {a->index, f->self.key_index, a->msg1, a->msg1_len, NULL};
	struct msg_response m = {.sender = 77 << 2, .receiver = a->index};
	struct handshake_result result;
	uint8_t noise[NOISE_MAX];
	struct answer read;

	assert_int_equal(answer_read(&read, &f->peer, &init), 0);
	assert_int_equal(answer_write(&read, &f->peer, m.sender, m.receiver, 1, noise, &m.noise_len,
				 &result, &f->core->io.random),
		0);
	m.noise = noise;
	return answer_datagram(&f->peer, f->self.self.public, &m, out, &f->core->io.random);
}

static void begin_attempt(struct fixture *f)
{
	session_want(f->core, f->known);
	(void)attempt_tick(f->core, f->known);
	assert_non_null(f->known->attempt);
}

static void an_answer_ends_the_attempt_it_is_for(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	size_t len;

	begin_attempt(f);
	len = answer_of_peer(f, datagram);
	/* A supernode begins nothing, so nothing is an answer to it. */
	f->listener[0].to.kind = TO_SUPERNODE;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_drops(f, DROP_MALFORMED, 1);
	assert_non_null(s->attempt);
	f->listener[0].to.kind = TO_PEER;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(opened, 0);
	assert_int_equal(f->effects, SESSION_KEYED);
	assert_null(s->attempt);
	assert_non_null(s->current);
	assert_int_equal(f->asked, 1);			  /* its key is not proved yet */
	assert_true(f->rig.n_sent >= 1 && f->looks == 1); /* which the first packet does */
	/* Again: there is no attempt any more. */
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(drops(f, DROP_AUTH), 1);
	assert_int_equal(f->n_effects, 1);
}

static void an_answer_that_is_not_admitted_makes_no_keys(void **state)
{
	uint8_t datagram[ENVELOPE_MAX_LEN];
	struct fixture *f = *state;
	struct session *s = add_session(f);
	size_t len;

	begin_attempt(f);
	f->admits = false;
	len = answer_of_peer(f, datagram);
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_null(s->current);
	assert_non_null(s->attempt);
	assert_drops(f, DROP_RATE, 1);
	/* One who has confirmed before is not asked about. */
	s->confirmed = true;
	note_opened(f, datagram, len, f->self.env_key, HOST);
	take(f);
	assert_non_null(s->current);
	assert_int_equal(f->asked, 1);
}

static void what_is_for_nobody_here_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	for (unsigned what = 0; what < 4; what++) {
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		/* A community that is gone, another of its index or kind; and nobody at all. */
		f->note.to.generation += what == 0;
		f->note.to.community = (uint8_t)(f->note.to.community + (what == 1));
		if (what == 2)
			f->note.to.kind = TO_HOP;
		f->n_listeners = what < 3;
		take(f);
		assert_int_equal(f->rig.n_sent, 0);
		assert_drops(f, DROP_UNKNOWN, what + 1);
	}
	assert_int_equal(f->asked, 0);
	assert_int_equal(opened, 0);
}

static void each_kind_of_addressee_takes_its_own_messages(void **state)
{
	static const struct {
		uint8_t to, type;
		bool taken;
	} row[] = {
		{TO_PEER, PACKET_INIT, true},
		{TO_SUPERNODE, PACKET_INIT, true},
		{TO_HOP, PACKET_INIT, false},
		{TO_PEER, PACKET_RESPONSE, true},
		{TO_HOP, PACKET_RESPONSE, true},
		{TO_SUPERNODE, PACKET_RESPONSE, false},
		{TO_PEER, PACKET_HELLO, false},
		{TO_SUPERNODE, PACKET_COOKIE, false},
	};
	struct fixture *f = *state;
	struct knock k;
	uint64_t malformed = 0;

	knock(f, &k, HOST);
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t other;

		f->listener[0].to.kind = row[i].to;
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		/* The Noise message is damaged: what is taken fails later, by its tag. */
		f->note.data[0] = (uint8_t)(row[i].type << 4);
		f->note.data[60] ^= 1;
		other = drops(f, DROP_AUTH);
		take(f);
		malformed += !row[i].taken;
		if (row[i].type == PACKET_INIT && row[i].taken)
			assert_int_equal(drops(f, DROP_AUTH), other + 1);
		assert_int_equal(f->rig.n_sent, 0);
		if (row[i].type == PACKET_RESPONSE && row[i].taken)
			malformed += drops(f, DROP_MALFORMED) > malformed; /* not its layout */
		assert_int_equal(drops(f, DROP_MALFORMED), malformed);
	}
	/* Whoever asks everybody is answered by the role, whatever it says. */
	f->listener[0].to.kind = TO_ANY;
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	assert_int_equal(f->hellos, 1);
}

static void a_stub_of_an_envelope_is_dropped(void **state)
{
	struct fixture *f = *state;

	for (size_t len = 0; len < TAG_LEN + 4; len++) {
		begin_note(f, NOTE_ENVELOPE, HOST);
		memset(f->note.data, 0x10, TAG_LEN + 4);
		f->note.len = len;
		take(f);
		assert_int_equal(f->rig.n_sent, 0);
	}
	assert_int_equal(drops(f, DROP_RATE) + drops(f, DROP_MALFORMED), TAG_LEN + 4);
}

/* Its view was too old to have our key. */
static void a_late_envelope_is_opened_here(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	note_raw(f, k.datagram, k.len, HOST);
	f->note.tried = f->rig.node.env_version - 1;
	take(f);
	assert_int_equal(opened, 1);
	keyset_destroy(take_answer(f, &k));
	assert_drops(f, DROP_UNKNOWN, 0);
}

static void what_was_tried_under_all_keys_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	knock(f, &k, HOST);
	note_raw(f, k.datagram, k.len, HOST);
	take(f);
	assert_int_equal(opened, 0);
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(f->asks, 1); /* it may answer a question of the role's */
	assert_drops(f, DROP_UNKNOWN, 1);
	f->answers = true;
	take(f);
	assert_int_equal(f->asks, 2);
	assert_drops(f, DROP_UNKNOWN, 1);
}

static void lengths_of_no_envelope_are_not_tried(void **state)
{
	static const size_t lens[] = {
		DATAGRAM_MIN_LEN, ENVELOPE_MIN_LEN - 1, ENVELOPE_MAX_LEN + 1, DATAGRAM_MAX};
	struct fixture *f = *state;

	for (unsigned i = 0; i < 4; i++) {
		begin_note(f, NOTE_UNKNOWN, HOST);
		memset(f->note.data, 0x77, SLOT_LEN);
		f->note.len = lens[i];
		f->note.tried = 0;
		take(f);
	}
	assert_int_equal(opened, 0);
	assert_int_equal(f->asks, 0);
	assert_drops(f, DROP_UNKNOWN, 4);
	/* And of no datagram: no word of it. */
	f->note.len = DATAGRAM_MIN_LEN - 1;
	take(f);
	f->note.len = DATAGRAM_MAX + 1;
	take(f);
	assert_drops(f, DROP_UNKNOWN, 4);
	assert_int_equal(f->budget, 4);
}

/* ---- packets under keys that no view had ---- */

static void a_known_index_is_no_strangers_and_costs_no_budget(void **state)
{
	uint8_t plain[64], whole[60];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	size_t len = bye(plain);

	f->refuses = true;
	s->link.mac = OWNED;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, f->mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_int_equal(s->link.rx_ms, f->core->now_ms);
	assert_int_equal(f->budget, 0);
	assert_drops(f, DROP_RATE, 0);
	/* Once only. */
	f->counter--;
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_drops(f, DROP_REPLAY, 1);
	/* Neither is a forged one tried under anything else. */
	send_packet_as_peer(f, KIND_CONTROL, plain, len, f->mask);
	f->note.data[DATA_HEADER_LEN] ^= 1;
	take(f);
	assert_int_equal(drops(f, DROP_AUTH), 1);
	assert_int_equal(f->budget, 0);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
}

static void frames_are_delivered_from_their_owner_only(void **state)
{
	uint8_t whole[60];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	/* Nothing was claimed, neither this address nor none. */
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(0, whole), f->mask);
	take(f);
	s->link.mac = OWNED;
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED + 1, whole), f->mask);
	take(f);
	assert_drops(f, DROP_SOURCE_MAC, 3);
	assert_int_equal(f->rig.delivered, 0);
	/* A worker has opened it, before the claim. */
	begin_note(f, NOTE_EARLY, HOST);
	f->note.index = s->link.id << 2 | 1;
	f->note.len = frame_of(OWNED, f->note.data);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	f->note.len = frame_of(OWNED + 1, f->note.data);
	take(f);
	f->note.len = FRAME_MIN - 1;
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_drops(f, DROP_SOURCE_MAC, 5);
	/* A hop carries no frames. */
	s->link.kind = LINK_HOP;
	send_packet_as_peer(f, KIND_ETHERNET, whole, frame_of(OWNED, whole), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
}

static void keep_frame(void *ctx, unsigned community, const struct frame *f)
{
	struct fixture *fixture = ctx;

	assert_int_equal(community, COMMUNITY);
	fixture->rig.delivered++;
	fixture->frame.len = f->len;
	memcpy(fixture->frame.data, f->data, f->len);
}

/* The interface knows nothing of unset checksums that were opened here. */
static void frames_are_made_whole_before_they_are_delivered(void **state)
{
	const struct mac mac = {{2, 0, 0, 0, 0, 9}};
	static const uint8_t payload[40] = {7};
	struct sketch sketch = {.tcp = true,
		.ttl = 64,
		.flags = ACK,
		.sum = SUM_UNSET,
		.payload = payload,
		.len = sizeof(payload)};
	uint8_t buf[BYTES_MAX], finished[BYTES_MAX], none[60];
	struct fixture *f = *state;
	struct frame whole = sketch_frame(&sketch, buf), want;
	struct session *s = add_keyed(f);
	struct data_header h = {.kind = KIND_ETHERNET, .csum_unset = true};

	sketch.sum = SUM_FINISHED;
	want = sketch_frame(&sketch, finished);
	memcpy(whole.data + 6, mac.b, sizeof(mac.b));
	memcpy(want.data + 6, mac.b, sizeof(mac.b));
	s->link.mac = OWNED;
	f->core->io.deliver = keep_frame;
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, f->far, h, whole.data, whole.len, f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_int_equal(f->frame.len, want.len);
	assert_memory_equal(f->frame.data, want.data, want.len);
	/* One without a place for it is no frame. */
	begin_note(f, NOTE_UNKNOWN, HOST);
	h.counter = 1;
	seal_as(f, f->far, h, none, frame_of(OWNED, none), f->mask);
	take(f);
	assert_int_equal(f->rig.delivered, 1);
	assert_drops(f, DROP_MALFORMED, 1);
}

/* ---- masks that only we know ---- */

static void split_masks_are_tried_for_whoever_shook_hands_from_there(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	size_t len = bye(plain);

	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_int_equal(f->budget, 1);
	/* From elsewhere, for another party, or within no budget: not. */
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	f->note.origin = from_host(HOST + 1);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 1);
	f->listener[0].self = &f->peer;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	f->listener[0].self = &f->self;
	f->listener[0].to.kind = TO_HOP;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 3);
	f->listener[0].to.kind = TO_PEER;
	f->refuses = true;
	send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
	take(f);
	assert_int_equal(drops(f, DROP_RATE), 1);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
}

/* Each is for one key set, and opens no door to another. */
static void a_split_mask_is_for_its_own_index(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct keyset *far = rig_keys(&f->rig, s, s->link.id << 2 | 2, 2);
	const struct data_header h = {.kind = KIND_CONTROL};

	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, far, h, plain, bye(plain), s->keys[1]->rx.mask);
	take(f);
	assert_drops(f, DROP_UNKNOWN, 1);
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, far, h, plain, bye(plain), s->keys[2]->rx.mask);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	keyset_destroy(far);
}

/* Relayed packets have no other mask; the handle tells whose. */
static void relayed_packets_are_known_by_their_handle(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct session *hop = session_create(f->core, LINK_HOP, &f->self, 0, (uint8_t[KEY_LEN]){5});
	size_t len = bye(plain);

	assert_non_null(hop);
	s->route.relay = &hop->link;
	s->route.handle = 66;
	for (unsigned what = 0; what < 3; what++) {
		send_packet_as_peer(f, KIND_CONTROL, plain, len, s->current->rx.mask);
		f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
		f->note.origin.handle += what == 1;
		f->note.origin.hop_id += what == 2;
		take(f);
	}
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_drops(f, DROP_UNKNOWN, 2);
	/* Our own mask key is not for what was relayed. */
	send_packet_as_peer(f, KIND_CONTROL, plain, len, f->mask);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
	take(f);
	assert_drops(f, DROP_UNKNOWN, 3);
}

/* From one address, many may have begun: four masks are tried, whatever comes. */
static void four_split_masks_are_tried_at_most(void **state)
{
	struct fixture *f = *state;
	struct keyset *keys[5];

	for (uint8_t i = 0; i < 5; i++) {
		struct knock k;

		knock(f, &k, (uint8_t)(20 + i));
		note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
		take(f);
		keys[i] = take_answer(f, &k);
	}
	for (unsigned i = 5; i-- > 3;) {
		begin_note(f, NOTE_UNKNOWN, HOST);
		seal_as(f, keys[i], (struct data_header){.kind = KIND_ETHERNET}, NULL, 0,
			keys[i]->tx.mask);
		take(f);
		assert_int_equal(f->created, i == 3);
	}
	assert_drops(f, DROP_UNKNOWN, 1);
	/* Under our own mask each is found at once. */
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, keys[4], (struct data_header){.kind = KIND_ETHERNET}, NULL, 0, f->mask);
	f->known = NULL;
	take(f);
	assert_int_equal(f->created, 2);
	for (unsigned i = 0; i < 5; i++)
		keyset_destroy(keys[i]);
}

/* ---- the first packet of a handshake that we answered ---- */

static void the_first_packet_confirms_and_is_worked_on(void **state)
{
	uint8_t plain[64];
	struct fixture *f = *state;
	struct data_header h = {.kind = KIND_CONTROL};
	struct keyset *keys;
	struct knock k;

	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	keys = take_answer(f, &k);
	f->refuses = true; /* no stranger's: it has a known index */
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, keys, h, plain, bye(plain), f->mask);
	take(f);
	assert_int_equal(f->created, 1);
	assert_int_equal(f->effects, SESSION_CONFIRMED | SESSION_FIRST);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_true(f->known->confirmed);
	/* Back the way it came, so that the other side knows too. */
	assert_true(f->rig.n_sent >= 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &f->note.origin.way));
	assert_int_equal(
		rig_open(&f->rig, keys, f->rig.sent[0].data, f->rig.sent[0].len, &h).len, 0);
	keyset_destroy(keys);
}

static void without_room_for_a_session_the_handshake_ends(void **state)
{
	struct fixture *f = *state;
	struct role full = role;
	struct keyset *keys;
	struct knock k;

	full.create = find; /* which finds none */
	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	keys = take_answer(f, &k);
	f->rig.node.role = &full;
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, keys, (struct data_header){.kind = KIND_ETHERNET}, NULL, 0, f->mask);
	take(f);
	assert_int_equal(f->n_effects, 0);
	assert_int_equal(f->rig.n_sent, 0);
	assert_null(embryo_by_index(&f->core->embryos, keys->tx.index));
	keyset_destroy(keys);
}

/* ---- word of what was heard ---- */

static void word_of_the_first_packet_confirms_once(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_session(f);

	for (unsigned initiator = 0; initiator < 2; initiator++) {
		struct handshake_result ours, theirs;
		struct keyset *k;

		test_results(&ours, &theirs, AEAD_CHACHA20POLY1305, (uint8_t)(8 + initiator));
		ours.rx_index = s->link.id << 2 | initiator;
		ours.initiator = initiator;
		k = session_make_keys(f->core, LINK_PEER, &ours);
		assert_non_null(k);
		k->incarnation = 1;
		session_add_keys(f->core, s, k);
		begin_note(f, NOTE_HEARD, HOST);
		f->note.index = ours.rx_index;
		f->n_effects = 0;
		for (unsigned again = 0; again < 2; again++) {
			take(f);
			assert_int_equal(f->n_effects, 1);
			assert_true(k->confirmed);
			/* The responder answers, so that the initiator knows. */
			if (again == 0)
				assert_int_equal(f->rig.n_sent > 0, !initiator);
		}
	}
}

static void a_genuine_packet_shows_where_the_peer_is(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct origin moved = from_host(77);

	moved.way.local = test_endpoint(1, 1);
	begin_note(f, NOTE_HEARD, 77);
	f->note.origin = moved;
	f->note.index = s->link.id << 2 | 1;
	take(f);
	assert_true(way_same_remote(&s->route.direct, &moved.way));
	assert_true(endpoint_is_none(&s->route.direct.local));
	/* It is probed, not believed. */
	assert_int_equal(f->rig.n_sent, 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &moved.way));
	assert_int_equal(link_path(&s->link)->way.remote.ip[15], HOST);
	/* And is no stranger: the budget of all others may be spent. */
	memset(&f->rig.node.budget.all, 0, sizeof(f->rig.node.budget.all));
	f->rig.node.budget.all.started = true;
	f->rig.node.budget.all.last_ms = f->core->now_ms;
	assert_true(budget_take(&f->rig.node.budget, &moved.way.remote, f->core->now_ms));
	moved.way.remote.port++;
	assert_false(budget_take(&f->rig.node.budget, &moved.way.remote, f->core->now_ms));
}

static void a_packet_through_the_relay_makes_the_direct_path_doubtful(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	struct session *hop = session_create(f->core, LINK_HOP, &f->self, 0, (uint8_t[KEY_LEN]){5});
	const struct way before = s->route.direct;

	assert_non_null(hop);
	s->route.relay = &hop->link;
	s->route.handle = 66;
	f->core->now_ms += PATH_PROBE_MS;
	begin_note(f, NOTE_HEARD, HOST);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
	f->note.index = s->link.id << 2 | 1;
	take(f);
	assert_true(way_same_remote(&s->route.direct, &before));
	assert_non_null(s->link.copy);
	/* Where a hop's packets come from is nobody's news. */
	s->link.kind = LINK_HOP;
	begin_note(f, NOTE_HEARD, 78);
	f->note.index = s->link.id << 2 | 1;
	take(f);
	assert_true(way_same_remote(&s->route.direct, &before));
}

static void control_comes_with_word_of_where_from(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	begin_note(f, NOTE_CONTROL, HOST);
	f->note.index = s->link.id << 2 | 1;
	f->note.len = bye(f->note.data);
	take(f);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_int_equal(f->budget, 0);
	/* A message may end the session; nothing of it is looked at then. */
	f->note.len = 0;
	for (unsigned i = 0; i < 2; i++) {
		struct writer w;

		writer_init(&w, f->note.data, SLOT_LEN);
		control_unregister_encode(&w);
		f->note.len = writer_len(&w) + bye(f->note.data + writer_len(&w));
		take(f);
	}
	assert_int_equal(f->messages[CONTROL_UNREGISTER], 1);
	assert_int_equal(f->messages[CONTROL_BYE], 1);
	assert_null(session_by_id(f->core, INDEX_ID(f->note.index)));
	f->known = NULL;
}

static void notes_of_what_is_gone_find_nobody(void **state)
{
	static const enum note_kind kinds[] = {NOTE_CONTROL, NOTE_EARLY, NOTE_HEARD, NOTE_AWAKE};
	struct fixture *f = *state;
	struct session *s = add_keyed(f);
	uint32_t index = s->link.id << 2 | 2; /* a position without keys */

	for (unsigned i = 0; i < 8; i++) {
		begin_note(f, kinds[i % 4], HOST);
		f->note.index = kinds[i % 4] == NOTE_AWAKE ? INDEX_ID(index) + 1 : index;
		f->note.len = bye(f->note.data);
		if (kinds[i % 4] != NOTE_EARLY)
			take(f);
		if (i == 3)
			index += 4; /* and no session */
	}
	begin_note(f, NOTE_EARLY, HOST);
	f->note.index = index;
	f->note.len = frame_of(OWNED, f->note.data);
	take(f);
	assert_int_equal(f->rig.delivered, 0);
	assert_int_equal(f->messages[CONTROL_BYE], 0);
	assert_int_equal(f->n_effects, 0);
	assert_drops(f, DROP_UNKNOWN, 0);
}

/* ---- cookies ---- */

static void note_cookie(struct fixture *f, uint8_t host)
{
	const struct attempt *a = f->known->attempt;
	const struct msg_cookie m = {
		.receiver = a->index, .reason = COOKIE_STALE, .cookie = {1, 2, 3}};
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = msg_cookie_encode(body, sizeof(body), &m);

	begin_note(f, NOTE_UNKNOWN, host);
	envelope_seal(
		f->note.data, body, len, a->sent_tag, TAG_LEN, a->env_key, &f->core->io.random);
	f->note.len = len + ENVELOPE_OVERHEAD;
}

static void a_cookie_is_shown_at_once(void **state)
{
	static const uint8_t cookie[COOKIE_LEN] = {1, 2, 3};
	struct fixture *f = *state;
	struct session *s = add_session(f);

	begin_attempt(f);
	f->core->now_ms += 10;
	note_cookie(f, HOST + 1); /* not where it was sent */
	take(f);
	assert_int_equal(f->rig.n_sent, 0);
	assert_drops(f, DROP_UNKNOWN, 1);
	note_cookie(f, HOST);
	f->note.data[30] ^= 1;
	take(f);
	assert_drops(f, DROP_UNKNOWN, 2);
	note_cookie(f, HOST);
	take(f);
	assert_memory_equal(s->attempt->cookie, cookie, COOKIE_LEN);
	assert_int_equal(f->rig.n_sent, 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &s->route.direct));
	assert_drops(f, DROP_UNKNOWN, 2);
}

/* Sent through the relay, it may be answered by where the peer was reached last. */
static void a_cookie_may_come_beside_the_relay(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_session(f);
	struct session *hop = session_create(f->core, LINK_HOP, &f->self, 0, (uint8_t[KEY_LEN]){5});

	assert_non_null(hop);
	begin_attempt(f);
	s->route.relay = &hop->link;
	s->route.handle = 66;
	note_cookie(f, HOST + 1);
	take(f);
	note_cookie(f, HOST);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 67};
	take(f);
	assert_true(crypto_is_zero(s->attempt->cookie, COOKIE_LEN));
	note_cookie(f, HOST);
	take(f);
	assert_false(crypto_is_zero(s->attempt->cookie, COOKIE_LEN));
	memset(s->attempt->cookie, 0, COOKIE_LEN);
	note_cookie(f, HOST);
	f->note.origin = (struct origin){.hop_id = hop->link.id, .handle = 66};
	take(f);
	assert_false(crypto_is_zero(s->attempt->cookie, COOKIE_LEN));
}

/* ---- peers of an earlier run ---- */

/* It sends on under keys that we have forgotten: a handshake tells it. */
static void who_sends_under_forgotten_keys_is_woken(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	/* As long as there are keys, it is noise. */
	for (unsigned what = 0; what < 5; what++) {
		f->far->tx.index ^= 1 << 8; /* unknown */
		send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
		f->far->tx.index ^= 1 << 8;
		if (what == 1) /* from elsewhere */
			f->note.origin = from_host(HOST + 1);
		if (what == 2) /* relayed */
			f->note.origin.hop_id = 5;
		f->listener[0].to.kind = what == 3 ? TO_HOP : TO_PEER;
		f->listener[0].self = what == 4 ? &f->peer : &f->self;
		take(f);
		assert_int_equal(f->rig.n_sent, 0);
		assert_drops(f, DROP_UNKNOWN, what + 1);
		if (what == 0)
			session_forget_keys(f->core, s);
	}
	f->listener[0].self = &f->self;
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_non_null(s->attempt);
	assert_int_equal(f->rig.n_sent, 1);
	assert_true(way_same_remote(&f->rig.sent[0].way, &s->route.direct));
	assert_drops(f, DROP_UNKNOWN, 5);
	/* Not again for each of its packets. */
	send_packet_as_peer(f, KIND_ETHERNET, NULL, 0, f->mask);
	take(f);
	assert_int_equal(f->rig.n_sent, 0);
}

/* ---- budgets ---- */

static void strangers_are_worked_on_within_budget_only(void **state)
{
	struct fixture *f = *state;
	struct knock k;

	f->refuses = true;
	knock(f, &k, HOST);
	note_opened(f, k.datagram, k.len, f->self.env_key, HOST);
	take(f);
	note_raw(f, k.datagram, k.len, HOST);
	f->note.tried = 0;
	take(f);
	begin_note(f, NOTE_UNKNOWN, HOST);
	memset(f->note.data, 0x5a, 100);
	f->note.len = 100;
	take(f);
	assert_int_equal(f->budget, 3);
	assert_drops(f, DROP_RATE, 3);
	assert_int_equal(opened, 0);
	assert_int_equal(f->rig.n_sent, 0);
	assert_int_equal(f->asked + f->asks, 0);
}

/* ---- frames that wait ---- */

static void a_frame_goes_to_the_role_and_what_is_due_is_looked_at(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_session(f);
	struct role deaf = role;

	begin_note(f, NOTE_FRAME, HOST);
	f->note.index = s->link.id;
	f->note.len = frame_of(OWNED, f->note.data);
	take(f);
	assert_int_equal(f->frames, 1);
	assert_int_equal(f->frame.index, s->link.id);
	assert_int_equal(f->frame.to.community, COMMUNITY);
	assert_int_equal(f->frame.to.generation, GENERATION);
	assert_int_equal(f->frame.len, 60);
	assert_memory_equal(f->frame.data, f->note.data, 60);
	assert_int_equal(f->looks, 1); /* it was due since it was made */
	take(f);
	assert_int_equal(f->looks, 1);
	/* A supernode has no frames. */
	deaf.frame = NULL;
	f->rig.node.role = &deaf;
	take(f);
	assert_int_equal(f->frames, 2);
}

/* One clock: whoever enters sets it. */
static void a_note_brings_the_time(void **state)
{
	struct fixture *f = *state;
	struct session *s = add_keyed(f);

	begin_note(f, NOTE_HEARD, HOST);
	f->note.index = s->link.id << 2 | 1;
	node_note(&f->rig.node, &f->note, START_MS + 777);
	assert_int_equal(f->core->now_ms, START_MS + 777);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_worker_opened_is_not_opened_again),
		TEST(an_answer_ends_the_attempt_it_is_for),
		TEST(an_answer_that_is_not_admitted_makes_no_keys),
		TEST(what_is_for_nobody_here_is_dropped),
		TEST(each_kind_of_addressee_takes_its_own_messages),
		TEST(a_stub_of_an_envelope_is_dropped),
		TEST(a_late_envelope_is_opened_here),
		TEST(what_was_tried_under_all_keys_is_not_tried_again),
		TEST(lengths_of_no_envelope_are_not_tried),
		TEST(a_known_index_is_no_strangers_and_costs_no_budget),
		TEST(frames_are_delivered_from_their_owner_only),
		TEST(frames_are_made_whole_before_they_are_delivered),
		TEST(split_masks_are_tried_for_whoever_shook_hands_from_there),
		TEST(a_split_mask_is_for_its_own_index),
		TEST(relayed_packets_are_known_by_their_handle),
		TEST(four_split_masks_are_tried_at_most),
		TEST(the_first_packet_confirms_and_is_worked_on),
		TEST(without_room_for_a_session_the_handshake_ends),
		TEST(word_of_the_first_packet_confirms_once),
		TEST(a_genuine_packet_shows_where_the_peer_is),
		TEST(a_packet_through_the_relay_makes_the_direct_path_doubtful),
		TEST(control_comes_with_word_of_where_from),
		TEST(notes_of_what_is_gone_find_nobody),
		TEST(a_cookie_is_shown_at_once),
		TEST(a_cookie_may_come_beside_the_relay),
		TEST(who_sends_under_forgotten_keys_is_woken),
		TEST(strangers_are_worked_on_within_budget_only),
		TEST(a_frame_goes_to_the_role_and_what_is_due_is_looked_at),
		TEST(a_note_brings_the_time),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
