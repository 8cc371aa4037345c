/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notices: what is wrong at the moment and somebody here can mend, such as an address that two
 * members have. One is raised while it holds, and cleared when it does not any more. It is a line
 * in the log when it is raised, and once an hour at most if it is raised over and over; as long as
 * it holds it stands in the status (docs/CONTROL.md 4.8). Control thread.
 */
#ifndef N2N_API_NOTICES_H
#define N2N_API_NOTICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define NOTICES_MAX	   64
#define NOTICE_SUBJECT_MAX 64  /* with the 0 at the end */
#define NOTICE_TEXT_MAX	   512 /* the same */

struct notice {
	const char *code; /* for machines, static; NULL: this place is free */
	char subject[NOTICE_SUBJECT_MAX];
	char text[NOTICE_TEXT_MAX];
	bool holds;
	uint64_t since_ms; /* it was raised */
	uint64_t told_ms;  /* last line in the log */
};

/* Bounded, so that what strangers cause fills nothing: of those that ended the oldest gives way. */
struct notices {
	const struct log *log;
	struct notice at[NOTICES_MAX];
	uint64_t untold; /* raised, and there was no place */
};

/* Empty. log is kept. */
void notices_init(struct notices *n, const struct log *log);
/*
 * Something is wrong: code is its kind, a static string; subject tells it from others of the kind,
 * "" if there is one only. The text is for people: what, with which value, the likely cause, what
 * to do. One that holds already is told again, with its new text, after an hour.
 */
__attribute__((format(printf, 5, 6))) void notices_raise(struct notices *n, uint64_t now_ms,
	const char *code, const char *subject, const char *fmt, ...);
/* The same of what may well be as it should be: its line is not a warning. */
__attribute__((format(printf, 5, 6))) void notices_remark(struct notices *n, uint64_t now_ms,
	const char *code, const char *subject, const char *fmt, ...);
/* It is right again; nothing if it was. True: it was told before, and holds no more. */
bool notices_clear(struct notices *n, const char *code, const char *subject);
/* Raises it if it holds, else clears it: for who looks again and again. */
__attribute__((format(printf, 6, 7))) void notices_set(struct notices *n, uint64_t now_ms,
	bool holds, const char *code, const char *subject, const char *fmt, ...);
/* Those that hold, those raised first in front: a new array for the status. NULL: no memory. */
json_t *notices_report(const struct notices *n, uint64_t now_ms);

#endif
