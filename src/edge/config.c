/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the way of the configuration into the program. */
#include "edge/config.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_text.h"
#include "edge/config_inside.h"
#include "os/file.h"
#include "os/sys.h"

/* ---- reading ---- */

static int read_file(void *ctx, struct edge_conf *conf, const char *path, char **text, size_t *len,
	struct conf_error *err)
{
	char *buf = malloc(CONF_TEXT_MAX);
	struct os_error why;
	int rc;

	(void)ctx;
	*len = 0;
	if (buf == NULL)
		return conf_fail(err, "no memory for the configuration file; free some");
	rc = file_load(path, buf, CONF_TEXT_MAX, len, &why);
	*text = rc == 0 ? edge_conf_piece(conf, *len + 1) : NULL;
	if (*text != NULL)
		memcpy(*text, buf, *len);
	crypto_wipe(buf, *len);
	free(buf);
	if (*text != NULL)
		return 0;
	return conf_fail(err, "no configuration: %s",
		rc != 0 ? why.text : "no memory for the text of the file; free some");
}

int config_parse(
	struct edge_conf *conf, const struct config *c, bool again, struct conf_report *report)
{
	const struct edge_conf_input in = {.argc = c->argc,
		.argv = c->argv,
		.again = again,
		.read = read_file,
		.report = report};

	return edge_conf_parse(conf, &in);
}

static void say(void *ctx, bool wrong, const char *text)
{
	(void)ctx, (void)wrong;
	fprintf(stderr, "edge: %s\n", text);
}

int config_read(struct edge_conf *conf, const struct config *c)
{
	struct conf_report report = {.say = say};

	return config_parse(conf, c, false, &report);
}

/* ---- secrets ---- */

void config_place_error(
	struct os_error *err, const struct edge_conf *conf, const struct community_conf *community)
{
	const struct os_error was = *err;
	size_t len = conf->file != NULL ? strlen(conf->file) : 0;

	/* Of a long path the end says more. */
	if (community->line != 0)
		(void)os_error_set(err, was.code, "%s:%u: %s",
			conf->file + (len > 60 ? len - 60 : 0), community->line, was.text);
}

static void warn_of_file(const struct edge_conf *conf, const struct log *log)
{
	if (conf->file_has_key && file_is_open_to_others(conf->file))
		log_warn(log,
			"others can read or change the file \"%.120s\" with a key in it; chmod it "
			"to 600",
			conf->file);
}

static void give(struct edge_secret *to, const struct secret *s)
{
	if (s->is_key)
		to->key = &s->key;
	else
		to->passphrase = s->passphrase;
}

/* One of several without is left out, and nothing else. */
static int read_secret(struct config *c, const struct edge_conf *conf, unsigned i,
	struct edge_secret *out, struct os_error *err)
{
	int rc = secret_read(&c->secret[i], &conf->community[i], c->log, err);

	if (rc == 0) {
		give(out, &c->secret[i]);
		return 0;
	}
	config_place_error(err, conf, &conf->community[i]);
	secret_wipe(&c->secret[i]);
	if (conf->community_count == 1)
		return rc;
	out->why = *err;
	return 0;
}

int config_read_secrets(
	struct config *c, struct edge_conf *conf, struct edge_setup *setup, struct os_error *err)
{
	static const bool none_kept[COMMUNITIES_MAX];
	struct random random;
	int rc = sys_random(&random, err);

	warn_of_file(conf, c->log);
	for (unsigned i = 0; rc == 0 && i < conf->community_count; i++)
		rc = read_secret(c, conf, i, &setup->secret[i], err);
	config_forget(conf);
	if (rc != 0)
		return rc;
	random_bytes(&random, c->print_key, sizeof(c->print_key));
	config_remember(c, conf, none_kept);
	setup->reloader =
		(struct edge_reloader){.read = config_reload, .wipe = config_wipe_fresh, .ctx = c};
	return 0;
}

void config_wipe(struct config *c)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		secret_wipe(&c->secret[i]);
}

void config_forget(struct edge_conf *conf)
{
	for (unsigned i = 0; i < conf->community_count; i++)
		secret_forget(&conf->community[i]);
}

/* ---- looking ---- */

static void say_line(void *ctx, enum log_level level, const char *line)
{
	(void)ctx, (void)level;
	fprintf(stderr, "edge: %s\n", line);
}

int config_check(const struct edge_conf *conf)
{
	const struct log log = {.level = LOG_INFO, .sink = say_line};
	struct os_error err;
	unsigned wrong = 0, n = conf->community_count;

	warn_of_file(conf, &log);
	for (unsigned i = 0; i < n; i++)
		if (secret_check(&conf->community[i], &log, &err) != 0) {
			config_place_error(&err, conf, &conf->community[i]);
			fprintf(stderr, "edge: %s\n", err.text);
			wrong++;
		}
	if (wrong != 0)
		return N2N_EINVAL;
	printf("%s is right: %u %s\n", conf->file != NULL ? conf->file : "the command line", n,
		n == 1 ? "community" : "communities");
	return sys_flush_stdout("what was found", &err);
}
