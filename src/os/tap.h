/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual Ethernet interface through which the host's frames come and go. A frame starts with
 * the destination address and has no FCS. Where the system can, it hands over super-frames and
 * frames whose checksum is unset, and takes them (base/offload.h). Nothing here blocks. Reading and
 * writing may happen in two threads at once; making and closing belongs to one.
 *
 * Every system with a driver for Ethernet frames: TUN/TAP on Linux and FreeBSD, TAP-Windows, a pair
 * of feth on macOS. tap_join is for systems with several queues, which FEATURE_QUEUES tells.
 */
#ifndef N2N_OS_TAP_H
#define N2N_OS_TAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/feature.h"
#include "base/limits.h"
#include "base/offload.h"
#include "os/error.h"
#include "os/handle.h"
#include "os/netns.h"
#include "os/parent.h"

#define TAP_FRAME_MAX	     65553 /* the largest super-frame: an IP packet, Ethernet header, VLAN tag */
#define TAP_GSO_MAX	     65536 /* for netif_set_gso_limits: what the system allows at most */
#define TAP_GSO_SEGMENTS_MAX 65535
#define TAP_PIECES_MAX	     64 /* of a frame written */

struct tap;

/*
 * Creates the interface, or takes over a persistent one that nobody uses. It starts as the system
 * makes it: down, without addresses (see netif.h). use is a set of enum feature; what the system
 * lacks of FEATURES_OF_TAP in it is left away. Whether a persistent interface has several queues
 * was settled by who made it. N2N_EINVAL: no valid name; N2N_EEXIST: in use, or no TAP; N2N_EPERM;
 * N2N_ENOSYS: the system has no TAP driver.
 */
MUST_CHECK int tap_open(struct tap **out, const char *name, unsigned use, struct os_error *err);
/*
 * The same by a parent that has the rights to it, if there is one: it opens the interface that was
 * configured when the two parted, which name is to be. Kept for tap_join. parent may be
 * NULL. ns: where it is to be, which takes a parent; NULL: here.
 */
MUST_CHECK int tap_open_by(struct tap **out, struct parent *parent, const struct netns *ns,
	const char *name, unsigned use, struct os_error *err);
/*
 * A further queue of the interface, for one more worker: the system spreads the flows over all.
 * Each is read, written and closed by itself. first has FEATURE_QUEUES. N2N_ENOENT: the interface
 * was removed; N2N_EPERM; N2N_ENOMEM.
 */
MUST_CHECK int tap_join(struct tap **out, const struct tap *first, struct os_error *err);
/*
 * A queue that somebody else opened: a helper with more rights than this process, or the system
 * that starts us. It is an open descriptor of the driver, attached to a TAP (on Linux with
 * IFF_NO_PI, which cannot be seen); on Windows the driver's HANDLE.
 *
 * On success the tap owns it, and facts beside frames are in use if and only if it was attached so;
 * the rest of use is as for tap_open. To join it takes the rights that tap_open takes; else more
 * such queues are adopted. On failure it stays the caller's. N2N_EINVAL: it is none of the driver,
 * is not attached, or carries IP packets without Ethernet (a TUN, as Android gives them);
 * N2N_ENOMEM.
 */
MUST_CHECK int tap_adopt(
	struct tap **out, struct os_handle queue, unsigned use, struct os_error *err);
/* The interface disappears with its last queue unless it was persistent. NULL is fine. */
void tap_close(struct tap *tap);

/* The interface's name as it is now, until the next call. One thread at a time. */
const char *tap_name(struct tap *tap);
/* What is in use, a set of enum feature. */
unsigned tap_uses(const struct tap *tap);
/* The kinds of super-frame that tap_write takes: a set of OFFLOAD_BIT. */
unsigned tap_kinds(const struct tap *tap);

/*
 * Reads one frame, cut to cap, and returns its length. A super-frame of a kind that is not known
 * here, which nobody asked for, has OFFLOAD_KINDS as its kind. N2N_EAGAIN: none there; N2N_EIO:
 * failed this time, for example because the interface is down; N2N_ENOENT: the interface was
 * removed.
 */
MUST_CHECK int tap_read(struct tap *tap, uint8_t *frame, size_t cap, struct offload *offload);
/*
 * Writes one frame, given as n <= TAP_PIECES_MAX pieces. offload must be of a kind in tap_kinds,
 * and csum_unset only with FEATURE_VNET_HDR. Errors as above; N2N_EAGAIN when the frame has to be
 * dropped.
 */
MUST_CHECK int tap_write(
	struct tap *tap, const struct slice *piece, size_t n, const struct offload *offload);

#endif
