/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control messages in a session: acknowledgements, order, repetition, packets that overflow. */
#include "core/control.h"
#include "core/path/probe.h"
#include "core/session/send.h"
#include "core_test.h"

#define START_MS 1000u

struct fixture {
	struct rig rig;
	struct core *core; /* of rig */
	struct party member;
	struct session *s;
	struct keyset *far;
	unsigned taken[256], acked[CONTROL_TYPES];
	uint32_t last_seq;
	size_t size; /* of the bodies that encode writes */
};

/* ---- the role ---- */

static struct fixture *fixture_of(struct node *n)
{
	return (struct fixture *)n;
}

static void message(struct node *n, struct session *s, const struct keyset *k,
	const struct control_msg *m, const struct origin *from)
{
	struct control_ping ping;

	(void)k;
	fixture_of(n)->taken[m->type]++;
	fixture_of(n)->last_seq = m->seq;
	if (m->type == CONTROL_PING && control_ping_decode(&ping, m->body) == 0)
		probe_pong(&n->core, s, &ping, from);
	if (m->type == CONTROL_UNREGISTER)
		session_retire(&n->core, s);
}

static void encode(
	struct node *n, struct session *s, enum control_type type, uint32_t seq, struct writer *w)
{
	size_t begin = control_begin(w, type, seq);

	(void)s;
	writer_zero(w, fixture_of(n)->size);
	control_end(w, begin);
}

static void acked(struct node *n, struct session *s, enum control_type type)
{
	(void)s;
	fixture_of(n)->acked[type]++;
}

static const struct role role = {.message = message, .encode = encode, .acked = acked};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	rig_init(&f->rig, &role, 1);
	f->core = &f->rig.node.core;
	f->core->now_ms = START_MS;
	f->s = rig_session(&f->rig, LINK_PEER, &f->member, 1, &f->far);
	f->size = 20;
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

/* ---- both ends ---- */

static void put(struct writer *w, unsigned type, uint32_t seq, size_t len)
{
	size_t begin = control_begin(w, (enum control_type)type, seq);

	writer_zero(w, len);
	control_end(w, begin);
	assert_true(writer_ok(w));
}

static void input(struct fixture *f, const uint8_t *plain, size_t len)
{
	const struct origin from = {.way = {.remote = test_endpoint(1, 500)}};
	uint8_t *exact = exact_copy(plain, len);

	f->rig.n_sent = 0;
	control_input(&f->rig.node, f->s, f->s->current, exact, len, &from);
	free(exact);
}

/* What was sent: how many messages of each type, and the ranges of the ACKs. */
struct heard {
	unsigned n[CONTROL_TYPES];
	uint32_t seq[CONTROL_TYPES]; /* of the last of that type */
	struct control_ack ack;
};

static struct heard hear(struct fixture *f)
{
	struct heard heard = {.n = {0}};

	for (unsigned i = 0; i < f->rig.n_sent; i++) {
		struct data_header h;
		struct slice plain =
			rig_open(&f->rig, f->far, f->rig.sent[i].data, f->rig.sent[i].len, &h);
		struct control_msg m;
		struct reader r;
		int more;

		assert_int_equal(h.kind, KIND_CONTROL);
		assert_in_range(plain.len, 1, CONTROL_MAX_LEN);
		reader_init(&r, plain.data, plain.len);
		while ((more = control_next(&r, &m)) == 1) {
			assert_in_range(m.type, 0, CONTROL_TYPES - 1);
			heard.n[m.type]++;
			heard.seq[m.type] = m.seq;
			if (m.type == CONTROL_ACK)
				assert_int_equal(control_ack_decode(&heard.ack, m.body), 0);
		}
		assert_int_equal(more, 0);
	}
	f->rig.n_sent = 0;
	return heard;
}

static struct heard flush(struct fixture *f)
{
	f->rig.n_sent = 0;
	control_flush(&f->rig.node, f->s, NULL);
	return hear(f);
}

static bool acknowledges(const struct heard *h, uint32_t seq)
{
	for (unsigned i = 0; i < h->ack.n; i++)
		if (h->ack.range[i].first <= seq && seq <= h->ack.range[i].last)
			return true;
	return false;
}

static void acknowledge(struct fixture *f, uint32_t first, uint32_t last)
{
	const struct control_ack ack = {.n = 1, .range = {{first, last}}};
	uint8_t buf[64];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_ack_encode(&w, &ack);
	input(f, buf, writer_len(&w));
}

/* ---- in ---- */

static void what_has_a_sequence_is_acknowledged(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct heard heard;
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_CLAIM, 3, 9);
	put(&w, CONTROL_BYE, 0, 1);
	put(&w, CONTROL_ROSTER, 70000, 0);
	put(&w, 200, UINT32_MAX, 5); /* of a later version */
	input(f, buf, writer_len(&w));
	assert_true(f->taken[CONTROL_CLAIM] == 1 && f->taken[CONTROL_BYE] == 1);
	heard = hear(f);
	assert_int_equal(heard.n[CONTROL_ACK], 1);
	assert_true(acknowledges(&heard, 3) && acknowledges(&heard, 70000));
	assert_true(acknowledges(&heard, UINT32_MAX));
	assert_false(acknowledges(&heard, 0) || acknowledges(&heard, 4));
	/* Nothing that asks for an answer: silence, or two ends would talk for ever. */
	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_BYE, 0, 1);
	input(f, buf, writer_len(&w));
	assert_int_equal(f->rig.n_sent, 0);
}

static void older_states_are_not_taken(void **state)
{
	static const struct {
		uint32_t seq;
		unsigned taken;
	} rows[] = {{5, 1}, {5, 2}, {4, 2}, {6, 3}, {1, 3}, {UINT32_MAX, 4}, {7, 4}};
	struct fixture *f = *state;
	uint8_t buf[64];
	struct writer w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard heard;

		writer_init(&w, buf, sizeof(buf));
		put(&w, CONTROL_CLAIM, rows[i].seq, 9);
		input(f, buf, writer_len(&w));
		assert_int_equal(f->taken[CONTROL_CLAIM], rows[i].taken);
		heard = hear(f);
		assert_true(acknowledges(&heard, rows[i].seq));
	}
	/* Each type has an order of its own, and a new process of the peer starts anew. */
	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_CANDIDATES, 2, 9);
	input(f, buf, writer_len(&w));
	assert_int_equal(f->taken[CONTROL_CANDIDATES], 1);
	f->s->current->confirmed = false;
	f->s->current->incarnation = 2;
	assert_int_equal(session_confirm(f->core, f->s, f->s->current),
		SESSION_CONFIRMED | SESSION_RESTARTED);
	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_CLAIM, 1, 9);
	input(f, buf, writer_len(&w));
	assert_int_equal(f->taken[CONTROL_CLAIM], 5);
}

/* It speaks for a process that is gone, or for another one with the same identity. */
static void a_former_process_is_not_heard(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	f->s->incarnation = f->s->current->incarnation + 1;
	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_CLAIM, 1, 9);
	put(&w, CONTROL_BYE, 0, 1);
	put(&w, CONTROL_PING, 0, 8);
	input(f, buf, writer_len(&w));
	assert_int_equal(
		f->taken[CONTROL_CLAIM] + f->taken[CONTROL_BYE] + f->taken[CONTROL_PING], 0);
	f->s->incarnation = f->s->current->incarnation;
	input(f, buf, writer_len(&w));
	assert_int_equal(
		f->taken[CONTROL_CLAIM] + f->taken[CONTROL_BYE] + f->taken[CONTROL_PING], 3);
}

static void a_damaged_end_spares_what_precedes(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct heard heard;
	struct writer w;
	size_t whole, len;

	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_CLAIM, 1, 9);
	whole = writer_len(&w);
	put(&w, CONTROL_CANDIDATES, 2, 30);
	len = writer_len(&w);
	for (size_t cut = whole + 1; cut < len; cut++) {
		input(f, buf, cut);
		heard = hear(f);
		assert_true(acknowledges(&heard, 1) && !acknowledges(&heard, 2));
	}
	assert_int_equal(f->taken[CONTROL_CLAIM], len - whole - 1);
	assert_int_equal(f->taken[CONTROL_CANDIDATES], 0);
	assert_int_equal(drops_get(&f->core->drops, DROP_MALFORMED), len - whole - 1);
	input(f, buf, 0);
	assert_int_equal(f->rig.n_sent, 0);
}

static void many_questions_get_one_answer(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct heard heard;
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	for (unsigned i = 0; i < 60; i++)
		control_ping_encode(&w, &(struct control_ping){i});
	put(&w, CONTROL_CLAIM, 9, 9);
	assert_true(writer_ok(&w));
	input(f, buf, writer_len(&w));
	/* A forged source must not bring its owner more than came. */
	assert_int_equal(f->rig.n_sent, 2);
	heard = hear(f);
	assert_int_equal(heard.n[CONTROL_PONG], 1);
	assert_true(acknowledges(&heard, 9));
	assert_int_equal(drops_get(&f->core->drops, DROP_RATE), 59);
	/* And not many a second. */
	for (unsigned i = 0, sent = 1; i < 100; i++) {
		input(f, buf, writer_len(&w));
		heard = hear(f);
		sent += heard.n[CONTROL_PONG];
		assert_true(sent <= 20);
	}
}

/* Padding makes no lever of a supernode: what answers is no longer for it than the question. */
static void answers_are_padded_to_their_question_at_most(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	size_t longest = 0;

	f->s->link.kind = LINK_MEMBER;
	for (size_t len = 40; len < 400; len++) {
		struct writer w;

		writer_init(&w, buf, sizeof(buf));
		put(&w, CONTROL_CLAIM, (uint32_t)len, 9);
		control_pad(&w, len);
		input(f, buf, len);
		assert_int_equal(f->rig.n_sent, 1);
		assert_true(f->rig.sent[0].len <= len + DATA_OVERHEAD);
		if (f->rig.sent[0].len > longest)
			longest = f->rig.sent[0].len;
	}
	assert_true(longest > 200);
	assert_int_equal(f->core->asked_len, 0);
	/* By itself a supernode pads less than others. */
	for (unsigned i = 0; i < 100; i++) {
		f->rig.n_sent = 0;
		send_empty(f->core, f->s);
		assert_in_range(f->rig.sent[0].len, DATA_OVERHEAD + 8, DATA_OVERHEAD + 24);
	}
	f->s->link.kind = LINK_PEER;
}

static void a_packet_full_of_states_is_acknowledged_whole(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct heard heard;
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	for (uint32_t i = 1; i <= 100; i++)
		put(&w, 200, i * 2, 0);
	input(f, buf, writer_len(&w));
	heard = hear(f);
	assert_int_equal(heard.n[CONTROL_ACK], (100 + ACK_RANGES_MAX - 1) / ACK_RANGES_MAX);
	assert_true(acknowledges(&heard, 200) && !acknowledges(&heard, 201));
}

static void sequences_in_a_row_are_one_range(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct heard heard;
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	for (uint32_t i = 0; i < 100; i++)
		put(&w, 200, 7 + i / 2, 0);
	input(f, buf, writer_len(&w));
	heard = hear(f);
	assert_int_equal(heard.n[CONTROL_ACK], 1);
	assert_int_equal(heard.ack.n, 1);
	assert_true(!acknowledges(&heard, 6) && acknowledges(&heard, 7));
	assert_true(acknowledges(&heard, 56) && !acknowledges(&heard, 57));
}

/* All acknowledgements of a full packet together are padded to what is missing to its length. */
static void a_supernode_answers_at_length_once(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	const size_t packets = 3, acks = packets * (CONTROL_HEADER_LEN + 1) + 48 * 8;
	struct writer w;
	size_t sum;

	f->s->link.kind = LINK_MEMBER;
	writer_init(&w, buf, sizeof(buf));
	for (uint32_t i = 1; i <= 48; i++)
		put(&w, 200, i * 2, 10);
	for (unsigned round = 0; round < 20; round++) {
		sum = 0;
		input(f, buf, writer_len(&w));
		assert_int_equal(f->rig.n_sent, packets);
		for (unsigned i = 0; i < f->rig.n_sent; i++)
			sum += f->rig.sent[i].len - DATA_OVERHEAD;
		assert_in_range(sum, acks, writer_len(&w));
	}
	f->s->link.kind = LINK_PEER;
}

static void nothing_follows_the_end_of_a_session(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	put(&w, CONTROL_UNREGISTER, 0, 0);
	put(&w, CONTROL_CLAIM, 9, 9);
	input(f, buf, writer_len(&w));
	assert_int_equal(f->taken[CONTROL_CLAIM], 0);
	assert_int_equal(f->rig.n_sent, 0);
}

/* ---- out ---- */

static void states_are_repeated_until_acknowledged(void **state)
{
	static const unsigned waits[] = {300, 600, 1200, 2400, 4800, 5000, 5000};
	struct fixture *f = *state;
	struct heard heard;
	uint32_t seq;

	session_post(f->core, f->s, CONTROL_CLAIM);
	heard = flush(f);
	assert_int_equal(heard.n[CONTROL_CLAIM], 1);
	seq = heard.seq[CONTROL_CLAIM];
	assert_int_not_equal(seq, 0);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		f->core->now_ms += waits[i] - 1;
		assert_int_equal(flush(f).n[CONTROL_CLAIM], 0);
		f->core->now_ms += 1;
		heard = flush(f);
		assert_int_equal(heard.n[CONTROL_CLAIM], 1);
		assert_int_equal(heard.seq[CONTROL_CLAIM], seq);
	}
	acknowledge(f, seq + 1, UINT32_MAX);
	acknowledge(f, 0, seq - 1);
	assert_int_equal(f->acked[CONTROL_CLAIM], 0);
	acknowledge(f, seq, seq);
	assert_int_equal(f->acked[CONTROL_CLAIM], 1);
	acknowledge(f, seq, seq);
	assert_int_equal(f->acked[CONTROL_CLAIM], 1);
	f->core->now_ms += 60000;
	assert_int_equal(flush(f).n[CONTROL_CLAIM], 0);
}

static void the_newest_state_takes_the_place(void **state)
{
	struct fixture *f = *state;
	uint32_t older, newer;

	session_post(f->core, f->s, CONTROL_CLAIM);
	older = flush(f).seq[CONTROL_CLAIM];
	f->core->now_ms += 10;
	session_post(f->core, f->s, CONTROL_CLAIM);
	newer = flush(f).seq[CONTROL_CLAIM];
	assert_true(newer > older);
	acknowledge(f, older, older);
	assert_int_equal(f->acked[CONTROL_CLAIM], 0);
	f->core->now_ms += 300;
	assert_int_equal(flush(f).seq[CONTROL_CLAIM], newer);
	acknowledge(f, older, newer);
	assert_int_equal(f->acked[CONTROL_CLAIM], 1);
}

static void what_does_not_fit_has_a_packet_of_its_own(void **state)
{
	static const size_t sizes[] = {
		20, 300, 567, 568, 600, CONTROL_MAX_LEN - CONTROL_HEADER_LEN};
	static const enum control_type types[] = {CONTROL_REGISTER, CONTROL_REGISTERED,
		CONTROL_ROSTER, CONTROL_CANDIDATES, CONTROL_CLAIM};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct heard heard;

		f->size = sizes[i];
		f->core->now_ms += 100000;
		for (size_t t = 0; t < 5; t++)
			session_post(f->core, f->s, types[t]);
		heard = flush(f);
		for (size_t t = 0; t < 5; t++)
			assert_int_equal(heard.n[types[t]], 1);
		if (f->core->now_ms > START_MS + KEYS_REJECT_MS - 100000)
			test_made_at(f->s->current, f->core->now_ms);
	}
}

static void without_keys_nothing_is_lost(void **state)
{
	struct fixture *f = *state;

	session_post(f->core, f->s, CONTROL_CLAIM);
	test_made_at(f->s->current, 0);
	f->core->now_ms = KEYS_REJECT_MS;
	assert_int_equal(flush(f).n[CONTROL_CLAIM], 0);
	test_made_at(f->s->current, f->core->now_ms);
	assert_int_equal(flush(f).n[CONTROL_CLAIM], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_has_a_sequence_is_acknowledged),
		TEST(older_states_are_not_taken),
		TEST(a_former_process_is_not_heard),
		TEST(a_damaged_end_spares_what_precedes),
		TEST(many_questions_get_one_answer),
		TEST(answers_are_padded_to_their_question_at_most),
		TEST(a_packet_full_of_states_is_acknowledged_whole),
		TEST(sequences_in_a_row_are_one_range),
		TEST(a_supernode_answers_at_length_once),
		TEST(nothing_follows_the_end_of_a_session),
		TEST(states_are_repeated_until_acknowledged),
		TEST(the_newest_state_takes_the_place),
		TEST(what_does_not_fit_has_a_packet_of_its_own),
		TEST(without_keys_nothing_is_lost),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
