/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The view: everything a worker looks up, in immutable snapshots, and its editor.
 *
 * A view is a small root that leads to tables (table.h). The control thread edits them when a link,
 * a port, an address or a handle comes or goes; keys and paths change inside the links and need
 * none. Publishing makes a new root and copies the shards that changed, nothing else. No slot ever
 * changes under a reader.
 *
 * A view borrows the links and ports that it names: they are removed here first, and retired so
 * that they are destroyed only after a grace period that begins when a view without them is shown.
 */
#ifndef N2N_CORE_VIEW_VIEW_H
#define N2N_CORE_VIEW_VIEW_H

#include "base/limits.h"
#include "base/mac.h"
#include "core/link/link.h"
#include "core/link/table.h"
#include "core/switch/fdb.h"
#include "core/switch/listeners.h"
#include "core/switch/port.h"
#include "core/view/group_plan.h"
#include "core/view/own.h"

struct gate;

#define ENV_KEYS_MAX (2 * COMMUNITIES_MAX)

/* Whom an envelope is for, or whose interface a frame came from. */
enum addressee_kind {
	TO_PEER,      /* us as a member of a community */
	TO_HOP,	      /* us as an edge at its supernode */
	TO_SUPERNODE, /* us as a supernode */
	TO_ANY	      /* any supernode: HELLO */
};

struct addressee {
	uint8_t kind;	     /* enum addressee_kind */
	uint8_t community;   /* index; 0 at a supernode */
	uint32_t generation; /* of the community: never used twice, whatever its index */
};

struct pieces; /* core/data/pieces.h */

/* A key that may have sealed an envelope for us. */
struct view_env {
	uint8_t key[KEY_LEN];
	struct addressee to;
};

struct view_community {
	uint32_t generation;	      /* 0: there is none of this index */
	uint8_t mask[MASK_LEN];	      /* our direct mask key */
	const struct table *ports;    /* struct port, by number */
	const struct table *owners;   /* struct port, by the address that its peer claimed */
	const struct table *ips;      /* struct port, of who has the IP address, by view_ip_key */
	const struct table *asked;    /* of these who alone is to be asked where it is: 10.4 */
	const struct table *groups;   /* struct listeners, by the address of the group */
	const struct listeners *rest; /* who gets every group; NULL: nobody, or ... */
	bool unsorted;		      /* ... who listens is not known: all get all */
	struct fdb *fdb; /* addresses that no peer claimed; NULL: they are not learned */
	uint64_t own;	 /* address of our interface; 0: frames go out from any */
	bool bridge;	 /* frames of others go out as well */
	uint8_t roles;	 /* ours, of enum member_role */
	const struct group_plan *group; /* how what is for many goes; NULL: a copy for each */
	const struct gate *gate;	/* core/data/gate.h; NULL: everything passes, unseen */
	uint8_t step;			/* of its clock */
};

/* A supernode in use, by one community. */
struct view_hop {
	struct way way;
	uint8_t mask[MASK_LEN]; /* our hop mask key there */
};

/* What is few enough to be written anew with every root. */
struct view_doors {
	uint32_t n_hops;
	struct view_hop hop[COMMUNITIES_MAX];
	uint32_t n_env;
	struct view_env env[ENV_KEYS_MAX]; /* of all envelopes that may be sealed for us */
	uint32_t env_version;		   /* differs whenever they do */
};

struct view {
	bool supernode;
	uint8_t hop_mask[MASK_LEN]; /* a supernode's */
	uint8_t hash_key[SIPHASH_KEY_LEN];
	const struct table *links;   /* by id */
	const struct table *handles; /* links by handle: view_handle_key */
	struct view_doors doors;
	const atomic_bool *split_direct; /* of the editor's: as things are now */
	const struct own_sockets *own;	 /* NULL: not known */
	struct pieces *pieces;		 /* halves of frames that wait; NULL at a supernode */
	uint32_t version;		 /* rises with each */
	uint32_t n_communities;		 /* indexes are lower */
	struct view_community community[COMMUNITIES_MAX];
};

/* ---- looking up; any thread, in a view that it holds ---- */

/* The link with this id, which may be any number of a stranger's; NULL: none. */
static inline struct link *view_link(const struct view *v, uint32_t id)
{
	return table_find(v->links, table_spread(NULL, id), id);
}

/* An edge: who is behind this handle of this hop. At a supernode hop_id is 0. */
static inline uint64_t view_handle_key(uint32_t hop_id, uint32_t handle)
{
	return (uint64_t)hop_id << 32 | handle;
}

/*
 * The link behind a handle; NULL: none. The hash is keyed since handles towards an edge are a
 * supernode's choice, maybe a hostile one's.
 */
static inline struct link *view_handle(const struct view *v, uint32_t hop_id, uint32_t handle)
{
	uint64_t key = view_handle_key(hop_id, handle);

	return table_find(v->handles, table_sip(v->hash_key, key), key);
}

/*
 * The port that an address, as a number (mac_number), was claimed by or given to; NULL: none. The
 * community has one in this view, here and below.
 */
const struct port *view_owner(const struct view *v, unsigned community, uint64_t address);
/* Where frames for it go: the flood group if nobody knows. */
const struct port *view_port(const struct view *v, unsigned community, uint64_t address);
/*
 * A frame from this address came by a peer's link, which does not own it: learns that, if the peer
 * is a bridge, and nobody owns the address. False: the peer may not send from it. Any thread.
 */
bool view_learn(const struct view *v, const struct link *from, uint64_t address);
/* An IP address as a key: a hash with the view's secret, as strangers choose addresses. */
uint64_t view_ip_key(const uint8_t hash_key[SIPHASH_KEY_LEN], const uint8_t ip[16]);
/*
 * The port of who has the IP address with this key, &port_nobody if that is us; NULL: nobody has.
 * Any thread; also for a community that is not in this view yet.
 */
const struct port *view_ip_owner(const struct view *v, unsigned community, uint64_t key);
/* Likewise of who alone is to be asked where it is (PROTOCOL.md 10.4); NULL: whoever hears it. */
const struct port *view_asked(const struct view *v, unsigned community, uint64_t key);
/*
 * A frame from this address came by our own interface, which is a bridge's: learns that. False:
 * another member owns the address, or it is given to a port. Any thread.
 */
bool view_learn_here(const struct view *v, unsigned community, uint64_t address);
/* Whether it is the remote side of the way to a supernode in use, by carrier and address. */
bool view_is_supernode(const struct view *v, const struct way *from);

/* ---- editing; control thread ---- */

struct view_community_editor {
	struct view_community next; /* as it is to be shown, but for the tables */
	struct table_editor ports, owners, ips, asked, groups;
	struct port_numbers numbers;
	struct gate *gate; /* owned; NULL: none */
};

struct view_editor {
	struct view *shown; /* as last published, owned; NULL: none yet */
	bool changed;	    /* something did since */
	uint32_t version;   /* of the one shown; 0: none yet */
	bool supernode;
	uint8_t hop_mask[MASK_LEN];
	uint8_t hash_key[SIPHASH_KEY_LEN];
	struct table_editor links, handles;
	struct view_doors doors;
	/* Someone may send directly under a split mask: workers know at once, whatever is shown. */
	atomic_bool split_direct;
	struct own_sockets *own; /* owned; NULL: not known */
	struct pieces *pieces;	 /* borrowed, set before the first view */
	struct view_community_editor community[COMMUNITIES_MAX];
};

/* hash_key is secret and random, copied. N2N_ENOMEM; fini is then needed as well. */
MUST_CHECK int view_editor_init(struct view_editor *e, const uint8_t hash_key[SIPHASH_KEY_LEN]);
/* Frees everything: no worker may have a view any more. A zeroed one is fine. */
void view_editor_fini(struct view_editor *e);

/*
 * Nothing below is seen by workers before view_publish. Links and ports are borrowed.
 *
 * The link is found by its id. N2N_ENOMEM, N2N_ENOSPC: it is as before.
 */
MUST_CHECK int view_put_link(struct view_editor *e, struct link *l);
/* Its handles are to be removed as well. One that is not in it is fine. */
void view_remove_link(struct view_editor *e, const struct link *l);
/* The handle leads to this link from now on; replaces another. Errors as above. */
MUST_CHECK int view_put_handle(
	struct view_editor *e, uint32_t hop_id, uint32_t handle, struct link *l);
/* Unless it leads to another link by now. */
void view_remove_handle(
	struct view_editor *e, uint32_t hop_id, uint32_t handle, const struct link *l);

/* A community of this index, which has none. fdb is borrowed, may be NULL. N2N_ENOMEM. */
MUST_CHECK int view_add_community(struct view_editor *e, unsigned community, uint32_t generation,
	const uint8_t mask[MASK_LEN], struct fdb *fdb);
/* Its ports and addresses go with it; what workers may still look at is retired. */
void view_remove_community(
	struct view_editor *e, unsigned community, table_retire *retire, void *ctx);
/*
 * A new port with a number of its own; owned by the caller, who removes and retires it. NULL: no
 * memory, or no number is free.
 */
struct port *view_add_port(struct view_editor *e, unsigned community, const struct port *as);
/* No address leads to it any more. It is to be retired then. */
void view_remove_port(struct view_editor *e, unsigned community, const struct port *port);
/* The address leads to this port from now on; replaces another. Errors as above. */
MUST_CHECK int view_put_owner(
	struct view_editor *e, unsigned community, uint64_t address, const struct port *port);
/* Unless it leads to another port by now. */
void view_remove_owner(
	struct view_editor *e, unsigned community, uint64_t address, const struct port *port);
/*
 * As things are by now, and not only when they are shown: whether frames for the address go to this
 * port of a link, alone or as one of all.
 */
bool view_leads_to(
	const struct view_editor *e, unsigned community, uint64_t address, const struct port *port);
/* Takes from it all addresses that lead to this port; a walk over all of the community. */
void view_remove_owners(struct view_editor *e, unsigned community, const struct port *port);
/* The IP address with this key is that of who is behind the port; replaces another. As owners. */
MUST_CHECK int view_put_ip(
	struct view_editor *e, unsigned community, uint64_t key, const struct port *port);
/* Unless it is another's by now. */
void view_remove_ip(
	struct view_editor *e, unsigned community, uint64_t key, const struct port *port);
/* Who is behind the port is alone to be asked where that address is, or not any more. As these. */
MUST_CHECK int view_put_asked(
	struct view_editor *e, unsigned community, uint64_t key, const struct port *port);
void view_remove_asked(
	struct view_editor *e, unsigned community, uint64_t key, const struct port *port);
/*
 * Who is behind the port gets frames to this group address; LISTEN_REST: to every group. Not twice.
 * N2N_ENOMEM, N2N_ENOSPC: as before.
 */
#define LISTEN_REST 0
MUST_CHECK int view_listen(struct view_editor *e, unsigned community, uint64_t group,
	const struct port *port, table_retire *retire, void *ctx);
/*
 * And no more, which cannot fail: without memory all get all from then on. A port that does not
 * listen is fine. A port that leaves is to be taken from all groups before.
 */
void view_unlisten(struct view_editor *e, unsigned community, uint64_t group,
	const struct port *port, table_retire *retire, void *ctx);
/* Who listens is not known any more: all get all. */
void view_unsort(struct view_editor *e, unsigned community);
/* Our own sockets are these from now on; takes them over. What workers may still see is retired. */
void view_set_own(struct view_editor *e, struct own_sockets *own, table_retire *retire, void *ctx);
/* Our interface in it has this address, and carries frames of others or not. */
void view_set_interface(struct view_editor *e, unsigned community, uint64_t own, bool bridge);
/* Our roles in it, of enum member_role. */
void view_set_roles(struct view_editor *e, unsigned community, uint8_t roles);
/*
 * Its gate is this one from now on, which may be NULL; made by malloc, and taken over. The one
 * before is retired.
 */
void view_set_gate(struct view_editor *e, unsigned community, struct gate *gate,
	table_retire *retire, void *ctx);
/* How what is for many goes from now on; borrowed: the caller retires the one before. */
void view_set_group(struct view_editor *e, unsigned community, const struct group_plan *plan);
/* The community's clock advances by a step, modulo 8, in the next view; returns that. */
unsigned view_next_step(struct view_editor *e, unsigned community);
/*
 * Makes a new root, e->shown, if something changed, and gives away what of the one before is not
 * part of it. N2N_ENOMEM: what is shown stays; call again.
 */
MUST_CHECK int view_publish(struct view_editor *e, table_retire *retire, void *ctx);

#endif
