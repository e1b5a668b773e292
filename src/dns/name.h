/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Domain names as text: presentation format (RFC 1035 5.1, so odd octets come
 * as \DDD), lower case, without the final dot; the root is ".". Compared label
 * by label, without case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DNS_NAME_TEXT = 1025 }; /* 255 octets, each \DDD, and a NUL */

/* Writes the normal form of text; false if it is no domain name (RFC 1035 2.3.4: labels of 1 to 63
 * octets, 255 in all). */
bool dns_name_parse(const char *text, char ret[DNS_NAME_TEXT]);
bool dns_name_equal(const char *a, const char *b);
/* name is zone or below it. */
bool dns_name_within(const char *name, const char *zone);
/* The name without its first label; false at the root. out may be name. */
bool dns_name_parent(const char *name, char out[DNS_NAME_TEXT]);
/* The last count labels; false if there are fewer. */
bool dns_name_last_labels(const char *name, unsigned count, char out[DNS_NAME_TEXT]);
/* name with its suffix "from" replaced by "to" (DNAME, RFC 6672 2.2); false if name is not below
 * "from" or the result is too long. */
bool dns_name_replace(const char *name, const char *from, const char *to, char out[DNS_NAME_TEXT]);
