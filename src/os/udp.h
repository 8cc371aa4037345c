/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * UDP sockets: one for IPv4 and one for IPv6 (IPV6_V6ONLY) on the same port, used in batches.
 *
 * Datagrams are sent with "don't fragment", and the kernel's idea of the path MTU is ignored: what
 * is larger than the path allows is lost or gives too_large, and the core finds the limit itself.
 * The address at which a datagram arrived is reported, and may be given as source for the answer.
 *
 * A struct udp may be used by several threads at once, a struct udp_batch by one only. Nothing
 * is allocated after udp_open and udp_batch_create, and only udp_wait_writable blocks.
 *
 * Every system; trains are for Linux and, as far as it goes, Windows, which udp_uses tells. Where
 * sockets of one port do not share the senders, udp_join gives N2N_ENOSYS and there is one worker.
 */
#ifndef N2N_OS_UDP_H
#define N2N_OS_UDP_H

#include "base/endpoint.h"
#include "base/feature.h"
#include "os/error.h"
#include "os/handle.h"
#include "os/parent.h"

enum udp_family {
	UDP_V4,
	UDP_V6,
	UDP_FAMILIES
};

struct udp;
struct udp_batch;

/*
 * Bytes of a train that is sent. A longer one would be cut in software: with its headers for
 * Ethernet, IPv6 and UDP it has to stay below the interface's gso_max_size of 65,536.
 */
#define UDP_TRAIN_SEND_MAX (65535 - 14 - 40 - 8)
#define UDP_TRAIN_MAX	   65507 /* bytes of a train that is received */
#define UDP_TRAIN_SEGMENTS 64	 /* of a train that is sent; one received may have more */

/*
 * Opens the port at->port (0: any, the same for both families if there is one) at the address
 * at->ip (none: all addresses of both families; else the one family). At least one family must be
 * available. N2N_EEXIST when the port is in use, N2N_EPERM, N2N_ENOENT when the host does not have
 * the address. use is a set of enum feature; what the system lacks of FEATURES_OF_UDP in it, or is
 * known to do wrong, is left away.
 */
MUST_CHECK int udp_open(
	struct udp **out, const struct endpoint *at, unsigned use, struct os_error *err);
/*
 * The same by a parent that has the rights to it, if there is one: it opens what was configured
 * when the two parted, which at is to be. Kept for udp_join. parent may be NULL.
 */
MUST_CHECK int udp_open_by(struct udp **out, struct parent *parent, const struct endpoint *at,
	unsigned use, struct os_error *err);
/*
 * A further pair of sockets on the port and address of first, in the same families, for one more
 * worker: the kernel spreads the senders over all pairs and keeps each sender at one of them.
 * Errors as for udp_open.
 */
MUST_CHECK int udp_join(struct udp **out, const struct udp *first, struct os_error *err);
/* By which way what is sent leaves. Zeroed: as the routes of the host say. */
struct udp_exit {
	const char *device; /* by this interface alone, whatever its index; NULL: any */
	uint32_t mark;	    /* for rules of routing; 0: none */
};

/*
 * Has all that u sends from now on leave so; may be said again, and has to be when the interface
 * was made anew: what is sent meanwhile is refused, not sent elsewhere. Of addresses given as
 * source IPv6 ones are then left away. N2N_ENOENT: there is no such interface; N2N_EPERM: a mark
 * takes rights; N2N_EINVAL: the sockets are at an IPv6 address, which does not go with an
 * interface. Not on two threads at once; others may send meanwhile.
 */
MUST_CHECK int udp_leave_by(struct udp *u, const struct udp_exit *by, struct os_error *err);
/* When no thread uses it any more. NULL is fine. */
void udp_close(struct udp *u);

/* The socket, u's own, for stream_wait; none when the family is not available. */
struct os_handle udp_handle(const struct udp *u, enum udp_family family);
/* The port in use; 0 when the family is not available. */
uint16_t udp_port(const struct udp *u, enum udp_family family);
/*
 * What is in use, a set of enum feature. FEATURE_GSO ends by itself when the way out turns out to
 * be unable to do it. Any thread.
 */
unsigned udp_uses(const struct udp *u);

/* What arrived and was lost, because the socket's queue was full; 0 where that cannot be told. */
uint64_t udp_lost(const struct udp *u);

/* The kernel's view of up to size datagrams; a call handles more in turns. N2N_ENOMEM. */
MUST_CHECK int udp_batch_create(struct udp_batch **out, size_t size);
/* NULL is fine. */
void udp_batch_destroy(struct udp_batch *b);
/*
 * Sending with this batch leaves part of the socket's buffer to others who send through the same
 * socket: udp_send returns early when it is three quarters full.
 */
void udp_batch_leave_room(struct udp_batch *b);

struct udp_packet {
	uint8_t *data; /* the caller's, cap bytes; with FEATURE_GRO at least UDP_TRAIN_MAX */
	size_t cap;
	size_t len;
	struct endpoint from;
	struct endpoint local; /* the address it was sent to, and our port; none when unknown */
	unsigned link;	       /* index of the interface by which it came; 0 when unknown */
	/*
	 * Of a train: the length of each datagram in it but the last, which may be shorter. Else
	 * len.
	 */
	size_t segment_size;
	bool truncated; /* it was longer than cap; the rest is lost */
};

/*
 * Receives what has arrived at one of the sockets, in order, at most n datagrams and at most the
 * size of the batch. Returns their number, 0 when there is nothing (or the family is not
 * available), N2N_EIO when the socket is broken. ICMP errors of earlier sends are swallowed.
 */
MUST_CHECK int udp_recv(struct udp *u, enum udp_family family, struct udp_batch *b,
	struct udp_packet *packets, size_t n);

struct udp_packet_out {
	const uint8_t *data;
	size_t len;
	struct endpoint to;
	struct endpoint local; /* the source address to use (its port is ignored); none: any */
};

/* Added to by udp_send, never reset; every packet done with is counted in exactly one. */
struct udp_sent {
	uint64_t sent;
	uint64_t too_large; /* above the limit of the interface */
	uint64_t refused;   /* no route, a firewall, the family is not available */
};

/*
 * Sends packets, of both families mixed, in their order. Neighbours of one length with one way to
 * one receiver, and a shorter one behind them, leave as a train; when it is refused, one by one.
 * Returns how many of them, counted from the first, are done with: fewer than n means that the
 * socket buffer is full, and the caller drops the rest or tries again. A source address that the
 * host no longer has is left away.
 */
size_t udp_send(struct udp *u, struct udp_batch *b, const struct udp_packet_out *packets, size_t n,
	struct udp_sent *count);

/*
 * Waits until the socket takes datagrams again, at most timeout_ms milliseconds; false if it does
 * not.
 */
bool udp_wait_writable(const struct udp *u, enum udp_family family, int timeout_ms);

#endif
