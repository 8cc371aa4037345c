/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the stretching of passphrases beside the control thread. */
#include "host/edge/edge_stretch.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/edge/edge.h"

struct edge_stretch {
	uv_work_t work;
	struct edge_secret *secret; /* NULL: nobody wants it any more */
	void (*done)(void *ctx);
	void *ctx;
	char name[COMMUNITY_NAME_MAX + 1];
	char passphrase[COMMUNITY_SECRET_MAX + 1];
	uint8_t prs[KEY_LEN];
	int rc;
};

static void say_no_memory(struct edge_secret *secret)
{
	(void)os_error_set(&secret->why, N2N_ENOMEM,
		"no memory to stretch the passphrase; it takes 64 MiB for a moment");
}

/* On a thread of its own. */
static void work(uv_work_t *w)
{
	struct edge_stretch *s = w->data;

	s->rc = party_stretch(s->prs, s->name, s->passphrase);
}

static void on_worked(uv_work_t *w, int status)
{
	struct edge_stretch *s = w->data;
	struct edge_secret *secret = s->secret;
	void (*done)(void *ctx) = s->done;
	void *ctx = s->ctx;

	if (secret != NULL && (status != 0 || s->rc != 0))
		say_no_memory(secret);
	else if (secret != NULL)
		memcpy(secret->prs, s->prs, sizeof(secret->prs));
	if (secret != NULL)
		secret->stretched = secret->why.code == 0;
	crypto_wipe(s, sizeof(*s));
	free(s);
	if (secret != NULL)
		done(ctx);
}

struct edge_stretch *edge_stretch_begin(uv_loop_t *loop, const char *name,
	struct edge_secret *secret, void (*done)(void *ctx), void *ctx)
{
	struct edge_stretch *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->work.data = s;
		s->secret = secret;
		s->done = done;
		s->ctx = ctx;
		snprintf(s->name, sizeof(s->name), "%s", name);
		snprintf(s->passphrase, sizeof(s->passphrase), "%s", secret->passphrase);
		if (uv_queue_work(loop, &s->work, work, on_worked) == 0)
			return s;
		crypto_wipe(s, sizeof(*s));
		free(s);
	}
	say_no_memory(secret);
	return NULL;
}

void edge_stretch_forget(struct edge_stretch *s)
{
	if (s != NULL)
		s->secret = NULL;
}
