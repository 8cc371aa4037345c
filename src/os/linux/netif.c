/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the interfaces of the host on Linux: rtnetlink, each request on a socket of its own. */
#define _GNU_SOURCE
#include "os/netif.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/linux/netif_inside.h"
#include "os/linux/netns_inside.h"
#include "os/netif_state.h"

#define BUFFER_LEN 8192 /* bytes; more than any message here */
#define ALIAS_CAP  256	/* the kernel's limit, with the 0 at the end */
#define MARK	   "[n2n]"
#define WATCHED                                                                                    \
	(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |               \
		RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE | 1u << (RTNLGRP_IPV6_RULE - 1))
#define NOTICES_MAX 64 /* taken at a time */

struct request {
	_Alignas(struct nlmsghdr) char buf[BUFFER_LEN];
	struct nlmsghdr *header;
	const struct netns *ns;
};

static void request_init(struct request *r, const struct netns *ns, uint16_t type, unsigned flags)
{
	r->ns = ns;
	r->header = mnl_nlmsg_put_header(r->buf);
	r->header->nlmsg_type = type;
	r->header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
}

struct mnl_socket *netif_socket(const struct netns *ns, int flags)
{
	struct mnl_socket *nl = NULL;
	int fd;

	if (ns == NULL)
		return mnl_socket_open2(NETLINK_ROUTE, flags | SOCK_CLOEXEC);
	fd = netns_netlink(ns);
	if (fd >= 0 && (!(flags & SOCK_NONBLOCK) || fcntl(fd, F_SETFL, O_NONBLOCK) == 0))
		nl = mnl_socket_fdopen(fd);
	if (nl == NULL && fd >= 0)
		close(fd);
	return nl;
}

unsigned netif_index(const struct netns *ns, const char *name)
{
	struct ifreq r = {.ifr_ifindex = 0};
	int fd, rc;

	if (ns == NULL)
		return if_nametoindex(name);
	fd = netns_netlink(ns);
	if (fd < 0)
		return 0;
	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	rc = ioctl(fd, SIOCGIFINDEX, &r);
	close(fd);
	return rc == 0 ? (unsigned)r.ifr_ifindex : 0;
}

/* Starts a request of the given type about an interface; NULL when there is none of the name. */
static struct ifinfomsg *link_request_init(
	struct request *r, const struct netns *ns, uint16_t type, const char *name)
{
	unsigned index = netif_index(ns, name);
	struct ifinfomsg *link;

	if (index == 0)
		return NULL;
	request_init(r, ns, type, 0);
	link = mnl_nlmsg_put_extra_header(r->header, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = (int)index;
	return link;
}

/* Sends r and passes the answers to on_answer until the kernel has acknowledged; 0 or an errno. */
static int request_run(struct request *r, mnl_cb_t on_answer, void *ctx)
{
	struct mnl_socket *nl = netif_socket(r->ns, 0);
	int state = MNL_CB_ERROR;

	if (nl == NULL)
		return errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
		mnl_socket_sendto(nl, r->header, r->header->nlmsg_len) >= 0)
		state = MNL_CB_OK;
	while (state > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(nl, r->buf, sizeof(r->buf));

		state = len < 0 ? MNL_CB_ERROR
				: mnl_cb_run(r->buf, (size_t)len, 0, mnl_socket_get_portid(nl),
					  on_answer, ctx);
	}
	state = state == MNL_CB_ERROR ? errno : 0;
	mnl_socket_close(nl);
	return state;
}

/* task: what the call was to do, "give interface n2n0 the MTU 9000". */
static int explain(struct os_error *err, int error, const char *task)
{
	int code = os_errno(error);

	switch (error) {
	case 0:
		return 0;
	case ENODEV:
	case ENXIO:
		return os_error_set(err, code,
			"cannot %s: there is no such interface; check its name, or whether "
			"another program removed it",
			task);
	case EPERM:
	case EACCES:
		return os_error_set(err, code,
			"not allowed to %s; run as root or give the program CAP_NET_ADMIN, and "
			"for an IPv6 address check that IPv6 is enabled on this host",
			task);
	default:
		if (error == EADDRNOTAVAIL) /* what the kernel says of a multicast MAC */
			code = N2N_EINVAL;
		return os_error_set(err, code,
			"cannot %s: %s; check that the interface allows this value", task,
			strerror(error));
	}
}

int netif_set_mac(
	const struct netns *ns, const char *name, const struct mac *mac, struct os_error *err)
{
	char task[128], text[MAC_TEXT_MAX];
	struct request r;
	int error = ENODEV;

	if (link_request_init(&r, ns, RTM_NEWLINK, name) != NULL) {
		mnl_attr_put(r.header, IFLA_ADDRESS, sizeof(mac->b), mac->b);
		error = request_run(&r, NULL, NULL);
	}
	snprintf(task, sizeof(task), "give interface \"%.15s\" the MAC address %s", name,
		mac_format(mac, text));
	return explain(err, error, task);
}

int netif_set_mtu(const struct netns *ns, const char *name, unsigned mtu, struct os_error *err)
{
	char task[128];
	struct request r;
	int error = ENODEV;

	if (link_request_init(&r, ns, RTM_NEWLINK, name) != NULL) {
		mnl_attr_put_u32(r.header, IFLA_MTU, mtu);
		error = request_run(&r, NULL, NULL);
	}
	snprintf(task, sizeof(task), "give interface \"%.15s\" the MTU %u", name, mtu);
	return explain(err, error, task);
}

int netif_set_gso_limits(const struct netns *ns, const char *name, unsigned max_size,
	unsigned max_segs, struct os_error *err)
{
	char task[128];
	struct request r;
	int error = ENODEV;

	if (link_request_init(&r, ns, RTM_NEWLINK, name) != NULL) {
		/* Up to 65,536 this sets the limit of IPv4, which is apart since Linux 6.3, too. */
		mnl_attr_put_u32(r.header, IFLA_GSO_MAX_SIZE, max_size);
		mnl_attr_put_u32(r.header, IFLA_GSO_MAX_SEGS, max_segs);
		error = request_run(&r, NULL, NULL);
	}
	snprintf(task, sizeof(task),
		"limit super-frames of interface \"%.15s\" to %u bytes, %u segments", name,
		max_size, max_segs);
	return explain(err, error, task);
}

int netif_set_up(const struct netns *ns, const char *name, struct os_error *err)
{
	char task[128];
	struct request r;
	struct ifinfomsg *link = link_request_init(&r, ns, RTM_NEWLINK, name);
	int error = ENODEV;

	if (link != NULL) {
		link->ifi_flags = link->ifi_change = IFF_UP;
		error = request_run(&r, NULL, NULL);
	}
	snprintf(task, sizeof(task), "bring interface \"%.15s\" up", name);
	return explain(err, error, task);
}

static int take_queues(const struct nlattr *attr, void *ctx)
{
	int *queues = ctx;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_TUN_NUM_QUEUES:
	case IFLA_TUN_NUM_DISABLED_QUEUES:
		if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			*queues += (int)mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

static int take_link_info(const struct nlattr *attr, void *ctx)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_INFO_KIND: /* comes first, and says what the data mean */
		return strcmp(mnl_attr_get_str(attr), "tun") != 0 ? MNL_CB_STOP : MNL_CB_OK;
	case IFLA_INFO_DATA:
		return mnl_attr_parse_nested(attr, take_queues, ctx);
	default:
		return MNL_CB_OK;
	}
}

static int take_link_attribute(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
		return mnl_attr_parse_nested(attr, take_link_info, ctx);
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *answer, void *ctx)
{
	return mnl_attr_parse(answer, sizeof(struct ifinfomsg), take_link_attribute, ctx);
}

int netif_tap_queues(const struct netns *ns, const char *name)
{
	struct request r;
	int error = ENODEV, queues = 0;

	if (link_request_init(&r, ns, RTM_GETLINK, name) != NULL)
		error = request_run(&r, take_link, &queues);
	return error != 0 ? os_errno(error) : queues;
}

static void put_v4_address(struct nlmsghdr *header, const uint8_t ip[4], unsigned prefix)
{
	uint32_t host_bits = htonl((uint32_t)(UINT64_C(0xffffffff) >> prefix));
	uint32_t address;

	memcpy(&address, ip, sizeof(address));
	mnl_attr_put_u32(header, IFA_LOCAL, address);
	mnl_attr_put_u32(header, IFA_ADDRESS, address);
	/* RFC 3021: two hosts of a /31 leave no room for a broadcast address. */
	if (prefix < 31)
		mnl_attr_put_u32(header, IFA_BROADCAST, address | host_bits);
}

static int add_address(
	const struct netns *ns, const char *name, const struct endpoint *ip, unsigned prefix)
{
	bool v4 = endpoint_is_v4(ip);
	struct request r;
	struct ifaddrmsg *m;
	unsigned index = netif_index(ns, name);

	if (index == 0)
		return ENODEV;
	if (prefix > (v4 ? 32 : 128))
		return EINVAL;
	request_init(&r, ns, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
	m = mnl_nlmsg_put_extra_header(r.header, sizeof(*m));
	m->ifa_family = v4 ? AF_INET : AF_INET6;
	m->ifa_prefixlen = (uint8_t)prefix;
	m->ifa_scope = RT_SCOPE_UNIVERSE;
	m->ifa_index = index;
	if (v4) {
		put_v4_address(r.header, ip->ip + 12, prefix);
	} else {
		m->ifa_flags = IFA_F_NODAD;
		mnl_attr_put(r.header, IFA_LOCAL, sizeof(ip->ip), ip->ip);
	}
	return request_run(&r, NULL, NULL);
}

int netif_add_address(const struct netns *ns, const char *name, const struct endpoint *ip,
	unsigned prefix, struct os_error *err)
{
	char task[128], text[ENDPOINT_TEXT_MAX];
	int error = add_address(ns, name, ip, prefix);

	snprintf(task, sizeof(task), "give interface \"%.15s\" the address %s/%u", name,
		endpoint_format_ip(ip, text), prefix);
	return explain(err, error, task);
}

static int remove_address(
	const struct netns *ns, const char *name, const struct endpoint *ip, unsigned prefix)
{
	bool v4 = endpoint_is_v4(ip);
	unsigned index = netif_index(ns, name);
	struct request r;
	struct ifaddrmsg *m;
	int error;

	if (index == 0)
		return ENODEV;
	request_init(&r, ns, RTM_DELADDR, 0);
	m = mnl_nlmsg_put_extra_header(r.header, sizeof(*m));
	m->ifa_family = v4 ? AF_INET : AF_INET6;
	m->ifa_prefixlen = (uint8_t)prefix;
	m->ifa_index = index;
	mnl_attr_put(r.header, IFA_LOCAL, v4 ? 4 : sizeof(ip->ip), v4 ? ip->ip + 12 : ip->ip);
	error = request_run(&r, NULL, NULL);
	return error == EADDRNOTAVAIL ? 0 : error;
}

int netif_remove_address(const struct netns *ns, const char *name, const struct endpoint *ip,
	unsigned prefix, struct os_error *err)
{
	char task[128], text[ENDPOINT_TEXT_MAX];
	int error = remove_address(ns, name, ip, prefix);

	snprintf(task, sizeof(task), "take the address %s/%u from interface \"%.15s\"",
		endpoint_format_ip(ip, text), prefix, name);
	return explain(err, error, task);
}

/* ---- the mark ---- */

bool netif_is_mark(const char *alias)
{
	size_t len = strlen(MARK);

	return strncmp(alias, MARK, len) == 0 && (alias[len] == 0 || alias[len] == ' ');
}

static int take_alias_attribute(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) == IFLA_IFALIAS)
		snprintf(ctx, ALIAS_CAP, "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int take_alias(const struct nlmsghdr *answer, void *ctx)
{
	return mnl_attr_parse(answer, sizeof(struct ifinfomsg), take_alias_attribute, ctx);
}

static int get_alias(const struct netns *ns, const char *name, char alias[ALIAS_CAP])
{
	struct request r;

	alias[0] = 0;
	if (link_request_init(&r, ns, RTM_GETLINK, name) == NULL)
		return ENODEV;
	return request_run(&r, take_alias, alias);
}

static int set_alias(const struct netns *ns, const char *name, const char *alias)
{
	struct request r;

	if (link_request_init(&r, ns, RTM_NEWLINK, name) == NULL)
		return ENODEV;
	mnl_attr_put(r.header, IFLA_IFALIAS, strlen(alias), alias);
	return request_run(&r, NULL, NULL);
}

int netif_mark(const struct netns *ns, const char *name, struct os_error *err)
{
	char before[ALIAS_CAP], marked[sizeof(MARK) + ALIAS_CAP], task[128];
	int error = get_alias(ns, name, before);

	if (error == 0 && !netif_is_mark(before)) {
		snprintf(marked, sizeof(marked), "%s%s%s", MARK, before[0] != 0 ? " " : "", before);
		marked[ALIAS_CAP - 1] = 0;
		error = set_alias(ns, name, marked);
	}
	snprintf(task, sizeof(task), "mark interface \"%.15s\" as one of an n2n network", name);
	return explain(err, error, task);
}

void netif_unmark(const struct netns *ns, const char *name)
{
	char alias[ALIAS_CAP];

	if (get_alias(ns, name, alias) != 0 || !netif_is_mark(alias))
		return;
	(void)set_alias(ns, name, alias + strlen(MARK) + (alias[strlen(MARK)] == ' ' ? 1 : 0));
}

/* ---- watching ---- */

struct netif_watch {
	struct mnl_socket *nl;
};

int netif_watch_open(const struct netns *ns, struct netif_watch **out, struct os_error *err)
{
	struct netif_watch *w = calloc(1, sizeof(*w));
	int error = ENOMEM;

	if (w != NULL) {
		w->nl = netif_socket(ns, SOCK_NONBLOCK);
		error = w->nl != NULL && mnl_socket_bind(w->nl, WATCHED, MNL_SOCKET_AUTOPID) == 0
				? 0
				: errno;
	}
	if (error != 0) {
		netif_watch_close(w);
		return os_error_set(err, os_errno(error),
			"cannot watch the network interfaces: %s; check that the sandbox allows "
			"netlink sockets",
			strerror(error));
	}
	*out = w;
	return 0;
}

void netif_watch_close(struct netif_watch *w)
{
	if (w == NULL)
		return;
	if (w->nl != NULL)
		mnl_socket_close(w->nl);
	free(w);
}

struct os_handle netif_watch_handle(const struct netif_watch *w)
{
	return (struct os_handle){mnl_socket_get_fd(w->nl)};
}

bool netif_watch_drain(struct netif_watch *w)
{
	char notice[BUFFER_LEN];
	bool changed = false;

	/* ENOBUFS: notices were lost, which is a change too; nobody looks at what they say. */
	for (unsigned i = 0; i < NOTICES_MAX; i++) {
		if (mnl_socket_recvfrom(w->nl, notice, sizeof(notice)) < 0 && errno != ENOBUFS &&
			errno != ENOSPC)
			break;
		changed = true;
	}
	return changed;
}
