/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decodes a control message of any type and encodes what came out: for tests and fuzzing. */
#ifndef N2N_TESTS_CONTROL_AGAIN_H
#define N2N_TESTS_CONTROL_AGAIN_H

#include "wire/control.h"

#define AGAIN(name, ...)                                                                           \
	{                                                                                          \
		struct control_##name msg;                                                         \
		int rc = control_##name##_decode(&msg, m->body);                                   \
		if (rc == 0)                                                                       \
			control_##name##_encode(w, __VA_ARGS__);                                   \
		return rc;                                                                         \
	}

/* 0, the decoder's error, or N2N_ENOENT for types without a body to decode. */
static inline int control_again(struct writer *w, const struct control_msg *m)
{
	switch (m->type) {
	case CONTROL_ACK:
		AGAIN(ack, &msg)
	case CONTROL_PING:
		AGAIN(ping, &msg)
	case CONTROL_PONG:
		AGAIN(pong, &msg)
	case CONTROL_REGISTER:
		AGAIN(register, m->seq, &msg)
	case CONTROL_REGISTERED:
		AGAIN(registered, m->seq, &msg)
	case CONTROL_ROSTER:
		AGAIN(roster, m->seq, &msg)
	case CONTROL_BYE:
		AGAIN(bye, &msg)
	case CONTROL_CANDIDATES:
		AGAIN(candidates, m->seq, &msg)
	case CONTROL_PATH_PROBE:
		AGAIN(probe, &msg)
	case CONTROL_PATH_ECHO:
		AGAIN(echo, &msg)
	case CONTROL_CLAIM:
		AGAIN(claim, m->seq, &msg)
	case CONTROL_VOUCH_ASK:
	case CONTROL_VOUCH:
		AGAIN(vouch, (enum control_type)m->type, &msg)
	case CONTROL_CLAIM_REFUSED:
		AGAIN(claim_refused, &msg)
	case CONTROL_GROUP_KEY:
		AGAIN(group_key, m->seq, &msg)
	case CONTROL_GROUP_ASK:
		AGAIN(group_ask, &msg)
	case CONTROL_LISTENERS:
		AGAIN(listeners, m->seq, &msg)
	case CONTROL_NAMES:
		AGAIN(names, m->seq, &msg)
	case CONTROL_FANOUT:
		AGAIN(fanout, &msg)
	case CONTROL_FANNED:
		AGAIN(fanned, &msg)
	default:
		return N2N_ENOENT;
	}
}

#undef AGAIN

#endif
