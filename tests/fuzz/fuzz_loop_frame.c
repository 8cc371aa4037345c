/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A frame of bridges: what was read can be written, and reads the same; the mark spoils nothing. */
#include "fuzz_check.h"
#include "wire/loop_frame.h"

static void check_same(const struct loop_frame *a, const struct loop_frame *b)
{
	CHECK(mac_equal(&a->source, &b->source) && a->vlan == b->vlan && a->kind == b->kind);
	CHECK(a->flags == b->flags && a->number == b->number);
	CHECK(memcmp(a->tag, b->tag, sizeof(a->tag)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[LOOP_FRAME_MAX], *copy;
	struct loop_frame f, again;

	if (loop_frame_decode(&f, data, size) != 0)
		return 0;
	CHECK(size >= LOOP_FRAME_MIN && f.vlan < VLANS);
	CHECK(loop_frame_decode(&again, out, loop_frame_encode(out, &f)) == 0);
	check_same(&f, &again);
	copy = malloc(size);
	CHECK(copy != NULL);
	memcpy(copy, data, size);
	loop_frame_carry(copy);
	CHECK(loop_frame_decode(&again, copy, size) == 0);
	CHECK((again.flags & LOOP_CARRIED) != 0);
	f.flags |= LOOP_CARRIED;
	check_same(&f, &again);
	free(copy);
	return 0;
}
