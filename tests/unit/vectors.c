/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads vectors and turns their hex strings into bytes. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *value)
{
	fprintf(stderr, "vectors: %s: %s\n", what, value);
	abort();
}

static void make_path(char path[4096], const char *file)
{
	const char *dir = getenv("N2N_VECTORS");

	snprintf(path, 4096, "%s/%s", dir && *dir ? dir : N2N_VECTORS, file);
}

int vectors_need(const char *file)
{
	char path[4096];

	make_path(path, file);
	FILE *f = fopen(path, "r");
	if (f == NULL) {
		printf("skipped: no test vectors at %s; set N2N_VECTORS to their directory\n",
			path);
		return VECTORS_SKIP;
	}
	fclose(f);
	return 0;
}

json_t *vectors_load(const char *file)
{
	char path[4096];
	json_error_t err;

	make_path(path, file);
	json_t *root = json_load_file(path, 0, &err);
	if (root == NULL) {
		die(path, err.text);
	}
	return root;
}

static unsigned digit(const char *text, char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *p = c ? strchr(digits, c) : NULL;

	if (p == NULL) {
		die("not a string of hex digits", text);
	}
	return (unsigned)(p - digits) & 15;
}

struct hex hex_decode(const char *text)
{
	struct hex h = {.len = strlen(text) / 2};

	h.data = malloc(h.len ? h.len : 1);
	if (h.data == NULL) {
		die("out of memory", text);
	}
	for (size_t i = 0; i < h.len; i++) {
		h.data[i] = (uint8_t)(digit(text, text[2 * i]) << 4 | digit(text, text[2 * i + 1]));
	}
	return h;
}

struct hex hex_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return hex_decode(text != NULL ? text : "");
}

void hex_free(struct hex *h)
{
	free(h->data);
	h->data = NULL;
	h->len = 0;
}
