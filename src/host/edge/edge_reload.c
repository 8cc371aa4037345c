/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Owns the reading anew of what the user wants, as SIGHUP and "n2n reload" ask for, and what is to
 * be done before it is applied: none of that is waited for.
 */
#include "host/edge/edge_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/sys.h"

#define WHY_CAP	   8192
#define RELEASE_MS 1000u /* for leases to be given back */
#define LOOK_MS	   20u	 /* whether they are */

void edge_reload_free(struct edge_conf *fresh)
{
	if (fresh != NULL)
		edge_conf_free(fresh);
	free(fresh);
}

/* ---- the end ---- */

/* Takes the result over, or err. */
static void answer(struct reload *r, json_t *result, const struct api_error *err)
{
	if (r->asked != NULL)
		api_answer(r->asked, result, err);
	else
		json_decref(result);
	r->asked = NULL;
}

static void tell(struct reload *r, bool applied, json_t *wrong)
{
	const struct api_error none = {.code = NULL};

	answer(r,
		json_pack("{s:b, s:o, s:o, s:o, s:o}", "applied", applied, "wrong", wrong,
			"changes", r->changes, "refused", r->refused, "restart", r->restarts),
		&none);
}

static void free_reload(struct reload *r)
{
	struct edge_host *h = r->h;

	edge_stretch_forget(r->stretch);
	h->reloader.wipe(h->reloader.ctx, &r->fresh);
	(void)uv_timer_stop(&h->reload_timer);
	h->reload = NULL;
	free(r);
}

static void begin(struct edge_host *h, struct api_later *asked);

static void finish(struct reload *r)
{
	struct edge_host *h = r->h;
	bool again = r->again;
	uint64_t now_ms = sys_now_ms();

	edge_underlay_look(h, now_ms);
	edge_interfaces_changed(h, now_ms);
	if (json_array_size(r->changes) + json_array_size(r->refused) == 0 && r->restart == 0)
		log_info(h->host.log, "the file was read again: nothing is new");
	tell(r, true, json_array());
	free_reload(r);
	if (again)
		begin(h, NULL);
}

/* ---- before it ---- */

/* A passphrase that is to be stretched; NULL: none is. */
static struct edge_secret *next_secret(struct reload *r, const char **name)
{
	for (unsigned at = 0; at < r->fresh.conf->community_count; at++) {
		const struct community_conf *conf = &r->fresh.conf->community[at];
		struct edge_secret *secret = &r->fresh.secret[at];
		int member = edge_member_at(r->h, conf->device);

		*name = conf->name;
		if (secret->passphrase != NULL && !secret->stretched && secret->why.code == 0 &&
			(member < 0 || edge_is_to_be_left(r, (unsigned)member)))
			return secret;
	}
	return NULL;
}

static void on_stretched(void *ctx);

/* True: one is under way. */
static bool stretches(struct reload *r)
{
	struct edge_secret *secret;
	const char *name;

	while (r->stretch == NULL && (secret = next_secret(r, &name)) != NULL)
		r->stretch = edge_stretch_begin(&r->h->host.loop, name, secret, on_stretched, r);
	return r->stretch != NULL;
}

static bool is_leaving(const struct reload *r, unsigned community)
{
	return r->h->member[community].conf != NULL && edge_is_to_be_left(r, community);
}

/* While its interface and its peers are there. True: some still do. */
static bool releases(struct reload *r)
{
	const uint64_t now_ms = sys_now_ms();
	bool any = false;

	if (!r->releasing)
		r->release_until_ms = now_ms + RELEASE_MS;
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		if (!is_leaving(r, i))
			continue;
		if (!r->releasing)
			edge_dhcp_release(r->h, i);
		any = any || !edge_dhcp_has_released(r->h, i);
	}
	r->releasing = true;
	return any && now_ms < r->release_until_ms;
}

static void on_look(uv_timer_t *t);

/* Between two steps the control thread does what else there is. */
static void go_on(struct reload *r)
{
	unsigned pause_ms = 1;

	if (!r->applied && stretches(r))
		return;
	if (!r->applied && releases(r)) {
		pause_ms = LOOK_MS;
	} else if (!r->applied) {
		edge_apply(r);
	} else if (!edge_apply_join(r)) {
		finish(r);
		return;
	}
	(void)uv_timer_start(&r->h->reload_timer, on_look, pause_ms, 0);
}

static void on_look(uv_timer_t *t)
{
	struct edge_host *h = t->data;

	if (h->reload != NULL)
		go_on(h->reload);
}

static void on_stretched(void *ctx)
{
	struct reload *r = ctx;

	r->stretch = NULL;
	go_on(r);
}

/* ---- asking ---- */

/* Each line of it. */
static json_t *say_wrong(const struct log *log, char *why)
{
	json_t *list = json_array();

	for (char *line = why, *end; *line != 0; line = end) {
		end = line + strcspn(line, "\n");
		if (*end != 0)
			*end++ = 0;
		log_error(log, "%s", line);
		json_array_append_new(list, json_string(line));
	}
	log_error(log, "so nothing was changed");
	return list;
}

static void read_again(struct reload *r)
{
	struct edge_host *h = r->h;
	char *why = calloc(1, WHY_CAP);
	int rc;

	parent_reread(h->host.parent);
	rc = why != NULL ? h->reloader.read(h->reloader.ctx, h->blocks, &r->fresh, why, WHY_CAP)
			 : N2N_ENOMEM;

	if (rc == 0) {
		edge_diff(&r->diff, h->blocks, r->fresh.conf);
		go_on(r);
	} else if (rc == N2N_EINVAL) {
		tell(r, false, say_wrong(h->host.log, why));
		free_reload(r);
	} else {
		log_error(h->host.log, "the file cannot be read again: %s", n2n_err_text(rc));
		tell(r, false, json_pack("[s]", n2n_err_text(rc)));
		free_reload(r);
	}
	free(why);
}

static void begin(struct edge_host *h, struct api_later *asked)
{
	const struct api_error none = {.code = NULL};
	struct reload *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		log_error(
			h->host.log, "the file cannot be read again: %s", n2n_err_text(N2N_ENOMEM));
		if (asked != NULL)
			api_answer(asked, NULL, &none);
		return;
	}
	r->h = h;
	r->asked = asked;
	r->changes = json_array();
	r->refused = json_array();
	r->restarts = json_array();
	h->reload = r;
	read_again(r);
}

#define NO_FILE                                                                                    \
	"this edge was started without a file, so that there is nothing to read again; put what "  \
	"it is given into one and start it as \"edge FILE\""

static bool has_file(const struct edge_host *h)
{
	return h->reloader.read != NULL && h->conf->file != NULL;
}

void edge_reload(void *ctx, const json_t *request, struct api_later *asked)
{
	struct edge_host *h = ((struct edge_instance *)ctx)->h;
	struct api_error err = {.code = API_NOT_FOUND, .message = NO_FILE};

	(void)request;
	if (has_file(h) && h->reload == NULL) {
		begin(h, asked);
		return;
	}
	if (has_file(h))
		err = (struct api_error){.code = API_BUSY,
			.message = "the file is being read again already; ask again in a moment"};
	api_answer(asked, NULL, &err);
}

void edge_hangup(void *ctx)
{
	struct edge_host *h = ctx;

	if (!has_file(h))
		log_info(h->host.log, "SIGHUP: " NO_FILE);
	else if (h->reload != NULL)
		h->reload->again = true;
	else
		begin(h, NULL);
}

void edge_reload_forget(struct edge_host *h)
{
	const struct api_error err = {.code = API_BUSY, .message = "the program ends"};
	struct reload *r = h->reload;

	if (r == NULL)
		return;
	answer(r, NULL, &err);
	json_decref(r->changes);
	json_decref(r->refused);
	json_decref(r->restarts);
	if (!r->applied)
		edge_reload_free(r->fresh.conf);
	free_reload(r);
}
