/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the measuring programs share: a clock, IPv4 UDP sockets, and how they give up. They measure
 * every way alike, so they know nothing of n2n.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

static inline _Noreturn void give_up(const char *what, const char *value)
{
	fprintf(stderr, "%s \"%s\": %s\n", what, value, strerror(errno));
	exit(1);
}

/* CLOCK_MONOTONIC in nanoseconds, the clock of Python's time.monotonic(). */
static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* A number of the command line between 1 and max. */
static inline unsigned number_of(const char *text, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value == 0 || value > max) {
		fprintf(stderr, "\"%s\" is not a number from 1 to %u\n", text, max);
		exit(2);
	}
	return (unsigned)value;
}

static inline int udp_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		give_up("socket", "udp");
	return fd;
}

static inline int udp_listen(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = udp_socket();

	at.sin_port = htons((uint16_t)number_of(port, UINT16_MAX));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		give_up("bind to port", port);
	return fd;
}

static inline struct sockaddr_in udp_address(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons((uint16_t)number_of(port, UINT16_MAX));
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		fprintf(stderr, "\"%s\" is not an IPv4 address\n", address);
		exit(2);
	}
	return to;
}

static inline int udp_connect(const char *address, const char *port)
{
	struct sockaddr_in to = udp_address(address, port);
	int fd = udp_socket();

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		give_up("connect to", address);
	return fd;
}

/* Receiving gives up after so long, with EAGAIN. */
static inline void receive_timeout(int fd, unsigned ms)
{
	struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) != 0)
		give_up("receive timeout", "ms");
}

#endif
