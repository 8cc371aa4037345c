/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a round trip is written for people. Any thread. */
#ifndef N2N_BASE_RTT_H
#define N2N_BASE_RTT_H

#include <stdint.h>

#define RTT_TEXT_MAX 32

/* Writes "0.21 ms", "4.7 ms" or "132 ms", what two figures tell, and returns buf. */
char *rtt_format(uint64_t us, char buf[RTT_TEXT_MAX]);

#endif
