/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is underlay, for a running edge: os/underlay.h looks and decides, and here it is asked when
 * interfaces or routes change, and its word carried to the core, the workers and the user.
 */
#include <inttypes.h>
#include <string.h>

#include "host/edge/edge_host_state.h"
#include "os/sys.h"

#define LOOK_ANYWAY_MS 60000u
#define MTU_USUAL      1500u  /* beyond the first link nobody knows of more */
#define TOO_LARGE_S    3      /* so long in a row looking again did not help */
#define TOO_LARGE_MS   60000u /* since the last one it is over */
#define IP4_UDP_LEN    28u
#define IP6_UDP_LEN    48u
#define LOOK_AGAIN_S   10 /* while datagrams are refused */
#define LOOKS_PER_S    1  /* sustained: a router's table may change many times a second */
#define LOOKS_BURST    5  /* of one change that comes in parts */

bool edge_underlay_is_outside(void *ctx, const struct endpoint *to)
{
	const struct host *host = ctx;
	const struct edge_host *h = host->ctx;

	return h->underlay == NULL || underlay_way(h->underlay, to) == UNDERLAY_OUTSIDE;
}

uint16_t edge_underlay_limit(void *ctx, const struct endpoint *to)
{
	const struct host *host = ctx;
	const struct edge_host *h = host->ctx;
	const unsigned headers = endpoint_is_v4(to) ? IP4_UDP_LEN : IP6_UDP_LEN;
	unsigned mtu = h->underlay != NULL ? underlay_mtu(h->underlay, to) : 0;

	if (mtu == 0 || mtu > MTU_USUAL)
		mtu = MTU_USUAL;
	return (uint16_t)(mtu > headers ? mtu - headers : 0);
}

/* ---- what was seen ---- */

static void say_full(struct edge_host *h)
{
	if (!h->overlays_full)
		log_warn(h->host.log,
			"more than %u interfaces of this host lead into n2n networks; what comes "
			"by the others is not dropped, so that one network may be sent through "
			"another. Make fewer VLANs and the like upon them",
			OVERLAYS_MAX);
	h->overlays_full = true;
}

static void tell_workers(struct edge_host *h)
{
	const struct underlay_host *seen = underlay_seen(h->underlay);
	unsigned link[OVERLAYS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < seen->n_links; i++) {
		if (seen->link[i].side == UNDERLAY_OUTSIDE)
			continue;
		if (n == OVERLAYS_MAX) {
			say_full(h);
			break;
		}
		link[n++] = seen->link[i].index;
	}
	overlays_set(&h->overlays, link, n);
}

static void tell_addresses(struct edge_host *h, uint64_t now_ms)
{
	uint16_t v4 = udp_port(h->host.udp, UDP_V4), v6 = udp_port(h->host.udp, UDP_V6);
	const struct underlay_socket socket = {.v4 = v4 != 0,
		.v6 = v6 != 0,
		.only = h->conf->local,
		.link = underlay_exit(h->underlay)};
	struct endpoint list[LOCAL_ADDRESSES_MAX];
	size_t n = underlay_rank(underlay_seen(h->underlay), &socket, list, LOCAL_ADDRESSES_MAX);

	for (size_t i = 0; i < n; i++)
		list[i].port = endpoint_is_v4(&list[i]) ? v4 : v6;
	edge_local_addresses(h->edge, list, n, now_ms);
}

/* It is told before the first datagram goes that way; those come back and are dropped. */
static void check_places(
	struct edge_host *h, const struct endpoint *places, size_t n, uint64_t now_ms)
{
	for (size_t i = 0; i < n; i++)
		if (underlay_way(h->underlay, &places[i]) == UNDERLAY_OURS)
			edge_led_in(h->edge, &places[i], now_ms);
}

/* changed: interfaces or routes may have. Else nothing that holds is called in question by it. */
static void look(struct edge_host *h, bool changed, uint64_t now_ms)
{
	const char *own[COMMUNITIES_MAX];
	size_t n_own = 0, n;

	h->looked_ms = now_ms;
	edge_exit_look(h, now_ms);
	edge_own_look(h, now_ms);
	if (h->underlay == NULL)
		return;
	underlay_leave_by(h->underlay, h->conf->underlay, h->conf->fwmark);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (h->member[i].conf != NULL && h->member[i].ns == NULL)
			own[n_own++] = tap_name(h->member[i].tap[0]);
	memset(h->places, 0, sizeof(h->places));
	n = edge_supernode_places(h->edge, h->places, COMMUNITIES_MAX);
	if (underlay_look(h->underlay, own, n_own, h->places, n) != 0) {
		h->change_due = true;
		return;
	}
	tell_workers(h);
	edge_bridge_look(h, now_ms);
	tell_addresses(h, now_ms);
	if (changed)
		edge_rerouted(h->edge, now_ms);
	check_places(h, h->places, n, now_ms);
}

void edge_underlay_look(struct edge_host *h, uint64_t now_ms)
{
	look(h, true, now_ms);
}

/* ---- when ---- */

static void take_change(struct edge_host *h, uint64_t now_ms)
{
	h->change_due = false;
	resolver_changed(h->resolver);
	edge_underlay_look(h, now_ms);
	edge_interfaces_changed(h, now_ms);
}

/* Too often, and nobody listens until the next second: the kernel forgets what was news by then. */
static void on_netif(uv_poll_t *p, int status, int events)
{
	struct edge_host *h = p->data;
	uint64_t now_ms = sys_now_ms();

	(void)status;
	(void)events;
	if (!netif_watch_drain(h->watch))
		return;
	if (bucket_take(&h->looks, now_ms, LOOKS_PER_S, LOOKS_BURST)) {
		take_change(h, now_ms);
		return;
	}
	h->change_due = true;
	(void)uv_poll_stop(p);
}

static void say_too_large(struct edge_host *h, uint64_t n, uint64_t now_ms)
{
	const bool holds = h->too_large_s >= TOO_LARGE_S ||
			   (h->too_large_told && now_ms < h->too_large_ms + TOO_LARGE_MS);

	h->too_large_told = holds;
	notices_set(&h->host.notices, now_ms, holds, "underlay-mtu", "",
		"%" PRIu64 " datagrams were lost since they are larger than the interface takes "
		"that they leave by, even with half a frame in each; give that one a larger MTU, "
		"or a smaller one to the interface of this network",
		n);
}

/* The system refused datagrams as too large: what it takes is not what was seen, or too little. */
static void look_at_refused(struct edge_host *h, uint64_t now_ms)
{
	uint64_t n = host_drops(&h->host, DROP_UNDERLAY_MTU);

	if (n == h->too_large) {
		h->too_large_s = 0;
	} else {
		h->too_large = n;
		h->too_large_ms = now_ms;
		if (h->too_large_s++ % LOOK_AGAIN_S == 0) {
			look(h, false, now_ms);
			edge_measure(h->edge, now_ms);
		}
	}
	say_too_large(h, n, now_ms);
}

void edge_underlay_second(struct edge_host *h, uint64_t now_ms)
{
	struct endpoint places[COMMUNITIES_MAX] = {{.port = 0}};

	look_at_refused(h, now_ms);

	(void)edge_supernode_places(h->edge, places, COMMUNITIES_MAX);
	if (h->change_due) {
		/* It counts, or the next notice would have the host looked at again at once. */
		(void)bucket_take(&h->looks, now_ms, LOOKS_PER_S, LOOKS_BURST);
		take_change(h, now_ms);
	} else if (now_ms >= h->looked_ms + LOOK_ANYWAY_MS ||
		   memcmp(places, h->places, sizeof(places)) != 0) {
		look(h, h->watch == NULL, now_ms); /* what changes is watched */
	}
	if (h->watch != NULL && !uv_is_active((uv_handle_t *)&h->watch_poll))
		(void)uv_poll_start(&h->watch_poll, UV_READABLE, on_netif);
}

void edge_underlay_open(struct edge_host *h)
{
	struct os_error err;

	if (underlay_open(&h->underlay, &err) != 0)
		log_warn(h->host.log, "%s", err.text);
	if (netif_watch_open(NULL, &h->watch, &err) != 0) {
		log_warn(h->host.log, "%s", err.text);
		return;
	}
	(void)uv_poll_init_socket(
		&h->host.loop, &h->watch_poll, (uv_os_sock_t)netif_watch_handle(h->watch).value);
	h->watch_poll.data = h;
	(void)uv_poll_start(&h->watch_poll, UV_READABLE, on_netif);
}

void edge_underlay_close(struct edge_host *h)
{
	netif_watch_close(h->watch);
	underlay_close(h->underlay);
}
