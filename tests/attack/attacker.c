/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of the attacker: attacker MODE NAME=VALUE... */
#include "attacker.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/keystring.h"

static const struct mode {
	const char *name, *about;
	void (*run)(const struct orders *o);
} modes[] = {
	{"junk", "what no receiver may take: random, truncated, changed, wrong tags", attack_junk},
	{"inits", "INITs of ever new statics, from many addresses", attack_inits},
	{"hellos", "HELLOs, from many addresses", attack_hellos},
	{"replay", "a capture, shuffled, from many addresses", attack_replay},
	{"repeat", "what looks like an INIT on a link, again and again from elsewhere",
		attack_repeat},
	{"stale", "the first INIT of an edge, with the cookie that it is refused for",
		attack_stale},
	{"register", "registrations of made-up members", attack_register},
	{"groups", "members that have the supernode copy what they send", attack_groups},
	{"knock", "wrong guesses at a passphrase, relayed", attack_knock},
	{"amplify", "small messages of a registered edge that bring large answers", attack_amplify},
};

/* xorshift64*: the messages must differ, and their making be cheap. */
static void quick_fill(void *ctx, void *buf, size_t len)
{
	uint64_t *state = ctx;
	uint8_t *p = buf;

	while (len > 0) {
		uint64_t word;
		size_t n = len < sizeof(word) ? len : sizeof(word);

		*state ^= *state >> 12;
		*state ^= *state << 25;
		*state ^= *state >> 27;
		word = *state * UINT64_C(2685821657736338717);
		memcpy(p, &word, n);
		p += n;
		len -= n;
	}
}

static uint32_t address_of(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1) {
		fprintf(stderr, "\"%s\" is not an IPv4 address\n", text);
		exit(2);
	}
	return ntohl(a.s_addr);
}

static void set_target(struct orders *o, char *value)
{
	char *colon = strchr(value, ':');

	if (colon == NULL) {
		fprintf(stderr, "\"%s\" is not ADDRESS:PORT\n", value);
		exit(2);
	}
	*colon = '\0';
	o->to = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
		.sin_addr.s_addr = htonl(address_of(value)),
	};
}

static bool set_number(struct orders *o, const char *name, const char *value)
{
	const struct {
		const char *name;
		unsigned *number;
		double *time;
	} numbers[] = {
		{"addresses", &o->addresses, NULL},
		{"port", &o->port, NULL},
		{"rate", &o->rate, NULL},
		{"count", &o->count, NULL},
		{"pool", &o->pool, NULL},
		{"window", &o->window, NULL},
		{"seconds", NULL, &o->seconds},
		{"hold", NULL, &o->hold},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(name, numbers[i].name) != 0)
			continue;
		if (numbers[i].time != NULL)
			*numbers[i].time = strtod(value, NULL);
		else
			*numbers[i].number = (unsigned)strtoul(value, NULL, 10);
		return true;
	}
	return false;
}

static bool set_word(struct orders *o, const char *name, char *value)
{
	if (strcmp(name, "to") == 0)
		set_target(o, value);
	else if (strcmp(name, "from") == 0)
		o->from = address_of(value);
	else if (strcmp(name, "victim") == 0)
		o->victim = address_of(value);
	else if (strcmp(name, "what") == 0)
		o->what = value;
	else if (strcmp(name, "name") == 0)
		o->name = value;
	else if (strcmp(name, "file") == 0)
		o->file = value;
	else if (strcmp(name, "watch") == 0)
		o->watch = value;
	else
		return strcmp(name, "key") == 0 && public_key_parse(o->key, value) == 0;
	return true;
}

static void take_order(struct orders *o, char *word)
{
	char *value = strchr(word, '=');

	if (value != NULL) {
		*value++ = '\0';
		if (set_number(o, word, value) || set_word(o, word, value))
			return;
	}
	fprintf(stderr, "\"%s\" is not an order of the form NAME=VALUE\n", word);
	exit(2);
}

int main(int argc, char **argv)
{
	struct orders o = {.addresses = 1, .rate = 100, .seconds = 1, .window = 32, .what = ""};
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed) || crypto_start() != 0)
		give_up("random bytes");
	seed |= 1;
	stop_in_order();
	o.rnd = (struct random){quick_fill, &seed};
	random_bytes(&o.rnd, o.mask, sizeof(o.mask));
	for (int i = 2; i < argc; i++)
		take_order(&o, argv[i]);
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		modes[i].run(&o);
		return 0;
	}
	fputs("usage: attacker MODE NAME=VALUE...\n", stderr);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		fprintf(stderr, "  %-10s%s\n", modes[i].name, modes[i].about);
	return 2;
}
