/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a member of a community is besides a host: bits of CLAIM (PROTOCOL.md 7.11, 9.7). */
#ifndef N2N_BASE_ROLE_H
#define N2N_BASE_ROLE_H

enum member_role {
	ROLE_BRIDGE = 1,  /* it carries frames of others, from addresses that it does not own */
	ROLE_DHCP = 2,	  /* DHCP servers answer by it */
	ROLE_ROUTER = 4,  /* IPv6 routers advertise by it */
	ROLE_STANDBY = 8, /* another bridge of its LAN carries its frames: it is not bound */
	ROLES_ALL = 15,
	ROLE_OF_NOBODY = 128 /* no member can say that it has it */
};

#endif
