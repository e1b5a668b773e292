/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a target over its seed corpus, so that every compiler and every test run sees it. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

enum { SEED_MAX = 1 << 20 };

static void
replay(const char *path)
{
	struct buf seed;
	struct err e;
	uint8_t *exact;

	buf_init(&seed, SEED_MAX);
	if (!file_read(path, &seed, &e)) {
		fprintf(stderr, "%s\n", e.detail);
		exit(1);
	}
	/* A block of just that size: the sanitizer sees the first byte too far. */
	exact = xmalloc(seed.len);
	memcpy(exact, seed.data, seed.len);
	LLVMFuzzerTestOneInput(exact, seed.len);
	free(exact);
	buf_done(&seed);
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
