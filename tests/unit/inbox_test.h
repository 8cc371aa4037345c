/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of src/core/inbox.c share: a node under a role that only records, a peer that
 * seals what it sends, and a count of the envelopes that are opened (linked with
 * --wrap=envelope_open).
 */
#ifndef N2N_TESTS_INBOX_TEST_H
#define N2N_TESTS_INBOX_TEST_H

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

static inline struct fixture *fixture_of(struct node *n)
{
	return (struct fixture *)n;
}

static inline unsigned listeners(
	struct node *n, const struct origin *from, struct listener out[LISTENERS_MAX])
{
	const struct fixture *f = fixture_of(n);

	(void)from;
	memcpy(out, f->listener, f->n_listeners * sizeof(out[0]));
	return f->n_listeners;
}

static inline bool expected(struct node *n, const struct origin *from)
{
	(void)from;
	fixture_of(n)->budget++;
	return !fixture_of(n)->refuses;
}

static inline struct session *find(struct node *n, const struct party *self, const uint8_t *remote)
{
	struct session *s = fixture_of(n)->known;

	return s != NULL && s->party == self && memcmp(s->remote, remote, KEY_LEN) == 0 ? s : NULL;
}

static inline bool admit(struct node *n, const struct party *self, const uint8_t *remote,
	const struct origin *from, bool stale)
{
	(void)from;
	(void)stale;
	(void)self;
	(void)remote;
	fixture_of(n)->asked++;
	return fixture_of(n)->admits;
}

static inline bool accept_answer(struct node *n, struct session *s)
{
	(void)s;
	fixture_of(n)->asked++;
	return fixture_of(n)->admits;
}

static inline struct session *create(
	struct node *n, const struct party *self, const uint8_t *remote)
{
	struct fixture *f = fixture_of(n);

	f->created++;
	f->known = session_create(&n->core, LINK_PEER, self, COMMUNITY, remote);
	return f->known;
}

static inline void effects(struct node *n, struct session *s, unsigned what)
{
	(void)s;
	fixture_of(n)->effects |= what;
	fixture_of(n)->n_effects++;
}

static inline void message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from)
{
	(void)k;
	(void)from;
	fixture_of(n)->messages[m->type]++;
	if (m->type == CONTROL_UNREGISTER)
		session_retire(&n->core, s);
}

static inline bool answer(
	struct node *n, const uint8_t *data, size_t len, const struct origin *from)
{
	(void)data;
	(void)len;
	(void)from;
	fixture_of(n)->asks++;
	return fixture_of(n)->answers;
}

static inline void hello(
	struct node *n, const uint8_t *body, size_t body_len, const struct origin *from)
{
	(void)body;
	(void)body_len;
	(void)from;
	fixture_of(n)->hellos++;
}

static inline void frame(struct node *n, struct note *note)
{
	fixture_of(n)->frames++;
	fixture_of(n)->frame = *note;
}

static inline uint64_t look(struct node *n, struct session *s)
{
	(void)s;
	fixture_of(n)->looks++;
	return UINT64_MAX;
}

static const struct role role = {
	.listeners = listeners,
	.expected = expected,
	.find = find,
	.admit = admit,
	.accept = accept_answer,
	.create = create,
	.effects = effects,
	.message = message,
	.answer = answer,
	.hello = hello,
	.frame = frame,
	.look = look,
};

/* ---- the world ---- */

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	keyset_destroy(f->far);
	rig_fini(&f->rig);
	free(f);
	return 0;
}

static inline struct origin from_host(uint8_t host)
{
	return (struct origin){.way = {.remote = test_endpoint(host, PORT)}};
}

/* The peer's session, without keys. */
static inline struct session *add_session(struct fixture *f)
{
	const struct origin at = from_host(HOST);

	f->known = session_create(f->core, LINK_PEER, &f->self, COMMUNITY, f->peer.self.public);
	assert_non_null(f->known);
	f->known->route.direct = at.way;
	f->known->origin = at;
	return f->known;
}

/* And with confirmed keys, reached directly. */
static inline struct session *add_keyed(struct fixture *f)
{
	struct session *s = add_session(f);

	f->far = rig_keys(&f->rig, s, s->link.id << 2 | 1, 1);
	path_use(f->core, s, &s->route.direct);
	s->link.rx_direct_ms = START_MS;
	return s;
}

static inline void begin_note(struct fixture *f, enum note_kind kind, uint8_t host)
{
	f->note.kind = kind;
	f->note.index = 0;
	f->note.origin = from_host(host);
	f->note.to = f->listener[0].to;
	f->note.tried = f->rig.node.env_version;
	f->note.len = 0;
}

/* From now on strangers have used up what is there for them. */
static inline void spend(struct bucket *b, uint64_t now_ms)
{
	*b = (struct bucket){.last_ms = now_ms, .started = true};
}

static inline void refuse(struct fixture *f)
{
	struct budget *b = f->rig.node.budget;

	f->refuses = true;
	spend(&b->unknown_all, f->core->now_ms);
	memset(b->known, 0, sizeof(b->known));
}

static inline void take(struct fixture *f)
{
	f->rig.n_sent = 0;
	node_note(&f->rig.node, &f->note, f->core->now_ms);
}

static inline uint64_t drops(const struct fixture *f, enum drop why)
{
	return drops_get(&f->core->drops, why);
}

static inline void assert_drops(const struct fixture *f, enum drop why, uint64_t n)
{
	uint64_t all = 0;

	for (enum drop d = 0; d < DROP_COUNT; d++)
		all += drops(f, d);
	assert_int_equal(drops(f, why), n);
	assert_int_equal(all, n);
}

/* ---- what the peer sends ---- */

/* Under the keys of the far end of a session, into the note. */
static inline void seal_as(struct fixture *f, struct keyset *k, struct data_header h,
	const void *plain, size_t len, const uint8_t mask[MASK_LEN])
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
static inline void send_packet_as_peer(
	struct fixture *f, uint8_t kind, const void *plain, size_t len, const uint8_t *mask)
{
	begin_note(f, NOTE_UNKNOWN, HOST);
	seal_as(f, f->far, (struct data_header){.kind = kind, .counter = f->counter++}, plain, len,
		mask);
}

static inline size_t bye(uint8_t buf[64])
{
	struct writer w;

	writer_init(&w, buf, 64);
	control_bye_encode(&w, &(struct control_bye){BYE_SHUTDOWN});
	return writer_len(&w);
}

/* A whole frame from this source address. */
static inline size_t frame_of(uint64_t source, uint8_t out[60])
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

static inline void knock(struct fixture *f, struct knock *k, uint8_t device)
{
	const struct attempt_params p = {f->self.self.public, 0x400u + device * 4u, 1, 1000, 0};

	k->party = test_member(MODE_KEY, 5, device);
	assert_int_equal(attempt_start(&k->attempt, &k->party, &p, &f->core->io.random), 0);
	k->len = attempt_datagram(&k->attempt, &k->party, k->datagram, &f->core->io.random);
}

/* As a worker opens it: the body, then the tag. */
static inline void note_opened(struct fixture *f, const uint8_t *datagram, size_t len,
	const uint8_t key[KEY_LEN], uint8_t host)
{
	begin_note(f, NOTE_ENVELOPE, host);
	assert_int_equal(envelope_open(f->note.data, datagram, len, NULL, 0, key), 0);
	f->note.len = len - ENVELOPE_OVERHEAD + TAG_LEN;
	memcpy(f->note.data + f->note.len - TAG_LEN, datagram + len - TAG_LEN, TAG_LEN);
	opened = 0;
}

static inline void note_raw(struct fixture *f, const uint8_t *datagram, size_t len, uint8_t host)
{
	begin_note(f, NOTE_UNKNOWN, host);
	memcpy(f->note.data, datagram, len);
	f->note.len = len;
	opened = 0;
}

/* The keys that the peer has after our answer, which was sent last. */
static inline struct keyset *take_answer(struct fixture *f, struct knock *k)
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
