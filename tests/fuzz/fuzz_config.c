/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Configuration files: any bytes are read to their end, what is wrong is told in lines, and what is
 * right keeps what is promised of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_text.h"
#include "conf/edge_file.h"
#include "fuzz_check.h"

struct input {
	const uint8_t *data;
	size_t len;
};

static int give(void *ctx, struct edge_conf *conf, const char *path, char **text, size_t *len,
	struct conf_error *err)
{
	const struct input *in = ctx;

	(void)path, (void)err;
	*text = edge_conf_piece(conf, in->len + 1);
	CHECK(*text != NULL);
	if (in->len != 0)
		memcpy(*text, in->data, in->len);
	*len = in->len;
	return 0;
}

static void take_line(void *ctx, bool wrong, const char *text)
{
	(void)ctx, (void)wrong;
	CHECK(*text != 0);
	for (; *text != 0; text++)
		CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_right(const struct edge_conf *conf)
{
	CHECK(conf->community_count >= 1 && conf->community_count <= COMMUNITIES_MAX);
	CHECK(conf->supernode_count >= 1 && conf->supernode_count <= SUPERNODES_MAX);
	for (unsigned i = 0; i < conf->community_count; i++) {
		const struct community_conf *c = &conf->community[i];

		CHECK(c->device != NULL && strlen(c->device) <= INTERFACE_NAME_MAX);
		CHECK((c->key[0] != 0) != (c->key_file != NULL));
		CHECK(c->mtu != 0);
		for (unsigned j = 0; j < i; j++)
			CHECK(strcmp(conf->community[j].device, c->device) != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char program[] = "edge", option[] = "-F", path[] = "d/f";
	char *argv[] = {program, option, path, NULL};
	struct input input = {data, size};
	struct conf_report report = {.say = take_line};
	const struct edge_conf_input in = {
		.argc = 3, .argv = argv, .read = give, .ctx = &input, .report = &report};
	struct edge_conf conf;
	int rc = edge_conf_parse(&conf, &in);

	CHECK((rc == 0) == (report.wrong == 0));
	if (rc == 0)
		check_right(&conf);
	edge_conf_free(&conf);
	return 0;
}
