/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns how a line of a configuration file is written. */
#include "conf/conf_text.h"

#include <stdio.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* By its mark, or by what ASCII is in it. */
static bool is_utf16(const char *text, size_t len)
{
	if (len < 2)
		return false;
	return memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0 ||
	       (text[0] == 0) != (text[1] == 0);
}

static unsigned count_lines(const char *text, const char *end)
{
	unsigned n = 1;

	for (; text < end; text++)
		n += *text == '\n';
	return n;
}

int conf_text_init(
	struct conf_text *t, char *text, size_t len, unsigned *number, struct conf_error *err)
{
	const char *nul = memchr(text, 0, len);

	*number = 1;
	if (is_utf16(text, len))
		return conf_fail(err, "is in UTF-16, as Windows writes it; save it as UTF-8, which "
				      "editors offer as an encoding");
	if (nul != NULL) {
		*number = count_lines(text, nul);
		return conf_fail(err, "a byte of zero, so this is no text; check that it is the "
				      "right file");
	}
	if (len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0) {
		text += 3;
		len -= 3;
	}
	*t = (struct conf_text){.at = text, .end = text + len};
	*t->end = 0;
	return 0;
}

static bool wrong(struct conf_line *line, const char *why)
{
	snprintf(line->why, sizeof(line->why), "%s", why);
	return false;
}

static char *skip_blanks(char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

/*
 * Takes a value in quotes at *at, which is behind it afterwards; what was escaped is put right in
 * place.
 */
static bool take_quoted(struct conf_line *line, char **at)
{
	char *from = *at + 1, *to = from;

	line->value = to;
	while (*from != '"') {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		if (*from == 0)
			return wrong(line, "the quote at the start of the value has no other at "
					   "its end");
		*to++ = *from++;
	}
	*to = 0;
	*at = skip_blanks(from + 1);
	return true;
}

/* Takes the value of "name value", which reaches to the end. */
static bool take_value(struct conf_line *line, char *at)
{
	if (*at != '"') {
		line->value = at;
		if (strstr(at, " #") != NULL || strstr(at, "\t#") != NULL)
			return wrong(line, "\"#\" in the value: put the comment on a line of its "
					   "own, or the value in quotes");
		return true;
	}
	if (!take_quoted(line, &at))
		return false;
	if (*at != 0)
		return wrong(line, "something follows the value in quotes; inside of them write "
				   "\\\" for a quote");
	return true;
}

/* Behind the name: "=", blanks, or the end. */
static bool take_option(struct conf_line *line, char *name, size_t len)
{
	char *rest = skip_blanks(name + len);
	bool equals = *rest == '=';

	line->name = name;
	if (equals)
		rest = skip_blanks(rest + 1);
	name[len] = 0;
	if (*rest == 0) {
		line->value = equals ? rest : NULL;
		return true;
	}
	return take_value(line, rest);
}

static bool take_dashed(struct conf_line *line, char *p)
{
	char *rest;

	line->dashed = true;
	if (p[1] != '-') {
		line->letter = p[1];
		rest = p + 1 + (p[1] != 0);
	} else {
		rest = p + 2 + strcspn(p + 2, "= \t");
	}
	line->name = p[1] != '-' ? p + 1 : p + 2;
	if (line->letter == 0 && rest == line->name)
		return wrong(line, "a dash without an option behind it");
	if (*rest != 0) {
		bool blank = is_blank(*rest), equals = *rest == '=';

		/* The letter's value may follow it at once, and then the name is the letter only.
		 */
		line->value = blank ? skip_blanks(rest + 1) : rest + equals;
		if (line->letter == 0)
			*rest = 0;
	}
	return true;
}

static bool take_block(struct conf_line *line, char *p)
{
	static const char unclosed[] = "a block has no \"]\" at the end of its line";
	size_t len = strlen(p);
	char *at = skip_blanks(p + 1);
	size_t name = strcspn(at, " \t\"]");

	if (p[len - 1] != ']')
		return wrong(line, unclosed);
	p[--len] = 0;
	while (is_blank(p[len - 1]))
		p[--len] = 0;
	line->name = at;
	at += name;
	if (*at == 0)
		return true;
	if (*at == '"')
		return wrong(line, "a block starts with its kind, as [community NAME]");
	*at = 0;
	at = skip_blanks(at + 1);
	if (*at != '"') {
		line->value = at;
		return true;
	}
	if (!take_quoted(line, &at))
		return false;
	if (*at != 0)
		return wrong(line, "something follows the name in quotes; inside of them write "
				   "\\\" for a quote");
	return true;
}

static bool has_control(const char *p)
{
	for (; *p != 0; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return true;
	return false;
}

/* Cuts the next line off; NULL at the end of the text. */
static char *cut_line(struct conf_text *t)
{
	char *begin = t->at, *end;

	if (begin >= t->end)
		return NULL;
	end = memchr(begin, '\n', (size_t)(t->end - begin));
	if (end == NULL)
		end = t->end;
	t->at = end + (end < t->end);
	t->number++;
	*end = 0;
	if (end > begin && end[-1] == '\r')
		*--end = 0;
	begin = skip_blanks(begin);
	while (end > begin && is_blank(end[-1]))
		*--end = 0;
	return begin;
}

static void take(struct conf_line *line, char *p)
{
	line->kind = *p == '[' ? CONF_LINE_BLOCK : CONF_LINE_OPTION;
	if (strlen(p) > CONF_LINE_MAX)
		snprintf(line->why, sizeof(line->why),
			"the line has %zu characters, which is more than %d; check that it is the "
			"right file",
			strlen(p), CONF_LINE_MAX);
	else if (has_control(p))
		snprintf(line->why, sizeof(line->why),
			"a control character in the line; remove it, or check that it is the right "
			"file");
	else if (*p == '[')
		(void)take_block(line, p);
	else if (*p == '-')
		(void)take_dashed(line, p);
	else
		(void)take_option(line, p, strcspn(p, "= \t"));
}

bool conf_text_next(struct conf_text *t, struct conf_line *line)
{
	char *p;

	do
		p = cut_line(t);
	while (p != NULL && (*p == 0 || *p == '#'));
	if (p == NULL)
		return false;
	memset(line, 0, sizeof(*line));
	line->number = t->number;
	line->name = "";
	take(line, p);
	return true;
}

bool conf_text_has_block(const struct conf_text *t)
{
	const char *p = t->at;

	while (p != NULL && p < t->end) {
		while (is_blank(*p))
			p++;
		if (*p == '[')
			return true;
		p = memchr(p, '\n', (size_t)(t->end - p));
		p = p != NULL ? p + 1 : NULL;
	}
	return false;
}
