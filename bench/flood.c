/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As many UDP datagrams as one connected socket takes, and how many of them arrive.
 *
 *     flood receive PORT                        counts until nothing comes for half a second
 *     flood send ADDRESS PORT FRAME MS          sends for so many milliseconds
 *
 * FRAME is the length of the Ethernet frame without its check sequence: 14 bytes Ethernet, 20 IPv4,
 * 8 UDP, the rest payload. Each datagram carries its number, so that the receiver sees reordering.
 * When a tunnel answers that datagrams are too long, the system cuts those that follow. The results
 * are one line of JSON.
 */
#define _GNU_SOURCE
#include <inttypes.h>

#include "measure.h"

enum {
	BATCH = 64,
	HEADERS_LEN = 14 + 20 + 8,
	FRAME_MAX = 1514,
	FIRST_WAIT_MS = 5000,
	SILENCE_MS = 500,
	RECEIVE_BUFFER = 8 << 20,
};

struct batch {
	uint8_t data[BATCH][FRAME_MAX];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
};

static void batch_init(struct batch *b, size_t len)
{
	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){b->data[i], len};
		b->msgs[i].msg_hdr.msg_iov = &b->iov[i];
		b->msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static void flood(int fd, struct batch *b, uint64_t duration)
{
	uint64_t start = now_ns(), now = start, sent = 0, refused = 0;

	while (now - start < duration) {
		int n;

		for (uint64_t i = 0; i < BATCH; i++) {
			uint64_t number = sent + i;

			memcpy(b->data[i], &number, sizeof(number));
		}
		n = sendmmsg(fd, b->msgs, BATCH, 0);
		if (n > 0)
			sent += (uint64_t)n;
		else if (errno == ENOBUFS || errno == ECONNREFUSED || errno == EMSGSIZE)
			refused++;
		else
			give_up("sending", "sendmmsg");
		now = now_ns();
	}
	printf("{\"sent\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"seconds\": %.6f}\n", sent,
		refused, (double)(now - start) / (double)NS_PER_S);
}

static void count(int fd, struct batch *b)
{
	uint64_t received = 0, late = 0, next = 0, first = 0, last = 0;
	int n;

	receive_timeout(fd, FIRST_WAIT_MS);
	while ((n = recvmmsg(fd, b->msgs, BATCH, MSG_WAITFORONE, NULL)) > 0) {
		last = now_ns();
		if (received == 0) {
			first = last;
			receive_timeout(fd, SILENCE_MS);
		}
		received += (uint64_t)n;
		for (int i = 0; i < n; i++) {
			uint64_t number;

			memcpy(&number, b->data[i], sizeof(number));
			if (number < next)
				late++;
			else
				next = number + 1;
		}
	}
	printf("{\"received\": %" PRIu64 ", \"late\": %" PRIu64 ", \"seconds\": %.6f}\n", received,
		late, (double)(last - first) / (double)NS_PER_S);
}

int main(int argc, char **argv)
{
	static struct batch b;
	int fd, size = RECEIVE_BUFFER;

	if (argc == 3 && strcmp(argv[1], "receive") == 0) {
		fd = udp_listen(argv[2]);
		/* Without the right to go beyond the limit of the system, up to that. */
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		batch_init(&b, FRAME_MAX);
		puts("ready");
		fflush(stdout);
		count(fd, &b);
		return 0;
	}
	if (argc == 6 && strcmp(argv[1], "send") == 0) {
		unsigned frame = number_of(argv[4], FRAME_MAX);

		if (frame < HEADERS_LEN + sizeof(uint64_t)) {
			fprintf(stderr, "FRAME %u is too short: at least 50 bytes\n", frame);
			return 2;
		}
		fd = udp_connect(argv[2], argv[3]);
		batch_init(&b, frame - HEADERS_LEN);
		flood(fd, &b, number_of(argv[5], 600000) * (NS_PER_S / 1000));
		return 0;
	}
	fputs("usage: flood receive PORT | flood send ADDRESS PORT FRAME MS\n", stderr);
	return 2;
}
