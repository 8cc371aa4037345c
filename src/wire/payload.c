/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handshake payload: PROTOCOL.md 5.3. */
#include "wire/payload.h"

#include "base/bytes.h"

#define KEY_INDEXES 4

static void put_tlv(struct writer *w, uint8_t type, const uint8_t *value, uint16_t len)
{
	writer_u8(w, type);
	writer_u16(w, len);
	writer_copy(w, value, len);
}

/* Takes a TLV that may occur once and has one length. */
static bool take_tlv(bool *has, uint8_t *out, size_t len, struct reader *value)
{
	if (*has || reader_left(value) != len)
		return false;
	*has = true;
	reader_copy(value, out, len);
	return true;
}

static bool get_tlv(struct payload *p, struct reader *r)
{
	uint8_t type = reader_u8(r);
	uint16_t len = reader_u16(r);
	struct reader value = reader_sub(r, len);

	switch (type) {
	case TLV_CPACE_SHARE:
		return take_tlv(&p->has_share, p->share, sizeof(p->share), &value);
	case TLV_HOP_MASK:
		return take_tlv(&p->has_hop_mask, p->hop_mask, sizeof(p->hop_mask), &value);
	default:
		return true;
	}
}

size_t payload_encode(uint8_t *out, size_t cap, const struct payload *p)
{
	struct writer w;

	writer_init(&w, out, cap);
	writer_u64(&w, p->freshness);
	writer_u32(&w, p->caps);
	writer_u32(&w, p->transforms);
	writer_u32(&w, p->generation);
	writer_u32(&w, p->incarnation);
	writer_u16(&w, p->mtu);
	for (size_t i = 0; i < KEY_INDEXES; i++)
		writer_u16(&w, p->key_indexes[i]);
	writer_u16(&w, p->result);
	if (p->has_share)
		put_tlv(&w, TLV_CPACE_SHARE, p->share, sizeof(p->share));
	if (p->has_hop_mask)
		put_tlv(&w, TLV_HOP_MASK, p->hop_mask, sizeof(p->hop_mask));
	return writer_ok(&w) ? writer_len(&w) : 0;
}

int payload_decode(struct payload *p, const uint8_t *in, size_t len)
{
	struct reader r;

	*p = (struct payload){0};
	reader_init(&r, in, len);
	p->freshness = reader_u64(&r);
	p->caps = reader_u32(&r);
	p->transforms = reader_u32(&r);
	p->generation = reader_u32(&r);
	p->incarnation = reader_u32(&r);
	p->mtu = reader_u16(&r);
	for (size_t i = 0; i < KEY_INDEXES; i++)
		p->key_indexes[i] = reader_u16(&r);
	p->result = reader_u16(&r);
	while (reader_left(&r) > 0) {
		if (!get_tlv(p, &r))
			return N2N_EINVAL;
	}
	return reader_ok(&r) ? 0 : N2N_EINVAL;
}
