/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault_delivery.h"

#include <string.h>

#include "answer.h"
#include "fault.h"

enum { PIECE_MS = 20, DELAY_MS = 1000, HUGE_HEAD = 200000, COPIES_MAX = 8 };

static struct pace
pace_of(const struct fault *f)
{
	return (struct pace){
	    .ms = fault_number(f, "ms", PIECE_MS), .bytes = (size_t)fault_number(f, "bytes", 1)};
}

void
fault_delay(const struct fault *f, struct answer *a)
{
	a->delivery.delay_ms = fault_number(f, "ms", DELAY_MS);
}

void
fault_slow_head(const struct fault *f, struct answer *a)
{
	a->delivery.head = pace_of(f);
}

void
fault_slow_body(const struct fault *f, struct answer *a)
{
	a->delivery.body = pace_of(f);
}

void
fault_silence(const struct fault *f, struct answer *a)
{
	a->delivery.silent = true;
}

void
fault_reset(const struct fault *f, struct answer *a)
{
	const char *at = fault_string(f, "at", "request");
	struct delivery *d = &a->delivery;

	d->reset = !fault_flag(f, "fin");
	if (strcmp(at, "headers") == 0)
		d->cut = CUT_HEAD;
	else if (strcmp(at, "in-headers") == 0)
		d->cut = CUT_IN_HEAD;
	else if (strcmp(at, "body") == 0)
		d->cut = CUT_BODY;
	else
		d->cut = CUT_ALL;
}

void
fault_close(const struct fault *f, struct answer *a)
{
	a->delivery.close = true;
	a->delivery.announce = fault_flag(f, "announce");
}

void
fault_interim(const struct fault *f, struct answer *a)
{
	a->delivery.interim = (int)fault_number(f, "status", 100);
}

void
fault_chunked(const struct fault *f, struct answer *a)
{
	a->delivery.framing = FRAMING_CHUNKED;
}

void
fault_bad_chunk(const struct fault *f, struct answer *a)
{
	a->delivery.framing = FRAMING_BAD_CHUNK;
	a->delivery.close = true;
}

void
fault_unframed(const struct fault *f, struct answer *a)
{
	a->delivery.framing = fault_flag(f, "endless") ? FRAMING_ENDLESS : FRAMING_CLOSE;
}

void
fault_length(const struct fault *f, struct answer *a)
{
	a->delivery.length_lie = fault_number(f, "add", 1);
	a->delivery.close = fault_flag(f, "fin");
}

void
fault_twice(const struct fault *f, struct answer *a)
{
	long copies = fault_number(f, "copies", 2);

	a->delivery.copies = copies < COPIES_MAX ? (int)copies : COPIES_MAX;
}

void
fault_huge_head(const struct fault *f, struct answer *a)
{
	a->delivery.filler = (size_t)fault_number(f, "bytes", HUGE_HEAD);
}

void
fault_not_http(const struct fault *f, struct answer *a)
{
	a->delivery.not_http = true;
	a->delivery.close = true;
}
