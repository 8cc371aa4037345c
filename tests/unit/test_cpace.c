/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CPace against the vectors of its draft, and what must keep two sides apart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/cpace.h"
#include "vectors.h"

#include <cmocka.h>

#define FILE_NAME "cpace.json"

static struct slice slice_of(const struct hex *h)
{
	return (struct slice){h->data, h->len};
}

static void agrees_with_the_draft(void **state)
{
	json_t *root = vectors_load(FILE_NAME);
	const json_t *v = json_object_get(root, "G_Coffee25519");
	struct hex prs = hex_member(v, "PRS"), ci = hex_member(v, "CI"), sid = hex_member(v, "sid");
	struct hex ada = hex_member(v, "ADa"), adb = hex_member(v, "ADb");
	struct hex a = hex_member(v, "ya"), b = hex_member(v, "yb");
	struct hex share_a = hex_member(v, "Ya"), share_b = hex_member(v, "Yb");
	struct hex want = hex_member(v, "ISK_IR");
	const struct cpace_params params = {
		slice_of(&prs), slice_of(&ci), slice_of(&sid), slice_of(&ada), slice_of(&adb)};
	uint8_t ya[CPACE_SHARE_LEN], yb[CPACE_SHARE_LEN], isk[CPACE_ISK_LEN];

	(void)state;
	assert_int_equal(want.len, CPACE_ISK_LEN);
	cpace_share(ya, a.data, &params);
	cpace_share(yb, b.data, &params);
	assert_memory_equal(ya, share_a.data, CPACE_SHARE_LEN);
	assert_memory_equal(yb, share_b.data, CPACE_SHARE_LEN);
	assert_int_equal(cpace_finish(isk, a.data, yb, ya, yb, &params), N2N_OK);
	assert_memory_equal(isk, want.data, CPACE_ISK_LEN);
	assert_int_equal(cpace_finish(isk, b.data, ya, ya, yb, &params), N2N_OK);
	assert_memory_equal(isk, want.data, CPACE_ISK_LEN);
	struct hex *all[] = {&prs, &ci, &sid, &ada, &adb, &a, &b, &share_a, &share_b, &want};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		hex_free(all[i]);
	}
	json_decref(root);
}

static void refuses_invalid_points(void **state)
{
	static const char *const names[] = {"Invalid Y1", "Invalid Y2"};
	json_t *root = vectors_load(FILE_NAME);
	const json_t *points = json_object_get(root, "G_Coffee25519_points");
	const json_t *valid = json_object_get(points, "Valid");
	struct hex scalar = hex_member(valid, "s"), x = hex_member(valid, "X");
	const struct cpace_params params = {0};
	uint8_t isk[CPACE_ISK_LEN];

	(void)state;
	assert_int_equal(cpace_finish(isk, scalar.data, x.data, x.data, x.data, &params), N2N_OK);
	for (size_t i = 0; i < 2; i++) {
		struct hex y = hex_member(points, names[i]);

		assert_int_equal(y.len, CPACE_SHARE_LEN);
		assert_int_equal(
			cpace_finish(isk, scalar.data, y.data, y.data, x.data, &params), N2N_EAUTH);
		hex_free(&y);
	}
	hex_free(&scalar);
	hex_free(&x);
	json_decref(root);
}

/* Two sides, each with its own idea of the parameters. */
static bool agree(const struct cpace_params *pi, const struct cpace_params *pr)
{
	uint8_t uniform_i[64], uniform_r[64], yi[32], yr[32], si[32], sr[32], a[64], b[64];

	memset(uniform_i, 0x11, sizeof(uniform_i));
	memset(uniform_r, 0xee, sizeof(uniform_r));
	cpace_start(yi, si, uniform_i, pi);
	cpace_start(yr, sr, uniform_r, pr);
	assert_int_equal(cpace_finish(a, si, yr, yi, yr, pi), N2N_OK);
	assert_int_equal(cpace_finish(b, sr, yi, yi, yr, pr), N2N_OK);
	return memcmp(a, b, sizeof(a)) == 0;
}

static void both_sides_must_agree_on_all(void **state)
{
	const struct cpace_params right = {
		{"password", 8}, {"channel", 7}, {"session-id-16byt", 16}, {"", 0}, {"", 0}};
	struct cpace_params wrong;

	(void)state;
	assert_true(agree(&right, &right));
	wrong = right;
	wrong.prs.data = "passwore";
	assert_false(agree(&right, &wrong));
	wrong = right;
	wrong.prs.len = 7;
	assert_false(agree(&right, &wrong));
	wrong = right;
	wrong.ci.data = "chanmel";
	assert_false(agree(&right, &wrong));
	wrong = right;
	wrong.sid.data = "session-id-16byT";
	assert_false(agree(&right, &wrong));
	wrong = right;
	wrong.ad_i = (struct slice){"x", 1};
	assert_false(agree(&right, &wrong));
	/* The same bytes, cut elsewhere. */
	wrong = (struct cpace_params){
		{"password", 8}, {"channels", 8}, {"ession-id-16byt", 15}, {"", 0}, {"", 0}};
	assert_false(agree(&right, &wrong));
}

static void swapped_roles_and_shares_differ(void **state)
{
	const struct cpace_params params = {{"pw", 2}, {"ci", 2}, {"sid", 3}, {"", 0}, {"", 0}};
	uint8_t uniform[64] = {1}, yi[32], yr[32], si[32], sr[32], a[64], b[64];

	(void)state;
	cpace_start(yi, si, uniform, &params);
	uniform[0] = 2;
	cpace_start(yr, sr, uniform, &params);
	assert_memory_not_equal(yi, yr, 32);
	assert_int_equal(cpace_finish(a, si, yr, yi, yr, &params), N2N_OK);
	assert_int_equal(cpace_finish(b, sr, yi, yr, yi, &params), N2N_OK);
	assert_memory_not_equal(a, b, 64);
}

static void long_inputs_take_long_lengths(void **state)
{
	/* 128 and more need a second length byte; the PRS then fills the first hash block alone. */
	static const char big[400];
	const struct cpace_params params = {{big, 300}, {big, 128}, {big, 16}, {"", 0}, {"", 0}};
	struct cpace_params other = params;

	(void)state;
	assert_true(agree(&params, &params));
	other.ci.len = 129;
	assert_false(agree(&params, &other));
	other = params;
	other.prs.len = 299;
	assert_false(agree(&params, &other));
}

static int setup(void **state)
{
	(void)state;
	return crypto_start();
}

int main(void)
{
	const struct CMUnitTest own[] = {
		cmocka_unit_test(both_sides_must_agree_on_all),
		cmocka_unit_test(swapped_roles_and_shares_differ),
		cmocka_unit_test(long_inputs_take_long_lengths),
	};
	const struct CMUnitTest published[] = {
		cmocka_unit_test(agrees_with_the_draft),
		cmocka_unit_test(refuses_invalid_points),
	};
	int failed = cmocka_run_group_tests(own, setup, NULL);

	if (vectors_need(FILE_NAME) != 0) {
		return failed ? failed : VECTORS_SKIP;
	}
	return failed + cmocka_run_group_tests(published, setup, NULL);
}
