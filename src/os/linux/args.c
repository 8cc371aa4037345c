/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what /proc/PID/cmdline shows. */
#include "os/args.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_MARK '.'

char **args_copy(int argc, char **argv)
{
	size_t table = ((size_t)argc + 1) * sizeof(char *), size = table;
	char **copy, *text;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	copy = malloc(size);
	if (copy == NULL)
		return NULL;
	text = (char *)copy + table;
	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]) + 1;

		copy[i] = memcpy(text, argv[i], len);
		text += len;
	}
	copy[argc] = NULL;
	return copy;
}

/* The end of the words, one behind the other as the kernel has laid them. */
static char *end_of(int argc, char **argv, char *const *copy, bool *wiped)
{
	char *end = argc > 0 ? argv[0] : NULL;

	for (int i = 0; i < argc && argv[i] == end; i++) {
		*wiped = *wiped || strcmp(argv[i], copy[i]) != 0;
		end += strlen(argv[i]) + 1;
	}
	return end;
}

/*
 * The kernel shows what lies between the first byte and the last, zeros too, which would tell how
 * long the secret was. Only when the last byte is no NUL it takes the whole for a title, as
 * setproctitle makes them, and shows it up to the first NUL. A title has no NUL between its words.
 */
void args_show(int argc, char **argv, char *const *copy)
{
	bool wiped = false;
	char *end = end_of(argc, argv, copy, &wiped), *p;

	if (!wiped)
		return;
	p = argv[0];
	for (int i = 0; i < argc; i++) {
		size_t len = strlen(copy[i]);

		if (i > 0 && len == 0)
			continue;
		if (i > 0)
			*p++ = ' ';
		memcpy(p, copy[i], len);
		p += len;
	}
	memset(p, 0, (size_t)(end - p));
	end[-1] = TITLE_MARK;
}
