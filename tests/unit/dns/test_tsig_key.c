/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/tsig_key.h"
#include "vectors.h"

static const char SECRET[] = "c2VjcmV0";

static void
test_files_of_tsig_keygen(void **state)
{
	static const struct {
		const char *file, *name;
		enum digest_kind algorithm;
		size_t len;
	} rows[] = {
	    {"hmac-sha1.key", "acmems-sha1.example", DIGEST_SHA1, 20},
	    {"hmac-sha224.key", "acmems-sha224.example", DIGEST_SHA224, 28},
	    {"hmac-sha256.key", "acmems-sha256.example", DIGEST_SHA256, 32},
	    {"hmac-sha384.key", "acmems-sha384.example", DIGEST_SHA384, 48},
	    {"hmac-sha512.key", "acmems-sha512.example", DIGEST_SHA512, 64},
	    {"ddns-confgen.txt", "ddns-key.example.org", DIGEST_SHA256, 32},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = vector_text(rows[i].file);
		struct tsig_key k;
		struct err e;
		assert_true(tsig_key_parse(text, strlen(text), &k, &e));
		assert_string_equal(k.name, rows[i].name);
		assert_int_equal(k.algorithm, rows[i].algorithm);
		assert_int_equal(k.secret_len, rows[i].len);
		free(text);
	}
}

static void
test_accepted(void **state)
{
	static const char *const texts[] = {
	    "key \"k.example\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };",
	    "key k.example { algorithm HMAC-SHA256; secret c2VjcmV0; };",
	    "KEY k.Example. {secret \"c2VjcmV0\";algorithm \"hmac-sha256.\";};\n",
	    "// a\n# b\n/* c\n \" */ key /* d */ k.example\n{\nalgorithm hmac-sha256;\nsecret "
	    "c2VjcmV0;\n}",
	    "options { a { b; }; c \"}\"; };\nkey k.example { algorithm hmac-sha256; secret "
	    "c2VjcmV0; };",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tsig_key k;
		struct err e = {0};
		if (!tsig_key_parse(texts[i], strlen(texts[i]), &k, &e))
			fail_msg("%s: %s", texts[i], e.detail);
		assert_string_equal(k.name, "k.example");
		assert_int_equal(k.algorithm, DIGEST_SHA256);
		assert_int_equal(k.secret_len, 6);
		assert_memory_equal(k.secret, "secret", 6);
	}
}

static void
test_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "nothing here",
	    "key",
	    "key k.example",
	    "key k.example {",
	    "key k.example { algorithm hmac-sha256; secret \"c2VjcmV0\";",
	    "key k.example { algorithm hmac-sha256; secret \"c2VjcmV0\" };",
	    "key k.example { algorithm hmac-sha256; };",
	    "key k.example { secret \"c2VjcmV0\"; };",
	    "key k.example { algorithm hmac-md5; secret \"c2VjcmV0\"; };",
	    "key k.example { algorithm hmac-sha256-128; secret \"c2VjcmV0\"; };",
	    "key k.example { algorithm hmac-sha256; secret \"c2VjcmV\"; };",
	    "key k.example { algorithm hmac-sha256; secret \"c2Vj=mV0\"; };",
	    "key k.example { algorithm hmac-sha256; secret \"c2V jcmV0\"; };",
	    "key k.example { algorithm hmac-sha256; secret \"\"; };",
	    "key k.example { algorithm hmac-sha256; secret \"====\"; };",
	    "key k.example { algorithm hmac-sha256; secret \"c2VjcmV0; };",
	    "key k..example { algorithm hmac-sha256; secret \"c2VjcmV0\"; };",
	    "key \"\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };",
	    "key k.example { colour red; secret \"c2VjcmV0\"; };",
	    "key a { algorithm hmac-sha256; secret c2VjcmV0; }; key b { algorithm hmac-sha256; "
	    "secret "
	    "c2VjcmV0; };",
	    "} key a { algorithm hmac-sha256; secret c2VjcmV0; };",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct tsig_key k;
		struct err e = {0};
		if (tsig_key_parse(texts[i], strlen(texts[i]), &k, &e))
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_null(strstr(e.detail, SECRET));
	}
}

static void
test_line_of_a_mistake(void **state)
{
	static const char text[] = "# one\n/* two\n three */\nkey k {\n\talgorithm;\n};\n";
	struct tsig_key k;
	struct err e;

	assert_false(tsig_key_parse(text, strlen(text), &k, &e));
	assert_non_null(strstr(e.detail, "line 5"));
}

static void
test_nul_and_long_words(void **state)
{
	static const char nul[] = "key k\0x { algorithm hmac-sha256; secret c2VjcmV0; };";
	char *text = malloc(5000);
	struct tsig_key k;

	assert_false(tsig_key_parse(nul, sizeof(nul) - 1, &k, NULL));
	memset(text, 'A', 4999);
	memcpy(text, "key ", 4);
	text[4999] = '\0';
	assert_false(tsig_key_parse(text, 4999, &k, NULL));
	free(text);
}

static void
test_file_that_is_not_there(void **state)
{
	struct tsig_key k;
	struct err e;

	assert_false(tsig_key_load("/nonexistent/key", &k, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, "/nonexistent/key"));
}

static void
test_parts(void **state)
{
	struct tsig_key k;
	uint8_t big[TSIG_SECRET_MAX + 1] = {1};

	assert_true(tsig_key_make("K.Example.", "hmac-sha512", "c2VjcmU=", &k, NULL));
	assert_string_equal(k.name, "k.example");
	assert_int_equal(k.secret_len, 5);
	assert_true(tsig_key_make("k", "hmac-sha512", "c2VjcmV0cw==", &k, NULL));
	assert_int_equal(k.secret_len, 7);
	assert_true(tsig_key_set("k", "hmac-sha1", big, TSIG_SECRET_MAX, &k, NULL));
	assert_false(tsig_key_set("k", "hmac-sha1", big, TSIG_SECRET_MAX + 1, &k, NULL));
	tsig_key_done(&k);
	assert_int_equal(k.secret_len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_files_of_tsig_keygen),
	    cmocka_unit_test(test_accepted),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_line_of_a_mistake),
	    cmocka_unit_test(test_nul_and_long_words),
	    cmocka_unit_test(test_file_that_is_not_there),
	    cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
