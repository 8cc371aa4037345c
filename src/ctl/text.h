/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as people read them, columns that line up, and JSON on one line. One thread. */
#ifndef N2N_CTL_TEXT_H
#define N2N_CTL_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#define CELL_MAX    64
#define COLUMNS_MAX 12

/* "0.4 s", "12 s", "3 min", "5 h", "9 d". Returns buf. */
char *text_duration(char buf[CELL_MAX], double seconds);
/* "512 B", "1.2 MB"; powers of 1,000. Returns buf. */
char *text_bytes(char buf[CELL_MAX], double bytes);

/*
 * Prints answer on a line, figures with six digits, and frees it. NULL stands for one for which
 * memory was short: N2N_ENOMEM, as for the line.
 */
MUST_CHECK int text_print_json(json_t *answer);

#define ID_SHOWN 8 /* characters of an edge id, for people */

/* A member of an answer, as long as that lives; "-" where it is missing or no string. */
const char *text_member(const json_t *object, const char *name);
/* Prints "title a 1, b 2" and a line end; nothing where there are no counts. */
void text_print_counts(const char *title, json_t *counts);

/* Begins with columns set and all else zero; table_fini frees the cells. */
struct table {
	size_t columns;
	size_t rows;
	char (*cells)[COLUMNS_MAX][CELL_MAX]; /* rows; owned */
};

/* The next row, its cells empty; NULL when memory is short. */
char (*table_row(struct table *t))[CELL_MAX];
/* Prints all rows, each column as wide as its widest cell; each line starts with indent blanks. */
void table_print(const struct table *t, int indent, FILE *to);
/* One without rows is fine. */
void table_fini(struct table *t);

#endif
