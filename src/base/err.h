/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors are values: a kind that drives decisions, and a text for people.
 *
 * Functions return bool (true = done) and take a struct err * as their last
 * argument; outputs are named ret_x and written only on success. The kind is
 * never guessed from the text, and the text is never compared.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_BAD_REQUEST,  /* the client's HTTP is malformed (400) */
	ERR_FORBIDDEN,    /* no auth block admits it, or policy of ours or of the CA (403) */
	ERR_NOT_FOUND,    /* no such path (404) */
	ERR_METHOD,       /* another method (405) */
	ERR_NO_LENGTH,    /* no Content-Length (411) */
	ERR_TOO_LARGE,    /* body over the limit (413) */
	ERR_BAD_CSR,      /* not a usable CSR, for us or for the CA (415) */
	ERR_VALIDATION,   /* the CA could not validate a name (421) */
	ERR_RATE_LIMITED, /* the CA's rate limit, or our memory of a failure (429) */
	ERR_INTERNAL,     /* a fault of ours (500) */
	ERR_CONFIG,       /* our configuration, or a file or directory of ours (500; exit 2) */
	ERR_ACCOUNT,      /* our account at the CA: terms, deactivated, binding (500) */
	ERR_UNREACHABLE,  /* a CA or name server cannot be reached or is silent (503) */
	ERR_UPSTREAM,  /* it answers, but 5xx, nonsense, or a result that fails our check (503) */
	ERR_BUSY,      /* we are full or shutting down (503) */
	ERR_TIMEOUT,   /* our own time for it is over (504) */
	ERR_CANCELLED, /* whoever asked has gone; never shown to anyone */
	ERR_KIND_COUNT
};

enum { ERR_DETAIL_MAX = 1024 };

struct err {
	enum err_kind kind;
	int problem;         /* enum problem_type (codec/problem.h) where a CA said so, else 0 */
	int64_t retry_after; /* seconds after which trying again makes sense; 0: not known */
	bool of_names;       /* it refuses the identifiers, whatever the CSR */
	bool told;           /* it is in the log already: nobody logs it again */
	char detail[ERR_DETAIL_MAX]; /* one line without newline, for people */
};

/* Sets *e (which may be NULL) to kind and formatted text, clearing the other
 * members. Always returns false, so that "return err_set(...)" works. */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts formatted text and ": " in front of the detail. Always returns false. */
bool err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Like err_set, with ": " and strerror(errno_value) at the end. Returns false. */
bool err_errno(struct err *e, enum err_kind kind, int errno_value, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#if defined(__clang_analyzer__) && !defined(ERR_C)
/* It does not look into other files. */
#define err_set(...)    (err_set(__VA_ARGS__), false)
#define err_prefix(...) (err_prefix(__VA_ARGS__), false)
#define err_errno(...)  (err_errno(__VA_ARGS__), false)
#endif

/* No error. */
void err_clear(struct err *e);

/* A short constant name of the kind, for logs and metrics, e.g. "bad_csr". */
const char *err_kind_name(enum err_kind kind);
