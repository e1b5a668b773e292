/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the programs of the benchmarks share: options, files of PEM blocks, the clock, hex. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kit_texts {
	char **items;
	size_t count;
};

_Noreturn void kit_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --NAME VALUE of the command line; --NAME alone for kit_flag. */
const char *kit_text(char **argv, const char *name, const char *otherwise);
long kit_number(char **argv, const char *name, long otherwise);
bool kit_flag(char **argv, const char *name);

char *kit_read(const char *path);
/* The file's PEM blocks, each with its final newline. */
struct kit_texts kit_read_pems(const char *path);

int64_t kit_now_ns(void);
/* out: 2 * len + 1 bytes. */
void kit_hex(const unsigned char *data, size_t len, char *out);
/* HMAC-SHA256 as hex. */
void kit_hmac(const char *key, const void *data, size_t len, char out[65]);
int kit_compare(const void *a, const void *b); /* uint32_t */
