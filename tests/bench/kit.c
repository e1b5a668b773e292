/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/alloc.h"

void
kit_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

static char **
find(char **argv, const char *name)
{
	for (char **a = argv + 1; *a != NULL; a++)
		if (strncmp(*a, "--", 2) == 0 && strcmp(*a + 2, name) == 0)
			return a;
	return NULL;
}

const char *
kit_text(char **argv, const char *name, const char *otherwise)
{
	char **a = find(argv, name);

	if (a == NULL)
		return otherwise;
	if (a[1] == NULL)
		kit_die("--%s has no value", name);
	return a[1];
}

long
kit_number(char **argv, const char *name, long otherwise)
{
	const char *text = kit_text(argv, name, NULL);

	return text == NULL ? otherwise : atol(text);
}

bool
kit_flag(char **argv, const char *name)
{
	return find(argv, name) != NULL;
}

char *
kit_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0)
		kit_die("%s cannot be read", path);
	rewind(f);
	char *text = xmalloc((size_t)size + 1);
	if (fread(text, 1, (size_t)size, f) != (size_t)size)
		kit_die("%s cannot be read", path);
	text[size] = '\0';
	fclose(f);
	return text;
}

struct kit_texts
kit_read_pems(const char *path)
{
	static const char begin[] = "-----BEGIN";
	struct kit_texts texts = {0};
	char *text = kit_read(path);
	const char *at = strstr(text, begin);
	size_t room = 0;

	while (at != NULL) {
		const char *next = strstr(at + 1, begin);
		size_t len = next == NULL ? strlen(at) : (size_t)(next - at);
		if (texts.count == room) {
			room = room == 0 ? 1024 : 2 * room;
			texts.items = realloc(texts.items, room * sizeof(char *));
			if (texts.items == NULL)
				kit_die("no memory");
		}
		texts.items[texts.count++] = xstrndup(at, len);
		at = next;
	}
	free(text);
	return texts;
}

int64_t
kit_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
kit_hex(const unsigned char *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * len] = '\0';
}

void
kit_hmac(const char *key, const void *data, size_t len, char out[65])
{
	unsigned char digest[32];

	HMAC(EVP_sha256(), key, (int)strlen(key), data, len, digest, NULL);
	kit_hex(digest, sizeof(digest), out);
}

int
kit_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}
