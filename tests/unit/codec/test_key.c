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
#include "codec/key.h"
#include "pki.h"

static struct key *
load(const char *file)
{
	CLEANUP_FREE char *pem = pki_read(file);
	struct key *k = key_from_pem(pem, strlen(pem), NULL);

	assert_non_null(k);
	return k;
}

static void
check(const char *file, const char *jwk, const char *thumbprint)
{
	struct key *k = load(file);
	CLEANUP_FREE char *text = json_text(key_jwk(k), 0);

	if (jwk != NULL)
		assert_string_equal(text, jwk);
	assert_string_equal(key_thumbprint(k), thumbprint);
	key_free(k);
}

static void
test_thumbprints(void **state)
{
	/* RFC 7638 3.1 */
	check("rfc7638-3.1.pem",
	    "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":"
	    "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAt"
	    "VT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-"
	    "5JsGY4Hc5n9yBXArwl93lqt7_RN5w6C"
	    "f0h4QyQ5v-65YGjQR0_"
	    "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrd"
	    "kt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
	    "kEgU8awapJzKnqDKgw\"}",
	    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	check("rfc7515-a3.pem",
	    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":"
	    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
	    "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

static void
test_leading_zeros_stay(void **state)
{
	check("ec256-leading-zero.pem",
	    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AHHG53ljFoDJa47biVP6OnLMVfGI9llQaOZ6kvfE_"
	    "w0\","
	    "\"y\":\"ejFxGv_wTTa1aEj-Dz2ZxKLOdfQxEEshjNs9TX3FrXM\"}",
	    "7Pi698XB7f5QdFmmXVBvZCupx9p7-j1v0eC5KDjwmp0");
	check("ec384-leading-zero.pem",
	    "{\"crv\":\"P-384\",\"kty\":\"EC\",\"x\":\"RD3_dS9_Qg1IIQ-fj74m3hH1zQf8s3VFw_"
	    "7uaS4Sysdk6mRWWBGeQaiCEw"
	    "89Q9RI\",\"y\":\"AGtuNl0lHSPehq34OrjjNSSXP8v4kUix0Hc-J8-e60X9FLzUfku4_fcKbvqBf07d\"}",
	    "o5w74E65W1WKbQ8PG5Z6zhhUKPlf8g-LTe_kM5MVlI4");
}

static void
test_forms(void **state)
{
	/* PKCS#8, SEC1 with parameters in front, text around it; each the same key. */
	static const char *const files[] = {
	    "ec256-pkcs8.pem", "ec256-sec1.pem", "ec256-sec1-params.pem", "ec256-text-crlf.pem"};
	struct key *first = load(files[0]);

	for (size_t i = 1; i < sizeof(files) / sizeof(files[0]); i++) {
		struct key *k = load(files[i]);

		assert_string_equal(key_thumbprint(k), key_thumbprint(first));
		assert_memory_equal(key_spki_sha256(k), key_spki_sha256(first), 32);
		key_free(k);
	}
	key_free(first);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *file, *says;
	} rows[] = {{"key-encrypted.pem", "encrypted"}, {"key-encrypted-pkcs8.pem", "encrypted"},
	    {"key-rsa1024.pem", "1024 bits are too few"}, {"key-p521.pem", "secp521r1"},
	    {"key-ed25519.pem", "ED25519"}, {"key-rsapss.pem", "RSA-PSS"},
	    {"key-public.pem", "not a private key"}};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CLEANUP_FREE char *pem = pki_read(rows[i].file);

		assert_null(key_from_pem(pem, strlen(pem), &e));
		assert_int_equal(e.kind, ERR_CONFIG);
		if (strstr(e.detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].file, e.detail);
	}
	assert_null(key_from_pem("", 0, &e));
	assert_null(key_from_pem("garbage", 7, &e));
}

static void
test_generate_and_write(void **state)
{
	static const enum key_type types[] = {KEY_EC256, KEY_EC384, KEY_RSA2048};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct key *k = key_generate(types[i], NULL), *again;
		char *pem;

		assert_non_null(k);
		pem = key_to_pem(k);
		assert_int_equal(strncmp(pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
		again = key_from_pem(pem, strlen(pem), NULL);
		free_secret(pem, strlen(pem));
		assert_string_equal(key_thumbprint(k), key_thumbprint(again));
		assert_memory_equal(key_spki_sha256(k), key_spki_sha256(again), 32);
		key_free(k);
		key_free(again);
	}
	key_free(NULL);
}

static void
test_type_names(void **state)
{
	enum key_type type;

	for (int i = 0; i < KEY_TYPE_COUNT; i++) {
		assert_true(key_type_parse(key_type_name((enum key_type)i), &type));
		assert_int_equal(type, i);
	}
	assert_true(key_type_parse("RSA4096", &type));
	assert_int_equal(type, KEY_RSA4096);
	assert_false(key_type_parse("rsa1024", &type));
	assert_false(key_type_parse("", &type));
}

static void
test_authorization(void **state)
{
	struct key *k = load("rfc7515-a3.pem");
	CLEANUP_FREE char *text = key_authorization(k, "token");

	assert_string_equal(text, "token.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
	assert_non_null(key_evp(k));
	key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_thumbprints),
	    cmocka_unit_test(test_leading_zeros_stay),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_generate_and_write),
	    cmocka_unit_test(test_type_names),
	    cmocka_unit_test(test_authorization),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
