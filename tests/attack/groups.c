/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members made up for it that have their supernode copy what they send: as much as they can, to
 * sets of all of each other, of handles that nobody has, in versions that there are not; and
 * changes of sets, one after the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define INNER_LEN 400
#define SET_MAX	  1000
#define SET_UP_NS (2 * NS_PER_S)

struct party_of {
	struct door *door;
	unsigned n;
	struct client *at;
	uint64_t copies, sent, fanouts;
};

static void take_all(struct party_of *p, const struct orders *o)
{
	uint8_t buf[2048];
	size_t len;

	for (unsigned i = 0; i < p->n; i++)
		while ((len = door_next(&p->door[i], buf)) > 0) {
			p->copies += len == RELAY_HEADER_LEN + INNER_LEN;
			if (len != RELAY_HEADER_LEN + INNER_LEN)
				client_take(&p->at[i], o, buf, len);
		}
}

static void change(struct party_of *p, unsigned who, const struct control_fanout *m)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	writer_init(&w, buf, sizeof(buf));
	control_fanout_encode(&w, m);
	client_send(&p->at[who], &w);
	p->fanouts++;
}

/* Set 0 of each: all the others, 200 at a time, again until FANNED says so. */
static void set_up(struct party_of *p, const struct orders *o)
{
	uint64_t end = now_ns() + SET_UP_NS;
	struct control_fanout m = {0};

	while (now_ns() < end) {
		for (unsigned i = 0; i < o->window && i < p->n; i++) {
			uint32_t had = p->at[i].fanned.version;

			m.base = had;
			m.version = had + 1;
			m.n_new = 0;
			for (unsigned k = had * FANOUT_CHANGES_MAX;
				k < p->n && m.n_new < FANOUT_CHANGES_MAX; k++)
				m.new[m.n_new++] = p->at[k].handle;
			if (m.n_new > 0)
				change(p, i, &m);
		}
		sleep_us(50000);
		take_all(p, o);
	}
}

/* One to a set that there is, or in a version that there is not. */
static void send_one(struct party_of *p, const struct orders *o, unsigned who)
{
	struct client *c = &p->at[who];
	bool wrong = strcmp(o->what, "versions") == 0;
	uint32_t to = wrong ? random_u32(&o->rnd) : fanout_handle(0, c->fanned.version | 1);
	uint8_t inner[INNER_LEN];

	random_bytes(&o->rnd, inner, sizeof(inner));
	client_relay_group(c, to, inner, sizeof(inner));
	p->sent++;
}

/* Handles of nobody, and of anybody, in any set. */
static void change_any(struct party_of *p, const struct orders *o, unsigned who)
{
	struct control_fanout m = {.set = (uint8_t)random_below(&o->rnd, FANOUT_SETS),
		.version = 1 + (uint32_t)(p->fanouts % FANOUT_VERSION_MAX),
		.n_new = FANOUT_CHANGES_MAX};

	for (unsigned i = 0; i < m.n_new; i++)
		m.new[i] = i % 2 == 0 ? random_u32(&o->rnd)
				      : p->at[random_below(&o->rnd, p->n)].handle;
	change(p, who, &m);
}

static void attack(struct party_of *p, const struct orders *o)
{
	unsigned senders = o->window < p->n ? o->window : p->n;
	struct pace pace;

	p->copies = p->sent = p->fanouts = 0;
	pace_init(&pace, o->rate * senders, o->hold);
	while (!pace_over(&pace)) {
		for (unsigned due = pace_due(&pace); due > 0; due--) {
			unsigned who = (unsigned)((p->sent + p->fanouts) % senders);

			if (strcmp(o->what, "changes") == 0)
				change_any(p, o, who);
			else
				send_one(p, o, who);
		}
		take_all(p, o);
	}
	sleep_us(200000);
	take_all(p, o);
}

static void print(const struct party_of *p)
{
	uint64_t told = 0;

	for (unsigned i = 0; i < p->n; i++)
		told += p->at[i].fanned.refused;
	printf("{\"registered\": %u, \"sent\": %llu, \"copies\": %llu, \"told_refused\": %llu}\n",
		p->n, (unsigned long long)p->sent, (unsigned long long)p->copies,
		(unsigned long long)told);
	fflush(stdout);
}

/* count members of the community name=, each at an address of its own; the first window attack. */
void attack_groups(const struct orders *o)
{
	struct party_of p = {
		.door = calloc(o->count, sizeof(*p.door)), .at = calloc(o->count, sizeof(*p.at))};
	uint8_t tag[COMMUNITY_TAG_LEN];

	if (p.door == NULL || p.at == NULL || o->name == NULL || o->count > SET_MAX)
		give_up("count, name");
	party_name_tag(tag, o->name);
	while (p.n < o->count) {
		door_open(&p.door[p.n], o, source_of(o, p.n), 0);
		client_init(&p.at[p.n], o, &p.door[p.n], p.n, tag);
		if (!client_register(&p.at[p.n], o, 5))
			give_up("registration");
		p.n++;
	}
	set_up(&p, o);
	say_ready();
	attack(&p, o);
	print(&p);
	for (unsigned i = 0; i < p.n; i++)
		client_fini(&p.at[i]);
	free(p.at);
	free(p.door);
}
