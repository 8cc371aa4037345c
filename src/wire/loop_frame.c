/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/loop_frame.h"

#include <string.h>

#define MAGIC	  UINT32_C(0x6e326e34) /* "n2n4" */
#define VERSION	  1
#define LEN	  60 /* the least that Ethernet carries, but for its checksum */
#define TAG_LEN_Q 4
#define TAGS_MAX  4
#define FLAGS_AT  20 /* without a VLAN tag */

static const struct mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

size_t loop_frame_encode(uint8_t out[LOOP_FRAME_MAX], const struct loop_frame *f)
{
	size_t len = f->vlan != 0 ? LEN + TAG_LEN_Q : LEN;
	struct writer w;

	writer_init(&w, out, len);
	writer_copy(&w, everybody.b, sizeof(everybody.b));
	writer_copy(&w, f->source.b, sizeof(f->source.b));
	if (f->vlan != 0) {
		writer_u16(&w, f->vlan & VLAN_SERVICE ? ETHERTYPE_SERVICE : ETHERTYPE_VLAN);
		writer_u16(&w, f->vlan & 0xfff);
	}
	writer_u16(&w, LOOP_ETHERTYPE);
	writer_u32(&w, MAGIC);
	writer_u8(&w, VERSION);
	writer_u8(&w, f->kind);
	writer_u8(&w, f->flags);
	writer_u8(&w, 0);
	writer_copy(&w, f->tag, sizeof(f->tag));
	writer_u32(&w, f->number);
	writer_zero(&w, writer_left(&w));
	return len;
}

/* The outer tag says in which VLAN it is. A switch may take that off, and what is then seen counts.
 */
static uint16_t get_ethertype(struct reader *r, struct loop_frame *f)
{
	uint16_t type = reader_u16(r);

	for (unsigned i = 0; i < TAGS_MAX && ethertype_is_tag(type); i++) {
		uint16_t id = reader_u16(r) & 0xfff;

		if (i == 0 && id != 0)
			f->vlan = (uint16_t)(type == ETHERTYPE_SERVICE ? VLAN_SERVICE | id : id);
		type = reader_u16(r);
	}
	return type;
}

int loop_frame_decode(struct loop_frame *f, const uint8_t *data, size_t len)
{
	struct reader r;
	uint8_t version;
	uint16_t type;
	uint32_t magic;

	*f = (struct loop_frame){.vlan = 0};
	reader_init(&r, data, len);
	(void)reader_take(&r, sizeof(everybody.b));
	reader_copy(&r, f->source.b, sizeof(f->source.b));
	type = get_ethertype(&r, f);
	magic = reader_u32(&r);
	version = reader_u8(&r);
	f->kind = reader_u8(&r);
	f->flags = reader_u8(&r) & (LOOP_SERVES | LOOP_CARRIED | LOOP_CARRIES);
	(void)reader_u8(&r);
	reader_copy(&r, f->tag, sizeof(f->tag));
	f->number = reader_u32(&r);
	if (!reader_ok(&r) || type != LOOP_ETHERTYPE || magic != MAGIC || version != VERSION ||
		(f->kind != LOOP_PROBE && f->kind != LOOP_ANNOUNCEMENT))
		return N2N_EINVAL;
	return 0;
}

void loop_frame_carry(uint8_t *data)
{
	size_t at = FLAGS_AT;

	while (ethertype_is_tag(load_be16(data + at - FLAGS_AT + 12)))
		at += TAG_LEN_Q;
	data[at] |= LOOP_CARRIED;
}

struct mac loop_source(const uint8_t tag[LOOP_TAG_LEN])
{
	struct mac m = {{0x0a}};

	memcpy(m.b + 1, tag, sizeof(m.b) - 1);
	return m;
}
