/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who has another key or passphrase than we, and whose fault that is. Silence alone proves nothing:
 * members that died stay listed until their lease ends, and those who have much to do answer late.
 * So what counts is what only the living do: they stay listed, answer again, and go on confirming.
 * Control thread.
 */
#ifndef N2N_CORE_EDGE_MISFIT_H
#define N2N_CORE_EDGE_MISFIT_H

#include "core/edge/edge_state.h"

/* An attempt of ours with it got no answer at all. */
void misfit_unanswered(struct peer *p);
/* It answered one, and never confirmed the keys. */
void misfit_unfit(struct peer *p);
/* It confirmed one of its own, which came from there, under other keys (embryo_strange). */
void misfit_proved(struct peer *p, const struct origin *from);
/* It has our key or passphrase, whatever came of the handshake. */
void misfit_right(struct peer *p);
/* It is another process, not listed any more, or right: nothing is held against it. */
void misfit_clear(struct peer *p);
/* Key mode: members are there, and none has our key. */
bool misfit_wrong_key(const struct community *c);
/* Passphrase mode: members are reached, and all have another passphrase. */
bool misfit_wrong_passphrase(const struct community *c);

#endif
