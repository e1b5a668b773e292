/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signed requests (RFC 8555 6.2 to 6.5, RFC 7515 7.2.2). */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "base/buf.h"

struct answer;

struct jws {
	json_t *header;   /* the protected one */
	struct buf input; /* what was signed */
	struct buf payload;
	struct buf signature;
};

/* Takes a flattened JWS apart; on failure the answer says why. Done it must be in both cases. */
bool jws_parse(struct jws *j, const json_t *object, struct answer *a);
void jws_done(struct jws *j);
/* A member of the header, or NULL. */
const char *jws_text(const struct jws *j, const char *member);
