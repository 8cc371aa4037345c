/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate between a community's interface and its peers: which VLANs pass, and which frames it
 * looks at by the way, our own (wire/loop_frame.h) and those of spanning trees. The control thread
 * makes it (core/edge/bridge.h), and a new one with every change; workers find it in their view.
 * Who neither is a bridge nor guards against BPDUs has none, and drops those of who is no bridge.
 */
#ifndef N2N_CORE_DATA_GATE_H
#define N2N_CORE_DATA_GATE_H

#include <stdatomic.h>

#include "core/frame/frame.h"
#include "core/link/drop.h"
#include "core/link/link.h"
#include "wire/loop_frame.h"

#define VLAN_WORDS (VLANS / 64)

#define PROBES_LATELY 64 /* so many of our probes count, of those that come back */
#define GATE_LANS     33 /* VLANs that are probed, and what is in none */
#define GATE_KNOWN    64 /* bridges whose probes are told apart */

/*
 * What changes without a new gate. VLANs of which frames were read from the interface: workers set
 * bits, the control thread clears. And when a probe of the LAN may be told again, by the places of
 * its sender and VLAN in the gate: what anybody else sends is in nobody's way.
 */
struct vlans_seen {
	_Atomic uint64_t word[VLAN_WORDS];
	_Atomic uint32_t number; /* of our last probe */
	_Atomic uint64_t probe_ms[GATE_KNOWN][GATE_LANS];
};

/* Immutable but for what seen points to. */
struct gate {
	uint8_t tag[LOOP_TAG_LEN]; /* of our own probes */
	bool bridge;		   /* else it guards only */
	bool bpdu_guard;
	bool shut;		      /* in some VLAN: what follows says where */
	bool closed;		      /* everywhere, but for our own probes ... */
	bool listening;		      /* ... and, if so, BPDUs */
	uint64_t standby[VLAN_WORDS]; /* VLANs that another bridge serves */
	struct vlans_seen *seen;      /* outlives it; NULL where it is no bridge */
	size_t n_known, n_lans;
	bool all_known; /* no other probe is one of a bridge of the community */
	uint8_t known[GATE_KNOWN][LOOP_TAG_LEN];
	uint16_t lan[GATE_LANS];
};

/* What becomes of a frame; what is told is left to the control thread, whether it passes or not. */
struct gate_verdict {
	bool passes;
	bool told;
	enum drop why; /* where it does not pass */
	uint16_t vlan; /* a VLAN that was not seen lately, or 0 */
	bool ours;     /* what is told is our own probe, which everything depends on */
	unsigned slot; /* of what is told: what may be told at the same time has different ones */
	_Atomic uint64_t *due_ms; /* or, unless NULL, when it may be told again */
};

#define GATE_SLOTS     33 /* of what is not ours */
#define GATE_OWN_SLOTS 16 /* of what is, for each peer */

/* False for most frames, at the cost of a few compares. g may be NULL, here and below. */
static inline bool gate_concerns(const struct gate *g, const uint8_t *frame)
{
	uint16_t type;

	if (frame[0] == 1 && (frame[1] == 0x80 || frame[1] == 0))
		return true;
	if (g == NULL)
		return false;
	type = load_be16(frame + 12);
	return g->shut || type == LOOP_ETHERTYPE || ethertype_is_tag(type);
}

/* Who sent a frame with such a verdict is on the LAN, and not a member elsewhere. */
void gate_note_vlan(const struct gate *g, uint16_t vlan);

/* A frame of at least FRAME_MIN bytes that was read from the interface. */
struct gate_verdict gate_out(const struct gate *g, const uint8_t *frame, size_t len);
/* One that a peer sent, of at least FRAME_MIN bytes; a probe is marked as carried. */
struct gate_verdict gate_in(
	const struct gate *g, const struct link *from, uint8_t *frame, size_t len);

#endif
