/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "issue/store_index.h"

static const struct store_facts facts = {.directory_url = "https://ca.example/directory"};

static bool
keeps(struct store_index *x, const char *key)
{
	const struct store_facts *f = store_index_get(x, key);

	assert_non_null(f);
	assert_true(f->pem != NULL || f->pem_len == 0);
	return f->pem != NULL;
}

static void
test_chains_are_bounded(void **state)
{
	struct store_index *x = store_index_new(10, 20);
	const char *keys[] = {"a", "b", "c"};

	for (int i = 0; i < 3; i++) {
		store_index_put(x, keys[i], &facts);
		assert_false(keeps(x, keys[i]));
	}
	store_index_keep_pem(x, "a", "chain of a", 10);
	store_index_keep_pem(x, "b", "chain of b", 10);
	assert_true(keeps(x, "b"));
	assert_true(keeps(x, "a"));
	/* No room: that of b was not asked for longest. The facts stay. */
	store_index_keep_pem(x, "c", "chain of c", 10);
	assert_true(keeps(x, "a"));
	assert_false(keeps(x, "b"));
	assert_memory_equal(store_index_get(x, "c")->pem, "chain of c", 10);
	/* In the place of the former one, and one for which there is never room. */
	store_index_keep_pem(x, "c", "another", 7);
	assert_int_equal(store_index_get(x, "c")->pem_len, 7);
	store_index_keep_pem(x, "b", "a chain of b that is too long", 29);
	assert_false(keeps(x, "b"));
	assert_true(keeps(x, "a"));
	/* What replaces an entry has no chain yet, and what is gone takes no room. */
	store_index_put(x, "a", &facts);
	assert_false(keeps(x, "a"));
	store_index_remove(x, "c");
	store_index_keep_pem(x, "c", "nobody", 6);
	assert_null(store_index_get(x, "c"));
	store_index_keep_pem(x, "a", "chain of a", 10);
	store_index_keep_pem(x, "b", "chain of b", 10);
	assert_true(keeps(x, "a"));
	assert_true(keeps(x, "b"));
	store_index_free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_chains_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
