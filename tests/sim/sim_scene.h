/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An observer, a bridge and another one, of whom one may claim or say what is not so. */
#ifndef N2N_TESTS_SIM_SCENE_H
#define N2N_TESTS_SIM_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/edge/edge_state.h"
#include "sim.h"

#include <cmocka.h>

static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac gateway = {{0x52, 0x54, 0, 0, 0, 1}};

#define NODES 5
#define LEARN 256

struct scene {
	struct sim *s;
	struct sim_node *sn, *observer, *bridge, *other;
	unsigned announced;   /* to the observer's interface */
	unsigned came[NODES]; /* frames that are not the simulator's, by the node they came to */
};

/* The other one is not started yet. */
static inline void set_up(struct scene *c)
{
	*c = (struct scene){.s = sim_create(sim_seed(), NODES)};
	c->sn = sim_add_supernode(c->s);
	c->observer = sim_add_edge(c->s, &sim_key, c->sn);
	c->bridge = sim_add_edge(c->s, &sim_key, c->sn);
	c->other = sim_add_edge(c->s, &sim_key, c->sn);
	c->observer->setup.learn = LEARN;
	c->bridge->setup.learn = LEARN;
	c->bridge->setup.roles = ROLE_BRIDGE;
	sim_start(c->sn);
	sim_start(c->observer);
	sim_start(c->bridge);
	sim_run(c->s, 5000);
}

static inline void end(struct scene *c)
{
	sim_assert_clean(c->s);
	sim_destroy(c->s);
}

static inline void bring(struct scene *c, struct sim_node *from, const struct mac *source)
{
	(void)sim_flood(from, &all, source);
	sim_run(c->s, 200);
}

/* Who gets a frame of the observer for this address: nobody, or one alone. */
static inline struct sim_node *receiver(struct scene *c, const struct mac *to)
{
	struct mac own = sim_mac(c->observer);
	size_t first = sim_flood(c->observer, to, &own);
	struct sim_node *found = NULL;

	sim_run(c->s, 500);
	for (unsigned i = 0; i < c->s->n_nodes; i++) {
		if (c->s->frames[first + i].count == 0)
			continue;
		assert_null(found);
		found = c->s->nodes[i];
	}
	return found;
}

static inline void id_of(const struct sim_node *n, uint8_t id[EDGE_ID_LEN])
{
	edge_id(id, n->edge->community[0]->party.self.public);
}

static inline void trust(struct sim_node *at, const struct sim_node *whom, uint8_t roles)
{
	struct trusted *t = &at->setup.trusted[at->setup.n_trusted++];

	id_of(whom, t->edge);
	t->roles = roles;
}

#endif
