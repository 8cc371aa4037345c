/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats log lines for the sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_LEN 1024

/* Names that peers chose end up in lines: no newline or escape of theirs may reach a terminal. */
static void flatten(char *line)
{
	for (; *line; line++) {
		unsigned char c = (unsigned char)*line;

		if (c < ' ' || c == 0x7f) {
			*line = '?';
		}
	}
}

void log_line(const struct log *log, enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;

	if (level > log->level) {
		return;
	}
	va_start(args, fmt);
	int len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len < 0) {
		return;
	}
	flatten(line);
	log->sink(log->ctx, level, line);
}
