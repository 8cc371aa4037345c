/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what interfaces take from router advertisements on Linux: net.ipv6.conf in /proc/sys. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/netns_inside.h"
#include "os/netif.h"

static const char *const settings[NETIF_ROUTER_SETTINGS] = {"accept_ra", "autoconf"};

static int open_setting(const struct netns *ns, const char *name, unsigned setting, int flags)
{
	char path[96];

	if (ns != NULL)
		return netns_setting(ns, name, settings[setting]);
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%.15s/%s", name, settings[setting]);
	return open(path, flags | O_CLOEXEC);
}

/* 0 or an errno. */
static int write_setting(
	const struct netns *ns, const char *name, unsigned setting, const char *value)
{
	int fd = open_setting(ns, name, setting, O_WRONLY);
	ssize_t len = (ssize_t)strlen(value);
	int error;

	if (fd < 0)
		return errno;
	error = write(fd, value, (size_t)len) == len ? 0 : errno;
	close(fd);
	return error;
}

/* One short line, without its newline; 0 or an errno. */
static int read_setting(
	const struct netns *ns, const char *name, unsigned setting, char value[NETIF_SETTING_CAP])
{
	int fd = open_setting(ns, name, setting, O_RDONLY);
	ssize_t len;
	int error;

	if (fd < 0)
		return errno;
	len = read(fd, value, NETIF_SETTING_CAP - 1);
	error = len < 0 ? errno : 0;
	close(fd);
	value[len > 0 ? len : 0] = 0;
	value[strcspn(value, "\n")] = 0;
	return error;
}

static int clear(
	const struct netns *ns, const char *name, unsigned setting, char before[NETIF_SETTING_CAP])
{
	int error = read_setting(ns, name, setting, before);

	if (error == 0 && strcmp(before, "0") != 0)
		error = write_setting(ns, name, setting, "0");
	if (error != 0)
		before[0] = 0;
	return error;
}

int netif_ignore_routers(const struct netns *ns, const char *name, struct netif_routers *before,
	struct os_error *err)
{
	int error = 0;

	*before = (struct netif_routers){.value = {""}};
	for (unsigned i = 0; error == 0 && i < NETIF_ROUTER_SETTINGS; i++)
		error = clear(ns, name, i, before->value[i]);
	/* Without IPv6 there is no such folder, and nobody who would take anything. */
	if (error == 0 || error == ENOENT)
		return 0;
	return os_error_set(err, os_errno(error),
		"cannot have interface \"%.15s\" ignore router advertisements: %s; any member can "
		"give "
		"this host a default route; set net.ipv6.conf.%.15s.accept_ra=0 from outside, or "
		"let "
		"the program write to /proc/sys/net",
		name, strerror(error), name);
}

void netif_restore_routers(
	const struct netns *ns, const char *name, const struct netif_routers *before)
{
	for (unsigned i = 0; i < NETIF_ROUTER_SETTINGS; i++)
		if (before->value[i][0] != 0 && strcmp(before->value[i], "0") != 0)
			(void)write_setting(ns, name, i, before->value[i]);
}
