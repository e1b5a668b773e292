/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static void
test_copies(void **state)
{
	char *a = xstrdup("abc"), *b = xstrndup("abcdef", 2), *c = xasprintf("%d-%s", 7, "x");
	char *d = xmemdup("a\0b", 3), *e = xmemdup(NULL, 0);

	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "7-x");
	assert_memory_equal(d, "a\0b\0", 4);
	assert_string_equal(e, "");
	free(a);
	free(b);
	free(c);
	free(d);
	free(e);
}

static void
test_zero_sizes(void **state)
{
	void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xreallocarray(NULL, 0, 0);

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	free(a);
	free(b);
	free(c);
}

static void
test_grow(void **state)
{
	int *p = xcalloc(2, sizeof(int));

	assert_int_equal(p[1], 0);
	p[1] = 5;
	p = xreallocarray(p, 100, sizeof(int));
	assert_int_equal(p[1], 5);
	free(p);
}

static void
test_free_secret(void **state)
{
	free_secret(NULL, 10);
	free_secret(xstrdup("secret"), 6);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_copies),
	    cmocka_unit_test(test_zero_sizes),
	    cmocka_unit_test(test_grow),
	    cmocka_unit_test(test_free_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
