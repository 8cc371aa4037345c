/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of config.h share. */
#ifndef N2N_EDGE_CONFIG_INSIDE_H
#define N2N_EDGE_CONFIG_INSIDE_H

#include "edge/config.h"

/* edge_conf_parse with what this program reads files with. */
MUST_CHECK int config_parse(
	struct edge_conf *conf, const struct config *c, bool again, struct conf_report *report);
/* Puts the line of the file before what is wrong with the secret of a community. */
void config_place_error(
	struct os_error *err, const struct edge_conf *conf, const struct community_conf *community);
/* For edge_reloader; ctx is the struct config. */
int config_reload(
	void *ctx, const struct edge_conf *now, struct edge_fresh *out, char *why, size_t why_cap);
void config_wipe_fresh(void *ctx, struct edge_fresh *fresh);
/* Which secrets there are from now on: those of conf in c->secret, but not where kept[i]. */
void config_remember(struct config *c, const struct edge_conf *conf, const bool *kept);

#endif
