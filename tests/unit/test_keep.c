/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept from one run to the next: written, read again, damaged, missing. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "core/edge/edge_state.h"
#include "host/community/keep.h"
#include "os/state.h"
#include "os/sys.h"

#include <cmocka.h>

#define DAY_MS (24u * 3600 * 1000)

static const uint8_t tag[COMMUNITY_TAG_LEN] = {7}, other_tag[COMMUNITY_TAG_LEN] = {7, 1};

struct fixture {
	char dir[64];
	struct state *st;
	struct random rnd;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct os_error err;

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/n2n-keep-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(sys_random(&f->rnd, &err), 0);
	assert_int_equal(state_open(&f->st, f->dir, "test", &err), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];

	state_close(f->st);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void write_raw(struct fixture *f, const char *name, const void *data, size_t len)
{
	struct os_error err;

	assert_int_equal(state_write(f->st, name, data, len, &err), 0);
}

static void test_secret(void **state)
{
	struct fixture *f = *state;
	uint8_t first[KEY_LEN], again[KEY_LEN];
	struct os_error err;

	assert_int_equal(keep_secret(f->st, "seed", first, &f->rnd, &err), 0);
	assert_int_equal(keep_secret(f->st, "seed", again, &f->rnd, &err), 0);
	assert_memory_equal(first, again, KEY_LEN);
	assert_int_equal(keep_secret(f->st, "key", again, &f->rnd, &err), 0);
	assert_memory_not_equal(first, again, KEY_LEN);
	/* A damaged one is not replaced. */
	write_raw(f, "seed", "short", 5);
	assert_int_equal(keep_secret(f->st, "seed", again, &f->rnd, &err), N2N_EINVAL);
	assert_non_null(strstr(err.text, "damaged"));
	/* Without a directory: another one each time. */
	assert_int_equal(keep_secret(NULL, "seed", first, &f->rnd, &err), 0);
	assert_int_equal(keep_secret(NULL, "seed", again, &f->rnd, &err), 0);
	assert_memory_not_equal(first, again, KEY_LEN);
}

static void expect_supernode(struct fixture *f, const char *name, uint8_t value)
{
	uint8_t key[KEY_LEN], wanted[KEY_LEN];

	memset(wanted, value, sizeof(wanted));
	assert_true(keep_find_supernode(f->st, name, key));
	assert_memory_equal(key, wanted, sizeof(key));
}

static void keep_one(struct fixture *f, const char *name, uint8_t value)
{
	uint8_t key[KEY_LEN];
	struct os_error err;

	memset(key, value, sizeof(key));
	assert_int_equal(keep_supernode(f->st, name, key, &err), 0);
}

static void test_supernodes(void **state)
{
	struct fixture *f = *state;
	uint8_t key[KEY_LEN];

	assert_false(keep_find_supernode(f->st, "a:1", key));
	keep_one(f, "a:1", 1);
	keep_one(f, "[fd00::1]:7654", 2);
	keep_one(f, "a:11", 3);
	expect_supernode(f, "a:1", 1);
	expect_supernode(f, "[fd00::1]:7654", 2);
	expect_supernode(f, "a:11", 3);
	keep_one(f, "[fd00::1]:7654", 4);
	keep_one(f, "a:1", 5);
	expect_supernode(f, "a:1", 5);
	expect_supernode(f, "[fd00::1]:7654", 4);
	expect_supernode(f, "a:11", 3);
	assert_false(keep_find_supernode(f->st, "a", key));
	assert_false(keep_find_supernode(NULL, "a:1", key));
}

static void expect_complaint(struct fixture *f, const char *text)
{
	struct os_error err = {0};

	assert_int_not_equal(keep_check_supernodes(f->st, &err), 0);
	assert_non_null(strstr(err.text, text));
}

static void test_damaged_supernodes(void **state)
{
	struct fixture *f = *state;
	uint8_t key[KEY_LEN];

	write_raw(f, "supernodes", "a:1 nonsense\nb:2", 16);
	assert_false(keep_find_supernode(f->st, "a:1", key));
	assert_false(keep_find_supernode(f->st, "b:2", key));
	expect_complaint(f, "line 1 of the file");
	keep_one(f, "a:1", 7);
	expect_supernode(f, "a:1", 7);
	expect_complaint(f, "line 2 of the file");
}

/* What is behind it is neither missed in silence nor lost when another key is written. */
static void test_zeros_in_supernodes(void **state)
{
	struct fixture *f = *state;
	const uint8_t another[KEY_LEN] = {9};
	char path[128], text[512] = {0};
	uint8_t key[KEY_LEN];
	struct os_error err;
	size_t len;

	keep_one(f, "a:1", 7);
	keep_one(f, "b:2", 8);
	assert_int_equal(state_read(f->st, "supernodes", text, sizeof(text), &len, &err), 0);
	*strchr(text, '\n') = 0;
	write_raw(f, "supernodes", text, len);
	expect_complaint(f, "zero byte");
	assert_false(keep_find_supernode(f->st, "b:2", key));
	assert_int_equal(keep_supernode(f->st, "c:3", another, &err), N2N_EINVAL);
	text[strlen(text)] = '\n';
	write_raw(f, "supernodes", text, len);
	expect_supernode(f, "b:2", 8);
	/* A disk that lost power may leave nothing else. */
	memset(text, 0, sizeof(text));
	write_raw(f, "supernodes", text, len);
	snprintf(path, sizeof(path), "%s/supernodes", state_dir(f->st));
	expect_complaint(f, path);
}

static void test_open_supernodes(void **state)
{
	struct fixture *f = *state;
	const uint8_t another[KEY_LEN] = {9};
	uint8_t key[KEY_LEN];
	struct os_error err;
	char path[128];

	assert_int_equal(keep_check_supernodes(NULL, &err), 0);
	assert_int_equal(keep_check_supernodes(f->st, &err), 0);
	keep_one(f, "a:1", 7);
	keep_one(f, "b:2", 8);
	assert_int_equal(keep_check_supernodes(f->st, &err), 0);
	snprintf(path, sizeof(path), "%s/supernodes", state_dir(f->st));
	assert_int_equal(chmod(path, 0644), 0);
	expect_complaint(f, "others can read");
	assert_false(keep_find_supernode(f->st, "a:1", key));
	/* What may be mended is not overwritten. */
	assert_int_equal(keep_supernode(f->st, "a:1", another, &err), N2N_EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	expect_supernode(f, "a:1", 7);
	expect_supernode(f, "b:2", 8);
}

static void test_freshness(void **state)
{
	struct fixture *f = *state;
	struct os_error err;

	assert_true(keep_read_freshness(f->st) == 0);
	assert_int_equal(keep_freshness(f->st, UINT64_C(0x0102030405060708), &err), 0);
	assert_true(keep_read_freshness(f->st) == UINT64_C(0x0102030405060708));
	write_raw(f, "freshness", "1234567", 7);
	assert_true(keep_read_freshness(f->st) == 0);
	assert_int_equal(keep_freshness(NULL, 1, &err), 0);
	assert_true(keep_read_freshness(NULL) == 0);
}

static void test_mask(void **state)
{
	struct fixture *f = *state;
	const uint8_t mask[MASK_LEN] = {1, 2, 3};
	uint64_t then = UINT64_C(1700000000000);
	uint8_t got[MASK_LEN];
	struct os_error err;

	assert_false(keep_read_mask(f->st, tag, then, got));
	assert_int_equal(keep_mask(f->st, tag, then, mask, &err), 0);
	assert_true(keep_read_mask(f->st, tag, then, got));
	assert_memory_equal(got, mask, MASK_LEN);
	assert_true(keep_read_mask(f->st, tag, then + DAY_MS, got));
	assert_false(keep_read_mask(f->st, tag, then + DAY_MS + 1, got));
	/* A clock that went back tells nothing about its age. */
	assert_false(keep_read_mask(f->st, tag, then - 1, got));
	assert_false(keep_read_mask(f->st, other_tag, then, got));
}

static void ignore_datagram(void *ctx, const struct datagram *d)
{
	(void)ctx;
	(void)d;
}

static void ignore_event(void *ctx, const struct event *e)
{
	(void)ctx;
	(void)e;
}

static struct edge *make_edge(struct fixture *f)
{
	const struct edge_config c = {
		.node = {.io = {.send = ignore_datagram, .event = ignore_event, .random = f->rnd},
			.nworkers = 1,
			.embryos = 4},
		.seed = {1}};
	const struct community_key key = {{2}, {3}};
	const struct community_config community = {.name = "c", .key = &key, .mtu = 1376};
	struct edge *e = edge_create(&c);

	assert_non_null(e);
	assert_int_equal(edge_add_community(e, &community), 0);
	return e;
}

static void test_peers(void **state)
{
	struct fixture *f = *state;
	struct known_peer out[4], in = {.freshness = UINT64_C(1700000000123)};
	struct edge *e = make_edge(f);
	struct os_error err;

	in.remote[0] = 9;
	in.remote[31] = 8;
	in.direct = endpoint_v4(0x0a000001, 4000);
	keep_remember_peers(f->st, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 0);
	edge_remember(e, 0, &in);
	assert_int_equal(keep_peers(f->st, tag, e, 0, &err), 0);
	edge_destroy(e);

	e = make_edge(f);
	keep_remember_peers(f->st, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 1);
	assert_memory_equal(out[0].remote, in.remote, KEY_LEN);
	assert_true(out[0].freshness == in.freshness);
	assert_true(endpoint_equal(&out[0].direct, &in.direct));
	edge_destroy(e);

	e = make_edge(f);
	keep_remember_peers(f->st, other_tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 0);
	/* Each community has files of its own. */
	assert_int_equal(keep_peers(f->st, other_tag, e, 0, &err), 0);
	edge_destroy(e);
	e = make_edge(f);
	keep_remember_peers(f->st, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 1);
	edge_destroy(e);
}

static void test_damaged_peers(void **state)
{
	struct fixture *f = *state;
	uint8_t file[1 + COMMUNITY_TAG_LEN + 58 + 30] = {2, 7};
	struct known_peer out[4];
	struct edge *e = make_edge(f);

	/* One record and a half. */
	file[1 + COMMUNITY_TAG_LEN] = 5;
	write_raw(f, "peers-0700000000000000", file, sizeof(file));
	keep_remember_peers(f->st, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 1);
	edge_destroy(e);
	e = make_edge(f);
	file[0] = 3; /* of a version to come */
	write_raw(f, "peers-0700000000000000", file, sizeof(file));
	keep_remember_peers(f->st, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 0);
	keep_remember_peers(NULL, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, 4), 0);
	edge_destroy(e);
}

/* Addresses that nobody has are none, and the edge itself is no peer of its own. */
static void test_hostile_peers(void **state)
{
	static const struct endpoint bad[] = {{.port = 9}, {{0xff, 2, [15] = 1}, 9},
		{{[10] = 0xff, 0xff, 224, 0, 0, 1}, 9}, {{0x20, 1, [15] = 1}, 0}};
	enum {
		RECORDS = sizeof(bad) / sizeof(bad[0])
	};
	struct fixture *f = *state;
	struct known_peer out[RECORDS + 2];
	uint8_t file[1 + COMMUNITY_TAG_LEN + (RECORDS + 1) * 58], own[KEY_LEN];
	struct edge *e = make_edge(f);
	struct writer w;

	memcpy(own, e->community[0]->party.self.public, KEY_LEN);
	writer_init(&w, file, sizeof(file));
	writer_u8(&w, 2);
	writer_copy(&w, tag, sizeof(tag));
	for (uint8_t i = 0; i <= RECORDS; i++) {
		const uint8_t remote[KEY_LEN] = {i, 1};
		const struct endpoint *at = &bad[i % RECORDS];

		writer_copy(&w, i < RECORDS ? remote : own, KEY_LEN);
		writer_u64(&w, UINT64_MAX);
		writer_copy(&w, at->ip, sizeof(at->ip));
		writer_u16(&w, at->port);
	}
	assert_true(writer_ok(&w));
	write_raw(f, "peers-0700000000000000", file, sizeof(file));
	keep_remember_peers(f->st, tag, e, 0);
	assert_int_equal(edge_known_peers(e, 0, out, RECORDS + 2), RECORDS);
	for (unsigned i = 0; i < RECORDS; i++)
		assert_true(endpoint_is_none(&out[i].direct));
	edge_destroy(e);
}

/* ---- owners ---- */

#define OWNERS	   3
#define OWNERS_LEN (1 + COMMUNITY_TAG_LEN + 2 + OWNERS * (6 + KEY_LEN + 1 + 8))

/* A file with three of them; their addresses end in 1 to 3. */
static void write_owners(struct fixture *f)
{
	struct edge *e = make_edge(f);
	struct os_error err;

	for (uint8_t i = 1; i <= OWNERS; i++) {
		struct known_owner k = {.mac = {{0x52, 0, 0, 0, 0, i}},
			.remote = {i, 7},
			.absent_ms = 1000u * i,
			.trial = i == 2};

		edge_remember_owner(e, 0, &k);
	}
	assert_int_equal(keep_owners(f->st, tag, e, 0, &err), 0);
	edge_destroy(e);
}

/* How many a new edge remembers of it; -1: it is said to be damaged, and none. */
static int read_owners(
	struct fixture *f, const uint8_t of[COMMUNITY_TAG_LEN], struct known_owner out[OWNERS + 1])
{
	struct edge *e = make_edge(f);
	struct os_error err = {0};
	int rc = keep_remember_owners(f->st, of, e, 0, &err);
	int n = (int)edge_known_owners(e, 0, out, OWNERS + 1);

	edge_destroy(e);
	if (rc == 0)
		return n;
	assert_int_equal(n, 0);
	assert_non_null(strstr(err.text, "owners-07"));
	return -1;
}

static void test_owners(void **state)
{
	struct fixture *f = *state;
	struct known_owner out[OWNERS + 1];
	struct edge *e = make_edge(f);
	struct os_error err;

	assert_int_equal(read_owners(f, tag, out), 0); /* no file */
	write_owners(f);
	assert_int_equal(read_owners(f, tag, out), OWNERS);
	for (uint8_t i = 0; i < OWNERS; i++) {
		assert_int_equal(out[i].mac.b[5], i + 1);
		assert_int_equal(out[i].remote[0], i + 1);
		assert_int_equal(out[i].remote[1], 7);
		assert_true(out[i].absent_ms == 1000u * (i + 1u));
		assert_int_equal(out[i].trial, i == 1);
	}
	assert_int_equal(keep_remember_owners(NULL, tag, e, 0, &err), 0);
	assert_int_equal(keep_owners(NULL, tag, e, 0, &err), 0);
	/* An empty one replaces what was there. */
	assert_int_equal(keep_owners(f->st, tag, e, 0, &err), 0);
	assert_int_equal(read_owners(f, tag, out), 0);
	edge_destroy(e);
}

static void test_damaged_owners(void **state)
{
	const char *name = "owners-0700000000000000";
	struct fixture *f = *state;
	struct known_owner out[OWNERS + 1];
	uint8_t file[OWNERS_LEN + 1] = {0};
	struct os_error err;
	size_t len;

	write_owners(f);
	assert_int_equal(state_read(f->st, name, file, sizeof(file), &len, &err), 0);
	assert_int_equal(len, OWNERS_LEN);
	for (size_t cut = 0; cut <= OWNERS_LEN + 1; cut++) {
		write_raw(f, name, file, cut);
		assert_int_equal(read_owners(f, tag, out), cut == OWNERS_LEN ? OWNERS : -1);
	}
	write_raw(f, name, file, OWNERS_LEN);
	/* Of another community whose tag begins alike: not ours. */
	assert_int_equal(read_owners(f, (const uint8_t[COMMUNITY_TAG_LEN]){7, [15] = 1}, out), -1);
	file[0] = 3; /* of a version to come */
	write_raw(f, name, file, OWNERS_LEN);
	assert_int_equal(read_owners(f, tag, out), -1);
	file[0] = 2;
	file[1 + COMMUNITY_TAG_LEN] = 0xff; /* the count */
	write_raw(f, name, file, OWNERS_LEN);
	assert_int_equal(read_owners(f, tag, out), -1);
}

/* As many as there may be fit, and no more are read. */
static void test_many_owners(void **state)
{
	static struct known_owner out[MAC_OWNERS_MAX + 1];
	struct fixture *f = *state;
	struct edge *e = make_edge(f);
	struct os_error err;

	for (unsigned i = 0; i < MAC_OWNERS_MAX + 5; i++) {
		struct known_owner k = {.absent_ms = 1};

		store_be32(k.mac.b + 2, i);
		k.mac.b[0] = 0x52;
		store_be32(k.remote, i + 1);
		edge_remember_owner(e, 0, &k);
	}
	assert_int_equal(keep_owners(f->st, tag, e, 0, &err), 0);
	edge_destroy(e);
	e = make_edge(f);
	assert_int_equal(keep_remember_owners(f->st, tag, e, 0, &err), 0);
	assert_int_equal(edge_known_owners(e, 0, out, MAC_OWNERS_MAX + 1), MAC_OWNERS_MAX);
	for (unsigned i = 0; i < MAC_OWNERS_MAX; i++)
		assert_int_equal(load_be32(out[i].remote), i + 1);
	edge_destroy(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_secret, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_supernodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_supernodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_zeros_in_supernodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_open_supernodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freshness, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mask, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_peers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_peers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damaged_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_owners, set_up, tear_down),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
