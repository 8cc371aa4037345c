/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of an edge's configuration has to fit together. Any thread. */
#ifndef N2N_CONF_EDGE_CHECK_H
#define N2N_CONF_EDGE_CHECK_H

#include "conf/edge_file.h"

/*
 * Reports all that does not: a key from exactly one place, a name unless a key that starts with
 * COMMUNITY_KEY_PREFIX gives it, an MTU that carries the addresses, a supernode, another interface
 * underneath, and that no two communities share what each needs for itself. again: keys may have
 * been wiped where they came from.
 *
 * Whether a name is needed with a key that is elsewhere only the program can tell, once it has read
 * it. An MTU that was not given is chosen: a bridge has what its other ports have.
 */
void edge_check(struct edge_conf *conf, const struct edge_lines *lines, bool again,
	struct conf_report *report);

#endif
