/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control messages, one encoder and one decoder each, in the order of PROTOCOL.md 7. */
#include "wire/control.h"

#include <assert.h>
#include <string.h>

#define ROSTER_LAST_FLAG      0x01 /* of the page */
#define ROSTER_GONE_FLAG      0x01 /* of an entry */
#define ROSTER_TWICE_FLAG     0x02
#define REGISTERED_TWICE_FLAG 0x01

int control_next(struct reader *packet, struct control_msg *m)
{
	uint16_t len;

	if (reader_done(packet))
		return 0;
	m->type = reader_u8(packet);
	reader_u8(packet);
	len = reader_u16(packet);
	m->seq = reader_u32(packet);
	m->body = reader_sub(packet, len);
	return reader_ok(packet) ? 1 : N2N_EINVAL;
}

size_t control_begin(struct writer *w, enum control_type type, uint32_t seq)
{
	size_t begin = writer_len(w);

	writer_u8(w, (uint8_t)type);
	writer_u8(w, 0);
	writer_u16(w, 0);
	writer_u32(w, seq);
	return begin;
}

void control_end(struct writer *w, size_t begin)
{
	size_t len;

	if (!writer_ok(w))
		return;
	len = writer_len(w) - begin - CONTROL_HEADER_LEN;
	if (len > UINT16_MAX) {
		w->bad = true;
		return;
	}
	store_be16(w->start + begin + 2, (uint16_t)len);
}

static int finish(const struct reader *r)
{
	return reader_ok(r) ? 0 : N2N_EINVAL;
}

static void put_endpoint(struct writer *w, const struct endpoint *e)
{
	writer_copy(w, e->ip, sizeof(e->ip));
	writer_u16(w, e->port);
}

static void get_endpoint(struct reader *r, struct endpoint *e)
{
	reader_copy(r, e->ip, sizeof(e->ip));
	e->port = reader_u16(r);
}

/* Reads a count or a length; above max the reader goes bad. */
static uint8_t get_count(struct reader *r, uint8_t max)
{
	uint8_t n = reader_u8(r);

	if (n > max) {
		r->bad = true;
		return 0;
	}
	return n;
}

static void put_locator(struct writer *w, const uint8_t *locator, uint8_t len)
{
	assert(len <= ROSTER_LOCATOR_MAX);
	writer_u8(w, len);
	writer_copy(w, locator, len);
}

static uint8_t get_locator(struct reader *r, uint8_t locator[ROSTER_LOCATOR_MAX])
{
	uint8_t len = get_count(r, ROSTER_LOCATOR_MAX);

	reader_copy(r, locator, len);
	return len;
}

void control_pad(struct writer *w, size_t len)
{
	size_t begin = control_begin(w, CONTROL_PAD, 0);

	assert(len >= writer_len(w));
	writer_zero(w, len - writer_len(w));
	control_end(w, begin);
}

bool control_is_empty(const uint8_t *plain, size_t len)
{
	struct control_msg m;
	struct reader r;
	int rc;

	reader_init(&r, plain, len);
	while ((rc = control_next(&r, &m)) == 1)
		if (m.type != CONTROL_PAD)
			return false;
	return rc == 0;
}

void control_ack_encode(struct writer *w, const struct control_ack *m)
{
	size_t begin = control_begin(w, CONTROL_ACK, 0);

	assert(m->n <= ACK_RANGES_MAX);
	writer_u8(w, m->n);
	for (unsigned i = 0; i < m->n; i++) {
		writer_u32(w, m->range[i].first);
		writer_u32(w, m->range[i].last);
	}
	control_end(w, begin);
}

int control_ack_decode(struct control_ack *m, struct reader body)
{
	*m = (struct control_ack){.n = get_count(&body, ACK_RANGES_MAX)};
	for (unsigned i = 0; i < m->n; i++) {
		m->range[i].first = reader_u32(&body);
		m->range[i].last = reader_u32(&body);
		if (m->range[i].first > m->range[i].last)
			return N2N_EINVAL;
	}
	return finish(&body);
}

void control_ping_encode(struct writer *w, const struct control_ping *m)
{
	size_t begin = control_begin(w, CONTROL_PING, 0);

	writer_u64(w, m->token);
	control_end(w, begin);
}

int control_ping_decode(struct control_ping *m, struct reader body)
{
	m->token = reader_u64(&body);
	return finish(&body);
}

void control_pong_encode(struct writer *w, const struct control_pong *m)
{
	size_t begin = control_begin(w, CONTROL_PONG, 0);

	writer_u64(w, m->token);
	put_endpoint(w, &m->observed);
	control_end(w, begin);
}

int control_pong_decode(struct control_pong *m, struct reader body)
{
	m->token = reader_u64(&body);
	get_endpoint(&body, &m->observed);
	return finish(&body);
}

void control_register_encode(struct writer *w, uint32_t seq, const struct control_register *m)
{
	size_t begin = control_begin(w, CONTROL_REGISTER, seq);

	writer_copy(w, m->tag, sizeof(m->tag));
	writer_copy(w, m->static_public, sizeof(m->static_public));
	writer_copy(w, m->proof, sizeof(m->proof));
	writer_u32(w, m->incarnation);
	writer_u64(w, m->roster_version);
	put_locator(w, m->locator, m->locator_len);
	control_end(w, begin);
}

int control_register_decode(struct control_register *m, struct reader body)
{
	*m = (struct control_register){0};
	reader_copy(&body, m->tag, sizeof(m->tag));
	reader_copy(&body, m->static_public, sizeof(m->static_public));
	reader_copy(&body, m->proof, sizeof(m->proof));
	m->incarnation = reader_u32(&body);
	m->roster_version = reader_u64(&body);
	m->locator_len = get_locator(&body, m->locator);
	return finish(&body);
}

void control_registered_encode(struct writer *w, uint32_t seq, const struct control_registered *m)
{
	size_t begin = control_begin(w, CONTROL_REGISTERED, seq);

	writer_u8(w, m->result);
	writer_u32(w, m->handle);
	writer_u16(w, m->lease_s);
	put_endpoint(w, &m->observed);
	writer_u8(w, m->twice ? REGISTERED_TWICE_FLAG : 0);
	control_end(w, begin);
}

int control_registered_decode(struct control_registered *m, struct reader body)
{
	m->result = reader_u8(&body);
	m->handle = reader_u32(&body);
	m->lease_s = reader_u16(&body);
	get_endpoint(&body, &m->observed);
	m->twice = reader_u8(&body) & REGISTERED_TWICE_FLAG;
	return finish(&body);
}

void control_unregister_encode(struct writer *w)
{
	control_end(w, control_begin(w, CONTROL_UNREGISTER, 0));
}

static void put_roster_entry(struct writer *w, const struct roster_entry *e)
{
	writer_u8(w,
		(uint8_t)((e->gone ? ROSTER_GONE_FLAG : 0) | (e->twice ? ROSTER_TWICE_FLAG : 0)));
	writer_u32(w, e->handle);
	writer_u32(w, e->incarnation);
	writer_copy(w, e->static_public, sizeof(e->static_public));
	put_locator(w, e->locator, e->locator_len);
}

static void get_roster_entry(struct reader *r, struct roster_entry *e)
{
	uint8_t flags = reader_u8(r);

	e->gone = flags & ROSTER_GONE_FLAG;
	e->twice = flags & ROSTER_TWICE_FLAG;
	e->handle = reader_u32(r);
	e->incarnation = reader_u32(r);
	reader_copy(r, e->static_public, sizeof(e->static_public));
	e->locator_len = get_locator(r, e->locator);
}

void control_roster_encode(struct writer *w, uint32_t seq, const struct control_roster *m)
{
	size_t begin = control_begin(w, CONTROL_ROSTER, seq);

	assert(m->n <= ROSTER_PAGE_MAX);
	writer_u64(w, m->base);
	writer_u64(w, m->version);
	writer_u8(w, m->last ? ROSTER_LAST_FLAG : 0);
	writer_u8(w, m->n);
	for (unsigned i = 0; i < m->n; i++)
		put_roster_entry(w, &m->entry[i]);
	control_end(w, begin);
}

int control_roster_decode(struct control_roster *m, struct reader body)
{
	*m = (struct control_roster){0};
	m->base = reader_u64(&body);
	m->version = reader_u64(&body);
	m->last = reader_u8(&body) & ROSTER_LAST_FLAG;
	m->n = get_count(&body, ROSTER_PAGE_MAX);
	for (unsigned i = 0; i < m->n; i++)
		get_roster_entry(&body, &m->entry[i]);
	return finish(&body);
}

void control_bye_encode(struct writer *w, const struct control_bye *m)
{
	size_t begin = control_begin(w, CONTROL_BYE, 0);

	writer_u8(w, m->reason);
	control_end(w, begin);
}

int control_bye_decode(struct control_bye *m, struct reader body)
{
	m->reason = reader_u8(&body);
	return finish(&body);
}

void control_candidates_encode(struct writer *w, uint32_t seq, const struct control_candidates *m)
{
	size_t begin = control_begin(w, CONTROL_CANDIDATES, seq);

	assert(m->n <= CANDIDATES_MAX);
	writer_copy(w, m->mask, sizeof(m->mask));
	writer_u8(w, m->port_count);
	writer_u8(w, m->n);
	for (unsigned i = 0; i < m->n; i++) {
		writer_u8(w, m->candidate[i].kind);
		put_endpoint(w, &m->candidate[i].endpoint);
	}
	control_end(w, begin);
}

int control_candidates_decode(struct control_candidates *m, struct reader body)
{
	uint8_t sent;

	*m = (struct control_candidates){0};
	reader_copy(&body, m->mask, sizeof(m->mask));
	m->port_count = reader_u8(&body);
	sent = get_count(&body, CANDIDATES_MAX);
	for (unsigned i = 0; i < sent; i++) {
		uint8_t kind = reader_u8(&body);
		struct endpoint e;

		get_endpoint(&body, &e);
		if (endpoint_is_usable(&e)) {
			m->candidate[m->n].kind = kind;
			m->candidate[m->n].endpoint = e;
			m->n++;
		}
	}
	return finish(&body);
}

void control_probe_encode(struct writer *w, const struct control_probe *m)
{
	size_t begin = control_begin(w, CONTROL_PATH_PROBE, 0);

	writer_u64(w, m->token);
	control_end(w, begin);
}

int control_probe_decode(struct control_probe *m, struct reader body)
{
	m->token = reader_u64(&body);
	return finish(&body);
}

void control_echo_encode(struct writer *w, const struct control_echo *m)
{
	size_t begin = control_begin(w, CONTROL_PATH_ECHO, 0);

	writer_u64(w, m->token);
	put_endpoint(w, &m->observed);
	control_end(w, begin);
}

int control_echo_decode(struct control_echo *m, struct reader body)
{
	m->token = reader_u64(&body);
	get_endpoint(&body, &m->observed);
	return finish(&body);
}

void control_claim_encode(struct writer *w, uint32_t seq, const struct control_claim *m)
{
	size_t begin = control_begin(w, CONTROL_CLAIM, seq);

	assert(m->n <= CLAIM_ADDRESSES_MAX);
	writer_copy(w, m->mac.b, sizeof(m->mac.b));
	writer_u8(w, m->roles);
	writer_copy(w, m->tag, sizeof(m->tag));
	writer_u8(w, m->n);
	for (unsigned i = 0; i < m->n; i++) {
		writer_copy(w, m->address[i].ip, sizeof(m->address[i].ip));
		writer_u8(w, m->address[i].prefix);
	}
	control_end(w, begin);
}

static bool claim_prefix_fits(const struct claim_address *a)
{
	struct endpoint e = {0};

	memcpy(e.ip, a->ip, sizeof(e.ip));
	return a->prefix <= (endpoint_is_v4(&e) ? 32 : 128);
}

int control_claim_decode(struct control_claim *m, struct reader body)
{
	*m = (struct control_claim){0};
	reader_copy(&body, m->mac.b, sizeof(m->mac.b));
	m->roles = reader_u8(&body) & ROLES_ALL;
	reader_copy(&body, m->tag, sizeof(m->tag));
	m->n = get_count(&body, CLAIM_ADDRESSES_MAX);
	for (unsigned i = 0; i < m->n; i++) {
		reader_copy(&body, m->address[i].ip, sizeof(m->address[i].ip));
		m->address[i].prefix = reader_u8(&body);
		if (!claim_prefix_fits(&m->address[i]))
			return N2N_EINVAL;
	}
	return finish(&body);
}

void control_vouch_encode(struct writer *w, enum control_type type, const struct control_vouch *m)
{
	size_t begin = control_begin(w, type, 0);

	assert(m->n <= VOUCH_MAX);
	writer_u8(w, m->n);
	for (unsigned i = 0; i < m->n; i++)
		writer_copy(w, m->static_public[i], KEY_LEN);
	control_end(w, begin);
}

int control_vouch_decode(struct control_vouch *m, struct reader body)
{
	*m = (struct control_vouch){.n = get_count(&body, VOUCH_MAX)};
	for (unsigned i = 0; i < m->n; i++)
		reader_copy(&body, m->static_public[i], KEY_LEN);
	return finish(&body);
}

void control_claim_refused_encode(struct writer *w, const struct control_claim_refused *m)
{
	size_t begin = control_begin(w, CONTROL_CLAIM_REFUSED, 0);

	writer_copy(w, m->mac.b, sizeof(m->mac.b));
	writer_copy(w, m->owner, sizeof(m->owner));
	control_end(w, begin);
}

int control_claim_refused_decode(struct control_claim_refused *m, struct reader body)
{
	reader_copy(&body, m->mac.b, sizeof(m->mac.b));
	reader_copy(&body, m->owner, sizeof(m->owner));
	return finish(&body);
}
