/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cursors over byte buffers. */
#include "base/bytes.h"

#include <string.h>

bool reader_done(const struct reader *r)
{
	return !r->bad && r->p == r->end;
}

uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_take(r, 1);

	return p != NULL ? *p : 0;
}

uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_take(r, 2);

	return p != NULL ? load_be16(p) : 0;
}

uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_take(r, 4);

	return p != NULL ? load_be32(p) : 0;
}

uint64_t reader_u64(struct reader *r)
{
	const uint8_t *p = reader_take(r, 8);

	return p != NULL ? load_be64(p) : 0;
}

void reader_copy(struct reader *r, void *dst, size_t len)
{
	const uint8_t *p = reader_take(r, len);

	if (len == 0) {
		return;
	}
	if (p != NULL) {
		memcpy(dst, p, len);
	} else {
		memset(dst, 0, len);
	}
}

void writer_init(struct writer *w, uint8_t *buf, size_t cap)
{
	w->start = buf;
	w->p = buf;
	w->end = buf + cap;
	w->bad = false;
}

size_t writer_len(const struct writer *w)
{
	return (size_t)(w->p - w->start);
}

size_t writer_left(const struct writer *w)
{
	return w->bad ? 0 : (size_t)(w->end - w->p);
}

bool writer_ok(const struct writer *w)
{
	return !w->bad;
}

uint8_t *writer_take(struct writer *w, size_t len)
{
	uint8_t *p = w->p;

	if (w->bad || len > (size_t)(w->end - p)) {
		w->bad = true;
		return NULL;
	}
	w->p += len;
	return p;
}

void writer_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = writer_take(w, 1);

	if (p != NULL) {
		*p = v;
	}
}

void writer_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = writer_take(w, 2);

	if (p != NULL) {
		store_be16(p, v);
	}
}

void writer_u32(struct writer *w, uint32_t v)
{
	uint8_t *p = writer_take(w, 4);

	if (p != NULL) {
		store_be32(p, v);
	}
}

void writer_u64(struct writer *w, uint64_t v)
{
	uint8_t *p = writer_take(w, 8);

	if (p != NULL) {
		store_be64(p, v);
	}
}

void writer_copy(struct writer *w, const void *src, size_t len)
{
	uint8_t *p = writer_take(w, len);

	if (p && len > 0) {
		memcpy(p, src, len);
	}
}

void writer_zero(struct writer *w, size_t len)
{
	uint8_t *p = writer_take(w, len);

	if (p && len > 0) {
		memset(p, 0, len);
	}
}
