/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the steps of "n2n bench path" against one server. */
#include "ctl/bench_client.h"

#include <stdlib.h>

#include "os/sys.h"

#define NS_PER_S     UINT64_C(1000000000)
#define LATE_MS	     1000 /* a round trip that takes longer is lost */
#define PAUSE_MS     1	  /* between round trips */
#define LOST_AT_ONCE 3	  /* so many lost before any came back: UDP does not get through */
#define SAMPLES_MAX  (BENCH_STEP_MAX_S * 1000 / PAUSE_MS)
#define END_MS	     1000 /* for the end of a session */
#define GRACE_MS     8000 /* more than the server takes for what belongs to a step */

int bench_client_init(struct bench_client *c, unsigned seconds, struct os_handle interrupt,
	const struct random *random, struct os_error *err)
{
	static const struct endpoint any = {.port = 0};

	*c = (struct bench_client){.seconds = seconds, .interrupt = interrupt};
	c->samples = calloc(SAMPLES_MAX, sizeof(*c->samples));
	if (c->samples == NULL || bench_bulk_init(&c->bulk, random) != 0)
		return os_error_set(err, N2N_ENOMEM, "no memory to start with");
	return bench_udp_create(&c->udp, &any, err);
}

void bench_client_fini(struct bench_client *c)
{
	bench_bulk_fini(&c->bulk);
	bench_udp_destroy(c->udp);
	free(c->samples);
	*c = (struct bench_client){.seconds = 0};
}

static struct stream_limit limit_of(const struct bench_session *s, uint64_t ms)
{
	const struct stream_limit never = {UINT64_MAX, {s->client->interrupt, os_handle_none()}};

	return stream_limit_within(&never, ms);
}

/* ---- the control connection ---- */

static int explain(const struct bench_session *s, int rc, unsigned version, struct os_error *err)
{
	char to[ENDPOINT_TEXT_MAX];

	endpoint_format(&s->server, to);
	switch (rc) {
	case N2N_ENOSYS:
		return os_error_set(err, rc,
			"%s speaks version %u of the bench and this program version %d; use the "
			"same release of n2n at both ends",
			to, version, BENCH_VERSION);
	case N2N_EINVAL:
		return os_error_set(err, rc,
			"what listens at %s is no \"n2n bench serve\"; check the port (option -p)",
			to);
	case N2N_EAGAIN:
		return os_error_set(err, rc,
			"no answer from %s; \"n2n bench serve\" there measures with another "
			"client (try again in a minute), or the path is down (\"n2n status\")",
			to);
	default:
		return os_error_set(err, rc,
			"%s hung up; \"n2n bench serve\" ended there, serves somebody else, or is "
			"no such thing",
			to);
	}
}

static int say(const struct bench_session *s, const struct bench_message *m, struct os_error *err)
{
	struct stream_limit limit = limit_of(s, BENCH_ANSWER_MS);
	int rc = bench_message_send(s->control, m, &limit);

	return rc == 0 ? 0 : explain(s, rc, 0, err);
}

/* Waits at most ms for a message that must be of this kind. */
static int hear(const struct bench_session *s, enum bench_kind kind, uint64_t ms,
	struct bench_message *m, struct os_error *err)
{
	struct stream_limit limit = limit_of(s, ms);
	unsigned version = 0;
	int rc = bench_message_receive(s->control, m, &version, &limit);
	char to[ENDPOINT_TEXT_MAX];

	if (rc == 0 && m->kind == BENCH_BUSY)
		return os_error_set(err, N2N_EEXIST,
			"%s measures with another client at the moment; try again in a minute",
			endpoint_format(&s->server, to));
	if (rc == 0 && m->kind != kind)
		rc = N2N_EINVAL;
	return rc == 0 ? 0 : explain(s, rc, version, err);
}

static int connect_to_server(
	const struct bench_session *s, struct os_handle *out, struct os_error *err)
{
	struct stream_limit limit = limit_of(s, BENCH_ANSWER_MS);
	int rc = stream_connect(out, &s->server, &limit, err);
	char to[ENDPOINT_TEXT_MAX], ip[ENDPOINT_TEXT_MAX];

	endpoint_format(&s->server, to);
	endpoint_format_ip(&s->server, ip);
	if (rc == N2N_ENOENT)
		return os_error_set(err, rc,
			"nobody serves at %s (connection refused); run \"n2n bench serve -b %s\" "
			"there, or give the one that runs there this -b too",
			to, ip);
	if (rc == N2N_EAGAIN)
		return os_error_set(err, rc,
			"no answer from %s within %d s; check that the machine is up, that the "
			"path is (\"n2n status\"), and that no firewall drops TCP to this port",
			to, BENCH_ANSWER_MS / 1000);
	return rc;
}

int bench_session_open(struct bench_session *s, struct bench_client *c,
	const struct endpoint *server, struct os_error *err)
{
	const struct bench_message hello = {.kind = BENCH_HELLO};
	struct bench_message m;
	int rc;

	*s = (struct bench_session){.client = c, .server = *server, .control = os_handle_none()};
	rc = connect_to_server(s, &s->control, err);
	if (rc == 0)
		rc = say(s, &hello, err);
	if (rc == 0)
		rc = hear(s, BENCH_WELCOME, BENCH_ANSWER_MS, &m, err);
	if (rc != 0)
		bench_session_close(s);
	return rc;
}

/* The server has to see the end before it takes the next session. */
static void say_end(const struct bench_session *s)
{
	const struct bench_message end = {.kind = BENCH_END};
	struct stream_limit limit = limit_of(s, END_MS);
	struct bench_message m;
	unsigned version;

	if (bench_message_send(s->control, &end, &limit) == 0)
		(void)!bench_message_receive(s->control, &m, &version, &limit);
}

void bench_session_close(struct bench_session *s)
{
	if (!os_handle_is_none(s->control))
		say_end(s);
	stream_close(s->control);
	s->control = os_handle_none();
}

static int start_step(const struct bench_session *s, enum bench_kind kind, unsigned streams,
	uint64_t *token, struct os_error *err)
{
	struct bench_message m = {
		.kind = kind, .streams = streams, .time_ns = s->client->seconds * NS_PER_S};
	int rc = say(s, &m, err);

	if (rc == 0)
		rc = hear(s, BENCH_READY, BENCH_ANSWER_MS, &m, err);
	if (rc == 0)
		*token = m.token;
	return rc;
}

static int end_step(const struct bench_session *s, struct bench_count *out, struct os_error *err)
{
	struct bench_message m;
	int rc = hear(s, BENCH_RESULT, GRACE_MS, &m, err);

	if (rc == 0)
		*out = (struct bench_count){m.amount, m.time_ns};
	return rc;
}

static double per_second(const struct bench_count *count)
{
	return count->time_ns > 0
		       ? (double)count->amount * (double)NS_PER_S / (double)count->time_ns
		       : 0;
}

static uint64_t step_ms(const struct bench_session *s)
{
	return s->client->seconds * UINT64_C(1000);
}

/* ---- TCP ---- */

static int open_streams(
	const struct bench_session *s, unsigned streams, uint64_t token, struct os_error *err)
{
	const struct bench_message data = {.kind = BENCH_DATA, .token = token};
	struct os_handle *stream = s->client->bulk.stream;

	for (unsigned i = 0; i < streams; i++) {
		struct stream_limit limit = limit_of(s, BENCH_ANSWER_MS);
		int rc = connect_to_server(s, &stream[i], err);

		if (rc == 0) {
			rc = bench_message_send(stream[i], &data, &limit);
			if (rc != 0)
				explain(s, rc, 0, err);
		}
		if (rc != 0) {
			bench_bulk_close(&s->client->bulk);
			return rc;
		}
	}
	return 0;
}

int bench_session_tcp(struct bench_session *s, enum bench_kind kind, unsigned streams,
	double *bit_s, struct os_error *err)
{
	struct bench_bulk *b = &s->client->bulk;
	struct bench_count here, there;
	struct stream_limit limit;
	char to[ENDPOINT_TEXT_MAX];
	uint64_t token;
	int rc = start_step(s, kind, streams, &token, err);

	if (rc == 0)
		rc = open_streams(s, streams, token, err);
	if (rc != 0)
		return rc;
	limit = limit_of(s, step_ms(s) + GRACE_MS);
	if (kind == BENCH_TCP_UP)
		bench_bulk_send(b, &limit, &here);
	else
		bench_bulk_receive(b, step_ms(s) * 1000000, &limit, &here);
	rc = end_step(s, &there, err);
	if (rc != 0)
		return rc;
	*bit_s = 8 * per_second(kind == BENCH_TCP_UP ? &there : &here);
	if (*bit_s > 0)
		return 0;
	return os_error_set(err, N2N_EIO,
		"connections to %s are made, but their data does not arrive; something on the way "
		"drops large packets, try a smaller MTU",
		endpoint_format(&s->server, to));
}

/* ---- UDP ---- */

struct round_trips {
	uint32_t sent;
	uint32_t back;
	uint32_t *us; /* of those that came back */
};

/* Sends one and waits for it; false when it was lost. */
static bool round_trip(const struct bench_session *s, const struct bench_flow *flow,
	struct round_trips *t, const struct stream_limit *limit)
{
	struct stream_limit late = stream_limit_within(limit, LATE_MS);
	struct bench_datagram got[BENCH_UDP_BATCH];
	uint64_t start = sys_now_ns();
	uint32_t number = t->sent++;
	size_t n;

	bench_udp_send(s->client->udp, flow, number);
	while ((n = bench_udp_receive(s->client->udp, flow, &late, got)) > 0)
		for (size_t i = 0; i < n; i++)
			if (got[i].number == number) {
				t->us[t->back++] = (uint32_t)((sys_now_ns() - start) / 1000);
				return true;
			}
	return false;
}

static void measure_round_trips(
	const struct bench_session *s, const struct bench_flow *flow, struct round_trips *t)
{
	struct stream_limit whole = limit_of(s, step_ms(s));
	struct stream_limit last = limit_of(s, step_ms(s) + LATE_MS);

	while (t->sent < SAMPLES_MAX && !stream_limit_reached(&whole)) {
		struct stream_limit pause;
		unsigned none;
		bool came = round_trip(s, flow, t, &last);

		if (!came && stream_limit_reached(&last)) {
			t->sent--; /* not waited for long enough */
			return;
		}
		if (t->back == 0 && t->sent == LOST_AT_ONCE)
			return;
		pause = stream_limit_within(&whole, PAUSE_MS);
		(void)!stream_wait(NULL, 0, STREAM_READ, &pause, &none);
	}
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* By nearest rank, of sorted values. */
static double percentile(const struct round_trips *t, uint32_t percent)
{
	return t->back > 0 ? t->us[(t->back * percent + 99) / 100 - 1] : 0;
}

int bench_session_rtt(struct bench_session *s, struct bench_rtt *out, struct os_error *err)
{
	const struct bench_message end = {.kind = BENCH_END};
	struct bench_flow flow = {.peer = s->server};
	struct round_trips t = {.us = s->client->samples};
	struct bench_count there;
	int rc = start_step(s, BENCH_ECHO, 0, &flow.token, err);

	if (rc != 0)
		return rc;
	measure_round_trips(s, &flow, &t);
	rc = say(s, &end, err);
	if (rc == 0)
		rc = end_step(s, &there, err);
	if (rc != 0)
		return rc;
	qsort(t.us, t.back, sizeof(*t.us), by_value);
	out->p50_us = percentile(&t, 50);
	out->p90_us = percentile(&t, 90);
	out->p99_us = percentile(&t, 99);
	out->lost = t.back > 0 ? 1 - (double)t.back / t.sent : 1;
	return 0;
}

int bench_session_flood(
	struct bench_session *s, enum bench_kind kind, double *arrived_s, struct os_error *err)
{
	struct bench_flow flow = {.peer = s->server};
	struct bench_count here, there;
	struct stream_limit limit;
	int rc = start_step(s, kind, 0, &flow.token, err);

	if (rc != 0)
		return rc;
	limit = limit_of(s, step_ms(s) + (kind == BENCH_FLOOD_UP ? 0 : GRACE_MS));
	if (kind == BENCH_FLOOD_UP)
		bench_udp_flood(s->client->udp, &flow, &limit, &here);
	else
		bench_udp_count(s->client->udp, &flow, true, &limit, &here);
	rc = end_step(s, &there, err);
	if (rc == 0)
		*arrived_s = per_second(kind == BENCH_FLOOD_UP ? &there : &here);
	return rc;
}
