/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the wait set of a worker on Linux: epoll and an eventfd. */
#define _GNU_SOURCE
#include "os/poll.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/linux/tap_inside.h"
#include "os/linux/udp_inside.h"

#define EVENTS_PER_WAIT 16
#define WAKE		UINT64_MAX /* no unsigned tag is so large */

struct poll {
	int epoll;
	int wake;
};

static int add(struct poll *p, int fd, uint64_t tag)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u64 = tag};

	return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) != 0 ? errno : 0;
}

int poll_create(struct poll **out)
{
	struct poll *p = calloc(1, sizeof(*p));
	int error = 0;

	if (p == NULL)
		return N2N_ENOMEM;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->epoll < 0 || p->wake < 0)
		error = errno;
	else
		error = add(p, p->wake, WAKE);
	if (error != 0) {
		poll_destroy(p);
		return os_errno(error);
	}
	*out = p;
	return 0;
}

void poll_destroy(struct poll *p)
{
	if (p == NULL)
		return;
	if (p->epoll >= 0)
		close(p->epoll);
	if (p->wake >= 0)
		close(p->wake);
	free(p);
}

int poll_add_tap(struct poll *p, const struct tap *tap, unsigned tag)
{
	return os_errno(add(p, tap_fd(tap), tag));
}

void poll_remove_tap(struct poll *p, const struct tap *tap)
{
	(void)epoll_ctl(p->epoll, EPOLL_CTL_DEL, tap_fd(tap), NULL);
}

int poll_add_udp(struct poll *p, const struct udp *u, enum udp_family family, unsigned tag)
{
	return u->fd[family] < 0 ? N2N_ENOENT : os_errno(add(p, u->fd[family], tag));
}

static void clear_wake(const struct poll *p)
{
	uint64_t count;

	(void)!read(p->wake, &count, sizeof(count));
}

int poll_wait(struct poll *p, int timeout_ms, unsigned *tags, size_t cap)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	/* One place more than the caller's, so that the wake-up never hides a descriptor. */
	int max = cap < EVENTS_PER_WAIT ? (int)cap + 1 : EVENTS_PER_WAIT;
	int ready = epoll_wait(p->epoll, events, max, timeout_ms);
	size_t n = 0;

	if (ready < 0)
		return errno == EINTR ? 0 : N2N_EIO;
	for (int i = 0; i < ready; i++) {
		if (events[i].data.u64 == WAKE)
			clear_wake(p);
		else if (n < cap)
			tags[n++] = (unsigned)events[i].data.u64;
	}
	return (int)n;
}

void poll_wake(struct poll *p)
{
	const uint64_t one = 1;

	/* Fails only when the count is at its limit: then it wakes all the same. */
	(void)!write(p->wake, &one, sizeof(one));
}
