/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Notices: what is wrong at the moment and somebody here can mend, such as an address that two
 * members have. One is raised while it holds, and cleared when it does not any more. It is a line
 * in the log when it is raised, and again each hour in which it holds, but no more than that if it
 * comes and goes; as long as it holds it stands in the status (docs/CONTROL.md 4.8). Texts and
 * subjects are UTF-8, and cut if they are too long. Control thread.
 */
#ifndef N2N_API_NOTICES_H
#define N2N_API_NOTICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define NOTICES_MAX	   64
#define NOTICES_OF_CODE	   10  /* at a time: others can cause several, and not take all places */
#define NOTICE_SUBJECT_MAX 80  /* with the 0 at the end */
#define NOTICE_TEXT_MAX	   512 /* the same */

struct notice {
	const char *code; /* for machines, static; NULL: this place is free */
	char subject[NOTICE_SUBJECT_MAX];
	char text[NOTICE_TEXT_MAX];
	enum log_level level;
	bool holds;
	bool told;	   /* that it holds was a line */
	uint64_t since_ms; /* it was raised */
	uint64_t told_ms;  /* last line in the log */
};

/* Bounded, so that what strangers cause fills nothing: of those that ended the oldest gives way. */
struct notices {
	const struct log *log;
	struct notice at[NOTICES_MAX];
	uint64_t unlisted;    /* times one was raised, and there was no place */
	uint64_t unlisted_ms; /* when that was a line, last; 0: never */
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
/*
 * It is right again; nothing if it was. True if that is worth a line: it held, and that it did was
 * one.
 */
bool notices_clear(struct notices *n, const char *code, const char *subject);
/* Whatever holds of this subject is right again, or nobody's matter any more. */
void notices_forget(struct notices *n, const char *subject);
/* Raises it if it holds, else clears it: for who looks again and again. */
__attribute__((format(printf, 6, 7))) void notices_set(struct notices *n, uint64_t now_ms,
	bool holds, const char *code, const char *subject, const char *fmt, ...);
/* Tells again what has held for an hour since it was told; to be called now and then. */
void notices_tick(struct notices *n, uint64_t now_ms);
/* Those that hold, those raised first in front: a new array for the status. NULL: no memory. */
json_t *notices_report(const struct notices *n, uint64_t now_ms);

#endif
