/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns look-ups of names and when they are repeated. */
#include "host/loop/resolve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define RETRY_FIRST_MS 1000u
#define RETRY_MAX_MS   10000u
#define REFRESH_MS     300000u
/*
 * Questions of one name at a time: the second is for when things have changed, as the first may
 * hang for long with a server that is not reached any more.
 */
#define QUESTIONS 2
/* libuv's threads, of which questions get half: two names may hang, and others be asked anew. */
#define THREADS "8"

struct question {
	uv_getaddrinfo_t request; /* data: this */
	struct lookup *lookup;
	bool busy;
	unsigned serial; /* of the lookup's questions */
};

struct lookup {
	struct question question[QUESTIONS];
	struct resolver *resolver;
	unsigned number;
	const char *host;
	uint16_t port;
	bool literal;
	bool done; /* found at least once */
	bool news; /* what an answer would be now is another matter than it was */
	int failure;
	unsigned asked;	   /* questions */
	unsigned answered; /* the newest question that came to an end ... */
	unsigned found;	   /* ... and with addresses */
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
	/* Read when the first question is asked; the user's own number wins. */
	(void)setenv("UV_THREADPOOL_SIZE", THREADS, 0);
	*out = r;
	return 0;
}

void resolver_add(struct resolver *r, const char *host, uint16_t port)
{
	struct lookup *l = &r->lookup[r->n];
	struct endpoint e;

	assert(r->n < SUPERNODES_MAX);
	*l = (struct lookup){.resolver = r, .number = r->n++, .host = host, .port = port};
	for (unsigned i = 0; i < QUESTIONS; i++) {
		l->question[i].lookup = l;
		l->question[i].request.data = &l->question[i];
	}
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

/* An older question may be answered behind a newer one: then it counts if that came to nothing. */
static void take_answer(struct question *q, int status, const struct addrinfo *list)
{
	struct endpoint found[SUPERNODE_ADDRESSES];
	struct lookup *l = q->lookup;
	bool newest = q->serial > l->answered;
	size_t n = 0;

	if (newest)
		l->answered = q->serial;
	for (const struct addrinfo *a = list; a != NULL && n < SUPERNODE_ADDRESSES; a = a->ai_next)
		if (take_address(&found[n], a, l->port))
			n++;
	if (status != 0 || n == 0) {
		if (newest)
			failed(l, status != 0 ? status : UV_EAI_NODATA);
		return;
	}
	if (q->serial < l->found)
		return;
	l->found = q->serial;
	l->failure = 0;
	l->done = true;
	l->resolver->c.found(l->resolver->c.ctx, l->number, found, n);
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct question *q = request->data;

	q->busy = false;
	if (!q->lookup->resolver->closing)
		take_answer(q, status, list);
	uv_freeaddrinfo(list);
}

static void ask(struct lookup *l, struct question *q, uint64_t now_ms)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};

	if (l->news)
		l->pause_ms = RETRY_FIRST_MS;
	l->news = false;
	l->next_ms = now_ms + REFRESH_MS;
	l->retry_ms = now_ms + l->pause_ms;
	l->pause_ms = l->pause_ms * 2 < RETRY_MAX_MS ? l->pause_ms * 2 : RETRY_MAX_MS;
	q->serial = ++l->asked;
	q->busy = uv_getaddrinfo(
			  l->resolver->c.loop, &q->request, on_answer, l->host, NULL, &hints) == 0;
}

static bool is_due(const struct lookup *l, uint64_t now_ms, bool hurry)
{
	for (unsigned i = 0; i < QUESTIONS; i++)
		if (l->question[i].busy)
			return l->news;
	return l->news || now_ms >= l->next_ms || (hurry && now_ms >= l->retry_ms);
}

static struct question *free_question(struct lookup *l)
{
	for (unsigned i = 0; i < QUESTIONS; i++)
		if (!l->question[i].busy)
			return &l->question[i];
	return NULL;
}

static void tell_literal(struct lookup *l)
{
	struct endpoint e;

	if (l->done || endpoint_parse(&e, l->host, l->port) != 0)
		return;
	l->done = true;
	l->resolver->c.found(l->resolver->c.ctx, l->number, &e, 1);
}

static void look_up(struct lookup *l, uint64_t now_ms, bool hurry)
{
	struct question *q = free_question(l);

	if (!hurry) {
		l->pause_ms = RETRY_FIRST_MS;
		l->news = l->news && !l->done;
	}
	if (q != NULL && is_due(l, now_ms, hurry))
		ask(l, q, now_ms);
}

void resolver_changed(struct resolver *r)
{
	for (unsigned i = 0; i < r->n; i++)
		r->lookup[i].news = true;
}

void resolver_tick(struct resolver *r, uint64_t now_ms, bool hurry)
{
	for (unsigned i = 0; i < r->n && !r->closing; i++) {
		struct lookup *l = &r->lookup[i];

		if (l->literal)
			tell_literal(l);
		else
			look_up(l, now_ms, hurry);
	}
}

void resolver_stop(struct resolver *r)
{
	if (r == NULL)
		return;
	r->closing = true;
	for (unsigned i = 0; i < r->n; i++)
		for (unsigned k = 0; k < QUESTIONS; k++)
			if (r->lookup[i].question[k].busy)
				(void)uv_cancel((uv_req_t *)&r->lookup[i].question[k].request);
}

void resolver_destroy(struct resolver *r)
{
	free(r);
}
