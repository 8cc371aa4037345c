/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns what is known of the options of n2n 2 and 3. */
#include "conf/v3_options.h"

#include <stddef.h>
#include <string.h>

static const struct v3_option options[] = {
	{0, "tap-device", V3_SAME, "device"},
	{0, "tun-device", V3_SAME, "device"},
	{0, "supernode-list", V3_SAME, "supernode"},
	{0, "local-port", V3_SAME, "port"},
	{'A', NULL, V3_NEEDLESS, "everything is encrypted, always"},
	{'H', NULL, V3_NEEDLESS, "headers are hidden, always"},
	{'z', NULL, V3_NEEDLESS, "there is no compression"},
	{'E', NULL, V3_NEEDLESS, "multicast is carried, always"},
	{'b', NULL, V3_NEEDLESS, "names of supernodes are looked up again as needed"},
	{'i', NULL, V3_NEEDLESS, "intervals are chosen by themselves"},
	{'L', NULL, V3_NEEDLESS, "ways through NATs are found by themselves"},
	{'D', NULL, V3_NEEDLESS, "sizes of packets are found by themselves"},
	{'T', NULL, V3_NEEDLESS, "the type of service is not set"},
	{'x', NULL, V3_NEEDLESS, "the metric is for Windows"},
	{'u', "euid", V3_NEEDLESS, "rights are given up by themselves"},
	{'g', "egid", V3_NEEDLESS, "rights are given up by themselves"},
	{'t', "mgmt-port", V3_NEEDLESS, "\"n2n status\" needs no port"},
	{0, "management-password", V3_NEEDLESS, "\"n2n status\" needs no password"},
	{'I', NULL, V3_NEEDLESS, "there are no descriptions"},
	{'e', NULL, V3_NEEDLESS, "local addresses are found by themselves"},
	{'V', NULL, V3_NEEDLESS, "without -v little is logged"},
	{0, "select-rtt", V3_NEEDLESS, "the supernodes are tried in their order"},
	{0, "select-mac", V3_NEEDLESS, "the supernodes are tried in their order"},
	{'S', NULL, V3_GONE, "that all goes through the supernode cannot be chosen"},
	{'R', NULL, V3_GONE, "there are no filter rules; write them for nftables"},
	{'J', NULL, V3_GONE, "there are no users with passwords"},
	{'P', NULL, V3_GONE, "the key of a supernode is given with it, as HOST:PORT/KEY"},
	{'n', NULL, V3_GONE, "routes are set by \"ip route add\""},
	{'s', NULL, V3_GONE, "the network is given with the address, as 10.1.2.1/24"},
};

const struct v3_option *v3_option_find(char letter, const char *name)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const struct v3_option *o = &options[i];

		if (letter != 0 ? letter == o->letter
				: o->name != NULL && strcmp(name, o->name) == 0)
			return o;
	}
	return NULL;
}
