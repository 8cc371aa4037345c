/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is a question that a third one may answer, and the answers, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/frame/announce.h"
#include "core/frame/question.h"

#include <cmocka.h>

/* 10.1.2.9 at 02:00:00:00:09:09 asks for 10.1.2.3. */
static const uint8_t arp[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 9, 9, 0x08, 0x06, 0,
	1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 9, 9, 10, 1, 2, 9, 0, 0, 0, 0, 0, 0, 10, 1, 2, 3};

/* fd00::9 there asks for fd00::12:3456. */
static const uint8_t ns[] = {0x33, 0x33, 0xff, 0x12, 0x34, 0x56, 2, 0, 0, 0, 9, 9, 0x86, 0xdd, 0x60,
	0, 0, 0, 0, 32, 58, 255, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0xff, 2, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56, 135, 0, 0x0b, 0xbb, 0, 0, 0, 0, 0xfd, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 1, 1, 2, 0, 0, 0, 9, 9};

static const struct mac owner = {{2, 0, 0x5e, 0x10, 0, 1}};

/* In memory of its own length, so that a sanitizer sees who reads beyond it. */
static bool reads(struct question *q, const uint8_t *data, size_t len)
{
	uint8_t *block = malloc(len + 1);
	bool is;

	assert_non_null(block);
	memcpy(block + 1, data, len);
	is = question_read(q, block + 1, len);
	free(block);
	return is;
}

static void an_arp_request_is_answered_by_a_reply(void **state)
{
	static const uint8_t want[] = {2, 0, 0, 0, 9, 9, 2, 0, 0x5e, 0x10, 0, 1, 0x08, 0x06, 0, 1,
		8, 0, 6, 4, 0, 2, 2, 0, 0x5e, 0x10, 0, 1, 10, 1, 2, 3, 2, 0, 0, 0, 9, 9, 10, 1, 2,
		9};
	uint8_t out[ANNOUNCE_MAX];
	struct question q;

	(void)state;
	assert_true(reads(&q, arp, sizeof(arp)));
	assert_false(q.v6);
	assert_int_equal(announce_answer(out, &q, &owner, true), sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
}

static void a_solicitation_is_answered_by_an_advertisement(void **state)
{
	uint8_t want[] = {2, 0, 0, 0, 9, 9, 2, 0, 0x5e, 0x10, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0, 0,
		32, 58, 255, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0xfd, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 136, 0, 0, 0, 0x60, 0, 0, 0, 0xfd, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 2, 1, 2, 0, 0x5e, 0x10, 0, 1};
	uint8_t out[ANNOUNCE_MAX];
	struct question q;
	uint32_t sum = 32 + 58;

	(void)state;
	assert_true(reads(&q, ns, sizeof(ns)));
	assert_true(q.v6 && !q.link_local);
	assert_int_equal(announce_answer(out, &q, &owner, false), sizeof(want));
	for (size_t i = 14 + 8; i < sizeof(out); i += 2)
		sum += load_be16(out + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	assert_int_equal(sum, 0xffff);
	memcpy(want + 56, out + 56, 2);
	assert_memory_equal(out, want, sizeof(want));
	/* One that is a router says so. */
	assert_int_equal(announce_answer(out, &q, &owner, true), sizeof(want));
	assert_int_equal(out[58], 0xe0);
}

static void cut_short_it_is_none(void **state)
{
	struct question q;

	(void)state;
	for (size_t len = 0; len < sizeof(arp); len++)
		assert_false(reads(&q, arp, len));
	for (size_t len = 0; len < sizeof(ns); len++)
		assert_false(reads(&q, ns, len));
}

/* What comes behind is padding; a short frame has some where it was on a wire. */
static void padding_is_not_looked_at(void **state)
{
	uint8_t padded[128] = {0};
	struct question q;

	(void)state;
	memcpy(padded, arp, sizeof(arp));
	assert_true(reads(&q, padded, 60));
	memcpy(padded, ns, sizeof(ns));
	assert_true(reads(&q, padded, sizeof(padded)));
}

struct change {
	size_t at;
	uint8_t to;
	const char *why;
};

static void nothing_else_is_one(const uint8_t *frame, size_t len, const struct change *c, size_t n)
{
	uint8_t data[128];
	struct question q;

	for (size_t i = 0; i < n; i++) {
		memcpy(data, frame, len);
		assert_int_not_equal(data[c[i].at], c[i].to);
		data[c[i].at] = c[i].to;
		if (reads(&q, data, len))
			fail_msg("%s", c[i].why);
	}
}

static void other_arp_is_none(void **state)
{
	static const struct change changes[] = {
		{0, 2, "to one host, as Linux asks again"},
		{13, 0, "of another type"},
		{15, 6, "of other hardware"},
		{16, 0x86, "of another protocol"},
		{18, 8, "of longer addresses"},
		{21, 2, "a reply"},
		{27, 8, "for another than itself"},
		{28, 0, "a sender in net 0, as a probe's is"},
		{28, 224, "a sender that is a group"},
		{38, 127, "for the loopback network"},
		{38, 240, "for an address that no host has"},
	};
	uint8_t data[sizeof(arp)];
	struct question q;

	(void)state;
	nothing_else_is_one(arp, sizeof(arp), changes, sizeof(changes) / sizeof(*changes));
	memcpy(data, arp, sizeof(arp));
	memset(data + 28, 0, 4);
	assert_false(reads(&q, data, sizeof(data)));
	memcpy(data + 28, data + 38, 4);
	assert_false(reads(&q, data, sizeof(data)));
}

/* Each with a checksum that is right, so that it is not for that. */
static void assert_no_solicitation(const uint8_t changed[sizeof(ns)], const char *why)
{
	uint8_t data[sizeof(ns)];
	struct question q;
	uint32_t sum = 32 + 58;

	memcpy(data, changed, sizeof(data));
	memset(data + 56, 0, 2);
	for (size_t i = 14 + 8; i < sizeof(data); i += 2)
		sum += load_be16(data + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	store_be16(data + 56, (uint16_t)~sum);
	if (reads(&q, data, sizeof(data)))
		fail_msg("%s", why);
}

static void other_solicitations_are_none(void **state)
{
	static const struct change changes[] = {
		{2, 0, "to another group"},
		{5, 0x57, "to another's group"},
		{14, 0x40, "IPv4"},
		{19, 24, "without an option"},
		{20, 17, "UDP"},
		{21, 64, "through a router"},
		{22, 0xff, "of a group"},
		{39, 5, "to another scope"},
		{53, 0x57, "to another's group of IPv6"},
		{54, 136, "an advertisement"},
		{55, 1, "with a code"},
		{62, 0xff, "for a group"},
		{78, 2, "another option"},
		{79, 2, "a longer option"},
		{85, 8, "for another than itself"},
	};
	uint8_t data[sizeof(ns)];
	struct question q;

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		memcpy(data, ns, sizeof(ns));
		assert_int_not_equal(data[changes[i].at], changes[i].to);
		data[changes[i].at] = changes[i].to;
		assert_no_solicitation(data, changes[i].why);
	}
	memcpy(data, ns, sizeof(ns));
	memset(data + 22, 0, 16);
	assert_no_solicitation(data, "duplicate address detection");
	memcpy(data, ns, sizeof(ns));
	memcpy(data + 22, data + 62, 16);
	assert_no_solicitation(data, "for its own address");
	memcpy(data, ns, sizeof(ns));
	data[57] ^= 1;
	assert_false(reads(&q, data, sizeof(data)));
	/* Behind a tag the answer would have to have one. */
	memcpy(data, ns, sizeof(ns));
	data[12] = 0x81;
	data[13] = 0;
	assert_false(reads(&q, data, sizeof(data)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_arp_request_is_answered_by_a_reply),
		cmocka_unit_test(a_solicitation_is_answered_by_an_advertisement),
		cmocka_unit_test(cut_short_it_is_none),
		cmocka_unit_test(padding_is_not_looked_at),
		cmocka_unit_test(other_arp_is_none),
		cmocka_unit_test(other_solicitations_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
