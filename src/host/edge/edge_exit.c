/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By which interface what we send leaves, if the user named one, and what if that goes away. */
#include "host/edge/edge_host_state.h"

#define CODE "underlay-device"

int edge_exit_set(struct edge_host *h, struct os_error *err)
{
	const struct udp_exit by = {.device = h->conf->underlay, .mark = h->conf->fwmark};
	int rc = udp_leave_by(h->host.udp, &by, err);

	for (unsigned i = 1; rc == 0 && i < h->n_workers; i++)
		rc = udp_leave_by(h->joined[i], &by, err);
	return rc;
}

void edge_exit_look(struct edge_host *h, uint64_t now_ms)
{
	const char *device = h->conf->underlay;
	struct os_error err;

	if (device == NULL)
		return;
	if (edge_exit_set(h, &err) == 0)
		(void)notices_clear(&h->host.notices, CODE, device);
	else
		notices_raise(&h->host.notices, now_ms, CODE, device,
			"%s; nothing is sent until it is there", err.text);
}
