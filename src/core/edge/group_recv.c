/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The group keys of other members: taken, kept beside the one before, asked for. */
#include "core/edge/edge_state.h"
#include "core/session/send.h"

#define KEYS_PER_S 1 /* of one peer: an honest one has a new one every hour */
#define KEYS_BURST 4
#define ASK_MS	   1000u
#define KEPT_MS	   (25 * 3600000ull) /* no sender uses one for longer than a day */

static struct group_recv *key_at(const struct peer *p, unsigned i)
{
	return group_recv_of(
		atomic_load_explicit(&p->session->link.group[i], memory_order_relaxed));
}

static void put(struct peer *p, unsigned i, struct group_recv *k)
{
	atomic_store_explicit(
		&p->session->link.group[i], k != NULL ? &k->recv : NULL, memory_order_release);
}

void group_take_key(struct peer *p, const struct control_group_key *m)
{
	struct core *core = core_of(p->community);
	const struct group_params of = {
		.ciphers = core->ciphers,
		.nthreads = core->nthreads,
		.tag = p->community->party.tag,
	};
	struct group_recv *k, *last = key_at(p, LINK_GROUP_KEYS - 1);

	/* Told again, it is the same one: a new window would take what the old one has seen. */
	for (unsigned i = 0; i < LINK_GROUP_KEYS; i++)
		if (key_at(p, i) != NULL && key_at(p, i)->recv.index == m->index)
			return;
	if (!bucket_take(&p->group.keys, core->now_ms, KEYS_PER_S, KEYS_BURST)) {
		core_drop(core, DROP_RATE);
		return;
	}
	k = group_recv_create(&of, m);
	if (k == NULL)
		return;
	k->told_ms = core->now_ms;
	for (unsigned i = LINK_GROUP_KEYS - 1; i > 0; i--)
		put(p, i, key_at(p, i - 1));
	put(p, 0, k);
	core_retire(core, last, group_recv_destroy);
}

void group_forget_keys(struct peer *p)
{
	for (unsigned i = 0; i < LINK_GROUP_KEYS; i++) {
		struct group_recv *k = key_at(p, i);

		put(p, i, NULL);
		core_retire(core_of(p->community), k, group_recv_destroy);
	}
}

uint64_t group_age_keys(struct peer *p)
{
	struct core *core = core_of(p->community);

	for (unsigned i = LINK_GROUP_KEYS; i-- > 0;) {
		struct group_recv *k = key_at(p, i);

		if (k == NULL)
			continue;
		if (core->now_ms < k->told_ms + KEPT_MS)
			return k->told_ms + KEPT_MS;
		put(p, i, NULL);
		core_retire(core, k, group_recv_destroy);
	}
	return UINT64_MAX;
}

void group_lacking(struct peer *p)
{
	struct core *core = core_of(p->community);
	const struct group_recv *k = key_at(p, 0);
	uint8_t buf[CONTROL_HEADER_LEN + 4];
	struct writer w;

	if (core->now_ms < p->group.ask_ms)
		return;
	p->group.ask_ms = core->now_ms + ASK_MS;
	writer_init(&w, buf, sizeof(buf));
	control_group_ask_encode(
		&w, &(struct control_group_ask){.index = k != NULL ? k->recv.index : 0});
	send_control(core, p->session, &w);
}
