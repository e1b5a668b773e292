/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An answer as the steps in which a connection plays it. */
#pragma once

#include <stddef.h>

#include "base/buf.h"

struct answer;

enum step_kind {
	STEP_SEND,  /* bytes */
	STEP_DRIP,  /* bytes, in pieces, with a pause behind each */
	STEP_WAIT,  /* once all is written */
	STEP_CLOSE, /* close_notify and FIN */
	STEP_DROP,  /* FIN without close_notify */
	STEP_RESET, /* RST */
	STEP_STALL, /* nothing more until the peer goes */
};

enum { SCRIPT_STEPS = 24 };

struct step {
	enum step_kind kind;
	long ms;
	size_t piece;
	struct buf bytes;
};

struct script {
	struct step steps[SCRIPT_STEPS];
	size_t count, at;
	size_t sent; /* of the bytes of the step being played */
};

/* head_only: the request was HEAD. */
void script_write(struct script *s, const struct answer *a, bool head_only);
void script_done(struct script *s);
