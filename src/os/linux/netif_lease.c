/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns addresses for a time on Linux: the system itself takes them away when that is over. */
#include "os/linux/netif_lease.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_LEN 16384 /* bytes; a part of a dump */
#define LEASES_MAX 16

struct lease {
	uint32_t ip; /* as on the wire */
	uint8_t prefix;
};

/* Those of one interface. */
struct leases {
	unsigned index;
	size_t n;
	struct lease at[LEASES_MAX];
};

/* Sends a request and takes the answers; 0 or an errno. */
static int run(struct nlmsghdr *h, char *buffer, mnl_cb_t take, void *ctx)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int state = MNL_CB_ERROR;

	if (nl == NULL)
		return errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
		mnl_socket_sendto(nl, h, h->nlmsg_len) >= 0)
		state = MNL_CB_OK;
	while (state > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(nl, buffer, BUFFER_LEN);

		state = len < 0 ? MNL_CB_ERROR
				: mnl_cb_run(buffer, (size_t)len, 0, mnl_socket_get_portid(nl),
					  take, ctx);
	}
	state = state == MNL_CB_ERROR ? errno : 0;
	mnl_socket_close(nl);
	return state;
}

static struct nlmsghdr *begin(
	char *buffer, uint16_t type, unsigned flags, unsigned index, const struct lease *l)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *m;

	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->ifa_family = AF_INET;
	m->ifa_index = index;
	if (l == NULL)
		return h;
	m->ifa_prefixlen = l->prefix;
	mnl_attr_put_u32(h, IFA_LOCAL, l->ip);
	mnl_attr_put_u32(h, IFA_ADDRESS, l->ip);
	return h;
}

static uint32_t number_of(const struct endpoint *ip)
{
	uint32_t n;

	memcpy(&n, ip->ip + 12, sizeof(n));
	return n;
}

int netif_lease(const char *name, const struct endpoint *ip, unsigned prefix, uint32_t seconds)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER_LEN];
	const struct lease l = {number_of(ip), (uint8_t)prefix};
	struct ifa_cacheinfo times = {.ifa_prefered = seconds, .ifa_valid = seconds};
	unsigned index = if_nametoindex(name);
	struct nlmsghdr *h;
	int error;

	if (index == 0)
		return ENODEV;
	h = begin(buffer, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, index, &l);
	if (prefix < 31)
		mnl_attr_put_u32(
			h, IFA_BROADCAST, l.ip | htonl((uint32_t)(UINT64_C(0xffffffff) >> prefix)));
	mnl_attr_put(h, IFA_CACHEINFO, sizeof(times), &times);
	error = run(h, buffer, NULL, NULL);
	return error != 0 ? error : netif_lease_end(name, ip);
}

static int take_attribute(const struct nlattr *attr, void *ctx)
{
	struct lease *l = ctx;

	if (mnl_attr_get_type(attr) == IFA_LOCAL && mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
		l->ip = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int take_address(const struct nlmsghdr *answer, void *ctx)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(answer);
	struct leases *all = ctx;
	struct lease *l = &all->at[all->n];

	if (answer->nlmsg_type != RTM_NEWADDR || m->ifa_family != AF_INET ||
		m->ifa_index != all->index || (m->ifa_flags & IFA_F_PERMANENT) != 0 ||
		all->n == LEASES_MAX)
		return MNL_CB_OK;
	*l = (struct lease){.prefix = m->ifa_prefixlen};
	(void)mnl_attr_parse(answer, sizeof(*m), take_attribute, l);
	if (l->ip != 0)
		all->n++;
	return MNL_CB_OK;
}

/* 0 or an errno. */
static int find(struct leases *all, const char *name, char buffer[BUFFER_LEN])
{
	*all = (struct leases){.index = if_nametoindex(name)};
	if (all->index == 0)
		return ENODEV;
	return run(begin(buffer, RTM_GETADDR, NLM_F_DUMP, 0, NULL), buffer, take_address, all);
}

bool netif_is_leased(const char *name)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER_LEN];
	struct leases all;

	return find(&all, name, buffer) == 0 && all.n > 0;
}

int netif_lease_end(const char *name, const struct endpoint *but)
{
	_Alignas(struct nlmsghdr) char buffer[BUFFER_LEN];
	struct leases all;
	int error = find(&all, name, buffer);

	for (size_t i = 0; error == 0 && i < all.n; i++)
		if (but == NULL || all.at[i].ip != number_of(but))
			error = run(begin(buffer, RTM_DELADDR, NLM_F_ACK, all.index, &all.at[i]),
				buffer, NULL, NULL);
	return error;
}
