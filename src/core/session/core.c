/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the control side of one node shares. */
#include "core/session/core.h"

#include <stdlib.h>
#include <string.h>

static void send_out(void *ctx, const struct datagram *d, size_t n)
{
	struct core *core = ctx;

	for (size_t i = 0; i < n; i++)
		core->io.send(core->io.ctx, &d[i]);
}

struct datagram_sink core_sink(struct core *core)
{
	return (struct datagram_sink){send_out, core};
}

int core_init(struct core *core, const struct core_config *c)
{
	memset(core, 0, sizeof(*core));
	core->io = c->io;
	core->ciphers = c->ciphers;
	core->nthreads = c->nworkers + 1;
	core->first_counter = c->first_counter;
	core->now_ms = core->flush_ms = c->now_ms;
	core->wall_ms = c->wall_ms;
	core->freshness = c->freshness;
	deadlines_init(&core->deadlines, c->now_ms);
	random_bytes(&core->io.random, core->hash_key, sizeof(core->hash_key));
	if (view_editor_init(&core->view, core->hash_key) != 0 ||
		embryos_init(&core->embryos, c->embryos, &core->io.random) != 0 ||
		waiting_pool_init(&core->waiting) != 0 ||
		transmitter_init(&core->tx, c->nworkers, core_sink(core), &core->drops) != 0) {
		core_fini(core);
		return N2N_ENOMEM;
	}
	return 0;
}

void core_fini(struct core *core)
{
	retired_destroy(core_take_retired(core));
	transmitter_fini(&core->tx);
	embryos_fini(&core->embryos);
	view_editor_fini(&core->view);
	waiting_pool_fini(&core->waiting);
	crypto_wipe(core, sizeof(*core));
}

void core_enter(struct core *core, uint64_t now_ms)
{
	core->now_ms = now_ms;
	if (core->flush_ms <= now_ms)
		core->flush_ms = now_ms + 1;
}

void core_retire(struct core *core, void *memory, void (*destroy)(void *memory))
{
	retire(&core->retired, memory, destroy);
}

void core_retire_any(void *core, void *memory, void (*destroy)(void *memory))
{
	core_retire(core, memory, destroy);
}

struct retired *core_take_retired(struct core *core)
{
	struct retired *list = core->retired;

	core->retired = NULL;
	return list;
}

void core_view_touch(struct core *core)
{
	core->view.changed = true;
}

void core_let_split(struct core *core, bool pass)
{
	atomic_store_explicit(&core->view.split_direct, pass, memory_order_relaxed);
}

uint64_t core_freshness(struct core *core)
{
	uint64_t wall = core->wall_ms + core->now_ms;

	core->freshness = wall > core->freshness ? wall : core->freshness + 1;
	return core->freshness;
}

bool core_is_underlay(const struct core *core, const struct way *way)
{
	return way->carrier != CARRIER_UDP || core->io.is_underlay == NULL ||
	       core->io.is_underlay(core->io.ctx, &way->remote);
}

/* A link of 1,500 bytes, less the headers of IP and UDP. */
static uint16_t limit_unknown(const struct way *way)
{
	return endpoint_is_v4(&way->remote) ? 1500 - 28 : 1500 - 48;
}

uint16_t core_limit(const struct core *core, const struct way *way)
{
	uint16_t limit;

	if (way->carrier != CARRIER_UDP || core->io.limit == NULL)
		return limit_unknown(way);
	limit = core->io.limit(core->io.ctx, &way->remote);
	return limit > PATH_LIMIT_MIN ? limit : PATH_LIMIT_MIN;
}

uint64_t core_now_us(const struct core *core)
{
	return core->io.now_us != NULL ? core->io.now_us(core->io.ctx) : core->now_ms * 1000;
}

void core_event(struct core *core, const struct event *e)
{
	core->io.event(core->io.ctx, e);
}

void core_drop(struct core *core, enum drop why)
{
	drops_add(&core->drops, why, 1);
}
