/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The snapshot lies in a file in memory. While it is built the file is mapped shared, afterwards
 * privately, so that dropping the pages a run wrote brings the snapshot back.
 *
 * The linker sends the project's calls of malloc and its like here (--wrap); the system's libraries
 * keep their own, so packets are sealed with libsodium, which allocates nothing. Blocks lie one
 * behind the other, and none is used twice in a run: what is freed stays poisoned. AddressSanitizer
 * says "use-after-poison" of it and of the gaps between; the replay program, built with it, shows
 * for the same input who allocated and freed.
 */
#define _GNU_SOURCE
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/aead/provider.h"
#include "fuzz_check.h"
#include "snapshot.h"

#define ARENA_LEN   ((size_t)4 << 30) /* addresses only: memory is taken as it is written */
#define ALIGN	    64u		      /* of all blocks; the most that anyone asks for */
#define GAP	    16u		      /* at least, behind a block and before the next header */
#define FILL	    0xbe	      /* what AddressSanitizer fills new blocks with */
#define FILL_MAX    4096u
#define LIVE	    0x6c697665u
#define FREED	    0x66726565u
#define UNSANITIZED __attribute__((no_sanitize("address"), noinline))

/* Poisoned, before each block. */
struct header {
	size_t len;
	uint32_t state;
};

/* At the beginning of the arena, so put back with it. */
struct arena {
	size_t used; /* where the last block ends */
	size_t live; /* blocks */
};

static struct {
	struct arena *arena; /* NULL before the first take */
	size_t frozen;	     /* used, in the snapshot */
	void *state;
	bool running; /* who allocates is the target */
	bool ends;    /* all of the run is to be freed */
} snapshot;

void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__real_realloc(void *p, size_t len);
void *__real_aligned_alloc(size_t align, size_t len);
void __real_free(void *p);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);
void *__wrap_realloc(void *p, size_t len);
void *__wrap_aligned_alloc(size_t align, size_t len);
void __wrap_free(void *p);
void *__wrap_crypto_secret_alloc(size_t len);
void __wrap_crypto_secret_free(void *p);
const struct aead_provider *__wrap_aead_library_choice(
	const struct aead_library *lib, enum aead_suite suite);

/* ---- blocks ---- */

static uint8_t *arena_start(void)
{
	return (uint8_t *)snapshot.arena;
}

static bool in_arena(const void *p)
{
	const uintptr_t start = (uintptr_t)snapshot.arena, at = (uintptr_t)p;

	return start != 0 && at >= start && at < start + ARENA_LEN;
}

UNSANITIZED static void header_write(uint8_t *block, size_t len, uint32_t state)
{
	struct header *h = (struct header *)block - 1;

	h->len = len;
	h->state = state;
}

UNSANITIZED static struct header header_read(const uint8_t *block)
{
	return ((const struct header *)block)[-1];
}

/* Offset of the block that lies behind one which ends at this offset. */
static size_t place_after(size_t end)
{
	return (end + GAP + sizeof(struct header) + ALIGN - 1) / ALIGN * ALIGN;
}

static void *arena_alloc(size_t len)
{
	struct arena *a = snapshot.arena;
	const size_t at = place_after(a->used);
	uint8_t *block = arena_start() + at;

	CHECK(len < ARENA_LEN - at - 2 * ALIGN);
	/* What the run before left of the shadow around it goes: gap, block, the next gap. */
	ASAN_POISON_MEMORY_REGION(block - sizeof(struct header), sizeof(struct header));
	ASAN_POISON_MEMORY_REGION(block, len + 2 * ALIGN);
	ASAN_UNPOISON_MEMORY_REGION(block, len);
	header_write(block, len, LIVE);
	a->used = at + len;
	a->live++;
	return block;
}

static void arena_free(uint8_t *block)
{
	const struct header h = header_read(block);

	CHECK(h.state == LIVE); /* else it is no block, or was freed before */
	header_write(block, h.len, FREED);
	ASAN_POISON_MEMORY_REGION(block, h.len);
	snapshot.arena->live--;
}

/* The shadow knows nothing of what was put back. */
static void unpoison_snapshot(void)
{
	size_t at = place_after(sizeof(struct arena));

	while (at < snapshot.frozen) {
		uint8_t *block = arena_start() + at;
		const struct header h = header_read(block);

		if (h.state == LIVE)
			ASAN_UNPOISON_MEMORY_REGION(block, h.len);
		at = place_after(at + h.len);
	}
}

/* ---- what the project's code calls ---- */

void *__wrap_malloc(size_t len)
{
	void *p;

	if (!snapshot.running)
		return __real_malloc(len);
	p = arena_alloc(len);
	memset(p, FILL, len < FILL_MAX ? len : FILL_MAX);
	return p;
}

/* Memory of the arena is zero until it is used, which it is only once. */
void *__wrap_calloc(size_t n, size_t len)
{
	if (!snapshot.running)
		return __real_calloc(n, len);
	CHECK(len == 0 || n < ARENA_LEN / len);
	return arena_alloc(n * len);
}

/* A block always moves, so that an old pointer to it is found out. */
void *__wrap_realloc(void *p, size_t len)
{
	size_t old_len;
	void *moved;

	if (!snapshot.running || (p != NULL && !in_arena(p)))
		return __real_realloc(p, len);
	moved = __wrap_malloc(len);
	if (p == NULL)
		return moved;
	old_len = header_read(p).len;
	memcpy(moved, p, old_len < len ? old_len : len);
	arena_free(p);
	return moved;
}

void *__wrap_aligned_alloc(size_t align, size_t len)
{
	if (!snapshot.running)
		return __real_aligned_alloc(align, len);
	CHECK(align <= ALIGN);
	return __wrap_malloc(len);
}

void __wrap_free(void *p)
{
	if (in_arena(p))
		arena_free(p);
	else
		__real_free(p);
}

void *__wrap_crypto_secret_alloc(size_t len)
{
	return __wrap_calloc(1, len);
}

void __wrap_crypto_secret_free(void *p)
{
	__wrap_free(p);
}

const struct aead_provider *__wrap_aead_library_choice(
	const struct aead_library *lib, enum aead_suite suite)
{
	(void)lib;
	CHECK(aead_sodium.has(suite));
	return &aead_sodium;
}

/* ---- the snapshot ---- */

static struct arena *map(int fd, int flags)
{
	void *p = mmap(
		snapshot.arena, ARENA_LEN, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static void build_snapshot(void *(*build)(int what), int what)
{
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	CHECK(fd >= 0 && ftruncate(fd, (off_t)ARENA_LEN) == 0);
	snapshot.arena = map(fd, MAP_SHARED);
	snapshot.arena->used = sizeof(struct arena);
	snapshot.running = true;
	snapshot.state = build(what);
	snapshot.running = false;
	snapshot.frozen = snapshot.arena->used;
	(void)map(fd, MAP_PRIVATE | MAP_FIXED);
	close(fd);
}

void *snapshot_take(void *(*build)(int what), int what)
{
	if (snapshot.arena == NULL)
		build_snapshot(build, what);
	snapshot.running = true;
	return snapshot.state;
}

bool snapshot_wants_end(const uint8_t *input, size_t len)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += input[i];
	snapshot.ends = sum % 32 == 0;
	return snapshot.ends;
}

void snapshot_restore(void)
{
	CHECK(!snapshot.ends || snapshot.arena->live == 0);
	snapshot.running = false;
	CHECK(madvise(snapshot.arena, snapshot.arena->used, MADV_DONTNEED) == 0);
	unpoison_snapshot();
}
