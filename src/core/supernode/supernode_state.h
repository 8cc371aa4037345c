/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a supernode consists of; shared by supernode.c (set-up, handshakes, messages) and registry.c
 * (who is in which community, and telling the others).
 */
#ifndef N2N_CORE_SUPERNODE_SUPERNODE_STATE_H
#define N2N_CORE_SUPERNODE_SUPERNODE_STATE_H

#include "core/session/budget.h"
#include "core/session/responder.h"
#include "core/supernode/supernode.h"

#define TOMBSTONES_MAX                                                                             \
	64 /* departures remembered per community; who is further behind starts anew */

struct registry_community;

/* An edge with a hop session; registered once community is set. */
struct member {
	UT_hash_handle hh;	  /* supernode->members, by the static of its hop session */
	UT_hash_handle by_handle; /* supernode->handles, while registered */
	uint8_t remote[KEY_LEN];
	struct session *session; /* owned */
	struct registry_community *community;
	struct member *newer, *older; /* in the community, by changed */
	uint64_t changed;	      /* version of the roster that brought it as it is */
	struct roster_entry entry;
	uint64_t known;	   /* version of the roster that it has acknowledged */
	uint64_t sent;	   /* version that the page under way leads to; 0: none is */
	uint64_t anew;	   /* version of the roster when it was last told from the beginning */
	uint64_t starting; /* the same of the page under way; 0: it does not begin anew */
	uint64_t born_ms;
	uint64_t unregistered_ms;    /* without a community since */
	struct bucket registers;     /* REGISTERs worked on */
	enum register_result result; /* of its last REGISTER */
};

struct tombstone {
	uint64_t changed;
	struct roster_entry entry;
};

struct registry_community {
	UT_hash_handle hh; /* supernode->communities, by tag */
	uint8_t tag[TAG_ID_LEN];
	uint32_t id;	    /* for workers, unique in this process */
	uint64_t version;   /* of the roster: random in the high 32 bits, a count in the low */
	uint64_t forgotten; /* departures up to this version are not remembered */
	unsigned n_members;
	struct member *newest, *oldest;
	unsigned n_tombstones;
	struct tombstone *tombstone; /* TOMBSTONES_MAX, oldest first; NULL until the first */
};

struct supernode {
	struct node node; /* first */
	struct party party;
	uint32_t last_community;   /* id */
	struct relay_pairs *pairs; /* of all workers */
	unsigned members_max;
	struct member *members;
	struct member *handles;
	struct registry_community *communities;
	struct supernode_worker worker; /* the control thread's */
	struct bucket hellos;
	struct budget budget;
};

static inline struct supernode *supernode_of(struct node *n)
{
	return (struct supernode *)n;
}

/* registry.c; all for the control thread. */
struct member *member_find(struct supernode *sn, const uint8_t remote[KEY_LEN]);
struct member *member_create(struct supernode *sn, const uint8_t remote[KEY_LEN]);
/* Leaves its community, loses its session, is freed. */
void member_remove(struct supernode *sn, struct member *m);
/* Enters or refreshes a registration whose proof was right. */
enum register_result member_register(
	struct supernode *sn, struct member *m, const struct control_register *r);
void member_unregister(struct supernode *sn, struct member *m);
/* The next page of changes for this member; false when it has them all. */
bool member_page(struct member *m, struct control_roster *page);
/* The page sent last was acknowledged. */
void member_took_page(struct supernode *sn, struct member *m);

#endif
