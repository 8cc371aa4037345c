/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a program uses of its system when it is there. One set of bits says what is to be left alone
 * (--disable, for tests of the fallbacks and for systems that claim more than they can), what may
 * be used, and what is in use. The names are in conf/features.h.
 */
#ifndef N2N_BASE_FEATURE_H
#define N2N_BASE_FEATURE_H

enum feature {
	FEATURE_USO = 1,       /* UDP super-frames at the interface; needs FEATURE_VNET_HDR */
	FEATURE_TSO = 2,       /* TCP super-frames there, with ECN; the same */
	FEATURE_GSO = 4,       /* trains of datagrams, sent by one call (UDP_SEGMENT) */
	FEATURE_GRO = 8,       /* trains of datagrams, received by one call (UDP_GRO) */
	FEATURE_VNET_HDR = 16, /* facts beside the interface's frames, unset checksums */
	FEATURE_IPSEC_MB = 32, /* the cipher library libipsec-mb */
	FEATURE_END = 64,      /* those above have names for users */
	FEATURE_QUEUES = 64    /* several queues of an interface; the number of workers decides */
};

#define FEATURES_OF_TAP (FEATURE_VNET_HDR | FEATURE_TSO | FEATURE_USO | FEATURE_QUEUES)
#define FEATURES_OF_UDP (FEATURE_GSO | FEATURE_GRO)

#endif
