/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The captures of tests/vectors/dns. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "dns/tsig_key.h"

struct capture {
	char name[32];
	struct tsig_key key; /* secret_len 0: unsigned */
	uint8_t request[512];
	size_t request_len;
	uint8_t answer[512];
	size_t answer_len;
};

enum { CAPTURES_MAX = 32 };

/* All of them; fails the test if the file cannot be read. */
size_t captures_load(struct capture out[CAPTURES_MAX]);
const struct capture *capture_find(const struct capture *all, size_t count, const char *name);
/* A file of that folder as text; the caller frees it. */
char *vector_text(const char *name);

/* What random_bytes gives in these tests: the id of the next request. */
extern uint16_t next_id;
