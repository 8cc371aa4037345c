/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending single packets from the control thread. */
#ifndef N2N_CORE_SESSION_SEND_H
#define N2N_CORE_SESSION_SEND_H

#include "core/session/session.h"

/*
 * Packets of control messages, sealed and sent now; without keys nothing is sent. via NULL: on the
 * session's path. All but send_packet draw their length, so that it tells an observer nothing
 * (PROTOCOL.md 7.1): the plaintext is padded by up to SEND_PAD_MAX bytes, to CONTROL_PADDED_MAX at
 * most, what a supernode sends by itself by less. The messages are those in w, or the len bytes at
 * plain.
 */
#define SEND_PAD_MAX 255

/* As it is; of any kind, and at most CONTROL_MAX_LEN bytes. */
void send_packet(struct core *core, struct session *s, enum frame_kind kind, const uint8_t *plain,
	size_t len, struct path *via);
void send_control(struct core *core, struct session *s, const struct writer *w);
/* A PING or probe: so long that its answer, which says more, need not be longer. */
void send_question(struct core *core, struct session *s, const struct writer *w, struct path *via);
/*
 * An answer to the packet that is being worked on: by padding, which only the last has, all answers
 * together are no longer than that.
 */
void send_reply(
	struct core *core, struct session *s, const struct writer *w, bool last, struct path *via);
/* Nothing but padding: we are here. */
void send_empty(struct core *core, struct session *s);
/*
 * The same under exactly this key set, back the way its handshake came: the session's path may be
 * one to a process that is gone.
 */
void send_empty_under(struct core *core, struct session *s, struct keyset *k);
/* Sends an envelope back the way something came; buf has RELAY_HEADER_LEN writable before it. */
void send_envelope(struct core *core, const struct origin *to, uint8_t *buf, size_t len);
/* Sends a copy of a frame; false: there are no keys for it now. */
bool send_frame(struct core *core, struct session *s, const uint8_t *data, size_t len);
/* Sends the frames that waited, as far as there are keys. */
void send_waiting(struct core *core, struct session *s);
/* An event about the remote side of a peer session. */
void send_event(struct core *core, const struct session *s, enum event_kind kind, uint32_t value);

#endif
