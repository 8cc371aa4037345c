/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The path in use, and watching over it (PROTOCOL.md 9.3): the first candidate to echo is used; a
 * path that falls silent is probed, doubled through the relay, and given up. Control thread.
 *
 *   relayed --echo--> direct --2 s unheard--> probed --300 ms--> doubled --3 s unheard--> relayed
 *                       ^------------------------echo-----------------'
 */
#ifndef N2N_CORE_PATH_PATH_H
#define N2N_CORE_PATH_PATH_H

#include "core/path/search.h"

/* Milliseconds. */
#define PATH_SUSPECT_MS	  2000u /* sent, and nothing heard for so long */
#define PATH_DEAD_MS	  3000u
#define PATH_PROBE_MS	  300u
#define PATH_PROVEN_MS	  1000u	 /* an echo shows for so long that the peer hears us */
#define PATH_IDLE_ECHO_MS 1000u	 /* receiving and silent: show that we are here */
#define PATH_STALE_MS	  30000u /* nothing heard: a NAT may have closed the way */
#define NAT_KEEPALIVE_MS  18500u /* +- 6.5 s */

/* Makes this way the session's path, with the mask key known now. */
void path_use(struct core *core, struct session *s, const struct way *way);
/* The same for a way that nobody has echoed from, for want of another. */
void path_guess(struct core *core, struct session *s, const struct way *way);
/* The relay came, went or renumbered: a relayed session follows it, one without any path takes
 * what there is. With no relay that is where it was last reached directly. */
void path_follow_route(struct core *core, struct session *s);
/* The remote process is a new one and may not know our mask key: the path is to be found anew. */
void path_restart(struct core *core, struct session *s);
/* An echo came back: its candidate may become the path. */
void path_echo(struct core *core, struct session *s, const struct control_echo *m,
	const struct origin *from);
/*
 * A packet came through the relay while our path is direct: the peer may not be heard by us, or we
 * not by it. Probes at once and sends by both ways until there is an echo.
 */
void path_doubt(struct core *core, struct session *s);
/*
 * What is sent on the direct path comes back by an interface of ours: it is given up for the relay
 * at once (RELAY_OVERLAY), and not tried again for REFUSED_MS or until routes change. Nothing
 * while there is no direct path.
 */
void path_refuse(struct core *core, struct session *s);
/*
 * Routes of this host changed: a path that now leads into an n2n network is given up like that,
 * another one measured, and what led into one is tried anew.
 */
void path_rerouted(struct core *core, struct session *s);
/*
 * How long datagrams may be on the direct path is asked anew, and frames go whole or in halves by
 * that from now on (PROTOCOL.md 6.8).
 */
void path_measure(struct core *core, struct session *s);
/*
 * The peer probes us where our path leads: it may not hear us there. Unless that was proven just
 * now the path is suspected, and probed, from now on.
 */
void path_probed(struct core *core, struct session *s, const struct origin *from);
/* Probes and watches, as the time demands. */
void path_tick(struct core *core, struct session *s);
/* When it has to be looked at again; UINT64_MAX: never, as things are. */
uint64_t path_next_ms(const struct core *core, const struct session *s);

#endif
