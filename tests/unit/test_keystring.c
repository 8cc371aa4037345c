/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys as text: fixed answers, every single error, versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/keystring.h"

#include <cmocka.h>

static void fill(uint8_t *p, size_t len, uint8_t start)
{
	for (size_t i = 0; i < len; i++) {
		p[i] = (uint8_t)(start + i);
	}
}

static struct community_key sample_key(void)
{
	struct community_key k;

	fill(k.id, sizeof(k.id), 1);
	fill(k.key, sizeof(k.key), 100);
	return k;
}

static void community_key_is_fixed(void **state)
{
	static const char want[] = "n2n4-"
				   "aeaqeayeaudaocajbifqydiob4igizlgm5ugs2tlnrww433qofzhg5dvoz3xq6l"
				   "2pn6h27t7qcayfa4qde";
	struct community_key k = sample_key(), back;
	char text[COMMUNITY_KEY_TEXT_LEN + 1];

	(void)state;
	community_key_format(&k, text);
	assert_string_equal(text, want);
	assert_int_equal(strlen(text), COMMUNITY_KEY_TEXT_LEN);
	assert_int_equal(community_key_parse(&back, text), N2N_OK);
	assert_memory_equal(&back, &k, sizeof(k));
	for (char *p = text; *p; p++) {
		if (*p >= 'a' && *p <= 'z') {
			*p = (char)(*p - 'a' + 'A');
		}
	}
	memset(&back, 0, sizeof(back));
	assert_int_equal(community_key_parse(&back, text), N2N_OK);
	assert_memory_equal(&back, &k, sizeof(k));
}

static void community_key_finds_typing_errors(void **state)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct community_key k = sample_key(), out;
	char text[COMMUNITY_KEY_TEXT_LEN + 1];
	unsigned missed = 0, tried = 0;

	(void)state;
	community_key_format(&k, text);
	memset(&out, 0x55, sizeof(out));
	for (size_t i = strlen(COMMUNITY_KEY_PREFIX); text[i]; i++) {
		char right = text[i];

		for (const char *c = alphabet; *c; c++) {
			text[i] = *c;
			missed += *c != right && community_key_parse(&out, text) >= 0;
			tried++;
		}
		text[i] = right;
	}
	/* Two bytes of checksum: one of 65536 errors passes; with this key none does. */
	assert_true(tried > 2000);
	assert_int_equal(missed, 0);
	assert_int_equal(out.id[0], 0x55);
}

static void community_key_says_what_is_wrong(void **state)
{
	struct community_key k = sample_key(), out;
	char text[COMMUNITY_KEY_TEXT_LEN + 2];

	(void)state;
	community_key_format(&k, text);
	text[20] = text[20] == 'a' ? 'b' : 'a';
	assert_int_equal(community_key_parse(&out, text), N2N_EAUTH);
	text[20] = '1';
	assert_int_equal(community_key_parse(&out, text), N2N_EINVAL);
	community_key_format(&k, text);
	strcat(text, "a");
	assert_int_equal(community_key_parse(&out, text), N2N_EINVAL);
	for (size_t len = 0; len < COMMUNITY_KEY_TEXT_LEN; len++) {
		community_key_format(&k, text);
		text[len] = '\0';
		assert_int_equal(community_key_parse(&out, text), N2N_EINVAL);
	}
	assert_int_equal(community_key_parse(&out, "encryptme"), N2N_EINVAL);
}

static void community_key_of_a_later_version_is_named_so(void **state)
{
	static const char later[] = "n2n4-"
				    "aiaqeayeaudaocajbifqydiob4igizlgm5ugs2tlnrww433qofzhg5dvoz3xq6"
				    "l2pn6h27t7qcayfa4iju";
	struct community_key out;

	(void)state;
	assert_int_equal(community_key_parse(&out, later), N2N_ENOSYS);
}

static void community_key_is_recognised(void **state)
{
	(void)state;
	assert_true(community_key_looks_like("n2n4-"));
	assert_true(community_key_looks_like("N2N4-abc"));
	assert_false(community_key_looks_like("n2n4"));
	assert_false(community_key_looks_like(""));
	assert_false(community_key_looks_like("n2n3-abc"));
	assert_false(community_key_looks_like("encryptme"));
}

/* One that random bytes gave. */
#define SOME_KEY                                                                                   \
	"n2n4-"                                                                                    \
	"ah2rxq7dzqlc53w7v4uxi5yq62l3ae6kkmbgt3zojpvq2ufndwxe7s5jx2k4mhtb6ywocq3tagzrl5dpfiue4h"

static void damaged_community_key_is_recognised(void **state)
{
	static const char *const damaged[] = {
		"ah2rxq7dzqlc53w7v4uxi5yq62l3ae6kkmbgt3zojpvq2ufndwxe7s5jx2k4mhtb6ywocq3tagzrl5dpfi"
		"ue4h",
		"2n4-"
		"ah2rxq7dzqlc53w7v4uxi5yq62l3ae6kkmbgt3zojpvq2ufndwxe7s5jx2k4mhtb6ywocq3tagzrl5dpfi"
		"ue4h",
		"m2n4-"
		"ah2rxq7dzqlc53w7v4uxi5yq62l3ae6kkmbgt3zojpvq2ufndwxe7s5jx2k4mhtb6ywocq3tagzrl5dpf"
		"i",
		"n2n4\xe2\x80\x93"
		"ah2rxq7dzqlc53w7v4uxi5yq62l3ae6kkmbgt3zojpvq2ufndwxe7s5jx2k4mhtb6ywocq3tagzrl5dpfi"
		"u",
		"AH2RXQ7DZQLC53W7V4UXI5YQ62L3AE6KKMBGT3ZOJPVQ2UFNDWXE7S5JX2K4MHTB6YWOCQ3TAGZRL5DPFI"
		"UE4H",
		"\"" SOME_KEY "\"",
		"key: " SOME_KEY,
		"# the office\n" SOME_KEY,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		if (!community_key_is_damaged(damaged[i]))
			fail_msg("\"%s\" is a damaged key", damaged[i]);
}

/* What people and generators make up. */
static void passphrase_is_no_damaged_key(void **state)
{
	static const char *const honest[] = {
		"",
		"encryptme",
		"correct horse battery staple",
		"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", /* 52 letters */
		"correcthorsebatterystaplecorrecthorsebatterystaplecorrecthorsebatterystaplecorrect"
		"horse",
		"in 1984 we were 25 and by 2034 there will be 75 of us, 33 of them above 60 and 7 "
		"not",
		"the n2n4-generation has more to say than that, and it will",
		/* hexadecimal, 64 and 84 digits */
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a089f86d081884c7d659a"
		"2f",
		/* base64 of 64 bytes, and 52 characters of base32 */
		"2jmj7l5rSw0yVb/vlWAYkK/YBwk8PhZUd2wqaWyWJUQ0VHtkZ3JaVjB2a0tYcXJLRnVqZ1BvQ2w5eFE=",
		"ah2rxq7dzqlc53w7v4uxi5yq62l3ae6kkmbgt3zojpvq2ufndwxe",
		/* letters and digits of both cases */
		"Gq7mXw2LrT5vBz3KnYc6HjPd4sFaUe7RtWq2ZxMb5NkVg3ChJy6LpDs4QfTuEr7AwXi2BoKz5MvGnYh3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(honest) / sizeof(honest[0]); i++)
		if (community_key_is_damaged(honest[i]))
			fail_msg("\"%s\" is a passphrase", honest[i]);
}

/* A character lost, added or changed anywhere: a key, or told as a damaged one. */
static void no_slip_makes_a_passphrase_of_a_key(void **state)
{
	static const char slips[] = "a7-0 \xc3Q";
	struct community_key k;
	char text[COMMUNITY_KEY_TEXT_LEN + 1], slip[2 * sizeof(text)];

	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(k.id); i++)
			k.id[i] = (uint8_t)(round * 37 + i * 101);
		for (size_t i = 0; i < sizeof(k.key); i++)
			k.key[i] = (uint8_t)(round * 59 + i * 157 + 1);
		community_key_format(&k, text);
		for (size_t at = 0; at <= COMMUNITY_KEY_TEXT_LEN; at++) {
			for (const char *c = slips; *c != 0; c++) {
				snprintf(slip, sizeof(slip), "%.*s%c%s", (int)at, text, *c,
					text + at);
				assert_true(community_key_looks_like(slip) ||
					    community_key_is_damaged(slip));
				if (text[at] == 0)
					continue;
				memcpy(slip, text, sizeof(text));
				slip[at] = *c;
				assert_true(community_key_looks_like(slip) ||
					    community_key_is_damaged(slip));
			}
			if (text[at] == 0)
				continue;
			snprintf(slip, sizeof(slip), "%.*s%s", (int)at, text, text + at + 1);
			assert_true(
				community_key_looks_like(slip) || community_key_is_damaged(slip));
		}
	}
}

static void public_key_is_fixed_and_checked(void **state)
{
	static const char want[] = "zde4vs6mzxhm7ugr2lj5jvow27mntww33to55x7a4hrohzhf43t7dji";
	uint8_t key[KEY_LEN], back[KEY_LEN];
	char text[PUBLIC_KEY_TEXT_LEN + 2];

	(void)state;
	fill(key, sizeof(key), 200);
	public_key_format(key, text);
	assert_string_equal(text, want);
	assert_int_equal(public_key_parse(back, text), N2N_OK);
	assert_memory_equal(back, key, sizeof(key));
	for (size_t i = 0; i < PUBLIC_KEY_TEXT_LEN; i++) {
		char right = text[i];

		text[i] = right == 'q' ? 'r' : 'q';
		assert_true(public_key_parse(back, text) < 0);
		text[i] = right;
	}
	assert_memory_equal(back, key, sizeof(key));
	text[PUBLIC_KEY_TEXT_LEN - 1] = '\0';
	assert_int_equal(public_key_parse(back, text), N2N_EINVAL);
	assert_int_equal(public_key_parse(back, ""), N2N_EINVAL);
}

static void the_two_kinds_do_not_mix(void **state)
{
	struct community_key k = sample_key(), out;
	char text[COMMUNITY_KEY_TEXT_LEN + 1];
	uint8_t key[KEY_LEN];

	(void)state;
	community_key_format(&k, text);
	assert_int_equal(public_key_parse(key, text), N2N_EINVAL);
	public_key_format(k.key, text);
	assert_int_equal(community_key_parse(&out, text), N2N_EINVAL);
}

static void edge_id_is_fixed(void **state)
{
	uint8_t key[KEY_LEN], id[EDGE_ID_LEN];
	char text[EDGE_ID_TEXT_LEN + 1];

	(void)state;
	fill(key, sizeof(key), 200);
	edge_id(id, key);
	edge_id_format(id, text);
	assert_string_equal(text, "qn2jpiocfdwwa4ar4kw33q3jrq");
	assert_int_equal(strlen(text), 26);
}

static int setup(void **state)
{
	(void)state;
	return crypto_start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(community_key_is_fixed),
		cmocka_unit_test(community_key_finds_typing_errors),
		cmocka_unit_test(community_key_says_what_is_wrong),
		cmocka_unit_test(community_key_of_a_later_version_is_named_so),
		cmocka_unit_test(community_key_is_recognised),
		cmocka_unit_test(damaged_community_key_is_recognised),
		cmocka_unit_test(passphrase_is_no_damaged_key),
		cmocka_unit_test(no_slip_makes_a_passphrase_of_a_key),
		cmocka_unit_test(public_key_is_fixed_and_checked),
		cmocka_unit_test(the_two_kinds_do_not_mix),
		cmocka_unit_test(edge_id_is_fixed),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
