/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a program uses of its system when it is there, and what of that is to be left alone: for
 * tests of the fallbacks, and for systems that claim more than they can.
 */
#ifndef N2N_CONF_FEATURES_H
#define N2N_CONF_FEATURES_H

#include <stddef.h>

#include "base/err.h"

enum feature {
	FEATURE_USO = 1,       /* UDP super-frames at the interface */
	FEATURE_TSO = 2,       /* TCP super-frames at the interface */
	FEATURE_GSO = 4,       /* trains of datagrams, sent by one call */
	FEATURE_GRO = 8,       /* trains of datagrams, received by one call */
	FEATURE_VNET_HDR = 16, /* facts beside the interface's frames, all of its offloads */
	FEATURE_IPSEC_MB = 32, /* the cipher library libipsec-mb */
	FEATURE_END = 64
};

const char *feature_name(enum feature f);

/* For option_spec.set: adds the names, separated by commas, to a set of enum feature (unsigned). */
int feature_disable(void *field, const char *value, char *why, size_t why_cap);

#endif
