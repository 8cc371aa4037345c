/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that say how names are looked up. Their being changed is found by looking at them: that
 * needs no room in any table of the system, works through links, and for a file that is not there
 * yet or was replaced by another. Control thread.
 */
#ifndef N2N_HOST_LOOP_NAME_FILES_H
#define N2N_HOST_LOOP_NAME_FILES_H

#include <stdbool.h>
#include <uv.h>

#define NAME_FILES_MAX 4

struct name_files {
	const char *const *path; /* up to NULL, at most NAME_FILES_MAX; borrowed */
	uv_stat_t seen[NAME_FILES_MAX];
};

/* Looks at the files as they are now. */
void name_files_init(struct name_files *f, const char *const *path);
/* True when one of them came, went, or was changed since the last look. A few system calls. */
bool name_files_changed(struct name_files *f);

#endif
