/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns how numbers, tables and JSON look. */
#include "ctl/text.h"

#include <stdlib.h>
#include <string.h>

char *text_duration(char buf[CELL_MAX], double seconds)
{
	if (seconds < 10)
		snprintf(buf, CELL_MAX, "%.1f s", seconds);
	else if (seconds < 120)
		snprintf(buf, CELL_MAX, "%.0f s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(buf, CELL_MAX, "%.0f min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(buf, CELL_MAX, "%.0f h", seconds / 3600);
	else
		snprintf(buf, CELL_MAX, "%.0f d", seconds / 86400);
	return buf;
}

char *text_bytes(char buf[CELL_MAX], double bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	unsigned i = 0;

	while (bytes >= 1000 && i + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1000;
		i++;
	}
	snprintf(buf, CELL_MAX, i == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
	return buf;
}

const char *text_member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "-";
}

void text_print_counts(const char *title, json_t *counts)
{
	const char *name, *separator = title;
	json_t *count;

	json_object_foreach (counts, name, count) {
		printf("%s %s %" JSON_INTEGER_FORMAT, separator, name, json_integer_value(count));
		separator = ",";
	}
	if (json_object_size(counts) > 0)
		putchar('\n');
}

int text_print_json(json_t *answer)
{
	char *line = json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(6));

	json_decref(answer);
	if (line == NULL)
		return N2N_ENOMEM;
	puts(line);
	free(line);
	return 0;
}

char (*table_row(struct table *t))[CELL_MAX]
{
	void *cells = realloc(t->cells, (t->rows + 1) * sizeof(*t->cells));

	if (cells == NULL)
		return NULL;
	t->cells = cells;
	memset(t->cells[t->rows], 0, sizeof(*t->cells));
	return t->cells[t->rows++];
}

void table_print(const struct table *t, int indent, FILE *to)
{
	int width[COLUMNS_MAX] = {0};

	for (size_t row = 0; row < t->rows; row++)
		for (size_t i = 0; i < t->columns; i++) {
			int len = (int)strlen(t->cells[row][i]);

			width[i] = len > width[i] ? len : width[i];
		}
	for (size_t row = 0; row < t->rows; row++) {
		fprintf(to, "%*s", indent, "");
		for (size_t i = 0; i + 1 < t->columns; i++)
			fprintf(to, "%-*s  ", width[i], t->cells[row][i]);
		fprintf(to, "%s\n", t->cells[row][t->columns - 1]);
	}
}

void table_fini(struct table *t)
{
	free(t->cells);
	t->cells = NULL;
}
