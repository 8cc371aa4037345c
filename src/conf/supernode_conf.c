/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options of a supernode. */
#include "conf/supernode_conf.h"

#include <string.h>

#include "conf/features.h"
#include "conf/values.h"

static const struct option_spec specs[] = {
	{
		.name = "port",
		.letter = 'p',
		.arg = "[ADDRESS:]PORT",
		.help = "UDP port to listen at, default " OPTION_NUMBER(SUPERNODE_PORT_DEFAULT),
		.section = "Network",
		.field = offsetof(struct supernode_conf, local),
		.settings = SETTING_BIT(SETTING_PORT) | SETTING_BIT(SETTING_INSTANCE),
		.set = value_listen,
	},
	{
		.name = "local-port",
		.letter = 'l',
		.arg = "[ADDRESS:]PORT",
		.help = "the same as --port",
		.section = "Network",
		.field = offsetof(struct supernode_conf, local),
		.set = value_listen,
	},
	{
		.name = "workers",
		.arg = "N",
		.env = "N2N_WORKERS",
		.help = "threads that move packets, default one for each core",
		.section = "Program",
		.field = offsetof(struct supernode_conf, workers),
		.settings = SETTING_BIT(SETTING_WORKERS),
		.set = value_workers,
	},
	{
		.name = "disable",
		.arg = "FEATURE,...",
		.env = "N2N_DISABLE",
		.help = "do without features of this system, as fallbacks do",
		.section = "Program",
		.flags = OPTION_HIDDEN | OPTION_REPEATABLE,
		.field = offsetof(struct supernode_conf, disabled),
		.set = feature_disable,
	},
	{
		.name = "state-dir",
		.arg = "DIR",
		.help = "where keys and the control socket live",
		.section = "Program",
		.field = offsetof(struct supernode_conf, state_dir),
		.settings = SETTING_BIT(SETTING_STATE_DIR) | SETTING_BIT(SETTING_INSTANCE),
		.set = value_path,
	},
	{
		.name = "foreground",
		.letter = 'f',
		.help = "do not go to the background (always so)",
		.section = "Program",
		.set = value_ignore,
	},
	{
		.name = "verbose",
		.letter = 'v',
		.help = "log more",
		.section = "Program",
		.flags = OPTION_REPEATABLE,
		.field = offsetof(struct supernode_conf, verbosity),
		.set = value_count,
	},
	{
		.name = "help",
		.letter = 'h',
		.help = "show this text and exit",
		.section = "Program",
		.field = offsetof(struct supernode_conf, help),
		.set = value_set_true,
	},
	{
		.name = "version",
		.letter = 'V',
		.help = "show the version and exit",
		.section = "Program",
		.field = offsetof(struct supernode_conf, version),
		.set = value_set_true,
	},
};

const struct option_set supernode_options = {
	.program = "supernode",
	.usage = "[-p PORT]",
	.specs = specs,
	.count = sizeof(specs) / sizeof(specs[0]),
	.epilogue = EXIT_STATUS_HELP,
};

int supernode_conf_parse(struct supernode_conf *conf, int argc, char **argv, struct conf_error *err)
{
	memset(conf, 0, sizeof(*conf));
	conf->local.port = SUPERNODE_PORT_DEFAULT;
	if (options_from_env(&supernode_options, conf, err) != 0)
		return N2N_EINVAL;
	return options_from_args(&supernode_options, argc, argv, conf, err);
}
