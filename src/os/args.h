/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words of the command line as other processes of the host see them. A program works with a
 * copy of its words, wipes secrets there, and then has the copy shown. Every system; where others
 * do not see the words, or nothing can be changed about it, args_show does nothing. One thread.
 */
#ifndef N2N_OS_ARGS_H
#define N2N_OS_ARGS_H

/* argv with its strings and the NULL at its end, in one piece: free() it. NULL: no memory. */
char **args_copy(int argc, char **argv);
/*
 * If something was wiped in copy: overwrites argv with the words that are left, so that neither
 * what was wiped can be seen, nor its length. argv is of no more use.
 */
void args_show(int argc, char **argv, char *const *copy);

#endif
