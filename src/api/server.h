/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket, the side that answers (docs/CONTROL.md): one request a line, one answer a
 * line, both JSON objects. It owns the socket, its clients and the envelope of requests and
 * answers; what the answers say is its owner's. All calls, of the commands too, on the thread of
 * the loop, which is the control thread.
 */
#ifndef N2N_API_SERVER_H
#define N2N_API_SERVER_H

#include <jansson.h>
#include <uv.h>

#include "os/error.h"

#define API_REQUEST_MAX 4096  /* bytes, with the newline */
#define API_CLIENTS_MAX 16    /* one more, and the one that asked the longest ago has to go */
#define API_IDLE_MS	10000 /* from a request to the next, its answer taken */

/* Codes of errors of commands; those of the envelope are the server's own. */
#define API_BAD_ARGUMENT "bad-argument"
#define API_NOT_FOUND	 "not-found"
#define API_BUSY	 "busy"

struct api_server;

/* Why a command was not carried out: one of the codes of CONTROL.md, and a line for people. */
struct api_error {
	const char *code; /* static; NULL: it was, or memory was short */
	char message[256];
};

/* A request whose answer comes later. */
struct api_later;

/*
 * The answer to one command: a new reference. request is the whole object that was asked, a JSON
 * object of at most API_REQUEST_MAX bytes; its other fields are the command's arguments, of any
 * type or missing. NULL: *err says why, or memory is short.
 *
 * A command that takes a while has begin instead: the client waits, others are served, until
 * api_answer is called once, in it or after it has returned.
 */
struct api_command {
	const char *name;
	json_t *(*answer)(void *ctx, const json_t *request, struct api_error *err);
	void (*begin)(void *ctx, const json_t *request, struct api_later *later);
};

/*
 * Listens at path, which is taken over from a process that died, and answers in turns of the loop.
 * commands end with a name of NULL and are kept, as is ctx, which their functions get. N2N_ENOMEM;
 * N2N_EIO: the system does not let it listen there, which a program survives.
 */
MUST_CHECK int api_server_create(struct api_server **out, uv_loop_t *loop, const char *path,
	const struct api_command *commands, void *ctx, struct os_error *err);
/*
 * Answers, as the function answer of a command would: takes result and later over. The client may
 * have gone, and so may the server.
 */
void api_answer(struct api_later *later, json_t *result, const struct api_error *err);
/*
 * Closes the socket and its clients and removes its name; s is freed once the loop has turned. NULL
 * is fine.
 */
void api_server_close(struct api_server *s);

#endif
