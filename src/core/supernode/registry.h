/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The registry: who is registered in which community, and what each subscriber has still to be told
 * of it. Data alone: it knows no session and no clock, sends nothing and calls nobody. What a
 * change leads to is its result, and the list of communities with something new to tell.
 *
 * An entry has an owner: this supernode, or another one whose registrations were learned. Nobody
 * but the owner changes or removes it. Two entries may have the same static key: an edge that went
 * from one supernode to another is registered at both until the first lease ends.
 *
 * Each change of a community's roster gets the next version. Entries stand in a list by the version
 * that changed them last, departures in a short ring of tombstones; so what a subscriber at version
 * v has to learn is what stands behind v, and nobody is told the whole roster again
 * (PROTOCOL.md 8.2).
 *
 * All functions are for one thread, the control thread of a supernode. None but registry_put
 * allocates for good; a departure may enlarge its community's ring of tombstones.
 */
#ifndef N2N_CORE_SUPERNODE_REGISTRY_H
#define N2N_CORE_SUPERNODE_REGISTRY_H

#include "base/random.h"
#include "core/session/hash.h"
#include "wire/control.h"

#define REGISTRY_SELF  0  /* the owner of what is registered here */
#define TOMBSTONES_MAX 64 /* departures remembered per community; who missed more starts anew */

struct registry_community;

/* How far a subscriber is. Embedded in what the caller keeps of it; zero before its first use. */
struct roster_cursor {
	uint64_t known;	   /* version of the roster that it has acknowledged */
	uint64_t sent;	   /* version that the page under way leads to; 0: none is */
	uint64_t anew;	   /* version of the roster when it was last told from the beginning */
	uint64_t starting; /* the same of the page under way; 0: it does not begin anew */
};

/* One registration. Owned by the registry, stays where it is until it is removed or moves. */
struct registry_entry {
	UT_hash_handle hh; /* registry->entries, by handle */
	struct registry_community *community;
	struct registry_entry *newer, *older; /* in the community, by changed */
	uint64_t changed;		      /* version of the roster that brought it as it is */
	struct roster_cursor *cursor; /* the caller's, if the edge is to be told; else NULL */
	uint32_t owner;
	struct roster_entry told; /* what others are told of it; never gone */
};

struct tombstone {
	uint64_t changed;
	uint32_t handle;
	uint8_t static_public[KEY_LEN];
};

/* Lives while it has entries. */
struct registry_community {
	UT_hash_handle hh; /* registry->communities, by tag */
	uint8_t tag[COMMUNITY_TAG_LEN];
	uint32_t id; /* for workers, unique in this registry's life */
	unsigned n_entries;
	uint64_t version;   /* of the roster: random in the high 32 bits, a count in the low */
	uint64_t forgotten; /* departures up to this version are not remembered */
	struct registry_entry *newest, *oldest;
	struct tombstone *tombstone; /* a ring, or NULL; it is enlarged before it goes around */
	unsigned tombstones_room, n_tombstones, first_tombstone;
	bool is_changed; /* in the list below */
	struct registry_community *next_changed;
};

struct registry_limits {
	unsigned community; /* entries of one community */
	unsigned entries;   /* of all */
};

/* Embedded in a supernode; the tables may be read, and are changed by the functions below only. */
struct registry {
	uint8_t hash_key[SIPHASH_KEY_LEN];
	struct random random;
	struct registry_limits limits;
	uint32_t last_community; /* id */
	struct registry_entry *entries;
	struct registry_community *communities;
	struct registry_community *changed;
};

enum registry_result {
	REGISTRY_SAME,	  /* nothing new to anybody */
	REGISTRY_CREATED, /* a new entry */
	REGISTRY_CHANGED, /* incarnation or locator are others now */
	REGISTRY_MOVED,	  /* another tag or key: the old entry is gone, there is a new one */
	REGISTRY_FULL,	  /* a limit, or no memory: there is no entry, an old one is gone */
	REGISTRY_REFUSED  /* the handle is another owner's, or 0 and not ours to choose */
};

/* An empty registry. hash_key (secret, random) and limits are copied; random's ctx is borrowed. */
void registry_init(struct registry *r, const uint8_t hash_key[SIPHASH_KEY_LEN],
	const struct random *random, const struct registry_limits *limits);
/* Frees all entries and communities. A registry of zeros is accepted. */
void registry_fini(struct registry *r);

/*
 * Enters or refreshes a registration. *says is copied; its handle names the entry that the owner
 * means. Of ours it is 0 for none so far, and a new entry gets a random handle that no other has.
 * Other owners choose theirs, which stay when an entry moves; one that is refused as taken must
 * choose again. *entry is the entry now, NULL after REGISTRY_FULL and REGISTRY_REFUSED. After
 * REGISTRY_MOVED and REGISTRY_FULL pointers to what the handle named before are not valid any more.
 */
enum registry_result registry_put(struct registry *r, uint32_t owner,
	const uint8_t tag[COMMUNITY_TAG_LEN], const struct roster_entry *says,
	struct registry_entry **entry);
/* A registration ends, its entry is freed. False, and nothing done, if this owner has none such. */
bool registry_remove(struct registry *r, uint32_t owner, uint32_t handle);
/*
 * Removes all entries of another supernode, which is gone; returns how many. Ours are never
 * removed by it: whoever entered them still points to them.
 */
unsigned registry_forget_owner(struct registry *r, uint32_t owner);
/* The entry with this handle, whoever owns it; NULL if there is none. */
struct registry_entry *registry_find(const struct registry *r, uint32_t handle);
/* The community with this tag; NULL: it has no entries. */
struct registry_community *registry_community(
	const struct registry *r, const uint8_t tag[COMMUNITY_TAG_LEN]);
/*
 * The next community whose roster has changed since this was asked last, NULL when there is no
 * more: to be asked after each of the functions above, so that its subscribers are told. They are
 * the entries from newest to older that have a cursor. One that ended is not named.
 */
struct registry_community *registry_next_changed(struct registry *r);

/* ---- subscribers; registry_cursor.c ---- */

/*
 * The edge of this entry has the roster at version known (0: nothing), and is to be told what
 * comes; a page under way is void. The cursor is borrowed until the entry goes; it may serve
 * another entry then, and begins there anew.
 */
void registry_subscribe(struct registry_entry *e, struct roster_cursor *cursor, uint64_t known);
/*
 * The next page of changes for the edge of this entry, which has a cursor; false when it has them
 * all, *page is of no use then. Asked again before registry_took_page, it says the same or less: a
 * change that was superseded meanwhile is left out.
 */
bool registry_page(const struct registry_entry *self, struct control_roster *page);
/* The page last asked for was acknowledged. True if there is more to tell. */
bool registry_took_page(const struct registry_entry *self);

#endif
