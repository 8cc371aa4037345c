/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a user may choose otherwise. An error from below the programs names the choice that would
 * help; how it is made, by which option of which program, only the tables of conf know.
 */
#ifndef N2N_BASE_SETTING_H
#define N2N_BASE_SETTING_H

enum setting {
	SETTING_NONE,
	SETTING_COMMUNITY, /* its name */
	SETTING_INTERFACE, /* the name of the interface */
	SETTING_INSTANCE,  /* what tells two instances apart: a name or port, or the directory */
	SETTING_PORT,
	SETTING_UNDERLAY, /* the interface to the network underneath */
	SETTING_STATE_DIR,
	SETTING_SUPERNODE,
	SETTING_MAC,
	SETTING_WORKERS,
	SETTING_PER_ADDRESS,
	SETTING_ADDRESS, /* in the community */
	SETTING_BRIDGE,	 /* frames of others are carried */
	SETTING_DHCP_SERVER,
	SETTING_ROUTER,
	SETTING_TRUST, /* who may have which role */
	SETTING_BPDU_GUARD,
	SETTING_SIGNED_BROADCAST,
	SETTING_LEARN, /* how many addresses */
	SETTING_NETNS, /* network namespace of the interface */
	SETTING_UNDERLAY_NETNS
};

#define SETTING_BIT(setting) (1u << (setting))

#endif
