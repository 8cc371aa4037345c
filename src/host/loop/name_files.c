/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns how it is noticed that names are to be looked up in another way. */
#include "host/loop/name_files.h"

#include <string.h>

/* All zero when there is none. */
static uv_stat_t look_at(const char *path)
{
	uv_stat_t found = {0};
	uv_fs_t fs;

	/* Without a loop it is done at once. */
	if (uv_fs_stat(NULL, &fs, path, NULL) == 0)
		found = fs.statbuf;
	uv_fs_req_cleanup(&fs);
	return found;
}

static bool is_same_time(const uv_timespec_t *a, const uv_timespec_t *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const uv_stat_t *a, const uv_stat_t *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       is_same_time(&a->st_mtim, &b->st_mtim) && is_same_time(&a->st_ctim, &b->st_ctim);
}

bool name_files_changed(struct name_files *f)
{
	bool changed = false;

	for (unsigned i = 0; i < NAME_FILES_MAX && f->path[i] != NULL; i++) {
		uv_stat_t now = look_at(f->path[i]);

		changed = changed || !is_same(&now, &f->seen[i]);
		f->seen[i] = now;
	}
	return changed;
}

void name_files_init(struct name_files *f, const char *const *path)
{
	memset(f, 0, sizeof(*f));
	f->path = path;
	(void)name_files_changed(f);
}
