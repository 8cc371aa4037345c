/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What "n2n bench" measures: each gets its own words, and prints and returns as the commands in
 * commands.h do. One thread.
 */
#ifndef N2N_CTL_BENCH_H
#define N2N_CTL_BENCH_H

#include <stddef.h>

/* "crypto": the packet ciphers, by suite and library. */
int bench_crypto(int argc, char **argv);
/* "path ADDRESS...": asks the servers there, until all is measured or an interrupt. */
int bench_path(int argc, char **argv);
/* "serve": the other end; until an interrupt. */
int bench_serve(int argc, char **argv);

/* For option_spec.set: the field is an unsigned, 1 to 65535. Errors as said there. */
int bench_value_port(void *field, const char *value, char *why, size_t why_cap);

#endif
