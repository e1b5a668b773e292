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
#include "codec/digest.h"

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		enum digest_kind kind;
	} rows[] = {{"md5", DIGEST_MD5}, {"SHA1", DIGEST_SHA1}, {"sha224", DIGEST_SHA224},
	    {"sha2-256", DIGEST_SHA256}, {"SHA2-256", DIGEST_SHA256}, {"Sha256", DIGEST_SHA256},
	    {"sha2-384", DIGEST_SHA384}, {"sha512", DIGEST_SHA512}, {"sha3_256", DIGEST_SHA3_256},
	    {"SHA3-256", DIGEST_SHA3_256}, {"blake2b", DIGEST_BLAKE2B},
	    {"BLAKE2b512", DIGEST_BLAKE2B}, {"blake2s256", DIGEST_BLAKE2S}, {"", DIGEST_NONE},
	    {"sha", DIGEST_NONE}, {"sha2_256", DIGEST_NONE}, {"sha256 ", DIGEST_NONE},
	    {"crc32", DIGEST_NONE}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    digest_kind_parse(rows[i].name, strlen(rows[i].name)), rows[i].kind);
	for (int i = DIGEST_NONE + 1; i < DIGEST_KIND_COUNT; i++) {
		const char *name = digest_kind_name((enum digest_kind)i);

		assert_int_equal(digest_kind_parse(name, strlen(name)), i);
	}
	assert_true(digest_kind_weak(DIGEST_MD5));
	assert_true(digest_kind_weak(DIGEST_SHA1));
	assert_false(digest_kind_weak(DIGEST_SHA224));
}

static void
hmac(enum digest_kind kind, const char *expected)
{
	/* RFC 4231 test case 2 (and RFC 2202's for MD5 and SHA-1). */
	const char *data = "what do ya want for nothing?";
	char hex[2 * DIGEST_MAX + 1] = "";
	uint8_t out[DIGEST_MAX];
	size_t n = digest_hmac(kind, "Jefe", 4, data, strlen(data), out);

	assert_int_equal(n, digest_size(kind));
	for (size_t i = 0; i < n; i++) {
		static const char digits[] = "0123456789abcdef";

		hex[2 * i] = digits[out[i] >> 4];
		hex[2 * i + 1] = digits[out[i] & 15];
	}
	assert_string_equal(hex, expected);
}

static void
test_hmac_vectors(void **state)
{
	hmac(DIGEST_MD5, "750c783e6ab0b503eaa86e310a5db738");
	hmac(DIGEST_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	hmac(DIGEST_SHA224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44");
	hmac(DIGEST_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hmac(DIGEST_SHA384,
	    "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	    "8e2240ca5e69e2c78b3239ecfab21649");
	hmac(DIGEST_SHA512,
	    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

static void
test_every_kind_works(void **state)
{
	uint8_t out[DIGEST_MAX];

	for (int i = DIGEST_NONE + 1; i < DIGEST_KIND_COUNT; i++)
		assert_int_equal(digest_hmac((enum digest_kind)i, "k", 1, "d", 1, out),
		    digest_size((enum digest_kind)i));
	assert_int_equal(digest_hmac(DIGEST_NONE, "k", 1, "d", 1, out), 0);
	assert_int_equal(digest_hmac(DIGEST_SHA256, NULL, 0, NULL, 0, out), 32);
}

/* Prepared or not, and whatever is made of the key, it is the same HMAC. */
static void
test_prepared(void **state)
{
	static const size_t sizes[] = {0, 1, 20, 63, 64, 65, 128, 129, 144, 145, 300};
	uint8_t key[300], normal[DIGEST_KEY_MAX], once[DIGEST_MAX], out[DIGEST_MAX];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i + 1);
	for (int i = DIGEST_NONE + 1; i < DIGEST_KIND_COUNT; i++) {
		enum digest_kind kind = (enum digest_kind)i;
		struct digest_mac *m = digest_mac_new(kind);
		size_t size = digest_size(kind);

		assert_non_null(m);
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			size_t n = digest_mac_key(kind, key, sizes[k], normal);

			assert_int_equal(
			    digest_hmac(kind, key, sizes[k], "some data", 9, once), size);
			assert_int_equal(digest_mac(m, key, sizes[k], "some data", 9, out), size);
			assert_memory_equal(out, once, size);
			assert_int_equal(digest_mac(m, normal, n, "some data", 9, out), size);
			assert_memory_equal(out, once, size);
		}
		assert_int_equal(digest_mac(m, NULL, 0, NULL, 0, out), size);
		digest_mac_free(m);
	}
	assert_int_equal(digest_mac_key(DIGEST_SHA256, "a\0b\0\0", 5, normal), 3);
	assert_null(digest_mac_new(DIGEST_NONE));
	digest_mac_free(NULL);
}

/* RFC 7515 A.1 */
static void
test_hs256(void **state)
{
	static const char input[] =
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
	    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
	    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
	static const char key_text[] =
	    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUu"
	    "TwjAzZr1Z9CAow";
	CLEANUP_FREE uint8_t *key = NULL;
	CLEANUP_FREE char *text = NULL;
	uint8_t out[DIGEST_MAX];
	size_t key_len = 0;

	assert_true(b64url_decode(key_text, strlen(key_text), &key, &key_len));
	assert_int_equal(digest_hmac(DIGEST_SHA256, key, key_len, input, strlen(input), out), 32);
	text = b64url_encode(out, 32);
	assert_string_equal(text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

static void
test_plain_digests(void **state)
{
	uint8_t out[32];
	char hex[SHA384_HEX];

	digest_sha256("abc", 3, out);
	assert_memory_equal(out, "\xba\x78\x16\xbf\x8f\x01\xcf\xea", 8);
	digest_sha384_hex("abc", 3, hex);
	assert_string_equal(hex,
	    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	    "8086072ba1e7cc2358baeca134c825a7");
	assert_true(digest_equal("ab", "ab", 2));
	assert_false(digest_equal("ab", "ac", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_hmac_vectors),
	    cmocka_unit_test(test_every_kind_works),
	    cmocka_unit_test(test_prepared),
	    cmocka_unit_test(test_hs256),
	    cmocka_unit_test(test_plain_digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
