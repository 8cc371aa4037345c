/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Broadcasts at an even pace from an interface, as a host's ARP would be.
 *
 *     shout INTERFACE FRAME RATE COUNT
 *
 * FRAME is the length of the Ethernet frame without its check sequence. The type is one for local
 * experiments (0x88b5), so that nothing answers them and a filter can count them. Prints the CPU
 * time that it took itself, in ns: what a kernel does with a frame on behalf of its sender is in
 * it.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "measure.h"

enum {
	FRAME_MIN = 60,
	FRAME_MAX = 1514,
	RATE_MAX = 100000,
	COUNT_MAX = 10000000,
	ETH_LEN = 14,
	TYPE = 0x88b5
};

static int open_interface(const char *name, uint8_t own[6])
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET};
	struct ifreq request = {0};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		give_up("socket", "packet");
	at.sll_ifindex = (int)if_nametoindex(name);
	if (at.sll_ifindex == 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		give_up("bind to interface", name);
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		give_up("address of interface", name);
	memcpy(own, request.ifr_hwaddr.sa_data, 6);
	return fd;
}

static void wait_until(uint64_t due)
{
	const struct timespec t = {
		.tv_sec = (time_t)(due / NS_PER_S), .tv_nsec = (long)(due % NS_PER_S)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static uint64_t own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	uint8_t frame[FRAME_MAX] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint64_t start, cpu;
	unsigned len, rate, count;
	int fd;

	if (argc != 5) {
		fputs("usage: shout INTERFACE FRAME RATE COUNT\n", stderr);
		return 2;
	}
	len = number_of(argv[2], FRAME_MAX);
	rate = number_of(argv[3], RATE_MAX);
	count = number_of(argv[4], COUNT_MAX);
	if (len < FRAME_MIN)
		len = FRAME_MIN;
	fd = open_interface(argv[1], frame + 6);
	frame[12] = TYPE >> 8;
	frame[13] = TYPE & 0xff;
	start = now_ns();
	cpu = own_cpu_ns();
	for (unsigned i = 0; i < count; i++) {
		wait_until(start + i * NS_PER_S / rate);
		memcpy(frame + ETH_LEN, &i, sizeof(i));
		if (send(fd, frame, len, 0) != (ssize_t)len && errno != ENOBUFS)
			give_up("send at interface", argv[1]);
	}
	printf("%" PRIu64 "\n", own_cpu_ns() - cpu);
	return 0;
}
