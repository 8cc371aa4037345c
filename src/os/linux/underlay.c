/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns looking at the host on Linux: rtnetlink, on one socket that is kept. */
#define _GNU_SOURCE
#include "os/underlay.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "os/netif.h"

#define ANSWER_LEN  32768 /* bytes: the kernel's largest of a dump */
#define LINKS_MAX   8192  /* what is beyond is not seen */
#define SUPERNODES  8
#define LOWER_UP    0x10000   /* IFF_LOWER_UP of <linux/if.h>, which <net/if.h> excludes */
#define SKIP_STATS  (1u << 3) /* RTEXT_FILTER_SKIP_STATS */
#define PATIENCE_S  1
#define TRIES_MAX   8
#define REQUEST_LEN 128

struct underlay {
	struct mnl_socket *nl;
	uint32_t seq;
	struct underlay_host host; /* owns its arrays */
	unsigned supernode[SUPERNODES];
	unsigned exit; /* what is sent leaves by it; 0: as routes say */
	uint32_t mark;
	_Alignas(struct nlmsghdr) char answer[ANSWER_LEN];
};

/* What is being looked at. */
struct look {
	struct underlay_host host;
	size_t links_cap, addresses_cap;
	const char *const *own;
	size_t n_own;
};

/* ---- asking ---- */

/*
 * Whether something changed while a dump was made, which is then taken all the same: libmnl would
 * leave the rest of it unread, and as long as it lasts the system refuses the next one.
 */
static bool take_interruption(char *answer, size_t len)
{
	bool interrupted = false;
	int left = (int)len;

	for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)answer; mnl_nlmsg_ok(m, left);
		m = mnl_nlmsg_next(m, &left)) {
		interrupted = interrupted || (m->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		m->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
	return interrupted;
}

/* Sends a request and passes the answers on, all of them: 0 or an errno; EINTR: things changed. */
static int ask(struct underlay *u, struct nlmsghdr *request, mnl_cb_t on_answer, void *ctx)
{
	unsigned port = mnl_socket_get_portid(u->nl);
	int state = MNL_CB_OK;
	bool interrupted = false;

	request->nlmsg_seq = ++u->seq;
	if (mnl_socket_sendto(u->nl, request, request->nlmsg_len) < 0)
		return errno;
	while (state > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(u->nl, u->answer, sizeof(u->answer));

		if (len < 0)
			return errno;
		interrupted |= take_interruption(u->answer, (size_t)len);
		state = mnl_cb_run(u->answer, (size_t)len, u->seq, port, on_answer, ctx);
		/* What is left of an answer that was given up is not for this request. */
		if (state == MNL_CB_ERROR && (errno == ESRCH || errno == EPROTO))
			state = MNL_CB_OK;
	}
	return state == MNL_CB_ERROR ? errno : interrupted ? EINTR : 0;
}

/* room for one more; false: there is none, and what comes is not seen. */
static bool grow(void **array, size_t *cap, size_t n, size_t size)
{
	size_t more = *cap == 0 ? 64 : *cap * 2;
	void *larger;

	if (n < *cap)
		return true;
	if (n >= LINKS_MAX || (larger = realloc(*array, more * size)) == NULL)
		return false;
	*array = larger;
	*cap = more;
	return true;
}

/* ---- interfaces ---- */

static enum underlay_kind kind_of(const char *kind)
{
	static const struct {
		const char *name;
		enum underlay_kind kind;
	} known[] = {
		{"bridge", UNDERLAY_BRIDGE},
		{"veth", UNDERLAY_SOFTWARE},
		{"netkit", UNDERLAY_SOFTWARE},
		{"dummy", UNDERLAY_SOFTWARE},
		{"ifb", UNDERLAY_SOFTWARE},
		{"tun", UNDERLAY_TUNNEL},
		{"wireguard", UNDERLAY_TUNNEL},
		{"ovpn", UNDERLAY_TUNNEL},
		{"vxlan", UNDERLAY_TUNNEL},
		{"geneve", UNDERLAY_TUNNEL},
		{"gre", UNDERLAY_TUNNEL},
		{"gretap", UNDERLAY_TUNNEL},
		{"erspan", UNDERLAY_TUNNEL},
		{"ip6gre", UNDERLAY_TUNNEL},
		{"ip6gretap", UNDERLAY_TUNNEL},
		{"ip6erspan", UNDERLAY_TUNNEL},
		{"ipip", UNDERLAY_TUNNEL},
		{"sit", UNDERLAY_TUNNEL},
		{"ip6tnl", UNDERLAY_TUNNEL},
		{"vti", UNDERLAY_TUNNEL},
		{"vti6", UNDERLAY_TUNNEL},
		{"xfrm", UNDERLAY_TUNNEL},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(kind, known[i].name) == 0)
			return known[i].kind;
	return UNDERLAY_DEVICE;
}

static int take_kind(const struct nlattr *attr, void *ctx)
{
	struct underlay_link *l = ctx;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		l->kind = kind_of(mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

struct link_reading {
	const struct look *look;
	struct underlay_link link;
	bool elsewhere; /* what it is stacked on is in another namespace */
};

static bool is_own(const struct look *k, const char *name)
{
	for (size_t i = 0; i < k->n_own; i++)
		if (strcmp(name, k->own[i]) == 0)
			return true;
	return false;
}

static int take_link_attribute(const struct nlattr *attr, void *ctx)
{
	struct link_reading *r = ctx;
	struct underlay_link *l = &r->link;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (is_own(r->look, mnl_attr_get_str(attr)))
			l->side = UNDERLAY_OURS;
		break;
	case IFLA_IFALIAS:
		if (l->side == UNDERLAY_OUTSIDE && netif_is_mark(mnl_attr_get_str(attr)))
			l->side = UNDERLAY_OTHERS;
		break;
	case IFLA_MASTER:
		l->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_MTU:
		l->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		l->lower = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK_NETNSID:
		r->elsewhere = true;
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attr, take_kind, l);
	}
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *m, void *ctx)
{
	struct look *k = ctx;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	struct link_reading r = {.look = k};
	void *links = k->host.link;

	if (m->nlmsg_type != RTM_NEWLINK ||
		!grow(&links, &k->links_cap, k->host.n_links, sizeof(r.link)))
		return MNL_CB_OK;
	k->host.link = links;
	(void)mnl_attr_parse(m, sizeof(*info), take_link_attribute, &r);
	r.link.index = (unsigned)info->ifi_index;
	r.link.up = (info->ifi_flags & IFF_UP) != 0;
	r.link.carrier = (info->ifi_flags & LOWER_UP) != 0;
	r.link.loopback = (info->ifi_flags & IFF_LOOPBACK) != 0;
	/* The other end of a pair is no floor to stand on; nor is who is by the same number
	 * elsewhere. */
	if (r.elsewhere || r.link.kind == UNDERLAY_SOFTWARE || r.link.lower == r.link.index)
		r.link.lower = 0;
	/* Only a TAP can be marked: an alias says nothing of a card. */
	if (r.link.kind != UNDERLAY_TUNNEL)
		r.link.side = UNDERLAY_OUTSIDE;
	k->host.link[k->host.n_links++] = r.link;
	return MNL_CB_OK;
}

static int list_links(struct underlay *u, struct look *k)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_LEN] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buf);

	m->nlmsg_type = RTM_GETLINK;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(m, IFLA_EXT_MASK, SKIP_STATS);
	k->host.n_links = 0;
	return ask(u, m, take_link, k);
}

/* ---- addresses ---- */

struct address_reading {
	struct endpoint ip;
	bool local; /* of a link between two: ip is this end's */
	uint32_t flags;
};

static int take_address_attribute(const struct nlattr *attr, void *ctx)
{
	struct address_reading *r = ctx;
	const uint8_t *ip = mnl_attr_get_payload(attr);
	uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

	if (type == IFA_FLAGS)
		r->flags = mnl_attr_get_u32(attr);
	if ((type != IFA_LOCAL && type != IFA_ADDRESS) || (type == IFA_ADDRESS && r->local))
		return MNL_CB_OK;
	r->local = r->local || type == IFA_LOCAL;
	if (len == 4)
		r->ip = endpoint_v4((uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 |
					    (uint32_t)ip[2] << 8 | ip[3],
			0);
	else if (len == sizeof(r->ip.ip))
		memcpy(r->ip.ip, ip, len);
	return MNL_CB_OK;
}

/* An IPv6 address that may still turn out to be another's, or that ends soon, is not offered. */
static bool is_settled(const struct address_reading *r)
{
	return endpoint_is_v4(&r->ip) ||
	       (r->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) == 0 ||
	       (r->flags & (IFA_F_OPTIMISTIC | IFA_F_DEPRECATED)) == IFA_F_OPTIMISTIC;
}

static int take_address(const struct nlmsghdr *m, void *ctx)
{
	struct look *k = ctx;
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(m);
	struct address_reading r = {.flags = info->ifa_flags};
	void *addresses = k->host.address;

	if (m->nlmsg_type != RTM_NEWADDR ||
		!grow(&addresses, &k->addresses_cap, k->host.n_addresses, sizeof(*k->host.address)))
		return MNL_CB_OK;
	k->host.address = addresses;
	(void)mnl_attr_parse(m, sizeof(*info), take_address_attribute, &r);
	if (!endpoint_is_none(&r.ip) && is_settled(&r))
		k->host.address[k->host.n_addresses++] =
			(struct underlay_address){.ip = r.ip, .link = info->ifa_index};
	return MNL_CB_OK;
}

static int list_addresses(struct underlay *u, struct look *k)
{
	_Alignas(struct nlmsghdr) char buf[REQUEST_LEN] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buf);

	m->nlmsg_type = RTM_GETADDR;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifaddrmsg));
	k->host.n_addresses = 0;
	return ask(u, m, take_address, k);
}

/* ---- routes ---- */

struct route {
	unsigned link; /* 0: there is none */
	unsigned mtu;  /* 0: that of the link */
};

static int take_metric(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) == RTAX_MTU)
		((struct route *)ctx)->mtu = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int take_route_attribute(const struct nlattr *attr, void *ctx)
{
	if (mnl_attr_get_type(attr) == RTA_OIF)
		((struct route *)ctx)->link = mnl_attr_get_u32(attr);
	if (mnl_attr_get_type(attr) == RTA_METRICS)
		return mnl_attr_parse_nested(attr, take_metric, ctx);
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *m, void *ctx)
{
	if (m->nlmsg_type == RTM_NEWROUTE)
		(void)mnl_attr_parse(m, sizeof(struct rtmsg), take_route_attribute, ctx);
	return MNL_CB_STOP;
}

static struct route find_route(struct underlay *u, const struct endpoint *to)
{
	bool v4 = endpoint_is_v4(to);
	_Alignas(struct nlmsghdr) char buf[REQUEST_LEN] = {0};
	struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
	struct route found = {0};
	struct rtmsg *route;

	m->nlmsg_type = RTM_GETROUTE;
	m->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(m, sizeof(*route));
	route->rtm_family = v4 ? AF_INET : AF_INET6;
	route->rtm_dst_len = v4 ? 32 : 128;
	if (v4)
		mnl_attr_put(m, RTA_DST, 4, to->ip + 12);
	else
		mnl_attr_put(m, RTA_DST, sizeof(to->ip), to->ip);
	if (u->exit != 0)
		mnl_attr_put_u32(m, RTA_OIF, u->exit);
	if (u->mark != 0)
		mnl_attr_put_u32(m, RTA_MARK, u->mark);
	return ask(u, m, take_route, &found) == 0 ? found : (struct route){0};
}

/* The interface by which it is reached; 0: none. */
static unsigned route_to(struct underlay *u, const struct endpoint *to)
{
	return find_route(u, to).link;
}

void underlay_leave_by(struct underlay *u, const char *device, uint32_t mark)
{
	u->exit = device != NULL ? if_nametoindex(device) : 0;
	u->mark = mark;
}

unsigned underlay_exit(const struct underlay *u)
{
	return u->exit;
}

enum underlay_side underlay_way(struct underlay *u, const struct endpoint *to)
{
	return underlay_side_of(&u->host, route_to(u, to));
}

unsigned underlay_mtu(struct underlay *u, const struct endpoint *to)
{
	const struct route r = find_route(u, to);
	unsigned mtu = underlay_mtu_of(&u->host, r.link);

	return r.mtu != 0 && (mtu == 0 || r.mtu < mtu) ? r.mtu : mtu;
}

/* ---- looking ---- */

/* By which links everywhere and the supernodes are. */
static void look_at_routes(
	struct underlay *u, struct look *k, const struct endpoint *supernodes, size_t n_supernodes)
{
	/* Somewhere: addresses that are nobody's (RFC 5737, 3849). */
	const struct endpoint v4 = endpoint_v4(0xcb007101, 0);
	const struct endpoint v6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 0};

	k->host.far[0] = route_to(u, &v4);
	k->host.far[1] = route_to(u, &v6);
	k->host.supernode = u->supernode;
	k->host.n_supernodes = n_supernodes < SUPERNODES ? n_supernodes : SUPERNODES;
	for (size_t i = 0; i < k->host.n_supernodes; i++)
		u->supernode[i] = route_to(u, &supernodes[i]);
}

static void release(struct underlay_host *h)
{
	free(h->link);
	free(h->address);
}

int underlay_look(struct underlay *u, const char *const *own, size_t n_own,
	const struct endpoint *supernodes, size_t n_supernodes)
{
	struct look k = {.own = own, .n_own = n_own};
	int error = EINTR;

	/* So the system says that something changed while it answered. */
	for (unsigned tries = 0; error == EINTR && tries < TRIES_MAX; tries++) {
		error = list_links(u, &k);
		if (error == 0)
			error = list_addresses(u, &k);
	}
	if (error != 0) {
		release(&k.host);
		return os_errno(error);
	}
	look_at_routes(u, &k, supernodes, n_supernodes);
	underlay_settle(&k.host);
	release(&u->host);
	u->host = k.host;
	return 0;
}

const struct underlay_host *underlay_seen(const struct underlay *u)
{
	return &u->host;
}

/* ---- making ---- */

int underlay_open(struct underlay **out, struct os_error *err)
{
	struct underlay *u = calloc(1, sizeof(*u));
	const struct timeval patience = {.tv_sec = PATIENCE_S};
	int error = ENOMEM;

	if (u != NULL) {
		u->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
		error = u->nl != NULL && mnl_socket_bind(u->nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
					setsockopt(mnl_socket_get_fd(u->nl), SOL_SOCKET,
						SO_RCVTIMEO, &patience, sizeof(patience)) == 0
				? 0
				: errno;
	}
	if (error != 0) {
		underlay_close(u);
		return os_error_set(err, os_errno(error),
			"cannot ask the system for its interfaces and routes: %s; check that the "
			"sandbox allows netlink sockets",
			strerror(error));
	}
	*out = u;
	return 0;
}

void underlay_close(struct underlay *u)
{
	if (u == NULL)
		return;
	if (u->nl != NULL)
		mnl_socket_close(u->nl);
	release(&u->host);
	free(u);
}
