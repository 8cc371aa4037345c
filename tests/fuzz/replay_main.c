/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a fuzz target over every file of the corpus directories named on the command line: the
 * seeds as an ordinary test, without libFuzzer. An empty or absent corpus is a failure.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* False when the file cannot be read. The data lie in a block of exactly their size. */
static int replay_file(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		return 0;
	}
	size_t size = fread(buf, 1, sizeof(buf), f);
	int ok = !ferror(f);
	uint8_t *data = malloc(size ? size : 1);

	fclose(f);
	if (!ok || data == NULL) {
		free(data);
		return 0;
	}
	for (size_t i = 0; i < size; i++) {
		data[i] = buf[i];
	}
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 1;
}

/* The number of inputs run, 0 on any error. */
static unsigned replay_dir(const char *dir)
{
	unsigned n = 0;
	DIR *d = opendir(dir);

	if (d == NULL) {
		return 0;
	}
	for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		char path[4096];

		if (e->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (!replay_file(path)) {
			fprintf(stderr, "replay: cannot read %s\n", path);
			n = 0;
			break;
		}
		n++;
	}
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS_DIRECTORY...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		unsigned n = replay_dir(argv[i]);

		if (n == 0) {
			fprintf(stderr, "replay: no inputs in %s\n", argv[i]);
			return 1;
		}
		printf("%s: %u inputs\n", argv[i], n);
	}
	return 0;
}
