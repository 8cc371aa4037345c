/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions of our hosts where an IP address is, to everybody, of which members claim to have it:
 * answered here, or put to that member alone (PROTOCOL.md 10.4). Workers, with what edge_data.h
 * gives them.
 */
#ifndef N2N_CORE_DATA_NEIGHBOURS_H
#define N2N_CORE_DATA_NEIGHBOURS_H

#include "core/data/edge_data.h"

/*
 * Whom a frame to a group, read from a community's interface, is for: &port_all unless it is such a
 * question; else the port of the one who is to be asked, or NULL: our interface was given the
 * answer, which is counted, and the frame ends here.
 */
const struct port *neighbours_ask(struct edge_worker *w, const struct view *v, unsigned community,
	const struct frame *f, uint64_t now_ms);

#endif
