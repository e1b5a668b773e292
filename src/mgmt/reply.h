/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replies of the management interface. One table turns an error's kind into a
 * status; every error has a body, one plain line or a problem document (RFC 9457)
 * if the client's Accept asks for it.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"

struct http_exchange;

/* The status of a kind (acmems(8)). */
int reply_status(enum err_kind kind);

/* Answers with e; Retry-After where the status wants one. allow: for 405, else NULL. The exchange
 * is gone. */
void reply_error(struct http_exchange *x, const struct err *e, const char *allow);
/* For requests the HTTP server refused: a status and a sentence. */
void reply_refused(struct http_exchange *x, int status, const char *detail);
void reply_text(struct http_exchange *x, int status, const char *text);

/* Short form for a status line: printable ASCII, at most 80 bytes; returns out. */
enum { REPLY_REASON_MAX = 80 };
const char *reply_reason(const char *detail, char out[REPLY_REASON_MAX + 1]);
