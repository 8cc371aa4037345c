/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what an edge does and says of addresses that its interfaces get while it runs. */
#include <string.h>

#include "host/edge/edge_host_state.h"
#include "os/sys.h"

#define LASTS_MS 10000u /* a client that runs for so long is none that ends at once */
#define LEAVE_MS 3000u

int edge_dhcp_start(struct edge_host *h, unsigned community, struct os_error *err)
{
	const struct membership *m = &h->member[community];

	if (!m->conf->dhcp)
		return 0;
	return dhcp_open(&h->dhcp[community].client, h->host.parent,
		m->ns != NULL ? m->ns->name : NULL, m->conf->device, err);
}

void edge_dhcp_change(struct edge_host *h, unsigned community, uint64_t now_ms)
{
	const struct community_conf *conf = h->member[community].conf;
	struct edge_dhcp *d = &h->dhcp[community];
	struct os_error err;
	char hint[OPTIONS_HINT_CAP];

	/* The members know what was chosen, by now. */
	d->has_told = false;
	if (!conf->dhcp) {
		dhcp_close(d->client);
		d->client = NULL;
		(void)notices_clear(&h->host.notices, "dhcp-client", conf->device);
	} else if (d->client == NULL && edge_dhcp_start(h, community, &err) != 0) {
		notices_raise(&h->host.notices, now_ms, "dhcp-client", conf->device, "%s%s",
			err.text, options_hint(hint, h->host.options, err.setting));
	}
}

/* ---- the client ---- */

static void tell(struct edge_host *h, unsigned community, uint64_t now_ms)
{
	const char *device = h->member[community].conf->device;
	struct edge_dhcp *d = &h->dhcp[community];

	d->since_ms = now_ms;
	if (d->last.runs) {
		log_info(h->host.log, "%s asks for an address of %s", d->last.client, device);
		return;
	}
	d->ends++;
	notices_raise(&h->host.notices, now_ms, "dhcp-client", device,
		"%s, the DHCP client of %s, ended with status %d and is started again after %u s; "
		"if that goes on, run it by hand to see why",
		d->last.client, device, d->last.status, (d->last.again_ms + 999) / 1000);
}

static void hear(struct edge_host *h, unsigned community, uint64_t now_ms)
{
	struct edge_dhcp *d = &h->dhcp[community];

	while (d->client != NULL && dhcp_read(d->client, &d->last))
		tell(h, community, now_ms);
}

void edge_dhcp_tick(struct edge_host *h, uint64_t now_ms)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		struct edge_dhcp *d = &h->dhcp[i];

		if (d->client == NULL)
			continue;
		hear(h, i, now_ms);
		if (d->last.runs && now_ms >= d->since_ms + LASTS_MS)
			(void)notices_clear(
				&h->host.notices, "dhcp-client", h->member[i].conf->device);
	}
}

/* The frames that release a lease may have to wait for keys. */
void edge_dhcp_end(struct edge_host *h)
{
	uint64_t until_ms = sys_now_ms() + LEAVE_MS;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		edge_dhcp_release(h, i);
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		struct edge_dhcp *d = &h->dhcp[i];

		while (d->client != NULL && !dhcp_has_ended(d->client) && sys_now_ms() < until_ms)
			host_linger(&h->host);
		dhcp_close(d->client);
		d->client = NULL;
	}
}

void edge_dhcp_release(struct edge_host *h, unsigned community)
{
	h->dhcp[community].ending = true;
	dhcp_end(h->dhcp[community].client);
}

bool edge_dhcp_has_released(const struct edge_host *h, unsigned community)
{
	const struct edge_dhcp *d = &h->dhcp[community];

	return d->client == NULL || dhcp_has_ended(d->client);
}

void edge_dhcp_leave(struct edge_host *h, unsigned community)
{
	struct edge_dhcp *d = &h->dhcp[community];

	dhcp_close(d->client);
	*d = (struct edge_dhcp){.client = NULL};
}

/* IPv4 is what the client asks for. */
static bool waits(const struct edge_host *h, unsigned community)
{
	const struct edge_dhcp *d = &h->dhcp[community];

	for (size_t i = h->member[community].conf->address_count; i < d->n_told; i++) {
		struct endpoint ip = {.port = 0};

		memcpy(ip.ip, d->told[i].ip, sizeof(ip.ip));
		if (endpoint_is_v4(&ip))
			return false;
	}
	return true;
}

json_t *edge_dhcp_report(const struct edge_host *h, unsigned community)
{
	const struct edge_dhcp *d = &h->dhcp[community];

	if (d->client == NULL)
		return json_null();
	return json_pack("{s:s, s:b, s:I, s:b}", "client", d->last.client, "running", d->last.runs,
		"ends", (json_int_t)d->ends, "waiting", waits(h, community));
}

/* ---- addresses ---- */

static void add(struct claim_address list[CLAIM_ADDRESSES_MAX], uint8_t *n,
	const struct endpoint *ip, unsigned prefix)
{
	for (unsigned i = 0; i < *n; i++)
		if (memcmp(list[i].ip, ip->ip, sizeof(list[i].ip)) == 0)
			return;
	if (*n == CLAIM_ADDRESSES_MAX)
		return;
	memcpy(list[*n].ip, ip->ip, sizeof(list[*n].ip));
	list[(*n)++].prefix = (uint8_t)prefix;
}

/* Those that were chosen, and those that it has got; of IPv6 only what reaches beyond the link. */
static uint8_t list_addresses(struct claim_address list[CLAIM_ADDRESSES_MAX],
	const struct membership *m, const struct netif_state *s)
{
	uint8_t n = 0;

	memset(list, 0, CLAIM_ADDRESSES_MAX * sizeof(*list));
	for (size_t i = 0; i < m->conf->address_count; i++)
		add(list, &n, &m->conf->addresses[i].ip, m->conf->addresses[i].prefix);
	for (size_t i = 0; i < s->n_addresses; i++) {
		const struct netif_address *a = &s->address[i];

		if (a->index == m->watched.index && !endpoint_is_link_local(&a->ip))
			add(list, &n, &a->ip, a->prefix);
	}
	return n;
}

static bool had(const struct edge_dhcp *d, const struct claim_address *a)
{
	for (unsigned i = 0; i < d->n_told; i++)
		if (memcmp(&d->told[i], a, sizeof(*a)) == 0)
			return true;
	return false;
}

static void say(struct edge_host *h, const struct membership *m,
	const struct claim_address list[CLAIM_ADDRESSES_MAX], uint8_t n)
{
	const struct edge_dhcp *d = &h->dhcp[m->index];
	char text[ENDPOINT_TEXT_MAX];

	for (unsigned i = (unsigned)m->conf->address_count; i < n; i++) {
		struct endpoint ip = {.port = 0};

		memcpy(ip.ip, list[i].ip, sizeof(ip.ip));
		if (!had(d, &list[i]))
			log_info(h->host.log, "%s got the address %s/%u; the members are told",
				m->watched.name, endpoint_format_ip(&ip, text), list[i].prefix);
	}
	if (n < d->n_told && !d->ending)
		log_info(h->host.log,
			"%s has lost an address that it had got; the members are told",
			m->watched.name);
}

void edge_dhcp_look(
	struct edge_host *h, unsigned community, const struct netif_state *s, uint64_t now_ms)
{
	const struct membership *m = &h->member[community];
	struct claim_address list[CLAIM_ADDRESSES_MAX];
	struct edge_dhcp *d = &h->dhcp[community];
	uint8_t n;

	if (!m->conf->dhcp && !m->conf->accept_ra)
		return;
	hear(h, community, now_ms);
	n = list_addresses(list, m, s);
	if (!d->has_told)
		d->n_told = (uint8_t)m->conf->address_count;
	if (d->has_told ? n == d->n_told && memcmp(list, d->told, sizeof(list)) == 0
			: n == m->conf->address_count)
		return;
	if (edge_set_addresses(h->edge, community, list, n, now_ms) != 0) {
		h->watch_due = true;
		return;
	}
	say(h, m, list, n);
	memcpy(d->told, list, sizeof(list));
	d->n_told = n;
	d->has_told = true;
}
