/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the options that programs share. */
#include "conf/process_conf.h"

#include "conf/features.h"
#include "conf/values.h"

const struct option_spec process_options[] = {
	{
		.name = "disable",
		.arg = "FEATURE,...",
		.env = "N2N_DISABLE",
		.help = "do without features of this system, as fallbacks do",
		.flags = OPTION_HIDDEN | OPTION_REPEATABLE,
		.field = offsetof(struct process_conf, disabled),
		.set = feature_disable,
	},
	{
		.name = "state-dir",
		.arg = "DIR",
		.help = "where keys and the control socket live",
		.flags = OPTION_PATH,
		.field = offsetof(struct process_conf, state_dir),
		.settings = SETTING_BIT(SETTING_STATE_DIR) | SETTING_BIT(SETTING_INSTANCE),
		.set = value_path,
	},
	{
		.name = "foreground",
		.letter = 'f',
		.help = "do not go to the background (always so)",
		.set = value_ignore,
	},
	{
		.name = "verbose",
		.letter = 'v',
		.help = "log more",
		.flags = OPTION_REPEATABLE,
		.field = offsetof(struct process_conf, verbosity),
		.set = value_count,
	},
	{0},
};

#define HELP_OPTION(offset)                                                                        \
	{                                                                                          \
		.name = "help", .letter = 'h', .help = "show this text and exit",                  \
		.flags = OPTION_LINE_ONLY, .field = (offset), .set = value_set_true,               \
	}

const struct option_spec about_options[] = {
	HELP_OPTION(offsetof(struct process_conf, help)),
	{
		.name = "version",
		.letter = 'V',
		.help = "show the version and exit",
		.flags = OPTION_LINE_ONLY,
		.field = offsetof(struct process_conf, version),
		.set = value_set_true,
	},
	{0},
};

const struct option_spec help_options[] = {HELP_OPTION(0), {0}};
