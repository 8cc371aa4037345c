/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending single packets from the control thread. */
#ifndef N2N_CORE_SESSION_SEND_H
#define N2N_CORE_SESSION_SEND_H

#include "core/session/session.h"

/*
 * Seals and sends one packet of at most CONTROL_MAX_LEN bytes now, on the session's path, or on via
 * if that is not NULL. Without keys nothing is sent.
 */
void send_packet(struct core *core, struct session *s, enum frame_kind kind, const uint8_t *plain,
	size_t len, struct path *via);
/*
 * An empty packet under exactly this key set, back the way its handshake came: the session's path
 * may be one to a process that is gone.
 */
void send_empty_under(struct core *core, struct session *s, struct keyset *k);
/* Sends an envelope back the way something came; buf has RELAY_HEADER_LEN writable before it. */
void send_envelope(struct core *core, const struct origin *to, uint8_t *buf, size_t len);
/* Sends the frames that waited, as far as there are keys. */
void send_waiting(struct core *core, struct session *s);
/* An event about the remote side of a peer session. */
void send_event(struct core *core, const struct session *s, enum event_kind kind, uint32_t value);

#endif
