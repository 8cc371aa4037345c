/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of frames that go to more than one, each with limits of its own (PROTOCOL.md 10.5). */
#ifndef N2N_BASE_FLOOD_KIND_H
#define N2N_BASE_FLOOD_KIND_H

/* Identifier, and the plural for people. */
#define FLOOD_KIND_LIST(X)                                                                         \
	X(VITAL, "ARP, neighbour discovery, DHCP, group and routing messages")                     \
	X(PROBE, "loop probes")                                                                    \
	X(BROADCAST, "broadcasts")                                                                 \
	X(MULTICAST, "multicasts to all hosts of the link")                                        \
	X(STREAM, "multicasts")                                                                    \
	X(UNKNOWN, "frames to addresses that nobody knows")

enum flood_kind {
#define X(id, text) FLOOD_##id,
	FLOOD_KIND_LIST(X)
#undef X
	FLOOD_KINDS
};

#endif
