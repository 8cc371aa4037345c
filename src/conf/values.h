/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values that more than one option table takes. Any thread.
 *
 * Those with field and why are for option_spec.set: each stores into a field of the type named, and
 * gives N2N_EINVAL with the reason in why, as told there, for a value that is none.
 */
#ifndef N2N_CONF_VALUES_H
#define N2N_CONF_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "base/limits.h"

/* Writes the reason to why, cut to why_cap bytes, and returns N2N_EINVAL. */
__attribute__((format(printf, 3, 4))) int value_wrong(
	char *why, size_t why_cap, const char *fmt, ...);

/* True for decimal digits only, of a number from min to max. */
bool value_number(unsigned *out, const char *text, unsigned min, unsigned max);
/* True for an address of either family without port and brackets; the port of e becomes 0. */
bool value_address(struct endpoint *e, const char *text);
/* True for UTF-8 (RFC 3629) without control characters. */
bool value_is_printable(const char *text);

/* True for what the kernel takes as the name of an interface, in ASCII, and with '%' as itself. */
bool value_is_interface(const char *text);

/* bool; takes no value */
int value_set_true(void *field, const char *value, char *why, size_t why_cap);
/* unsigned, one more each time; takes no value */
int value_count(void *field, const char *value, char *why, size_t why_cap);
/* unsigned, threads: 1 to WORKERS_MAX */
int value_workers(void *field, const char *value, char *why, size_t why_cap);
/* const char *, the value itself; not empty */
int value_path(void *field, const char *value, char *why, size_t why_cap);
/* const char *, a network namespace: what "ip netns" calls it, or a path with a '/' */
int value_netns(void *field, const char *value, char *why, size_t why_cap);
/* struct endpoint; PORT or ADDRESS:PORT */
int value_listen(void *field, const char *value, char *why, size_t why_cap);
/* For an option that is accepted and changes nothing. */
int value_ignore(void *field, const char *value, char *why, size_t why_cap);

#endif
