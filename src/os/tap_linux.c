/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the TAP interface on Linux: /dev/net/tun. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "os/tap.h"

#define TUN_DEVICE "/dev/net/tun"

_Static_assert(TAP_NAME_MAX == IFNAMSIZ - 1, "the kernel's limit of interface names");

struct tap {
	int fd;
	char name[TAP_NAME_MAX + 1];
};

/* What the kernel takes, less '%', which would ask it for a number of its own. */
static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > TAP_NAME_MAX || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] == 0x7f || strchr("/:%", name[i]))
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
		return os_error_set(err, code,
			"interface \"%s\" is in use by another process; stop that one or choose "
			"another name (option -d)",
			name);
	case EINVAL:
		return os_error_set(err, N2N_EEXIST,
			"interface \"%s\" exists and is not a free TAP; remove it or choose "
			"another name (option -d)",
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

/*
 * Without IFF_TUN_EXCL a second process would take half of the frames of an interface; with it a
 * persistent one cannot be opened. An interface without IFF_MULTI_QUEUE has one owner at most.
 */
static int attach(int fd, const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	struct ifreq exclusive;

	memcpy(ifr.ifr_name, name, strlen(name));
	exclusive = ifr;
	exclusive.ifr_flags |= (short)IFF_TUN_EXCL;
	if (!ioctl(fd, TUNSETIFF, &exclusive))
		return 0;
	if (errno == EBUSY && !ioctl(fd, TUNSETIFF, &ifr))
		return 0;
	return errno;
}

int tap_open(struct tap **out, const char *name, struct os_error *err)
{
	struct tap *tap;
	int fd, error;

	if (!name_is_valid(name))
		return os_error_set(err, N2N_EINVAL,
			"\"%.40s\" cannot name an interface; give 1 to %d characters without "
			"blanks, '/', ':' and '%%' (option -d)",
			name, TAP_NAME_MAX);
	fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return explain_device(err, errno);
	tap = calloc(1, sizeof(*tap));
	error = tap ? attach(fd, name) : ENOMEM;
	if (error) {
		close(fd);
		free(tap);
		return explain_interface(err, error, name);
	}
	tap->fd = fd;
	memcpy(tap->name, name, strlen(name));
	*out = tap;
	return 0;
}

void tap_close(struct tap *tap)
{
	if (!tap)
		return;
	close(tap->fd);
	free(tap);
}

int tap_fd(const struct tap *tap)
{
	return tap->fd;
}

const char *tap_name(const struct tap *tap)
{
	return tap->name;
}

static int transfer_error(int error)
{
	/* The kernel answers so once the interface was deleted under us. */
	if (error == EBADFD)
		return N2N_ENOENT;
	return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM ? N2N_EAGAIN
											: N2N_EIO;
}

int tap_read(struct tap *tap, uint8_t *frame, size_t cap)
{
	ssize_t len = read(tap->fd, frame, cap);

	return len < 0 ? transfer_error(errno) : (int)len;
}

int tap_write(struct tap *tap, const uint8_t *frame, size_t len)
{
	return write(tap->fd, frame, len) < 0 ? transfer_error(errno) : 0;
}
