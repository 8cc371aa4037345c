/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parent's side of os/dhcp.h on Linux: DHCP clients, started, watched and ended. */
#ifndef N2N_OS_LINUX_DHCP_CLIENTS_H
#define N2N_OS_LINUX_DHCP_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "os/dhcp.h"

/* The name by which the hook knows that it is one; its value is the interface. */
#define DHCP_HOOK_VARIABLE "N2N_DHCP_HOOK"

struct dhcp_program;

/* One interface's; zeroed: there is none. */
struct dhcp_client {
	bool used;
	struct parent_interface at; /* it, and where it is */
	const struct dhcp_program *program;
	int words;	  /* our end: news out, anything in or its end is a wish to end */
	int pid, release; /* the client, and what releases its lease; 0: none */
	uint64_t started_ms, again_ms;
	unsigned pause_ms;
	bool ending;
	uint64_t kill_ms; /* what is left is killed then */
};

struct dhcp_clients {
	struct dhcp_client at[COMMUNITIES_MAX];
};

/*
 * A client is to run at the interface: returns the other end of its words, or -1, explained. One
 * that is still ending there is let go.
 */
int dhcp_clients_add(
	struct dhcp_clients *all, const struct parent_interface *interface, struct os_error *err);
/* Reaps, starts, ends and kills what is due. True: some are left. */
bool dhcp_clients_look(struct dhcp_clients *all, uint64_t now_ms);
/* How long nothing is due if nothing happens, for poll. */
int dhcp_clients_wait_ms(const struct dhcp_clients *all, uint64_t now_ms);
/* All are to end. */
void dhcp_clients_end(struct dhcp_clients *all, uint64_t now_ms);

#endif
