/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control messages about what goes to many, one encoder and one decoder each, in the order of
 * PROTOCOL.md 7.15 to 7.20. */
#include <assert.h>
#include <string.h>

#include "wire/control.h"

#define GROUP_SIGNED_FLAG  0x01
#define LISTENERS_ALL_FLAG 0x01

static int finish(const struct reader *r)
{
	return reader_ok(r) ? 0 : N2N_EINVAL;
}

void control_group_key_encode(struct writer *w, uint32_t seq, const struct control_group_key *m)
{
	size_t begin = control_begin(w, CONTROL_GROUP_KEY, seq);

	writer_u32(w, m->index);
	writer_u8(w, m->suite);
	writer_u8(w, m->is_signed ? GROUP_SIGNED_FLAG : 0);
	writer_copy(w, m->key, sizeof(m->key));
	writer_copy(w, m->iv, sizeof(m->iv));
	writer_copy(w, m->mask, sizeof(m->mask));
	writer_u32(w, m->floor);
	if (m->is_signed)
		writer_copy(w, m->verify, sizeof(m->verify));
	control_end(w, begin);
}

int control_group_key_decode(struct control_group_key *m, struct reader body)
{
	memset(m, 0, sizeof(*m));
	m->index = reader_u32(&body);
	m->suite = reader_u8(&body);
	m->is_signed = reader_u8(&body) & GROUP_SIGNED_FLAG;
	reader_copy(&body, m->key, sizeof(m->key));
	reader_copy(&body, m->iv, sizeof(m->iv));
	reader_copy(&body, m->mask, sizeof(m->mask));
	m->floor = reader_u32(&body);
	if (m->is_signed)
		reader_copy(&body, m->verify, sizeof(m->verify));
	return finish(&body);
}

void control_group_ask_encode(struct writer *w, const struct control_group_ask *m)
{
	size_t begin = control_begin(w, CONTROL_GROUP_ASK, 0);

	writer_u32(w, m->index);
	control_end(w, begin);
}

int control_group_ask_decode(struct control_group_ask *m, struct reader body)
{
	m->index = reader_u32(&body);
	return finish(&body);
}

void control_listeners_encode(struct writer *w, uint32_t seq, const struct control_listeners *m)
{
	size_t begin = control_begin(w, CONTROL_LISTENERS, seq);

	assert(m->n <= LISTENED_MAX);
	writer_u8(w, m->all ? LISTENERS_ALL_FLAG : 0);
	writer_u8(w, m->n);
	for (unsigned i = 0; i < m->n; i++)
		writer_copy(w, m->group[i].b, sizeof(m->group[i].b));
	control_end(w, begin);
}

int control_listeners_decode(struct control_listeners *m, struct reader body)
{
	memset(m, 0, sizeof(*m));
	m->all = reader_u8(&body) & LISTENERS_ALL_FLAG;
	m->n = reader_u8(&body);
	if (m->n > LISTENED_MAX)
		return N2N_EINVAL;
	for (unsigned i = 0; i < m->n; i++) {
		reader_copy(&body, m->group[i].b, sizeof(m->group[i].b));
		if (!mac_is_group(&m->group[i]))
			return N2N_EINVAL;
	}
	return finish(&body);
}

void control_names_encode(struct writer *w, uint32_t seq, const struct control_names *m)
{
	size_t begin = control_begin(w, CONTROL_NAMES, seq);

	assert(m->community_len <= COMMUNITY_NAME_MAX);
	writer_u8(w, m->community_len);
	writer_copy(w, (const uint8_t *)m->community, m->community_len);
	control_end(w, begin);
}

int control_names_decode(struct control_names *m, struct reader body)
{
	memset(m, 0, sizeof(*m));
	m->community_len = reader_u8(&body);
	if (m->community_len > COMMUNITY_NAME_MAX)
		return N2N_EINVAL;
	reader_copy(&body, (uint8_t *)m->community, m->community_len);
	return finish(&body);
}

void control_fanout_encode(struct writer *w, const struct control_fanout *m)
{
	size_t begin = control_begin(w, CONTROL_FANOUT, 0);

	assert(m->set < FANOUT_SETS && m->n_gone + m->n_new <= FANOUT_CHANGES_MAX);
	writer_u8(w, m->set);
	writer_u32(w, m->base);
	writer_u32(w, m->version);
	writer_u8(w, m->n_gone);
	writer_u8(w, m->n_new);
	for (unsigned i = 0; i < m->n_gone; i++)
		writer_u32(w, m->gone[i]);
	for (unsigned i = 0; i < m->n_new; i++)
		writer_u32(w, m->new[i]);
	control_end(w, begin);
}

int control_fanout_decode(struct control_fanout *m, struct reader body)
{
	memset(m, 0, sizeof(*m));
	m->set = reader_u8(&body);
	m->base = reader_u32(&body);
	m->version = reader_u32(&body);
	m->n_gone = reader_u8(&body);
	m->n_new = reader_u8(&body);
	if (m->set >= FANOUT_SETS || m->version <= m->base || m->version > FANOUT_VERSION_MAX ||
		m->n_gone + m->n_new > FANOUT_CHANGES_MAX)
		return N2N_EINVAL;
	for (unsigned i = 0; i < m->n_gone; i++)
		m->gone[i] = reader_u32(&body);
	for (unsigned i = 0; i < m->n_new; i++)
		m->new[i] = reader_u32(&body);
	return finish(&body);
}

void control_fanned_encode(struct writer *w, const struct control_fanned *m)
{
	size_t begin = control_begin(w, CONTROL_FANNED, 0);

	writer_u8(w, m->set);
	writer_u32(w, m->version);
	writer_u32(w, m->refused);
	writer_u32(w, m->packets_s);
	writer_u32(w, m->bytes_s);
	control_end(w, begin);
}

int control_fanned_decode(struct control_fanned *m, struct reader body)
{
	m->set = reader_u8(&body);
	m->version = reader_u32(&body);
	m->refused = reader_u32(&body);
	m->packets_s = reader_u32(&body);
	m->bytes_s = reader_u32(&body);
	if (m->set >= FANOUT_SETS)
		return N2N_EINVAL;
	return finish(&body);
}
