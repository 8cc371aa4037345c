/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the capabilities of this process, by libcap-ng. */
#include "os/rights.h"

#include <cap-ng.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

static const struct {
	enum right right;
	unsigned capability;
} capabilities[] = {
	{RIGHT_INTERFACES, CAP_NET_ADMIN},
	{RIGHT_LOW_PORTS, CAP_NET_BIND_SERVICE},
	{RIGHT_FILES, CAP_DAC_OVERRIDE},
	{RIGHT_PACKETS, CAP_NET_RAW},
	{RIGHT_NAMESPACES, CAP_SYS_ADMIN},
	{RIGHT_NAMESPACES, CAP_SYS_PTRACE},
};

#define CAPABILITIES (sizeof(capabilities) / sizeof(capabilities[0]))

/* Leaves those of keep that the process has; the rest of libcap-ng's picture of it is empty. */
static void keep_only(unsigned keep)
{
	const unsigned own = CAPNG_EFFECTIVE | CAPNG_PERMITTED;
	unsigned sets = own;
	bool kept[CAPABILITIES];

	if (keep & RIGHT_HELPERS)
		sets |= CAPNG_BOUNDING_SET;
	for (size_t i = 0; i < CAPABILITIES; i++)
		kept[i] = keep & capabilities[i].right &&
			  capng_have_capability(CAPNG_PERMITTED, capabilities[i].capability);
	capng_clear(CAPNG_SELECT_ALL);
	/* No helper enters namespaces. */
	for (size_t i = 0; i < CAPABILITIES; i++)
		if (kept[i])
			(void)capng_update(CAPNG_ADD,
				(capng_type_t)(capabilities[i].right == RIGHT_NAMESPACES ? own
											 : sets),
				capabilities[i].capability);
}

bool rights_exceed(unsigned keep)
{
	if (capng_get_caps_process() != 0)
		return true;
	for (size_t i = 0; i < CAPABILITIES; i++)
		if (keep & capabilities[i].right)
			(void)capng_update(CAPNG_DROP, CAPNG_PERMITTED, capabilities[i].capability);
	return capng_have_permitted_capabilities() != CAPNG_NONE;
}

static int explain(struct os_error *err, const char *what)
{
	return os_error_set(err, os_errno(errno),
		"cannot give up %s: %s; allow capset and prctl in the sandbox of this process, or "
		"start it with fewer rights",
		what, strerror(errno));
}

/*
 * The bounding set is what a program started by root would get. To empty it takes CAP_SETPCAP; who
 * lacks that is kept from new rights by no_new_privs alone.
 */
int rights_drop(unsigned keep, struct os_error *err)
{
	capng_select_t sets = CAPNG_SELECT_CAPS;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return explain(err, "new rights (no_new_privs)");
	if (capng_get_caps_process() != 0)
		return explain(err, "rights (capabilities)");
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		sets |= CAPNG_SELECT_BOUNDS;
	keep_only(keep);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return explain(err, "inherited rights (ambient capabilities)");
	if (capng_apply(sets) != 0)
		return explain(err, "rights (capabilities)");
	return 0;
}
