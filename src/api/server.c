/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the listening control socket, its clients and the envelope of requests and answers. */
#include "api/server.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define DIGITS	15 /* so many decimal ones a double keeps, and all that follow are noise */

struct api_later {
	struct client *client; /* NULL: it has gone */
};

struct client {
	struct api_server *server; /* NULL: the place is free */
	uv_pipe_t pipe;
	uv_timer_t idle;
	uv_write_t write;
	unsigned open;		 /* handles not yet closed */
	bool ended;		 /* it will not ask again */
	uint64_t turn;		 /* when it came or asked last, in the server's turns */
	char *answer;		 /* under way, with its newline */
	struct api_later *later; /* it waits for that */
	size_t len;
	char request[API_REQUEST_MAX];
};

struct api_server {
	uv_pipe_t pipe;
	const struct api_command *commands;
	void *ctx;
	bool closing;
	bool waiting;  /* a connection for which there was no place */
	unsigned open; /* handles not yet closed, clients' included */
	uint64_t turn; /* counts what clients do */
	struct client client[API_CLIENTS_MAX];
};

/* ---- closing ---- */

static void server_closed(struct api_server *s)
{
	if (--s->open == 0 && s->closing)
		free(s);
}

static void on_connection(uv_stream_t *listener, int status);

static void on_client_closed(uv_handle_t *h)
{
	struct client *c = h->data;
	struct api_server *s = c->server;

	if (--c->open > 0)
		return;
	free(c->answer);
	memset(c, 0, sizeof(*c));
	if (s->waiting && !s->closing)
		on_connection((uv_stream_t *)&s->pipe, 0);
	server_closed(s);
}

static void client_close(struct client *c)
{
	if (uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	if (c->later != NULL)
		c->later->client = NULL;
	c->later = NULL;
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
	uv_close((uv_handle_t *)&c->idle, on_client_closed);
}

static void on_listener_closed(uv_handle_t *h)
{
	server_closed(h->data);
}

void api_server_close(struct api_server *s)
{
	if (s == NULL)
		return;
	s->closing = true;
	for (unsigned i = 0; i < API_CLIENTS_MAX; i++)
		if (s->client[i].server != NULL)
			client_close(&s->client[i]);
	uv_close((uv_handle_t *)&s->pipe, on_listener_closed); /* removes the name */
}

/* ---- one request ---- */

static json_t *failure(const char *code, const char *message)
{
	return json_pack("{s:i, s:b, s:{s:s, s:s}}", "v", VERSION, "ok", 0, "error", "code", code,
		"message", message);
}

static json_t *reply_of(json_t *result, const struct api_error *err)
{
	if (result == NULL && err->code != NULL)
		return failure(err->code, err->message);
	return json_pack("{s:i, s:b, s:o}", "v", VERSION, "ok", 1, "result", result);
}

static void on_written(uv_write_t *w, int status)
{
	struct client *c = w->data;

	free(c->answer);
	c->answer = NULL;
	if (status != 0 || c->ended)
		client_close(c);
}

/* Takes reply over; NULL is what is left of one when memory is short. */
static void send_reply(struct client *c, json_t *reply)
{
	char *text = json_dumps(reply, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
	size_t len = text != NULL ? strlen(text) : 0;
	uv_buf_t buf;

	json_decref(reply);
	if (text == NULL) {
		client_close(c);
		return;
	}
	/* The newline takes the place of the NUL. */
	text[len] = '\n';
	c->answer = text;
	c->write.data = c;
	buf = uv_buf_init(text, (unsigned)len + 1);
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0)
		client_close(c);
}

void api_answer(struct api_later *later, json_t *result, const struct api_error *err)
{
	struct client *c = later->client;

	free(later);
	if (c == NULL) {
		json_decref(result);
		return;
	}
	c->later = NULL;
	uv_timer_again(&c->idle);
	send_reply(c, reply_of(result, err));
}

static void begin(struct client *c, const struct api_command *command, const json_t *request)
{
	struct api_later *later = malloc(sizeof(*later));

	if (later == NULL) {
		client_close(c);
		return;
	}
	later->client = c;
	c->later = later;
	uv_timer_stop(&c->idle);
	command->begin(c->server->ctx, request, later);
}

static void carry_out(struct client *c, const struct api_command *command, const json_t *request)
{
	struct api_error err = {.code = NULL};

	if (command->begin != NULL)
		begin(c, command, request);
	else
		send_reply(c, reply_of(command->answer(c->server->ctx, request, &err), &err));
}

static void take_request(struct client *c, const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const struct api_command *command = c->server->commands;
	const char *cmd;
	json_int_t version;

	if (request == NULL ||
		json_unpack(request, "{s:I, s:s}", "v", &version, "cmd", &cmd) != 0) {
		send_reply(
			c, failure("bad-request",
				   "not understood; send one line {\"v\":1,\"cmd\":\"status\"}"));
		goto out;
	}
	if (version != VERSION) {
		send_reply(c, failure("bad-version", "this program speaks version 1 only"));
		goto out;
	}
	while (command->name != NULL && strcmp(command->name, cmd) != 0)
		command++;
	if (command->name != NULL)
		carry_out(c, command, request);
	else
		send_reply(c, failure("unknown-command", "this program does not know the command"));
out:
	json_decref(request);
}

/* ---- clients ---- */

static void on_idle(uv_timer_t *t)
{
	client_close(t->data);
}

static void give_buffer(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct client *c = h->data;

	(void)size;
	*buf = uv_buf_init(c->request + c->len, (unsigned)(sizeof(c->request) - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	char *end;

	(void)buf;
	if (n == 0)
		return;
	if (n == UV_EOF && (c->answer != NULL || c->later != NULL)) {
		c->ended = true;
		return;
	}
	if (n < 0) {
		client_close(c);
		return;
	}
	c->len += (size_t)n;
	end = memchr(c->request, '\n', c->len);
	if (end == NULL && c->len < sizeof(c->request))
		return;
	/* One request at a time: what is written ahead of its answer is a breach. */
	if (end == NULL || c->answer != NULL || c->later != NULL ||
		end != c->request + c->len - 1) {
		client_close(c);
		return;
	}
	c->turn = ++c->server->turn;
	uv_timer_again(&c->idle);
	take_request(c, c->request, c->len - 1);
	c->len = 0;
}

static struct client *free_place(struct api_server *s)
{
	for (unsigned i = 0; i < API_CLIENTS_MAX; i++)
		if (s->client[i].server == NULL)
			return &s->client[i];
	return NULL;
}

/* Called while no place is free. The one that becomes so goes to the connection that waits. */
static void make_place(struct api_server *s)
{
	struct client *first = &s->client[0];

	for (unsigned i = 0; i < API_CLIENTS_MAX; i++) {
		if (uv_is_closing((uv_handle_t *)&s->client[i].pipe))
			return;
		if (s->client[i].turn < first->turn)
			first = &s->client[i];
	}
	client_close(first);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct api_server *s = listener->data;
	struct client *c = status == 0 ? free_place(s) : NULL;

	s->waiting = status == 0 && c == NULL;
	if (s->waiting)
		make_place(s);
	if (c == NULL)
		return;
	c->server = s;
	c->turn = ++s->turn;
	c->open = 2;
	s->open++;
	(void)uv_timer_init(listener->loop, &c->idle);
	c->idle.data = c;
	(void)uv_pipe_init(listener->loop, &c->pipe, 0);
	c->pipe.data = c;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0 ||
		uv_timer_start(&c->idle, on_idle, API_IDLE_MS, API_IDLE_MS) != 0 ||
		uv_read_start((uv_stream_t *)&c->pipe, give_buffer, on_read) != 0)
		client_close(c);
}

static int listen_at(struct api_server *s, const char *path)
{
	uv_fs_t fs;
	int rc;

	(void)uv_fs_unlink(NULL, &fs, path, NULL);
	uv_fs_req_cleanup(&fs);
	rc = uv_pipe_bind(&s->pipe, path);
	if (rc != 0)
		return rc;
	rc = uv_fs_chmod(NULL, &fs, path, 0600, NULL);
	uv_fs_req_cleanup(&fs);
	return rc != 0 ? rc : uv_listen((uv_stream_t *)&s->pipe, API_CLIENTS_MAX, on_connection);
}

int api_server_create(struct api_server **out, uv_loop_t *loop, const char *path,
	const struct api_command *commands, void *ctx, struct os_error *err)
{
	struct api_server *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for the control socket");
	s->commands = commands;
	s->ctx = ctx;
	s->open = 1;
	(void)uv_pipe_init(loop, &s->pipe, 0);
	s->pipe.data = s;
	rc = listen_at(s, path);
	if (rc != 0) {
		api_server_close(s);
		return os_error_set(err, N2N_EIO,
			"cannot listen at the control socket \"%s\": %s; \"n2n status\" will not "
			"work",
			path, uv_strerror(rc));
	}
	*out = s;
	return 0;
}
