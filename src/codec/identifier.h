/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ACME identifiers (RFC 8555 9.7.7, RFC 8738): a DNS name, maybe with a leading "*.", or an IP
 * address; and sets of them, sorted, without duplicates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "codec/ip.h"

enum identifier_kind { IDENTIFIER_DNS, IDENTIFIER_IP };

enum { IDENTIFIER_MAX = 253, IDENTIFIERS_MAX = 100 };

struct identifier {
	enum identifier_kind kind;
	char value[IDENTIFIER_MAX + 1]; /* lower case; for IP the canonical text (RFC 5952) */
	struct ip_addr ip;              /* for IDENTIFIER_IP */
};

struct identifiers {
	struct identifier *items; /* owned */
	size_t count;
};

/* LDH labels of 1 to 63, at most 253 in all, two labels or more are not required, last label not
 * all digits, no trailing dot; a leading "*." is allowed. Writes it lower-cased.
 * ERR_BAD_CSR with what is wrong. */
bool identifier_dns(const char *text, size_t len, struct identifier *ret, struct err *e);
void identifier_ip(const struct ip_addr *addr, struct identifier *ret);
bool identifier_is_wildcard(const struct identifier *id);
/* The value without "*.": what the authorization will be named (RFC 8555 7.1.4). */
const char *identifier_base(const struct identifier *id);
bool identifier_equal(const struct identifier *a, const struct identifier *b);

/* Adds unless it is there. */
void identifiers_add(struct identifiers *set, const struct identifier *id);
void identifiers_copy(struct identifiers *to, const struct identifiers *from);
void identifiers_done(struct identifiers *set);
bool identifiers_equal(const struct identifiers *a, const struct identifiers *b);
/* "a.example, b.example, ... (N more)" in at most size bytes; returns out. */
char *identifiers_text(const struct identifiers *set, char *out, size_t size);
/* "a.example, b.example": all of them. The caller frees it. */
char *identifiers_list(const struct identifiers *set);
/* One key for equal sets, whatever their order: "dns:a,dns:b,ip:192.0.2.1". The caller frees it. */
char *identifiers_key(const struct identifiers *set);
