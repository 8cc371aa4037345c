/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both messages of a handshake: that they agree, and that nothing else than both unchanged does. */
#include "core_test.h"

struct ends {
	uint64_t seed;
	struct random rnd;
	struct party i, r;
	struct attempt attempt;
	struct answer answer;
	uint8_t init[ENVELOPE_MAX_LEN], init_body[ENVELOPE_BODY_MAX];
	size_t init_len;
	struct msg_init m1;
	uint8_t noise2[NOISE_MAX];
	size_t noise2_len;
	struct msg_response m2;
	struct handshake_result ri, rr;
	struct payload theirs;
};

/* How far a handshake came. */
enum stage {
	NOT_STARTED,
	NOT_FOR_US, /* the envelope of message 1 does not open */
	NOT_READ,
	NOT_ANSWERED,
	NOT_FINISHED,
	FINISHED
};

static struct ends ends_of(struct party i, struct party r)
{
	return (struct ends){.seed = 99, .i = i, .r = r};
}

static struct ends members(enum party_mode mode)
{
	return ends_of(test_member(mode, 5, 1), test_member(mode, 5, 2));
}

static struct ends hop(void)
{
	static const uint8_t seed[SEED_LEN] = {1}, secret[KEY_LEN] = {2},
			     tag[COMMUNITY_TAG_LEN] = {3};
	struct party i, r;

	party_init_supernode(&r, secret);
	party_init_hop(&i, seed, tag, r.self.public);
	memset(r.hop_mask, 0x11, MASK_LEN);
	memset(i.hop_mask, 0x22, MASK_LEN);
	return ends_of(i, r);
}

static int start(struct ends *e, const uint8_t *remote)
{
	const struct attempt_params p = {remote, 0x101, 7, 1000, 0};

	e->rnd = seeded_random(&e->seed);
	return attempt_start(&e->attempt, &e->i, &p, &e->rnd);
}

/* Message 1 through its envelope. */
static enum stage ask(struct ends *e)
{
	if (start(e, e->r.self.public) != 0)
		return NOT_STARTED;
	e->init_len = attempt_datagram(&e->attempt, &e->i, e->init, &e->rnd);
	if (envelope_open(e->init_body, e->init, e->init_len, NULL, 0, e->r.env_key) != 0)
		return NOT_FOR_US;
	assert_int_equal(msg_init_decode(&e->m1, e->init_body, e->init_len - ENVELOPE_OVERHEAD), 0);
	return answer_read(&e->answer, &e->r, &e->m1) == 0 ? NOT_ANSWERED : NOT_READ;
}

static int respond(struct ends *e)
{
	int rc = answer_write(&e->answer, &e->r, 0x202, e->m1.sender, 9, e->noise2, &e->noise2_len,
		&e->rr, &e->rnd);

	e->m2 = (struct msg_response){0x202, e->m1.sender, e->noise2, e->noise2_len};
	return rc;
}

static int finish(struct ends *e)
{
	return attempt_finish(&e->attempt, &e->i, &e->m2, &e->ri, &e->theirs);
}

static enum stage shake(struct ends *e)
{
	enum stage stage = ask(e);

	if (stage != NOT_ANSWERED || respond(e) != 0)
		return stage;
	return finish(e) == 0 ? FINISHED : NOT_FINISHED;
}

static bool same_keys(const struct ends *e)
{
	return memcmp(e->ri.prk, e->rr.prk, HASH_LEN) == 0 &&
	       memcmp(e->ri.hash, e->rr.hash, HASH_LEN) == 0;
}

/* ---- what goes well ---- */

static void check_agreement(struct ends e, enum aead_suite suite)
{
	assert_int_equal(shake(&e), FINISHED);
	assert_true(same_keys(&e));
	assert_int_equal(e.ri.suite, suite);
	assert_int_equal(e.rr.suite, suite);
	assert_true(e.ri.initiator && !e.rr.initiator);
	assert_int_equal(e.ri.rx_index, 0x101);
	assert_int_equal(e.ri.tx_index, 0x202);
	assert_int_equal(e.rr.rx_index, 0x202);
	assert_int_equal(e.rr.tx_index, 0x101);
	assert_int_equal(e.ri.generation, 9);
	assert_int_equal(e.rr.generation, 9);
	assert_memory_equal(e.answer.noise.rs, e.i.self.public, KEY_LEN);
	assert_int_equal(e.answer.theirs.freshness, 1000);
	assert_int_equal(e.answer.theirs.generation, 7);
	assert_int_equal(e.answer.theirs.incarnation, e.i.incarnation);
	assert_int_equal(e.theirs.incarnation, e.r.incarnation);
	assert_int_equal(e.theirs.freshness, 0);
	assert_int_equal(e.theirs.mtu, e.r.mtu);
}

static void both_sides_agree(void **state)
{
	static const enum party_mode modes[] = {MODE_KEY, MODE_PASSPHRASE};

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		struct ends e = members(modes[m]);

		check_agreement(e, AEAD_CHACHA20POLY1305);
		e.i.caps = CAP_AES_FAST;
		check_agreement(e, AEAD_CHACHA20POLY1305);
		e.r.caps = CAP_AES_FAST | CAP_BRIDGE;
		check_agreement(e, AEAD_AES256GCM);
	}
}

static void hops_exchange_mask_keys(void **state)
{
	struct ends e = hop();

	(void)state;
	e.i.caps = e.r.caps = CAP_AES_FAST;
	check_agreement(e, AEAD_CHACHA20POLY1305); /* a supernode's sessions are many */
	assert_int_equal(shake(&e), FINISHED);
	assert_true(e.theirs.has_hop_mask && e.answer.theirs.has_hop_mask);
	assert_memory_equal(e.theirs.hop_mask, e.r.hop_mask, MASK_LEN);
	assert_memory_equal(e.answer.theirs.hop_mask, e.i.hop_mask, MASK_LEN);
}

static void a_transform_must_fit(void **state)
{
	struct ends e = members(MODE_KEY);

	(void)state;
	assert_int_equal(ask(&e), NOT_ANSWERED);
	e.answer.theirs.transforms = 1u << AEAD_AES256GCM;
	assert_int_equal(respond(&e), N2N_EINVAL); /* not in hardware, so not wanted */
	e.answer.theirs.transforms = 1u << 3;
	assert_int_equal(respond(&e), N2N_EINVAL);
}

static void attempts_repeat_the_same_message(void **state)
{
	struct ends e = members(MODE_PASSPHRASE);
	uint8_t again[ENVELOPE_MAX_LEN], body[ENVELOPE_BODY_MAX];
	struct msg_init m;
	size_t len;

	(void)state;
	assert_int_equal(ask(&e), NOT_ANSWERED);
	len = attempt_datagram(&e.attempt, &e.i, again, &e.rnd);
	assert_memory_not_equal(again, e.init, XNONCE_LEN);
	assert_int_equal(envelope_open(body, again, len, NULL, 0, e.r.env_key), 0);
	assert_int_equal(msg_init_decode(&m, body, len - ENVELOPE_OVERHEAD), 0);
	assert_int_equal(m.noise_len, e.m1.noise_len);
	assert_memory_equal(m.noise, e.m1.noise, m.noise_len);
	/* Another attempt has another ephemeral and share. */
	assert_int_equal(start(&e, e.r.self.public), 0);
	assert_memory_not_equal(e.attempt.msg1, e.m1.noise, KEY_LEN);
}

/* ---- damage ---- */

static void check_envelope_flips(struct ends *e, uint8_t *datagram, size_t len, const uint8_t *key)
{
	uint8_t body[ENVELOPE_BODY_MAX];

	for (size_t i = 0; i < len; i++) {
		datagram[i] ^= 0x10;
		assert_int_not_equal(envelope_open(body, datagram, len, NULL, 0, key), 0);
		datagram[i] ^= 0x10;
	}
	assert_int_equal(envelope_open(body, datagram, len, NULL, 0, key), 0);
	(void)e;
}

static void check_message_1(struct ends *e)
{
	struct msg_init m = e->m1;
	uint8_t noise[NOISE_MAX];
	struct answer a;

	memcpy(noise, m.noise, m.noise_len);
	m.noise = noise;
	for (size_t i = 0; i < m.noise_len; i++) {
		for (unsigned bit = 1; bit <= 0x80; bit *= 0x80) {
			noise[i] ^= (uint8_t)bit;
			assert_int_not_equal(answer_read(&a, &e->r, &m), 0);
			assert_true(crypto_is_zero(&a, sizeof(a)));
			noise[i] ^= (uint8_t)bit;
		}
	}
	for (m.noise_len = 0; m.noise_len < e->m1.noise_len; m.noise_len++) {
		uint8_t *exact = exact_copy(noise, m.noise_len);

		m.noise = exact;
		assert_int_not_equal(answer_read(&a, &e->r, &m), 0);
		free(exact);
	}
	assert_int_equal(answer_read(&a, &e->r, &e->m1), 0);
	assert_memory_equal(a.msg1_hash, e->answer.msg1_hash, sizeof(a.msg1_hash));
}

/* None of these ends the attempt: the genuine answer is taken afterwards. */
static void check_message_2(struct ends *e)
{
	struct msg_response genuine = e->m2;
	uint8_t noise[NOISE_MAX];

	memcpy(noise, genuine.noise, genuine.noise_len);
	e->m2.noise = noise;
	for (size_t i = 0; i < genuine.noise_len; i++) {
		for (unsigned bit = 1; bit <= 0x80; bit *= 0x80) {
			noise[i] ^= (uint8_t)bit;
			assert_int_not_equal(finish(e), 0);
			noise[i] ^= (uint8_t)bit;
		}
	}
	for (size_t len = 0; len < genuine.noise_len; len++) {
		uint8_t *exact = exact_copy(noise, len);

		e->m2.noise = exact;
		e->m2.noise_len = len;
		assert_int_not_equal(finish(e), 0);
		free(exact);
	}
	e->m2 = genuine;
	assert_int_equal(finish(e), 0);
	assert_true(same_keys(e));
}

static void check_damage(struct ends e)
{
	struct random rnd = seeded_random(&e.seed);
	uint8_t datagram[ENVELOPE_MAX_LEN];
	size_t len;

	assert_int_equal(ask(&e), NOT_ANSWERED);
	check_envelope_flips(&e, e.init, e.init_len, e.r.env_key);
	check_message_1(&e);
	assert_int_equal(respond(&e), 0);
	len = answer_datagram(&e.r, e.i.self.public, &e.m2, datagram, &rnd);
	check_envelope_flips(&e, datagram, len, e.i.env_key);
	check_message_2(&e);
}

static void damage_is_refused(void **state)
{
	(void)state;
	check_damage(members(MODE_KEY));
	check_damage(members(MODE_PASSPHRASE));
	check_damage(hop());
}

/* ---- other secrets ---- */

static void another_key_does_not_open_the_envelope(void **state)
{
	struct ends e = ends_of(test_member(MODE_KEY, 5, 1), test_member(MODE_KEY, 6, 2));

	(void)state;
	assert_int_equal(shake(&e), NOT_FOR_US);
	/* And if it did, the handshake would fail on the psk. */
	memcpy(e.r.env_secret, e.i.env_secret, KEY_LEN);
	party_env_key(&e.r, e.r.self.public, e.r.env_key);
	assert_int_equal(shake(&e), NOT_READ);
	memcpy(e.r.psk, e.i.psk, KEY_LEN);
	assert_int_equal(shake(&e), FINISHED);
}

/* Nobody can tell before the first packet: so each handshake tests one guess at most. */
static void another_passphrase_gives_other_keys(void **state)
{
	struct ends e =
		ends_of(test_member(MODE_PASSPHRASE, 5, 1), test_member(MODE_PASSPHRASE, 6, 2));

	(void)state;
	assert_int_equal(shake(&e), FINISHED);
	assert_memory_equal(e.ri.hash, e.rr.hash, HASH_LEN);
	assert_memory_not_equal(e.ri.prk, e.rr.prk, HASH_LEN);
}

static void all_of_the_prologue_counts(void **state)
{
	(void)state;
	for (unsigned what = 0; what < 4; what++) {
		struct ends e = members(MODE_KEY);

		if (what == 0)
			e.r.tag[15] ^= 1;
		else if (what == 1)
			e.r.key_index = 2;
		else if (what == 2)
			e.r.mode = MODE_NONE;
		else
			e.r.role = ROLE_HOP;
		assert_int_equal(shake(&e), NOT_READ);
	}
}

static void another_static_cannot_answer(void **state)
{
	struct ends e = members(MODE_KEY);
	const struct party other = test_member(MODE_KEY, 5, 3);

	(void)state;
	assert_int_equal(start(&e, other.self.public), 0);
	e.m1 = (struct msg_init){
		.key_index = 1, .noise = e.attempt.msg1, .noise_len = e.attempt.msg1_len};
	assert_int_equal(answer_read(&e.answer, &e.r, &e.m1), N2N_EAUTH);
	assert_int_equal(answer_read(&e.answer, &other, &e.m1), 0);
	/* An answer under another static than the one asked is none. */
	e.answer.noise.e = (struct keypair){{0}, {0}};
	memcpy(e.answer.noise.rs, e.r.self.public, KEY_LEN);
	assert_int_equal(respond(&e), 0);
	assert_int_equal(finish(&e), N2N_EAUTH);
}

static void points_of_small_order_are_refused(void **state)
{
	static const uint8_t zero[KEY_LEN], one[KEY_LEN] = {1};
	struct ends e = members(MODE_KEY);

	(void)state;
	assert_int_equal(start(&e, zero), N2N_EAUTH);
	assert_true(crypto_is_zero(&e.attempt, sizeof(e.attempt)));
	assert_int_equal(start(&e, one), N2N_EAUTH);
	memset(e.i.self.public, 0, KEY_LEN);
	assert_int_equal(shake(&e), NOT_READ);
}

/* ---- payloads that the mode forbids ---- */

/* Message 1 of the initiator, but with this payload. */
static int read_payload(struct ends *e, const struct payload *p)
{
	static const uint8_t ephemeral[KEY_LEN] = {0, 7};
	uint8_t prologue[PROLOGUE_LEN], plain[PAYLOAD_MAX_LEN], noise1[NOISE_MAX];
	size_t len = payload_encode(plain, sizeof(plain), p);
	struct msg_init m = {.noise = noise1, .noise_len = len + NOISE_MSG1_OVERHEAD};
	struct noise noise;

	party_prologue(&e->i, prologue);
	noise_init_initiator(
		&noise, prologue, sizeof(prologue), &e->i.self, e->r.self.public, e->i.psk);
	assert_int_equal(noise_write1(&noise, noise1, ephemeral, plain, len), 0);
	return answer_read(&e->answer, &e->r, &m);
}

/* A genuine responder that answers with this payload. */
static int finish_payload(struct ends *e, const struct payload *p)
{
	static const uint8_t ephemeral[KEY_LEN] = {0, 8};
	struct noise noise = e->answer.noise;
	uint8_t plain[PAYLOAD_MAX_LEN];
	size_t len = payload_encode(plain, sizeof(plain), p);

	assert_int_equal(noise_write2(&noise, e->noise2, ephemeral, plain, len), 0);
	e->m2 = (struct msg_response){0x202, 0x101, e->noise2, len + NOISE_MSG2_OVERHEAD};
	return finish(e);
}

static void parts_of_the_mode_are_mandatory(void **state)
{
	static const enum party_mode modes[] = {MODE_KEY, MODE_PASSPHRASE, MODE_NONE};

	(void)state;
	for (size_t m = 0; m < 3; m++) {
		struct ends e = modes[m] == MODE_NONE ? hop() : members(modes[m]);

		assert_int_equal(shake(&e), FINISHED);
		struct payload one = e.answer.theirs, two = e.theirs;

		assert_int_equal(read_payload(&e, &one), 0);
		one.has_share = !one.has_share;
		assert_int_equal(read_payload(&e, &one), N2N_EINVAL);
		one.has_share = !one.has_share;
		one.has_hop_mask = !one.has_hop_mask;
		assert_int_equal(read_payload(&e, &one), N2N_EINVAL);
		assert_int_equal(ask(&e), NOT_ANSWERED);
		assert_int_equal(finish_payload(&e, &two), 0);
		two.has_share = !two.has_share;
		assert_int_equal(finish_payload(&e, &two), N2N_EINVAL);
		two.has_share = !two.has_share;
		two.has_hop_mask = !two.has_hop_mask;
		assert_int_equal(finish_payload(&e, &two), N2N_EINVAL);
	}
}

static void answers_must_be_to_the_question(void **state)
{
	static const uint32_t transforms[] = {0, 1, 1u << 3, 6, 7, UINT32_MAX};
	struct ends e = members(MODE_KEY);
	struct payload p;

	(void)state;
	assert_int_equal(shake(&e), FINISHED);
	assert_int_equal(ask(&e), NOT_ANSWERED);
	for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
		p = e.theirs;
		p.transforms = transforms[i];
		assert_int_equal(finish_payload(&e, &p), N2N_EINVAL);
		e.theirs.transforms = 1u << AEAD_CHACHA20POLY1305;
	}
	p = e.theirs;
	p.generation = 6; /* less than proposed */
	assert_int_equal(finish_payload(&e, &p), N2N_EINVAL);
	p.generation = 7;
	assert_int_equal(finish_payload(&e, &p), 0);
}

static void shares_must_be_points(void **state)
{
	struct ends e = members(MODE_PASSPHRASE);
	struct payload p;

	(void)state;
	assert_int_equal(shake(&e), FINISHED);
	assert_int_equal(ask(&e), NOT_ANSWERED);
	p = e.theirs;
	memset(p.share, 0, sizeof(p.share)); /* the neutral element */
	assert_int_equal(finish_payload(&e, &p), N2N_EAUTH);
	memset(p.share, 0xff, sizeof(p.share)); /* no element at all */
	assert_int_equal(finish_payload(&e, &p), N2N_EAUTH);
	memset(e.answer.theirs.share, 0, sizeof(p.share));
	assert_int_equal(respond(&e), N2N_EAUTH);
}

/* ---- cookies ---- */

static size_t make_cookie(const struct ends *e, const struct msg_cookie *c, const uint8_t *tag,
	uint8_t out[ENVELOPE_MAX_LEN], const struct random *rnd)
{
	uint8_t body[ENVELOPE_BODY_MAX];
	size_t len = msg_cookie_encode(body, sizeof(body), c);

	envelope_seal(out, body, len, tag, TAG_LEN, e->r.env_key, rnd);
	return len + ENVELOPE_OVERHEAD;
}

static void cookies_are_shown_from_then_on(void **state)
{
	struct ends e = members(MODE_KEY);
	struct msg_cookie c = {.receiver = 0x101, .reason = COOKIE_STALE, .cookie = {8, 9}};
	uint8_t out[ENVELOPE_MAX_LEN], mac2[MAC2_LEN];
	size_t len;

	(void)state;
	assert_int_equal(ask(&e), NOT_ANSWERED);
	assert_true(crypto_is_zero(e.m1.mac2, MAC2_LEN));
	/* For another message, another attempt, or damaged: not taken. */
	len = make_cookie(&e, &c, e.init, out, &e.rnd);
	assert_int_equal(attempt_cookie(&e.attempt, out, len), N2N_EAUTH);
	c.receiver = 0x102;
	len = make_cookie(&e, &c, e.attempt.sent_tag, out, &e.rnd);
	assert_int_equal(attempt_cookie(&e.attempt, out, len), N2N_EINVAL);
	c.receiver = 0x101;
	len = make_cookie(&e, &c, e.attempt.sent_tag, out, &e.rnd);
	for (size_t i = 0; i < len; i++)
		assert_int_not_equal(attempt_cookie(&e.attempt, out, i), 0);
	out[30] ^= 1;
	assert_int_equal(attempt_cookie(&e.attempt, out, len), N2N_EAUTH);
	out[30] ^= 1;
	assert_true(crypto_is_zero(e.attempt.cookie, COOKIE_LEN));
	assert_int_equal(attempt_cookie(&e.attempt, out, len), 0);

	len = attempt_datagram(&e.attempt, &e.i, e.init, &e.rnd);
	assert_int_equal(envelope_open(e.init_body, e.init, len, NULL, 0, e.r.env_key), 0);
	assert_int_equal(msg_init_decode(&e.m1, e.init_body, len - ENVELOPE_OVERHEAD), 0);
	msg_init_mac2(mac2, c.cookie, &e.m1);
	assert_memory_equal(mac2, e.m1.mac2, MAC2_LEN);
	/* The handshake itself is the same as before. */
	assert_int_equal(respond(&e), 0);
	assert_int_equal(finish(&e), 0);
}

/* ---- lengths ---- */

static void check_lengths(struct ends e)
{
	size_t shortest = ENVELOPE_MAX_LEN, longest = 0;
	uint8_t out[ENVELOPE_MAX_LEN];

	assert_int_equal(shake(&e), FINISHED);
	for (unsigned i = 0; i < 10000; i++) {
		size_t asked = attempt_datagram(&e.attempt, &e.i, out, &e.rnd);
		size_t answered = answer_datagram(&e.r, e.i.self.public, &e.m2, out, &e.rnd);

		shortest = asked < shortest ? asked : shortest;
		longest = answered > longest ? answered : longest;
		assert_true(asked <= ENVELOPE_MAX_LEN);
	}
	assert_int_equal(longest, shortest); /* the bounds are met, and it is never longer */
}

/* Whatever is in it: a message of a length that none has is not even read. */
static void check_long_and_short(
	int (*take)(struct ends *, const uint8_t *, size_t), struct ends *e, size_t shortest)
{
	static const uint8_t junk[ENVELOPE_MAX_LEN + 1] = {9};

	assert_int_equal(take(e, junk, shortest - 1), N2N_EINVAL);
	assert_int_equal(take(e, junk, shortest), N2N_EAUTH);
	assert_int_equal(take(e, junk, ENVELOPE_BODY_MAX), N2N_EAUTH);
	assert_int_equal(take(e, junk, ENVELOPE_BODY_MAX + 1), N2N_EINVAL);
}

static int take_question(struct ends *e, const uint8_t *noise, size_t len)
{
	const struct msg_init m = {.key_index = 1, .noise = noise, .noise_len = len};

	return answer_read(&e->answer, &e->r, &m);
}

static int take_answer(struct ends *e, const uint8_t *noise, size_t len)
{
	e->m2 = (struct msg_response){0x202, 0x101, noise, len};
	return finish(e);
}

static void messages_have_bounds(void **state)
{
	struct ends e = members(MODE_KEY);
	static const uint8_t datagram[ENVELOPE_MAX_LEN + 1];

	(void)state;
	assert_int_equal(ask(&e), NOT_ANSWERED);
	check_long_and_short(take_question, &e, NOISE_MSG1_OVERHEAD + PAYLOAD_FIXED_LEN);
	check_long_and_short(take_answer, &e, NOISE_MSG2_OVERHEAD);
	assert_int_equal(attempt_cookie(&e.attempt, datagram, ENVELOPE_MIN_LEN - 1), N2N_EINVAL);
	assert_int_equal(attempt_cookie(&e.attempt, datagram, ENVELOPE_MAX_LEN), N2N_EAUTH);
	assert_int_equal(attempt_cookie(&e.attempt, datagram, ENVELOPE_MAX_LEN + 1), N2N_EINVAL);
}

static void answers_are_never_longer(void **state)
{
	(void)state;
	check_lengths(members(MODE_KEY));
	check_lengths(members(MODE_PASSPHRASE));
	check_lengths(hop());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(hops_exchange_mask_keys),
		cmocka_unit_test(a_transform_must_fit),
		cmocka_unit_test(attempts_repeat_the_same_message),
		cmocka_unit_test(damage_is_refused),
		cmocka_unit_test(another_key_does_not_open_the_envelope),
		cmocka_unit_test(another_passphrase_gives_other_keys),
		cmocka_unit_test(all_of_the_prologue_counts),
		cmocka_unit_test(another_static_cannot_answer),
		cmocka_unit_test(points_of_small_order_are_refused),
		cmocka_unit_test(parts_of_the_mode_are_mandatory),
		cmocka_unit_test(answers_must_be_to_the_question),
		cmocka_unit_test(shares_must_be_points),
		cmocka_unit_test(cookies_are_shown_from_then_on),
		cmocka_unit_test(messages_have_bounds),
		cmocka_unit_test(answers_are_never_longer),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
