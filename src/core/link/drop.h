/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why a frame or datagram was not passed on. Every drop has exactly one reason and is counted where
 * it happens; `n2n status` shows the sums. The names are part of the control interface.
 */
#ifndef N2N_CORE_LINK_DROP_H
#define N2N_CORE_LINK_DROP_H

#include <stdatomic.h>
#include <stdint.h>

#define DROP_REASONS(X)                                                                            \
	X(TOO_SHORT, "too-short", "shorter than any packet")                                       \
	X(TOO_LONG, "too-long", "longer than any packet")                                          \
	X(UNKNOWN, "unknown", "for nobody here: stale, misdirected or noise")                      \
	X(AUTH, "auth", "a tag or MAC was wrong: damaged or forged")                               \
	X(REPLAY, "replay", "seen before, or too old to tell")                                     \
	X(CIPHER, "cipher", "a transform that was not agreed on")                                  \
	X(GROUP_KEY, "group-key", "a group packet under a key that its sender has not told us")    \
	X(SIGNATURE, "signature", "a group packet whose signature is missing or wrong")            \
	X(EXPIRED, "expired", "under a key that is too old")                                       \
	X(MALFORMED, "malformed", "genuine, but not understood")                                   \
	X(REFLECTED, "reflected", "our own packet came back")                                      \
	X(OVERLAY, "overlay", "by an interface of an n2n network")                                 \
	X(SOURCE_MAC, "source-mac", "a source MAC that is not the sender's")                       \
	X(FOREIGN_SOURCE, "foreign-source", "of another host than ours, which is no bridge")       \
	X(NEIGHBOUR, "neighbour", "told where the IP address of another member is")                \
	X(DHCP, "dhcp", "answer of a DHCP server, from a member that is none")                     \
	X(ROUTER, "router", "of a router, from a member that is none, or hiding what it is")       \
	X(OWN_DHCP, "own-dhcp", "answer of a DHCP server here, which is not meant to be one")      \
	X(OWN_ROUTER, "own-router", "of a router here, which is not meant to be one, or hidden")   \
	X(CLAIMED_SOURCE, "claimed-source", "by our interface, but another member speaks for it")  \
	X(LOCAL, "local", "for a host behind our own interface")                                   \
	X(FLOOD, "flood", "to an unknown address, and there were too many such")                   \
	X(STORM, "storm", "to a group, by our interface, and there were too many such")            \
	X(PEER_STORM, "peer-storm", "to a group, of a member that sent too many such")             \
	X(ANSWERED, "answered", "asked where a member is, and was told so here")                   \
	X(NO_LISTENER, "no-listener",                                                              \
		"to a group that no member listens to, or word of one for nobody")                 \
	X(FRAME_SHORT, "frame-short", "not even an Ethernet header")                               \
	X(FRAME_LONG, "frame-long", "larger than a packet can carry")                              \
	X(UNCUT, "uncut", "a super-frame that no datagrams could carry")                           \
	X(OWN_DATAGRAM, "own-datagram", "our own datagram, led into the tunnel by a route")        \
	X(PORT_SHUT, "port-shut", "while our bridge port is closed or on standby")                 \
	X(LOOP_PROBE, "loop-probe",                                                                \
		"a loop probe that ends here, or of a member that is no bridge")                   \
	X(BPDU, "bpdu", "of a spanning tree, where none may pass")                                 \
	X(NO_PEER, "no-peer", "nobody to send it to")                                              \
	X(OWNER_AWAY, "owner-away", "for the address of a member that is away")                    \
	X(NO_PATH, "no-path", "neither a direct path nor a relay")                                 \
	X(WAIT_FULL, "wait-full", "too many frames wait for a session already")                    \
	X(WAIT_TIMEOUT, "wait-timeout", "no session came about in time")                           \
	X(QUEUE_FULL, "queue-full", "the control thread has more to do than it can")               \
	X(RATE, "rate", "over a limit on handshakes or on relaying to strangers")                  \
	X(UNPROVEN, "unproven", "from an address that may be forged, so far")                      \
	X(STALE, "stale", "a handshake older than one already taken")                              \
	X(POOL_FULL, "pool-full", "too many handshakes at once")                                   \
	X(NOT_REGISTERED, "not-registered", "relaying asked for by an unregistered edge")          \
	X(NO_DESTINATION, "no-destination", "relaying to a handle that is not of the community")   \
	X(FANOUT, "fan-out", "to a group in a version that the supernode has not")                 \
	X(GROUP_RATE, "group-rate", "to a group, over a limit of its sender or community")         \
	X(PIECE_LATE, "piece-late", "half of a frame, whose other half did not come in time")      \
	X(PIECE_ROOM, "piece-room", "half of a frame, with no room to wait for the other half")    \
	X(UNDERLAY_MTU, "underlay-mtu", "larger than the network underneath takes")                \
	X(SOCKET, "socket", "the system would not send it, or its queue is full")                  \
	X(RECEIVE_QUEUE, "receive-queue", "came faster than it could be read")                     \
	X(TAP, "tap", "the interface would not take it")

enum drop {
#define X(id, name, text) DROP_##id,
	DROP_REASONS(X)
#undef X
	DROP_COUNT
};

/* One thread adds, any thread reads. */
struct drops {
	_Atomic uint64_t n[DROP_COUNT];
};

/* The name, static; "?" for what is no reason. Any thread. */
const char *drop_name(enum drop d);
/* What it means, for people. As drop_name. */
const char *drop_text(enum drop d);

/* Adds by load and store: cheaper than a locked add, and right with one writer, who alone may. */
static inline void drops_add(struct drops *d, enum drop why, uint64_t n)
{
	uint64_t old = atomic_load_explicit(&d->n[why], memory_order_relaxed);

	atomic_store_explicit(&d->n[why], old + n, memory_order_relaxed);
}

/* The count so far. Any thread; of several reasons not of one moment. */
static inline uint64_t drops_get(const struct drops *d, enum drop why)
{
	return atomic_load_explicit(&d->n[why], memory_order_relaxed);
}

#endif
