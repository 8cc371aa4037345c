/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the TAP interface on Linux: /dev/net/tun. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/linux/netns_inside.h"
#include "os/linux/parent_inside.h"
#include "os/linux/tap_inside.h"
#include "os/netif.h"

/* Since Linux 6.2, which is newer than the headers of some systems. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define TUN_DEVICE "/dev/net/tun"
#define TAP_FLAGS  (IFF_TAP | IFF_NO_PI)

_Static_assert(INTERFACE_NAME_MAX == IFNAMSIZ - 1, "the kernel's limit of interface names");

struct tap {
	int fd;
	struct parent *parent;	       /* that made the queue, or NULL ... */
	struct parent_interface asked; /* ... as this one */
	unsigned uses;		       /* a set of enum feature */
	char name[INTERFACE_NAME_MAX + 1];
};

/* What the kernel takes, less '%', which would ask it for a number of its own. */
static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > INTERFACE_NAME_MAX || strcmp(name, ".") == 0 ||
		strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] == 0x7f || strchr("/:%", name[i]) != NULL)
			return false;
	return true;
}

static int explain_device(struct os_error *err, int error)
{
	int code = os_errno(error);

	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return os_error_set(err, N2N_ENOSYS,
			TUN_DEVICE " is missing; load the driver with \"modprobe tun\", or start "
				   "the container with \"--device " TUN_DEVICE "\"");
	case EPERM:
	case EACCES:
		return os_error_set(err, code,
			"not allowed to open " TUN_DEVICE "; run as root or give the program "
			"CAP_NET_ADMIN, and the container \"--device " TUN_DEVICE "\"");
	default:
		return os_error_set(err, code,
			"cannot open " TUN_DEVICE ": %s; check that the tun driver works",
			strerror(error));
	}
}

static int explain_interface(struct os_error *err, int error, const char *name)
{
	int code = os_errno(error);

	switch (error) {
	case EBUSY:
		return os_error_choose(err, code, SETTING_INTERFACE,
			"interface \"%s\" is in use by another process; stop that one or choose "
			"another name",
			name);
	case EINVAL:
		return os_error_choose(err, N2N_EEXIST, SETTING_INTERFACE,
			"interface \"%s\" exists and is not a free TAP; remove it or choose "
			"another name",
			name);
	case EPERM:
	case EACCES:
		return os_error_set(err, code,
			"not allowed to make interface \"%s\"; run as root or give the program "
			"CAP_NET_ADMIN",
			name);
	default:
		return os_error_set(err, code,
			"cannot make interface \"%s\": %s; check the name and that the tun "
			"driver works",
			name, strerror(error));
	}
}

static int attach(int fd, const char *name, unsigned uses, int more_flags)
{
	struct ifreq ifr = {.ifr_flags = (short)(TAP_FLAGS | more_flags)};

	if (uses & FEATURE_VNET_HDR)
		ifr.ifr_flags |= IFF_VNET_HDR;
	if (uses & FEATURE_QUEUES)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(ifr.ifr_name, name, strlen(name));
	return ioctl(fd, TUNSETIFF, &ifr) != 0 ? errno : 0;
}

/*
 * Takes over a persistent interface. One with several queues could be joined by any process: a
 * queue that is not ours, there before or come in the meantime, means that it is in use.
 */
static int take_over(int fd, const char *name, unsigned uses)
{
	int error;

	if (netif_tap_queues(NULL, name) > 0)
		return EBUSY;
	error = attach(fd, name, uses, 0);
	if (error != 0 || !(uses & FEATURE_QUEUES))
		return error;
	return netif_tap_queues(NULL, name) > 1 ? EBUSY : 0;
}

/*
 * Without IFF_TUN_EXCL a second process would take half of the frames of an interface; with it a
 * persistent one cannot be opened. That has one queue or several from its creation; trying the
 * wrong kind gives EINVAL.
 */
static int attach_alone(int fd, const char *name, unsigned *uses)
{
	int error = attach(fd, name, *uses, IFF_TUN_EXCL);

	if (error != EBUSY)
		return error;
	error = take_over(fd, name, *uses);
	if (error == EINVAL) {
		*uses ^= FEATURE_QUEUES;
		error = take_over(fd, name, *uses);
	}
	return error;
}

/* What the driver knows of use; of TSO and USO only set_offloads can tell. */
static unsigned known_uses(int fd, unsigned use)
{
	unsigned features = 0;

	if (ioctl(fd, TUNGETFEATURES, &features) != 0 || !(features & IFF_VNET_HDR))
		use &= ~(unsigned)FEATURE_VNET_HDR;
	if (!(use & FEATURE_VNET_HDR))
		use &= ~(unsigned)(FEATURE_TSO | FEATURE_USO);
	if (!(features & IFF_MULTI_QUEUE))
		use &= ~(unsigned)FEATURE_QUEUES;
	return use;
}

static bool take_offloads(int fd, unsigned uses)
{
	unsigned long flags = 0;

	if (uses & FEATURE_VNET_HDR)
		flags |= TUN_F_CSUM;
	if (uses & FEATURE_TSO)
		flags |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	if (uses & FEATURE_USO)
		flags |= TUN_F_USO4 | TUN_F_USO6;
	return ioctl(fd, TUNSETOFFLOAD, flags) == 0;
}

/* Also without any: a persistent interface remembers what its last owner took. */
static unsigned set_offloads(int fd, unsigned uses)
{
	int header_len = sizeof(struct virtio_net_hdr);

	if (uses & FEATURE_VNET_HDR)
		(void)ioctl(fd, TUNSETVNETHDRSZ, &header_len);
	if (!take_offloads(fd, uses)) {
		uses &= ~(unsigned)FEATURE_USO;
		if (!take_offloads(fd, uses)) {
			uses &= ~(unsigned)FEATURE_TSO;
			(void)take_offloads(fd, uses);
		}
	}
	return uses;
}

/* NULL when memory is short. */
static struct tap *alloc_tap(int fd, const char *name, unsigned uses)
{
	struct tap *tap = calloc(1, sizeof(*tap));

	if (tap != NULL) {
		tap->fd = fd;
		tap->uses = uses;
		memcpy(tap->name, name, strnlen(name, INTERFACE_NAME_MAX));
	}
	return tap;
}

/* Opens a queue that is not attached yet. */
static int open_queue(struct tap **out, unsigned use, const char *name, struct os_error *err)
{
	int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return explain_device(err, errno);
	*out = alloc_tap(fd, name, use);
	if (*out == NULL) {
		close(fd);
		return explain_interface(err, ENOMEM, name);
	}
	return 0;
}

int tap_open(struct tap **out, const char *name, unsigned use, struct os_error *err)
{
	struct tap *tap;
	int rc, error;

	if (!name_is_valid(name))
		return os_error_choose(err, N2N_EINVAL, SETTING_INTERFACE,
			"\"%.40s\" cannot name an interface; give 1 to %d characters without "
			"blanks, '/', ':' and '%%'",
			name, INTERFACE_NAME_MAX);
	rc = open_queue(&tap, use & FEATURES_OF_TAP, name, err);
	if (rc != 0)
		return rc;
	tap->uses = known_uses(tap->fd, tap->uses);
	error = attach_alone(tap->fd, name, &tap->uses);
	if (error != 0) {
		tap_close(tap);
		return explain_interface(err, error, name);
	}
	tap->uses = set_offloads(tap->fd, tap->uses);
	*out = tap;
	return 0;
}

static int join_queue(struct tap **out, const char *name, unsigned uses, struct os_error *err)
{
	struct tap *tap;
	int error, rc = open_queue(&tap, uses, name, err);

	if (rc != 0)
		return rc;
	/* Attaching to an interface that is gone would make a new one. */
	error = netif_tap_queues(NULL, name) > 0 ? attach(tap->fd, name, uses, 0) : ENODEV;
	if (error != 0) {
		tap_close(tap);
		return explain_interface(err, error, name);
	}
	*out = tap;
	return 0;
}

/* What was chosen for the queue when it was attached stays so; the rest may be used. */
static unsigned adopted_uses(short flags, unsigned use)
{
	if (!(flags & IFF_VNET_HDR))
		use &= ~(unsigned)(FEATURE_VNET_HDR | FEATURE_TSO | FEATURE_USO);
	else
		use |= FEATURE_VNET_HDR;
	if (!(flags & IFF_MULTI_QUEUE))
		use &= ~(unsigned)FEATURE_QUEUES;
	return use;
}

int tap_adopt(struct tap **out, struct os_handle queue, unsigned use, struct os_error *err)
{
	struct ifreq now = {0};
	int fd = (int)queue.value;
	struct tap *tap;

	if (ioctl(fd, TUNGETIFF, &now) != 0 || !(now.ifr_flags & IFF_TAP) ||
		now.ifr_flags & IFF_DETACH_QUEUE)
		return os_error_set(err, N2N_EINVAL,
			"descriptor %d, given as a TAP, is none; attach it to one with IFF_TAP and "
			"IFF_NO_PI before",
			fd);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return explain_interface(err, errno, now.ifr_name);
	tap = alloc_tap(fd, now.ifr_name, adopted_uses(now.ifr_flags, use & FEATURES_OF_TAP));
	if (tap == NULL)
		return explain_interface(err, ENOMEM, now.ifr_name);
	tap->uses = set_offloads(fd, tap->uses);
	*out = tap;
	return 0;
}

/* ---- by a parent ---- */

static int ask_parent(struct tap **out, struct parent *parent, const struct parent_interface *which,
	unsigned use, bool join, struct os_error *err)
{
	const struct parent_request request = {
		.kind = REQUEST_TAP, .use = use, .join = join, .interface = *which};
	struct parent_answer answer;
	struct os_handle queue;
	int rc;

	queue.value = parent_ask(parent, &request, &answer);

	if (os_handle_is_none(queue)) {
		*err = answer.why;
		return err->code;
	}
	rc = tap_adopt(out, queue, use, err);
	if (rc != 0) {
		close((int)queue.value);
		return rc;
	}
	(*out)->parent = parent;
	(*out)->asked = *which;
	return 0;
}

int tap_open_by(struct tap **out, struct parent *parent, const struct netns *ns, const char *name,
	unsigned use, struct os_error *err)
{
	struct parent_interface which = {.name = ""};

	strncpy(which.name, name, INTERFACE_NAME_MAX);
	if (ns != NULL)
		memcpy(which.netns, ns->name, sizeof(which.netns));
	if (parent != NULL)
		return ask_parent(out, parent, &which, use, false, err);
	return ns == NULL ? tap_open(out, name, use, err) : netns_explain(err, EPERM, ns->name);
}

int tap_join(struct tap **out, const struct tap *first, struct os_error *err)
{
	if (first->parent != NULL)
		return ask_parent(out, first->parent, &first->asked, first->uses, true, err);
	return join_queue(out, first->name, first->uses, err);
}

int tap_make_queue(int *fd, const char *name, unsigned use, bool join, struct os_error *err)
{
	struct tap *tap;
	int rc = join ? join_queue(&tap, name, use & FEATURES_OF_TAP, err)
		      : tap_open(&tap, name, use, err);

	if (rc != 0)
		return rc;
	*fd = tap->fd;
	free(tap);
	return 0;
}

void tap_close(struct tap *tap)
{
	if (tap == NULL)
		return;
	close(tap->fd);
	free(tap);
}

int tap_fd(const struct tap *tap)
{
	return tap->fd;
}

/* Also while it is in another network namespace. */
const char *tap_name(struct tap *tap)
{
	struct ifreq now = {0};

	if (ioctl(tap->fd, TUNGETIFF, &now) == 0)
		memcpy(tap->name, now.ifr_name, strnlen(now.ifr_name, INTERFACE_NAME_MAX) + 1);
	return tap->name;
}

unsigned tap_uses(const struct tap *tap)
{
	return tap->uses;
}

unsigned tap_kinds(const struct tap *tap)
{
	unsigned kinds = 0;

	if (tap->uses & FEATURE_TSO)
		kinds |= OFFLOAD_BIT(OFFLOAD_TCP4) | OFFLOAD_BIT(OFFLOAD_TCP6);
	if (tap->uses & FEATURE_USO)
		kinds |= OFFLOAD_BIT(OFFLOAD_UDP);
	return kinds;
}

/* ---- frames ---- */

static const uint8_t gso_types[OFFLOAD_KINDS] = {
	[OFFLOAD_NONE] = VIRTIO_NET_HDR_GSO_NONE,
	[OFFLOAD_TCP4] = VIRTIO_NET_HDR_GSO_TCPV4,
	[OFFLOAD_TCP6] = VIRTIO_NET_HDR_GSO_TCPV6,
	[OFFLOAD_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
};

static uint8_t kind_of(uint8_t gso_type)
{
	uint8_t kind = 0;

	while (kind < OFFLOAD_KINDS && gso_types[kind] != gso_type)
		kind++;
	return kind;
}

/* The header is in the byte order of the host. */
static struct offload offload_from(const struct virtio_net_hdr *h)
{
	return (struct offload){
		.kind = kind_of((uint8_t)(h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN)),
		.ecn = (h->gso_type & VIRTIO_NET_HDR_GSO_ECN) != 0,
		.csum_unset = (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0,
		.csum_start = h->csum_start,
		.csum_offset = h->csum_offset,
		.header_len = h->hdr_len,
		.segment_size = h->gso_size,
	};
}

static struct virtio_net_hdr offload_to(const struct offload *o)
{
	struct virtio_net_hdr h = {.gso_type = gso_types[o->kind]};

	if (o->kind != OFFLOAD_NONE) {
		h.gso_type |= o->ecn ? VIRTIO_NET_HDR_GSO_ECN : 0;
		h.gso_size = o->segment_size;
		h.hdr_len = o->header_len;
	}
	if (o->csum_unset) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = o->csum_start;
		h.csum_offset = o->csum_offset;
	}
	return h;
}

static int transfer_error(int error)
{
	/* The kernel answers so once the interface was deleted under us. */
	if (error == EBADFD)
		return N2N_ENOENT;
	return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM ? N2N_EAGAIN
											: N2N_EIO;
}

int tap_read(struct tap *tap, uint8_t *frame, size_t cap, struct offload *offload)
{
	struct virtio_net_hdr header = {0};
	struct iovec iov[] = {{&header, sizeof(header)}, {frame, cap}};
	int skip = tap->uses & FEATURE_VNET_HDR ? 0 : 1;
	ssize_t len = readv(tap->fd, iov + skip, 2 - skip);

	if (len < 0)
		return transfer_error(errno);
	*offload = offload_from(&header);
	return (int)len - (skip != 0 ? 0 : (int)sizeof(header));
}

int tap_write(struct tap *tap, const struct slice *piece, size_t n, const struct offload *offload)
{
	struct virtio_net_hdr header = offload_to(offload);
	struct iovec iov[1 + TAP_PIECES_MAX];
	int skip = tap->uses & FEATURE_VNET_HDR ? 0 : 1;

	iov[0] = (struct iovec){&header, sizeof(header)};
	for (size_t i = 0; i < n; i++) {
		union {
			const void *in;
			void *out;
		} unconst = {.in = piece[i].data}; /* iovec serves both directions */

		iov[i + 1] = (struct iovec){unconst.out, piece[i].len};
	}
	return writev(tap->fd, iov + skip, (int)n + 1 - skip) < 0 ? transfer_error(errno) : 0;
}
