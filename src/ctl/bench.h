/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What "n2n bench" measures: each gets its own words, as in commands.h. */
#ifndef N2N_CTL_BENCH_H
#define N2N_CTL_BENCH_H

#include <stddef.h>

int bench_crypto(int argc, char **argv);
int bench_path(int argc, char **argv);
int bench_serve(int argc, char **argv);

/* For option_spec.set: unsigned, 1 to 65535. */
int bench_value_port(void *field, const char *value, char *why, size_t why_cap);

#endif
