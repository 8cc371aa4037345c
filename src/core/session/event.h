/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the core tells its host: things to log, to remember on disk, or to do. Pointers inside an
 * event live only for the call. Control thread.
 */
#ifndef N2N_CORE_SESSION_EVENT_H
#define N2N_CORE_SESSION_EVENT_H

#include "base/endpoint.h"
#include "base/mac.h"
#include "core/link/link.h"
#include "crypto/keystring.h"

/*
 * Identifier, name for machines, and what is said of the supernode, the peer or the community that
 * the event is about. Beside it: which fields hold something. Of supernodes they are supernode,
 * community, remote and key, its own; of peers community, edge and key, the peer's.
 */
#define EVENT_KINDS(X)                                                                             \
	X(SUPERNODE_UP, "supernode-up", "registered") /* observed, value: our handle */            \
	X(SUPERNODE_SILENT, "supernode-silent",                                                    \
		"no answer; is it running, is its UDP port open? Trying on")                       \
	X(SUPERNODE_KEY, "supernode-key", "its key became known") /* and should be kept */         \
	X(SUPERNODE_KEY_CHANGED, "supernode-key-changed",                                          \
		"its key is not the one of last time; was it set up anew? Going on with the new "  \
		"key")                                                                             \
	X(SUPERNODE_KEY_MISMATCH, "supernode-key-mismatch",                                        \
		"it has another key than the one given for it; not used. Compare with the key it " \
		"prints at its start")                                                             \
	X(SUPERNODE_REFUSED, "supernode-refused", "registration refused") /* register_result */    \
	X(PEER_UP, "peer-up", "connected")				  /* its first key set */  \
	X(PEER_DOWN, "peer-down", "gone")		     /* goodbye, or its keys ran out */    \
	X(PEER_RESTARTED, "peer-restarted", "was restarted") /* it is a new process */             \
	X(MAC_REFUSED, "mac-refused", "claims an address that is not its own") /* mac, owner, */   \
	/* value: enum mac_refusal */                                                              \
	X(PATH_DIRECT, "path-direct", "direct path")	 /* remote, value: round trip in us */     \
	X(PATH_RELAY, "path-relay", "through the relay") /* value: enum relay_reason */            \
	X(IDENTITY_TWICE, "identity-twice",                                                        \
		"another host runs with a copy of its identity") /* value: enum twice; of a */     \
	/* peer or, where key is NULL, of us: then edge is our own id */                           \
	X(IP_CONFLICT, "ip-conflict", "claimed by two members") /* ip; key: of one of the two; */  \
	/* owner_key: of the other, who was first, NULL: us. value: enum ip_conflict */            \
	X(CLAIM_REFUSED, "claim-refused", "our MAC address is refused us") /* mac; key: of who */  \
	/* refuses it, owner: whose it is there; value: how many do, 0 when it is over */          \
	X(WRONG_KEY, "wrong-key",                                                                  \
		"no other member under this key; is it the same key everywhere?") /* community */  \
	X(WRONG_PASSPHRASE, "wrong-passphrase",                                                    \
		"the passphrase differs from that of every member reached; is it typed right?")    \
	X(OTHER_PASSPHRASE, "other-passphrase",                                                    \
		"has another passphrase") /* remote if known; value: it holds, or not any more */  \
	X(GUESSING, "guessing",                                                                    \
		"many joins with a wrong passphrase; somebody may be guessing it. Members that "   \
		"others vouch for get in as always")                                               \
	X(OWN_DATAGRAMS, "own-datagrams",                                                          \
		"our own packets are led into the tunnel") /* remote: to whom; value: */           \
	/* enum own_receiver; supernode, or edge and key, are the receiver's */                    \
	X(FIRST_HOP, "first-hop", "speaks for others") /* barred; key: NULL: our own host; */      \
	/* value: 0 when it is over; of BARRED_NEIGHBOUR ip, and owner_key, NULL: us */            \
	X(FOREIGN_SOURCE, "foreign-source",                                                        \
		"frames of other hosts are not carried") /* of a community: mac of one; */         \
	/* value: they come, or not any more */                                                    \
	X(STORM, "storm", "too many frames for all") /* value: so many a second more than pass; */ \
	/* 0: it is over; flood; of our interface mac, of one of them; of a peer edge and key */   \
	X(LOOP, "loop",                                                                            \
		"what we send to our LAN comes back out of the community") /* by key; value: */    \
	/* it does, or not any more */                                                             \
	X(STANDBY, "standby",                                                                      \
		"another member carries the frames of our LAN") /* edge; value: it does, or not */ \
	X(BPDU, "bpdu", "sends BPDUs of a spanning tree")	/* key; value: it does, or not */  \
	X(BROADCAST_REFUSED, "broadcast-refused",                                                  \
		"sends on no more of our broadcasts than it allows") /* value: how many a second,  \
								      */                           \
	/* 0 when it is over */                                                                    \
	X(FANOUT_REFUSED, "fanout-refused",                                                        \
		"has no room for all who are to get our broadcasts by it") /* value: that is so,   \
									    */                     \
	/* or not any more */                                                                      \
	X(LABEL, "label", "calls this community otherwise") /* key, label; value: it does, or */   \
	/* not any more */                                                                         \
	X(MEMBER_UP, "member-up", "registered") /* at a supernode: remote, value: its handle */    \
	X(MEMBER_DOWN, "member-down", "gone")	/* lease ended or left; value: its handle */       \
	X(MEMBER_REFUSED, "member-refused",                                                        \
		"registration refused") /* remote, value: enum register_result */                  \
	X(STATE, "state", "something worth saving changed")

enum event_kind {
#define X(id, name, text) EVENT_##id,
	EVENT_KINDS(X)
#undef X
};

/* How it stands with an identity that two hosts may have at once. */
enum twice {
	TWICE_NOT,   /* any more */
	TWICE_OTHER, /* there is another one; of us: it is refused */
	TWICE_US     /* we are refused */
};

/* Who has an IP address that a member claims as well. */
enum ip_conflict {
	IP_IS_FREE,    /* it is over */
	IP_IS_CLAIMED, /* another member, or us */
	IP_IS_LANS     /* a host behind the bridge that owner names */
};

/* Whose the MAC address is that a peer claims. */
enum mac_refusal {
	MAC_IS_ANOTHERS,
	MAC_IS_OURS,
	MAC_IS_OURS_BY_CHOICE, /* it comes of the peer's static: others give it to the peer */
	MAC_IS_IN_USE,	       /* it is a host's, heard behind the bridge that owner names */
	MAC_IS_FREE	       /* it is over: it has it, claims another, or is gone */
};

/* For whom our own packets are that came by an interface of ours; none did for a while. */
enum own_receiver {
	OWN_ENDED,
	OWN_TO_SUPERNODE,
	OWN_TO_PEER,
	OWN_TO_OTHERS
};

struct event {
	enum event_kind kind;
	unsigned community;
	unsigned supernode; /* index, in the order in which they were added */
	uint32_t value;
	struct endpoint remote;
	struct endpoint observed; /* our address as the supernode sees it */
	uint8_t edge[EDGE_ID_LEN];
	struct mac mac;
	uint8_t owner[EDGE_ID_LEN]; /* of mac; zero: us */
	const uint8_t *key;	    /* KEY_LEN bytes or NULL */
	uint8_t ip[16];		    /* IPv4 in its mapped form */
	enum barred barred;
	enum flood_kind flood;
	const uint8_t *owner_key; /* KEY_LEN bytes or NULL */
	const char *label;	  /* of a peer's choice: any bytes; or NULL */
};

/* Static; "?" for what is no event. Any thread. */
const char *event_text(enum event_kind kind);

#endif
