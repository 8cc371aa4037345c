/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child's side of a DHCP client: asks the parent for one, and hears what became of it. */
#include "os/dhcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/parent_inside.h"

struct dhcp {
	int words;
};

int dhcp_open(struct dhcp **out, struct parent *parent, const char *netns, const char *interface,
	struct os_error *err)
{
	struct parent_request r = {.kind = REQUEST_DHCP};
	struct parent_answer a;
	struct dhcp *d;

	snprintf(r.interface.name, sizeof(r.interface.name), "%s", interface);
	if (netns != NULL)
		snprintf(r.interface.netns, sizeof(r.interface.netns), "%s", netns);
	if (parent == NULL)
		return os_error_choose(err, N2N_EPERM, SETTING_ADDRESS,
			"a DHCP client takes more rights than this program was started with; start "
			"it as root, or start a client for interface \"%.15s\" yourself and leave "
			"this to it",
			interface);
	d = malloc(sizeof(*d));
	if (d == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for a DHCP client; free some");
	d->words = parent_ask(parent, &r, &a);
	if (d->words < 0) {
		free(d);
		*err = a.why;
		return a.why.code;
	}
	*out = d;
	return 0;
}

bool dhcp_read(struct dhcp *d, struct dhcp_news *news)
{
	if (recv(d->words, news, sizeof(*news), MSG_DONTWAIT) != sizeof(*news))
		return false;
	news->client[sizeof(news->client) - 1] = 0;
	return true;
}

void dhcp_end(struct dhcp *d)
{
	if (d != NULL)
		(void)!send(d->words, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The parent closes its end when the client has ended. */
bool dhcp_has_ended(struct dhcp *d)
{
	struct dhcp_news news;
	ssize_t got = recv(d->words, &news, sizeof(news), MSG_DONTWAIT);

	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void dhcp_close(struct dhcp *d)
{
	if (d == NULL)
		return;
	close(d->words);
	free(d);
}
