/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the parsing of single values of options. */
#include "conf/values.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int value_wrong(char *why, size_t why_cap, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, why_cap, fmt, args);
	va_end(args);
	return N2N_EINVAL;
}

bool value_number(unsigned *out, const char *text, unsigned min, unsigned max)
{
	uint64_t n = 0;

	if (*text == 0)
		return false;
	for (; *text != 0; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > max)
			return false;
	}
	*out = (unsigned)n;
	return n >= min;
}

bool value_address(struct endpoint *e, const char *text)
{
	const char *colon = strchr(text, ':');
	bool has_port = colon != NULL && strchr(colon + 1, ':') == NULL;

	if (*text == '[' || has_port || endpoint_parse(e, text, 1) != 0)
		return false;
	e->port = 0;
	return true;
}

/* Decodes the character at p; returns its length, 0 when it is none. */
static size_t decode_utf8(uint32_t *code, const char *p)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)*p;
	size_t len = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;

	if (len == 4 && first >> 3 != 30)
		return 0;
	*code = len == 1 ? first : first & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		uint8_t next = (uint8_t)p[i];

		if (next >> 6 != 2)
			return 0;
		*code = *code << 6 | (next & 0x3f);
	}
	return *code >= least[len] && *code <= 0x10ffff && *code >> 11 != 0x1b ? len : 0;
}

bool value_is_printable(const char *text)
{
	uint32_t code;
	size_t len;

	for (; *text != 0; text += len) {
		len = decode_utf8(&code, text);
		if (len == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
	}
	return true;
}

bool value_is_interface(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > INTERFACE_NAME_MAX || strcmp(text, ".") == 0 ||
		strcmp(text, "..") == 0)
		return false;
	for (; *text != 0; text++)
		if (*text <= ' ' || *text > '~' || strchr("/:%", *text) != NULL)
			return false;
	return true;
}

int value_set_true(void *field, const char *value, char *why, size_t why_cap)
{
	bool *flag = field;

	(void)value, (void)why, (void)why_cap;
	*flag = true;
	return 0;
}

int value_count(void *field, const char *value, char *why, size_t why_cap)
{
	unsigned *count = field;

	(void)value, (void)why, (void)why_cap;
	++*count;
	return 0;
}

int value_workers(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 1, WORKERS_MAX))
		return value_wrong(why, why_cap,
			"is not a number of threads; give 1 to %d, at most one for each core",
			WORKERS_MAX);
	return 0;
}

int value_path(void *field, const char *value, char *why, size_t why_cap)
{
	const char **path = field;

	if (*value == 0)
		return value_wrong(why, why_cap, "is no path; give one that is not empty");
	*path = value;
	return 0;
}

int value_netns(void *field, const char *value, char *why, size_t why_cap)
{
	const char **netns = field;

	if (*value == 0 || strcmp(value, ".") == 0 || strcmp(value, "..") == 0 ||
		strlen(value) > NETNS_MAX || !value_is_printable(value))
		return value_wrong(why, why_cap,
			"cannot name a network namespace; give the name that \"ip netns\" shows, "
			"or "
			"a path, e.g. /proc/1/ns/net");
	*netns = value;
	return 0;
}

int value_listen(void *field, const char *value, char *why, size_t why_cap)
{
	struct endpoint *local = field;
	unsigned port;

	if (value_number(&port, value, 0, UINT16_MAX)) {
		*local = (struct endpoint){.port = (uint16_t)port};
		return 0;
	}
	if (endpoint_parse(local, value, 0) != 0)
		return value_wrong(why, why_cap,
			"is not a port to listen at; give PORT (0 to 65535, 0 takes any free one) "
			"or ADDRESS:PORT, e.g. 192.0.2.1:7654 or [2001:db8::1]:7654");
	return 0;
}

int value_ignore(void *field, const char *value, char *why, size_t why_cap)
{
	(void)field, (void)value, (void)why, (void)why_cap;
	return 0;
}
