/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Log lines for people: a level, one line of text, a sink that the program supplies. The core does
 * not log; it reports events (core/event.h) and the host turns them into lines. Never pass a
 * secret. The sink must be thread-safe if several threads log; of struct log itself only the level
 * may be changed after its initialisation.
 */
#ifndef N2N_BASE_LOG_H
#define N2N_BASE_LOG_H

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};

struct log {
	_Atomic(enum log_level) level; /* lines above this level are not formatted at all */
	void (*sink)(void *ctx, enum log_level level, const char *line); /* line has no newline */
	void *ctx;
};

/*
 * Formats a line and hands it to the sink, cut at 1,023 bytes, bytes below ' ' and 0x7f replaced by
 * '?': what a peer chose as its name can neither end a line nor steer a terminal. Does nothing when
 * level is above log->level. The line is the sink's for the time of the call only.
 */
__attribute__((format(printf, 3, 4))) void log_line(
	const struct log *log, enum log_level level, const char *fmt, ...);

/* The same for each level: log_info(log, "interface %s is up", name). */
#define log_error(log, ...) log_line((log), LOG_ERROR, __VA_ARGS__)
#define log_warn(log, ...)  log_line((log), LOG_WARN, __VA_ARGS__)
#define log_info(log, ...)  log_line((log), LOG_INFO, __VA_ARGS__)
#define log_debug(log, ...) log_line((log), LOG_DEBUG, __VA_ARGS__)

#endif
