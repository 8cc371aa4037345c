/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ethernet frames of our own that bridges write to their interfaces: probes, by which they find
 * loops and each other, and announcements, which show switches where an address is from now on
 * (PROTOCOL.md 9.8). Pure functions on bytes; any thread.
 *
 *   12 addresses | maybe 4 VLAN tag, of others up to 4 such | 0x88b5 | 4 magic | version | kind |
 * flags | 0 | 16 tag | 4 number | zeros up to 60 bytes
 */
#ifndef N2N_WIRE_LOOP_FRAME_H
#define N2N_WIRE_LOOP_FRAME_H

#include "wire/control.h"

#define LOOP_FRAME_MAX 64     /* bytes; without a VLAN tag four less */
#define LOOP_FRAME_MIN 42     /* shorter ones are none */
#define LOOP_ETHERTYPE 0x88b5 /* IEEE 802, for local experiments */

#define ETHERTYPE_VLAN	  0x8100 /* the tag of IEEE 802.1Q */
#define ETHERTYPE_SERVICE 0x88a8 /* and that of a provider's */

/*
 * A VLAN as a number: its id of 12 bits, and this bit where the outer tag is a provider's. 0: none,
 * or a tag for a priority alone.
 */
#define VLAN_SERVICE 4096u
#define VLANS	     8192u

enum loop_kind {
	LOOP_PROBE = 1,
	LOOP_ANNOUNCEMENT = 2
};

#define LOOP_SERVES  1u /* its sender reaches a member that is not on this LAN */
#define LOOP_CARRIES 4u /* and carries the frames of this VLAN at the moment */
#define LOOP_CARRIED 2u /* it came out of an n2n network since */

struct loop_frame {
	struct mac source;
	uint16_t vlan; /* VLAN_SERVICE and id */
	uint8_t kind;  /* enum loop_kind */
	uint8_t flags; /* LOOP_SERVES and so on; others are ignored */
	uint8_t tag[LOOP_TAG_LEN];
	uint32_t number; /* of the probe, by its sender's count */
};

/* Whether this EtherType is that of a tag. */
static inline bool ethertype_is_tag(uint16_t type)
{
	return type == ETHERTYPE_VLAN || type == ETHERTYPE_SERVICE;
}

/* The VLAN of a frame of at least 16 bytes with such an EtherType. */
static inline uint16_t frame_vlan(const uint8_t *frame)
{
	uint16_t id = load_be16(frame + 14) & 0xfff;

	return (uint16_t)(id != 0 && load_be16(frame + 12) == ETHERTYPE_SERVICE ? VLAN_SERVICE | id
										: id);
}

/* Writes it, to everybody; returns its length. */
size_t loop_frame_encode(uint8_t out[LOOP_FRAME_MAX], const struct loop_frame *f);
/* N2N_EINVAL, with *f undefined: it is none, or of a version or kind that is not known. */
MUST_CHECK int loop_frame_decode(struct loop_frame *f, const uint8_t *data, size_t len);
/* Sets LOOP_CARRIED in one that was decoded. */
void loop_frame_carry(uint8_t *data);
/*
 * The address that a sender's probes come from: a local one, made of its tag. Its interface's own
 * would have the host's bridge complain about its own address.
 */
struct mac loop_source(const uint8_t tag[LOOP_TAG_LEN]);

#endif
