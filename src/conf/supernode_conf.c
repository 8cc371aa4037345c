/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options of a supernode that are not every program's. */
#include "conf/supernode_conf.h"

#include <string.h>

#include "conf/values.h"

/* unsigned */
static int set_per_address(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 1, PER_ADDRESS_MAX))
		return value_wrong(why, why_cap, "is not a number of registrations; give 1 to %d",
			PER_ADDRESS_MAX);
	return 0;
}

/* unsigned */
static int set_rate(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 0, GROUP_RATE_MAX))
		return value_wrong(why, why_cap, "is not a rate; give 0 (nothing) to %d a second",
			GROUP_RATE_MAX);
	return 0;
}

static const struct option_spec network_options[] = {
	{
		.name = "port",
		.letter = 'p',
		.arg = "[ADDRESS:]PORT",
		.help = "UDP port to listen at, default " OPTION_NUMBER(SUPERNODE_PORT_DEFAULT),
		.field = offsetof(struct supernode_conf, local),
		.settings = SETTING_BIT(SETTING_PORT) | SETTING_BIT(SETTING_INSTANCE),
		.set = value_listen,
	},
	{
		.name = "local-port",
		.letter = 'l',
		.arg = "[ADDRESS:]PORT",
		.help = "the same as --port",
		.field = offsetof(struct supernode_conf, local),
		.set = value_listen,
	},
	{
		.name = "max-per-address",
		.arg = "N",
		.help = "members of a network from one address or IPv6 /64, "
			"default " OPTION_NUMBER(PER_ADDRESS_DEFAULT),
		.field = offsetof(struct supernode_conf, per_address),
		.settings = SETTING_BIT(SETTING_PER_ADDRESS),
		.set = set_per_address,
	},
	{
		.name = "group-packets",
		.arg = "N",
		.help = "broadcasts of a member to copy in a second, "
			"default " OPTION_NUMBER(GROUP_PACKETS_DEFAULT),
		.field = offsetof(struct supernode_conf, group_packets),
		.set = set_rate,
	},
	{
		.name = "group-bits",
		.arg = "N",
		.help = "bits of these in a second, default " OPTION_NUMBER(GROUP_BITS_DEFAULT),
		.field = offsetof(struct supernode_conf, group_bits),
		.set = set_rate,
	},
	{
		.name = "group-copies",
		.arg = "N",
		.help = "copies of these in a network in a second, default " OPTION_NUMBER(
			GROUP_COPIES_DEFAULT),
		.field = offsetof(struct supernode_conf, group_copies),
		.set = set_rate,
	},
	{0},
};

static const struct option_spec worker_options[] = {
	{
		.name = "workers",
		.arg = "N",
		.env = "N2N_WORKERS",
		.help = "threads that move packets, default one a core",
		.field = offsetof(struct process_conf, workers),
		.settings = SETTING_BIT(SETTING_WORKERS),
		.set = value_workers,
	},
	{0},
};

const struct option_set supernode_options = {
	.program = "supernode",
	.usage = "[-p [ADDRESS:]PORT] ...",
	.blocks =
		{
			{"Network", network_options, 0},
			{"Program", worker_options, offsetof(struct supernode_conf, process)},
			{NULL, process_options, offsetof(struct supernode_conf, process)},
			{NULL, about_options, offsetof(struct supernode_conf, process)},
		},
	.epilogue = "With 0 for one of the limits of broadcasts none are copied: members send one "
		    "to each.\n" EXIT_STATUS_HELP,
};

int supernode_conf_parse(struct supernode_conf *conf, int argc, char **argv, struct conf_error *err)
{
	memset(conf, 0, sizeof(*conf));
	conf->local.port = SUPERNODE_PORT_DEFAULT;
	conf->per_address = PER_ADDRESS_DEFAULT;
	conf->group_packets = GROUP_PACKETS_DEFAULT;
	conf->group_bits = GROUP_BITS_DEFAULT;
	conf->group_copies = GROUP_COPIES_DEFAULT;
	if (options_from_env(&supernode_options, conf, err) != 0)
		return N2N_EINVAL;
	return options_from_args(&supernode_options, argc, argv, conf, err);
}
