/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns asking for routes on Linux: one request of rtnetlink on a socket of its own. */
#define _GNU_SOURCE
#include "os/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_LEN 8192 /* bytes; more than any answer here */

struct reading {
	struct os_route route;
	unsigned wanted; /* interface; 0: any */
	unsigned link;
};

static struct endpoint take_ip(const struct nlattr *attr)
{
	const uint8_t *ip = mnl_attr_get_payload(attr);
	struct endpoint e = {.port = 0};

	if (mnl_attr_get_payload_len(attr) == 4)
		e = endpoint_v4((uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 |
					(uint32_t)ip[2] << 8 | ip[3],
			0);
	else if (mnl_attr_get_payload_len(attr) == sizeof(e.ip))
		memcpy(e.ip, ip, sizeof(e.ip));
	return e;
}

/* A gateway of the other family. */
static void take_via(struct reading *r, const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);

	if (mnl_attr_get_payload_len(attr) == sizeof(*via) + sizeof(r->route.via.ip) &&
		via->rtvia_family == AF_INET6)
		memcpy(r->route.via.ip, via->rtvia_addr, sizeof(r->route.via.ip));
}

static int take_hop(const struct nlattr *attr, void *ctx)
{
	struct reading *r = ctx;

	switch (mnl_attr_get_type(attr)) {
	case RTA_GATEWAY:
		r->route.via = take_ip(attr);
		break;
	case RTA_VIA:
		take_via(r, attr);
		break;
	}
	return MNL_CB_OK;
}

/* Of several hops the first, or the first by the interface that is wanted. */
static void take_hops(struct reading *r, const struct nlattr *attr)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	size_t left = mnl_attr_get_payload_len(attr), len;
	struct rtnexthop hop;

	for (; left >= sizeof(hop); left -= len, p += len) {
		memcpy(&hop, p, sizeof(hop));
		len = MNL_ALIGN(hop.rtnh_len);
		if (hop.rtnh_len < sizeof(hop) || len > left)
			return;
		if (r->wanted == 0 || (unsigned)hop.rtnh_ifindex == r->wanted) {
			r->link = (unsigned)hop.rtnh_ifindex;
			(void)mnl_attr_parse_payload(
				p + sizeof(hop), hop.rtnh_len - sizeof(hop), take_hop, r);
			return;
		}
	}
}

static int take_attribute(const struct nlattr *attr, void *ctx)
{
	struct reading *r = ctx;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		r->route.net = take_ip(attr);
		break;
	case RTA_OIF:
		r->link = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		r->route.metric = mnl_attr_get_u32(attr);
		break;
	case RTA_MULTIPATH:
		take_hops(r, attr);
		break;
	default:
		return take_hop(attr, ctx);
	}
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *m, void *ctx)
{
	struct reading *r = ctx;
	const struct rtmsg *route = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_STOP;
	r->route.prefix = route->rtm_dst_len;
	(void)mnl_attr_parse(m, sizeof(*route), take_attribute, r);
	return MNL_CB_STOP;
}

static void write_request(
	struct nlmsghdr *m, const struct endpoint *to, unsigned link, uint32_t mark)
{
	bool v4 = endpoint_is_v4(to);
	struct rtmsg *route;

	m->nlmsg_type = RTM_GETROUTE;
	m->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(m, sizeof(*route));
	route->rtm_family = v4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = v4 ? 32 : 128;
	route->rtm_flags = RTM_F_FIB_MATCH; /* as it stands in the table, not what came of it */
	mnl_attr_put(m, RTA_DST, v4 ? 4 : 16, v4 ? to->ip + 12 : to->ip);
	if (link != 0)
		mnl_attr_put_u32(m, RTA_OIF, link);
	if (mark != 0)
		mnl_attr_put_u32(m, RTA_MARK, mark);
}

/* 0 or an errno. */
static int ask(struct reading *r, const struct endpoint *to, uint32_t mark)
{
	_Alignas(struct nlmsghdr) char buf[BUFFER_LEN] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	ssize_t len = -1;
	int state = MNL_CB_ERROR, error;

	if (nl == NULL)
		return errno;
	write_request(m, to, r->wanted, mark);
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
		mnl_socket_sendto(nl, m, m->nlmsg_len) >= 0)
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (len >= 0)
		state = mnl_cb_run(buf, (size_t)len, 0, mnl_socket_get_portid(nl), take_route, r);
	error = state == MNL_CB_ERROR ? errno : 0;
	mnl_socket_close(nl);
	return error;
}

int os_route_find(struct os_route *out, const struct endpoint *to, unsigned link, uint32_t mark)
{
	struct reading r = {.wanted = link};

	r.route.net = endpoint_is_v4(to) ? endpoint_v4(0, 0) : (struct endpoint){.port = 0};
	/* An IPv6 route by another interface may be told where there is none by this one. */
	if (ask(&r, to, mark) != 0 || r.link == 0 || (link != 0 && r.link != link) ||
		if_indextoname(r.link, r.route.device) == NULL)
		return N2N_ENOENT;
	*out = r.route;
	return 0;
}
