/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what is wrong at the moment, and how often that is said. */
#include "api/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TELL_AGAIN_MS 3600000u

void notices_init(struct notices *n, const struct log *log)
{
	*n = (struct notices){.log = log};
}

static struct notice *find(struct notices *n, const char *code, const char *subject)
{
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice *t = &n->at[i];

		if (t->code != NULL && strcmp(t->code, code) == 0 &&
			strncmp(t->subject, subject, NOTICE_SUBJECT_MAX - 1) == 0)
			return t;
	}
	return NULL;
}

/* One that is free, or the one told longest ago of those that do not hold. */
static struct notice *take_place(struct notices *n)
{
	struct notice *oldest = NULL;

	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice *t = &n->at[i];

		if (t->code == NULL)
			return t;
		if (!t->holds && (oldest == NULL || t->told_ms < oldest->told_ms))
			oldest = t;
	}
	return oldest;
}

static void raise(struct notices *n, uint64_t now_ms, enum log_level level, const char *code,
	const char *subject, const char *text)
{
	struct notice *t = find(n, code, subject);
	bool known = t != NULL;

	if (!known)
		t = take_place(n);
	if (t == NULL) {
		n->untold++;
		return;
	}
	if (!known) {
		*t = (struct notice){.code = code};
		snprintf(t->subject, sizeof(t->subject), "%s", subject);
	}
	if (!t->holds)
		t->since_ms = now_ms;
	t->holds = true;
	snprintf(t->text, sizeof(t->text), "%s", text);
	if (known && now_ms < t->told_ms + TELL_AGAIN_MS)
		return;
	t->told_ms = now_ms;
	log_line(n->log, level, "%s", t->text);
}

void notices_raise(struct notices *n, uint64_t now_ms, const char *code, const char *subject,
	const char *fmt, ...)
{
	char text[NOTICE_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	raise(n, now_ms, LOG_WARN, code, subject, text);
}

void notices_set(struct notices *n, uint64_t now_ms, bool holds, const char *code,
	const char *subject, const char *fmt, ...)
{
	char text[NOTICE_TEXT_MAX];
	va_list args;

	if (!holds) {
		(void)notices_clear(n, code, subject);
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	raise(n, now_ms, LOG_WARN, code, subject, text);
}

void notices_remark(struct notices *n, uint64_t now_ms, const char *code, const char *subject,
	const char *fmt, ...)
{
	char text[NOTICE_TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	raise(n, now_ms, LOG_INFO, code, subject, text);
}

bool notices_clear(struct notices *n, const char *code, const char *subject)
{
	struct notice *t = find(n, code, subject);
	bool held = t != NULL && t->holds;

	if (held)
		t->holds = false;
	return held;
}

static json_t *describe(const struct notice *t, uint64_t now_ms)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "code", t->code, "subject", t->subject, "text",
		t->text, "since_s", (json_int_t)((now_ms - t->since_ms) / 1000));
}

json_t *notices_report(const struct notices *n, uint64_t now_ms)
{
	const struct notice *sorted[NOTICES_MAX];
	json_t *list = json_array();
	size_t count = 0;

	for (size_t i = 0; i < NOTICES_MAX; i++) {
		size_t k = count;

		if (n->at[i].code == NULL || !n->at[i].holds)
			continue;
		for (; k > 0 && sorted[k - 1]->since_ms > n->at[i].since_ms; k--)
			sorted[k] = sorted[k - 1];
		sorted[k] = &n->at[i];
		count++;
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, describe(sorted[i], now_ms));
	return list;
}
