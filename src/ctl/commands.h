/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The subcommands of n2n. Each gets its own words, the first of which is its name, prints results
 * to standard output and errors to standard error, and returns the exit status.
 */
#ifndef N2N_CTL_COMMANDS_H
#define N2N_CTL_COMMANDS_H

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2
};

/* "n2n bench crypto|path|serve": bench.h. */
int bench_command(int argc, char **argv);
/* "n2n fdb": where addresses lead to (CONTROL.md). */
int fdb_command(int argc, char **argv);
/* "n2n forget MAC": an address need not stay with the member that had it (CONTROL.md). */
int forget_command(int argc, char **argv);
/* "n2n key new NAME": makes a community key (PROTOCOL.md 2.2). */
int key_command(int argc, char **argv);
/* "n2n reload": the edges of this host read their files anew (CONTROL.md). */
int reload_command(int argc, char **argv);
/* "n2n status": asks the instances of this host at their control sockets (CONTROL.md). */
int status_command(int argc, char **argv);

#endif
