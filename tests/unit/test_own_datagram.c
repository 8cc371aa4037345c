/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Our own datagrams among frames: known by the address and port that they come from, whole or in a
 * train, tagged or not, and nothing else is taken for one. Each is dropped, and one a second told.
 */
#include "core/data/own_datagram.h"
#include "edge_data_test.h"

#define PORT_V4	 7654
#define PORT_V6	 7655
#define TRAIN	 40
#define FRAGMENT 0x2000 /* more follow */

struct row {
	const char *what;
	struct sketch s;
	uint8_t from;	    /* added to the source address, which is ours */
	uint16_t fragment;  /* field of IPv4 */
	uint8_t tags;	    /* if there are several */
	uint8_t first_byte; /* of the IP header, if it is wrong */
	bool own;
};

static const uint8_t payload[TRAIN * 100];

#define V4(p)  .port = (p), .ttl = 64, .payload = payload, .len = 100
#define V6(p)  V4(p), .v6 = true, .host = 1
#define DONE   .sum = SUM_FINISHED
#define TAG(t) DONE, .vlan = true, .vlan_type = (t)

static const struct row rows[] = {
	{.what = "IPv4", .s = {V4(PORT_V4), DONE}, .own = true},
	{.what = "IPv4, its checksum unset", .s = {V4(PORT_V4), .sum = SUM_UNSET}, .own = true},
	{.what = "IPv4 without a checksum", .s = {V4(PORT_V4), DONE, .no_sum = true}, .own = true},
	{.what = "IPv4, tagged", .s = {V4(PORT_V4), TAG(0x8100)}, .own = true},
	{.what = "IPv4, service tag", .s = {V4(PORT_V4), TAG(0x88a8)}, .own = true},
	{.what = "IPv4, two tags", .s = {V4(PORT_V4), TAG(0x88a8)}, .tags = 2, .own = true},
	{.what = "first fragment", .s = {V4(PORT_V4), DONE}, .fragment = FRAGMENT, .own = true},
	{.what = "IPv6", .s = {V6(PORT_V6), DONE}, .own = true},
	{.what = "IPv6, tagged", .s = {V6(PORT_V6), TAG(0x8100)}, .own = true},
	{.what = "another address", .s = {V4(PORT_V4), DONE}, .from = 2},
	{.what = "another address, tagged", .s = {V4(PORT_V4), TAG(0x8100)}, .from = 2},
	{.what = "another IPv6 address", .s = {V6(PORT_V6), DONE}, .from = 2},
	{.what = "another port", .s = {V4(PORT_V4 + 1), DONE}},
	{.what = "the port of the other family", .s = {V4(PORT_V6), DONE}},
	{.what = "IPv6, the port of the other family", .s = {V6(PORT_V4), DONE}},
	{.what = "no port", .s = {V4(0), DONE}},
	{.what = "TCP from the same port", .s = {V4(PORT_V4), DONE, .tcp = true}},
	{.what = "TCP over IPv6", .s = {V6(PORT_V6), DONE, .tcp = true}},
	{.what = "a later fragment", .s = {V4(PORT_V4), DONE}, .fragment = FRAGMENT | 10},
	{.what = "with IP options, as we send none", .s = {V4(PORT_V4), DONE, .ip_options = 4}},
	{.what = "behind an IPv6 extension", .s = {V6(PORT_V6), DONE, .n_extensions = 1}},
	{.what = "another tag", .s = {V4(PORT_V4), TAG(0x9100)}},
	{.what = "TCP, tagged", .s = {V4(PORT_V4), TAG(0x8100), .tcp = true}},
	{.what = "TCP over IPv6, tagged", .s = {V6(PORT_V6), TAG(0x8100), .tcp = true}},
	{.what = "IPv6 that says it is IPv4", .s = {V4(PORT_V4), DONE}, .first_byte = 0x65},
	{.what = "IPv4 that says it is IPv6", .s = {V6(PORT_V6), DONE}, .first_byte = 0x40},
	{.what = "another port, tagged", .s = {V4(PORT_V4 + 1), TAG(0x8100)}},
	{.what = "another port over IPv6, tagged", .s = {V6(PORT_V6 + 1), TAG(0x8100)}},
	{.what = "three tags", .s = {V4(PORT_V4), TAG(0x88a8)}, .tags = 3},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct own_sockets *own_sockets(void)
{
	struct endpoint list[4];

	assert_int_equal(endpoint_parse(&list[0], "192.0.2.1", PORT_V4), 0);
	assert_int_equal(endpoint_parse(&list[1], "10.0.0.1", PORT_V4), 0);
	assert_int_equal(endpoint_parse(&list[2], "fd00::1:abcd:ef01:2345:6700", PORT_V6), 0);
	/* fd00::1 and 64 bits of the sketch's. */
	memcpy(list[2].ip,
		(uint8_t[]){0xfd, 0, 0, 0, 0, 0, 0, 1, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67, 0},
		16);
	assert_int_equal(endpoint_parse(&list[3], "fe80::1", PORT_V6), 0);
	return own_create(list, 4);
}

static struct frame write_row(const struct row *r, uint8_t *data)
{
	struct frame f = sketch_frame(&r->s, data);
	size_t ip = ip_at(&r->s);

	if (r->fragment != 0)
		store_be16(data + ip + 6, r->fragment);
	data[r->s.v6 ? ip + 8 + 7 : ip + 12 + 3] = (uint8_t)(1 + r->from);
	if (r->first_byte != 0)
		data[ip] = r->first_byte;
	for (uint8_t i = 1; i < r->tags; i++) {
		memmove(data + 16, data + 12, f.len - 12);
		store_be16(data + 16, 0x8100);
		f.len += 4;
	}
	return f;
}

static bool is_own(
	const struct own_sockets *set, const uint8_t *data, size_t len, struct endpoint *to)
{
	return own_datagram_likely(set, data, len) && own_datagram(set, data, len, to);
}

static void each_kind_of_frame(void **state)
{
	static uint8_t data[BYTES_MAX];
	struct own_sockets *set = own_sockets();
	char text[ENDPOINT_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		struct frame f = write_row(r, data);
		struct endpoint to = {.port = 0};

		if (is_own(set, f.data, f.len, &to) != r->own)
			fail_msg("%s", r->what);
		if (!r->own)
			continue;
		assert_string_equal(endpoint_format(&to, text),
			r->s.v6 ? "[fd00::2:abcd:ef01:2345:6701]:443" : "10.0.1.0:443");
	}
	free(set);
}

/* Whatever the bytes are, nothing behind the end is looked at: the block has none. */
static void each_length(void **state)
{
	static uint8_t data[BYTES_MAX];
	struct own_sockets *set = own_sockets();
	struct endpoint to;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct frame f = write_row(&rows[i], data);

		for (size_t len = 0; len < f.len; len++) {
			uint8_t *block = malloc(len + 1);

			assert_non_null(block);
			memcpy(block, data, len);
			if (is_own(set, block, len, &to))
				assert_true(rows[i].own && len >= OWN_MIN_LEN);
			free(block);
		}
	}
	free(set);
}

/* No length is wasted: the headers are all that is needed. */
static void the_shortest_is_known(void **state)
{
	static uint8_t data[BYTES_MAX];
	const struct row v6 = {.s = {V6(PORT_V6), TAG(0x8100)}};
	struct own_sockets *set = own_sockets();
	struct endpoint to;

	(void)state;
	(void)write_row(&v6, data);
	assert_true(is_own(set, data, 18 + 40 + 8, &to));
	assert_false(is_own(set, data, 18 + 40 + 7, &to));
	(void)write_row(&rows[0], data);
	assert_true(is_own(set, data, OWN_MIN_LEN, &to));
	assert_false(is_own(set, data, OWN_MIN_LEN - 1, &to));
	free(set);
}

static void a_host_without_a_family_has_none_of_it(void **state)
{
	static uint8_t data[BYTES_MAX];
	struct endpoint only, to;
	struct own_sockets *set;
	struct frame f;

	(void)state;
	assert_int_equal(endpoint_parse(&only, "10.0.0.1", PORT_V4), 0);
	set = own_create(&only, 1);
	assert_non_null(set);
	f = write_row(&(struct row){.s = {V6(PORT_V6)}}, data);
	assert_false(is_own(set, f.data, f.len, &to));
	f = write_row(&(struct row){.s = {V6(0)}}, data);
	assert_false(is_own(set, f.data, f.len, &to));
	free(set);
}

static void sets_are_compared(void **state)
{
	struct own_sockets *a = own_sockets(), *b = own_sockets();
	struct endpoint none = {.port = 0};
	struct own_sockets *empty = own_create(&none, 1);

	(void)state;
	assert_true(own_equal(a, b));
	assert_int_equal(a->n, 4);
	assert_int_equal(empty->n, 0);
	assert_false(own_equal(a, NULL));
	assert_false(own_equal(a, empty));
	b->ip[3][15]++;
	assert_false(own_equal(a, b));
	b->ip[3][15]--;
	b->port_v6++;
	assert_false(own_equal(a, b));
	free(a);
	free(b);
	free(empty);
}

/* ---- in the data path ---- */

static void own_view(struct fixture *f)
{
	view_set_own(&f->rig.node.core.view, own_sockets(), core_retire_any, &f->rig.node.core);
	f->view = rig_view(&f->rig);
}

static void put_row(struct fixture *f, const struct row *r)
{
	static uint8_t data[BYTES_MAX];
	const struct mac to = mac_of(0);
	struct frame got = write_row(r, data), *out = &f->frames[f->n];

	out->data = f->slots[f->n++] + SLOT_HEADROOM;
	memcpy(out->data, data, got.len);
	memcpy(out->data, to.b, sizeof(to.b));
	out->len = got.len;
	out->offload = got.offload;
}

static void ours_are_dropped_and_the_others_go(void **state)
{
	struct fixture *f = *state;
	unsigned ours = 0;

	own_view(f);
	for (size_t i = 0; i < ROWS; i++) {
		put_row(f, &rows[i]);
		ours += rows[i].own;
	}
	edge_frames_out(&f->w, f->view, 0, f->frames, f->n, START_MS);
	assert_int_equal(f->n_sent, ROWS - ours);
	assert_drops(f, DROP_OWN_DATAGRAM, ours);
	/* Of each receiver one is told. */
	assert_int_equal(f->n_notes, 2);
	assert_int_equal(f->note[0].kind, NOTE_OWN);
	assert_int_equal(f->note[0].to.community, 0);
	assert_int_equal(f->note[0].to.generation, GENERATION);
	assert_int_equal(f->note[0].origin.way.remote.port, 443);
	assert_true(endpoint_is_v4(&f->note[0].origin.way.remote));
	assert_false(endpoint_is_v4(&f->note[1].origin.way.remote));
}

static void before_they_are_known_nothing_is_dropped(void **state)
{
	struct fixture *f = *state;

	put_row(f, &rows[0]);
	edge_frames_out(&f->w, f->view, 0, f->frames, f->n, START_MS);
	assert_int_equal(f->n_sent, 1);
	assert_drops(f, DROP_OWN_DATAGRAM, 0);
}

/* What our socket sent with one call comes as one super-frame. */
static void a_train_of_ours_is_dropped_whole(void **state)
{
	static uint8_t data[BYTES_MAX];
	struct fixture *f = *state;
	const struct mac to = mac_of(0);

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct row r = {.s = {V4(PORT_V4)}};
		struct frame train;
		struct cut cut;

		r.s.len = sizeof(payload);
		r.s.v6 = v6;
		r.s.host = (uint8_t)v6;
		r.s.port = v6 ? PORT_V6 : PORT_V4;
		own_view(f);
		train = sketch_train(&r.s, 100, data);
		memcpy(data, to.b, sizeof(to.b));
		assert_true(cut_begin(&cut, &train));
		for (f->n = 0; cut_left(&cut) > 0; f->n++) {
			f->frames[f->n].data = f->slots[f->n] + SLOT_HEADROOM;
			cut_next(&cut, &f->frames[f->n]);
		}
		assert_int_equal(f->n, TRAIN);
		edge_frames_out(&f->w, f->view, 0, f->frames, f->n, START_MS);
		assert_int_equal(f->n_sent, 0);
		assert_drops(f, DROP_OWN_DATAGRAM, (v6 + 1) * TRAIN);
		assert_int_equal(f->n_notes, v6 + 1);
	}
}

static void each_receiver_is_told_once_a_second(void **state)
{
	struct fixture *f = *state;

	own_view(f);
	put_row(f, &rows[0]);
	for (uint64_t ms = 0; ms < 3000; ms += 10)
		edge_frames_out(&f->w, f->view, 0, f->frames, f->n, START_MS + ms);
	assert_drops(f, DROP_OWN_DATAGRAM, 300);
	assert_int_equal(f->n_notes, 3);
	/* They leave room for what cannot come again. */
	f->n_notes = BATCH_MAX / 2;
	edge_frames_out(&f->w, f->view, 0, f->frames, f->n, START_MS + 5000);
	assert_int_equal(f->n_notes, BATCH_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_frame),
		cmocka_unit_test(each_length),
		cmocka_unit_test(the_shortest_is_known),
		cmocka_unit_test(a_host_without_a_family_has_none_of_it),
		cmocka_unit_test(sets_are_compared),
		TEST(ours_are_dropped_and_the_others_go),
		TEST(before_they_are_known_nothing_is_dropped),
		TEST(a_train_of_ours_is_dropped_whole),
		TEST(each_receiver_is_told_once_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
