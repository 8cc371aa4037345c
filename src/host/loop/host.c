/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the control thread's loop and what it turns: ticks, notes, publication, signals. */
#include "host/loop/host.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "conf/features.h"
#include "core/view/view.h"
#include "os/interrupt.h"
#include "os/stream.h"
#include "os/sys.h"
#include "os/thread.h"

#define PUBLISH_MS     10
#define SECOND_MS      1000
#define SETTLE_MS      1000
#define EMBRYOS	       256
#define UDP_BATCH_SIZE 8

/*
 * How many notes of a queue are worked off before the loop looks around again. One from a stranger
 * may cost a few Diffie-Hellman operations.
 */
static const unsigned notes_per_turn[NOTE_QUEUES] = {
	[QUEUE_CONTROL] = 64,
	[QUEUE_OWN] = 64,
	[QUEUE_LOOP] = 128,
	[QUEUE_GROUPS] = 64,
	[QUEUE_RELAYED] = 16,
	[QUEUE_UNKNOWN] = 8,
	[QUEUE_HELLO] = 8,
};

/* ---- the core's way out ---- */

static void send_datagram(void *ctx, const struct datagram *d)
{
	struct host *h = ctx;
	struct udp_packet_out out = {
		.data = d->data, .len = d->len, .to = d->way.remote, .local = d->way.local};
	struct udp_sent count = {0};

	(void)udp_send(h->udp, h->batch, &out, 1, &count);
	if (count.sent == 0)
		drops_add(&h->node->core.drops,
			count.too_large > 0 ? DROP_UNDERLAY_MTU : DROP_SOCKET, 1);
}

static void deliver(void *ctx, unsigned community, const struct frame *f)
{
	struct host *h = ctx;

	h->role->deliver(h->ctx, community, f);
}

static void event(void *ctx, const struct event *e)
{
	struct host *h = ctx;

	h->role->event(h->ctx, e);
}

static uint64_t now_us(void *ctx)
{
	(void)ctx;
	return sys_now_ns() / 1000;
}

struct core_config host_core_config(struct host *h, unsigned n_workers)
{
	return (struct core_config){
		.io = {.ctx = h,
			.send = send_datagram,
			.deliver = deliver,
			.event = event,
			.random = h->random,
			.now_us = now_us},
		.ciphers = h->ciphers,
		.nworkers = n_workers,
		.now_ms = sys_now_ms(),
		.wall_ms = sys_wall_ms() - sys_now_ms(),
		.embryos = EMBRYOS,
	};
}

/* ---- publication ---- */

static void publish(struct host *h)
{
	const struct view *v = node_view_changed(h->node);

	if (v != NULL)
		publication_show(&h->views, v);
	/* While the view is stale it may name what was retired. */
	if (publication_reclaim(&h->views) && !node_view_is_due(h->node))
		publication_retire(&h->views, core_take_retired(&h->node->core));
	h->published_ms = uv_now(&h->loop);
}

static void on_publish_later(uv_timer_t *t)
{
	publish(t->data);
}

/* Before the loop sleeps: now, or when the pause is over. */
static void on_publish(uv_prepare_t *p)
{
	struct host *h = p->data;
	uint64_t due = h->published_ms + PUBLISH_MS, now = uv_now(&h->loop);

	if (!node_view_is_due(h->node) && h->node->core.retired == NULL && h->views.limbo == NULL)
		return;
	if (now >= due)
		publish(h);
	else
		(void)uv_timer_start(&h->publish_later, on_publish_later, due - now, 0);
}

/* ---- notes of the workers ---- */

static bool take_notes(struct host *h, struct worker *w, uint64_t now_ms)
{
	bool more = false;

	for (unsigned i = 0; i < NOTE_QUEUES; i++) {
		unsigned left = notes_per_turn[i];
		struct note *n;

		while ((n = queue_first(&w->queue[i])) != NULL && left-- > 0) {
			node_note(h->node, n, now_ms);
			queue_pop(&w->queue[i]);
		}
		more = more || n != NULL;
	}
	return more;
}

bool host_is_drained(struct host *h)
{
	for (unsigned i = 0; i < h->n_workers; i++)
		for (unsigned q = 0; q < NOTE_QUEUES; q++)
			if (queue_first(&h->workers[i]->queue[q]) != NULL)
				return false;
	return true;
}

void host_fail(struct host *h)
{
	h->failed = true;
	uv_stop(&h->loop);
}

static void on_notes(uv_async_t *a)
{
	struct host *h = a->data;
	uint64_t now_ms = sys_now_ms();

	for (unsigned i = 0; i < h->n_workers; i++) {
		if (atomic_load(&h->workers[i]->failed))
			host_fail(h);
		if (take_notes(h, h->workers[i], now_ms))
			(void)uv_async_send(&h->notes);
	}
}

/*
 * Two grace periods, as something may be in limbo already. A worker rests, or is in the middle of a
 * batch: it is waited for, for some milliseconds.
 */
bool host_settle(struct host *h)
{
	const uint64_t deadline_ms = sys_now_ms() + SETTLE_MS;

	for (unsigned period = 0; period < 2; period++) {
		publish(h);
		while (h->views.limbo != NULL && !publication_reclaim(&h->views)) {
			if (sys_now_ms() >= deadline_ms)
				return false;
			thread_yield();
		}
	}
	for (unsigned i = 0; i < h->n_workers; i++)
		while (take_notes(h, h->workers[i], sys_now_ms()))
			if (sys_now_ms() >= deadline_ms)
				return false;
	return h->node->core.retired == NULL && h->views.limbo == NULL;
}

static void notify(void *ctx)
{
	struct host *h = ctx;

	(void)uv_async_send(&h->notes);
}

struct worker_config host_worker_config(struct host *h, unsigned number, struct udp *udp)
{
	return (struct worker_config){.number = number,
		.udp = udp,
		.views = &h->views,
		.notify = notify,
		.notify_ctx = h};
}

int host_explain_worker(struct os_error *err, int rc)
{
	return os_error_set(err, rc,
		"cannot make a worker: %s; free memory or raise the limit of open files",
		n2n_err_text(rc));
}

void host_add_worker(struct host *h, struct worker *w)
{
	assert(h->n_workers < WORKERS_MAX);
	h->workers[h->n_workers++] = w;
}

/* ---- timers and signals ---- */

static void on_tick(uv_timer_t *t)
{
	struct host *h = t->data;

	node_tick(h->node, sys_now_ms());
}

static void on_second(uv_timer_t *t)
{
	struct host *h = t->data;

	h->role->second(h->ctx, sys_now_ms());
	notices_tick(&h->notices, sys_now_ms());
}

static void hang_up(struct host *h)
{
	if (h->hangup_due && !h->ended && h->role->hangup != NULL)
		h->role->hangup(h->ctx);
	h->hangup_due = false;
}

/*
 * A parent hands on what the child may have got as well, so that one signal becomes two: the second
 * must mean nothing, also at the very end, which uv_signal_t does not promise.
 */
static void on_signal(uv_poll_t *p, int status, int events)
{
	struct host *h = p->data;
	unsigned came = interrupt_take(h->interrupt);

	(void)status;
	(void)events;
	h->hangup_due = h->hangup_due || came & INTERRUPT_HANGUP;
	h->ended = h->ended || came & INTERRUPT_END;
	if (h->runs)
		hang_up(h);
	if (!(came & INTERRUPT_END))
		return;
	if (parent_is_gone(h->parent))
		log_error(h->log,
			"the parent process, n2n-parent with number %u, was killed; nobody waits "
			"for this one any more, so it ends",
			parent_number(h->parent));
	uv_stop(&h->loop);
}

/* A client of the control socket may leave early; the others mean nothing to us. */
static void ignore_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static void init_handles(struct host *h)
{
	(void)uv_timer_init(&h->loop, &h->tick);
	(void)uv_timer_init(&h->loop, &h->second);
	(void)uv_timer_init(&h->loop, &h->publish_later);
	(void)uv_prepare_init(&h->loop, &h->publish);
	h->tick.data = h->second.data = h->publish_later.data = h->publish.data = h;
	h->notes.data = h;
}

static int start_handles(struct host *h)
{
	int rc = uv_timer_start(&h->tick, on_tick, TICK_MS, TICK_MS);

	if (rc == 0)
		rc = uv_timer_start(&h->second, on_second, 0, SECOND_MS);
	if (rc == 0)
		rc = uv_prepare_start(&h->publish, on_publish);
	return rc;
}

/* From the beginning: what comes before it runs may take a while. */
static int watch_signals(struct host *h, struct os_error *err)
{
	int rc = interrupt_open(&h->interrupt, err);

	if (rc != 0)
		return rc;
	h->signals.data = h;
	if (uv_poll_init_socket(&h->loop, &h->signals, (uv_os_sock_t)h->interrupt.value) != 0 ||
		uv_poll_start(&h->signals, UV_READABLE, on_signal) != 0)
		return os_error_set(err, N2N_EIO,
			"cannot wait for signals; raise the limit of open files (ulimit -n)");
	return 0;
}

/* ---- life ---- */

static void note_parent(const struct host *h, struct state *st)
{
	state_note_parent(st, parent_number(h->parent));
	if (state_killed(st) != 0)
		log_warn(h->log,
			"process %u of an earlier run had lost its parent and did not end, so it "
			"was killed; what it had not saved is lost",
			state_killed(st));
}

int host_open_state(struct host *h, struct state **out, const char *dir, const char *instance,
	struct os_error *err)
{
	int rc = state_open(out, dir, instance, err);
	const struct os_error why = *err;
	char hint[OPTIONS_HINT_CAP];

	if (rc == N2N_EEXIST)
		return os_error_choose(err, rc, SETTING_INSTANCE,
			"%s; stop it, or choose another %s or state directory", why.text,
			h->choice);
	if (rc == 0)
		note_parent(h, *out);
	if (rc == 0 || rc == N2N_EINVAL)
		return rc;
	log_warn(h->log,
		"%s%s; nothing is kept for the next start, and n2n status cannot show \"%s\"",
		why.text, options_hint(hint, h->options, why.setting), instance);
	return 0;
}

int host_open_sockets(
	struct host *h, const struct endpoint *local, unsigned disabled, struct os_error *err)
{
	int rc = udp_open_by(&h->udp, h->parent, local, FEATURES_OF_UDP & ~disabled, err);

	if (rc == 0 && udp_batch_create(&h->batch, UDP_BATCH_SIZE) != 0)
		rc = os_error_set(err, N2N_ENOMEM, "no memory for the sockets; free some");
	return rc;
}

int host_open(struct host *h, const struct host_config *c, struct os_error *err)
{
	int rc;

	memset(h, 0, sizeof(*h));
	h->role = c->role;
	h->ctx = c->ctx;
	h->log = c->log;
	notices_init(&h->notices, c->log);
	h->options = c->options;
	h->choice = c->choice;
	h->parent = c->parent;
	h->started_ms = sys_now_ms();
	h->interrupt = os_handle_none();
	if (uv_loop_init(&h->loop) != 0)
		return os_error_set(err, N2N_ENOMEM,
			"cannot make an event loop; free memory or "
			"raise the limit of open files");
	h->has_loop = true;
	init_handles(h);
	ignore_signals();
	rc = watch_signals(h, err);
	if (rc != 0)
		return rc;
	if (uv_async_init(&h->loop, &h->notes, on_notes) != 0)
		return os_error_set(err, N2N_ENOMEM,
			"cannot make a wake-up descriptor; raise the "
			"limit of open files");
	rc = sys_random(&h->random, err);
	if (rc == 0 &&
		aead_library_open(&h->ciphers, sys_now_ns, c->disabled & FEATURE_IPSEC_MB) != 0)
		rc = os_error_set(err, N2N_ENOMEM, "no memory for the ciphers; free some");
	return rc;
}

int host_set_node(struct host *h, struct node *node, unsigned n_workers)
{
	const struct view *v;

	publication_init(&h->views, n_workers);
	h->node = node;
	v = node_view_changed(node);
	if (v == NULL)
		return N2N_ENOMEM;
	publication_show(&h->views, v);
	return 0;
}

struct api_server *host_listen(struct host *h, const char *state_dir, const char *instance,
	const struct api_command *commands, void *ctx)
{
	char path[STATE_SOCKET_MAX], hint[OPTIONS_HINT_CAP];
	struct api_server *api = NULL;
	struct os_error err;

	if (state_control_path(path, state_dir, instance, &err) != 0 ||
		api_server_create(&api, &h->loop, path, commands, ctx, &err) != 0)
		log_warn(h->log, "%s%s", err.text, options_hint(hint, h->options, err.setting));
	return api;
}

static int start_workers(struct host *h, struct os_error *err)
{
	for (unsigned i = 0; i < h->n_workers; i++)
		if (worker_start(h->workers[i]) != 0)
			return os_error_set(err, N2N_EAGAIN,
				"cannot start a thread; raise the limit of processes (ulimit -u)");
	return 0;
}

void host_linger(struct host *h)
{
	(void)uv_run(&h->loop, UV_RUN_ONCE);
}

int host_run(struct host *h, struct os_error *err)
{
	int rc = start_workers(h, err);

	if (rc == 0 && start_handles(h) != 0)
		rc = os_error_set(
			err, N2N_EIO, "cannot start timers; raise the limit of open files");
	h->runs = rc == 0;
	if (rc == 0)
		hang_up(h);
	if (rc == 0 && !h->ended)
		(void)uv_run(&h->loop, UV_RUN_DEFAULT);
	if (rc == 0 && !h->failed && h->role->leave != NULL)
		h->role->leave(h->ctx);
	for (unsigned i = 0; i < h->n_workers; i++)
		worker_stop(h->workers[i]);
	h->n_workers = 0;
	if (rc == 0)
		h->role->goodbye(h->ctx, sys_now_ms());
	if (rc == 0 && h->failed)
		rc = os_error_set(
			err, N2N_EIO, "the interface or a socket was taken away; start again");
	return rc;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

bool host_close(struct host *h)
{
	bool closed = true;

	if (h->has_loop) {
		uv_walk(&h->loop, close_handle, NULL);
		(void)uv_run(&h->loop, UV_RUN_NOWAIT);
		closed = uv_loop_close(&h->loop) == 0;
	}
	publication_fini(&h->views);
	udp_batch_destroy(h->batch);
	udp_close(h->udp);
	stream_close(h->interrupt);
	return closed;
}

void host_fini(struct host *h)
{
	aead_library_close(h->ciphers);
}

/* ---- for the control socket ---- */

json_t *host_notices(const struct host *h)
{
	return notices_report(&h->notices, sys_now_ms());
}

uint64_t host_drops(const struct host *h, enum drop why)
{
	uint64_t n = drops_get(&h->node->core.drops, why);

	for (unsigned k = 0; k < h->n_workers; k++)
		n += drops_get(h->workers[k]->drops, why);
	for (unsigned k = 0; why == DROP_RECEIVE_QUEUE && k < h->n_workers; k++)
		n += udp_lost(h->workers[k]->c.udp);
	return n;
}

void host_report_drops(const struct host *h, json_t *result)
{
	json_t *drops = json_object(), *texts = json_object();

	for (unsigned i = 0; i < DROP_COUNT; i++) {
		uint64_t n = host_drops(h, i);

		if (n == 0)
			continue;
		json_object_set_new(drops, drop_name(i), json_integer((json_int_t)n));
		json_object_set_new(texts, drop_name(i), json_string(drop_text(i)));
	}
	json_object_set_new(result, "drops", drops);
	json_object_set_new(result, "drop_texts", texts);
}

static json_t *offloads(const struct host *h, unsigned in_use)
{
	json_t *names = json_array();
	unsigned udp = FEATURES_OF_UDP;

	for (unsigned i = 0; i < h->n_workers; i++)
		udp &= udp_uses(h->workers[i]->c.udp);
	in_use |= udp;
	for (unsigned f = 1; f < FEATURE_END; f <<= 1)
		if (in_use & f)
			json_array_append_new(names, json_string(feature_name(f)));
	return names;
}

static const char *provider_name(const struct host *h, enum aead_suite suite)
{
	return aead_provider_name(aead_library_choice(h->ciphers, suite));
}

json_t *host_describe(const struct host *h, const char *role, const char *instance, unsigned tap)
{
	unsigned parent = parent_number(h->parent);
	json_t *ports = json_object(), *node;

	for (unsigned i = 0; i < UDP_FAMILIES; i++)
		if (udp_port(h->udp, i) != 0)
			json_object_set_new(ports, i == UDP_V4 ? "ipv4" : "ipv6",
				json_integer(udp_port(h->udp, i)));
	node = json_pack("{s:s, s:s, s:s, s:I, s:o, s:i, s:o, s:{s:s, s:s}}", "role", role,
		"version", N2N_VERSION, "instance", instance, "uptime_s",
		(json_int_t)((sys_now_ms() - h->started_ms) / 1000), "udp_ports", ports, "workers",
		(int)h->n_workers, "offloads", offloads(h, tap), "cipher_providers",
		aead_suite_name(AEAD_AES256GCM), provider_name(h, AEAD_AES256GCM),
		aead_suite_name(AEAD_CHACHA20POLY1305), provider_name(h, AEAD_CHACHA20POLY1305));
	json_object_set_new(node, "process", json_integer(uv_os_getpid()));
	json_object_set_new(
		node, "notices_unlisted", json_integer((json_int_t)h->notices.unlisted));
	json_object_set_new(
		node, "parent", parent != 0 ? json_integer((json_int_t)parent) : json_null());
	return node;
}

void host_not_kept(struct host *h, int rc, const struct os_error *err)
{
	char hint[OPTIONS_HINT_CAP];

	if (rc == 0)
		return;
	if (!h->keep_warned)
		log_warn(h->log, "%s%s; what is learnt will be lost at the next start", err->text,
			options_hint(hint, h->options, err->setting));
	else
		log_debug(h->log, "%s", err->text);
	h->keep_warned = true;
}
