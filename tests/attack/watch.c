/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams that go by: live on an interface of any namespace, or in a capture of tcpdump. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attacker.h"
#include "base/bytes.h"

#define PCAP_MAGIC	0xa1b2c3d4u
#define PCAP_HEADER_LEN 24
#define PCAP_RECORD_LEN 16

/* A UDP datagram in an IPv4 packet without options or fragments; false when it is none. */
static bool read_packet(struct seen *s, const uint8_t *p, size_t len)
{
	size_t udp_len;

	if (len < WIRE_HEADERS || p[0] != 0x45 || p[9] != IPPROTO_UDP ||
		(load_be16(p + 6) & 0x3fff) != 0)
		return false;
	udp_len = load_be16(p + 24);
	if (udp_len < 8 || 20 + udp_len > len)
		return false;
	s->from = (struct sockaddr_in){
		AF_INET, htons(load_be16(p + 20)), {htonl(load_be32(p + 12))}, {0}};
	s->to = (struct sockaddr_in){
		AF_INET, htons(load_be16(p + 22)), {htonl(load_be32(p + 16))}, {0}};
	s->data = p + WIRE_HEADERS;
	s->len = udp_len - 8;
	return true;
}

static void enter(const char *space)
{
	int fd = open(space, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		give_up(space);
	close(fd);
}

static int open_link(const char *what)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	char space[128], home[64];
	const char *slash = strchr(what, '/');
	int fd;

	if (slash == NULL)
		give_up(what);
	snprintf(space, sizeof(space), "/run/netns/%.*s", (int)(slash - what), what);
	snprintf(home, sizeof(home), "/proc/self/ns/net");
	fd = open(home, O_RDONLY | O_CLOEXEC);
	enter(space);
	at.sll_ifindex = (int)if_nametoindex(slash + 1);
	const int watching =
		socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));

	if (watching < 0 || bind(watching, (struct sockaddr *)&at, sizeof(at)) != 0)
		give_up(what);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		give_up(home);
	close(fd);
	return watching;
}

void watch_open(struct watch *w, const char *list)
{
	char name[128];

	for (w->n = 0; list != NULL && *list != '\0' && w->n < 4; w->n++) {
		size_t len = strcspn(list, ",");

		snprintf(name, sizeof(name), "%.*s", (int)len, list);
		w->at[w->n] = (struct pollfd){.fd = open_link(name), .events = POLLIN};
		list += len + (list[len] == ',');
	}
	if (w->n == 0)
		give_up("nothing to watch");
	/* Who attacks has a machine of his own, and reacts at once; where that is not allowed, so
	 * be it. */
	(void)sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
}

void watch_close(struct watch *w)
{
	while (w->n > 0)
		close(w->at[--w->n].fd);
}

void watch_wait(struct watch *w, int ms)
{
	(void)poll(w->at, w->n, ms);
}

bool watch_next(int fd, uint8_t *buf, size_t cap, struct seen *s)
{
	ssize_t n;

	while ((n = recv(fd, buf, cap, 0)) >= 0)
		if (read_packet(s, buf, (size_t)n))
			return true;
	return false;
}

/* ---- captures ---- */

static uint8_t *read_file(const char *name, size_t *len)
{
	FILE *f = fopen(name, "rb");
	uint8_t *data;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < PCAP_HEADER_LEN)
		give_up(name);
	rewind(f);
	data = malloc((size_t)size);
	if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size)
		give_up(name);
	fclose(f);
	*len = (size_t)size;
	return data;
}

static uint32_t host_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void keep(struct captured *c, const struct seen *s)
{
	struct captured_datagram *d;

	if (s->len > DATAGRAM_ROOM - WIRE_HEADERS)
		return;
	if ((c->n & (c->n + 1)) == 0) {
		c->at = realloc(c->at, 2 * ((size_t)c->n + 1) * sizeof(*c->at));
		if (c->at == NULL)
			give_up("capture");
	}
	d = &c->at[c->n++];
	d->from = ntohl(s->from.sin_addr.s_addr);
	d->port = ntohs(s->from.sin_port);
	d->len = s->len;
	memcpy(d->data, s->data, s->len);
}

void captured_load(struct captured *c, const char *file)
{
	size_t len, at = PCAP_HEADER_LEN;
	uint8_t *data = read_file(file, &len);

	if (host_u32(data) != PCAP_MAGIC) {
		fprintf(stderr, "%s: not a capture of this machine\n", file);
		exit(1);
	}
	*c = (struct captured){0};
	while (at + PCAP_RECORD_LEN <= len) {
		size_t n = host_u32(data + at + 8);
		struct seen s;

		at += PCAP_RECORD_LEN;
		if (n > len - at)
			break;
		if (n > ETH_HLEN && load_be16(data + at + 12) == ETH_P_IP &&
			read_packet(&s, data + at + ETH_HLEN, n - ETH_HLEN))
			keep(c, &s);
		at += n;
	}
	free(data);
}

void captured_free(struct captured *c)
{
	free(c->at);
	*c = (struct captured){0};
}
