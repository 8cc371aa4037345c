/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A member: an edge with a hop session here. Its session, its registration once it has one, what it
 * knows of its community, its lease. Members turn what happens in the registry into ROSTER messages
 * and events. All for the control thread; time is the node's.
 */
#ifndef N2N_CORE_SUPERNODE_MEMBER_H
#define N2N_CORE_SUPERNODE_MEMBER_H

#include "base/pace.h"
#include "core/supernode/fans.h"
#include "core/supernode/registry.h"
#include "core/supernode/sources.h"

struct session;
struct supernode;

/* Created when a handshake is confirmed, owned by supernode->members. */
struct member {
	struct roster_cursor cursor;  /* first: leads from an entry of the registry to its member */
	UT_hash_handle hh;	      /* supernode->members, by session->remote */
	struct session *session;      /* owned; its owner is this */
	struct registry_entry *entry; /* the registry's; NULL: not registered */
	struct member_fan *fan;	      /* its groups, while it is registered; may be NULL */
	struct source *source;	      /* where its path leads; the supernode's */
	struct member *next, **link;  /* in supernode->lobby, while not registered */
	uint64_t since_ms;	      /* created, or not registered any more, at this time */
	struct pace registers;	      /* REGISTERs worked on */
	struct pace pages;	      /* of the roster */
	enum register_result result;  /* of its last REGISTER */
	uint64_t refused_freshness;   /* of the newest handshake that was refused so */
	uint64_t refused_ms;	      /* when it was, first */
	uint64_t twice_ms; /* another process with its identity was refused, last; 0: none was */
};

/* The member whose hop session has this static key; NULL if there is none. */
struct member *member_find(struct supernode *sn, const uint8_t remote[KEY_LEN]);
/*
 * A new one with its session, not registered, that has shown to receive at this address. NULL
 * without memory. Where LOBBY_MAX are not registered, or SOURCE_WAITING_MAX from there, the first
 * of these ends.
 */
struct member *member_create(
	struct supernode *sn, const uint8_t remote[KEY_LEN], const struct endpoint *at);
/* Ends its registration and retires its session; frees it. */
void member_remove(struct supernode *sn, struct member *m);
/*
 * Its path may lead elsewhere now: it counts there. False: there is no room, and its registration
 * has ended.
 */
bool member_moved(struct supernode *sn, struct member *m);

/*
 * Enters or refreshes a registration whose proof was right. Everybody in the community hears of
 * what is new, the member gets its roster from the version that it says to have. Without room it is
 * not registered; a registration under another identity stays as it is. Event: MEMBER_UP.
 */
enum register_result member_register(
	struct supernode *sn, struct member *m, const struct control_register *r);
/* Its registration ends, if it has one; the others hear of it. Event: MEMBER_DOWN. */
void member_unregister(struct supernode *sn, struct member *m);
/* True when it is registered under another static or in another community than this says. */
bool member_is_other(const struct member *m, const struct control_register *r);
/*
 * Another process with its identity knocked, and was refused: it and the others of the community
 * are told, and told again once that was long ago (member_settle, when it is looked at).
 */
void member_is_twice(struct supernode *sn, struct member *m);
void member_settle(struct supernode *sn, struct member *m);
/* Its handle, 0 while it is not registered. */
uint32_t member_handle(const struct member *m);
/*
 * When its lease ends if nothing more is heard: LEASE_S after the last packet, or, while it is not
 * registered, some seconds after it could have.
 */
uint64_t member_over_ms(const struct member *m);

/*
 * The next page of changes for this member, to be sent now; false when it has them all or is not
 * registered.
 */
bool member_page(struct supernode *sn, struct member *m, struct control_roster *page);
/* The page sent last was acknowledged; the next one, if any, is posted. */
void member_took_page(struct supernode *sn, struct member *m);
/*
 * Posts a page to every member of the communities that changed, for when it may have one: what
 * changes until then is in it. To be called after registry_put,
 * registry_remove and registry_forget_owner for entries of other supernodes.
 */
void members_tell(struct supernode *sn);

#endif
