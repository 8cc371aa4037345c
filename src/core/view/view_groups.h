/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For view.c: what a community ends with. Control thread. */
#ifndef N2N_CORE_VIEW_VIEW_GROUPS_H
#define N2N_CORE_VIEW_VIEW_GROUPS_H

#include "core/view/view.h"

/* Retires its groups and who listens to them, or, if retire is NULL, frees them. */
void view_groups_fini(struct view_community_editor *c, table_retire *retire, void *ctx);

#endif
