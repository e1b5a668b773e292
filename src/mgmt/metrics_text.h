/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Prometheus text format, version 0.0.4: families of samples, one after the other. */
#pragma once

#include <stdint.h>

#include "base/buf.h"

struct histogram;

struct metrics_text {
	struct buf out;
	const char *name; /* of the family that is being written */
};

struct metrics_label {
	const char *name; /* NULL: no further one */
	const char *value;
};

void metrics_text_init(struct metrics_text *t);
void metrics_text_done(struct metrics_text *t);
/* Begins a family: "counter", "gauge" or "histogram"; name and help are constants. */
void metrics_family(struct metrics_text *t, const char *name, const char *type, const char *help);
/* Samples of the family. labels end with a name NULL; NULL: none. Their values may
 * hold anything. */
void metrics_count(struct metrics_text *t, const struct metrics_label *labels, uint64_t value);
void metrics_value(struct metrics_text *t, const struct metrics_label *labels, double value);
/* In seconds. label, one at most, is that of each of its samples. */
void metrics_histogram(
    struct metrics_text *t, const struct metrics_label *label, const struct histogram *h);
