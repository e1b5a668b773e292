/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory: running out of it aborts the process (with a line on stderr), so
 * nothing else in the program handles NULL from an allocation.
 */
#pragma once

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* Overflow of n * size aborts. */
void *xreallocarray(void *ptr, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
/* NUL-terminated copy of at most n bytes of s. */
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
/* A copy of n bytes followed by a NUL that does not count. */
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
/* Overwrites n bytes in a way the compiler keeps; p may be NULL. Then free(p). */
void free_secret(void *p, size_t n);
