/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the core tells its host: things to log, to remember on disk, or to do. Pointers inside an
 * event live only for the call.
 */
#ifndef N2N_CORE_EVENT_H
#define N2N_CORE_EVENT_H

#include "base/endpoint.h"
#include "crypto/keystring.h"

enum event_kind {
	EVENT_SUPERNODE_UP,	      /* registered: supernode, remote, community */
	EVENT_SUPERNODE_SILENT,	      /* no answer for 6 s, the next one is tried: supernode */
	EVENT_SUPERNODE_KEY,	      /* its key became known and should be kept: supernode, key */
	EVENT_SUPERNODE_KEY_CHANGED,  /* it is not the one remembered: supernode, key */
	EVENT_SUPERNODE_KEY_MISMATCH, /* it is not the one given with -l; not used: supernode, key
				       */
	EVENT_SUPERNODE_REFUSED, /* registration refused: supernode, value is register_result */
	EVENT_PEER_UP,		 /* first key set: community, edge */
	EVENT_PEER_DOWN,	 /* said goodbye or its keys ran out: community, edge */
	EVENT_PEER_RESTARTED,	 /* it is a new process: community, edge */
	EVENT_PATH_DIRECT,	 /* community, edge, remote, value is the round trip in ms */
	EVENT_PATH_RELAY,	 /* community, edge, value is relay_reason */
	EVENT_WRONG_KEY,	 /* members are there and none has our key: community */
	EVENT_WRONG_PASSPHRASE,	 /* every member reached has another passphrase: community */
	EVENT_GUESSING,		 /* more failed joins than the budget: community */
	EVENT_MEMBER_UP,	 /* at the supernode: edge registered: remote, value is handle */
	EVENT_MEMBER_DOWN,	 /* at the supernode: lease ended or left: value is handle */
	EVENT_STATE		 /* something worth saving changed */
};

struct event {
	enum event_kind kind;
	unsigned community;
	unsigned supernode; /* index in the order of -l */
	uint32_t value;
	struct endpoint remote;
	uint8_t edge[EDGE_ID_LEN];
	const uint8_t *key; /* KEY_LEN bytes or NULL */
};

#endif
