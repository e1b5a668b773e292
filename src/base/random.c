/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void
random_bytes(void *p, size_t n)
{
	unsigned char *at = p;
	ssize_t got;

	while (n > 0) {
		got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			perror("acmems: getrandom");
			abort();
		}
		at += got;
		n -= (size_t)got;
	}
}

uint32_t
random_below(uint32_t bound)
{
	uint32_t value, skip;

	assert(bound > 0);
	/* 2^32 mod bound: values below it would make small results likelier. */
	skip = -bound % bound;
	do {
		random_bytes(&value, sizeof(value));
	} while (value < skip);
	return value % bound;
}
