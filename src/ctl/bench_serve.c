/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n bench serve": the server of ctl/bench_message.h, for one client at a time. */
#include <stdio.h>
#include <string.h>

#include "conf/process_conf.h"
#include "conf/values.h"
#include "ctl/bench.h"
#include "ctl/bench_bulk.h"
#include "ctl/bench_udp.h"
#include "ctl/commands.h"
#include "os/interrupt.h"
#include "os/sys.h"

#define ADDRESSES_MAX 4
#define HELLO_MS      2000  /* for the first message of a connection */
#define REFUSE_MS     200   /* for that of one that is not served */
#define IDLE_MS	      30000 /* between the steps of a client */
#define GRACE_MS      5000  /* for what belongs to a step besides its time */

struct serve_conf {
	struct addresses {
		struct endpoint list[ADDRESSES_MAX];
		size_t n;
	} bind;
	unsigned port;
	bool help;
};

static int set_bind(void *field, const char *value, char *why, size_t why_cap)
{
	struct addresses *a = field;

	if (a->n == ADDRESSES_MAX)
		return value_wrong(
			why, why_cap, "is one too many; give at most %d addresses", ADDRESSES_MAX);
	if (!value_address(&a->list[a->n], value))
		return value_wrong(why, why_cap,
			"is not an address; give one of this host without a port, e.g. 10.1.2.1 or "
			"fd00::1");
	a->n++;
	return 0;
}

static const struct option_spec specs[] = {
	{
		.name = "bind",
		.letter = 'b',
		.arg = "ADDRESS",
		.help = "address of this host to serve at",
		.flags = OPTION_REPEATABLE,
		.field = offsetof(struct serve_conf, bind),
		.set = set_bind,
	},
	{
		.name = "port",
		.letter = 'p',
		.arg = "PORT",
		.help = "TCP and UDP port; default " OPTION_NUMBER(BENCH_PORT),
		.field = offsetof(struct serve_conf, port),
		.settings = SETTING_BIT(SETTING_PORT),
		.set = bench_value_port,
	},
	{0},
};

static const struct option_set options = {
	.program = "n2n bench serve",
	.usage = "-b ADDRESS [-b ADDRESS...] [-p PORT]",
	.blocks = {{"Options", specs, 0}, {NULL, help_options, offsetof(struct serve_conf, help)}},
	.epilogue = "Serves \"n2n bench path\" of other machines, one at a time, until Ctrl-C. "
		    "Whoever reaches\nthe address may use it; it sends to nobody else. Serve at "
		    "the address in the tunnel, and\nfor comparison at the one outside it too.\n",
};

struct server {
	size_t n;
	struct os_handle listeners[ADDRESSES_MAX]; /* of them n are open */
	struct bench_udp *udp[ADDRESSES_MAX];
	struct bench_bulk bulk;
	struct random random;
	struct os_handle interrupt;
	struct endpoint last; /* client whose coming was told */
};

struct client {
	struct server *server;
	size_t at; /* the listener it came by */
	struct os_handle control;
	struct endpoint from;
};

static struct stream_limit limit_of(const struct server *s, struct os_handle control, uint64_t ms)
{
	const struct stream_limit never = {UINT64_MAX, {s->interrupt, control}};

	return stream_limit_within(&never, ms);
}

static int say(const struct client *c, const struct bench_message *m)
{
	struct stream_limit limit = limit_of(c->server, os_handle_none(), BENCH_ANSWER_MS);

	return bench_message_send(c->control, m, &limit);
}

/* ---- connections ---- */

/* The client says HELLO before it listens; a connection closed unread could lose our answer. */
static void refuse(const struct server *s, struct os_handle stream)
{
	struct stream_limit limit = limit_of(s, os_handle_none(), REFUSE_MS);
	struct bench_message m;
	unsigned version;

	if (bench_message_receive(stream, &m, &version, &limit) == 0 && m.kind == BENCH_HELLO) {
		m = (struct bench_message){.kind = BENCH_BUSY};
		(void)!bench_message_send(stream, &m, &limit);
	}
	stream_close(stream);
}

static void refuse_waiting(const struct server *s, unsigned listeners)
{
	for (size_t i = 0; i < s->n; i++) {
		struct endpoint from;
		struct os_handle stream;

		if (listeners >> i & 1 && stream_accept(&stream, &from, s->listeners[i]) == 0)
			refuse(s, stream);
	}
}

static bool shows_token(const struct server *s, struct os_handle stream, uint64_t token)
{
	struct stream_limit limit = limit_of(s, os_handle_none(), HELLO_MS);
	struct bench_message m;
	unsigned version;

	return bench_message_receive(stream, &m, &version, &limit) == 0 && m.kind == BENCH_DATA &&
	       m.token == token;
}

/* Takes the connections of a TCP step. */
static int gather(
	struct client *c, unsigned streams, uint64_t token, const struct stream_limit *limit)
{
	struct server *s = c->server;
	unsigned ready, taken = 0;

	while (taken < streams) {
		struct endpoint from;
		struct os_handle stream;
		int rc = stream_wait(&s->listeners[c->at], 1, STREAM_READ, limit, &ready);

		if (rc == 0)
			rc = stream_accept(&stream, &from, s->listeners[c->at]);
		if (rc == N2N_EAGAIN && !stream_limit_reached(limit))
			continue;
		if (rc != 0)
			return rc;
		if (!endpoint_same_ip(&from, &c->from))
			refuse(s, stream);
		else if (shows_token(s, stream, token))
			s->bulk.stream[taken++] = stream;
		else
			stream_close(stream);
	}
	return 0;
}

/* ---- steps; each ends early when the client says something or hangs up ---- */

static void tcp_step(struct client *c, const struct bench_message *m, uint64_t token,
	const struct stream_limit *limit, struct bench_count *out)
{
	struct bench_bulk *b = &c->server->bulk;

	if (gather(c, m->streams, token, limit) != 0)
		bench_bulk_close(b);
	else if (m->kind == BENCH_TCP_UP)
		bench_bulk_receive(b, m->time_ns, limit, out);
	else
		bench_bulk_send(b, limit, out);
}

static void echo(struct bench_udp *x, const struct bench_flow *flow,
	const struct stream_limit *limit, struct bench_count *out)
{
	struct bench_datagram got[BENCH_UDP_BATCH];
	size_t n;

	while ((n = bench_udp_receive(x, flow, limit, got)) > 0) {
		for (size_t i = 0; i < n; i++) {
			struct bench_flow back = {flow->token, got[i].from, got[i].local};

			bench_udp_send(x, &back, got[i].number);
		}
		out->amount += n;
	}
}

/* Nothing is sent before the client has shown where it is. */
static void flood_down(struct bench_udp *x, struct bench_flow *flow, uint64_t time_ns,
	const struct stream_limit *limit, struct bench_count *out)
{
	struct stream_limit first = stream_limit_within(limit, BENCH_UDP_FIRST_MS);
	struct bench_datagram got[BENCH_UDP_BATCH];

	if (bench_udp_receive(x, flow, &first, got) == 0)
		return;
	first = stream_limit_within(limit, time_ns / 1000000);
	flow->peer = got[0].from;
	flow->local = got[0].local;
	bench_udp_flood(x, flow, &first, out);
}

static void run(struct client *c, const struct bench_message *m, uint64_t token,
	const struct stream_limit *limit, struct bench_count *out)
{
	struct bench_udp *x = c->server->udp[c->at];
	struct bench_flow flow = {.token = token, .peer = c->from};

	if (m->kind == BENCH_ECHO)
		echo(x, &flow, limit, out);
	else if (m->kind == BENCH_FLOOD_UP)
		bench_udp_count(x, &flow, false, limit, out);
	else if (m->kind == BENCH_FLOOD_DOWN)
		flood_down(x, &flow, m->time_ns, limit, out);
	else
		tcp_step(c, m, token, limit, out);
}

static int run_step(struct client *c, const struct bench_message *m)
{
	struct server *s = c->server;
	struct bench_message answer = {.kind = BENCH_READY, .token = random_u64(&s->random)};
	struct stream_limit limit;
	struct bench_count count = {0, 0};
	int rc = say(c, &answer);

	if (rc != 0)
		return rc;
	limit = limit_of(s, c->control, m->time_ns / 1000000 + GRACE_MS);
	run(c, m, answer.token, &limit, &count);
	if (m->kind == BENCH_ECHO) {
		unsigned version;

		limit = limit_of(s, os_handle_none(), BENCH_ANSWER_MS);
		rc = bench_message_receive(c->control, &answer, &version, &limit);
		if (rc != 0 || answer.kind != BENCH_END)
			return N2N_EINVAL;
	}
	answer = (struct bench_message){
		.kind = BENCH_RESULT, .amount = count.amount, .time_ns = count.time_ns};
	return say(c, &answer);
}

/* ---- clients ---- */

/* Waits for what the client wants next, and sends others away. */
static int next_step(struct client *c, struct bench_message *m)
{
	struct server *s = c->server;
	struct stream_limit limit = limit_of(s, os_handle_none(), IDLE_MS);
	struct os_handle of[1 + ADDRESSES_MAX] = {c->control};
	unsigned version, ready;
	int rc;

	memcpy(&of[1], s->listeners, sizeof(s->listeners));
	do {
		rc = stream_wait(of, 1 + s->n, STREAM_READ, &limit, &ready);
		if (rc != 0)
			return rc;
		if (!(ready & 1))
			refuse_waiting(s, ready >> 1);
	} while (!(ready & 1));
	rc = bench_message_receive(c->control, m, &version, &limit);
	return rc == 0 && !bench_is_step(m->kind) ? N2N_EINVAL : rc;
}

static void announce(struct client *c)
{
	char ip[ENDPOINT_TEXT_MAX];

	if (endpoint_same_ip(&c->server->last, &c->from))
		return;
	c->server->last = c->from;
	printf("%s measures\n", endpoint_format_ip(&c->from, ip));
	fflush(stdout);
}

static void serve_client(struct client *c)
{
	struct stream_limit limit = limit_of(c->server, os_handle_none(), HELLO_MS);
	struct bench_message m;
	unsigned version;
	int rc = bench_message_receive(c->control, &m, &version, &limit);

	if (rc == 0 && m.kind != BENCH_HELLO)
		return;
	/* One of another version learns ours from the answer. */
	if (rc == 0 || rc == N2N_ENOSYS) {
		m = (struct bench_message){.kind = BENCH_WELCOME};
		if (say(c, &m) != 0 || rc != 0)
			return;
	}
	while (rc == 0) {
		rc = next_step(c, &m);
		if (rc == 0) {
			announce(c);
			rc = run_step(c, &m);
		}
	}
}

static void serve(struct server *s)
{
	struct stream_limit never = {UINT64_MAX, {s->interrupt, os_handle_none()}};
	unsigned ready;

	while (stream_wait(s->listeners, s->n, STREAM_READ, &never, &ready) == 0)
		for (size_t i = 0; i < s->n; i++) {
			struct client c = {.server = s, .at = i};

			if (!(ready >> i & 1) ||
				stream_accept(&c.control, &c.from, s->listeners[i]) != 0)
				continue;
			serve_client(&c);
			stream_close(c.control);
		}
}

/* ---- start and end ---- */

static int server_open(struct server *s, const struct serve_conf *conf, struct os_error *err)
{
	int rc = interrupt_open(&s->interrupt, err);

	if (rc == 0)
		rc = sys_random(&s->random, err);
	if (rc == 0 && bench_bulk_init(&s->bulk, &s->random) != 0)
		rc = os_error_set(err, N2N_ENOMEM, "no memory to start with");
	for (s->n = 0; rc == 0 && s->n < conf->bind.n; s->n++) {
		struct endpoint at = conf->bind.list[s->n];

		at.port = (uint16_t)conf->port;
		rc = stream_listen(&s->listeners[s->n], &at, err);
		if (rc == 0)
			rc = bench_udp_create(&s->udp[s->n], &at, err);
	}
	return rc;
}

static void server_close(struct server *s)
{
	for (size_t i = 0; i < s->n; i++) {
		stream_close(s->listeners[i]);
		bench_udp_destroy(s->udp[i]);
	}
	bench_bulk_fini(&s->bulk);
	stream_close(s->interrupt);
}

static void introduce(const struct serve_conf *conf)
{
	char ip[ENDPOINT_TEXT_MAX];

	for (size_t i = 0; i < conf->bind.n; i++)
		if (endpoint_is_none(&conf->bind.list[i]))
			fprintf(stderr,
				"n2n: warning: serving at every address of this host; whoever "
				"reaches one of them may use it\n");
	printf("serving at TCP and UDP port %u until Ctrl-C; on the other machine run\n"
	       "\n  n2n bench path",
		conf->port);
	for (size_t i = 0; i < conf->bind.n; i++)
		printf(" %s", endpoint_is_none(&conf->bind.list[i])
				      ? "ADDRESS"
				      : endpoint_format_ip(&conf->bind.list[i], ip));
	if (conf->port != BENCH_PORT)
		printf(" -p %u", conf->port);
	puts("\n");
	fflush(stdout);
}

static int serve_with(const struct serve_conf *conf)
{
	struct server s = {.interrupt = os_handle_none()};
	char hint[OPTIONS_HINT_CAP];
	struct os_error err;
	int rc = server_open(&s, conf, &err);

	if (rc == 0) {
		introduce(conf);
		serve(&s);
	} else {
		fprintf(stderr, "n2n: %s%s\n", err.text, options_hint(hint, &options, err.setting));
	}
	server_close(&s);
	return rc == 0 ? STATUS_OK : STATUS_FAILED;
}

int bench_serve(int argc, char **argv)
{
	struct serve_conf conf = {.port = BENCH_PORT};
	struct conf_error err;

	if (options_from_args(&options, argc, argv, &conf, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (conf.help) {
		options_help(&options, stdout);
		return STATUS_OK;
	}
	if (conf.bind.n == 0) {
		fputs("n2n: it is not said where to serve; give -b and the address of this host in "
		      "the tunnel, e.g. -b 10.1.2.1 (\"n2n status\" shows it)\n",
			stderr);
		return STATUS_USAGE;
	}
	return serve_with(&conf);
}
