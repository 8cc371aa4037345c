/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who knows the name of a passphrase community, and guesses. */
#include <stdio.h>

#include "client.h"

/* A guess that is wrong, by somebody who was never there before. */
static void knock(struct client *c, const struct orders *o)
{
	const struct attempt_params params = {
		c->listed.static_public, random_u32(&o->rnd), 1, today_ms(), 0};
	uint8_t seed[SEED_LEN], prs[KEY_LEN], out[ENVELOPE_MAX_LEN];
	struct party self = {0};
	struct attempt a;

	random_bytes(&o->rnd, seed, sizeof(seed));
	random_bytes(&o->rnd, prs, sizeof(prs));
	party_init_passphrase(&self, o->name, prs, seed);
	self.mtu = 1376;
	if (attempt_start(&a, &self, &params, &o->rnd) != 0)
		give_up("INIT");
	client_relay(c, c->listed.handle, out, attempt_datagram(&a, &self, out, &o->rnd));
	attempt_wipe(&a);
	party_wipe(&self);
}

/*
 * Registers in the community of that name, and sends the member that it is told of INITs at the
 * rate, through the relay.
 */
void attack_knock(const struct orders *o)
{
	uint8_t tag[COMMUNITY_TAG_LEN];
	struct client c;
	struct pace pace;
	struct door door;

	party_name_tag(tag, o->name);
	door_open(&door, o, o->from, (uint16_t)o->port);
	client_init(&c, o, &door, 0, tag);
	if (!client_register(&c, o, 10))
		give_up("registration");
	pace_init(&pace, o->rate, o->seconds);
	say_ready();
	while (!pace_over(&pace)) {
		for (unsigned due = pace_due(&pace); due > 0 && c.listed.handle != 0; due--)
			knock(&c, o);
		client_take_all(&c, o);
		client_ack(&c);
	}
	printf("{\"sent\": %llu, \"got\": %llu}\n", (unsigned long long)c.sent,
		(unsigned long long)c.got);
	client_fini(&c);
}
