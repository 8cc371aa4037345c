/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounds-checked cursors: the only way this program looks at bytes that came from outside.
 *
 * A cursor knows both ends of its buffer and has a sticky error: after the first access that does
 * not fit, every further access fails too, reads give zero and writes do nothing. So a decoder
 * reads all its fields and asks once at the end. All integers are big-endian on the wire. The
 * buffer is borrowed and must outlive the cursor. A cursor may be copied to come back to a place.
 * Not thread-safe; any thread may use a cursor of its own.
 */
#ifndef N2N_BASE_BYTES_H
#define N2N_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed piece of something; several in a row stand for their concatenation. */
struct slice {
	const void *data;
	size_t len;
};

/*
 * Unaligned big-endian loads and stores for code that has checked its bounds already: of 2 bytes at
 * p, then of 4 and 8.
 */
static inline uint16_t load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Of 4 bytes. */
static inline uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)load_be16(p) << 16 | load_be16(p + 2);
}

/* Of 8 bytes. */
static inline uint64_t load_be64(const uint8_t *p)
{
	return (uint64_t)load_be32(p) << 32 | load_be32(p + 4);
}

/* Writes 2 bytes at p. */
static inline void store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Writes 4 bytes. */
static inline void store_be32(uint8_t *p, uint32_t v)
{
	store_be16(p, (uint16_t)(v >> 16));
	store_be16(p + 2, (uint16_t)v);
}

/* Writes 8 bytes. */
static inline void store_be64(uint8_t *p, uint64_t v)
{
	store_be32(p, (uint32_t)(v >> 32));
	store_be32(p + 4, (uint32_t)v);
}

/* Reads from p to end; what stands before p is consumed. */
struct reader {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* Over len bytes of data, which may be NULL when len is 0; with len > 0 that makes a bad reader. */
static inline void reader_init(struct reader *r, const uint8_t *data, size_t len)
{
	static const uint8_t nothing[1];

	r->p = data != NULL ? data : nothing;
	r->end = r->p + (data != NULL ? len : 0);
	r->bad = data == NULL && len > 0;
}

/* The next integer, in host byte order: of 1 byte, 0 on shortage. */
uint8_t reader_u8(struct reader *r);
/* Of 2 bytes, likewise. */
uint16_t reader_u16(struct reader *r);
/* Of 4 bytes. */
uint32_t reader_u32(struct reader *r);
/* Of 8 bytes. */
uint64_t reader_u64(struct reader *r);
/* Copies len bytes to dst; on shortage dst is zeroed. */
void reader_copy(struct reader *r, void *dst, size_t len);
/* A pointer to the next len bytes inside the buffer, which are then consumed; NULL on shortage. */
static inline const uint8_t *reader_take(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || len > (size_t)(r->end - p)) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	return p;
}

/* A reader over the next len bytes, which are consumed from r; a bad one on shortage. */
static inline struct reader reader_sub(struct reader *r, size_t len)
{
	struct reader sub;
	const uint8_t *p = reader_take(r, len);

	reader_init(&sub, p, p != NULL ? len : 0);
	sub.bad = p == NULL;
	return sub;
}

/* Bytes not yet consumed; 0 once the reader is bad. */
static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

/* True when every access so far fitted. */
static inline bool reader_ok(const struct reader *r)
{
	return !r->bad;
}

/* True when every access fitted and nothing is left. */
bool reader_done(const struct reader *r);

/* Writes at p, up to end. */
struct writer {
	uint8_t *start;
	uint8_t *p;
	uint8_t *end;
	bool bad;
};

/* Over the cap bytes of buf, which keep their content where nothing is written. */
void writer_init(struct writer *w, uint8_t *buf, size_t cap);
/* Appends 1 byte. */
void writer_u8(struct writer *w, uint8_t v);
/* Appends 2 bytes; v is in host byte order, here and below. */
void writer_u16(struct writer *w, uint16_t v);
/* Appends 4 bytes. */
void writer_u32(struct writer *w, uint32_t v);
/* Appends 8 bytes. */
void writer_u64(struct writer *w, uint64_t v);
/* Appends len bytes of src, all or, on shortage, none; src may be NULL when len is 0. */
void writer_copy(struct writer *w, const void *src, size_t len);
/* Appends len bytes of 0. */
void writer_zero(struct writer *w, size_t len);
/* Reserves len bytes and returns where they start; NULL on shortage. They are not initialised. */
uint8_t *writer_take(struct writer *w, size_t len);
/* Bytes written so far; of a bad writer, those before the access that did not fit. */
size_t writer_len(const struct writer *w);
/* Bytes that still fit; 0 once the writer is bad. */
size_t writer_left(const struct writer *w);
/* True when every access so far fitted: only then is the content whole. */
bool writer_ok(const struct writer *w);

#endif
