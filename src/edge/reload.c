/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns reading the configuration once more while the program runs. */
#include <stdlib.h>
#include <string.h>

#include "conf/edge_diff.h"
#include "edge/config_inside.h"

/* Takes down what is wrong, a line each. */
struct notes {
	char *text;
	size_t cap, len;
	unsigned wrong;
};

static void note(struct notes *n, const char *line)
{
	int len =
		snprintf(n->text + n->len, n->cap - n->len, "%s%s", n->len != 0 ? "\n" : "", line);

	n->wrong++;
	n->len += (size_t)len < n->cap - n->len ? (size_t)len : n->cap - n->len - 1;
}

static void take_line(void *ctx, bool wrong, const char *text)
{
	if (wrong)
		note(ctx, text);
}

/* ---- which secret is whose ---- */

static struct secret_print print_of(
	const struct config *c, const char *device, const struct secret *s)
{
	struct secret_print p = {.device = ""};

	snprintf(p.device, sizeof(p.device), "%s", device);
	if (s->is_key)
		crypto_siphash128(p.hash, c->print_key, &s->key, sizeof(s->key));
	else
		crypto_siphash128(p.hash, c->print_key, s->passphrase, strlen(s->passphrase));
	return p;
}

static const struct secret_print *find_print(const struct config *c, const char *device)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (strcmp(c->print[i].device, device) == 0)
			return &c->print[i];
	return NULL;
}

void config_remember(struct config *c, const struct edge_conf *conf, const bool *kept)
{
	struct secret_print prints[COMMUNITIES_MAX];

	memset(prints, 0, sizeof(prints));
	for (unsigned i = 0; i < conf->community_count; i++) {
		const char *device = conf->community[i].device;

		prints[i] = kept[i] ? *find_print(c, device) : print_of(c, device, &c->secret[i]);
	}
	memcpy(c->print, prints, sizeof(prints));
}

/* ---- again ---- */

/* changed: what takes leaving and joining, which takes the key. */
static int read_secret(struct config *c, const struct edge_conf *conf, unsigned i, unsigned changed,
	bool *kept, struct os_error *err)
{
	const struct community_conf *community = &conf->community[i];
	const enum edge_change first = (enum edge_change)(changed & -changed);

	*kept = secret_is_gone(community);
	if (!*kept)
		return secret_read(&c->secret[i], community, c->log, err);
	if (changed != 0)
		return os_error_set(err, N2N_EINVAL,
			"%s of the community at \"%s\" needs a restart, as its key comes from "
			"where "
			"it can be read once only; start the program again, or put the key into a "
			"file",
			edge_change_name(first), community->device);
	if (find_print(c, community->device) != NULL)
		return 0;
	return os_error_set(err, N2N_EINVAL,
		"the key of a community that was not there at the start cannot come from standard "
		"input, an open file, a pipe, the command line or the environment; give a file on "
		"a "
		"disk");
}

static void give(
	struct edge_secret *to, const struct config *c, const char *device, const struct secret *s)
{
	const struct secret_print *before = find_print(c, device);
	const struct secret_print now = print_of(c, device, s);

	to->key = s->is_key ? &s->key : NULL;
	to->passphrase = s->is_key ? NULL : s->passphrase;
	to->changed = before != NULL && memcmp(before->hash, now.hash, sizeof(now.hash)) != 0;
}

static void read_secrets(
	struct config *c, const struct edge_conf *now, struct edge_fresh *out, struct notes *notes)
{
	struct edge_conf *conf = out->conf;
	bool kept[COMMUNITIES_MAX] = {false};
	struct edge_diff diff;
	struct os_error err;

	edge_diff(&diff, now, conf);
	for (unsigned i = 0; i < conf->community_count; i++) {
		unsigned changed = diff.changed[i] & ~CHANGES_IN_PLACE;

		if (read_secret(c, conf, i, changed, &kept[i], &err) != 0) {
			config_place_error(&err, conf, &conf->community[i]);
			note(notes, err.text);
		} else if (!kept[i]) {
			give(&out->secret[i], c, conf->community[i].device, &c->secret[i]);
		}
	}
	config_forget(conf);
	if (notes->wrong == 0)
		config_remember(c, conf, kept);
}

int config_reload(
	void *ctx, const struct edge_conf *now, struct edge_fresh *out, char *why, size_t why_cap)
{
	struct config *c = ctx;
	struct notes notes = {.text = why, .cap = why_cap};
	struct conf_report report = {.say = take_line, .ctx = &notes};

	why[0] = 0;
	memset(out, 0, sizeof(*out));
	out->conf = calloc(1, sizeof(*out->conf));
	if (out->conf == NULL) {
		note(&notes, "no memory for the configuration; free some");
		return N2N_ENOMEM;
	}
	if (config_parse(out->conf, c, true, &report) == 0)
		read_secrets(c, now, out, &notes);
	if (notes.wrong == 0)
		return 0;
	edge_conf_free(out->conf);
	free(out->conf);
	out->conf = NULL;
	config_wipe_fresh(c, out);
	return N2N_EINVAL;
}

void config_wipe_fresh(void *ctx, struct edge_fresh *fresh)
{
	config_wipe(ctx);
	crypto_wipe(fresh->secret, sizeof(fresh->secret));
}
