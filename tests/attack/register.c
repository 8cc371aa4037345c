/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registrations of made-up members, as many as one likes, from few addresses or many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define ASK_AGAIN_NS (NS_PER_S * 2 / 5)

struct crowd {
	struct door *door; /* one for each address */
	unsigned doors;
	struct client *at;
	unsigned n;	   /* began */
	unsigned first;	   /* the first of them that is neither up nor refused */
	unsigned waiting;  /* how many are neither */
	struct pace alive; /* PINGs, so that leases go on */
	unsigned next_alive;
};

/* name=...: all in the community of that name; else each in one of its own. */
static void tag_of(uint8_t tag[COMMUNITY_TAG_LEN], const struct orders *o)
{
	if (o->name != NULL)
		party_name_tag(tag, o->name);
	else
		random_bytes(&o->rnd, tag, COMMUNITY_TAG_LEN);
}

static void begin_next(struct crowd *c, const struct orders *o)
{
	struct client *x = &c->at[c->n];
	uint8_t tag[COMMUNITY_TAG_LEN];

	tag_of(tag, o);
	client_init(x, o, &c->door[c->n % c->doors], c->n, tag);
	client_ask(x, o);
	c->n++;
	c->waiting++;
}

/* An answer to an INIT is opened by the client that it is for. */
static void take(struct crowd *c, const struct orders *o, uint8_t *data, size_t len)
{
	unsigned i = client_number(o, data, len);

	if (i < c->n && c->at[i].keys != NULL && client_take(&c->at[i], o, data, len)) {
		client_ack(&c->at[i]);
		return;
	}
	for (i = c->first; i < c->n; i++)
		if (c->at[i].keys == NULL && client_take(&c->at[i], o, data, len))
			return;
}

static void take_all(struct crowd *c, const struct orders *o)
{
	uint8_t buf[2048];
	size_t len;

	for (unsigned i = 0; i < c->doors; i++)
		while ((len = door_next(&c->door[i], buf)) > 0)
			take(c, o, buf, len);
}

/* What is to be asked again. */
static void attend(struct crowd *c, const struct orders *o)
{
	unsigned first = c->n;

	c->waiting = 0;
	for (unsigned i = c->first; i < c->n; i++) {
		struct client *x = &c->at[i];

		if (x->state >= CLIENT_UP)
			continue;
		first = first < i ? first : i;
		c->waiting++;
		if (now_ns() >= x->asked_ns + ASK_AGAIN_NS)
			client_ask(x, o);
	}
	c->first = first;
}

/* Each about every 8 s. */
static void keep_alive(struct crowd *c, const struct orders *o)
{
	uint8_t buf[64];
	struct writer w;

	c->alive.rate = c->n / 8 + 1;
	for (unsigned due = pace_ready(&c->alive); due > 0 && c->n > 0; due--) {
		struct client *x = &c->at[c->next_alive++ % c->n];

		if (x->state != CLIENT_UP)
			continue;
		writer_init(&w, buf, sizeof(buf));
		control_ping_encode(&w, &(struct control_ping){random_u64(&o->rnd)});
		client_send(x, &w);
	}
}

static bool is_about_room(unsigned result)
{
	return result == REGISTER_COMMUNITY_FULL || result == REGISTER_SUPERNODE_FULL ||
	       result == REGISTER_ADDRESS_LIMIT;
}

static void print_crowd(const struct crowd *c, double seconds)
{
	unsigned up = 0, full = 0, refused = 0;

	for (unsigned i = 0; i < c->n; i++) {
		const struct client *x = &c->at[i];

		up += x->state == CLIENT_UP;
		full += x->state == CLIENT_REFUSED && is_about_room(x->result);
		refused += x->state == CLIENT_REFUSED && !is_about_room(x->result);
	}
	printf("{\"asked\": %u, \"registered\": %u, \"full\": %u, \"refused\": %u, "
	       "\"unanswered\": %u, \"seconds\": %.2f}\n",
		c->n, up, full, refused, c->n - up - full - refused, seconds);
	fflush(stdout);
}

/* A change that all others are told of: another incarnation, or with what=statics another member.
 */
static void change_one(struct client *x, const struct orders *o)
{
	if (x->state != CLIENT_UP)
		return;
	x->incarnation++;
	if (strcmp(o->what, "statics") == 0) {
		random_bytes(&o->rnd, x->member.secret, KEY_LEN);
		crypto_x25519_public(x->member.public, x->member.secret);
	}
	client_ask(x, o);
	x->state = CLIENT_UP;
}

static void count_bytes(const struct crowd *c, uint64_t *sent, uint64_t *got)
{
	*sent = *got = 0;
	for (unsigned i = 0; i < c->n; i++) {
		*sent += c->at[i].sent_bytes;
		*got += c->at[i].got_bytes;
	}
}

/*
 * With what=churn or statics each member changes rate times a second, for hold seconds, of which
 * the last two thirds are counted.
 */
static void stay(struct crowd *c, const struct orders *o)
{
	bool churn = *o->what != '\0';
	uint64_t sent[2], got[2], n = 0;
	struct pace pace;

	uint64_t begin_ns = now_ns() + (uint64_t)(o->hold / 3 * (double)NS_PER_S);

	/* What may be sent at once is over by then. */
	count_bytes(c, &sent[0], &got[0]);
	pace_init(&pace, churn ? c->n * o->rate : 10, o->hold);
	while (c->n > 0 && !pace_over(&pace)) {
		for (unsigned due = pace_due(&pace); churn && due > 0; due--, n++)
			change_one(&c->at[n % c->n], o);
		take_all(c, o);
		keep_alive(c, o);
		if (begin_ns != 0 && now_ns() >= begin_ns) {
			count_bytes(c, &sent[0], &got[0]);
			begin_ns = 0;
		}
	}
	count_bytes(c, &sent[1], &got[1]);
	printf("{\"sent_bytes\": %llu, \"got_bytes\": %llu}\n",
		(unsigned long long)(sent[1] - sent[0]), (unsigned long long)(got[1] - got[0]));
}

static void crowd_init(struct crowd *c, const struct orders *o)
{
	*c = (struct crowd){.doors = o->addresses,
		.door = calloc(o->addresses, sizeof(*c->door)),
		.at = calloc(o->count, sizeof(*c->at))};
	if (c->at == NULL || c->door == NULL)
		give_up("memory");
	for (unsigned i = 0; i < c->doors; i++)
		door_open(&c->door[i], o, source_of(o, i), (uint16_t)o->port);
	pace_init(&c->alive, 1, o->seconds + o->hold);
}

void attack_register(const struct orders *o)
{
	uint64_t start = now_ns(), end = start + (uint64_t)(o->seconds * (double)NS_PER_S);
	struct crowd c;

	crowd_init(&c, o);
	while ((c.n < o->count || c.waiting > 0) && now_ns() < end) {
		while (c.n < o->count && c.waiting < o->window)
			begin_next(&c, o);
		take_all(&c, o);
		attend(&c, o);
		keep_alive(&c, o);
		sleep_us(500);
	}
	print_crowd(&c, (double)(now_ns() - start) / (double)NS_PER_S);
	stay(&c, o);
	for (unsigned i = 0; i < c.n; i++)
		client_fini(&c.at[i]);
	free(c.at);
	free(c.door);
}
