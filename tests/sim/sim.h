/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The simulator: any number of edges and supernodes in one process, a network between them, and a
 * virtual clock in milliseconds. Each node is driven as the host drives it: a worker with the
 * published view takes datagrams and frames first, what it leaves goes to the control functions;
 * views are published at most every 10 ms; what is retired is freed at the first moment the host
 * might. Everything random comes from one seed, so a run with the same seed is the same run.
 *
 * One thread. Memory shortage aborts. Test frames carry a number and a pattern made from it, and
 * what arrives is checked against the list of what was sent.
 */
#ifndef N2N_TESTS_SIM_H
#define N2N_TESTS_SIM_H

#include "core/edge/edge.h"
#include "core/supernode/supernode.h"

#define SIM_START_MS	   UINT64_C(100000) /* the clock at the beginning */
#define SIM_WALL_MS	   UINT64_C(1700000000000)
#define SIM_PORT	   7777
#define SIM_NAT_PORTS	   20000 /* of nodes behind a NAT, by their number; others have lower ones */
#define SIM_SUPERNODES_MAX 4
#define SIM_EVENTS	   (EVENT_STATE + 1)
#define SIM_KNOWN_MAX	   300
#define SIM_FRAME_LEN	   120
#define SIM_QUEUE_LEN	   256 /* notes */
/* What an interface takes unless a test changes worker.in. */
#define SIM_KINDS (OFFLOAD_BIT(OFFLOAD_TCP4) | OFFLOAD_BIT(OFFLOAD_TCP6) | OFFLOAD_BIT(OFFLOAD_UDP))

struct sim;
struct sim_node;

/* One direction between two nodes. Chances are in 1/1000. */
struct sim_link {
	bool blocked;
	uint16_t loss, dup, reorder; /* a reordered datagram is 50 ms late */
	uint32_t delay_ms, jitter_ms;
};

/* A -l option. */
struct sim_supernode {
	struct endpoint address;
	bool given, pinned; /* key came with -l; key remembered */
	uint8_t key[KEY_LEN];
};

/* What an edge is started with; may be changed between runs of it. */
struct sim_setup {
	uint8_t seed[SEED_LEN];
	struct community_key key;
	bool passphrase; /* prs and name are used instead of key */
	uint8_t prs[KEY_LEN];
	const char *name;
	struct mac mac;	  /* zero: derived */
	uint64_t hold_ms; /* of addresses; 30 days unless changed */
	uint8_t n_addresses;
	struct claim_address address[CLAIM_ADDRESSES_MAX];
	uint32_t learn; /* addresses that no member claims */
	uint8_t roles;	/* of enum member_role */
	bool forges; /* its frames go out from any address and say anything, whatever its roles */
	bool bpdu_guard;
	bool signed_broadcast;
	size_t n_trusted;
	struct trusted trusted[4];
	unsigned n_supernodes;
	struct sim_supernode supernode[SIM_SUPERNODES_MAX];
	bool quiet_about_addresses; /* tells no local candidate */
	/* For struct core_io; ctx is the struct sim_node. NULL: everything is. */
	bool (*is_underlay)(void *ctx, const struct endpoint *to);
	uint16_t (*limit)(void *ctx, const struct endpoint *to); /* NULL: a link of 1,500 bytes */
	uint32_t first_counter;
	uint64_t wall_ms;
	uint8_t secret[KEY_LEN]; /* a supernode's */
	/* The state directory. */
	bool has_state;
	uint64_t freshness;
	uint8_t mask[MASK_LEN];
	size_t n_known, n_owners;
	struct known_peer known[SIM_KNOWN_MAX];
	struct known_owner owners[SIM_KNOWN_MAX];
};

/* Notes of one kind, waiting for the control thread. */
struct sim_queue {
	struct note *note;
	size_t n;
};

struct sim_node {
	struct sim *sim;
	unsigned number;
	bool is_edge;
	bool up;
	uint32_t run;		 /* counts starts */
	struct endpoint address; /* as others see it */
	struct endpoint inner;	 /* as the node sees it */
	struct sim_setup setup;
	struct edge *edge;
	struct edge_worker worker;
	struct supernode *supernode;
	struct supernode_worker relay;
	struct node *node; /* of either */
	const struct view *view;
	uint64_t published_ms;
	bool publishing;    /* an event for it is queued */
	struct notes notes; /* what its worker leaves */
	struct sim_queue queue[NOTE_QUEUES];
	/* What happened. */
	unsigned events[SIM_EVENTS];
	uint64_t event_ms[SIM_EVENTS];
	struct event last_event[SIM_EVENTS];
	uint64_t frames_in;
	unsigned community; /* whose interface is handed frames just now */
	void *user;	    /* a test's */
};

/* A frame that was sent to one node; a broadcast is one of them for each. */
struct sim_frame {
	uint32_t from, to; /* numbers of nodes */
	uint64_t sent_ms;
	uint64_t came_ms;
	uint32_t count; /* how often it came */
	bool flooded;	/* its sender did not know who has the address */
};

/*
 * Sees each datagram before the network takes it; false: it is swallowed. May inject others. The
 * network takes what goes by UDP only.
 */
typedef bool sim_wire(void *ctx, struct sim_node *from, const struct datagram *d);

/*
 * Sees each frame, or train of frames, that the interface of an edge is handed; false: it is no
 * test frame, and the test has looked at it itself.
 */
typedef bool sim_interface(void *ctx, struct sim_node *at, const struct joined *j);

struct sim {
	uint64_t seed;
	uint64_t rng;
	uint64_t now_ms;
	struct random random;
	unsigned max_nodes, n_nodes;
	size_t frame_len; /* of the test frames: SIM_FRAME_LEN, until a test sets it */
	unsigned batch;	  /* datagrams that a node takes at once, at most BATCH_MAX */
	struct sim_node **nodes;
	struct sim_link *links; /* max_nodes squared, by sender and receiver */
	struct sim_event *heap;
	size_t n_heap, cap_heap;
	uint64_t order;
	sim_wire *wire;
	void *wire_ctx;
	sim_interface *interface;
	void *interface_ctx;
	struct sim_frame *frames;
	size_t n_frames, cap_frames;
	/* What must never happen. */
	uint64_t altered, misdelivered, duplicated;
	uint64_t datagrams, lost, delivered;
};

/* The seed of this process: SIM_SEED of the environment, else a constant. */
uint64_t sim_seed(void);
/* Says how to repeat the run if a test failed; returns what main is to return. */
int sim_end(int failed);

struct sim *sim_create(uint64_t seed, unsigned max_nodes);
void sim_destroy(struct sim *s);
uint32_t sim_below(struct sim *s, uint32_t bound);

/* New nodes, not started yet. An edge is of the community with this key and uses the supernode. */
struct sim_node *sim_add_supernode(struct sim *s);
struct sim_node *sim_add_edge(
	struct sim *s, const struct community_key *key, const struct sim_node *supernode);
/* Another entry of its -l list. */
void sim_use_supernode(struct sim_node *edge, const struct sim_node *supernode);
/* The key of the community that most scenarios are about. */
extern const struct community_key sim_key;
void sim_use_passphrase(struct sim_node *edge, const char *name, uint8_t prs);
void sim_supernode_public(const struct sim_node *supernode, uint8_t key[KEY_LEN]);
void sim_start(struct sim_node *n);
void sim_start_all(struct sim *s);
/* The process ends: with a goodbye or without; the state directory holds what it would. */
void sim_stop(struct sim_node *n, bool goodbye);
void sim_forget_state(struct sim_node *n);
/* From outside it is seen at this address, which it shares with others, from its start on. */
void sim_behind(struct sim_node *n, const struct endpoint *nat);
/* Another address from now on: its own, which it notices, or that of a NAT before it. */
void sim_move(struct sim_node *n, bool notices);

struct sim_link *sim_link(struct sim *s, const struct sim_node *from, const struct sim_node *to);
/* The same properties between all nodes, now and later. */
void sim_all_links(struct sim *s, const struct sim_link *l);
/* Both directions between two. */
void sim_block(struct sim *s, const struct sim_node *a, const struct sim_node *b, bool blocked);
/* Between all edges. */
void sim_block_direct(struct sim *s, bool blocked);
/* As if it came from the network now. */
void sim_inject(struct sim *s, const struct endpoint *from, const struct endpoint *to,
	const uint8_t *data, size_t len, uint32_t delay_ms);

/* A datagram comes out of another carrier than UDP at a node. */
void sim_arrive(struct sim_node *to, const struct datagram *d, uint32_t delay_ms);

void sim_run(struct sim *s, uint64_t ms);
/* Runs until the condition holds, looking every 10 ms; false when it did not within ms. */
bool sim_until(struct sim *s, uint64_t ms, bool (*done)(void *ctx), void *ctx);
bool sim_all_registered(void *sim);
/* Each edge has a path to each other one of its community; directly. */
bool sim_all_up(void *sim);
bool sim_all_direct(void *sim);

/* Sends a frame and returns its number in frames. */
size_t sim_send(struct sim_node *from, struct sim_node *to);
size_t sim_send_burst(struct sim_node *from, struct sim_node *to, size_t n);
/* To the broadcast address: the frames are this number and node numbers added. */
size_t sim_broadcast(struct sim_node *from);
/* With any addresses; numbered as a broadcast is. */
size_t sim_flood(struct sim_node *from, const struct mac *to, const struct mac *source);
/* What is read from the interface in one turn, super-frames too: cut and sent as by the host. */
void sim_send_super(struct sim_node *from, const struct frame *frames, size_t n);
/* As any interface of it would; the community's index. */
void sim_frames_from(struct sim_node *from, unsigned community, struct frame *frames, size_t n);
bool sim_came(const struct sim *s, size_t frame);
/* Frames among those sent from this number on that did not come. */
size_t sim_missing(const struct sim *s, size_t first);

struct session *sim_session(struct sim_node *of, const struct sim_node *with);
bool sim_is_direct(struct sim_node *of, const struct sim_node *with);
uint64_t sim_drops(const struct sim_node *n, enum drop why);
enum community_state sim_state(struct sim_node *n);
struct mac sim_mac(const struct sim_node *n);
/* Asserts that nothing was altered, misdelivered or came twice. */
void sim_assert_clean(const struct sim *s);

#endif
