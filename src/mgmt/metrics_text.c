/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/metrics_text.h"

#include <stdio.h>
#include <string.h>

#include "base/histogram.h"
#include "base/utf8.h"

enum {
	TEXT_MAX = 1024 * 1024,
	BOUND_TEXT = 24,
};

void
metrics_text_init(struct metrics_text *t)
{
	buf_init(&t->out, TEXT_MAX);
	t->name = "";
}

void
metrics_text_done(struct metrics_text *t)
{
	buf_done(&t->out);
}

void
metrics_family(struct metrics_text *t, const char *name, const char *type, const char *help)
{
	t->name = name;
	buf_addf(&t->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A block's name is the operator's: a quote, or bytes that are no UTF-8, would spoil it all. */
static void
add_label_value(struct buf *out, const char *p)
{
	while (*p != '\0') {
		size_t n = utf8_printable(p);

		if (n == 0) {
			buf_adds(out, "?");
			p++;
			continue;
		}
		if (*p == '"' || *p == '\\')
			buf_adds(out, "\\");
		buf_add(out, p, n);
		p += n;
	}
}

static void
add_labels(struct buf *out, const struct metrics_label *labels)
{
	const char *separator = "{";

	for (size_t i = 0; labels != NULL && labels[i].name != NULL; i++) {
		buf_addf(out, "%s%s=\"", separator, labels[i].name);
		add_label_value(out, labels[i].value);
		buf_adds(out, "\"");
		separator = ",";
	}
	if (separator[0] == ',')
		buf_adds(out, "}");
}

static void
add_name(struct metrics_text *t, const char *suffix, const struct metrics_label *labels)
{
	buf_addf(&t->out, "%s%s", t->name, suffix);
	add_labels(&t->out, labels);
}

void
metrics_count(struct metrics_text *t, const struct metrics_label *labels, uint64_t value)
{
	add_name(t, "", labels);
	buf_addf(&t->out, " %llu\n", (unsigned long long)value);
}

void
metrics_value(struct metrics_text *t, const struct metrics_label *labels, double value)
{
	add_name(t, "", labels);
	buf_addf(&t->out, " %.15g\n", value);
}

void
metrics_histogram(
    struct metrics_text *t, const struct metrics_label *label, const struct histogram *h)
{
	struct metrics_label labels[3] = {0};
	struct metrics_label *bound = &labels[0];
	char text[BOUND_TEXT];

	if (label != NULL) {
		labels[0] = *label;
		bound = &labels[1];
	}
	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++) {
		if (i < HISTOGRAM_BUCKETS)
			snprintf(text, sizeof(text), "%g", (double)histogram_bound(i) / 1000);
		else
			strcpy(text, "+Inf");
		*bound = (struct metrics_label){"le", text};
		add_name(t, "_bucket", labels);
		buf_addf(&t->out, " %llu\n", (unsigned long long)histogram_upto(h, i));
	}
	*bound = (struct metrics_label){0};
	add_name(t, "_sum", labels);
	buf_addf(&t->out, " %.15g\n", (double)h->sum_ms / 1000);
	add_name(t, "_count", labels);
	buf_addf(&t->out, " %llu\n", (unsigned long long)histogram_upto(h, HISTOGRAM_BUCKETS));
}
