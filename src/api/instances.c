/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the search for control sockets. */
#include "api/instances.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "os/state.h"

static bool has_socket(const char *dir, const char *name)
{
	char path[STATE_SOCKET_MAX];
	struct os_error err;
	uv_fs_t fs;
	bool has;

	if (state_control_path(path, dir, name, &err) != 0)
		return false;
	has = uv_fs_stat(NULL, &fs, path, NULL) == 0;
	uv_fs_req_cleanup(&fs);
	return has;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The directory above that of any instance. */
static int parent(char path[STATE_SOCKET_MAX], const char *dir, struct os_error *err)
{
	int rc = state_control_path(path, dir, "x", err);

	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		char *slash = strrchr(path, '/');

		if (slash != NULL)
			*slash = 0;
	}
	return rc;
}

static int explain(struct os_error *err, int uv_error, const char *path)
{
	if (uv_error == UV_EACCES)
		return os_error_set(err, N2N_EPERM,
			"cannot look into \"%s\": %s; run as the user of the edge, or as root",
			path, uv_strerror(uv_error));
	return os_error_choose(err, N2N_EIO, SETTING_STATE_DIR,
		"cannot look into \"%s\": %s; name its directory", path, uv_strerror(uv_error));
}

int instances_list(struct instances *out, const char *dir, struct os_error *err)
{
	char path[STATE_SOCKET_MAX];
	uv_fs_t fs;
	uv_dirent_t entry;
	int rc = parent(path, dir, err);

	out->n = 0;
	if (rc != 0)
		return rc;
	rc = uv_fs_scandir(NULL, &fs, path, 0, NULL);
	if (rc < 0 && rc != UV_ENOENT) {
		uv_fs_req_cleanup(&fs);
		return explain(err, rc, path);
	}
	while (rc > 0 && out->n < INSTANCES_MAX && uv_fs_scandir_next(&fs, &entry) == 0)
		if (strlen(entry.name) < INSTANCE_NAME_MAX && has_socket(dir, entry.name))
			snprintf(out->name[out->n++], INSTANCE_NAME_MAX, "%s", entry.name);
	uv_fs_req_cleanup(&fs);
	qsort(out->name, out->n, sizeof(out->name[0]), by_name);
	return 0;
}
