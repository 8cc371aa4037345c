/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control messages: the plaintext of a data packet of kind 3 is a sequence of them (PROTOCOL.md 7).
 *
 *   type u8 | flags u8 (0) | body length u16 | sequence u32 | body
 *
 * A sequence other than 0 asks for an ACK and is higher for each newer state of the same type; a
 * receiver ignores a message older than the last of its type that it took. Unknown types with a
 * sequence are acknowledged and ignored, so that newer versions may add some. The core decides what
 * is repeated, acknowledged or ignored; here are only the bytes. Pure functions; any thread.
 */
#ifndef N2N_WIRE_CONTROL_H
#define N2N_WIRE_CONTROL_H

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/limits.h"
#include "base/mac.h"
#include "base/role.h"
#include "crypto/crypto.h"
#include "crypto/keystring.h"
#include "wire/packet.h"

#define CONTROL_HEADER_LEN  8
#define CONTROL_MAX_LEN	    1150 /* of all messages in one packet: fits 1,280-byte paths, relayed */
#define CONTROL_PADDED_MAX  1040 /* and how far padding may go */
#define ROSTER_LOCATOR_MAX  32
#define ROSTER_PAGE_MAX	    24 /* entries */
#define ROSTER_FIXED_LEN    18 /* body of a page without entries */
#define ROSTER_ENTRY_LEN    42 /* of an entry without locator */
#define CANDIDATES_MAX	    16
#define CLAIM_ADDRESSES_MAX OVERLAY_ADDRESSES_MAX
#define ACK_RANGES_MAX	    16
#define COMMUNITY_TAG_LEN   16
#define VOUCH_MAX	    32 /* statics in one message */
#define LISTENED_MAX	    150
#define FANOUT_CHANGES_MAX  200 /* handles in one message */
#define LOOP_TAG_LEN	    16

enum control_type {
	CONTROL_PAD = 0, /* body ignored */
	CONTROL_ACK = 1,
	CONTROL_PING = 2,
	CONTROL_PONG = 3,
	CONTROL_REGISTER = 4,
	CONTROL_REGISTERED = 5,
	CONTROL_UNREGISTER = 6,
	CONTROL_ROSTER = 7,
	CONTROL_BYE = 8,
	CONTROL_CANDIDATES = 9,
	CONTROL_PATH_PROBE = 10,
	CONTROL_PATH_ECHO = 11,
	CONTROL_CLAIM = 12,
	CONTROL_GROUP_KEY = 13,
	CONTROL_GROUP_ASK = 14,
	CONTROL_LISTENERS = 15,
	CONTROL_NAMES = 16,
	/* 17 to 19 reserved: CREDENTIAL, REVOKE, BLOB */
	CONTROL_TYPES = 20, /* those below may have a sequence */
	CONTROL_VOUCH_ASK = 20,
	CONTROL_VOUCH = 21,
	CONTROL_CLAIM_REFUSED = 22,
	CONTROL_FANOUT = 23,
	CONTROL_FANNED = 24
};

/* One message as it stands in the packet; the body is borrowed. */
struct control_msg {
	uint8_t type;
	uint32_t seq;
	struct reader body;
};

/*
 * The next message of a packet: 1 and *m, whose body points into the packet; 0 at the end;
 * N2N_EINVAL when one reaches beyond it, after which the rest of the packet is to be ignored.
 */
MUST_CHECK int control_next(struct reader *packet, struct control_msg *m);
/*
 * Starts a message; write the body with the writer, then control_end sets its length. Returns a
 * cookie for control_end. A message that did not fit leaves the writer bad.
 */
size_t control_begin(struct writer *w, enum control_type type, uint32_t seq);
/* Fills in the length of the body that was written since control_begin returned begin. */
void control_end(struct writer *w, size_t begin);

/* Sequences received, as inclusive ranges. */
struct control_ack {
	uint8_t n;
	struct {
		uint32_t first, last;
	} range[ACK_RANGES_MAX];
};

/* To the supernode and back; also between edges. */
struct control_ping {
	uint64_t token;
};

/* The answer says from where the PING came. */
struct control_pong {
	uint64_t token;
	struct endpoint observed;
};

/* An edge makes itself known to a supernode, or refreshes it. */
struct control_register {
	uint8_t tag[COMMUNITY_TAG_LEN]; /* the community */
	uint8_t static_public[KEY_LEN]; /* of the edge in this community */
	uint8_t proof[16];		/* that the edge holds its secret (PROTOCOL.md 7.4) */
	uint32_t incarnation;
	uint64_t roster_version; /* the last one applied, 0 for none */
	uint8_t locator_len;
	uint8_t locator[ROSTER_LOCATOR_MAX];
};

enum register_result {
	REGISTER_OK = 0,
	REGISTER_COMMUNITY_FULL = 1,
	REGISTER_BAD_PROOF = 2,
	REGISTER_SUPERNODE_FULL = 3,
	REGISTER_ADDRESS_LIMIT = 4,  /* too many, or too many at once, from where the edge is */
	REGISTER_OTHER_IDENTITY = 5, /* than the one that this hop session registered before */
	REGISTER_IDENTITY_TWICE = 6, /* another process with this identity is registered */
	REGISTER_RESULTS	     /* how many there are */
};

struct control_registered {
	uint8_t result;	  /* enum register_result; the rest is 0 unless OK */
	uint32_t handle;  /* how others of the community address this edge through the supernode */
	uint16_t lease_s; /* without a packet for so long the registration ends */
	struct endpoint observed;
	bool twice; /* another process with this identity was refused lately */
};

struct roster_entry {
	bool gone;  /* left; only the handle and the key are meant */
	bool twice; /* another process with its identity was refused lately */
	uint32_t handle;
	uint32_t incarnation;
	uint8_t static_public[KEY_LEN];
	uint8_t locator_len;
	uint8_t locator[ROSTER_LOCATOR_MAX];
};

/*
 * A page of changes: it applies to a roster at version base and brings it to version. base 0
 * starts anew: entries not named by the pages from then to the next one with last are gone.
 */
struct control_roster {
	uint64_t base;
	uint64_t version;
	bool last; /* the roster is now complete */
	uint8_t n;
	struct roster_entry entry[ROSTER_PAGE_MAX];
};

enum bye_reason {
	BYE_SHUTDOWN = 1
};

struct control_bye {
	uint8_t reason;
};

enum candidate_kind {
	CANDIDATE_LOCAL = 1,
	CANDIDATE_OBSERVED = 2
};

struct control_candidates {
	uint8_t mask[MASK_LEN]; /* mask key for packets that reach the sender directly */
	uint8_t port_count;	/* reserved for several ports per edge; 1 */
	uint8_t n;
	struct {
		uint8_t kind; /* enum candidate_kind */
		struct endpoint endpoint;
	} candidate[CANDIDATES_MAX];
};

struct control_probe {
	uint64_t token;
};

struct control_echo {
	uint64_t token;
	struct endpoint observed;
};

struct claim_address {
	uint8_t ip[16]; /* IPv4 as IPv4-mapped */
	uint8_t prefix; /* of the 32 or 128 bits */
};

/* What a member owns inside the community, and what it is. */
struct control_claim {
	struct mac mac;
	uint8_t roles;		   /* a set of enum member_role */
	uint8_t tag[LOOP_TAG_LEN]; /* of its loop probes; zero: it sends none */
	uint8_t n;
	struct claim_address address[CLAIM_ADDRESSES_MAX];
};

/* The receiver claims an address that is somebody else's, as the sender sees it. */
struct control_claim_refused {
	struct mac mac;
	uint8_t owner[EDGE_ID_LEN]; /* whose it is; zero: the receiver's, from now on */
};

/* The key of the sender's group packets. Wiped by its owner. */
struct control_group_key {
	uint32_t index; /* chosen by the sender, another one for each key */
	uint8_t suite;	/* transform id of its packets */
	bool is_signed; /* each packet has a signature */
	uint8_t key[KEY_LEN];
	uint8_t iv[NONCE_LEN];
	uint8_t mask[MASK_LEN];
	uint32_t floor;		 /* counters below are not for the receiver */
	uint8_t verify[KEY_LEN]; /* Ed25519, if signed */
};

/* The receiver's group packets under this key cannot be opened. */
struct control_group_ask {
	uint32_t index;
};

/* Which groups the sender wants to hear. */
struct control_listeners {
	bool all; /* the rest counts for nothing */
	uint8_t n;
	struct mac group[LISTENED_MAX];
};

/* What the sender calls things, for people. */
struct control_names {
	uint8_t community_len;			/* bytes; 0: it has no name for it */
	char community[COMMUNITY_NAME_MAX + 1]; /* UTF-8; the decoder ends it with a NUL */
};

/* A change of one of the sender's fan-out sets at the supernode. */
struct control_fanout {
	uint8_t set;	  /* below FANOUT_SETS */
	uint32_t base;	  /* the version that is changed; 0: an empty one */
	uint32_t version; /* what it is then: from base + 1 to FANOUT_VERSION_MAX */
	uint8_t n_gone, n_new;
	uint32_t gone[FANOUT_CHANGES_MAX]; /* handles; with those of new not more than this */
	uint32_t new[FANOUT_CHANGES_MAX];
};

/* How it stands with one, and with the receiver's group packets altogether. */
struct control_fanned {
	uint8_t set;
	uint32_t version;   /* that the supernode has; 0: none */
	uint32_t refused;   /* group packets over a limit since the registration, modulo 2^32 */
	uint32_t packets_s; /* limits: in a second */
	uint32_t bytes_s;
};

/* Members whom the receiver may have met, or whom the sender has: VOUCH_ASK and VOUCH. */
struct control_vouch {
	uint8_t n;
	uint8_t static_public[VOUCH_MAX][KEY_LEN];
};

/*
 * Each encoder writes one whole message, header and body, and borrows *m for the call; a writer
 * that is bad afterwards means it did not fit. Counts and lengths in *m are within their limits.
 * Messages that are acknowledged take their sequence as an argument, all others have 0.
 *
 * Each decoder takes the body of a control_msg of its type, by value, so that it may be read again.
 * N2N_EINVAL, with *m filled in part, when the body is shorter than its fields or a count is above
 * its limit, and where said so. Trailing bytes of a body are ignored so that newer versions may
 * append fields. Results, reasons and kinds are as sent, unknown ones included. The numbers are
 * sections of PROTOCOL.md.
 */

/*
 * 7.1: a PAD that makes what w holds so long in all, len being at least CONTROL_HEADER_LEN more
 * than that.
 */
void control_pad(struct writer *w, size_t len);
/* 7.1: a packet of nothing but PADs, or of nothing at all: it says that its sender is there. */
bool control_is_empty(const uint8_t *plain, size_t len);
/* 7.2 */
void control_ack_encode(struct writer *w, const struct control_ack *m);
/* N2N_EINVAL also when a range ends before it begins. */
MUST_CHECK int control_ack_decode(struct control_ack *m, struct reader body);
/* 7.3 */
void control_ping_encode(struct writer *w, const struct control_ping *m);
/* 7.3 */
MUST_CHECK int control_ping_decode(struct control_ping *m, struct reader body);
/* 7.3; an observed endpoint that is all zero says that the PING was relayed. */
void control_pong_encode(struct writer *w, const struct control_pong *m);
/* 7.3; observed may be any bytes, also what endpoint_is_usable refuses. */
MUST_CHECK int control_pong_decode(struct control_pong *m, struct reader body);
/* 7.4 */
void control_register_encode(struct writer *w, uint32_t seq, const struct control_register *m);
/* 7.4; the proof is not checked here, for want of the keys that it hangs on. */
MUST_CHECK int control_register_decode(struct control_register *m, struct reader body);
/* 7.5; with a result other than REGISTER_OK the other fields should be 0. */
void control_registered_encode(struct writer *w, uint32_t seq, const struct control_registered *m);
/* 7.5; with a result other than REGISTER_OK the other fields mean nothing. */
MUST_CHECK int control_registered_decode(struct control_registered *m, struct reader body);
/* 7.6; the body is empty, so there is nothing to decode. */
void control_unregister_encode(struct writer *w);
/*
 * 7.7. A page of n entries with locators of m bytes takes CONTROL_HEADER_LEN + ROSTER_FIXED_LEN +
 * n * (ROSTER_ENTRY_LEN + m) bytes: with 24 entries it fits CONTROL_MAX_LEN up to m = 4.
 */
void control_roster_encode(struct writer *w, uint32_t seq, const struct control_roster *m);
/* 7.7 */
MUST_CHECK int control_roster_decode(struct control_roster *m, struct reader body);
/* 7.8 */
void control_bye_encode(struct writer *w, const struct control_bye *m);
/* 7.8 */
MUST_CHECK int control_bye_decode(struct control_bye *m, struct reader body);
/* 7.9 */
void control_candidates_encode(struct writer *w, uint32_t seq, const struct control_candidates *m);
/* 7.9; candidates that endpoint_is_usable refuses are left out and not counted in m->n. */
MUST_CHECK int control_candidates_decode(struct control_candidates *m, struct reader body);
/* 7.10 */
void control_probe_encode(struct writer *w, const struct control_probe *m);
/* 7.10 */
MUST_CHECK int control_probe_decode(struct control_probe *m, struct reader body);
/* 7.10 */
void control_echo_encode(struct writer *w, const struct control_echo *m);
/* 7.10; whether the token was ever sent is the caller's to ask. */
MUST_CHECK int control_echo_decode(struct control_echo *m, struct reader body);
/* 7.11 */
void control_claim_encode(struct writer *w, uint32_t seq, const struct control_claim *m);
/*
 * 7.11; N2N_EINVAL also for a prefix longer than the address. Zero and group MAC addresses pass:
 * the receiver must look.
 */
MUST_CHECK int control_claim_decode(struct control_claim *m, struct reader body);
/* 7.13; type is CONTROL_VOUCH_ASK or CONTROL_VOUCH. */
void control_vouch_encode(struct writer *w, enum control_type type, const struct control_vouch *m);
/* 7.13, of both types. */
MUST_CHECK int control_vouch_decode(struct control_vouch *m, struct reader body);
/* 7.14 */
void control_claim_refused_encode(struct writer *w, const struct control_claim_refused *m);
/* 7.14; any addresses pass. */
MUST_CHECK int control_claim_refused_decode(struct control_claim_refused *m, struct reader body);
/* 7.15 */
void control_group_key_encode(struct writer *w, uint32_t seq, const struct control_group_key *m);
/* 7.15; any suite and counter pass. */
MUST_CHECK int control_group_key_decode(struct control_group_key *m, struct reader body);
/* 7.16 */
void control_group_ask_encode(struct writer *w, const struct control_group_ask *m);
/* 7.16 */
MUST_CHECK int control_group_ask_decode(struct control_group_ask *m, struct reader body);
/* 7.17 */
void control_listeners_encode(struct writer *w, uint32_t seq, const struct control_listeners *m);
/* 7.17; N2N_EINVAL also for what is no group address. */
MUST_CHECK int control_listeners_decode(struct control_listeners *m, struct reader body);
/* 7.18 */
void control_names_encode(struct writer *w, uint32_t seq, const struct control_names *m);
/* 7.18; any bytes pass as a name: the receiver must look before it shows them. */
MUST_CHECK int control_names_decode(struct control_names *m, struct reader body);
/* 7.19 */
void control_fanout_encode(struct writer *w, const struct control_fanout *m);
/* 7.19; N2N_EINVAL also for a set or a version that cannot be. */
MUST_CHECK int control_fanout_decode(struct control_fanout *m, struct reader body);
/* 7.20 */
void control_fanned_encode(struct writer *w, const struct control_fanned *m);
/* 7.20; N2N_EINVAL also for a set that cannot be. */
MUST_CHECK int control_fanned_decode(struct control_fanned *m, struct reader body);

#endif
