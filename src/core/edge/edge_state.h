/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an edge consists of; shared by the files that are its control path: edge.c (set-up, ticks),
 * peer.c (other members), claims.c, hop.c (supernodes), guesses.c, and the small ones named below.
 * Control thread, all of it; time is the core's now_ms. Pointers to a community or a peer are
 * borrowed.
 */
#ifndef N2N_CORE_EDGE_EDGE_STATE_H
#define N2N_CORE_EDGE_EDGE_STATE_H

#include "core/edge/addresses.h"
#include "core/edge/backlog.h"
#include "core/edge/edge.h"
#include "core/edge/group.h"
#include "core/edge/guesses.h"
#include "core/edge/hello.h"
#include "core/edge/owners.h"
#include "core/path/path.h"

#define PEERS_MAX   (2 * COMMUNITY_MEMBERS_MAX) /* with those that left and still have keys */
#define VOUCHED_MAX 3 /* handshakes on one member's word that are not confirmed */

struct community;
struct bridge;
struct snoop;

/* Whether a static belongs to one who knows the passphrase (PROTOCOL.md 5.5). Nothing on disk. */
struct trust {
	bool exempt;   /* it confirmed in this run, and no handshake stayed unconfirmed since */
	bool answered; /* while exempt: a handshake that it began waits for confirmation */
	bool known;    /* it has one handshake because an earlier run met it */
	uint64_t confirmed_ms;
	uint64_t drawn_until_ms; /* it won a draw, and has not come yet */
	uint64_t wanted_ms;	 /* refused for the budget, last; 0: not */
	uint64_t asked_ms;	 /* when others were asked about it, last */
	uint64_t vouch_until_ms;
	uint32_t voucher; /* id of the link to who vouched for it; 0: nobody */
	/* As one who vouches for others. */
	struct guess vouched[VOUCHED_MAX]; /* handshakes on its word, under way or failed */
	uint64_t question_ms;		   /* it was asked, and may answer; 0: not */
	struct bucket answers;		   /* that it gets of us */
};

/* What was dropped of who spoke for others, in one way. */
struct barred_watch {
	uint64_t seen;	   /* of the link's count */
	uint64_t since_ms; /* when it began; 0: it is over */
	uint64_t last_ms;
	bool told; /* EVENT_FIRST_HOP was, that it began */
};

/* More frames for many than may pass, of a peer or of our interface. */
struct storm_watch {
	uint64_t first_ms, last_ms; /* of some that came one after the other */
	uint64_t seen[FLOOD_KINDS]; /* of a peer's link's counts */
	bool told;		    /* EVENT_STORM was, that it began */
};

/* To which groups a member says that it listens. */
struct listened {
	bool known; /* else, as far as we know, to all */
	bool all;   /* it says so */
	uint8_t n;
	bool owed;	   /* it may not know that we listen to more than before */
	struct mac *group; /* owned, in the order of their bytes; NULL: n is 0 */
	struct bucket taken;
	struct control_listeners *waiting; /* what it says, until there is room; owned, or NULL */
};

/* Another member. Lives while it is in the roster or has keys. */
struct peer {
	UT_hash_handle hh; /* community->peers, by remote */
	uint8_t remote[KEY_LEN];
	struct session *session; /* owned */
	struct community *community;
	struct port *port;  /* in the community's switch; owned until it is retired */
	uint32_t view;	    /* version of the first view with that */
	uint64_t had;	    /* of the backlog, all it was to get up to this number */
	uint32_t handle;    /* at the community's supernode; 0: none */
	uint32_t shown_hop; /* the hop's id and the handle under which the view has it; 0: none */
	uint32_t shown_handle;
	uint32_t incarnation; /* as listed */
	bool listed;
	bool marked;	       /* named since a roster began anew */
	bool up;	       /* EVENT_PEER_UP was told, and not that it is gone */
	bool left;	       /* it said goodbye, or is of an earlier run and was not met yet */
	uint8_t asks;	       /* how often it was asked again, since ... */
	uint64_t asked_ms;     /* what was sent is unanswered; 0: nothing is */
	bool unreached;	       /* silent, away or not met yet: nothing is learned from it */
	bool remembered;       /* from an earlier run */
	bool rerouted;	       /* routes changed since its paths were looked at */
	uint64_t hop_asked_ms; /* whether what the relay takes gets there, last */
	uint64_t unlisted_ms;
	uint64_t listed_ms;	      /* since when it is listed as the process that it is */
	uint8_t misfits;	      /* handshakes that proved that it has another passphrase */
	bool told_misfit;	      /* EVENT_OTHER_PASSPHRASE was */
	uint8_t unfits;		      /* those of ours that it answered and never confirmed, ... */
	uint64_t unfit_ms;	      /* ... and the first of them */
	struct control_claim claim;   /* zero MAC: it has no address */
	struct control_claim refused; /* an address that somebody else owns; zero MAC: none */
	struct bucket claims;	      /* of those looked at */
	struct control_claim waiting; /* the last one, until there is room; zero MAC: none */
	bool told;		      /* EVENT_MAC_REFUSED was, of that one */
	bool knows;		      /* it was sent a refusal, and no word since that it is over */
	bool has_addresses;	      /* its claim counts: it is here */
	struct {
		uint64_t heard_ms, again_ms; /* it refused us, last; 0: not. It is asked again */
		uint8_t owner[EDGE_ID_LEN];  /* as it says */
	} refuses;			     /* the MAC address that we claim */
	bool listed_twice; /* the roster says that another process has its identity */
	bool told_twice;   /* EVENT_IDENTITY_TWICE */
	uint64_t twice_ms; /* the process before the last was back, last; 0: never */
	struct {
		uint64_t heard, since_ms;
	} other; /* of two, under the keys of the one that is not listed; since_ms 0: there are none
		  */
	struct group_member group;
	char label[COMMUNITY_NAME_MAX +
		   1];	 /* what it calls the community, any bytes; "": nothing */
	bool told_label; /* EVENT_LABEL was, that this is another than ours */
	struct trust trust;
	struct barred_watch barred[BARRED_KINDS];
	struct storm_watch storm;
	struct listened listened;
};

/* A supernode of the -l list, shared by all communities. */
struct supernode_entry {
	bool given;    /* its key came with -l */
	bool has_key;  /* given, remembered, or we registered under it */
	bool changed;  /* it is not the one remembered */
	bool mismatch; /* something at its address claimed another than the one given */
	bool told;     /* EVENT_SUPERNODE_KEY was sent for this key */
	uint8_t key[KEY_LEN];
	uint8_t n;
	struct endpoint address[SUPERNODE_ADDRESSES];
};

/* That a supernode refused a community's registration; zeroed: it did not, last time. */
struct refusal {
	uint8_t result; /* enum register_result, or any other */
	uint8_t times;	/* in a row */
	uint64_t until_ms;
};

/* A community's registration with the supernode in use. */
struct hop {
	enum supernode_state state;
	unsigned supernode; /* index of the entry */
	unsigned address;   /* and of its address */
	struct way way;
	struct party party;	 /* who we are towards it */
	struct session *session; /* NULL until its key is known */
	uint64_t began_ms;	 /* with this address */
	uint64_t up_ms;		 /* registered since; 0: it is not */
	uint64_t hello_ms;	 /* next HELLO; 0: none */
	struct hello hello;	 /* asked, and what was claimed */
	uint64_t tried_ms; /* since when that is tried, if no attempt began later; 0: keyed since */
	uint64_t ping_ms;  /* next PING */
	uint64_t unanswered_ms; /* first PING without an answer; 0: none */
	uint64_t answered_ms;	/* last sign that what we send gets there */
	uint64_t token;
	uint64_t register_ms;	  /* REGISTER once more; 0: not */
	struct bucket registered; /* answers to REGISTER that are taken */
	uint32_t handle;
	struct endpoint observed;
	uint64_t roster;			/* version applied */
	bool collecting;			/* a roster began anew and is not complete */
	struct refusal refused[SUPERNODES_MAX]; /* by supernode */
	bool silent[SUPERNODES_MAX];		/* it did not answer when it was in use, last */
};

/* Frames of other hosts came by the interface of one that is no bridge; zeroed: none. */
struct foreign {
	uint64_t first_ms, last_ms; /* of some that came one after the other */
	struct mac source;	    /* of the last */
	bool told;		    /* EVENT_FOREIGN_SOURCE was */
};

struct community {
	struct edge *edge;
	unsigned index;
	uint32_t generation; /* never used twice in this process */
	char name[COMMUNITY_NAME_MAX + 1];
	uint8_t seed[SEED_LEN]; /* what our identities in it come of */
	struct party party;
	uint8_t mask[MASK_LEN]; /* our direct mask key */
	struct mac mac;
	uint8_t n_addresses;
	struct claim_address address[CLAIM_ADDRESSES_MAX];
	struct owners owners;
	uint64_t hold_ms;	     /* how long an address is kept for an owner who is away */
	uint64_t aged_ms;	     /* when it was last looked who is */
	struct mac brought;	     /* by our interface, last, though a peer owns it ... */
	uint64_t brought_ms;	     /* ... and when; 0: never */
	struct bucket refusals;	     /* of those told */
	uint32_t refusing;	     /* how many refuse us our own, as EVENT_CLAIM_REFUSED told */
	struct bucket refusing_told; /* of those events */
	uint64_t refusing_ms;	     /* when they were looked at */
	struct addresses addresses;
	struct {
		struct barred_watch ours[BARRED_KINDS]; /* at our own interface */
		struct bucket told;
		uint64_t looked_ms;
	} barred;
	uint8_t roles; /* ours */
	bool bpdu_guard;
	uint8_t loop_tag[LOOP_TAG_LEN]; /* of our probes; zeros: there are none */
	bool stands_by; /* our frames in no VLAN come to others by way of another bridge: CLAIM says
			   so */
	bool gated;	/* and none of others may leave by our interface */
	struct snoop *snoop;   /* to which we listen; owned */
	struct bridge *bridge; /* what a bridge knows of its LAN; NULL: neither that nor a guard */
	size_t n_trusted;
	struct trusted trusted[TRUSTED_MAX];
	uint32_t learn;	 /* so many addresses at least are to find a place */
	struct fdb *fdb; /* where addresses are learned, else NULL; owned until it is retired */
	uint64_t fdb_step_ms;	   /* when they are a step older */
	struct port_set unreached; /* whose addresses are to be forgotten ... */
	bool any_unreached;	   /* ... if there are any */
	struct backlog backlog;
	struct foreign foreign;
	struct {
		struct storm_watch ours;
		struct bucket told;
		uint64_t looked_ms;
	} storms;
	bool moved; /* a bridge serves its LAN that did not: what was learned may be wrong */
	struct bucket moves; /* of those that count */
	struct peer *peers;
	struct hop hop;
	struct group group;
	enum twice twice;	    /* of us, as our supernode says ... */
	enum twice twice_told;	    /* ... and as EVENT_IDENTITY_TWICE told */
	struct bucket twice_bucket; /* of those events */
	struct bucket twins;	    /* of those told of peers */
	struct bucket sweep;	    /* own handshakes with listed members */
	struct guesses guesses;
	uint64_t vouch_wanted_ms; /* somebody waited for a word, last */
	uint64_t vouch_turn_ms;	  /* next questions */
	bool any_confirmed;
	bool key_seen;	     /* somebody sent what only those can who have our key, or passphrase */
	unsigned unanswered; /* attempts that got no answer at all, of those who must be there */
	unsigned unfit;	     /* handshakes that were not confirmed */
	uint64_t unfit_ms;   /* when there was the first of them */
	uint64_t misfit_ms;  /* when there was first proof of another passphrase */
	unsigned n_misfits;  /* peers of whom that was told and holds */
	struct bucket misfits; /* of those told */
	bool told_wrong;       /* EVENT_WRONG_* was sent */
	bool told_silent;      /* EVENT_SUPERNODE_SILENT was sent since one was up */
};

/* An index of a community, while something may still know it by its former owner. */
enum slot_state {
	SLOT_FREE,
	SLOT_USED,
	SLOT_RETIRED, /* workers may still have a view with it */
	SLOT_DRAINING /* no worker has, but notes may be under way */
};

struct slot {
	enum slot_state state;
};

#define LED_MAX 8

/* Our own datagrams came by an interface of ours, and were told of; zeroed: none. */
struct led {
	struct endpoint to;
	unsigned community; /* whose interface */
	uint64_t until_ms;  /* when it is over, if none comes */
};

struct edge {
	struct node node; /* first: the role's functions get a node and find the edge */
	uint8_t seed[SEED_LEN];
	uint8_t hop_secret[KEY_LEN]; /* of this process: what we are called on each hop comes of it
				      */
	unsigned n_supernodes;
	struct supernode_entry supernode[SUPERNODES_MAX];
	uint32_t last_generation;
	struct community *community[COMMUNITIES_MAX]; /* by index; NULL: none */
	struct slot slot[COMMUNITIES_MAX];
	uint8_t n_local;
	struct endpoint local[LOCAL_ADDRESSES_MAX];
	struct bucket supernodes; /* of unknown datagrams from a supernode's address */
	struct led led[LED_MAX];
	uint64_t rerouted_ms; /* when the host's routes changed */
	/*
	 * Of any fan-out set, last: a registration may outlive its community here, and is met again
	 * when that is joined anew.
	 */
	uint32_t fan_version;
};

/* The edge whose node it is: for the role's functions, which get a node. */
static inline struct edge *edge_of(struct node *n)
{
	return (struct edge *)n;
}

/* What the control side of the edge shares. */
static inline struct core *core_of(const struct community *c)
{
	return &c->edge->node.core;
}

/*
 * The next community, by index from *at on, and *at behind it; NULL: there is no more.
 *	for (unsigned at = 0; (c = edge_next_community(e, &at)) != NULL;)
 */
static inline struct community *edge_next_community(const struct edge *e, unsigned *at)
{
	while (*at < COMMUNITIES_MAX) {
		struct community *c = e->community[(*at)++];

		if (c != NULL)
			return c;
	}
	return NULL;
}

/* Our community whose member we are as this party, or NULL for a hop's. */
struct community *edge_community(struct edge *e, const struct party *self);

/* ---- hop.c: the supernode in use of one community (PROTOCOL.md 8.1) ---- */

/* Begins, asks, pings, changes to the next supernode, as the time demands. */
void hop_tick(struct community *c);
/* A control message of the supernode. */
void hop_message(struct community *c, const struct control_msg *m, const struct origin *from);
/* Writes REGISTER as it is now. */
void hop_encode_register(struct community *c, uint32_t seq, struct writer *w);
/* Its session has keys: register. */
void hop_keyed(struct community *c);
/* An envelope from the supernode's address: an answer to HELLO. False if it was none. */
bool hop_hello_answer(struct community *c, const uint8_t *data, size_t len);
/* A handshake with the supernode was refused, with this result. */
void hop_refused(struct community *c, uint16_t result);
/* Our own address may have changed: ask at once how we are seen. */
void hop_moved(struct community *c);
/* A peer answers a PING: what we send through the supernode may have got there. */
void hop_peer_pong(struct community *c, const struct control_pong *m);
/* Ends it with its session, before the community ends. */
void hop_leave(struct community *c);
/* Its state for people: of one that does not answer it says so. now_ms: as of then. */
enum supernode_state hop_state(const struct community *c, uint64_t now_ms);

/* ---- peer.c: the other members of one community ---- */

/* The member with this static, which may be any stranger's; NULL: there is none so far. */
struct peer *peer_find(struct community *c, const uint8_t remote[KEY_LEN]);
/* A new one with its session and port, not listed. NULL at PEERS_MAX, without memory or a port. */
struct peer *peer_create(struct community *c, const uint8_t remote[KEY_LEN]);
/* Takes it out of its community and frees it; its session is retired. */
void peer_forget(struct peer *p);
/* A control message of the peer. */
void peer_message(struct peer *p, const struct control_msg *m, const struct origin *from);
/* Writes a reliable message as it is now. */
void peer_encode(struct peer *p, enum control_type type, uint32_t seq, struct writer *w);
/* Its session has keys: tell what we are and where. */
void peer_keyed(struct peer *p);
/* They are confirmed; effects as of session_confirm. */
void peer_confirmed(struct peer *p, unsigned effects);
/* Its part of looking at the session; may forget the peer. Returns when to look again. */
uint64_t peer_look(struct peer *p);
/* The relay came, went or renumbered: relayed sessions follow. */
void peers_repath(struct community *c);
/* A page of the roster. */
void peers_roster(struct community *c, const struct control_roster *m);
/* Our own addresses changed: tell, and let direct paths leave from the new ones. */
void peers_moved(struct community *c);
/* Our routes changed: each has its paths looked at, some at a time. */
void peers_rerouted(struct community *c);

/* ---- claims.c: which member has which address (PROTOCOL.md 9.4) ---- */

/* The user names others for roles: each peer has what is granted to it now. */
void claims_regrant(struct community *c);
/* A peer claims an address: it gets it, or is refused it, at once or when claims_look has room. */
void claims_take(struct peer *p, const struct control_claim *m);
/* The claim that waits, if any, is taken if there is room. Returns when to look again. */
uint64_t claims_look(struct peer *p);
/* A new peer is known here: the address that it owns leads to it from now on. */
void claims_meet(struct peer *p);
/* It is about to be forgotten: nothing is said of it any more. */
void claims_unsay(struct peer *p);
/* It is not any more: its address leads to nobody, but stays its own. */
void claims_part(struct peer *p);
/*
 * Our own address is this one from now on, for which a member that has it loses it here; the old
 * one is to be had. N2N_ENOMEM: nothing changed.
 */
MUST_CHECK int claims_move(struct community *c, const struct mac *mac);
/* Time passes for those who are away. */
void claims_tick(struct community *c);
/*
 * An owner of an earlier run, and the peer that it is, or NULL. Without room or memory, with an
 * address that is ours or none, or known already, nothing.
 */
void claims_remember(struct community *c, const struct known_owner *k, struct peer *p);
/*
 * Whose an address is that a peer claims and is not granted, unless it is ours: the static of its
 * owner, or of the bridge behind which it was heard of late. NULL: nobody's. Borrowed for the call.
 */
const uint8_t *claims_whose(const struct peer *claimant, const struct mac *mac);
/*
 * A bridge, NULL: our own interface, brings frames from an address that a peer owns. Where that
 * one's claim is on trial it loses it when this goes on. False: the claim holds, or there is none.
 */
bool claims_brought(struct community *c, const struct mac *mac, const struct peer *by);
/* For edge_forget_owner. */
bool claims_forget(struct community *c, const struct mac *mac, struct forgotten_owner *out);

/* ---- roles.c: what members are besides hosts (PROTOCOL.md 9.7) ---- */

/* Those of the roles that a member says it has that we believe: a set of enum member_role. */
uint8_t roles_granted(const struct community *c, const uint8_t remote[KEY_LEN], uint8_t said);
/* Whether the user named who may have this role. */
bool roles_are_named(const struct community *c, unsigned role);

/* ---- labels.c: what members call the community (PROTOCOL.md 7.18) ---- */

/* It is to hear what we call it. */
void labels_tell(struct peer *p);
/* Writes NAMES. */
void labels_encode(const struct community *c, uint32_t seq, struct writer *w);
/* NAMES of a peer. */
void labels_take(struct peer *p, const struct control_names *m);
/* It came, or is gone: tells what is so by now. */
void labels_look(struct peer *p);
/* It is about to be forgotten. */
void labels_part(struct peer *p);
/* What it calls the community if it is here and that is not what we do; else NULL. Any bytes. */
const char *labels_other(const struct peer *p);

/* ---- barred.c: who speaks for others (PROTOCOL.md 9.7) ---- */

/* A frame of our own interface that does was not let out; for struct role. */
void barred_ours(struct node *n, const struct addressee *of, enum barred what);
/* The peer is forgotten. */
void barred_part(struct peer *p);
/* Tells, as the time demands. */
void barred_tick(struct community *c);

/* ---- refusals.c: claims that were refused, to those who made them (PROTOCOL.md 7.14) ---- */

/* Tells it whose the address is that it claims; zeros: it is its own from now on. */
void refusals_send(struct peer *p, const struct mac *mac, const uint8_t owner[EDGE_ID_LEN]);
/* It says so of ours. */
void refusals_take(struct peer *p, const struct control_claim_refused *m);
/* Our address is about to be another: what was said of it is over. */
void refusals_end(struct community *c);
/* Asks again, and tells the user. */
void refusals_tick(struct community *c);

/* ---- twins.c: two processes with one identity (PROTOCOL.md 8.7) ---- */

/* There are two of this peer, as far as is known. */
bool twins_is_one(const struct peer *p);
/* The roster says so, or not. */
void twins_listed(struct peer *p, bool twice);
/* A handshake with the process before the last was confirmed: both are there. */
void twins_met(struct peer *p);
/* The peer is forgotten. */
void twins_part(struct peer *p);
/* What our supernode says of our own identity. */
void twins_ours(struct community *c, enum twice how);
/* We are the one that is refused: no handshake with peers is begun or answered. */
bool twins_are_refused(const struct community *c);
/* And a supernode that may be asked said so the last time: none but such are asked. */
bool twins_wait(const struct community *c);
/* This one does not answer any more: what it said holds no longer. */
void twins_forget(struct refusal *r);
/*
 * We are, from now on: sessions with peers end without a word, which the other one would hear. Not
 * those with peers that speak with us: a supernode may lie.
 */
void twins_keep_still(struct community *c);
/* This is such a peer: it has our keys, and was heard a moment ago. */
bool twins_spare(const struct peer *p);
/* What is over is told, and keys are made with the one that is listed, where the other is silent.
 */
void twins_tick(struct community *c);

/* Whether the community is registered, so that there is a relay. */
static inline bool hop_is_up(const struct community *c)
{
	return c->hop.state == SUPERNODE_UP;
}

/* edge_status.c: what the community as a whole is up to, for people. */
enum community_state community_state(const struct community *c);

/* edge_doors.c: by what we may be addressed, for struct role. */
void edge_doors(struct node *n, struct view_doors *d);

/* ---- edge_switch.c: what is learned (PROTOCOL.md 9.9) ---- */

/* Learned addresses age, and those that are to be forgotten are. */
void switch_tick(struct community *c);
/*
 * What was learned from this peer is forgotten at the next tick: it does not answer, or is no
 * bridge any more. Frames for it go to all, until the next one from there is heard.
 */
void switch_forget(const struct peer *p);

/* ---- foreign.c: frames of other hosts, where we are no bridge (PROTOCOL.md 9.7) ---- */

/* One came, with this source; for struct role. */
void foreign_came(struct community *c, const struct mac *source);
/* It is over, and what came before counts no more: the interface has another address. */
void foreign_end(struct community *c);
/* Says when it is over. */
void foreign_tick(struct community *c);

/* ---- storms.c: more frames for many than may pass (PROTOCOL.md 10.5) ---- */

/* Our interface brings them, so many a second too many, one from this source; for struct role. */
void storms_came(
	struct community *c, const struct mac *source, enum flood_kind kind, uint32_t per_s);
/* The peer is forgotten. */
void storms_part(struct peer *p);
/* It is over: the community ends. */
void storms_end(struct community *c);
/* Looks at peers, and says what is over, as the time demands. */
void storms_tick(struct community *c);

/* ---- bridge.c: a bridge on its LAN (PROTOCOL.md 9.8) ---- */

/* For a community that the view has by now. N2N_ENOMEM; close is then needed as well. */
MUST_CHECK int bridge_open(struct community *c);
/* What workers have of it is retired. */
void bridge_close(struct community *c);
/* The same when there are no workers any more. */
void bridge_destroy(struct community *c);
/* Probes, and looks at what became of others'. */
void bridge_tick(struct community *c);
/* A gate told of a frame, for struct role. */
void bridge_told(
	struct node *n, const struct addressee *of, uint32_t link_id, const struct frame *f);
/* For people. */
void bridge_describe(const struct community *c, struct status_gate *out);

/* ---- snoop.c: to which groups we listen, and who is behind us (PROTOCOL.md 10.3) ---- */

/* N2N_ENOMEM; close is then not needed. */
MUST_CHECK int snoop_open(struct community *c);
void snoop_close(struct community *c);
/* Who is behind our interface may be others than before: they are asked anew. */
void snoop_again(struct community *c);
/* Asks, and forgets who did not answer, as the time demands. */
void snoop_tick(struct community *c);
/* A frame of our interface said something of groups, for struct role. */
void snoop_heard(struct node *n, const struct addressee *of, const struct frame *f);
/* A peer has keys: it is told. */
void snoop_keyed(struct peer *p);
/* For people. What it points to lives until something is heard. */
void snoop_describe(const struct community *c, struct status_groups *out);
/* Writes LISTENERS as it is now. */
void snoop_encode(const struct community *c, uint32_t seq, struct writer *w);

/* ---- listeners.c: to which groups members listen (PROTOCOL.md 10.3) ---- */

/* A new peer, with its port: it gets everything until it says what it wants. N2N_ENOMEM. */
MUST_CHECK int listeners_meet(struct peer *p);
/* It says so: what counts from now on or, for too many, once listeners_look has room. */
void listeners_take(struct peer *p, const struct control_listeners *m);
/* What waits, if anything, counts if there is room. Returns when to look again. */
uint64_t listeners_look(struct peer *p);
/* It is another process, which has not said anything yet. */
void listeners_restart(struct peer *p);
/* Its port is about to leave. */
void listeners_part(struct peer *p);
/* Frees what is kept of it; nothing is told to anybody. */
void listeners_free(struct listened *l);
/* Whether it said that it listens to this group, or to all. */
bool listeners_want(const struct peer *p, uint64_t group);
/* For people. What it points to lives until the next message of the peer. */
void listeners_describe(const struct peer *p, struct status_groups *out);

/* edge_frame.c: a frame that no worker could send, for struct role. */
void edge_frame(struct node *n, struct note *note);

/* ---- own_sockets.c: our own datagrams that an interface of ours brings (PROTOCOL.md 9.5) ---- */

/* One came, to this receiver, by the interface of a community; for struct role. */
void own_led(struct node *n, const struct addressee *of, const struct endpoint *to);
/* Whether some came lately that were for this receiver. */
bool own_is_led(const struct edge *e, const struct endpoint *to);
/* Says when it is over. */
void own_tick(struct edge *e);
/*
 * Routes of this host changed: what is not led in any more is over soon, and what waited at an
 * interface since before counts no more.
 */
void own_rerouted(struct edge *e);
/* It is over for the community, which ends. */
void own_end(struct edge *e, const struct community *c);

/* ---- admission.c: which handshakes go on, in a passphrase community (PROTOCOL.md 5.5) ---- */

/* May one that a static, known or not, began from there be answered? It is counted then. */
bool admission_answer(
	struct community *c, const uint8_t remote[KEY_LEN], const struct origin *from);
/*
 * The same of one whose freshness was seen before. The member whose static it bears may not have
 * sent it: its trust is neither used nor ended.
 */
bool admission_answer_stale(
	struct community *c, const uint8_t remote[KEY_LEN], const struct origin *from);
/* May an attempt of ours that is due begin? */
bool admission_begin(struct peer *p);
/* It was answered: may it go on? It is counted then. */
bool admission_accept(struct peer *p);
/* The peer confirmed: it is exempt, and nothing is held against it or who vouched for it. */
void admission_confirmed(struct peer *p);
/*
 * A handshake that was answered at began_ms, by either side, ended without confirmation. tried:
 * something came that may have been one.
 */
void admission_unconfirmed(
	struct community *c, const uint8_t remote[KEY_LEN], uint64_t began_ms, bool tried);
/* Asks and tells, as the time demands. */
void admission_tick(struct community *c);

/* ---- vouch.c: members vouch for members ---- */

/* The budget keeps it from us: others are to be asked about it. */
void vouch_want(struct peer *p);
/* One vouched for it who may answer for one more. */
bool vouch_stands(const struct peer *p);
/* The same, and the word is used. */
bool vouch_use(struct peer *p);
/* A static confirmed: nothing is held against those who vouched for it. */
void vouch_refund(struct community *c, const uint8_t remote[KEY_LEN]);
/* VOUCH_ASK or VOUCH of a peer. */
void vouch_message(struct peer *p, const struct control_msg *m);
/* Asks, when it is time. */
void vouch_tick(struct community *c);

#endif
