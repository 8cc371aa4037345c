/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is underlay: which interfaces of this host lead to the network underneath, and which into an
 * n2n network, of whichever process. Decided here from what the system says of interfaces and
 * routes, for the addresses that we offer, for those of others that we would send to, and for where
 * a datagram came in.
 *
 * An n2n network is behind an interface that is marked (netif_mark), behind one that is stacked on
 * such a one, as a VLAN is, and behind a bridge that no other port with a carrier leads out of. A
 * bridge that has one is underlay, even if it holds an n2n interface: the host of a bridged edge
 * has its only address there.
 *
 * Every system that has bridges and routes to ask for; elsewhere underlay_open gives N2N_ENOSYS,
 * and the caller goes on without. One thread.
 */
#ifndef N2N_OS_UNDERLAY_H
#define N2N_OS_UNDERLAY_H

#include "base/endpoint.h"
#include "os/error.h"

/* ---- facts, and what follows from them: pure functions ---- */

enum underlay_kind {
	UNDERLAY_DEVICE, /* a card, or what stands for one: a VLAN, a bond, a modem */
	UNDERLAY_BRIDGE,
	UNDERLAY_SOFTWARE, /* veth and the like: mostly a way to containers */
	UNDERLAY_TUNNEL	   /* TAP, TUN, WireGuard, VXLAN, GRE: other networks of that sort */
};

enum underlay_side {
	UNDERLAY_OUTSIDE, /* the network underneath */
	UNDERLAY_OTHERS,  /* an n2n network of another process */
	UNDERLAY_OURS	  /* one of this process */
};

struct underlay_link {
	unsigned index;	 /* never 0 */
	unsigned master; /* of what it is a port; 0: of nothing */
	unsigned lower;	 /* on what it is stacked; 0: on nothing here */
	unsigned mtu;	 /* 0: not told */
	enum underlay_kind kind;
	enum underlay_side side; /* as it is marked; underlay_settle adds what follows */
	bool up, carrier, loopback;
	/* By underlay_settle, of a bridge: */
	bool leads_out; /* a port that is no tunnel, and in no n2n network, has a carrier */
	bool has_real;	/* and is no software either */
};

struct underlay_address {
	struct endpoint ip; /* port 0 */
	unsigned link;
	unsigned rank; /* by underlay_settle: the lower the better */
};

/* A host as it was when somebody looked. The arrays are its owner's. */
struct underlay_host {
	struct underlay_link *link;
	size_t n_links;
	struct underlay_address *address; /* in the order in which the system lists them */
	size_t n_addresses;
	const unsigned *supernode; /* by which links supernodes in use are reached; 0: not at all */
	size_t n_supernodes;
	unsigned far[2]; /* by which link everywhere is: IPv4, IPv6 */
};

/* Completes links and addresses: on which side of n2n networks they are, how good to offer. */
void underlay_settle(struct underlay_host *h);
/* Of a settled host; what it does not know is outside. */
enum underlay_side underlay_side_of(const struct underlay_host *h, unsigned link);
/* Its MTU; 0: nobody knows. */
unsigned underlay_mtu_of(const struct underlay_host *h, unsigned link);
/* What our sockets can be reached by. */
struct underlay_socket {
	bool v4, v6;
	struct endpoint only; /* they are at this address; none: at all */
	unsigned link;	      /* what they send leaves by this one; 0: as routes say */
};

/*
 * The addresses worth offering to others, best first: at most cap. First those of the interface by
 * which a supernode is reached, then of one that leads everywhere, of other devices, and what these
 * have beyond two of a family; then a few of container bridges and of interfaces without a carrier;
 * tunnels last. Never loopback, link-local ones and those of n2n networks. Both families have a
 * place if the host has them.
 */
size_t underlay_rank(const struct underlay_host *h, const struct underlay_socket *socket,
	struct endpoint *out, size_t cap);

/* ---- this host ---- */

struct underlay;

/* N2N_ENOMEM, N2N_EPERM, N2N_EIO, N2N_ENOSYS. The caller closes it. */
MUST_CHECK int underlay_open(struct underlay **out, struct os_error *err);
/* NULL is fine. */
void underlay_close(struct underlay *u);
/*
 * Looks at interfaces and addresses anew. own: names of this process's interfaces, which are known
 * even if they could not be marked; supernodes: those in use. On failure what was seen last stays:
 * N2N_ENOMEM, N2N_EIO.
 */
MUST_CHECK int underlay_look(struct underlay *u, const char *const *own, size_t n_own,
	const struct endpoint *supernodes, size_t n_supernodes);
/* As underlay_look saw it; lives until the next look. */
const struct underlay_host *underlay_seen(const struct underlay *u);
/*
 * From the next question on routes are those of sockets that send by this interface alone, or with
 * this mark (os/udp.h, struct udp_exit); NULL and 0: of any.
 */
void underlay_leave_by(struct underlay *u, const char *device, uint32_t mark);
/* The index of that interface; 0: none is named, or there is none of that name. */
unsigned underlay_exit(const struct underlay *u);
/*
 * On which side what is sent to this address goes out, by the routes of this moment and the
 * interfaces as last seen: one question to the system. What has no route is outside.
 */
enum underlay_side underlay_way(struct underlay *u, const struct endpoint *to);
/*
 * How many bytes an IP packet to this address may have on its first link: the MTU of the interface,
 * as last seen, or of the route if that has a smaller one. 0: nobody knows. One question as well.
 */
unsigned underlay_mtu(struct underlay *u, const struct endpoint *to);

#endif
