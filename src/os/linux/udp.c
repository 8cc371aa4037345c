/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the UDP sockets on Linux: their ports, options and offloads. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "os/linux/parent_inside.h"
#include "os/linux/udp_inside.h"

/* Bytes. What waits to be sent adds to everybody's delay; what arrived only waits for a worker. */
#define SEND_BUFFER	   (1 << 20)
#define RECEIVE_BUFFER	   (8 << 20)
#define COMMON_PORT_TRIALS 8

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static void size_buffer(int fd, int forced, int polite, int size)
{
	if (set_option(fd, SOL_SOCKET, forced, size) != 0)
		(void)set_option(fd, SOL_SOCKET, polite, size);
}

static size_t send_buffer(int fd)
{
	int size = 0;
	socklen_t len = sizeof(size);

	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &len) == 0 ? (size_t)size : 0;
}

/*
 * PMTUDISC_PROBE sets "don't fragment" and yet ignores the path MTU that the kernel has learnt,
 * possibly from a forged ICMP message.
 */
static int set_options(int fd, enum udp_family family)
{
	size_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
	size_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
	if (family == UDP_V4)
		return set_option(fd, IPPROTO_IP, IP_PKTINFO, 1) != 0 ||
		       set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) != 0;
	return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0 ||
	       set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) != 0 ||
	       set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) != 0;
}

/* UDP_GRO is unreliable before Linux 5.12, and no probe shows it. */
static bool gro_is_sound(void)
{
	struct utsname name;
	unsigned major, minor;

	return uname(&name) == 0 && sscanf(name.release, "%3u.%3u", &major, &minor) == 2 &&
	       (major > 5 || (major == 5 && minor >= 12));
}

/* Switches on what the socket can do of use, and returns that. */
static unsigned set_offloads(int fd, unsigned use)
{
	if (set_option(fd, IPPROTO_UDP, UDP_SEGMENT, 0) != 0)
		use &= ~(unsigned)FEATURE_GSO;
	if (!(use & FEATURE_GRO) || !gro_is_sound() || set_option(fd, IPPROTO_UDP, UDP_GRO, 1) != 0)
		use &= ~(unsigned)FEATURE_GRO;
	return use;
}

/*
 * The first socket of a port binds without SO_REUSEPORT, so that a second program cannot take half
 * of the datagrams in silence; it is set afterwards, because the kernel wants it of all sockets of
 * a port when another joins.
 */
static int bind_socket(int fd, enum udp_family family, const struct endpoint *at, bool join)
{
	union address a;
	socklen_t len = address_put(&a, family, at);

	if (join && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
		return -1;
	if (bind(fd, &a.any, len) != 0)
		return -1;
	if (!join && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
		return -1;
	return 0;
}

int udp_make_socket(int *fd, enum udp_family family, const struct endpoint *at, bool join)
{
	int error;

	*fd = socket(family == UDP_V4 ? AF_INET : AF_INET6,
		SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return errno;
	if (set_options(*fd, family) == 0 && bind_socket(*fd, family, at, join) == 0)
		return 0;
	error = errno;
	close(*fd);
	*fd = -1;
	return error;
}

static int ask_parent(
	int *fd, struct parent *parent, enum udp_family family, uint16_t port, bool join)
{
	const struct parent_request request = {
		.kind = REQUEST_UDP, .family = family, .port = port, .join = join};
	struct parent_answer answer;

	*fd = parent_ask(parent, &request, &answer);
	return *fd >= 0 ? 0 : answer.error;
}

/* Opens one socket; 0 or an errno. */
static int open_family(struct udp *u, enum udp_family family, uint16_t port, bool join)
{
	struct endpoint at = u->at;
	union address a;
	socklen_t len = sizeof(a);
	int fd, error;

	at.port = port;
	error = u->parent != NULL ? ask_parent(&fd, u->parent, family, port, join)
				  : udp_make_socket(&fd, family, &at, join);
	if (error != 0)
		return error;
	if (getsockname(fd, &a.any, &len) != 0) {
		error = errno;
		close(fd);
		return error;
	}
	atomic_fetch_and(&u->uses, set_offloads(fd, udp_uses(u)));
	u->fd[family] = fd;
	u->send_buffer[family] = send_buffer(fd);
	u->port[family] = address_get(&a).port;
	return 0;
}

static void close_family(struct udp *u, enum udp_family family)
{
	if (u->fd[family] >= 0)
		close(u->fd[family]);
	u->fd[family] = -1;
	u->port[family] = 0;
}

static bool family_missing(int error)
{
	return error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == EADDRNOTAVAIL;
}

/* Both families on one port; one of them alone if the host lacks the other; 0 or an errno. */
static int open_both(struct udp *u, bool any_port_will_do)
{
	uint16_t port = u->at.port;
	int error = open_family(u, UDP_V4, port, false);

	if (error != 0 && !family_missing(error))
		return error;
	if (error != 0)
		return open_family(u, UDP_V6, port, false);
	error = open_family(u, UDP_V6, u->port[UDP_V4], false);
	if (error == EADDRINUSE && any_port_will_do)
		error = open_family(u, UDP_V6, 0, false);
	return family_missing(error) ? 0 : error;
}

static int open_all(struct udp *u)
{
	int error = 0;

	if (!endpoint_is_none(&u->at))
		return open_family(u, endpoint_is_v4(&u->at) ? UDP_V4 : UDP_V6, u->at.port, false);
	for (int i = 1; i <= COMMON_PORT_TRIALS; i++) {
		error = open_both(u, u->at.port == 0 && i == COMMON_PORT_TRIALS);
		if (error != EADDRINUSE || u->at.port != 0)
			break;
		close_family(u, UDP_V4);
	}
	return error;
}

static int explain_open(struct os_error *err, int error, const struct endpoint *at)
{
	char ip[ENDPOINT_TEXT_MAX];
	int code = os_errno(error);

	switch (error) {
	case EADDRINUSE:
		return os_error_choose(err, code, SETTING_PORT,
			"UDP port %u is in use by another program; stop that one or choose another "
			"port",
			at->port);
	case EACCES:
	case EPERM:
		return os_error_choose(err, code, SETTING_PORT,
			"not allowed to open UDP port %u; ports below 1024 need root or "
			"CAP_NET_BIND_SERVICE, or choose another port",
			at->port);
	case EADDRNOTAVAIL:
		return os_error_set(err, code,
			"cannot open a UDP port at %s: this host has no such address; choose one "
			"that \"ip address\" shows",
			endpoint_format_ip(at, ip));
	default:
		return os_error_set(err, code,
			"cannot open UDP port %u: %s; check the network setup of this host",
			at->port, strerror(error));
	}
}

static struct udp *alloc_udp(const struct endpoint *at, unsigned use, struct parent *parent)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (u != NULL) {
		u->fd[UDP_V4] = u->fd[UDP_V6] = -1;
		u->at = *at;
		u->parent = parent;
		atomic_init(&u->uses, use);
		if (endpoint_is_none(at)) /* 0.0.0.0 too has to become :: for IPv6 */
			memset(u->at.ip, 0, sizeof(u->at.ip));
	}
	return u;
}

int udp_open(struct udp **out, const struct endpoint *at, unsigned use, struct os_error *err)
{
	return udp_open_by(out, NULL, at, use, err);
}

int udp_open_by(struct udp **out, struct parent *parent, const struct endpoint *at, unsigned use,
	struct os_error *err)
{
	struct udp *u = alloc_udp(at, use & FEATURES_OF_UDP, parent);
	int error = u != NULL ? open_all(u) : ENOMEM;

	if (error != 0) {
		udp_close(u);
		return explain_open(err, error, at);
	}
	*out = u;
	return 0;
}

int udp_join(struct udp **out, const struct udp *first, struct os_error *err)
{
	struct udp *u = alloc_udp(&first->at, udp_uses(first), first->parent);
	int error = u != NULL ? 0 : ENOMEM;

	for (int f = UDP_V4; f < UDP_FAMILIES && error == 0; f++)
		if (first->fd[f] >= 0)
			error = open_family(u, (enum udp_family)f, first->port[f], true);
	if (error != 0) {
		udp_close(u);
		return explain_open(err, error, &first->at);
	}
	*out = u;
	return 0;
}

/* ---- the way out ---- */

static int set_device(int fd, enum udp_family family, unsigned index)
{
	int value = (int)htonl(index);

	return family == UDP_V4 ? set_option(fd, IPPROTO_IP, IP_UNICAST_IF, value)
				: set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, value);
}

/* 0 or an errno. */
static int leave_by(struct udp *u, unsigned index, uint32_t mark)
{
	for (enum udp_family f = UDP_V4; f < UDP_FAMILIES; f++) {
		if (u->fd[f] < 0)
			continue;
		if (index != 0 && set_device(u->fd[f], f, index) != 0)
			return errno;
		if (mark != 0 && set_option(u->fd[f], SOL_SOCKET, SO_MARK, (int)mark) != 0)
			return errno;
	}
	return 0;
}

static int explain_exit(struct os_error *err, int error, const struct udp_exit *by)
{
	int code = os_errno(error);

	switch (error) {
	case ENODEV:
	case EADDRNOTAVAIL:
		return os_error_choose(err, N2N_ENOENT, SETTING_UNDERLAY,
			"there is no interface \"%.15s\" for the network underneath; check its "
			"name with \"ip link\", or choose another",
			by->device);
	case EPERM:
		return os_error_set(err, code,
			"not allowed to mark datagrams with %u; run as root or give the program "
			"CAP_NET_ADMIN",
			by->mark);
	default:
		return os_error_set(err, code,
			"cannot choose the way of datagrams: %s; check that the sandbox allows "
			"socket options",
			strerror(error));
	}
}

/*
 * IP_UNICAST_IF and not SO_BINDTODEVICE: that takes rights for the second time, which there is when
 * the interface was made anew, and would not take what comes in by another one.
 */
int udp_leave_by(struct udp *u, const struct udp_exit *by, struct os_error *err)
{
	unsigned index = by->device != NULL ? if_nametoindex(by->device) : 0;
	int error;

	if (by->device != NULL && !endpoint_is_none(&u->at) && !endpoint_is_v4(&u->at))
		return os_error_choose(err, N2N_EINVAL, SETTING_PORT,
			"an IPv6 address for the port does not go with an interface for the "
			"network underneath; give the port alone");
	atomic_store_explicit(&u->by_device, by->device != NULL, memory_order_relaxed);
	error = by->device != NULL && index == 0 ? ENODEV : leave_by(u, index, by->mark);
	return error != 0 ? explain_exit(err, error, by) : 0;
}

void udp_close(struct udp *u)
{
	if (u == NULL)
		return;
	close_family(u, UDP_V4);
	close_family(u, UDP_V6);
	free(u);
}

struct os_handle udp_handle(const struct udp *u, enum udp_family family)
{
	return (struct os_handle){u->fd[family]};
}

uint16_t udp_port(const struct udp *u, enum udp_family family)
{
	return u->port[family];
}

unsigned udp_uses(const struct udp *u)
{
	return atomic_load_explicit(&u->uses, memory_order_relaxed);
}

uint64_t udp_lost(const struct udp *u)
{
	uint64_t lost = 0;

	for (unsigned f = 0; f < UDP_FAMILIES; f++) {
		uint32_t info[SK_MEMINFO_VARS] = {0};
		socklen_t len = sizeof(info);

		if (u->fd[f] >= 0 && getsockopt(u->fd[f], SOL_SOCKET, SO_MEMINFO, info, &len) == 0)
			lost += info[SK_MEMINFO_DROPS];
	}
	return lost;
}

bool udp_wait_writable(const struct udp *u, enum udp_family family, int timeout_ms)
{
	struct pollfd p = {.fd = u->fd[family], .events = POLLOUT};

	return poll(&p, 1, timeout_ms) == 1;
}
