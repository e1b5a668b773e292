/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "codec/b64url.h"

static void
test_encode(void **state)
{
	/* RFC 4648 section 10, without the padding; the last as in RFC 7515 appendix C. */
	static const struct {
		const char *plain, *text;
	} rows[] = {{"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foob", "Zm9vYg"},
	    {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\x03\xec\xff\xe0\xc1", "A-z_4ME"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_FREE char *text = b64url_encode(rows[i].plain, strlen(rows[i].plain));
		CLEANUP_FREE uint8_t *data = NULL;
		size_t len = 0;

		assert_string_equal(text, rows[i].text);
		assert_true(b64url_decode(text, strlen(text), &data, &len));
		assert_int_equal(len, strlen(rows[i].plain));
		assert_string_equal((char *)data, rows[i].plain);
	}
}

static void
test_refused(void **state)
{
	static const char *const rows[] = {"A", "Zg==", "Zm8=", "Zh", "Zm9", "Zm+v", "Zm/v",
	    "Zm 9v", "Zm9v\n", "ZZZZZ", "\xff\xff\xff\xff", "="};
	uint8_t *data;
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(b64url_decode(rows[i], strlen(rows[i]), &data, &len));
	assert_false(b64url_decode("Zm\0v", 4, &data, &len));
}

static void
test_all_bytes(void **state)
{
	uint8_t in[256];

	for (int i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	for (size_t n = 0; n <= sizeof(in); n++) {
		CLEANUP_FREE char *text = b64url_encode(in, n);
		CLEANUP_FREE uint8_t *data = NULL;
		size_t len = 0;

		assert_int_equal(strlen(text), (n * 4 + 2) / 3);
		assert_true(b64url_decode(text, strlen(text), &data, &len));
		assert_int_equal(len, n);
		assert_memory_equal(data, in, n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encode),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_all_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
