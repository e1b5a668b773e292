/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where decisions become audit lines: who asked, for what, and what he got, or
 * by which rule he did not. Failures that nobody decided (a CA that is down, a
 * time that is over) are in the log alone.
 */
#pragma once

#include <stddef.h>

#include "base/log.h"

struct err;
struct identifiers;

enum audit_decision {
	AUDIT_ISSUED,      /* told once, for who asked first */
	AUDIT_REDELIVERED, /* issued before, or for somebody who asked first */
	AUDIT_REFUSED,
	AUDIT_REVOKED,
	AUDIT_NOT_REVOKED, /* refused as well */
	AUDIT_BARRED,      /* the key of a certificate */
	AUDIT_DECISION_COUNT
};

/* Any member but who may be NULL. */
struct audit {
	const struct log_context *who;
	const char *key;    /* which HMAC key admitted */
	const char *names;  /* all of them; NULL: those of who */
	const char *serial; /* of the certificate */
	const char *rule;   /* that refuses; NULL: the CA's own */
	const char *detail;
};
void audit_tell(enum audit_decision decision, const struct audit *a);
/* AUDIT_REFUSED or AUDIT_NOT_REVOKED because of e; nothing if e is no refusal. */
void audit_refusal(enum audit_decision decision, const struct audit *a, const struct err *e);

/* "1 of 2", which the caller frees: the one of a block's HMAC keys that admitted. NULL if none was
 * wanted. */
char *audit_key(size_t key, size_t count);
/* All names for a.names, which the caller frees; NULL if shown has them all. */
char *audit_names(const struct identifiers *names, const char *shown);
