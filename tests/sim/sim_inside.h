/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the simulator share: sim.c (clock, network), sim_node.c, sim_look.c (frames).
 */
#ifndef N2N_TESTS_SIM_INSIDE_H
#define N2N_TESTS_SIM_INSIDE_H

#include "sim.h"

enum sim_event_type {
	SIM_DATAGRAM,
	SIM_ARRIVAL,
	SIM_TICK,
	SIM_PUBLISH
};

/* sim.c */
void *sim_must(void *p);
void sim_fill(void *sim, void *buf, size_t len);
void sim_push_for(struct sim_node *n, enum sim_event_type type, uint64_t at_ms);
void sim_transmit(void *node, const struct datagram *d, size_t n);

/* sim_node.c; count is at most BATCH_MAX */
void sim_take_batch(struct sim_node *n, struct rx *x, size_t count);
void sim_tick(struct sim_node *n);
void sim_publish(struct sim_node *n);
void sim_frames_out(struct sim_node *n, struct frame *frames, size_t count);

/* sim_look.c: what the interface is handed. */
void sim_take_frame(struct sim_node *n, const uint8_t *data, size_t len);

#endif
