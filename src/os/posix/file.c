/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the reading of files that the user names. */
#define _GNU_SOURCE
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end, or until buf is full; 0 or an errno. */
static int read_some(int fd, char *buf, size_t cap, size_t *len)
{
	ssize_t got = 1;

	*len = 0;
	while (got != 0 && *len < cap) {
		got = read(fd, buf + *len, cap - *len);
		if (got < 0 && errno != EINTR)
			return errno;
		if (got > 0)
			*len += (size_t)got;
	}
	return 0;
}

static int explain(struct os_error *err, int error, const char *path)
{
	int code = os_errno(error);
	const char *advice = "check the path";

	if (code == N2N_EPERM)
		advice = "run as a user who may read it";
	else if (error == EISDIR)
		advice = "name a file";
	else if (error == EBADF)
		advice = "it is closed; name a file, or send the text into it";
	return os_error_set(
		err, code, "cannot read \"%.120s\": %s; %s", path, strerror(error), advice);
}

static void trim_newline(char *buf, size_t *len)
{
	if (*len != 0 && buf[*len - 1] == '\n')
		*len -= *len > 1 && buf[*len - 2] == '\r' ? 2 : 1;
	buf[*len] = 0;
}

/* By its mark, or by what ASCII is in it. */
static bool is_utf16(const char *buf, size_t len)
{
	if (len < 2)
		return false;
	return memcmp(buf, "\xff\xfe", 2) == 0 || memcmp(buf, "\xfe\xff", 2) == 0 ||
	       (buf[0] == 0) != (buf[1] == 0);
}

static int read_text(
	int fd, const char *path, char *buf, size_t cap, size_t *len, struct os_error *err)
{
	int error = read_some(fd, buf, cap, len);

	if (error != 0)
		return explain(err, error, path);
	if (*len == cap)
		return os_error_set(err, N2N_ENOSPC,
			"\"%.120s\" holds more than %zu characters; check that it is the right "
			"file",
			path, cap - 1);
	if (is_utf16(buf, *len))
		return os_error_set(err, N2N_EINVAL,
			"\"%.120s\" is in UTF-16, as Windows writes it; save it as UTF-8, which "
			"editors offer as an encoding",
			path);
	if (memchr(buf, 0, *len) != NULL)
		return os_error_set(err, N2N_EINVAL,
			"\"%.120s\" is not a text file; check that it is the right file", path);
	trim_newline(buf, len);
	return 0;
}

int file_read(const char *path, char *buf, size_t cap, size_t *len, struct os_error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return explain(err, errno, path);
	rc = read_text(fd, is_stdin ? "standard input" : path, buf, cap, len, err);
	if (!is_stdin)
		close(fd);
	if (rc != 0)
		explicit_bzero(buf, cap);
	return rc;
}

/* 0, or what to say of it; the descriptor stays the caller's. */
static int load(int fd, const char *path, char *buf, size_t cap, size_t *len, struct os_error *err)
{
	struct stat st;
	char more;
	int error;

	if (fstat(fd, &st) != 0)
		return explain(err, errno, path);
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode)
			       ? explain(err, EISDIR, path)
			       : os_error_set(err, N2N_EINVAL,
					 "\"%.120s\" is no file on a disk, and it has to be read "
					 "again and again; name one",
					 path);
	error = read_some(fd, buf, cap, len);
	if (error != 0)
		return explain(err, error, path);
	if (*len == cap && read(fd, &more, 1) != 0)
		return os_error_set(err, N2N_ENOSPC,
			"\"%.120s\" holds more than %zu characters; check that it is the right "
			"file",
			path, cap);
	return 0;
}

int file_load(const char *path, char *buf, size_t cap, size_t *len, struct os_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int rc;

	if (fd < 0)
		return explain(err, errno, path);
	rc = load(fd, path, buf, cap, len, err);
	close(fd);
	return rc;
}

/* Ours are closed when another program is started, so none that was left open for us is. */
static bool is_inherited(unsigned number)
{
	int flags = fcntl((int)number, F_GETFD);

	return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

int file_read_open(unsigned number, char *buf, size_t cap, size_t *len, struct os_error *err)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "file number %u", number);
	if (!is_inherited(number))
		return explain(err, EBADF, name);
	rc = read_text((int)number, name, buf, cap, len, err);
	close((int)number);
	if (rc != 0)
		explicit_bzero(buf, cap);
	return rc;
}

void file_close(unsigned number)
{
	if (is_inherited(number))
		(void)close((int)number);
}

bool file_is_read_once(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

bool file_is_open_to_others(const char *path)
{
	struct stat st;

	return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_mode & (S_IRWXG | S_IRWXO);
}
