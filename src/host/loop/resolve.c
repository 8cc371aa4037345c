/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns look-ups of names and when they are repeated. */
#include "host/loop/resolve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define RETRY_FIRST_MS 5000u
#define RETRY_MAX_MS   60000u
#define REFRESH_MS     300000u

struct lookup {
	uv_getaddrinfo_t request; /* data: this */
	struct resolver *resolver;
	unsigned number;
	const char *host;
	uint16_t port;
	bool busy;
	bool literal;
	bool done; /* found at least once */
	int failure;
	uint64_t next_ms;
	uint64_t retry_ms; /* next_ms if we are in a hurry */
	uint32_t pause_ms;
};

struct resolver {
	struct resolver_config c;
	bool closing;
	unsigned n;
	struct lookup lookup[SUPERNODES_MAX];
};

int resolver_create(struct resolver **out, const struct resolver_config *c)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return N2N_ENOMEM;
	r->c = *c;
	*out = r;
	return 0;
}

void resolver_add(struct resolver *r, const char *host, uint16_t port)
{
	struct lookup *l = &r->lookup[r->n];
	struct endpoint e;

	assert(r->n < SUPERNODES_MAX);
	*l = (struct lookup){.resolver = r, .number = r->n++, .host = host, .port = port};
	l->request.data = l;
	l->literal = endpoint_parse(&e, host, port) == 0;
	l->pause_ms = RETRY_FIRST_MS;
}

static bool take_address(struct endpoint *e, const struct addrinfo *a, uint16_t port)
{
	if (a->ai_family == AF_INET) {
		struct sockaddr_in in;
		const uint8_t *ip = (const uint8_t *)&in.sin_addr;

		memcpy(&in, a->ai_addr, sizeof(in));
		*e = endpoint_v4((uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 |
					 (uint32_t)ip[2] << 8 | ip[3],
			port);
		return true;
	}
	if (a->ai_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, a->ai_addr, sizeof(in6));
		memcpy(e->ip, &in6.sin6_addr, sizeof(e->ip));
		e->port = port;
		return true;
	}
	return false;
}

static void failed(struct lookup *l, int status)
{
	const struct log *log = l->resolver->c.log;

	if (status == l->failure)
		log_debug(log, "supernode \"%s\": the name still does not resolve", l->host);
	else
		log_warn(log,
			"supernode \"%s\": the name does not resolve (%s); is it spelled right, is "
			"there a network? Trying again",
			l->host, uv_strerror(status));
	l->failure = status;
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *l = request->data;
	struct endpoint found[SUPERNODE_ADDRESSES];
	size_t n = 0;

	l->busy = false;
	if (l->resolver->closing)
		goto out;
	for (const struct addrinfo *a = list; a != NULL && n < SUPERNODE_ADDRESSES; a = a->ai_next)
		if (take_address(&found[n], a, l->port))
			n++;
	if (status != 0 || n == 0) {
		failed(l, status != 0 ? status : UV_EAI_NODATA);
		goto out;
	}
	l->failure = 0;
	l->done = true;
	l->resolver->c.found(l->resolver->c.ctx, l->number, found, n);
out:
	uv_freeaddrinfo(list);
}

static void start(struct lookup *l, uint64_t now_ms)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};

	l->next_ms = now_ms + REFRESH_MS;
	l->retry_ms = now_ms + l->pause_ms;
	l->pause_ms = l->pause_ms * 2 < RETRY_MAX_MS ? l->pause_ms * 2 : RETRY_MAX_MS;
	l->busy = uv_getaddrinfo(
			  l->resolver->c.loop, &l->request, on_answer, l->host, NULL, &hints) == 0;
}

static void tell_literal(struct lookup *l)
{
	struct endpoint e;

	if (l->done || endpoint_parse(&e, l->host, l->port) != 0)
		return;
	l->done = true;
	l->resolver->c.found(l->resolver->c.ctx, l->number, &e, 1);
}

void resolver_tick(struct resolver *r, uint64_t now_ms, bool hurry)
{
	for (unsigned i = 0; i < r->n && !r->closing; i++) {
		struct lookup *l = &r->lookup[i];

		if (!hurry)
			l->pause_ms = RETRY_FIRST_MS;
		if (l->literal)
			tell_literal(l);
		else if (!l->busy && (now_ms >= l->next_ms || (hurry && now_ms >= l->retry_ms)))
			start(l, now_ms);
	}
}

void resolver_stop(struct resolver *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	for (unsigned i = 0; i < r->n; i++)
		if (r->lookup[i].busy)
			(void)uv_cancel((uv_req_t *)&r->lookup[i].request);
}

void resolver_destroy(struct resolver *r)
{
	free(r);
}
