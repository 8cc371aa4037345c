/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Something of the system, passed by value: a descriptor; on Windows a SOCKET or a HANDLE. Only
 * src/os looks inside. The two ways in and out: a TAP that somebody else opened (tap_adopt), and
 * what libuv is to wait for (netif_watch_handle), where value is its uv_os_sock_t.
 *
 * Every system. Who owns a handle is said where it comes from. Any thread.
 */
#ifndef N2N_OS_HANDLE_H
#define N2N_OS_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

struct os_handle {
	intptr_t value; /* -1: none, which no system gives out */
};

/* Stands for a handle that is not there; what takes handles says where it may. */
static inline struct os_handle os_handle_none(void)
{
	return (struct os_handle){-1};
}

/* Tells no more than that: any other handle may have been closed by its owner. */
static inline bool os_handle_is_none(struct os_handle h)
{
	return h.value == -1;
}

#endif
