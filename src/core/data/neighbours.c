/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is asked where an address is, and what is answered for him. */
#include "core/data/neighbours.h"

#include "core/frame/announce.h"

/* Its keys are not over, and what was sent there lately was answered. */
static bool is_there(const struct link *l, uint64_t now_ms)
{
	return link_sending(l, now_ms) != NULL &&
	       !atomic_load_explicit(&l->unreached, memory_order_relaxed);
}

/*
 * The MAC address that the answer is to hold; 0: whoever is asked says himself. A host of our LAN
 * asks its LAN too, which may know better, and which we are not to be quicker than.
 */
static uint64_t known_mac(const struct view *v, unsigned community, const struct question *q,
	const struct link *owner, uint64_t now_ms)
{
	uint64_t mac = link_word(&owner->mac);

	if (mac == LINK_MAC_REFUSED || mac_number(&q->mac) != v->community[community].own ||
		q->link_local || !is_there(owner, now_ms))
		return 0;
	return mac;
}

static void answer(struct edge_worker *w, unsigned community, const struct question *q,
	uint64_t mac, bool is_router)
{
	const struct mac its = mac_from_number(mac);
	uint8_t out[ANNOUNCE_MAX];
	struct slice whole = {.data = out, .len = announce_answer(out, q, &its, is_router)};

	w->in.write(w->in.ctx, community, &(struct joined){.piece = &whole, .n_pieces = 1}, 1);
	drops_add(&w->drops, DROP_ANSWERED, 1);
}

const struct port *neighbours_ask(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, uint64_t now_ms)
{
	const struct port *owner;
	struct question q;
	uint64_t mac;

	if (f->offload.csum_unset || !question_read(&q, f->data, f->len))
		return &port_all;
	owner = view_asked(v, community, view_ip_key(v->hash_key, q.about));
	if (owner == NULL || owner->kind != PORT_LINK || link_has_role(owner->link, ROLE_STANDBY))
		return &port_all;
	mac = known_mac(v, community, &q, owner->link, now_ms);
	if (mac == 0)
		return owner;
	answer(w, community, &q, mac, link_has_role(owner->link, ROLE_ROUTER));
	return NULL;
}
