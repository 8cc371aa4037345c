/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the directory of an instance: its lock, its small files, the path of its socket. */
#define _GNU_SOURCE
#include "os/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/orphan.h"
#include "os/posix/place.h"
#include "os/sys.h"

#define LOCK_NAME     "lock"
#define LOCK_WAIT_MS  2000
#define LOCK_RETRY_MS 10
#define SOCKET_NAME   "control"
#define TEMP_NAME     ".new"
#define GROUP_OTHER   (S_IRWXG | S_IRWXO)

struct state {
	int dir;
	int lock;
	int killed; /* for the lock */
	char path[STATE_PATH_MAX];
};

enum place {
	FOR_FILES,
	FOR_SOCKET
};

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	/* The XDG base directory specification: relative paths are to be ignored. */
	return value != NULL && value[0] == '/' ? value : NULL;
}

/* Writes the default directory to path; false when the environment names none or it is too long. */
static bool default_dir(char path[STATE_PATH_MAX], enum place place)
{
	const char *base, *below = "/n2n";
	int len;

	if (geteuid() == 0) {
		base = place == FOR_SOCKET ? "/run" : "/var/lib";
	} else {
		base = place == FOR_SOCKET ? variable("XDG_RUNTIME_DIR") : NULL;
		if (base == NULL)
			base = variable("XDG_STATE_HOME");
		if (base == NULL) {
			base = variable("HOME");
			below = "/.local/state/n2n";
		}
	}
	if (base == NULL)
		return false;
	len = snprintf(path, STATE_PATH_MAX, "%s%s", base, below);
	return len < STATE_PATH_MAX;
}

static bool is_file_name(const char *name)
{
	return name[0] != 0 && strlen(name) <= NAME_MAX && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Writes DIR/INSTANCE to path. */
static int instance_path(char path[STATE_PATH_MAX], enum place place, const char *dir,
	const char *instance, struct os_error *err)
{
	char chosen[STATE_PATH_MAX];

	if (!is_file_name(instance))
		return os_error_set(err, N2N_EINVAL,
			"\"%.40s\" cannot name an instance: it has to be a file name without '/'",
			instance);
	if (dir == NULL) {
		if (!default_dir(chosen, place))
			return os_error_choose(err, N2N_ENOENT, SETTING_STATE_DIR,
				"no directory for the state: HOME is not set; name one");
		dir = chosen;
	}
	if (snprintf(path, STATE_PATH_MAX, "%s/%s", dir, instance) >= STATE_PATH_MAX)
		return os_error_choose(err, N2N_EINVAL, SETTING_STATE_DIR,
			"the state directory has a path of more than %d bytes; name a shorter one",
			STATE_PATH_MAX - 1);
	return 0;
}

int state_control_path(
	char path[STATE_SOCKET_MAX], const char *dir, const char *instance, struct os_error *err)
{
	char at[STATE_PATH_MAX];
	int rc = instance_path(at, FOR_SOCKET, dir, instance, err);

	if (rc != 0)
		return rc;
	if (snprintf(path, STATE_SOCKET_MAX, "%s/" SOCKET_NAME, at) >= STATE_SOCKET_MAX)
		return os_error_choose(err, N2N_EINVAL, SETTING_STATE_DIR,
			"the control socket \"%.100s...\" has a path of more than %d bytes; name a "
			"shorter state directory",
			at, STATE_SOCKET_MAX - 1);
	return 0;
}

static int explain_file(
	struct os_error *err, int error, const char *task, const char *dir, const char *name)
{
	int code = os_errno(error);
	const char *advice = "check the file system";
	enum setting choice = SETTING_NONE;

	if (code == N2N_EPERM) {
		advice = "run as its owner, or name another state directory";
		choice = SETTING_STATE_DIR;
	} else if (code == N2N_ENOSPC) {
		advice = "make room there";
	} else if (error == ELOOP) {
		advice = "put the file itself in the place of the symbolic link";
	} else if (error == ENOTDIR) {
		advice = "a file is in its way; name a directory";
		choice = SETTING_STATE_DIR;
	} else if (error == EROFS) {
		advice = "name a writable state directory";
		choice = SETTING_STATE_DIR;
	}
	return os_error_choose(err, code, choice, "cannot %s \"%.120s%s%.40s\": %s; %s", task, dir,
		name[0] != 0 ? "/" : "", name, strerror(error), advice);
}

static int open_dir(int *fd, const char *path, struct os_error *err)
{
	int error = place_open(fd, path, err);

	if (error > 0)
		return explain_file(err, error, "use the directory", path, "");
	return error != 0 ? err->code : 0;
}

static int make_socket_dir(const char *dir, const char *instance, struct os_error *err)
{
	char path[STATE_PATH_MAX];
	int fd = -1;
	int rc = instance_path(path, FOR_SOCKET, dir, instance, err);

	if (rc == 0)
		rc = open_dir(&fd, path, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Who holds the lock, and that one's parent; 0: none is noted. */
struct holder {
	int pid, parent;
};

static struct holder read_holder(const struct state *st)
{
	struct holder h = {0, 0};
	char text[32];
	ssize_t len = pread(st->lock, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = 0;
	(void)sscanf(text, "%d %d", &h.pid, &h.parent);
	return h;
}

static int explain_lock(const struct state *st, const char *instance, struct os_error *err)
{
	return os_error_set(err, N2N_EEXIST,
		"another process of this host, in whatever network namespace, already runs "
		"instance \"%.40s\" (pid %d)",
		instance, read_holder(st).pid);
}

/*
 * 0 or an errno. A child whose parent was killed ends a moment after it, so that somebody who
 * starts the program again meets it.
 */
static int lock_file(int fd)
{
	const uint64_t deadline_ms = sys_now_ms() + LOCK_WAIT_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK || sys_now_ms() >= deadline_ms)
			return errno;
		(void)poll(NULL, 0, LOCK_RETRY_MS);
	}
	return 0;
}

/* One that is stopped or hangs would keep it for good. */
static int lock_anyway(struct state *st)
{
	int error = lock_file(st->lock);
	struct holder h;

	if (error != EWOULDBLOCK)
		return error;
	h = read_holder(st);
	if (!orphan_kill(st->lock, h.pid, h.parent, LOCK_WAIT_MS))
		return error;
	st->killed = h.pid;
	return lock_file(st->lock);
}

static int take_lock(struct state *st, const char *instance, struct os_error *err)
{
	int error;

	st->lock = openat(
		st->dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (st->lock < 0)
		return explain_file(err, errno, "open", st->path, LOCK_NAME);
	error = lock_anyway(st);
	if (error == EWOULDBLOCK)
		return explain_lock(st, instance, err);
	if (error != 0)
		return explain_file(err, error, "lock", st->path, LOCK_NAME);
	state_note_parent(st, 0);
	return 0;
}

void state_note_parent(struct state *st, unsigned parent)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d %u\n", (int)getpid(), parent);

	/* For those who find it locked only: a full disk is no reason to stop here. */
	(void)!ftruncate(st->lock, 0);
	(void)!pwrite(st->lock, text, (size_t)len, 0);
}

unsigned state_killed(const struct state *st)
{
	return (unsigned)st->killed;
}

int state_open(struct state **out, const char *dir, const char *instance, struct os_error *err)
{
	struct state *st = calloc(1, sizeof(*st));
	int rc;

	if (st == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the state directory");
	st->dir = st->lock = -1;
	rc = instance_path(st->path, FOR_FILES, dir, instance, err);
	if (rc == 0)
		rc = open_dir(&st->dir, st->path, err);
	if (rc == 0)
		rc = take_lock(st, instance, err);
	if (rc == 0)
		rc = make_socket_dir(dir, instance, err);
	if (rc != 0) {
		state_close(st);
		return rc;
	}
	*out = st;
	return 0;
}

void state_close(struct state *st)
{
	if (st == NULL)
		return;
	if (st->lock >= 0)
		close(st->lock);
	if (st->dir >= 0)
		close(st->dir);
	free(st);
}

const char *state_dir(const struct state *st)
{
	return st->path;
}

/* Reads up to cap bytes, and fails with EFBIG if there are more; 0 or an errno. */
static int read_all(int fd, uint8_t *buf, size_t cap, size_t *len)
{
	uint8_t surplus;
	ssize_t got;

	*len = 0;
	for (;;) {
		bool full = *len == cap;

		got = full ? read(fd, &surplus, 1) : read(fd, buf + *len, cap - *len);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return errno;
		if (got > 0 && full)
			return EFBIG;
		if (got > 0)
			*len += (size_t)got;
	}
}

static bool is_own_file(const struct stat *info)
{
	return S_ISREG(info->st_mode) && (info->st_uid == geteuid() || info->st_uid == 0);
}

int state_read(const struct state *st, const char *name, void *buf, size_t cap, size_t *len,
	struct os_error *err)
{
	struct stat info;
	int fd = openat(st->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc = 0, error;

	if (fd < 0)
		return explain_file(err, errno, "open", st->path, name);
	error = fstat(fd, &info) != 0 ? errno : 0;
	if (error == 0 && !is_own_file(&info))
		rc = os_error_set(err, N2N_EPERM,
			"\"%.120s/%.40s\" is no file of the user of this program (or of root), so "
			"others may have put it there; remove it",
			st->path, name);
	else if (error == 0 && info.st_mode & GROUP_OTHER)
		rc = os_error_set(err, N2N_EPERM,
			"others can read \"%.120s/%.40s\", which may hold a secret; chmod it to "
			"600",
			st->path, name);
	else if (error == 0)
		error = read_all(fd, buf, cap, len);
	close(fd);
	if (error == EFBIG)
		return os_error_set(err, N2N_ENOSPC,
			"\"%.120s/%.40s\" is longer than %zu bytes, so it is not ours or damaged; "
			"remove it",
			st->path, name, cap);
	return error != 0 ? explain_file(err, error, "read", st->path, name) : rc;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len != 0) {
		ssize_t put = write(fd, data, len);

		if (put < 0 && errno != EINTR)
			return errno;
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
	return fsync(fd) != 0 ? errno : 0;
}

/* Writes a new file; 0 or an errno. What a crash left under that name is removed first. */
static int write_new(int dir, const char *name, const void *data, size_t len)
{
	int fd, error;

	(void)unlinkat(dir, name, 0);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return errno;
	error = write_all(fd, data, len);
	if (close(fd) != 0 && error == 0)
		error = errno;
	return error;
}

int state_write(const struct state *st, const char *name, const void *data, size_t len,
	struct os_error *err)
{
	int error = write_new(st->dir, TEMP_NAME, data, len);

	if (error == 0 && renameat(st->dir, TEMP_NAME, st->dir, name) != 0)
		error = errno;
	if (error != 0) {
		(void)unlinkat(st->dir, TEMP_NAME, 0);
		return explain_file(err, error, "write", st->path, name);
	}
	/* The file is whole whatever becomes of this; it only makes the new name last. */
	(void)fsync(st->dir);
	return 0;
}
