/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/data/gate.h"

#include <string.h>

#define STP	 UINT64_C(0x0180c2000000) /* IEEE 802.1Q, bridge group address */
#define PROVIDER UINT64_C(0x0180c2000008) /* of providers' bridges */
#define PVST	 UINT64_C(0x01000ccccccd)

#define OF_OTHERS_SLOTS 32
#define BPDU_SLOT	(GATE_SLOTS - 1)

static const struct gate_verdict passes = {.passes = true};

static struct gate_verdict ends(enum drop why)
{
	return (struct gate_verdict){.why = why};
}

static bool is_bpdu(const uint8_t *frame)
{
	uint64_t to = frame_destination(frame);

	return to == STP || to == PROVIDER || to == PVST;
}

static uint16_t vlan_of(const uint8_t *frame, size_t len)
{
	return len >= FRAME_MIN + 2 && ethertype_is_tag(load_be16(frame + 12)) ? frame_vlan(frame)
									       : 0;
}

static bool is_probe(struct loop_frame *p, const uint8_t *frame, size_t len)
{
	uint16_t type = load_be16(frame + 12);

	return (type == LOOP_ETHERTYPE || ethertype_is_tag(type)) &&
	       loop_frame_decode(p, frame, len) == 0;
}

static bool is_ours(const struct gate *g, const struct loop_frame *p)
{
	return memcmp(p->tag, g->tag, sizeof(p->tag)) == 0;
}

/* Where the gate is shut nothing passes, not even a probe: a loop that is cut is no loop. */
static struct gate_verdict pass_in_vlan(const struct gate *g, uint16_t vlan)
{
	if (g->shut && (g->closed || (g->standby[vlan / 64] >> vlan % 64 & 1) != 0))
		return ends(DROP_PORT_SHUT);
	return passes;
}

/* A spanning tree that hears nothing while the gate listens may open a loop right then. */
static struct gate_verdict pass_bpdu(const struct gate *g, const uint8_t *frame, size_t len)
{
	if (g == NULL)
		return passes;
	if (g->bpdu_guard)
		return ends(DROP_BPDU);
	return g->listening ? passes : pass_in_vlan(g, vlan_of(frame, len));
}

static _Atomic uint64_t *word_of(const struct gate *g, uint16_t vlan)
{
	return &g->seen->word[vlan / 64];
}

static bool is_noted(const struct gate *g, uint16_t vlan)
{
	return (atomic_load_explicit(word_of(g, vlan), memory_order_relaxed) >> vlan % 64 & 1) != 0;
}

void gate_note_vlan(const struct gate *g, uint16_t vlan)
{
	atomic_fetch_or_explicit(word_of(g, vlan), UINT64_C(1) << vlan % 64, memory_order_relaxed);
}

static size_t find_known(const struct gate *g, const struct loop_frame *p)
{
	size_t i = 0;

	while (i < g->n_known && memcmp(g->known[i], p->tag, sizeof(p->tag)) != 0)
		i++;
	return i;
}

static size_t find_lan(const struct gate *g, uint16_t vlan)
{
	size_t i = 0;

	while (i < g->n_lans && g->lan[i] != vlan)
		i++;
	return i;
}

/* Who is on the LAN, in that VLAN. A new VLAN, and one of too many bridges, may have to wait. */
static void tell_probe(const struct gate *g, const struct loop_frame *p, struct gate_verdict *v)
{
	size_t of = find_known(g, p), lan = find_lan(g, p->vlan);

	v->told = (p->flags & LOOP_CARRIED) == 0 && (of < g->n_known || !g->all_known);
	v->slot = (p->tag[0] ^ p->vlan) % OF_OTHERS_SLOTS;
	if (of < g->n_known && lan < g->n_lans)
		v->due_ms = &g->seen->probe_ms[of][lan];
}

struct gate_verdict gate_out(const struct gate *g, const uint8_t *frame, size_t len)
{
	struct gate_verdict v;
	struct loop_frame p;
	uint16_t vlan;

	if (is_bpdu(frame))
		return g != NULL && g->bridge ? pass_bpdu(g, frame, len) : ends(DROP_BPDU);
	if (g == NULL)
		return passes;
	vlan = vlan_of(frame, len);
	if (!g->bridge)
		return pass_in_vlan(g, vlan);
	if (is_probe(&p, frame, len)) {
		if (p.kind != LOOP_PROBE || is_ours(g, &p))
			return ends(DROP_LOOP_PROBE);
		v = pass_in_vlan(g, vlan);
		tell_probe(g, &p, &v);
		return v;
	}
	v = pass_in_vlan(g, vlan);
	v.vlan = vlan != 0 && !is_noted(g, vlan) ? vlan : 0;
	return v;
}

/* Whoever makes up others has them end here, and not in the way of those that do come back. */
static bool was_sent(const struct gate *g, uint32_t number)
{
	return atomic_load_explicit(&g->seen->number, memory_order_relaxed) - number <
	       PROBES_LATELY;
}

static struct gate_verdict probe_in(
	const struct gate *g, uint8_t *frame, const struct loop_frame *p)
{
	struct gate_verdict v;

	if (p->kind != LOOP_PROBE)
		return ends(DROP_LOOP_PROBE);
	if (is_ours(g, p)) {
		v = ends(DROP_LOOP_PROBE);
		v.told = v.ours = was_sent(g, p->number);
		v.slot = p->vlan % GATE_OWN_SLOTS;
		return v;
	}
	loop_frame_carry(frame);
	return pass_in_vlan(g, p->vlan);
}

struct gate_verdict gate_in(
	const struct gate *g, const struct link *from, uint8_t *frame, size_t len)
{
	bool bridge = link_has_role(from, ROLE_BRIDGE);
	struct loop_frame p;

	if (is_bpdu(frame)) {
		struct gate_verdict v = bridge ? pass_bpdu(g, frame, len) : ends(DROP_BPDU);

		v.told = g != NULL && g->bpdu_guard;
		v.slot = BPDU_SLOT;
		return v;
	}
	if (g == NULL)
		return passes;
	if (is_probe(&p, frame, len))
		return bridge && g->bridge ? probe_in(g, frame, &p) : ends(DROP_LOOP_PROBE);
	return pass_in_vlan(g, vlan_of(frame, len));
}
