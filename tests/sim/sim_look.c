/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Test frames, and looking at what nodes are up to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim_inside.h"

#include <cmocka.h>

#define TO_ALL	    UINT32_MAX
#define ETHERTYPE   0x88b5u /* local experiments */
#define FRAME_ID_AT 14

static uint8_t pattern(uint32_t id, size_t i)
{
	return (uint8_t)((id * 2654435761u >> (i % 4 * 8)) + i);
}

static void write_frame(
	uint8_t *data, size_t len, const struct mac *to, const struct mac *from, uint32_t id)
{
	memcpy(data, to->b, 6);
	memcpy(data + 6, from->b, 6);
	store_be16(data + 12, ETHERTYPE);
	store_be32(data + FRAME_ID_AT, id);
	for (size_t i = FRAME_ID_AT + 4; i < len; i++)
		data[i] = pattern(id, i);
}

static bool is_intact(const struct sim *s, const uint8_t *data, size_t len)
{
	uint32_t id = len == s->frame_len ? load_be32(data + FRAME_ID_AT) : 0;

	if (len != s->frame_len || load_be16(data + 12) != ETHERTYPE)
		return false;
	for (size_t i = FRAME_ID_AT + 4; i < len; i++)
		if (data[i] != pattern(id, i))
			return false;
	return true;
}

/* What the interface is handed. A broadcast has one number for all, and an entry for each node. */
void sim_take_frame(struct sim_node *n, const uint8_t *data, size_t len)
{
	struct sim *s = n->sim;
	uint32_t id = is_intact(s, data, len) ? load_be32(data + FRAME_ID_AT) : UINT32_MAX;
	struct sim_frame *f;

	if (id >= s->n_frames) {
		s->altered++;
		return;
	}
	f = &s->frames[id];
	if (f->to == TO_ALL)
		f += 1 + n->number;
	if (f->flooded && f->to != n->number)
		return; /* not for this interface */
	if (f->to != n->number || f->from == n->number)
		s->misdelivered++;
	else if (f->count++ > 0)
		s->duplicated++;
	else
		f->came_ms = s->now_ms;
	s->delivered++;
	n->frames_in++;
}

static size_t note_frame(struct sim *s, uint32_t from, uint32_t to)
{
	if (s->n_frames == s->cap_frames) {
		s->cap_frames = s->cap_frames * 2 + 64;
		s->frames = sim_must(realloc(s->frames, s->cap_frames * sizeof(*s->frames)));
	}
	s->frames[s->n_frames] = (struct sim_frame){.from = from, .to = to, .sent_ms = s->now_ms};
	return s->n_frames++;
}

bool sim_came(const struct sim *s, size_t frame)
{
	return s->frames[frame].count > 0;
}

size_t sim_missing(const struct sim *s, size_t first)
{
	size_t n = 0;

	for (size_t i = first; i < s->n_frames; i++)
		n += s->frames[i].to != TO_ALL && s->frames[i].to != s->frames[i].from &&
		     s->frames[i].count == 0;
	return n;
}

/* ---- sending ---- */

struct mac sim_mac(const struct sim_node *n)
{
	return edge_mac(n->edge, 0);
}

size_t sim_send_burst(struct sim_node *from, struct sim_node *to, size_t n)
{
	static _Thread_local uint8_t slots[BATCH_MAX][SLOT_LEN];
	struct frame frames[BATCH_MAX];
	struct mac source = sim_mac(from), target = sim_mac(to);
	size_t first = from->sim->n_frames;
	bool known = view_port(from->view, 0, mac_number(&target))->kind == PORT_LINK;

	assert_true(n <= BATCH_MAX);
	for (size_t i = 0; i < n; i++) {
		uint8_t *data = slots[i] + SLOT_HEADROOM;
		size_t id = note_frame(from->sim, from->number, to->number);

		from->sim->frames[id].flooded = !known;
		write_frame(data, from->sim->frame_len, &target, &source, (uint32_t)id);
		frames[i] = (struct frame){.data = data, .len = from->sim->frame_len};
	}
	sim_frames_out(from, frames, n);
	return first;
}

size_t sim_send(struct sim_node *from, struct sim_node *to)
{
	return sim_send_burst(from, to, 1);
}

size_t sim_flood(struct sim_node *from, const struct mac *to, const struct mac *source)
{
	uint8_t slot[SLOT_LEN];
	struct frame f = {.data = slot + SLOT_HEADROOM, .len = from->sim->frame_len};
	size_t id = note_frame(from->sim, from->number, TO_ALL);

	for (unsigned i = 0; i < from->sim->n_nodes; i++)
		note_frame(from->sim, from->number, i);
	write_frame(f.data, f.len, to, source, (uint32_t)id);
	sim_frames_out(from, &f, 1);
	return id + 1;
}

size_t sim_broadcast(struct sim_node *from)
{
	static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
	struct mac source = sim_mac(from);

	return sim_flood(from, &all, &source);
}

/* ---- looking ---- */

struct session *sim_session(struct sim_node *of, const struct sim_node *with)
{
	struct community *c = of->edge->community[0];

	for (struct peer *p = c->peers; with->edge != NULL && p != NULL; p = p->hh.next)
		if (memcmp(p->remote, with->edge->community[0]->party.self.public, KEY_LEN) == 0)
			return p->session;
	return NULL;
}

static bool is_up(struct sim_node *of, const struct sim_node *with)
{
	struct session *s = sim_session(of, with);

	return s != NULL && session_sending(s, of->sim->now_ms) != NULL &&
	       link_path(&s->link) != NULL;
}

bool sim_is_direct(struct sim_node *of, const struct sim_node *with)
{
	return is_up(of, with) && link_direct(&sim_session(of, with)->link) != NULL;
}

static bool each_pair(struct sim *s, bool (*holds)(struct sim_node *, const struct sim_node *))
{
	for (unsigned i = 0; i < s->n_nodes; i++)
		for (unsigned k = 0; k < s->n_nodes; k++) {
			struct sim_node *a = s->nodes[i], *b = s->nodes[k];

			if (i != k && a->is_edge && a->up && b->is_edge && b->up && !holds(a, b))
				return false;
		}
	return true;
}

bool sim_all_up(void *sim)
{
	return each_pair(sim, is_up);
}

bool sim_all_direct(void *sim)
{
	return each_pair(sim, sim_is_direct);
}

bool sim_all_registered(void *sim)
{
	struct sim *s = sim;

	for (unsigned i = 0; i < s->n_nodes; i++)
		if (s->nodes[i]->is_edge && s->nodes[i]->up &&
			!hop_is_up(s->nodes[i]->edge->community[0]))
			return false;
	return true;
}

uint64_t sim_drops(const struct sim_node *n, enum drop why)
{
	const struct drops *worker = n->is_edge ? &n->worker.drops : &n->relay.drops;

	return drops_get(&n->node->core.drops, why) + drops_get(worker, why);
}

enum community_state sim_state(struct sim_node *n)
{
	return community_state(n->edge->community[0]);
}

void sim_assert_clean(const struct sim *s)
{
	assert_int_equal(s->altered, 0);
	assert_int_equal(s->misdelivered, 0);
	assert_int_equal(s->duplicated, 0);
}
