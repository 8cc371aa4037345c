/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our own handshakes: when one starts, is sent again, answered, confirmed, given up. Control
 * thread; effects as in session.h. */
#ifndef N2N_CORE_SESSION_ATTEMPT_H
#define N2N_CORE_SESSION_ATTEMPT_H

#include "core/session/session.h"

/* True when an attempt is wanted and could begin now. */
bool attempt_is_due(const struct core *core, const struct session *s);
/*
 * Starts, sends, gives up, confirms, as the time demands. begin: an attempt is due
 * (attempt_is_due), and may begin. Returns effects.
 */
unsigned attempt_tick(struct core *core, struct session *s, bool begin);
/*
 * Our attempt went there, too, while the way of the session leads through the relay: an answer from
 * there came where it was asked for.
 */
bool attempt_went_to(const struct session *s, const struct origin *from);
/*
 * Takes the keys of an attempt that was answered: result and theirs are what attempt_finish gave.
 * The attempt ends. Returns effects: none when memory is short.
 */
unsigned attempt_take(struct core *core, struct session *s, const struct handshake_result *result,
	const struct payload *theirs, const struct origin *from);

#endif
