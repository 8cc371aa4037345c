/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who gets the frames to a group: ports, in no order, each once. Immutable while workers may find
 * it; the control thread replaces it as a whole (core/view/view_groups.c).
 */
#ifndef N2N_CORE_SWITCH_LISTENERS_H
#define N2N_CORE_SWITCH_LISTENERS_H

#include "core/switch/port.h"

struct listeners {
	uint32_t n;
	const struct port *port[]; /* borrowed */
};

#endif
