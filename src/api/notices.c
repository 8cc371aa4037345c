/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what is wrong at the moment, and how often that is said. */
#include "api/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define TELL_AGAIN_MS 3600000u

void notices_init(struct notices *n, const struct log *log)
{
	*n = (struct notices){.log = log};
}

/* One that was cut is known by what is left of it. */
static bool is_same_subject(const char *kept, const char *subject)
{
	size_t len = strlen(kept);

	return strncmp(kept, subject, len) == 0 &&
	       (subject[len] == 0 || strlen(subject) >= NOTICE_SUBJECT_MAX);
}

static struct notice *find(struct notices *n, const char *code, const char *subject)
{
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice *t = &n->at[i];

		if (t->code != NULL && strcmp(t->code, code) == 0 &&
			is_same_subject(t->subject, subject))
			return t;
	}
	return NULL;
}

static bool is_crowded(const struct notices *n, const char *code)
{
	unsigned held = 0;

	for (size_t i = 0; i < NOTICES_MAX; i++)
		held += n->at[i].holds && strcmp(n->at[i].code, code) == 0;
	return held >= NOTICES_OF_CODE;
}

/* One that is free, or the one told longest ago of those that do not hold. */
static struct notice *take_place(struct notices *n, const char *code)
{
	struct notice *oldest = NULL;

	if (is_crowded(n, code))
		return NULL;
	for (size_t i = 0; i < NOTICES_MAX; i++) {
		struct notice *t = &n->at[i];

		if (t->code == NULL)
			return t;
		if (!t->holds && (oldest == NULL || t->told_ms < oldest->told_ms))
			oldest = t;
	}
	return oldest;
}

/* It has no place: it stands in the log, one of those an hour. */
static void tell_unlisted(
	struct notices *n, uint64_t now_ms, enum log_level level, const char *text)
{
	n->unlisted++;
	if (n->unlisted_ms != 0 && now_ms < n->unlisted_ms + TELL_AGAIN_MS)
		return;
	n->unlisted_ms = now_ms;
	log_line(n->log, level, "%s (there are too many such notices for the status)", text);
}

static void tell(const struct notices *n, struct notice *t, uint64_t now_ms)
{
	t->told_ms = now_ms;
	t->told = true;
	log_line(n->log, t->level, "%s", t->text);
}

__attribute__((format(printf, 6, 0))) static void raise(struct notices *n, uint64_t now_ms,
	enum log_level level, const char *code, const char *subject, const char *fmt, va_list args)
{
	struct notice *t = find(n, code, subject);
	bool known = t != NULL;
	char text[NOTICE_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	utf8_trim(text);
	if (!known)
		t = take_place(n, code);
	if (t == NULL) {
		tell_unlisted(n, now_ms, level, text);
		return;
	}
	if (!known) {
		*t = (struct notice){.code = code, .level = level};
		snprintf(t->subject, sizeof(t->subject), "%s", subject);
		utf8_trim(t->subject);
	}
	if (!t->holds) {
		t->since_ms = now_ms;
		t->told = false;
	}
	t->holds = true;
	memcpy(t->text, text, strlen(text) + 1);
	if (!known || now_ms >= t->told_ms + TELL_AGAIN_MS)
		tell(n, t, now_ms);
}

void notices_tick(struct notices *n, uint64_t now_ms)
{
	for (size_t i = 0; i < NOTICES_MAX; i++)
		if (n->at[i].holds && now_ms >= n->at[i].told_ms + TELL_AGAIN_MS)
			tell(n, &n->at[i], now_ms);
}

void notices_raise(struct notices *n, uint64_t now_ms, const char *code, const char *subject,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	raise(n, now_ms, LOG_WARN, code, subject, fmt, args);
	va_end(args);
}

void notices_set(struct notices *n, uint64_t now_ms, bool holds, const char *code,
	const char *subject, const char *fmt, ...)
{
	va_list args;

	if (!holds) {
		(void)notices_clear(n, code, subject);
		return;
	}
	va_start(args, fmt);
	raise(n, now_ms, LOG_WARN, code, subject, fmt, args);
	va_end(args);
}

void notices_remark(struct notices *n, uint64_t now_ms, const char *code, const char *subject,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	raise(n, now_ms, LOG_INFO, code, subject, fmt, args);
	va_end(args);
}

bool notices_clear(struct notices *n, const char *code, const char *subject)
{
	struct notice *t = find(n, code, subject);
	bool held = t != NULL && t->holds;

	if (held)
		t->holds = false;
	return held && t->told;
}

void notices_forget(struct notices *n, const char *subject)
{
	for (size_t i = 0; i < NOTICES_MAX; i++)
		if (n->at[i].code != NULL && strcmp(n->at[i].subject, subject) == 0)
			n->at[i].holds = false;
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
