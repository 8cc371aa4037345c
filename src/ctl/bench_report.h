/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What "n2n bench path" has measured, as a table and as JSON. */
#ifndef N2N_CTL_BENCH_REPORT_H
#define N2N_CTL_BENCH_REPORT_H

#include <jansson.h>

#include "base/endpoint.h"

#define BENCH_PATHS_MAX	 4
#define BENCH_ROUNDS_MAX 20

/* Up is from here to there. */
enum bench_measure {
	BENCH_TCP1_UP, /* bit/s */
	BENCH_TCP1_DOWN,
	BENCH_TCP4_UP,
	BENCH_TCP4_DOWN,
	BENCH_RTT_P50, /* microseconds */
	BENCH_RTT_P90,
	BENCH_RTT_P99,
	BENCH_RTT_LOST, /* of 1 */
	BENCH_UDP_UP,	/* frames a second */
	BENCH_UDP_DOWN,
	BENCH_MEASURES
};

#define BENCH_UNMEASURED (-1.0)

struct bench_path_results {
	char address[ENDPOINT_TEXT_MAX];
	double value[BENCH_MEASURES][BENCH_ROUNDS_MAX]; /* or BENCH_UNMEASURED */
	bool udp_blocked;				/* TCP gets through, UDP does not */
	json_t *peer;					/* of bench_peer_find; owned */
};

struct bench_report {
	unsigned port;
	unsigned seconds;
	unsigned rounds;
	bool complete; /* neither interrupted nor failed before the end */
	size_t n;
	struct bench_path_results paths[BENCH_PATHS_MAX];
};

/* What was measured of list: the number of values and, when there are any, these of them. */
struct bench_summary {
	size_t n;
	double median, least, most;
};

/* Leaves out what is BENCH_UNMEASURED. Of an even number the median is the mean of the middle two.
 */
struct bench_summary bench_summarize(const double list[BENCH_ROUNDS_MAX]);
/*
 * The median of the ratios of what two paths have in the same round; BENCH_UNMEASURED when there is
 * no round in which both were measured and that of the base is not 0.
 */
double bench_ratio(const double list[BENCH_ROUNDS_MAX], const double base[BENCH_ROUNDS_MAX]);

/* Nothing is measured yet. */
void bench_report_init(struct bench_report *r);
/* Frees what the paths own. */
void bench_report_fini(struct bench_report *r);
/* True when no path has a single value. */
bool bench_report_is_empty(const struct bench_report *r);

/* A table for people and notes on the paths, to standard output. N2N_ENOMEM. */
MUST_CHECK int bench_report_print(const struct bench_report *r);
/*
 * To standard output. N2N_ENOMEM. The JSON is a line with an object: version, port, seconds,
 * rounds, complete, and paths, an array of {address, udp_blocked, peer, measures}; peer is null or
 * as of bench_peer_find with "changed", whether the path did so between the rounds; each of
 * measures has its unit, samples in the order of the rounds, and median, least, most, ratio, or a
 * median of null when there are none.
 */
MUST_CHECK int bench_report_print_json(const struct bench_report *r);

#endif
