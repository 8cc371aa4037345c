/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Why a peer is reached through the relay: found by the core, told by the control interface
 * (CONTROL.md 4.4), read by the control tool. Any thread.
 */
#ifndef N2N_BASE_RELAY_REASON_H
#define N2N_BASE_RELAY_REASON_H

/* Identifier, name for machines, explanation for people that follows "because" or a comma. */
#define RELAY_REASONS(X)                                                                           \
	X(SEARCHING, "searching", "a direct path is being searched")                               \
	X(NOT, "none", "no direct path is known")                                                  \
	X(NO_ADDRESS, "no-address", "it told no address that could be tried")                      \
	X(NO_ANSWER, "no-answer", "none of its addresses answers: a firewall or NAT on the way")   \
	X(SILENT, "silent", "the direct path fell silent")                                         \
	X(OVERLAY, "overlay", "its address leads into an n2n network of this host")

enum relay_reason {
#define X(id, name, text) RELAY_##id,
	RELAY_REASONS(X)
#undef X
};

/* For machines. Both texts are static; "?" for what is no reason. */
const char *relay_reason_name(enum relay_reason r);
/* For people, as in "relayed because no direct path is known". */
const char *relay_reason_text(enum relay_reason r);
/* The reason of a name; RELAY_NOT when it is of none that is known here. */
enum relay_reason relay_reason_parse(const char *name);

#endif
