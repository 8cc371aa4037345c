/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the walk down a path that others must not be able to change. */
#define _GNU_SOURCE
#include "os/posix/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/state.h"

#define LINKS_MAX 40 /* as Linux follows in one path */
#define NOT_SAFE  (-1)

/* Looking at a directory does not take the right to list it. */
#ifdef O_PATH
#define LOOK O_PATH
#else
#define LOOK O_SEARCH
#endif

struct walk {
	int at;
	unsigned links;
	char walked[STATE_PATH_MAX];   /* the way to at, for people */
	char rest[2 * STATE_PATH_MAX]; /* what is still to go */
};

static bool is_trusted(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/* Others can make and rename what is in it. */
static bool is_open_to_others(const struct stat *st)
{
	bool own_group = st->st_gid == getegid() && st->st_gid == geteuid();

	if (st->st_mode & S_ISVTX)
		return false;
	return st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && !own_group);
}

static int refuse_owner(const char *what, const char *path, uid_t owner, struct os_error *err)
{
	(void)os_error_choose(err, N2N_EPERM, SETTING_STATE_DIR,
		"the %s \"%.100s\" belongs to user %u, who can lead the state elsewhere; chown it "
		"to root, or name another state directory",
		what, path, (unsigned)owner);
	return NOT_SAFE;
}

static int check_directory(const struct walk *w, const struct stat *st, struct os_error *err)
{
	const char *path = w->walked[0] != 0 ? w->walked : "/";

	if (!is_trusted(st->st_uid))
		return refuse_owner("directory", path, st->st_uid, err);
	if (!is_open_to_others(st))
		return 0;
	(void)os_error_choose(err, N2N_EPERM, SETTING_STATE_DIR,
		"others can write to the directory \"%.100s\" and so replace the state below it; "
		"chmod it to "
		"755, or name another state directory",
		path);
	return NOT_SAFE;
}

/* Goes to a directory that was opened. */
static int enter(struct walk *w, int fd, struct os_error *err)
{
	struct stat st;

	close(w->at);
	w->at = fd;
	return fstat(fd, &st) != 0 ? errno : check_directory(w, &st, err);
}

static int enter_root(struct walk *w, struct os_error *err)
{
	int fd = open("/", LOOK | O_DIRECTORY | O_CLOEXEC);

	w->walked[0] = 0;
	return fd < 0 ? errno : enter(w, fd, err);
}

/* Puts the target of a link before what is still to go. */
static int follow(struct walk *w, const char *name, struct os_error *err)
{
	char target[STATE_PATH_MAX], rest[sizeof(w->rest)];
	ssize_t len = readlinkat(w->at, name, target, sizeof(target) - 1);

	if (len < 0)
		return errno;
	target[len] = 0;
	if (++w->links > LINKS_MAX)
		return ELOOP;
	memcpy(rest, w->rest, sizeof(rest));
	if (snprintf(w->rest, sizeof(w->rest), "%s/%s", target, rest) >= (int)sizeof(w->rest))
		return ENAMETOOLONG;
	return target[0] == '/' ? enter_root(w, err) : 0;
}

static int append(struct walk *w, const char *name)
{
	size_t len = strlen(w->walked);

	if (snprintf(w->walked + len, sizeof(w->walked) - len, "/%s", name) >=
		(int)(sizeof(w->walked) - len))
		return ENAMETOOLONG;
	return 0;
}

/* What is there under a name and could not be opened as a directory: a link, or nothing of use. */
static int step_over_link(struct walk *w, const char *name, struct os_error *err)
{
	char path[2 * STATE_PATH_MAX];
	struct stat st;

	if (fstatat(w->at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno;
	if (!S_ISLNK(st.st_mode))
		return ENOTDIR;
	snprintf(path, sizeof(path), "%s/%s", w->walked, name);
	if (!is_trusted(st.st_uid))
		return refuse_owner("symbolic link", path, st.st_uid, err);
	return follow(w, name, err);
}

static int step(struct walk *w, const char *name, struct os_error *err)
{
	const int flags = LOOK | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(w->at, name, flags);

	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(w->at, name, S_IRWXU) != 0 && errno != EEXIST)
			return errno;
		fd = openat(w->at, name, flags);
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return step_over_link(w, name, err);
	if (fd < 0)
		return errno;
	if (append(w, name) != 0) {
		close(fd);
		return ENAMETOOLONG;
	}
	return enter(w, fd, err);
}

/* Takes the next name from rest; false at the end. */
static bool next_name(struct walk *w, char name[STATE_PATH_MAX])
{
	const char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");

	if (len == 0 || len >= STATE_PATH_MAX)
		return false;
	memcpy(name, start, len);
	name[len] = 0;
	memmove(w->rest, start + len, strlen(start + len) + 1);
	return true;
}

static int start(struct walk *w, const char *path)
{
	char here[STATE_PATH_MAX] = "";

	if (path[0] != '/' && getcwd(here, sizeof(here)) == NULL)
		return errno;
	if (snprintf(w->rest, sizeof(w->rest), "%s/%s", here, path) >= (int)sizeof(w->rest))
		return ENAMETOOLONG;
	w->links = 0;
	return 0;
}

/* The last one holds the state itself: there no exception counts. */
static int check_last(const struct walk *w, const char *path, struct os_error *err)
{
	struct stat st;

	if (fstat(w->at, &st) != 0)
		return errno;
	if (!(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	(void)os_error_set(err, N2N_EPERM,
		"others can write to the directory \"%.120s\"; chown it to the user of this "
		"program and chmod it to 700",
		path);
	return NOT_SAFE;
}

int place_open(int *fd, const char *path, struct os_error *err)
{
	struct walk w = {.at = -1};
	char name[STATE_PATH_MAX];
	int rc = start(&w, path);

	if (rc == 0)
		rc = enter_root(&w, err);
	while (rc == 0 && next_name(&w, name))
		rc = strcmp(name, ".") == 0 ? 0 : step(&w, name, err);
	if (rc == 0)
		rc = check_last(&w, path, err);
	if (rc == 0) {
		*fd = openat(w.at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = *fd < 0 ? errno : 0;
	}
	if (w.at >= 0)
		close(w.at);
	return rc;
}
