/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The view: everything a worker looks up, immutable, in open-addressed arrays. The control thread
 * builds a new one when a session, MAC address or handle comes or goes; keys and paths change
 * inside the sessions and need none. It borrows the sessions: those it names are retired after it.
 */
#ifndef N2N_CORE_LINK_VIEW_H
#define N2N_CORE_LINK_VIEW_H

#include "base/limits.h"
#include "base/mac.h"
#include "core/session/session.h"

#define COMMUNITIES_MAX 16
#define ENV_KEYS_MAX	(2 * COMMUNITIES_MAX)

struct view_id {
	uint32_t id;
	struct session *session; /* NULL: empty */
	uint32_t handle;	 /* at a supernode, of a registered edge; else 0 */
	uint32_t community;	 /* at a supernode: which community; sees only its own */
};

/* An edge: who is behind this handle of this hop. A supernode: hop_id is 0. */
struct view_handle {
	uint32_t hop_id;
	uint32_t handle;
	struct session *session;
};

struct view_mac {
	struct mac mac;
	struct session *session;
};

struct view_community {
	struct mac mac;		/* of our own interface */
	uint8_t mask[MASK_LEN]; /* our direct mask key */
	uint32_t macs_mask;
	struct view_mac *macs; /* by MAC address */
	uint32_t n_peers;
	struct session **peers; /* all, for frames to everybody */
};

struct view {
	bool supernode;
	uint8_t hop_mask[MASK_LEN]; /* our hop mask key */
	uint8_t hash_key[SIPHASH_KEY_LEN];
	uint32_t ids_mask;
	struct view_id *ids;
	uint32_t handles_mask;
	struct view_handle *handles;
	uint32_t n_supernodes;
	struct endpoint supernodes[COMMUNITIES_MAX * SUPERNODES_MAX];
	uint32_t n_env_keys;
	uint8_t env_keys[ENV_KEYS_MAX][KEY_LEN]; /* of all envelopes that may be sealed for us */
	bool split_direct;			 /* someone may send directly under a split mask */
	uint32_t n_communities;
	struct view_community community[COMMUNITIES_MAX];
};

/* Sized for the numbers given; entries are added by the view_add functions. NULL: no memory. */
struct view *view_create(
	const uint8_t hash_key[SIPHASH_KEY_LEN], uint32_t n_sessions, uint32_t n_handles);
/* Argument void * to fit node_retire. Accepts NULL. */
void view_destroy(void *view);
void view_add_session(struct view *v, struct session *s);
/* At a supernode: a registered edge. Adds the session and its handle. */
void view_add_member(struct view *v, struct session *s, uint32_t handle, uint32_t community);
void view_add_handle(struct view *v, uint32_t hop_id, uint32_t handle, struct session *s);
MUST_CHECK int view_size_community(struct view *v, unsigned community, uint32_t n_peers);
void view_add_peer(struct view *v, unsigned community, struct session *s, const struct mac *mac);

void view_add_env_key(struct view *v, const uint8_t key[KEY_LEN]);

struct session *view_session(const struct view *v, uint32_t id);
/* The entry of a session by its id, or NULL. */
const struct view_id *view_entry(const struct view *v, uint32_t id);
struct session *view_handle(const struct view *v, uint32_t hop_id, uint32_t handle);
struct session *view_mac(const struct view *v, unsigned community, const struct mac *mac);
bool view_is_supernode(const struct view *v, const struct endpoint *e);

#endif
