/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bounds-checked cursors: the only way this program looks at bytes that came from outside.
 *
 * A cursor knows both ends of its buffer and has a sticky error: after the first access that does
 * not fit, every further access fails too, reads give zero and writes do nothing. So a decoder
 * reads all its fields and asks once at the end. All integers are big-endian on the wire. The
 * buffer is borrowed. Not thread-safe; any thread may use a cursor of its own.
 */
#ifndef N2N_BASE_BYTES_H
#define N2N_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* data may be NULL when len is 0. */
void reader_init(struct reader *r, const uint8_t *data, size_t len);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* Copies len bytes to dst; on shortage dst is zeroed. */
void reader_copy(struct reader *r, void *dst, size_t len);
/* A pointer to the next len bytes inside the buffer, which are then consumed; NULL on shortage. */
const uint8_t *reader_take(struct reader *r, size_t len);
/* A reader over the next len bytes, which are consumed from r; a bad one on shortage. */
struct reader reader_sub(struct reader *r, size_t len);
/* Bytes not yet consumed; 0 once the reader is bad. */
size_t reader_left(const struct reader *r);
/* True when every access so far fitted. */
bool reader_ok(const struct reader *r);
/* True when every access fitted and nothing is left. */
bool reader_done(const struct reader *r);

struct writer {
	uint8_t *start;
	uint8_t *p;
	uint8_t *end;
	bool bad;
};

void writer_init(struct writer *w, uint8_t *buf, size_t cap);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_copy(struct writer *w, const void *src, size_t len);
void writer_zero(struct writer *w, size_t len);
/* Reserves len bytes and returns where they start; NULL on shortage. They are not initialised. */
uint8_t *writer_take(struct writer *w, size_t len);
size_t writer_len(const struct writer *w);
size_t writer_left(const struct writer *w);
bool writer_ok(const struct writer *w);

/* Unaligned big-endian loads and stores for code that has checked its bounds already. */
uint16_t load_be16(const uint8_t *p);
uint32_t load_be32(const uint8_t *p);
uint64_t load_be64(const uint8_t *p);
void store_be16(uint8_t *p, uint16_t v);
void store_be32(uint8_t *p, uint32_t v);
void store_be64(uint8_t *p, uint64_t v);

#endif
