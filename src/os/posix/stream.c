/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns TCP: connections, and the waiting for them. */
#define _GNU_SOURCE
#include "os/stream.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "os/posix/address.h"
#include "os/sys.h"

#define BACKLOG 16

static int fd_of(struct os_handle h)
{
	return (int)h.value;
}

struct stream_limit stream_limit_within(const struct stream_limit *limit, uint64_t ms)
{
	struct stream_limit within = *limit;
	uint64_t until = sys_now_ms() + ms;

	if (until < within.until_ms)
		within.until_ms = until;
	return within;
}

bool stream_limit_reached(const struct stream_limit *limit)
{
	struct pollfd stops[STREAM_STOPS];

	for (size_t i = 0; i < STREAM_STOPS; i++)
		stops[i] = (struct pollfd){.fd = fd_of(limit->stop[i]), .events = POLLIN};
	return sys_now_ms() >= limit->until_ms || poll(stops, STREAM_STOPS, 0) > 0;
}

/* What poll wants; a wait may end early. */
static int milliseconds_left(const struct stream_limit *limit)
{
	uint64_t now = sys_now_ms();

	if (now >= limit->until_ms)
		return 0;
	return limit->until_ms - now < INT_MAX ? (int)(limit->until_ms - now) : INT_MAX;
}

int stream_wait(const struct os_handle *of, size_t n, enum stream_way way,
	const struct stream_limit *limit, unsigned *ready)
{
	struct pollfd p[STREAM_STOPS + STREAM_WAIT_MAX];
	int count;

	assert(n <= STREAM_WAIT_MAX);
	for (size_t i = 0; i < STREAM_STOPS; i++)
		p[i] = (struct pollfd){.fd = fd_of(limit->stop[i]), .events = POLLIN};
	for (size_t i = 0; i < n; i++)
		p[STREAM_STOPS + i] = (struct pollfd){
			.fd = fd_of(of[i]), .events = way == STREAM_WRITE ? POLLOUT : POLLIN};
	do
		count = poll(p, STREAM_STOPS + n, milliseconds_left(limit));
	while ((count < 0 && errno == EINTR) || (count == 0 && milliseconds_left(limit) > 0));
	if (count < 0)
		return os_errno(errno);
	*ready = 0;
	for (size_t i = 0; i < STREAM_STOPS; i++)
		if (p[i].revents != 0)
			return N2N_EAGAIN;
	for (size_t i = 0; i < n; i++)
		*ready |= p[STREAM_STOPS + i].revents != 0 ? 1u << i : 0;
	return *ready != 0 ? 0 : N2N_EAGAIN;
}

static enum udp_family family_of(const struct endpoint *e)
{
	return endpoint_is_v4(e) ? UDP_V4 : UDP_V6;
}

static int open_socket(enum udp_family family)
{
	return socket(family == UDP_V4 ? AF_INET : AF_INET6,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int explain_listen(struct os_error *err, int error, const struct endpoint *at)
{
	char text[ENDPOINT_TEXT_MAX];
	int code = os_errno(error);

	endpoint_format(at, text);
	switch (error) {
	case EADDRINUSE:
		return os_error_choose(err, code, SETTING_PORT,
			"TCP port %s is in use by another program; stop that one or choose another "
			"port",
			text);
	case EACCES:
	case EPERM:
		return os_error_choose(err, code, SETTING_PORT,
			"not allowed to listen at TCP port %s; ports below 1024 need root, or "
			"choose another port",
			text);
	case EADDRNOTAVAIL:
		return os_error_set(err, code,
			"cannot listen at %s: this host has no such address; choose one that \"ip "
			"address\" shows",
			endpoint_format_ip(at, text));
	default:
		return os_error_set(err, code,
			"cannot listen at TCP port %s: %s; check the network setup of this host",
			text, strerror(error));
	}
}

int stream_listen(struct os_handle *out, const struct endpoint *at, struct os_error *err)
{
	enum udp_family family = family_of(at);
	union address a;
	socklen_t len = address_put(&a, family, at);
	int yes = 1, error, fd = open_socket(family);

	out->value = fd;
	/* Otherwise connections that ended a minute ago would hold the port. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
		(family == UDP_V4 ||
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) == 0) &&
		bind(fd, &a.any, len) == 0 && listen(fd, BACKLOG) == 0)
		return 0;
	error = errno;
	stream_close(*out);
	*out = os_handle_none();
	return explain_listen(err, error, at);
}

int stream_accept(struct os_handle *out, struct endpoint *from, struct os_handle listener)
{
	union address a;
	socklen_t len = sizeof(a);

	out->value = accept4(fd_of(listener), &a.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (os_handle_is_none(*out))
		return errno == ECONNABORTED ? N2N_EAGAIN : os_errno(errno);
	*from = address_get(&a);
	return 0;
}

static int explain_connect(struct os_error *err, int error, const struct endpoint *to)
{
	char text[ENDPOINT_TEXT_MAX];

	endpoint_format(to, text);
	switch (error) {
	case ECONNREFUSED:
		return os_error_set(err, N2N_ENOENT,
			"%s refuses the connection: nobody listens there, or a firewall says so; "
			"start the program there and check the port",
			text);
	case ETIMEDOUT:
		return os_error_set(err, N2N_EAGAIN,
			"no answer from %s; check that the host is up and that no firewall drops "
			"TCP to this port",
			text);
	case EACCES:
	case EPERM:
		return os_error_set(err, N2N_EPERM,
			"not allowed to connect to %s: a firewall of this host forbids it; allow "
			"it there",
			text);
	default:
		return os_error_set(err, N2N_EIO,
			"cannot connect to %s: %s; check the address and the routes of this host",
			text, strerror(error));
	}
}

/* 0 or an errno. */
static int finish_connect(struct os_handle s, const struct stream_limit *limit)
{
	unsigned ready;
	int error = 0;
	socklen_t len = sizeof(error);

	if (stream_wait(&s, 1, STREAM_WRITE, limit, &ready) != 0)
		return ETIMEDOUT;
	return getsockopt(fd_of(s), SOL_SOCKET, SO_ERROR, &error, &len) != 0 ? errno : error;
}

int stream_connect(struct os_handle *out, const struct endpoint *to,
	const struct stream_limit *limit, struct os_error *err)
{
	enum udp_family family = family_of(to);
	union address a;
	socklen_t len = address_put(&a, family, to);
	int error = 0, fd = open_socket(family);

	out->value = fd;
	if (fd < 0 || connect(fd, &a.any, len) != 0)
		error = errno;
	if (error == EINPROGRESS)
		error = finish_connect(*out, limit);
	if (error == 0)
		return 0;
	stream_close(*out);
	*out = os_handle_none();
	return explain_connect(err, error, to);
}

void stream_close(struct os_handle s)
{
	if (!os_handle_is_none(s))
		close(fd_of(s));
}

static int result(ssize_t moved, size_t *done)
{
	*done = moved > 0 ? (size_t)moved : 0;
	if (moved > 0)
		return 0;
	return moved < 0 && (errno == EAGAIN || errno == EINTR) ? N2N_EAGAIN : N2N_EIO;
}

int stream_put(struct os_handle s, const void *data, size_t len, size_t *done)
{
	return result(send(fd_of(s), data, len, MSG_NOSIGNAL), done);
}

int stream_get(struct os_handle s, void *data, size_t cap, size_t *done)
{
	return result(recv(fd_of(s), data, cap, 0), done);
}

int stream_send(struct os_handle s, const void *data, size_t len, const struct stream_limit *limit)
{
	const uint8_t *p = data;
	unsigned ready;
	size_t done;

	while (len != 0) {
		int rc = stream_put(s, p, len, &done);

		if (rc == N2N_EAGAIN)
			rc = stream_wait(&s, 1, STREAM_WRITE, limit, &ready);
		if (rc != 0)
			return rc;
		p += done;
		len -= done;
	}
	return 0;
}

int stream_receive(struct os_handle s, void *data, size_t len, const struct stream_limit *limit)
{
	uint8_t *p = data;
	unsigned ready;
	size_t done;

	while (len != 0) {
		int rc = stream_get(s, p, len, &done);

		if (rc == N2N_EAGAIN)
			rc = stream_wait(&s, 1, STREAM_READ, limit, &ready);
		if (rc != 0)
			return rc;
		p += done;
		len -= done;
	}
	return 0;
}
