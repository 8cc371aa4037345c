/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the log sink of the programs. */
#include "host/loop/log.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void to_journal(void *ctx, enum log_level level, const char *line)
{
	static const int priority[] = {
		[LOG_ERROR] = 3,
		[LOG_WARN] = 4,
		[LOG_INFO] = 6,
		[LOG_DEBUG] = 7,
	};

	(void)ctx;
	fprintf(stderr, "<%d>%s\n", priority[level], line);
}

static void to_people(void *ctx, enum log_level level, const char *line)
{
	static const char *const word[] = {
		[LOG_ERROR] = "ERROR: ",
		[LOG_WARN] = "WARNING: ",
		[LOG_INFO] = "",
		[LOG_DEBUG] = "",
	};
	const char *program = ctx;

	fprintf(stderr, "%s: %s%s\n", program, word[level], line);
}

/* The variable alone says little: what a service starts inherits it (systemd.exec(5)). */
static bool journal_reads_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[2 * sizeof("18446744073709551615")];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

void host_log_set_level(struct log *log, unsigned verbosity)
{
	log->level = verbosity > 0 ? LOG_DEBUG : LOG_INFO;
}

void host_log_init(struct log *log, const char *program, unsigned verbosity)
{
	union {
		const char *text;
		void *ctx;
	} name = {program};

	host_log_set_level(log, verbosity);
	log->sink = journal_reads_stderr() ? to_journal : to_people;
	log->ctx = name.ctx;
}
