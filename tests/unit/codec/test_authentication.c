/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/authentication.h"

#define HEX256 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eFf"
#define HEX384 HEX256 "aabbccddeeff00112233445566778899"

static void
test_good(void **state)
{
	static const char *const rows[] = {"hmac name=sha256, hash=" HEX256,
	    "HMAC Name=SHA256,Hash=" HEX256, "hmac hash=" HEX256 " name=sha256",
	    "Hmac  name=sha2-256 ,\thash=" HEX256 " ", "hmac name=\"sha256\", hash=\"" HEX256 "\"",
	    "hmac name = sha256 hash = " HEX256, "hmac,name=SHA2-256,hash=" HEX256 ",",
	    " hmac name=sha256,hash=" HEX256 "\r\n"};
	struct authentication a;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&a, 0, sizeof(a));
		assert_true(authentication_parse(rows[i], strlen(rows[i]), &a, &e));
		assert_int_equal(a.kind, DIGEST_SHA256);
		assert_int_equal(a.hash[1], 1);
		assert_int_equal(a.hash[31], 0xff);
	}
	assert_true(authentication_parse("hmac name=sha384 hash=" HEX384, 22 + 96, &a, &e));
	assert_int_equal(a.kind, DIGEST_SHA384);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *value, *says;
	} rows[] = {
	    {"", "scheme"},
	    {"Basic dTpw", "scheme"},
	    {"hmacx name=sha256, hash=" HEX256, "scheme"},
	    {"hmac", "name is missing"},
	    {"hmac name=sha256", "hash is missing"},
	    {"hmac hash=" HEX256, "name is missing"},
	    {"hmac name=sha256, hash=", "64 hex digits, not 0"},
	    {"hmac name=sha256, hash=" HEX256 "00", "64 hex digits, not 66"},
	    {"hmac name=sha512, hash=" HEX256, "128 hex digits, not 64"},
	    {"hmac name=sha256, hash=g" HEX256, "65"},
	    {"hmac name=sha256, "
	     "hash=0g0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff",
		"hexadecimal"},
	    {"hmac name=sha257, hash=" HEX256, "\"sha257\" is unknown"},
	    {"hmac name=, hash=" HEX256, "\"\" is unknown"},
	    {"hmac name=sha256, name=sha1, hash=" HEX256, "given twice"},
	    {"hmac name=sha256, hash=" HEX256 ", hash=" HEX256, "given twice"},
	    {"hmac name=sha256, realm=x, hash=" HEX256, "\"realm\" is unknown"},
	    {"hmac name sha256", "followed by no value"},
	    {"hmac name=\"sha256", "not closed"},
	    {"hmac =x", "unknown"},
	};
	struct authentication a = {.kind = DIGEST_MD5};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* No NUL behind it: the sanitizer sees a read too far. */
		CLEANUP_FREE char *value =
		    memcpy(xmalloc(strlen(rows[i].value)), rows[i].value, strlen(rows[i].value));

		assert_false(authentication_parse(value, strlen(rows[i].value), &a, &e));
		assert_int_equal(e.kind, ERR_FORBIDDEN);
		if (strstr(e.detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].value, e.detail);
	}
	assert_int_equal(a.kind, DIGEST_MD5);
	assert_false(authentication_parse("hmac name=\0sha256 hash=" HEX256, 23 + 64, &a, &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
