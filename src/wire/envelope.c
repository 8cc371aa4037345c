/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Envelopes and the four messages that travel in them: PROTOCOL.md 4. */
#include "wire/envelope.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

void envelope_seal(uint8_t *out, const uint8_t *body, size_t body_len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN], const struct random *rnd)
{
	assert(body_len <= ENVELOPE_BODY_MAX);
	random_bytes(rnd, out, XNONCE_LEN);
	crypto_xchachapoly_seal(out + XNONCE_LEN, body, body_len, ad, ad_len, out, key);
}

int envelope_open(uint8_t *body, const uint8_t *datagram, size_t len, const uint8_t *ad,
	size_t ad_len, const uint8_t key[KEY_LEN])
{
	uint8_t opened[ENVELOPE_BODY_MAX];
	int rc;

	if (len < ENVELOPE_MIN_LEN || len > ENVELOPE_MAX_LEN)
		return N2N_EINVAL;
	/* Not in place: a datagram that this key does not open must stay whole for the next key. */
	rc = crypto_xchachapoly_open(
		opened, datagram + XNONCE_LEN, len - XNONCE_LEN, ad, ad_len, datagram, key);
	if (rc)
		return rc;
	memcpy(body, opened, len - ENVELOPE_OVERHEAD);
	return 0;
}

unsigned envelope_type(const uint8_t *body, size_t len)
{
	if (len == 0)
		return 0;
	switch (body[0]) {
	case PACKET_INIT << 4:
	case PACKET_RESPONSE << 4:
	case PACKET_COOKIE << 4:
	case PACKET_HELLO << 4:
		return body[0] >> 4;
	default:
		return 0;
	}
}

static void put_start(struct writer *w, enum packet_type type)
{
	writer_u8(w, (uint8_t)(type << 4));
	writer_u8(w, PROTOCOL_VERSION);
}

static bool get_start(struct reader *r, enum packet_type type)
{
	return reader_u8(r) == type << 4 && reader_u8(r) == PROTOCOL_VERSION;
}

static size_t end_padded(struct writer *w, size_t pad, const struct random *rnd)
{
	uint8_t *p = writer_take(w, pad);

	if (!writer_ok(w))
		return 0;
	random_bytes(rnd, p, pad);
	return writer_len(w);
}

static void put_init_header(struct writer *w, const struct msg_init *m)
{
	assert(m->noise_len <= UINT16_MAX);
	put_start(w, PACKET_INIT);
	writer_u32(w, m->sender);
	writer_u16(w, m->key_index);
	writer_u16(w, 0);
	writer_u16(w, (uint16_t)m->noise_len);
}

size_t msg_init_encode(
	uint8_t *body, size_t cap, const struct msg_init *m, size_t pad, const struct random *rnd)
{
	struct writer w;

	writer_init(&w, body, cap);
	put_init_header(&w, m);
	writer_copy(&w, m->noise, m->noise_len);
	writer_copy(&w, m->mac2, MAC2_LEN);
	return end_padded(&w, pad, rnd);
}

int msg_init_decode(struct msg_init *m, const uint8_t *body, size_t len)
{
	struct reader r;
	bool known;
	uint16_t flags;

	reader_init(&r, body, len);
	known = get_start(&r, PACKET_INIT);
	m->sender = reader_u32(&r);
	m->key_index = reader_u16(&r);
	flags = reader_u16(&r);
	m->noise_len = reader_u16(&r);
	m->noise = reader_take(&r, m->noise_len);
	m->mac2 = reader_take(&r, MAC2_LEN);
	return known && flags == 0 && reader_ok(&r) ? 0 : N2N_EINVAL;
}

void msg_init_mac2(
	uint8_t mac2[MAC2_LEN], const uint8_t cookie[COOKIE_LEN], const struct msg_init *m)
{
	uint8_t header[INIT_HEADER_LEN];
	struct slice covered[] = {{header, sizeof(header)}, {m->noise, m->noise_len}};
	struct writer w;

	writer_init(&w, header, sizeof(header));
	put_init_header(&w, m);
	crypto_blake2b(mac2, MAC2_LEN, cookie, COOKIE_LEN, covered, 2);
}

size_t msg_response_encode(uint8_t *body, size_t cap, const struct msg_response *m, size_t pad,
	const struct random *rnd)
{
	struct writer w;

	assert(m->noise_len <= UINT16_MAX);
	writer_init(&w, body, cap);
	put_start(&w, PACKET_RESPONSE);
	writer_u16(&w, 0);
	writer_u32(&w, m->sender);
	writer_u32(&w, m->receiver);
	writer_u16(&w, (uint16_t)m->noise_len);
	writer_copy(&w, m->noise, m->noise_len);
	writer_zero(&w, MAC2_LEN);
	return end_padded(&w, pad, rnd);
}

int msg_response_decode(struct msg_response *m, const uint8_t *body, size_t len)
{
	struct reader r;
	bool known;
	uint16_t flags;

	reader_init(&r, body, len);
	known = get_start(&r, PACKET_RESPONSE);
	flags = reader_u16(&r);
	m->sender = reader_u32(&r);
	m->receiver = reader_u32(&r);
	m->noise_len = reader_u16(&r);
	m->noise = reader_take(&r, m->noise_len);
	reader_take(&r, MAC2_LEN);
	return known && flags == 0 && reader_ok(&r) ? 0 : N2N_EINVAL;
}

size_t msg_cookie_encode(uint8_t *body, size_t cap, const struct msg_cookie *m)
{
	struct writer w;

	writer_init(&w, body, cap);
	put_start(&w, PACKET_COOKIE);
	writer_u32(&w, m->receiver);
	writer_u8(&w, 0);
	writer_u8(&w, m->reason);
	writer_u16(&w, 0);
	writer_copy(&w, m->cookie, COOKIE_LEN);
	return writer_ok(&w) ? writer_len(&w) : 0;
}

int msg_cookie_decode(struct msg_cookie *m, const uint8_t *body, size_t len)
{
	struct reader r;
	bool known;
	unsigned reserved;

	reader_init(&r, body, len);
	known = get_start(&r, PACKET_COOKIE);
	m->receiver = reader_u32(&r);
	reserved = reader_u8(&r);
	m->reason = reader_u8(&r);
	reserved |= reader_u16(&r);
	reader_copy(&r, m->cookie, COOKIE_LEN);
	return known && reserved == 0 && reader_ok(&r) ? 0 : N2N_EINVAL;
}

size_t msg_hello_encode(
	uint8_t *body, size_t cap, const struct msg_hello *m, size_t pad, const struct random *rnd)
{
	struct writer w;

	writer_init(&w, body, cap);
	put_start(&w, PACKET_HELLO);
	writer_u16(&w, m->answer);
	if (m->answer) {
		writer_copy(&w, m->static_public, KEY_LEN);
	} else {
		writer_zero(&w, KEY_LEN);
	}
	writer_zero(&w, COOKIE_LEN);
	writer_u64(&w, m->answer ? m->freshness : 0);
	return end_padded(&w, pad, rnd);
}

int msg_hello_decode(struct msg_hello *m, const uint8_t *body, size_t len)
{
	struct reader r;
	bool known;
	uint16_t flags;

	reader_init(&r, body, len);
	known = get_start(&r, PACKET_HELLO);
	flags = reader_u16(&r);
	m->answer = flags == 1;
	reader_copy(&r, m->static_public, KEY_LEN);
	reader_take(&r, COOKIE_LEN);
	m->freshness = reader_u64(&r);
	return known && flags <= 1 && reader_ok(&r) ? 0 : N2N_EINVAL;
}
