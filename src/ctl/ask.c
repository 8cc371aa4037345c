/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the asking of programs that run, and what is said when that fails. */
#include "ctl/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/instances.h"
#include "conf/values.h"
#include "ctl/commands.h"
#include "os/ctlsock.h"
#include "os/state.h"
#include "os/sys.h"

const struct option_spec ask_options[] = {
	{
		.name = "device",
		.letter = 'd',
		.arg = "INSTANCE",
		.help = "interface of the edge, or supernode-PORT; default: all that run",
		.field = offsetof(struct ask_conf, instance),
		.settings = SETTING_BIT(SETTING_INSTANCE),
		.set = value_path,
	},
	{
		.name = "state-dir",
		.arg = "DIR",
		.help = "the same as was given to the program",
		.field = offsetof(struct ask_conf, state_dir),
		.settings = SETTING_BIT(SETTING_STATE_DIR) | SETTING_BIT(SETTING_INSTANCE),
		.set = value_path,
	},
	{0},
};

#define REQUEST_MAX 256
#define NONE	    (-1)

/* Those who know nothing of what was asked, and what the last of them says of it. */
struct ignorant {
	char names[512];
	char message[256];
};

/* What is asked, of all who are asked. */
struct question {
	const struct ask_conf *conf;
	const struct option_set *set;
	const char *request;
	ask_show *show;
	void *ctx;
	unsigned timeout_ms;
	struct ignorant *ignorant;
};

enum outcome {
	SHOWN,
	NOBODY, /* nobody listens there */
	OTHER,	/* it knows nothing of what was asked */
	FAILED
};

/* True when what belongs to others is looked for elsewhere. */
static bool sees_own_only(const struct ask_conf *conf)
{
	return conf->state_dir == NULL && !sys_is_root();
}

static enum outcome explain(
	const struct question *q, const char *instance, const struct os_error *err)
{
	char buf[CONF_QUOTED_CAP], hint[OPTIONS_HINT_CAP];

	if (err->code == N2N_ENOENT)
		fprintf(stderr, "n2n: %s is not running here%s\n", conf_quote(buf, instance),
			sees_own_only(q->conf) ? " for this user; run as root to see those of root"
					       : "; \"n2n status\" shows what is");
	else
		fprintf(stderr, "n2n: %s%s\n", err->text, options_hint(hint, q->set, err->setting));
	return FAILED;
}

static const char *error_field(const json_t *answer, const char *name)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(answer, "error"), name));

	return text != NULL ? text : "-";
}

static void note_ignorant(struct ignorant *all, const char *instance, const json_t *answer)
{
	size_t len = strlen(all->names);

	snprintf(all->names + len, sizeof(all->names) - len, "%s%s", len > 0 ? ", " : "", instance);
	snprintf(all->message, sizeof(all->message), "%s", error_field(answer, "message"));
}

/* quiet: that it is the wrong one is not said. next: where the answer goes on; NONE: nowhere. */
static enum outcome take(const struct question *q, const char *instance, const char *line,
	bool quiet, json_int_t *next)
{
	json_t *answer = json_loads(line, 0, NULL);
	const json_t *more = json_object_get(json_object_get(answer, "result"), "next");
	const char *code = error_field(answer, "code");
	bool ignorant = strcmp(code, "not-found") == 0;
	bool other = ignorant || strcmp(code, "unknown-command") == 0;
	enum outcome outcome = other ? OTHER : FAILED;
	char buf[CONF_QUOTED_CAP];

	*next = json_is_integer(more) ? json_integer_value(more) : NONE;
	if (json_is_object(json_object_get(answer, "result"))) {
		q->show(q->ctx, instance, answer, line);
		outcome = SHOWN;
	} else if (other && quiet) {
		if (ignorant)
			note_ignorant(q->ignorant, instance, answer);
	} else {
		fprintf(stderr, "n2n: %s answers: %s\n", conf_quote(buf, instance),
			error_field(answer, "message"));
	}
	json_decref(answer);
	return outcome;
}

/* quiet: one of several, of which only some may be meant. next: of the answer, NONE: it has none.
 */
static enum outcome ask_once(const struct question *q, const char *instance, const char *request,
	bool quiet, json_int_t *next)
{
	char path[STATE_SOCKET_MAX];
	struct os_error err = {0};
	enum outcome outcome;
	char *line = NULL;
	int rc = state_control_path(path, q->conf->state_dir, instance, &err);

	if (rc == 0)
		rc = ctlsock_request(path, request, q->timeout_ms, &line, &err);
	/* It may have ended, or been left by its process, between the list and now. */
	if (quiet && rc == N2N_EIO)
		rc = ctlsock_request(path, request, q->timeout_ms, &line, &err);
	if (rc != 0)
		return quiet && rc == N2N_ENOENT ? NOBODY : explain(q, instance, &err);
	outcome = take(q, instance, line, quiet, next);
	free(line);
	return outcome;
}

/* Asks on as long as the answer says that there is more. */
static enum outcome ask(const struct question *q, const char *instance, bool quiet)
{
	char request[REQUEST_MAX];
	json_int_t next = NONE, from;
	enum outcome outcome = ask_once(q, instance, q->request, quiet, &next);

	while (outcome == SHOWN && next != NONE) {
		/* The request is an object: its end gives way to one more field. */
		snprintf(request, sizeof(request), "%.*s,\"from\":%" JSON_INTEGER_FORMAT "}",
			(int)strlen(q->request) - 1, q->request, next);
		from = next;
		outcome = ask_once(q, instance, request, false, &next);
		if (next != NONE && next <= from)
			break;
	}
	return outcome;
}

static int nobody_did(const struct question *q, unsigned others)
{
	if (q->ignorant->names[0] != 0)
		fprintf(stderr, "n2n: %s (asked: %s)\n", q->ignorant->message, q->ignorant->names);
	else if (others > 0)
		fprintf(stderr,
			"n2n: there is nothing to do in the %u %s here; \"n2n status\" shows "
			"what is known\n",
			others, others == 1 ? "program that runs" : "programs that run");
	else
		fprintf(stderr,
			"n2n: no edge or supernode runs here%s; start one, or name its directory "
			"with --state-dir\n",
			sees_own_only(q->conf) ? " for this user; run as root to see those of root"
					       : "");
	return STATUS_FAILED;
}

static int ask_all(const struct question *q)
{
	struct instances all;
	struct os_error err = {0};
	unsigned n[FAILED + 1] = {0};

	if (instances_list(&all, q->conf->state_dir, &err) != 0) {
		char hint[OPTIONS_HINT_CAP];

		fprintf(stderr, "n2n: %s%s\n", err.text, options_hint(hint, q->set, err.setting));
		return STATUS_FAILED;
	}
	/* A socket without a listener is what a killed process left behind. */
	for (unsigned i = 0; i < all.n; i++)
		n[ask(q, all.name[i], true)]++;
	if (n[SHOWN] == 0 && n[FAILED] == 0)
		return nobody_did(q, n[OTHER]);
	return n[FAILED] == 0 ? STATUS_OK : STATUS_FAILED;
}

int ask_instances(const struct ask_conf *conf, const struct option_set *set, const char *request,
	ask_show *show, void *ctx)
{
	struct ignorant ignorant = {.names = ""};
	const struct question q = {.conf = conf,
		.set = set,
		.request = request,
		.show = show,
		.ctx = ctx,
		.timeout_ms = conf->timeout_ms != 0 ? conf->timeout_ms : CTLSOCK_TIMEOUT_MS,
		.ignorant = &ignorant};

	if (conf->instance != NULL)
		return ask(&q, conf->instance, false) == SHOWN ? STATUS_OK : STATUS_FAILED;
	return ask_all(&q);
}
