/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/size.h"

static void
test_good(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} rows[] = {{"0", 0}, {"4096", 4096}, {"4k", 4096}, {"4K", 4096}, {"4kb", 4096},
	    {"4KiB", 4096}, {"64 KiB", 65536}, {"1.5M", 1572864}, {"1.5 mib", 1572864},
	    {" 2m ", 2097152}, {"10b", 10}, {"0.5k", 512}, {"4.0k", 4096}, {"0.1k", 102},
	    {"1.999999999999999999999999k", 2047}, {"1048576m", UINT64_C(1) << 40}};
	size_t size;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(size_parse(rows[i].text, &size));
		assert_int_equal(size, rows[i].size);
	}
}

static void
test_bad(void **state)
{
	static const char *const rows[] = {"", "k", "-1", "+1", "4x", "4kk", "4k b", "1,5k", ".5k",
	    "1.k", "1.", "1e3", "0x10", "99999999999999999999", "1048577m", "4 k i b", "inf"};
	size_t size = 7;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(size_parse(rows[i], &size));
	assert_int_equal(size, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
