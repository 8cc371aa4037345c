/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a frame says of the first hop: no byte behind its end is looked at, the quick look never
 * misses what the slow one finds, and a tag before it changes nothing. A question that a third one
 * may answer is one of these, and the answer says where the address is that was asked for.
 */
#include "core/frame/announce.h"
#include "core/frame/first_hop.h"
#include "core/frame/flooded.h"
#include "fuzz_check.h"

#define TAG_LEN_VLAN 4

static void check_answer(const struct question *q, const struct first_hop *said)
{
	static const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	uint8_t out[ANNOUNCE_MAX];
	struct first_hop answer;
	size_t len = announce_answer(out, q, &mac, false);

	CHECK(said->kind == FIRST_HOP_NEIGHBOUR && memcmp(said->ip, q->from, 16) == 0);
	first_hop_read(&answer, out, len);
	CHECK(answer.kind == FIRST_HOP_NEIGHBOUR && memcmp(answer.ip, q->about, 16) == 0);
	CHECK(memcmp(out, q->mac.b, 6) == 0);
}

static void read_copy(struct first_hop *said, const uint8_t *data, size_t len)
{
	uint8_t *block = malloc(len + 1); /* so that a sanitizer sees the first byte beyond */

	struct question q;

	CHECK(block != NULL);
	memcpy(block + 1, data, len);
	first_hop_read(said, block + 1, len);
	CHECK(said->kind == FIRST_HOP_OTHER || first_hop_likely(block + 1, len));
	if (question_read(&q, block + 1, len)) {
		check_answer(&q, said);
		CHECK(flooded_kind(block + 1, len) == FLOOD_VITAL);
	}
	CHECK(flooded_kind(block + 1, len) < FLOOD_KINDS);
	free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t tag[TAG_LEN_VLAN] = {0x81, 0, 0, 5};
	uint8_t tagged[FRAME_MAX + TAG_LEN_VLAN];
	struct first_hop said, again;

	if (size < FRAME_MIN || size > FRAME_MAX)
		return 0;
	read_copy(&said, data, size);
	memcpy(tagged, data, FIRST_HOP_TYPE);
	memcpy(tagged + FIRST_HOP_TYPE, tag, sizeof(tag));
	memcpy(tagged + FIRST_HOP_TYPE + sizeof(tag), data + FIRST_HOP_TYPE, size - FIRST_HOP_TYPE);
	read_copy(&again, tagged, size + sizeof(tag));
	CHECK(again.kind == FIRST_HOP_HIDDEN ||
		(again.kind == said.kind && memcmp(again.ip, said.ip, sizeof(said.ip)) == 0));
	return 0;
}
