/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns "n2n bench crypto": how fast each packet cipher is here, and which will be used. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/features.h"
#include "conf/process_conf.h"
#include "conf/values.h"
#include "crypto/aead/aead.h"
#include "ctl/bench.h"
#include "ctl/commands.h"
#include "ctl/text.h"
#include "os/error.h"
#include "os/sys.h"

#define TIME_NS UINT64_C(40000000) /* for each cipher, library and length */

static const enum aead_suite suites[] = {AEAD_AES256GCM, AEAD_CHACHA20POLY1305};
static const size_t lengths[] = {16, 64, 512, 1400};

#define SUITES	(sizeof(suites) / sizeof(suites[0]))
#define LENGTHS (sizeof(lengths) / sizeof(lengths[0]))
#define FIRST	3 /* column of the first length */

struct bench_conf {
	bool json;
	bool help;
	unsigned disabled;
};

static const struct option_spec specs[] = {
	{
		.name = "json",
		.letter = 'j',
		.help = "write one line of JSON instead of the table",
		.field = offsetof(struct bench_conf, json),
		.set = value_set_true,
	},
	{
		.name = "disable",
		.arg = "FEATURES",
		.help = "do without libraries: ipsec-mb",
		.flags = OPTION_HIDDEN | OPTION_REPEATABLE,
		.field = offsetof(struct bench_conf, disabled),
		.set = feature_disable,
	},
	{0},
};

static const struct option_set options = {
	.program = "n2n bench crypto",
	.usage = "[-j]",
	.blocks = {{"Options", specs, 0}, {NULL, help_options, offsetof(struct bench_conf, help)}},
};

/* One library under one cipher. */
struct result {
	const char *cipher;
	const char *library;
	bool chosen;
	struct {
		double seal_ns; /* per packet */
		double open_ns;
	} at[LENGTHS];
};

struct results {
	size_t n;
	struct result *list; /* owned */
};

/* ---- measuring ---- */

static int measure(struct result *r, const struct aead_provider *p, enum aead_suite suite)
{
	for (size_t i = 0; i < LENGTHS; i++) {
		struct aead_speed speed;
		int rc = aead_measure(&speed, p, suite, lengths[i], 2, sys_now_ns);
		uint64_t once = speed.seal_ns + speed.open_ns;

		if (rc == 0)
			rc = aead_measure(&speed, p, suite, lengths[i],
				(unsigned)(TIME_NS / (once + 1)) + 1, sys_now_ns);
		if (rc != 0)
			return rc;
		r->at[i].seal_ns = (double)speed.seal_ns / AEAD_SPEED_BATCH;
		r->at[i].open_ns = (double)speed.open_ns / AEAD_SPEED_BATCH;
	}
	return 0;
}

static int add(struct results *all, const struct aead_library *lib, const struct aead_provider *p,
	enum aead_suite suite)
{
	struct result *list = realloc(all->list, (all->n + 1) * sizeof(*list));

	if (list == NULL)
		return N2N_ENOMEM;
	all->list = list;
	list[all->n] = (struct result){
		.cipher = aead_suite_name(suite),
		.library = aead_provider_name(p),
		.chosen = p == aead_library_choice(lib, suite),
	};
	return measure(&list[all->n++], p, suite);
}

static int measure_all(struct results *all, const struct aead_library *lib)
{
	int rc = 0;

	for (size_t i = 0; i < SUITES; i++)
		for (const struct aead_provider *const *p = aead_library_providers(lib);
			*p != NULL && rc == 0; p++)
			if (aead_provider_has(*p, suites[i]))
				rc = add(all, lib, *p, suites[i]);
	return rc;
}

/* ---- showing ---- */

/* Bits per nanosecond are Gbit/s. */
static double gbit_s(size_t len, double ns)
{
	return ns > 0 ? 8 * (double)len / ns : 0;
}

static json_t *to_json(const struct results *all)
{
	json_t *list = json_array();

	for (const struct result *r = all->list; r < all->list + all->n; r++) {
		json_t *packets = json_array();

		for (size_t i = 0; i < LENGTHS; i++)
			json_array_append_new(packets,
				json_pack("{s:I, s:f, s:f, s:f, s:f}", "bytes",
					(json_int_t)lengths[i], "seal_ns", r->at[i].seal_ns,
					"open_ns", r->at[i].open_ns, "seal_gbit_s",
					gbit_s(lengths[i], r->at[i].seal_ns), "open_gbit_s",
					gbit_s(lengths[i], r->at[i].open_ns)));
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:b, s:o}", "cipher", r->cipher, "library",
				      r->library, "chosen", r->chosen, "packets", packets));
	}
	return list;
}

static int print_json(const struct results *all)
{
	return text_print_json(
		json_pack("{s:s, s:o}", "version", N2N_VERSION, "ciphers", to_json(all)));
}

static int fill_row(struct table *t, const struct result *r, bool opening)
{
	char(*row)[CELL_MAX] = table_row(t);

	if (row == NULL)
		return N2N_ENOMEM;
	snprintf(row[0], CELL_MAX, "%s", r->cipher);
	snprintf(row[1], CELL_MAX, "%s%s", r->library, r->chosen ? " *" : "");
	snprintf(row[2], CELL_MAX, "%s", opening ? "open" : "seal");
	for (size_t i = 0; i < LENGTHS; i++) {
		double ns = opening ? r->at[i].open_ns : r->at[i].seal_ns;

		snprintf(row[FIRST + i], CELL_MAX, "%5.0f %5.1f", ns, gbit_s(lengths[i], ns));
	}
	return 0;
}

static int print_table(const struct results *all)
{
	struct table t = {.columns = FIRST + LENGTHS};
	char(*row)[CELL_MAX] = table_row(&t);
	int rc = row != NULL ? 0 : N2N_ENOMEM;

	if (row != NULL) {
		snprintf(row[0], CELL_MAX, "CIPHER");
		snprintf(row[1], CELL_MAX, "LIBRARY");
		for (size_t i = 0; i < LENGTHS; i++)
			snprintf(row[FIRST + i], CELL_MAX, "%4zu BYTES", lengths[i]);
	}
	for (size_t i = 0; i < all->n && rc == 0; i++) {
		rc = fill_row(&t, &all->list[i], false);
		if (rc == 0)
			rc = fill_row(&t, &all->list[i], true);
	}
	if (rc == 0)
		table_print(&t, 0, stdout);
	table_fini(&t);
	return rc;
}

static void explain(const struct results *all)
{
	puts("\nNanoseconds for one packet of that size in a batch, and Gbit/s, on one core.\n"
	     "* is what edge and supernode use here.");
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->list[i].library, "libipsec-mb") == 0)
			return;
	puts("libipsec-mb is not there. On x86-64 it is the fastest: install package "
	     "libipsec-mb1,\nand libipsec-mb-dev before building.");
}

static int run(const struct bench_conf *conf)
{
	struct results all = {0, NULL};
	struct aead_library *lib;
	int rc = crypto_start();

	if (rc != 0)
		return rc;
	rc = aead_library_open(&lib, sys_now_ns, conf->disabled & FEATURE_IPSEC_MB);
	if (rc != 0)
		return rc;
	rc = measure_all(&all, lib);
	if (rc == 0)
		rc = conf->json ? print_json(&all) : print_table(&all);
	if (rc == 0 && !conf->json)
		explain(&all);
	free(all.list);
	aead_library_close(lib);
	return rc;
}

int bench_crypto(int argc, char **argv)
{
	struct bench_conf conf = {.json = false};
	struct conf_error err;
	int rc;

	if (options_from_args(&options, argc, argv, &conf, &err) != 0) {
		fprintf(stderr, "n2n: %s\n", err.text);
		return STATUS_USAGE;
	}
	if (conf.help) {
		options_help(&options, stdout);
		return STATUS_OK;
	}
	rc = run(&conf);
	if (rc == 0)
		return STATUS_OK;
	fprintf(stderr, "n2n: cannot measure the ciphers: %s\n", n2n_err_text(rc));
	return STATUS_FAILED;
}
