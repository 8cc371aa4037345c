/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the drop reasons, and what they mean. */
#include "core/link/drop.h"

const char *drop_name(enum drop d)
{
	static const char *const names[DROP_COUNT] = {
#define X(id, name, text) name,
		DROP_REASONS(X)
#undef X
	};

	return (unsigned)d < DROP_COUNT ? names[d] : "?";
}

const char *drop_text(enum drop d)
{
	static const char *const texts[DROP_COUNT] = {
#define X(id, name, text) text,
		DROP_REASONS(X)
#undef X
	};

	return (unsigned)d < DROP_COUNT ? texts[d] : "?";
}
