/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probes inside a session, their echoes, and PONGs (PROTOCOL.md 9.2). Control thread. */
#ifndef N2N_CORE_PATH_PROBE_H
#define N2N_CORE_PATH_PROBE_H

#include "core/session/session.h"

#define PROBE_ANSWERS_PER_S 20 /* to one session: echoes, PONGs, and new sources probed */

/* A direct path to this way, under the mask key known now. */
struct path probe_path(const struct session *s, const struct way *way);
/* PATH_PROBE straight to this way, whatever the session's path is; token is random. */
void probe_send(struct core *core, struct session *s, const struct way *way, uint64_t token);
/*
 * The peer's probe is echoed to where it came from; at a supernode only where a PING would be
 * answered.
 */
void probe_answer(struct core *core, struct session *s, const struct control_probe *m,
	const struct origin *from);
/* A PING is answered on the way it came. */
void probe_pong(struct core *core, struct session *s, const struct control_ping *m,
	const struct origin *from);

#endif
