/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the choice of what "n2n bench" measures. */
#include "ctl/bench.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "conf/options.h"
#include "conf/values.h"
#include "ctl/commands.h"

static const struct bench {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
} benches[] = {
	{"crypto", "the packet ciphers of this machine", bench_crypto},
	{"path", "the way to a machine where \"n2n bench serve\" runs", bench_path},
	{"serve", "nothing itself: the other end of \"n2n bench path\"", bench_serve},
};

#define BENCHES (sizeof(benches) / sizeof(benches[0]))

int bench_value_port(void *field, const char *value, char *why, size_t why_cap)
{
	if (!value_number(field, value, 1, UINT16_MAX))
		return value_wrong(why, why_cap, "is no port; give 1 to 65535");
	return 0;
}

int bench_command(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	char buf[CONF_QUOTED_CAP];

	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
		puts("Usage: n2n bench WHAT; \"n2n bench WHAT --help\" says more\n");
		for (size_t i = 0; i < BENCHES; i++)
			printf("  %-7s measures %s\n", benches[i].name, benches[i].help);
		return STATUS_OK;
	}
	for (size_t i = 0; i < BENCHES; i++)
		if (strcmp(word, benches[i].name) == 0)
			return benches[i].run(argc - 1, argv + 1);
	fprintf(stderr,
		"n2n: bench cannot measure %s; say \"n2n bench crypto\", \"path\" or \"serve\"\n",
		conf_quote(buf, word));
	return STATUS_USAGE;
}
