/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host's network interfaces: setting up the one we made, and hearing of changes. An address is
 * an endpoint whose port is 0. Each call talks to the kernel by itself; any thread, but for one at
 * a time where ns is not NULL: that is the network namespace of the interface, NULL is ours.
 *
 * Every system, but for two: netif_set_gso_limits gives N2N_ENOSYS and netif_tap_queues 0 where an
 * interface has no such thing.
 */
#ifndef N2N_OS_NETIF_H
#define N2N_OS_NETIF_H

#include "base/endpoint.h"
#include "base/mac.h"
#include "os/error.h"
#include "os/handle.h"
#include "os/netns.h"

/*
 * Setting: N2N_ENOENT: no such interface; N2N_EPERM; N2N_EINVAL: the system does not like the
 * value.
 */
MUST_CHECK int netif_set_mac(
	const struct netns *ns, const char *name, const struct mac *mac, struct os_error *err);
/* mtu in bytes, without the Ethernet header. */
MUST_CHECK int netif_set_mtu(
	const struct netns *ns, const char *name, unsigned mtu, struct os_error *err);
/*
 * The largest super-frame that the system may hand to the interface, in bytes (at most 65,536) and
 * segments. Old kernels have none to set, and the caller may go on without.
 */
MUST_CHECK int netif_set_gso_limits(const struct netns *ns, const char *name, unsigned max_size,
	unsigned max_segs, struct os_error *err);
/* "ip link set NAME up"; one that is up already is no error. */
MUST_CHECK int netif_set_up(const struct netns *ns, const char *name, struct os_error *err);
/*
 * prefix in bits of the address's own family. An address that is there already is no error. One of
 * IPv6 is in use at once, without asking first whether it is another's (PROTOCOL.md 9.6).
 */
MUST_CHECK int netif_add_address(const struct netns *ns, const char *name,
	const struct endpoint *ip, unsigned prefix, struct os_error *err);
/* Takes it away; one that is not there is no error. */
MUST_CHECK int netif_remove_address(const struct netns *ns, const char *name,
	const struct endpoint *ip, unsigned prefix, struct os_error *err);

#define NETIF_ROUTER_SETTINGS 2
#define NETIF_SETTING_CAP     12

/* What an interface took from router advertisements; empty where it was not changed. */
struct netif_routers {
	char value[NETIF_ROUTER_SETTINGS][NETIF_SETTING_CAP];
};

/*
 * Has the host take neither routes nor addresses from router advertisements (RFC 4861, 4862) that
 * come by this interface, and tells in *before how it was. 0 too where there is no IPv6, or no such
 * interface. N2N_EPERM or another error: routers may still be believed, by and large or in part.
 */
MUST_CHECK int netif_ignore_routers(const struct netns *ns, const char *name,
	struct netif_routers *before, struct os_error *err);
/* Puts back what netif_ignore_routers changed, if the interface is still there. */
void netif_restore_routers(
	const struct netns *ns, const char *name, const struct netif_routers *before);

/*
 * How many queues processes have attached to a TAP that may have several, or a negative n2n_err.
 * 0 for all other interfaces, and before Linux 4.16.
 */
MUST_CHECK int netif_tap_queues(const struct netns *ns, const char *name);

/*
 * Marks an interface as one of an n2n network, so that every process of this network namespace sees
 * it (underlay.h); people see it in "ip link". What was noted there stays, behind the mark. Errors
 * as for setting.
 */
MUST_CHECK int netif_mark(const struct netns *ns, const char *name, struct os_error *err);
/* Takes the mark away again, if the interface is still there. */
void netif_unmark(const struct netns *ns, const char *name);
/* Whether what is noted at an interface has the mark in front. */
bool netif_is_mark(const char *alias);

/*
 * All addresses of this host: of each interface, those of loopback and link-local ones too. Returns
 * how many there are in *out, which the caller frees, or N2N_ENOMEM.
 */
MUST_CHECK int netif_addresses(struct endpoint **out);

/*
 * Tells that an interface, an address, a route or a rule appeared, changed or went. One thread at a
 * time. Every system, but a caller goes on without where it cannot be opened: an Android app may
 * not listen to the kernel, and is told by its own framework.
 */
struct netif_watch;

/* N2N_ENOMEM, N2N_EPERM, N2N_EIO. The caller closes it. */
MUST_CHECK int netif_watch_open(
	const struct netns *ns, struct netif_watch **out, struct os_error *err);
/* NULL is fine. */
void netif_watch_close(struct netif_watch *w);
/*
 * A socket, w's own, that is readable when there is something to drain; for uv_poll_init_socket.
 * netlink on Linux, a routing socket on macOS and the BSDs. Windows calls back in a thread of its
 * own instead: there it is one end of a pair of sockets to which the callback writes a byte.
 */
struct os_handle netif_watch_handle(const struct netif_watch *w);
/*
 * Takes some of what is queued; true when something changed since the last call. Does not block,
 * and ends even if routes change faster than they are read: then there is more to drain.
 */
bool netif_watch_drain(struct netif_watch *w);

#endif
