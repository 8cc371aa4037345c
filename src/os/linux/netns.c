/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns network namespaces on Linux: their names, entering them, and what is asked of the parent. */
#define _GNU_SOURCE
#include "os/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/linux/netns_inside.h"
#include "os/linux/parent_inside.h"

#define NAMED "/run/netns/"

struct path {
	char text[sizeof(NAMED) + NETNS_MAX];
};

static void path_of(struct path *p, const char *name)
{
	snprintf(p->text, sizeof(p->text), "%s%s", strchr(name, '/') != NULL ? "" : NAMED, name);
}

int netns_go(const char *name)
{
	struct path p;
	int fd, error;

	path_of(&p, name);
	fd = open(p.text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	error = setns(fd, CLONE_NEWNET) != 0 ? errno : 0;
	close(fd);
	return error;
}

int netns_explain(struct os_error *err, int error, const char *name)
{
	int code = os_errno(error);

	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return os_error_choose(err, N2N_ENOENT, SETTING_NETNS,
			"there is no network namespace \"%.120s\"; \"ip netns\" shows those with a "
			"name, and \"ip netns add\" makes one",
			name);
	case EPERM:
	case EACCES:
		return os_error_set(err, code,
			"not allowed to enter the network namespace \"%.120s\"; start the program "
			"as root (CAP_SYS_ADMIN), or anew: the right is kept only if a namespace "
			"is named at the start",
			name);
	default:
		return os_error_choose(err, code, SETTING_NETNS,
			"cannot enter the network namespace \"%.120s\": %s; check that it is one",
			name, strerror(error));
	}
}

int netns_enter(const char *name, struct os_error *err)
{
	int error = netns_go(name);

	return error != 0 ? netns_explain(err, error, name) : 0;
}

int netns_find(const struct netns *ns, struct netns_id *out)
{
	struct stat info;
	struct path p;

	*out = (struct netns_id){0, 0};
	if (ns->name[0] == 0)
		return 0;
	path_of(&p, ns->name);
	if (stat(p.text, &info) != 0)
		return os_errno(errno);
	*out = (struct netns_id){info.st_dev, info.st_ino};
	return 0;
}

/* ---- by the parent ---- */

static int ask(const struct netns *ns, struct parent_request *r)
{
	struct parent_answer a;
	int fd;

	if (ns->parent == NULL) {
		errno = EPERM;
		return -1;
	}
	memcpy(r->interface.netns, ns->name, sizeof(r->interface.netns));
	fd = parent_ask(ns->parent, r, &a);
	if (fd < 0)
		errno = a.error != 0 ? a.error : EPERM;
	return fd;
}

int netns_netlink(const struct netns *ns)
{
	struct parent_request r = {.kind = REQUEST_NETLINK};

	return ask(ns, &r);
}

int netns_setting(const struct netns *ns, const char *interface, const char *setting)
{
	struct parent_request r = {.kind = REQUEST_SETTING};

	strncpy(r.interface.name, interface, sizeof(r.interface.name) - 1);
	strncpy(r.setting, setting, sizeof(r.setting) - 1);
	return ask(ns, &r);
}
