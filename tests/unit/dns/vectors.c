/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/random.h"

uint16_t next_id;

/* In place of base/random.c, so that requests can be compared octet by octet. */
void
random_bytes(void *p, size_t n)
{
	assert_int_equal(n, sizeof(next_id));
	memcpy(p, &next_id, sizeof(next_id));
}

uint32_t
random_below(uint32_t bound)
{
	return 0;
}

static char *
path_of(const char *name)
{
	return xasprintf("%s/dns/%s", getenv("VECTORS"), name);
}

char *
vector_text(const char *name)
{
	char *path = path_of(name);
	struct buf b;

	buf_init(&b, 64 * 1024);
	assert_true(file_read(path, &b, NULL));
	free(path);
	return buf_take(&b, NULL);
}

static size_t
from_hex(const char *hex, uint8_t out[512])
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= 512);
	for (size_t i = 0; i < n; i++) {
		unsigned octet;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
		out[i] = (uint8_t)octet;
	}
	return n;
}

static void
load_one(char *line, struct capture *c)
{
	char *save = NULL;
	struct err e;

	snprintf(c->name, sizeof(c->name), "%s", strtok_r(line, " ", &save));
	const char *key = strtok_r(NULL, " ", &save);
	c->request_len = from_hex(strtok_r(NULL, " ", &save), c->request);
	c->answer_len = from_hex(strtok_r(NULL, " ", &save), c->answer);
	if (strcmp(key, "-") == 0)
		return;
	char *path = path_of(key);
	assert_true(tsig_key_load(path, &c->key, &e));
	free(path);
}

size_t
captures_load(struct capture out[CAPTURES_MAX])
{
	char *text = vector_text("nsupdate.txt");
	char *save = NULL;
	size_t n = 0;

	memset(out, 0, CAPTURES_MAX * sizeof(*out));
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] != '#' && n < CAPTURES_MAX)
			load_one(line, &out[n++]);
	free(text);
	assert_true(n > 0);
	return n;
}

const struct capture *
capture_find(const struct capture *all, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	fail_msg("no capture %s", name);
	return NULL;
}
