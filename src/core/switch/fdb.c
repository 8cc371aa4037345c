/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A set-associative table of atomic words. */
#include "core/switch/fdb.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define WAYS	 8
#define AGE_BITS 3
#define AGE_MASK 7u

struct fdb_set {
	_Alignas(64) _Atomic uint64_t way[WAYS];
};

struct fdb {
	uint64_t key[2];
	unsigned shift; /* of a hash, to the number of its set */
	size_t n_sets;
	struct fdb_set *set;
	_Atomic uint64_t unlearned; /* what is written once for a frame at most stays away */
};

/* Words depend on nothing but themselves: what a port is, the caller knows from its view. */
static inline uint64_t load(const _Atomic uint64_t *way)
{
	return atomic_load_explicit(way, memory_order_relaxed);
}

static inline bool swap(_Atomic uint64_t *way, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(
		way, &from, to, memory_order_relaxed, memory_order_relaxed);
}

static inline uint64_t address_of(uint64_t word)
{
	return word >> (PORT_BITS + AGE_BITS);
}

static inline uint16_t port_of(uint64_t word)
{
	return word >> AGE_BITS & (PORTS_MAX - 1);
}

static inline unsigned age_of(uint64_t word, unsigned step)
{
	return (step - (unsigned)word) & AGE_MASK;
}

static inline struct fdb_set *set_of(const struct fdb *f, uint64_t address)
{
	uint64_t h = (address ^ f->key[0]) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32) * f->key[1];
	return &f->set[h >> f->shift];
}

struct fdb *fdb_create(uint32_t entries, const uint8_t key[FDB_KEY_LEN])
{
	struct fdb *f = calloc(1, sizeof(*f));

	assert(entries <= FDB_ENTRIES_MAX);
	if (f == NULL)
		return NULL;
	f->key[0] = load_be64(key);
	f->key[1] = load_be64(key + 8) | 1; /* odd: no bit is lost */
	/* Two at least: a shift by 64 is not defined. */
	for (f->n_sets = 2, f->shift = 63; f->n_sets * WAYS < entries; f->n_sets *= 2)
		f->shift--;
	f->set = aligned_alloc(_Alignof(struct fdb_set), f->n_sets * sizeof(*f->set));
	if (f->set == NULL) {
		free(f);
		return NULL;
	}
	memset(f->set, 0, f->n_sets * sizeof(*f->set));
	return f;
}

void fdb_destroy(void *fdb)
{
	struct fdb *f = fdb;

	if (f == NULL)
		return;
	free(f->set);
	free(f);
}

/* The way that holds the address, and its word; WAYS if none does. */
static inline unsigned way_of(const struct fdb_set *s, uint64_t address, uint64_t *word)
{
	unsigned i = 0;

	while (i < WAYS && address_of(*word = load(&s->way[i])) != address)
		i++;
	return i;
}

uint16_t fdb_find(const struct fdb *f, uint64_t address)
{
	uint64_t word;

	/* Zero, which is no address, finds empty ways, and their port is 0 as well. */
	return way_of(set_of(f, address), address, &word) < WAYS ? port_of(word) : PORT_FLOOD;
}

/*
 * Which way a new address of this port gets, WAYS if none. Most entries in the set weigh more than
 * the own port, that more than age. A worker that is a step behind sees what others have just
 * learned as 7 steps old, which nothing else is, since it was swept: that is young.
 */
static unsigned place_for(const uint64_t word[WAYS], uint16_t port, unsigned step)
{
	unsigned best = 0, highest = 0;

	for (unsigned i = 0; i < WAYS; i++) {
		bool own = port_of(word[i]) == port;
		unsigned share = own, age = age_of(word[i], step), rank;

		if (word[i] == 0)
			return i;
		for (unsigned k = 0; k < WAYS; k++)
			share += port_of(word[k]) == port_of(word[i]);
		rank = share << 4 | (unsigned)own << 3 | (age > FDB_AGE_MAX ? 0 : age);
		if (rank > highest) {
			best = i;
			highest = rank;
		}
	}
	/* All have an equal share, this port none yet, and all were heard of in this step. */
	return highest == 1u << 4 ? WAYS : best;
}

/* False: all places are others'. A race that was lost is none of that. */
static bool learn_new(struct fdb_set *s, uint64_t heard, unsigned step)
{
	uint64_t word[WAYS];
	unsigned i;

	for (i = 0; i < WAYS; i++)
		word[i] = load(&s->way[i]);
	i = place_for(word, port_of(heard), step);
	if (i == WAYS)
		return false;
	(void)swap(&s->way[i], word[i], heard);
	return true;
}

void fdb_learn(struct fdb *f, uint64_t address, uint16_t port, unsigned step)
{
	uint64_t heard = (address << PORT_BITS | port) << AGE_BITS | (step & AGE_MASK), word;
	struct fdb_set *s = set_of(f, address);
	unsigned i;

	assert(port != PORT_FLOOD && port < PORTS_MAX);
	/* The group bit is the lowest of the first byte. */
	if (address == 0 || (address >> 40 & 1) != 0)
		return;
	i = way_of(s, address, &word);
	if (i < WAYS) {
		if (word != heard)
			(void)swap(&s->way[i], word, heard);
	} else if (!learn_new(s, heard, step)) {
		atomic_fetch_add_explicit(&f->unlearned, 1, memory_order_relaxed);
	}
}

uint64_t fdb_unlearned(const struct fdb *f)
{
	return atomic_load_explicit(&f->unlearned, memory_order_relaxed);
}

bool fdb_next(const struct fdb *f, unsigned step, uint32_t *at, struct fdb_entry *out)
{
	while (*at < f->n_sets * WAYS) {
		const struct fdb_set *s = &f->set[*at / WAYS];
		uint64_t word = load(&s->way[*at % WAYS]), first;
		unsigned way = (*at)++ % WAYS;

		/* Of two entries for an address the first one is found. */
		if (word == 0 || way_of(s, address_of(word), &first) < way)
			continue;
		*out = (struct fdb_entry){address_of(word), port_of(word), age_of(word, step)};
		return true;
	}
	return false;
}

uint32_t fdb_count(const struct fdb *f)
{
	uint32_t n = 0;

	for (size_t i = 0; i < f->n_sets * WAYS; i++)
		n += load(&f->set[i / WAYS].way[i % WAYS]) != 0;
	return n;
}

void fdb_sweep(struct fdb *f, unsigned step, unsigned max_age)
{
	assert(max_age <= FDB_AGE_MAX);
	for (size_t i = 0; i < f->n_sets * WAYS; i++) {
		_Atomic uint64_t *way = &f->set[i / WAYS].way[i % WAYS];
		uint64_t word = load(way);

		/* Not swapped: it was heard of just now. */
		if (word != 0 && age_of(word, step) > max_age)
			(void)swap(way, word, 0);
	}
}

void fdb_forget(struct fdb *f, const struct port_set *gone)
{
	for (size_t i = 0; i < f->n_sets * WAYS; i++) {
		_Atomic uint64_t *way = &f->set[i / WAYS].way[i % WAYS];
		uint64_t word = load(way);

		while (word != 0 && port_set_has(gone, port_of(word)) && !swap(way, word, 0))
			word = load(way);
	}
}
