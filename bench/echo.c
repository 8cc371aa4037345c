/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Round trips of small UDP datagrams, one at a time.
 *
 *     echo answer PORT                          sends back what comes
 *     echo ask ADDRESS PORT MS PAUSE_US         asks for so long, with pauses; prints percentiles
 *     echo first ADDRESS PORT MS                asks every 5 ms until the first answer; prints when
 *                                               that came, by CLOCK_MONOTONIC in nanoseconds
 *
 * Times are microseconds. A request without an answer within 200 ms is lost; it counts as one that
 * took that long, so that losses cannot make percentiles better. The results are one line of JSON.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>

#include "measure.h"

enum {
	PAYLOAD_LEN = 32,
	LOST_MS = 200,
	FIRST_EVERY_MS = 5,
	SAMPLES_MAX = 1 << 22
};

static void answer(int fd)
{
	uint8_t buf[2048];
	struct sockaddr_storage from;

	for (;;) {
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &from_len);

		if (n >= 0)
			sendto(fd, buf, (size_t)n, 0, (const struct sockaddr *)&from, from_len);
	}
}

/* Waits for the answer to this number, skipping late ones to others. */
static bool answered(int fd, uint64_t number)
{
	uint64_t got[PAYLOAD_LEN / sizeof(uint64_t)];

	for (;;) {
		if (recv(fd, got, sizeof(got), 0) < 0)
			return false;
		if (got[0] == number)
			return true;
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

static double percentile_us(const uint32_t *sorted, size_t n, unsigned percent)
{
	return sorted[(n - 1) * percent / 100] / 1e3;
}

static void ask(int fd, uint64_t duration, unsigned pause_us)
{
	const struct timespec pause = {pause_us / 1000000, pause_us % 1000000 * 1000L};
	uint64_t request[PAYLOAD_LEN / sizeof(uint64_t)] = {0};
	uint32_t *took = calloc(SAMPLES_MAX, sizeof(*took));
	uint64_t start = now_ns();
	size_t n = 0, lost = 0;

	if (!took)
		give_up("memory for samples", "calloc");
	receive_timeout(fd, LOST_MS);
	while (n < SAMPLES_MAX && now_ns() - start < duration) {
		uint64_t before = now_ns();

		request[0] = n;
		if (send(fd, request, sizeof(request), 0) >= 0 && answered(fd, n)) {
			took[n++] = (uint32_t)(now_ns() - before);
		} else {
			took[n++] = LOST_MS * 1000000u;
			lost++;
		}
		nanosleep(&pause, NULL);
	}
	qsort(took, n, sizeof(*took), by_value);
	printf("{\"count\": %zu, \"lost\": %zu, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, "
	       "\"max\": %.1f}\n",
		n, lost, percentile_us(took, n, 50), percentile_us(took, n, 90),
		percentile_us(took, n, 99), percentile_us(took, n, 100));
	free(took);
}

/* The interface may not be there yet: that is a failed try like any other. */
static int first(const struct sockaddr_in *to, uint64_t duration)
{
	uint8_t buf[PAYLOAD_LEN] = {0};
	uint64_t start = now_ns();
	int fd = udp_socket();

	receive_timeout(fd, FIRST_EVERY_MS);
	while (now_ns() - start < duration) {
		bool sent = sendto(fd, buf, sizeof(buf), 0, (const struct sockaddr *)to,
				    sizeof(*to)) >= 0;

		if (!sent)
			nanosleep(&(struct timespec){0, FIRST_EVERY_MS * 1000000L}, NULL);
		else if (recv(fd, buf, sizeof(buf), 0) >= 0) {
			printf("{\"at\": %" PRIu64 "}\n", now_ns());
			return 0;
		}
	}
	fputs("no answer\n", stderr);
	return 1;
}

int main(int argc, char **argv)
{
	const uint64_t ms = NS_PER_S / 1000;

	if (argc == 3 && strcmp(argv[1], "answer") == 0) {
		int fd = udp_listen(argv[2]);

		puts("ready");
		fflush(stdout);
		answer(fd);
	}
	if (argc == 6 && strcmp(argv[1], "ask") == 0) {
		ask(udp_connect(argv[2], argv[3]), number_of(argv[4], 600000) * ms,
			number_of(argv[5], 1000000));
		return 0;
	}
	if (argc == 5 && strcmp(argv[1], "first") == 0) {
		struct sockaddr_in to = udp_address(argv[2], argv[3]);

		return first(&to, number_of(argv[4], 600000) * ms);
	}
	fputs("usage: echo answer PORT | echo ask ADDRESS PORT MS PAUSE_US | "
	      "echo first ADDRESS PORT MS\n",
		stderr);
	return 2;
}
