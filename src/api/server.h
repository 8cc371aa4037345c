/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket, the side that answers (docs/CONTROL.md): one request a line, one answer a
 * line, both JSON objects. Control thread.
 */
#ifndef N2N_API_SERVER_H
#define N2N_API_SERVER_H

#include <jansson.h>
#include <uv.h>

#include "os/error.h"

#define CONTROL_REQUEST_MAX 4096 /* bytes, with the newline */
#define CONTROL_CLIENTS_MAX 16
#define CONTROL_IDLE_MS	    10000

struct control_server;

/* The answer to one command: a new reference. NULL when memory is short. */
struct control_command {
	const char *name;
	json_t *(*answer)(void *ctx);
};

/*
 * Listens at path, which is taken over from a process that died, and answers in turns of the loop.
 * commands end with a name of NULL and are kept, as is ctx, which their functions get. N2N_ENOMEM;
 * N2N_EIO: the system does not let it listen there, which a program survives.
 */
MUST_CHECK int control_server_create(struct control_server **out, uv_loop_t *loop, const char *path,
	const struct control_command *commands, void *ctx, struct os_error *err);
/*
 * Closes the socket and its clients and removes its name; s is freed once the loop has turned. NULL
 * is fine.
 */
void control_server_close(struct control_server *s);

#endif
