/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What members of a community with a key call it (PROTOCOL.md 7.18). Under a passphrase they call
 * it the same, or do not meet.
 */
#include <string.h>

#include "core/edge/edge_state.h"

static bool has_label(const struct community *c)
{
	return c->party.mode == MODE_KEY && c->name[0] != 0;
}

const char *labels_other(const struct peer *p)
{
	const struct community *c = p->community;

	return p->up && has_label(c) && p->label[0] != 0 && strcmp(p->label, c->name) != 0
		       ? p->label
		       : NULL;
}

void labels_look(struct peer *p)
{
	struct community *c = p->community;
	const char *other = labels_other(p);
	struct event e = {.kind = EVENT_LABEL,
		.community = c->index,
		.value = other != NULL,
		.key = p->remote,
		.label = other};

	if (p->told_label == (other != NULL))
		return;
	p->told_label = other != NULL;
	edge_id(e.edge, p->remote);
	core_event(core_of(c), &e);
}

void labels_tell(struct peer *p)
{
	if (has_label(p->community))
		session_post(core_of(p->community), p->session, CONTROL_NAMES);
}

void labels_encode(const struct community *c, uint32_t seq, struct writer *w)
{
	struct control_names m = {.community_len = (uint8_t)strlen(c->name)};

	memcpy(m.community, c->name, m.community_len);
	control_names_encode(w, seq, &m);
}

void labels_take(struct peer *p, const struct control_names *m)
{
	memcpy(p->label, m->community, sizeof(p->label));
	labels_look(p);
}

void labels_part(struct peer *p)
{
	p->label[0] = 0;
	labels_look(p);
}
