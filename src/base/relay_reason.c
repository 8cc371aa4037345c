/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and explanations of the reasons for the relay. */
#include "base/relay_reason.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *text;
} reasons[] = {
#define X(id, name, text) [RELAY_##id] = {name, text},
	RELAY_REASONS(X)
#undef X
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *relay_reason_name(enum relay_reason r)
{
	return (size_t)r < REASONS ? reasons[r].name : "?";
}

const char *relay_reason_text(enum relay_reason r)
{
	return (size_t)r < REASONS ? reasons[r].text : "?";
}

enum relay_reason relay_reason_parse(const char *name)
{
	for (size_t i = 0; i < REASONS; i++)
		if (strcmp(name, reasons[i].name) == 0)
			return (enum relay_reason)i;
	return RELAY_NOT;
}
