/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns how measurements of paths are shown. */
#include "ctl/bench_report.h"

#include <stdlib.h>

#include "ctl/bench_peer.h"
#include "ctl/text.h"

enum unit {
	BIT_S,
	MICROSECONDS,
	PART,
	FRAMES_S
};

static const struct {
	const char *name; /* in JSON */
	const char *title;
	enum unit unit;
} measures[BENCH_MEASURES] = {
	[BENCH_TCP1_UP] = {"tcp1_up", "TCP, 1 connection, up", BIT_S},
	[BENCH_TCP1_DOWN] = {"tcp1_down", "TCP, 1 connection, down", BIT_S},
	[BENCH_TCP4_UP] = {"tcp4_up", "TCP, 4 connections, up", BIT_S},
	[BENCH_TCP4_DOWN] = {"tcp4_down", "TCP, 4 connections, down", BIT_S},
	[BENCH_RTT_P50] = {"rtt_p50", "UDP round trip, p50", MICROSECONDS},
	[BENCH_RTT_P90] = {"rtt_p90", "UDP round trip, p90", MICROSECONDS},
	[BENCH_RTT_P99] = {"rtt_p99", "UDP round trip, p99", MICROSECONDS},
	[BENCH_RTT_LOST] = {"rtt_lost", "UDP round trips lost", PART},
	[BENCH_UDP_UP] = {"udp_up", "small UDP frames, up", FRAMES_S},
	[BENCH_UDP_DOWN] = {"udp_down", "small UDP frames, down", FRAMES_S},
};

static const char *const unit_names[] = {
	[BIT_S] = "bit/s",
	[MICROSECONDS] = "us",
	[PART] = "part",
	[FRAMES_S] = "1/s",
};

/* ---- statistics ---- */

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct bench_summary bench_summarize(const double list[BENCH_ROUNDS_MAX])
{
	struct bench_summary s = {.n = 0};
	double sorted[BENCH_ROUNDS_MAX];

	for (size_t i = 0; i < BENCH_ROUNDS_MAX; i++)
		if (list[i] >= 0)
			sorted[s.n++] = list[i];
	if (s.n == 0)
		return s;
	qsort(sorted, s.n, sizeof(*sorted), by_value);
	s.median = (sorted[(s.n - 1) / 2] + sorted[s.n / 2]) / 2;
	s.least = sorted[0];
	s.most = sorted[s.n - 1];
	return s;
}

double bench_ratio(const double list[BENCH_ROUNDS_MAX], const double base[BENCH_ROUNDS_MAX])
{
	double ratios[BENCH_ROUNDS_MAX];
	struct bench_summary s;

	for (size_t i = 0; i < BENCH_ROUNDS_MAX; i++)
		ratios[i] = list[i] >= 0 && base[i] > 0 ? list[i] / base[i] : BENCH_UNMEASURED;
	s = bench_summarize(ratios);
	return s.n > 0 ? s.median : BENCH_UNMEASURED;
}

void bench_report_init(struct bench_report *r)
{
	*r = (struct bench_report){.port = 0};
	for (size_t i = 0; i < BENCH_PATHS_MAX; i++)
		for (size_t m = 0; m < BENCH_MEASURES; m++)
			for (size_t round = 0; round < BENCH_ROUNDS_MAX; round++)
				r->paths[i].value[m][round] = BENCH_UNMEASURED;
}

void bench_report_fini(struct bench_report *r)
{
	for (size_t i = 0; i < BENCH_PATHS_MAX; i++)
		json_decref(r->paths[i].peer);
}

bool bench_report_is_empty(const struct bench_report *r)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t m = 0; m < BENCH_MEASURES; m++)
			if (bench_summarize(r->paths[i].value[m]).n > 0)
				return false;
	return true;
}

/* ---- for people ---- */

/* Three digits that count, in the unit that fits. */
static void scaled(char cell[CELL_MAX], double value, const char *const units[], size_t n)
{
	size_t i = 0;

	while (value >= 1000 && i + 1 < n) {
		value /= 1000;
		i++;
	}
	snprintf(cell, CELL_MAX, "%.*f %s",
		value >= 100  ? 0
		: value >= 10 ? 1
			      : 2,
		value, units[i]);
}

static void fill_value(char cell[CELL_MAX], double value, enum unit unit)
{
	static const char *const bits[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};
	static const char *const times[] = {"us", "ms", "s"};
	static const char *const frames[] = {"/s", "k/s", "M/s"};

	if (unit == BIT_S)
		scaled(cell, value, bits, 4);
	else if (unit == MICROSECONDS)
		scaled(cell, value, times, 3);
	else if (unit == FRAMES_S)
		scaled(cell, value, frames, 3);
	else
		snprintf(cell, CELL_MAX, "%.1f %%", 100 * value);
}

/* Median and spread of one path. */
static void fill_path(char row[][CELL_MAX], const struct bench_path_results *path, size_t m)
{
	struct bench_summary s = bench_summarize(path->value[m]);

	snprintf(row[0], CELL_MAX, "-");
	snprintf(row[1], CELL_MAX, "-");
	if (s.n == 0)
		return;
	fill_value(row[0], s.median, measures[m].unit);
	if (s.n > 1 && s.median > 0)
		snprintf(row[1], CELL_MAX, "%.0f %%", 100 * (s.most - s.least) / s.median);
}

static void fill_ratio(char cell[CELL_MAX], const struct bench_report *r, size_t path, size_t m)
{
	double ratio = bench_ratio(r->paths[path].value[m], r->paths[0].value[m]);

	snprintf(cell, CELL_MAX, ratio >= 0 && measures[m].unit != PART ? "%.2f" : "-", ratio);
}

static void fill_titles(char row[][CELL_MAX], const struct bench_report *r)
{
	size_t column = 1;

	snprintf(row[0], CELL_MAX, "MEASURE");
	for (size_t i = 0; i < r->n; i++) {
		snprintf(row[column++], CELL_MAX, "%s", r->paths[i].address);
		snprintf(row[column++], CELL_MAX, "SPREAD");
		if (i > 0)
			snprintf(row[column++], CELL_MAX, "RATIO");
	}
}

static void fill_row(char row[][CELL_MAX], const struct bench_report *r, size_t m)
{
	size_t column = 1;

	snprintf(row[0], CELL_MAX, "%s", measures[m].title);
	for (size_t i = 0; i < r->n; i++) {
		fill_path(&row[column], &r->paths[i], m);
		column += 2;
		if (i > 0)
			fill_ratio(row[column++], r, i, m);
	}
}

static void print_notes(const struct bench_report *r)
{
	printf("\nMedian of up to %u x %u s; spread: from least to most, of the "
	       "median%s.\nUp is from here to there. A small frame has 64 bytes (84 with IPv6).\n",
		r->rounds, r->seconds, r->n > 1 ? "; ratio: to the first" : "");
	if (!r->complete)
		puts("Ended before all was measured.");
	putchar('\n');
	for (size_t i = 0; i < r->n; i++) {
		bench_peer_print(r->paths[i].address, r->paths[i].peer);
		if (r->paths[i].udp_blocked)
			printf("%s: TCP gets through and UDP does not: let a firewall there pass "
			       "UDP port %u too\n",
				r->paths[i].address, r->port);
	}
}

int bench_report_print(const struct bench_report *r)
{
	struct table t = {.columns = 3 * r->n};
	char(*row)[CELL_MAX] = table_row(&t);

	if (row != NULL)
		fill_titles(row, r);
	for (size_t m = 0; m < BENCH_MEASURES && row != NULL; m++) {
		row = table_row(&t);
		if (row != NULL)
			fill_row(row, r, m);
	}
	if (row != NULL) {
		table_print(&t, 0, stdout);
		print_notes(r);
	}
	table_fini(&t);
	return row != NULL ? 0 : N2N_ENOMEM;
}

/* ---- JSON ---- */

static json_t *measure_json(const struct bench_report *r, size_t path, size_t m)
{
	const double *list = r->paths[path].value[m];
	struct bench_summary s = bench_summarize(list);
	double ratio = bench_ratio(list, r->paths[0].value[m]);
	json_t *samples = json_array();

	for (size_t i = 0; i < BENCH_ROUNDS_MAX; i++)
		if (list[i] >= 0)
			json_array_append_new(samples, json_real(list[i]));
	if (s.n == 0)
		return json_pack("{s:s, s:n, s:o}", "unit", unit_names[measures[m].unit], "median",
			"samples", samples);
	return json_pack("{s:s, s:f, s:f, s:f, s:o, s:o}", "unit", unit_names[measures[m].unit],
		"median", s.median, "least", s.least, "most", s.most, "ratio",
		ratio >= 0 ? json_real(ratio) : json_null(), "samples", samples);
}

static json_t *path_json(const struct bench_report *r, size_t i)
{
	const struct bench_path_results *path = &r->paths[i];
	json_t *all = json_object();

	for (size_t m = 0; m < BENCH_MEASURES; m++)
		json_object_set_new(all, measures[m].name, measure_json(r, i, m));
	return json_pack("{s:s, s:b, s:O?, s:o}", "address", path->address, "udp_blocked",
		path->udp_blocked, "peer", path->peer, "measures", all);
}

int bench_report_print_json(const struct bench_report *r)
{
	json_t *paths = json_array();

	for (size_t i = 0; i < r->n; i++)
		json_array_append_new(paths, path_json(r, i));
	return text_print_json(json_pack("{s:s, s:i, s:i, s:i, s:b, s:o}", "version", N2N_VERSION,
		"port", (int)r->port, "seconds", (int)r->seconds, "rounds", (int)r->rounds,
		"complete", r->complete, "paths", paths));
}
