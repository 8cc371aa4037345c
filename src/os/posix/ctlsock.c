/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the client's end of a Unix socket. */
#define _GNU_SOURCE
#include "os/ctlsock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/sys.h"

#define FIRST_REPLY_CAP 4096
#define RETRY_MS	10

struct exchange {
	int fd;
	uint64_t deadline_ms;
	char *reply;
	size_t len, cap;
};

/* Waits until the socket allows what events ask for; 0 or an errno. */
static int wait_for(const struct exchange *x, short events)
{
	struct pollfd p = {.fd = x->fd, .events = events};
	uint64_t now = sys_now_ms();
	int ready = now < x->deadline_ms ? poll(&p, 1, (int)(x->deadline_ms - now)) : 0;

	if (ready < 0)
		return errno == EINTR ? 0 : errno;
	return ready == 0 ? ETIMEDOUT : 0;
}

/* A queue of connections that is full, which poll does not tell of, is tried again; 0 or an errno.
 */
static int connect_to(const struct exchange *x, const struct sockaddr_un *to)
{
	while (connect(x->fd, (const struct sockaddr *)to, sizeof(*to)) != 0) {
		if (errno != EAGAIN)
			return errno;
		if (sys_now_ms() >= x->deadline_ms)
			return ETIMEDOUT;
		(void)poll(NULL, 0, RETRY_MS);
	}
	return 0;
}

static int open_socket(struct exchange *x, const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	x->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return x->fd < 0 ? errno : connect_to(x, &to);
}

static int send_all(const struct exchange *x, const char *data, size_t len)
{
	while (len != 0) {
		ssize_t put = send(x->fd, data, len, MSG_NOSIGNAL);
		int error = put < 0 ? errno : 0;

		if (error == EAGAIN)
			error = wait_for(x, POLLOUT);
		if (error != 0 && error != EINTR)
			return error;
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

static int make_room(struct exchange *x)
{
	size_t cap = x->cap != 0 ? x->cap * 2 : FIRST_REPLY_CAP;
	char *more;

	if (x->len < x->cap)
		return 0;
	if (x->cap == CTLSOCK_REPLY_MAX)
		return EFBIG;
	more = realloc(x->reply, cap);
	if (more == NULL)
		return ENOMEM;
	x->reply = more;
	x->cap = cap;
	return 0;
}

/* Reads up to the first newline, which becomes a NUL. */
static int receive_line(struct exchange *x)
{
	for (;;) {
		int error = make_room(x);
		ssize_t got = error != 0 ? 0 : recv(x->fd, x->reply + x->len, x->cap - x->len, 0);
		char *newline;

		if (error != 0)
			return error;
		if (got == 0)
			return ECONNRESET;
		if (got < 0) {
			error = errno == EAGAIN ? wait_for(x, POLLIN) : errno;
			if (error != 0 && error != EINTR)
				return error;
			continue;
		}
		newline = memchr(x->reply + x->len, '\n', (size_t)got);
		x->len += (size_t)got;
		if (newline != NULL) {
			*newline = 0;
			return 0;
		}
	}
}

static int explain(struct os_error *err, int error, const char *path, unsigned timeout_ms)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		return os_error_choose(err, N2N_ENOENT, SETTING_INSTANCE,
			"nothing answers at \"%.120s\"; check that the program runs, and its name "
			"and state directory",
			path);
	case EACCES:
	case EPERM:
		return os_error_set(err, N2N_EPERM,
			"not allowed to use \"%.120s\"; run as root or as the user of the program",
			path);
	case ENAMETOOLONG:
		return os_error_set(err, N2N_EINVAL,
			"the socket \"%.60s...\" has a path of more than %zu bytes; use a shorter "
			"directory",
			path, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	case EAGAIN:
	case ETIMEDOUT:
		return os_error_set(err, N2N_EAGAIN,
			"no answer from \"%.120s\" within %u s; the program is stuck or "
			"overloaded, look at its log",
			path, timeout_ms / 1000);
	case EFBIG:
		return os_error_set(err, N2N_ENOSPC,
			"the answer from \"%.120s\" is longer than %d MiB; check that it is the "
			"right socket",
			path, CTLSOCK_REPLY_MAX >> 20);
	case ECONNRESET:
	case EPIPE:
		return os_error_set(err, N2N_EIO,
			"\"%.120s\" hung up before it answered; the program ended or is of "
			"another version",
			path);
	default:
		return os_error_set(err, os_errno(error),
			"cannot talk to \"%.120s\": %s; check that it is the right socket", path,
			strerror(error));
	}
}

int ctlsock_request(const char *path, const char *request, unsigned timeout_ms, char **reply,
	struct os_error *err)
{
	struct exchange x = {.fd = -1, .deadline_ms = sys_now_ms() + timeout_ms};
	int error = open_socket(&x, path);

	if (error == 0)
		error = send_all(&x, request, strlen(request));
	if (error == 0)
		error = send_all(&x, "\n", 1);
	if (error == 0)
		error = receive_line(&x);
	if (x.fd >= 0)
		close(x.fd);
	if (error != 0) {
		free(x.reply);
		return explain(err, error, path, timeout_ms);
	}
	*reply = x.reply;
	return 0;
}
