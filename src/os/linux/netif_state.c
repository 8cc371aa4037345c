/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the picture of the interfaces on Linux: two dumps by rtnetlink. */
#define _GNU_SOURCE
#include "os/netif_state.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "os/linux/netif_inside.h"
#include "os/netif.h"

#define BUFFER_LEN 32768 /* bytes; one interface takes up to 2 KB, more with many functions */
#define GROW	   16

/* ---- one interface ---- */

static int take_link_info(const struct nlattr *attr, void *ctx)
{
	struct netif_link *l = ctx;

	/* What takes the frames before the stack sees them is no VRF. */
	if (mnl_attr_get_type(attr) == IFLA_INFO_SLAVE_KIND &&
		strcmp(mnl_attr_get_str(attr), "vrf") == 0) {
		l->vrf = l->master;
		l->master = 0;
	}
	return MNL_CB_OK;
}

static void take_bytes(const struct nlattr *attr, void *out, size_t len)
{
	if (mnl_attr_get_payload_len(attr) == len)
		memcpy(out, mnl_attr_get_payload(attr), len);
}

static int take_link_attribute(const struct nlattr *attr, void *ctx)
{
	struct netif_link *l = ctx;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		strncpy(l->name, mnl_attr_get_str(attr), sizeof(l->name) - 1);
		break;
	case IFLA_IFALIAS:
		l->marked = netif_is_mark(mnl_attr_get_str(attr));
		break;
	case IFLA_ADDRESS:
		take_bytes(attr, l->mac.b, sizeof(l->mac.b));
		break;
	case IFLA_MTU:
		take_bytes(attr, &l->mtu, sizeof(l->mtu));
		break;
	case IFLA_LINK:
		take_bytes(attr, &l->below, sizeof(l->below));
		break;
	case IFLA_MASTER:
		take_bytes(attr, &l->master, sizeof(l->master));
		break;
	}
	return MNL_CB_OK;
}

/* Later than the others, whatever their order: they say what these mean. */
static int take_link_relation(const struct nlattr *attr, void *ctx)
{
	struct netif_link *l = ctx;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, take_link_info, l);
	case IFLA_LINK_NETNSID: /* what it was made upon is in another namespace */
		l->below = 0;
		break;
	}
	return MNL_CB_OK;
}

/* ---- dumps ---- */

/* Makes room for one more; NULL when memory is short. */
static void *grow(void *list, size_t n, size_t size)
{
	return n % GROW == 0 ? realloc(list, (n + GROW) * size) : list;
}

static int take_link(const struct nlmsghdr *answer, void *ctx)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(answer);
	struct netif_state *s = ctx;
	struct netif_link *l, *grown;

	if (answer->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	grown = grow(s->link, s->n_links, sizeof(*l));
	if (grown == NULL) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	s->link = grown;
	l = &s->link[s->n_links++];
	*l = (struct netif_link){
		.index = (unsigned)m->ifi_index, .up = (m->ifi_flags & IFF_UP) != 0};
	if (mnl_attr_parse(answer, sizeof(*m), take_link_attribute, l) == MNL_CB_ERROR)
		return MNL_CB_ERROR;
	return mnl_attr_parse(answer, sizeof(*m), take_link_relation, l);
}

struct pair {
	const struct nlattr *local, *address;
};

static int take_address_attribute(const struct nlattr *attr, void *ctx)
{
	struct pair *p = ctx;

	if (mnl_attr_get_type(attr) == IFA_LOCAL)
		p->local = attr;
	if (mnl_attr_get_type(attr) == IFA_ADDRESS)
		p->address = attr;
	return MNL_CB_OK;
}

static bool address_of(struct endpoint *e, int family, const struct nlattr *attr)
{
	size_t len = mnl_attr_get_payload_len(attr);
	uint32_t v4;

	*e = (struct endpoint){.port = 0};
	if (family == AF_INET && len == sizeof(v4)) {
		memcpy(&v4, mnl_attr_get_payload(attr), len);
		*e = endpoint_v4(ntohl(v4), 0);
		return true;
	}
	if (family != AF_INET6 || len != sizeof(e->ip))
		return false;
	memcpy(e->ip, mnl_attr_get_payload(attr), len);
	return true;
}

static int take_address(const struct nlmsghdr *answer, void *ctx)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(answer);
	struct netif_address *grown, a = {.index = m->ifa_index, .prefix = m->ifa_prefixlen};
	struct netif_state *s = ctx;
	struct pair p = {NULL, NULL};

	if (answer->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	if (mnl_attr_parse(answer, sizeof(*m), take_address_attribute, &p) == MNL_CB_ERROR)
		return MNL_CB_ERROR;
	/* With both this is the host's own, and the other one that of the far end. */
	if (p.local == NULL)
		p.local = p.address;
	if (p.local == NULL || !address_of(&a.ip, m->ifa_family, p.local))
		return MNL_CB_OK;
	grown = grow(s->address, s->n_addresses, sizeof(a));
	if (grown == NULL) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	s->address = grown;
	s->address[s->n_addresses++] = a;
	return MNL_CB_OK;
}

static bool ask(struct mnl_socket *nl, char *buffer, uint16_t type, size_t header_len)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	memset(mnl_nlmsg_put_extra_header(h, header_len), 0, header_len); /* of every family */
	return mnl_socket_sendto(nl, h, h->nlmsg_len) >= 0;
}

/* 0 or an errno. */
static int dump(struct mnl_socket *nl, char *buffer, uint16_t type, size_t header_len,
	mnl_cb_t take, struct netif_state *out)
{
	int state = ask(nl, buffer, type, header_len) ? MNL_CB_OK : MNL_CB_ERROR;

	while (state > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(nl, buffer, BUFFER_LEN);

		state = len < 0 ? MNL_CB_ERROR
				: mnl_cb_run(buffer, (size_t)len, 0, mnl_socket_get_portid(nl),
					  take, out);
	}
	return state == MNL_CB_ERROR ? errno : 0;
}

static int read_all(struct mnl_socket *nl, char *buffer, struct netif_state *out)
{
	int error = 0;

	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) != 0)
		return errno;
	error = dump(nl, buffer, RTM_GETLINK, sizeof(struct ifinfomsg), take_link, out);
	if (error == 0)
		error = dump(nl, buffer, RTM_GETADDR, sizeof(struct ifaddrmsg), take_address, out);
	return error;
}

int netif_state_read(const struct netns *ns, struct netif_state *out)
{
	struct mnl_socket *nl = netif_socket(ns, 0);
	char *buffer;
	int error;

	*out = (struct netif_state){.link = NULL};
	if (nl == NULL)
		return os_errno(errno);
	buffer = malloc(BUFFER_LEN);
	error = buffer != NULL ? read_all(nl, buffer, out) : ENOMEM;
	free(buffer);
	mnl_socket_close(nl);
	/* So libmnl says that a dump was interrupted by a change. */
	return error == EINTR ? N2N_EAGAIN : error != 0 ? os_errno(error) : 0;
}

void netif_state_free(struct netif_state *s)
{
	free(s->link);
	free(s->address);
	*s = (struct netif_state){.link = NULL};
}

const struct netif_link *netif_state_link(const struct netif_state *s, unsigned index)
{
	for (size_t i = 0; i < s->n_links; i++)
		if (s->link[i].index == index)
			return &s->link[i];
	return NULL;
}
