/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program n2n: one table of subcommands. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "conf/options.h"
#include "ctl/commands.h"
#include "os/sys.h"

static int help_command(int argc, char **argv);
static int version_command(int argc, char **argv);

static const struct command {
	const char *name;
	const char *usage;
	const char *help;
	const char *output; /* what it writes, for errors */
	int (*run)(int argc, char **argv);
} commands[] = {
	{"bench", "bench crypto|path|serve", "measure ciphers, or the way to another machine",
		"the results", bench_command},
	{"fdb", "fdb [-j] [-d INSTANCE]", "show where Ethernet addresses lead to", "the addresses",
		fdb_command},
	{"forget", "forget [-d INSTANCE] MAC", "let another member have a MAC address",
		"the result", forget_command},
	{"key", "key new NAME", "make a key for a community", "the key", key_command},
	{"reload", "reload [-j] [-d INSTANCE]", "have edges read their files again", "the answer",
		reload_command},
	{"status", "status [-j] [-d INSTANCE]", "show edges and supernodes of this host",
		"the status", status_command},
	{"help", "help", "show this text", "the help", help_command},
	{"version", "version", "show the version", "the version", version_command},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int refuse_words(char **argv)
{
	char buf[CONF_QUOTED_CAP];

	fprintf(stderr, "n2n: unexpected argument %s; \"n2n %s\" takes none\n",
		conf_quote(buf, argv[1]), argv[0]);
	return STATUS_USAGE;
}

static int help_command(int argc, char **argv)
{
	if (argc > 1)
		return refuse_words(argv);
	puts("Usage: n2n COMMAND\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-28s %s\n", commands[i].usage, commands[i].help);
	puts("\nThe VPN itself is run by \"edge\" and \"supernode\"; see their --help.");
	return STATUS_OK;
}

static int version_command(int argc, char **argv)
{
	if (argc > 1)
		return refuse_words(argv);
	puts("n2n " N2N_VERSION);
	return STATUS_OK;
}

/* Options of other programs that people try first. */
static const char *alias(const char *word)
{
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return "help";
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
		return "version";
	return word;
}

static int run(const struct command *c, int argc, char **argv)
{
	int status = c->run(argc, argv);
	struct os_error err;

	if (status == STATUS_OK && sys_flush_stdout(c->output, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		status = STATUS_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	char buf[CONF_QUOTED_CAP];

	sys_open_standard();
	if (argc < 2) {
		fputs("n2n: no command; try \"n2n help\"\n", stderr);
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(alias(argv[1]), commands[i].name) == 0)
			return run(&commands[i], argc - 1, argv + 1);
	fprintf(stderr, "n2n: %s is no command; try \"n2n help\"\n", conf_quote(buf, argv[1]));
	return STATUS_USAGE;
}
