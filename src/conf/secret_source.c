/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the names of places where secrets are read. */
#include "conf/secret_source.h"

#include <string.h>

#include "conf/values.h"

#define NAME_MAX_LEN 255
#define FD_MAX	     65535

static const struct {
	const char *prefix;
	enum secret_source_kind kind;
} kinds[] = {
	{"file:", SECRET_FILE},
	{"env:", SECRET_ENV},
	{"fd:", SECRET_FD},
	{"cred:", SECRET_CRED},
};

static enum secret_source_kind kind_of(const char *text, const char **name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		*name = text + len;
		if (strncmp(text, kinds[i].prefix, len) == 0)
			return kinds[i].kind;
	}
	*name = NULL;
	return SECRET_GIVEN;
}

bool secret_source_is(const char *text)
{
	const char *name;

	return kind_of(text, &name) != SECRET_GIVEN;
}

static bool is_variable(const char *name)
{
	return *name != 0 && strchr(name, '=') == NULL && strlen(name) <= NAME_MAX_LEN;
}

/* It is a file in a directory that systemd has made. */
static bool is_credential(const char *name)
{
	return *name != 0 && *name != '.' && strchr(name, '/') == NULL &&
	       strlen(name) <= NAME_MAX_LEN;
}

int secret_source_parse(struct secret_source *s, const char *text, char *why, size_t why_cap)
{
	s->fd = 0;
	s->kind = kind_of(text, &s->name);
	switch (s->kind) {
	case SECRET_FILE:
		if (*s->name == 0)
			return value_wrong(why, why_cap, "names no file; give file:PATH");
		break;
	case SECRET_ENV:
		if (!is_variable(s->name))
			return value_wrong(why, why_cap,
				"names no variable of the environment; give env:NAME");
		break;
	case SECRET_FD:
		if (!value_number(&s->fd, s->name, 0, FD_MAX))
			return value_wrong(why, why_cap,
				"names no open file; give fd:N with its number, e.g. fd:3");
		break;
	case SECRET_CRED:
		if (!is_credential(s->name))
			return value_wrong(why, why_cap,
				"names no credential; give cred:NAME as in LoadCredential=NAME:... "
				"of the unit");
		break;
	case SECRET_GIVEN:
		break;
	}
	return 0;
}
