/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ASCII text in counted form, as it comes from files and the network: independent of locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_QUOTE_MAX = 104 };

char text_lower(char c);
bool text_is_digit(char c);
bool text_is_alnum(char c);
bool text_all_digits(const char *p, size_t len); /* false if empty */
/* Moves *p and *len past blanks, tabs, CR and LF at both ends. */
void text_trim(const char **p, size_t *len);
bool text_equal_nocase(const char *p, size_t len, const char *word);
bool text_contains(const char *p, size_t len, const char *word);
/* Digits only, at least one, at most max. */
bool text_parse_uint(const char *p, size_t len, uint64_t max, uint64_t *ret);
/* For quoting in a message: printable ASCII, anything else "?"; cut with "...". Returns out. */
const char *text_quote(const void *p, size_t len, char out[TEXT_QUOTE_MAX]);
/* Copies src, cut to whole UTF-8 characters. */
void text_copy(char *out, size_t size, const char *src);
