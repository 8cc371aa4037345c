/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a frame says of groups: no byte behind its end is looked at, at whatever length it is cut
 * off, records come to an end, and a tag before it changes nothing but that.
 */
#include "core/frame/membership.h"
#include "fuzz_check.h"

#define TAG_LEN_VLAN 4

static bool read_copy(struct membership *m, unsigned *n_joins, const uint8_t *data, size_t len)
{
	uint8_t *block = malloc(len + 1); /* so that a sanitizer sees the first byte beyond */
	struct membership_record r;
	unsigned n = 0;
	bool is_one;

	CHECK(block != NULL);
	memcpy(block + 1, data, len);
	(void)multicast_kind(block + 1, len);
	is_one = membership_read(m, block + 1, len);
	for (*n_joins = 0; is_one && m->kind == MEMBERSHIP_RECORDS && membership_next(m, &r); n++) {
		CHECK(!(r.joins && r.leaves));
		*n_joins += r.joins;
	}
	CHECK(n <= len / 8);
	free(block);
	return is_one;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t tag[TAG_LEN_VLAN] = {0x81, 0, 0, 5};
	uint8_t tagged[FRAME_MAX + TAG_LEN_VLAN];
	unsigned n_joins, again_joins;
	struct membership said, again;

	if (size < FRAME_MIN || size > FRAME_MAX)
		return 0;
	if (!read_copy(&said, &n_joins, data, size) || said.nested)
		return 0;
	for (size_t cut = FRAME_MIN; cut < size; cut++) {
		struct membership part;
		unsigned part_joins;

		if (read_copy(&part, &part_joins, data, cut))
			CHECK(part_joins <= n_joins && part.kind == said.kind);
	}
	memcpy(tagged, data, 12);
	memcpy(tagged + 12, tag, sizeof(tag));
	memcpy(tagged + 12 + sizeof(tag), data + 12, size - 12);
	CHECK(read_copy(&again, &again_joins, tagged, size + sizeof(tag)));
	CHECK(again.kind == said.kind && again_joins == n_joins && again.vlan == 5);
	CHECK(memcmp(again.group, said.group, 16) == 0 && again.ends == said.ends);
	return 0;
}
