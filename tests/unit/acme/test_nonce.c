/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/nonce.h"

static void
assert_takes(struct nonce_pool *pool, const char *wanted)
{
	char *nonce = nonce_pool_take(pool);

	assert_non_null(nonce);
	assert_string_equal(nonce, wanted);
	free(nonce);
}

static void
newest_first(void **state)
{
	struct nonce_pool pool = {0};

	assert_null(nonce_pool_take(&pool));
	assert_true(nonce_pool_put(&pool, "one"));
	assert_true(nonce_pool_put(&pool, "two"));
	assert_takes(&pool, "two");
	assert_true(nonce_pool_put(&pool, "three"));
	assert_takes(&pool, "three");
	assert_takes(&pool, "one");
	assert_null(nonce_pool_take(&pool));
}

static void
full_drops_the_oldest(void **state)
{
	struct nonce_pool pool = {0};
	char text[16];

	for (int i = 0; i < 3 * NONCES_KEPT; i++) {
		snprintf(text, sizeof(text), "n%d", i);
		assert_true(nonce_pool_put(&pool, text));
	}
	assert_int_equal(pool.count, NONCES_KEPT);
	for (int i = 3 * NONCES_KEPT - 1; i >= 2 * NONCES_KEPT; i--) {
		snprintf(text, sizeof(text), "n%d", i);
		assert_takes(&pool, text);
	}
	assert_null(nonce_pool_take(&pool));
}

static void
no_nonces(void **state)
{
	static const char *const texts[] = {
	    "", "a b", "a=", "a\"b", "a\r\nEvil: 1", "a/b", "a+b", "\xc3\xa9"};
	struct nonce_pool pool = {0};
	char text[NONCE_MAX + 2];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(nonce_pool_put(&pool, texts[i]));
	memset(text, 'a', sizeof(text));
	text[NONCE_MAX + 1] = '\0';
	assert_false(nonce_pool_put(&pool, text));
	text[NONCE_MAX] = '\0';
	assert_true(nonce_pool_put(&pool, text));
	nonce_pool_done(&pool);
	assert_int_equal(pool.count, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(newest_first),
	    cmocka_unit_test(full_drops_the_oldest),
	    cmocka_unit_test(no_nonces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
