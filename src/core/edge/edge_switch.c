/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The switch of a community, but for its peers: what else takes part, and what is learned. */
#include <stdlib.h>
#include <string.h>

#include "core/edge/edge_state.h"

#define MOVES_BURST  3	    /* times that all is forgotten at once ... */
#define MOVES_PER_MS 10000u /* ... and once more in this time */

/* ---- ageing, and whose addresses are forgotten before ---- */

void switch_forget(const struct peer *p)
{
	struct community *c = p->community;

	port_set_add(&c->unreached, p->port->number);
	c->any_unreached = c->fdb != NULL;
}

/* Which addresses are behind the LAN that another bridge serves now nobody says: all are asked for.
 */
static void forget_moved(struct community *c)
{
	if (!c->moved ||
		!bucket_take(&c->moves, core_of(c)->now_ms * 1000 / MOVES_PER_MS, 1, MOVES_BURST))
		return;
	c->moved = false;
	memset(&c->unreached, 0xff, sizeof(c->unreached));
	c->any_unreached = c->fdb != NULL;
}

void switch_tick(struct community *c)
{
	struct core *core = core_of(c);

	forget_moved(c);
	if (c->any_unreached) {
		fdb_forget(c->fdb, &c->unreached);
		memset(&c->unreached, 0, sizeof(c->unreached));
		c->any_unreached = false;
	}
	if (c->fdb == NULL || core->now_ms < c->fdb_step_ms)
		return;
	if (c->fdb_step_ms != 0)
		fdb_sweep(c->fdb, view_next_step(&core->view, c->index), FDB_AGE_MAX);
	c->fdb_step_ms = core->now_ms + LEARNED_STEP_MS;
}

/* ---- ports that are no peers ---- */

static struct port *find(struct edge *e, unsigned community, int number)
{
	return table_get(&e->node.core.view.community[community].ports, (uint64_t)number);
}

int edge_add_sink(struct edge *e, unsigned community, const struct port_sink *sink)
{
	struct core *core = &e->node.core;
	struct port *p = view_add_port(
		&core->view, community, &(struct port){.kind = PORT_SINK, .sink = *sink});

	if (p == NULL)
		return N2N_ENOMEM;
	if (view_listen(&core->view, community, LISTEN_REST, p, core_retire_any, core) == 0)
		return p->number;
	view_remove_port(&core->view, community, p);
	core_retire(core, p, free);
	return N2N_ENOMEM;
}

int edge_give_address(struct edge *e, unsigned community, int port, const struct mac *mac)
{
	return view_put_owner(
		&e->node.core.view, community, mac_number(mac), find(e, community, port));
}

void edge_remove_sink(struct edge *e, unsigned community, int port)
{
	struct core *core = &e->node.core;
	struct port *p = find(e, community, port);

	view_remove_owners(&core->view, community, p);
	view_unlisten(&core->view, community, LISTEN_REST, p, core_retire_any, core);
	view_remove_port(&core->view, community, p);
	core_retire(core, p, free);
}
