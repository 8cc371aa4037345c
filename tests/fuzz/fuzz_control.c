/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet of control messages: whatever a decoder takes, its encoder writes and it takes again. */
#include "../unit/control_again.h"
#include "fuzz_check.h"

#define ROOM 4096

static void check_message(const struct control_msg *m)
{
	uint8_t once[ROOM], twice[ROOM];
	struct control_msg again;
	struct reader r;
	struct writer w;
	size_t len;

	writer_init(&w, once, sizeof(once));
	if (control_again(&w, m) != 0)
		return;
	CHECK(writer_ok(&w));
	len = writer_len(&w);
	reader_init(&r, once, len);
	CHECK(control_next(&r, &again) == 1);
	CHECK(again.type == m->type);
	writer_init(&w, twice, sizeof(twice));
	CHECK(control_again(&w, &again) == 0);
	CHECK(writer_ok(&w) && writer_len(&w) == len && memcmp(once, twice, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct control_msg m;
	struct reader r;

	reader_init(&r, data, size);
	while (control_next(&r, &m) == 1)
		check_message(&m);
	CHECK(reader_left(&r) == 0);
	if (control_is_empty(data, size)) {
		reader_init(&r, data, size);
		while (control_next(&r, &m) == 1)
			CHECK(m.type == CONTROL_PAD);
	}
	return 0;
}
