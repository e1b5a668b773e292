/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "mgmt/metrics_text.h"

static void
test_samples(void **state)
{
	struct metrics_text t;

	(void)state;
	metrics_text_init(&t);
	metrics_family(&t, "a_total", "counter", "What it is.");
	metrics_count(&t, NULL, UINT64_MAX);
	metrics_count(
	    &t, (const struct metrics_label[]){{"x", "1"}, {"y", "two"}, {NULL, NULL}}, 7);
	metrics_family(&t, "b_seconds", "gauge", "Another.");
	metrics_value(&t, NULL, 1795249391.875);
	assert_string_equal(t.out.data,
	    "# HELP a_total What it is.\n"
	    "# TYPE a_total counter\n"
	    "a_total 18446744073709551615\n"
	    "a_total{x=\"1\",y=\"two\"} 7\n"
	    "# HELP b_seconds Another.\n"
	    "# TYPE b_seconds gauge\n"
	    "b_seconds 1795249391.875\n");
	metrics_text_done(&t);
}

/* The name of a block is whatever an operator typed. */
static void
test_hostile_labels(void **state)
{
	static const struct {
		const char *value;
		const char *written;
	} cases[] = {
	    {"", ""},
	    {"a\"} 1\nb{x=\"", "a\\\"} 1?b{x=\\\""},
	    {"\\", "\\\\"},
	    {"back\\n", "back\\\\n"},
	    {"\x1b[31m", "?[31m"},
	    {"gr\xc3\xbcn", "gr\xc3\xbcn"},
	    {"\xff\xc3", "??"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct metrics_text t;
		char expected[64];

		metrics_text_init(&t);
		t.name = "m";
		metrics_count(
		    &t, (const struct metrics_label[]){{"l", cases[i].value}, {NULL, NULL}}, 0);
		snprintf(expected, sizeof(expected), "m{l=\"%s\"} 0\n", cases[i].written);
		assert_string_equal(t.out.data, expected);
		metrics_text_done(&t);
	}
}

static void
test_histogram(void **state)
{
	struct histogram h = {0};
	struct metrics_text t;

	(void)state;
	histogram_add(&h, 100);
	histogram_add(&h, 2000);
	histogram_add(&h, 3600 * 1000);
	metrics_text_init(&t);
	t.name = "d_seconds";
	metrics_histogram(&t, &(struct metrics_label){"result", "issued"}, &h);
	assert_non_null(strstr(t.out.data, "d_seconds_bucket{result=\"issued\",le=\"0.1\"} 1\n"));
	assert_non_null(strstr(t.out.data, "d_seconds_bucket{result=\"issued\",le=\"2.5\"} 2\n"));
	assert_non_null(strstr(t.out.data, "d_seconds_bucket{result=\"issued\",le=\"600\"} 2\n"));
	assert_non_null(strstr(t.out.data, "d_seconds_bucket{result=\"issued\",le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(t.out.data, "d_seconds_sum{result=\"issued\"} 3602.1\n"));
	assert_non_null(strstr(t.out.data, "d_seconds_count{result=\"issued\"} 3\n"));
	metrics_text_done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_samples),
	    cmocka_unit_test(test_hostile_labels),
	    cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
