/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Transaction signatures (RFC 8945) on bytes: a request is signed, its answer
 * verified in full: key name, algorithm, MAC, time, error field. Only for this
 * room and tests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "dns/tsig_key.h"

struct dns_message;

enum { TSIG_FUDGE = 300 }; /* seconds; RFC 8945 10 recommends it */

/* RFC 8945 3: the error field. */
enum { TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22 };

struct tsig_mac {
	uint8_t bytes[DIGEST_MAX];
	size_t len;
};

enum tsig_verdict {
	TSIG_VALID,
	TSIG_UNTRUSTED, /* anybody may have sent it: missing, unsigned error, or it fails our checks
			 */
	TSIG_FINAL,     /* validly signed, with an error: the server's last word */
};

/* Appends a TSIG record to the message in wire and counts it (RFC 8945 4.3). now: seconds since
 * 1970. prior is NULL for a request. */
void tsig_sign(const struct tsig_key *key, const struct tsig_mac *prior, int64_t now,
    struct buf *wire, struct tsig_mac *ret_mac);

/* m was parsed from wire. Everything but TSIG_VALID sets e, with the cause. The MAC has to have its
 * full length: we never ask for less (RFC 8945 5.2.2.1). */
enum tsig_verdict tsig_verify(const struct tsig_key *key, const struct tsig_mac *request,
    const uint8_t *wire, const struct dns_message *m, int64_t now, struct err *e);
