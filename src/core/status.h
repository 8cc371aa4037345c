/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A snapshot of a node for people and programs: the core walks its objects and calls the sink for
 * each, in order. Pointers live only for the call. Control thread.
 */
#ifndef N2N_CORE_STATUS_H
#define N2N_CORE_STATUS_H

#include "base/mac.h"
#include "base/relay_reason.h"
#include "core/link/link.h"
#include "crypto/aead/aead.h"
#include "crypto/keystring.h"
#include "wire/control.h"

#define NEVER_MS UINT64_MAX

/*
 * What a community as a whole is up to: identifier, name, which is part of the control interface,
 * and text for people, which follows the community's name.
 */
#define COMMUNITY_STATES(X)                                                                        \
	X(NO_SUPERNODE, "no-supernode", "no supernode answers; trying again all the time")         \
	X(ALONE, "alone", "registered; no other member is there")                                  \
	X(REFUSED, "refused", "no supernode takes the registration; trying again")                 \
	X(JOINING, "joining", "other members are there; shaking hands")                            \
	X(WRONG_KEY, "wrong-key", "no other member under this key")                                \
	X(WRONG_PASSPHRASE, "wrong-passphrase", "passphrase differs from every member reached")    \
	X(UP, "up", "connected")                                                                   \
	X(SILENT, "silent", "registered, but no other member answers any more")

enum community_state {
#define X(id, name, text) COMMUNITY_##id,
	COMMUNITY_STATES(X)
#undef X
};

/* Whether frames pass between the interface and the members: the same. */
#define GATE_STATES(X)                                                                             \
	X(OPEN, "open", "frames pass")                                                             \
	X(LISTENING, "listening",                                                                  \
		"just became a port of a bridge; listening whether another "                       \
		"member is there, and nothing passes yet")                                         \
	X(STANDBY, "standby", "another member on the same LAN carries its frames")                 \
	X(LOOP, "closed", "closed, as what is sent to the LAN comes back out of the community")

enum gate_state {
#define X(id, name, text) GATE_##id,
	GATE_STATES(X)
#undef X
};

#define STATUS_VLANS_MAX 32

/* A VLAN that goes another way than what is in none. */
struct status_vlan {
	uint16_t id;
	bool service; /* a provider's, by its tag */
	bool standby;
	uint8_t peer[EDGE_ID_LEN]; /* who carries it */
};

struct status_gate {
	bool bridge; /* else there is nothing to tell */
	enum gate_state state;
	bool has_peer;
	uint8_t peer[EDGE_ID_LEN]; /* who carries the frames, or by whom what is sent comes back */
	unsigned n_vlans;
	struct status_vlan vlan[STATUS_VLANS_MAX];
};

/* What a community's switch is up to. */
struct status_switch {
	bool bridge;	    /* frames of other hosts go out by our interface */
	uint32_t learned;   /* addresses */
	uint32_t room;	    /* for so many at least, --learn */
	uint64_t unlearned; /* times that one found no place */
};

/* How broadcasts go (PROTOCOL.md 10). */
struct status_broadcast {
	unsigned relayed; /* peers behind the relay, as last counted; 0: none was sent of late */
	unsigned fanned;  /* of them, those whom one group packet reaches */
	unsigned copies;  /* peers that get copies of their own */
	bool is_signed;
	uint64_t frames;  /* that went as group packets */
	uint64_t saved;	  /* copies that these took the place of */
	uint32_t refused; /* group packets that the supernode did not send on, of this registration
			   */
};

/* To which groups somebody listens. */
struct status_groups {
	const char *all; /* to all, and why, for machines, static; NULL: to these */
	uint8_t n;
	const struct mac *group;
};

struct status_community {
	unsigned index;
	const char *name;
	bool by_key; /* else by passphrase */
	uint8_t edge_id[EDGE_ID_LEN];
	struct mac mac;
	enum community_state state;
	unsigned listed; /* other members in the supernode's roster */
	unsigned up;	 /* of them with a session */
	int supernode;	 /* index of the one in use, if it answers; else -1 */
	uint8_t n_addresses;
	const struct claim_address *address;
	struct status_gate gate;
	struct status_broadcast broadcast;
	struct status_groups groups; /* who is at our interface */
	struct status_switch fdb;    /* of edge_status alone, as it takes a walk */
};

/* How the place of an address is known: the same, without texts. */
#define ADDRESS_KINDS(X)                                                                           \
	X(OWN, "own")                                                                              \
	X(CLAIMED, "claimed")                                                                      \
	X(LEARNED, "learned")

enum address_kind {
#define X(id, name) ADDRESS_##id,
	ADDRESS_KINDS(X)
#undef X
};

/*
 * Whether another member is there, by what was sent and heard: the same. That one with whom nobody
 * speaks has no keys after a while is no fault: the next frame shakes hands.
 */
#define PEER_STATES(X)                                                                             \
	X(JOINING, "joining", "listed, and never met; shaking hands")                              \
	X(UP, "up", "heard a moment ago")                                                          \
	X(IDLE, "idle", "nobody spoke with it lately; the next frame reaches it")                  \
	X(SILENT, "silent", "what was sent to it is not answered")                                 \
	X(AWAY, "away", "it left, or its supernode does not hear it any more")

enum peer_state {
#define X(id, name, text) PEER_##id,
	PEER_STATES(X)
#undef X
};

struct status_peer {
	unsigned community;
	uint8_t edge_id[EDGE_ID_LEN];
	bool listed;
	enum peer_state state;
	bool up; /* has keys */
	bool has_mac;
	struct mac mac;
	const char *label; /* what it calls the community, any bytes, if not what we do; or NULL */
	bool refused;	   /* it claims an address that is not its own: it has none */
	struct mac refused_mac;
	uint8_t owner[EDGE_ID_LEN]; /* of that one; our own id if it is ours */
	uint8_t n_addresses;
	const struct claim_address *address;
	bool direct;
	struct endpoint remote;	  /* when direct */
	enum relay_reason reason; /* when not */
	uint32_t rtt_us;	  /* when direct */
	enum aead_suite suite;	  /* when up */
	uint64_t key_age_ms;	  /* when up */
	uint64_t heard_ms;	  /* ago; NEVER_MS */
	uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;
	uint64_t barred[BARRED_KINDS]; /* frames of it that were dropped as it spoke for others */
	struct status_groups groups;   /* as far as we know */
	uint8_t says;		       /* its roles, as it says: of enum member_role ... */
	uint8_t roles;		       /* ... and those that it has here */
};

/* An Ethernet address, and where frames for it go. */
struct status_address {
	enum address_kind how;
	struct mac mac;
	bool here;		      /* by our interface, else to a peer */
	uint8_t edge_id[EDGE_ID_LEN]; /* the peer's, or ours */
	enum peer_state state;	      /* of the peer */
	uint64_t age_ms;	      /* learned: not heard for so long at least, and ... */
};

#define LEARNED_STEP_MS 50000u /* ... less than so much longer */

typedef void status_address_fn(void *ctx, const struct status_address *a);

/* How a community stands with a supernode: the same. */
#define SUPERNODE_STATES(X)                                                                        \
	X(UNRESOLVED, "unresolved", "its name has no address yet")                                 \
	X(SPARE, "spare", "known, not in use")                                                     \
	X(HELLO, "asking-key", "asked for its key, as none was given")                             \
	X(HANDSHAKE, "handshake", "shaking hands")                                                 \
	X(REGISTERING, "registering", "asked for the registration")                                \
	X(UP, "up", "registered")                                                                  \
	X(REFUSED, "refused", "refused the registration; to be asked again")                       \
	X(NO_ANSWER, "no-answer", "does not answer; trying again")                                 \
	X(MISMATCH, "key-mismatch", "its key is not the one given for it")

enum supernode_state {
#define X(id, name, text) SUPERNODE_##id,
	SUPERNODE_STATES(X)
#undef X
};

/*
 * Why a supernode refuses a registration: identifier of register_result, name, and text for people.
 * Results that are none of these are refusals without a reason.
 */
#define REGISTER_REFUSALS(X)                                                                       \
	X(COMMUNITY_FULL, "community-full", "the community is full there")                         \
	X(BAD_PROOF, "proof", "it doubts our identity")                                            \
	X(SUPERNODE_FULL, "supernode-full", "the supernode is full")                               \
	X(ADDRESS_LIMIT, "address-limit",                                                          \
		"too many registrations come from our address, or too fast")                       \
	X(OTHER_IDENTITY, "other-identity", "we are registered there as somebody else")            \
	X(IDENTITY_TWICE, "identity-twice",                                                        \
		"another host runs with a copy of our identity (state directory)")

struct status_supernode {
	unsigned index;
	unsigned community; /* state is that of this community's registration */
	struct endpoint remote;
	bool has_key;
	uint8_t key[KEY_LEN];
	bool key_changed; /* since it was remembered */
	enum supernode_state state;
	uint8_t refused; /* result of the last REGISTER, if that was a refusal; else REGISTER_OK */
	uint64_t retry_ms; /* while the state is refused: until it is asked again */
	uint64_t heard_ms;
	uint32_t handle;
	struct endpoint observed; /* our address as it sees it */
};

struct status_sink {
	void *ctx;
	void (*community)(void *ctx, const struct status_community *c);
	void (*peer)(void *ctx, const struct status_peer *p);
	void (*supernode)(void *ctx, const struct status_supernode *s);
};

/* For machines. The texts are static; "?" for what is no state. Any thread. */
const char *community_state_name(enum community_state s);
/* For people, to follow the community's name. */
const char *community_state_text(enum community_state s);
/* The same, and whether a supernode is missed. */
const char *community_text(const struct status_community *c);
/* For machines, and for people, to follow "interface". */
const char *gate_state_name(enum gate_state s);
const char *gate_state_text(enum gate_state s);
/* For machines, and for people. */
/* For machines. */
const char *address_kind_name(enum address_kind k);
/* For machines, and for people. */
const char *peer_state_name(enum peer_state s);
const char *peer_state_text(enum peer_state s);
/* For machines. */
const char *supernode_state_name(enum supernode_state s);
/* For machines. */
const char *barred_name(enum barred what);
/* For machines; "other" for a result that is unknown, as only newer supernodes have it. */
const char *register_refusal_name(unsigned result);
/* For people. */
const char *register_refusal_text(unsigned result);

#endif
