/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The attacker: what its ways to attack share. It is linked with the project's own libraries, so it
 * speaks as well as they do, and sends what they would not. One thread; IPv4 only. What it cannot
 * do ends the program with a message.
 */
#ifndef N2N_TESTS_ATTACKER_H
#define N2N_TESTS_ATTACKER_H

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "crypto/crypto.h"

#define NS_PER_S      UINT64_C(1000000000)
#define DATAGRAM_ROOM 1500

/* What the command line asks for, as name=value; 0 or NULL: not given. */
struct orders {
	struct sockaddr_in to; /* to=ADDRESS:PORT */
	uint8_t key[KEY_LEN];  /* key=TEXT, the public key of a supernode */
	uint32_t from;	       /* from=ADDRESS, the first source, in host order */
	unsigned addresses;    /* addresses=N, how many from there on */
	unsigned port;	       /* port=N, the source port; else any */
	unsigned rate;	       /* rate=N, a second */
	double seconds;	       /* seconds=N */
	unsigned count;	       /* count=N */
	unsigned pool;	       /* pool=N, messages made beforehand */
	unsigned window;       /* window=N, handshakes at a time */
	double hold;	       /* hold=N, seconds to go on with what was reached */
	const char *what;      /* what=WORD, a variety of the mode */
	const char *name;      /* name=TEXT, of a community */
	const char *file;      /* file=PATH, a capture */
	const char *watch;     /* watch=NAMESPACE/INTERFACE,..., where to look on */
	uint32_t victim;       /* victim=ADDRESS, in host order */
	uint8_t mask[16];      /* random: the hop mask key of all our clients */
	struct random rnd;     /* quick, and not to be guessed by who is attacked */
};

/* ---- time, in nanoseconds of CLOCK_MONOTONIC ---- */

uint64_t now_ns(void);
/* The time of day in milliseconds, for freshness. */
uint64_t today_ms(void);
void sleep_us(unsigned us);
/* Ends the program with the reason of the system. */
_Noreturn void give_up(const char *what);

/* SIGTERM and SIGINT from now on end the pace, and so the attack with its report. */
void stop_in_order(void);

/* An even pace, in steps of a millisecond. */
struct pace {
	uint64_t start_ns, end_ns;
	uint64_t done;
	unsigned rate;
};

void pace_init(struct pace *p, unsigned rate, double seconds);
/*
 * How many are due now, after a short sleep if none is. After a pause at most what 50 ms bring:
 * what is behind then is left out. 0, with p over, at the end.
 */
unsigned pace_due(struct pace *p);
/* The same without sleep. */
unsigned pace_ready(struct pace *p);
bool pace_over(const struct pace *p);

/* ---- datagrams from any source ---- */

enum {
	WIRE_BATCH = 32,
	WIRE_HEADERS = 28
};

struct wire {
	int fd;
	struct sockaddr_in to;
	unsigned n;
	uint64_t sent, bytes; /* datagrams and their UDP payload */
	uint8_t packet[WIRE_BATCH][WIRE_HEADERS + DATAGRAM_ROOM];
	size_t len[WIRE_BATCH];
};

void wire_init(struct wire *w, const struct sockaddr_in *to);
/* Another destination from now on. */
void wire_turn(struct wire *w, const struct sockaddr_in *to);
/* Room for the payload of the next datagram, DATAGRAM_ROOM bytes; wire_send sends it. */
uint8_t *wire_room(struct wire *w);
void wire_send(struct wire *w, uint32_t source, uint16_t port, size_t len);
/* Sends what is still waiting. */
void wire_flush(struct wire *w);
void wire_fini(struct wire *w);

/* The n-th source of the orders, round and round, and a port. */
uint32_t source_of(const struct orders *o, uint64_t n);
uint16_t port_of(const struct orders *o);

/* ---- what comes back, and what goes by ---- */

/* Counts UDP datagrams that come in from a host to a range of addresses. */
struct tally {
	int fd;
	uint32_t from;		/* whose datagrams count, host order */
	uint32_t first, number; /* to these addresses */
	uint64_t datagrams, bytes;
	size_t longest;
};

void tally_init(struct tally *t, uint32_t from, uint32_t first, uint32_t number);
/* Takes in what has come. */
void tally_read(struct tally *t);
/* Waits for answers that are still under way, and ends. */
void tally_finish(struct tally *t);

/* A UDP datagram seen on an interface of any namespace. */
struct seen {
	struct sockaddr_in from, to;
	const uint8_t *data;
	size_t len;
};

/* Links of any namespaces. */
struct watch {
	unsigned n;
	struct pollfd at[4];
};

/* list is NAMESPACE/INTERFACE,..., as of "ip netns". */
void watch_open(struct watch *w, const char *list);
void watch_close(struct watch *w);
/* Sleeps until something goes by, at most so long. */
void watch_wait(struct watch *w, int ms);
/* The next one, into buf; false when there is none now. */
bool watch_next(int fd, uint8_t *buf, size_t cap, struct seen *s);

/* The UDP datagrams of a capture by tcpdump of an Ethernet interface. */
struct captured {
	unsigned n;
	struct captured_datagram {
		uint32_t from; /* host order */
		uint16_t port;
		size_t len;
		uint8_t data[DATAGRAM_ROOM];
	} * at;
};

void captured_load(struct captured *c, const char *file);
void captured_free(struct captured *c);

/* ---- the ways to attack: each prints one line of JSON ---- */

void attack_junk(const struct orders *o);
void attack_inits(const struct orders *o);
void attack_hellos(const struct orders *o);
void attack_replay(const struct orders *o);
void attack_repeat(const struct orders *o);
void attack_stale(const struct orders *o);
void attack_register(const struct orders *o);
void attack_groups(const struct orders *o);
void attack_knock(const struct orders *o);
void attack_amplify(const struct orders *o);

/* "ready": it is prepared, and attacks from now on. */
void say_ready(void);
/* {"sent": ..., "sent_bytes": ..., "got": ..., "got_bytes": ..., "longest": ...} */
void print_result(const struct wire *w, const struct tally *t);

#endif
