/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the seeds of the fuzz targets of base and crypto below the directory given. */
#include <stdio.h>
#include <string.h>

#include "crypto/keystring.h"
#include "noise_fixture.h"

struct seeds {
	const char *dir;
	const char *target;
	unsigned n;
};

static void put(struct seeds *s, const void *data, size_t len)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/seed-%02u", s->dir, s->target, s->n++);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0) {
		fprintf(stderr, "make_seeds: cannot write %s; does the directory exist?\n", path);
		exit(1);
	}
}

static void endpoint_seeds(const char *dir)
{
	static const char *const texts[] = {"1.2.3.4:5", "[2001:db8::1]:7654", "::", "::1",
		"[::ffff:1.2.3.4]:5", "[64:ff9b::192.0.2.33]:65535", "1:2:3:4:5:6:7:8",
		"[1:2:3:4:5:6:7::]:1", "fe80::1:0:0:2", "127.0.0.1", "host:1", "[::1%lo]:2"};
	static const uint8_t values[3][18] = {{0x20, 0x01, [15] = 1, 0, 80},
		{[10] = 0xff, 0xff, 10, 1, 2, 3, 4, 5}, {[3] = 1, [9] = 1, [17] = 1}};
	struct seeds s = {dir, "endpoint", 0};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(&s, texts[i], strlen(texts[i]));
	}
	for (size_t i = 0; i < 3; i++) {
		put(&s, values[i], sizeof(values[i]));
	}
}

static void keystring_seeds(const char *dir)
{
	struct community_key community = {{1, 2, 3}, {4, 5, 6}};
	char text[COMMUNITY_KEY_TEXT_LEN + 1];
	struct seeds s = {dir, "keystring", 0};

	community_key_format(&community, text);
	put(&s, text, strlen(text));
	put(&s, text, strlen(text) - 1);
	text[10] = text[10] == 'a' ? 'b' : 'a';
	put(&s, text, strlen(text));
	public_key_format(community.key, text);
	put(&s, text, strlen(text));
	text[10] = '1';
	put(&s, text, strlen(text));
	put(&s, "n2n4-", 5);
}

static void noise_seeds(const char *dir)
{
	static const uint8_t text[8] = "payload";
	uint8_t msg[NOISE_MSG1_OVERHEAD + sizeof(text)], payload[sizeof(text)];
	struct seeds one = {dir, "noise1", 0}, two = {dir, "noise2", 0};
	struct noise i, r;

	for (size_t len = 0; len <= sizeof(text); len += sizeof(text)) {
		fixture_init(&i, &r);
		if (noise_write1(&i, msg, fixture_ephemeral_i, text, len) < 0) {
			abort();
		}
		put(&one, msg, NOISE_MSG1_OVERHEAD + len);
		put(&one, msg, NOISE_MSG1_OVERHEAD - 1);
		/* fuzz_noise2 starts from an empty message 1. */
		fixture_init(&i, &r);
		if (noise_write1(&i, msg, fixture_ephemeral_i, NULL, 0) < 0 ||
			noise_read1(&r, payload, msg, NOISE_MSG1_OVERHEAD) < 0 ||
			noise_write2(&r, msg, fixture_ephemeral_r, text, len) < 0) {
			abort();
		}
		put(&two, msg, NOISE_MSG2_OVERHEAD + len);
		put(&two, msg, NOISE_MSG2_OVERHEAD - 1);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2 || crypto_start() < 0) {
		fprintf(stderr, "usage: make_seeds CORPUS_DIRECTORY\n");
		return 2;
	}
	endpoint_seeds(argv[1]);
	keystring_seeds(argv[1]);
	noise_seeds(argv[1]);
	return 0;
}
