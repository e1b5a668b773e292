/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a target over its seed corpus, so that every compiler and every test run sees it. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

enum { SEED_MAX = 1 << 20 };

/* Not by base/file.c, in whose place a target may have put its own. */
static size_t
read_seed(const char *path, uint8_t *out)
{
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	size_t len = fread(out, 1, SEED_MAX, f);
	fclose(f);
	return len;
}

static void
replay(const char *path)
{
	static uint8_t seed[SEED_MAX];
	size_t len = read_seed(path, seed);
	/* A block of just that size: the sanitizer sees the first byte too far. */
	uint8_t *exact = xmemdup(seed, len);

	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static int
replay_directory(const char *dir)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, NULL, alphasort), count = 0;

	if (n < 0) {
		perror(dir);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		CLEANUP_FREE char *path = xasprintf("%s/%s", dir, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.') {
			replay(path);
			count++;
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}

int
main(int argc, char **argv)
{
	int count = 0;

	for (int i = 1; i < argc; i++)
		count += replay_directory(argv[i]);
	printf("%d seeds\n", count);
	return count > 0 ? 0 : 1;
}
