/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the instances of an edge. */
#include "host/edge/edge_instance.h"

#include <stdio.h>
#include <string.h>

#include "host/edge/edge_host_state.h"

static const struct api_command commands[] = {{"status", edge_report, NULL},
	{"forget", edge_forget, NULL}, {"fdb", edge_fdb, NULL},
	{.name = "reload", .begin = edge_reload}, {.name = NULL}};

#define PLACES (2 * COMMUNITIES_MAX)

static struct edge_instance *find(struct edge_host *h, const char *device)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (strcmp(h->instances.at[i].device, device) == 0)
			return &h->instances.at[i];
	return NULL;
}

/* The lock goes last: until then nobody else has a socket of this name. */
static void close_one(struct edge_instance *i)
{
	api_server_close(i->api);
	state_close(i->state);
	memset(i, 0, sizeof(*i));
}

int edge_instance_open(
	struct edge_instance **out, struct edge_host *h, const char *device, struct os_error *err)
{
	struct edge_instance *i = find(h, device);
	int rc;

	if (i != NULL && i->community != INSTANCE_NONE)
		return os_error_choose(err, N2N_EEXIST, SETTING_INSTANCE,
			"two communities have the device \"%s\"; give each one of its own", device);
	if (i == NULL)
		i = find(h, "");
	if (i == NULL)
		return os_error_set(err, N2N_ENOSPC,
			"too many communities came and went in one second; reload again");
	if (i->device[0] == 0) {
		rc = host_open_state(&h->host, &i->state, h->conf->process.state_dir, device, err);
		if (rc != 0)
			return rc;
		snprintf(i->device, sizeof(i->device), "%s", device);
		i->h = h;
	}
	i->community = INSTANCE_NONE;
	*out = i;
	return 0;
}

void edge_instance_serve(struct edge_instance *i, unsigned community)
{
	i->community = (int)community;
	if (i->api == NULL && i->state != NULL)
		i->api = host_listen(
			&i->h->host, i->h->conf->process.state_dir, i->device, commands, i);
}

void edge_instance_leave(struct edge_instance *i)
{
	i->community = INSTANCE_NONE;
}

void edge_instances_tick(struct edge_host *h)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (h->instances.at[i].device[0] != 0 &&
			h->instances.at[i].community == INSTANCE_NONE)
			close_one(&h->instances.at[i]);
}

void edge_instances_hang_up(struct edge_host *h)
{
	for (unsigned i = 0; i < PLACES; i++) {
		api_server_close(h->instances.at[i].api);
		h->instances.at[i].api = NULL;
	}
}

void edge_instances_close(struct edge_host *h)
{
	for (unsigned i = 0; i < PLACES; i++)
		close_one(&h->instances.at[i]);
}
