/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list of what is to be destroyed later. */
#include "core/session/retire.h"

#include <stdlib.h>

void retire(struct retired **list, void *memory, void (*destroy)(void *memory))
{
	struct retired *r;

	if (memory == NULL)
		return;
	r = malloc(sizeof(*r));
	/* Without memory to remember it by, leaking is the one safe thing left. */
	if (r == NULL)
		return;
	*r = (struct retired){*list, memory, destroy};
	*list = r;
}

void retired_destroy(struct retired *list)
{
	while (list != NULL) {
		struct retired *next = list->next;

		list->destroy(list->memory);
		free(list);
		list = next;
	}
}
