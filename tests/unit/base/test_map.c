/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/alloc.h"
#include "base/map.h"

enum { MANY = 100000 };

static int value_of[MANY];

static void
test_put_get_remove(void **state)
{
	struct map *m = map_new();
	int a, b;

	assert_null(map_get(m, "k", 1));
	assert_null(map_put(m, "k", 1, &a));
	assert_ptr_equal(map_get(m, "k", 1), &a);
	assert_ptr_equal(map_put(m, "k", 1, &b), &a);
	assert_int_equal(map_count(m), 1);
	assert_ptr_equal(map_remove(m, "k", 1), &b);
	assert_null(map_remove(m, "k", 1));
	assert_int_equal(map_count(m), 0);
	assert_null(map_next(m, NULL, 0, NULL, NULL));
	map_free(m);
	map_free(NULL);
}

static void
test_keys_are_bytes(void **state)
{
	struct map *m = map_new();
	int a, b, c;

	map_put(m, "a\0b", 3, &a);
	map_put(m, "a\0c", 3, &b);
	map_put(m, "", 0, &c);
	assert_int_equal(map_count(m), 3);
	assert_ptr_equal(map_get(m, "a\0c", 3), &b);
	assert_null(map_get(m, "a", 1));
	assert_ptr_equal(map_get(m, "", 0), &c);
	map_free(m);
}

struct walk {
	size_t count;
	char last[16];
};

static void
check_order(const void *key, size_t key_len, void *value, void *arg)
{
	struct walk *walk = arg;

	assert_true(key_len < sizeof(walk->last));
	assert_true(walk->count == 0 || strcmp(walk->last, key) < 0);
	memcpy(walk->last, key, key_len);
	walk->last[key_len] = '\0';
	walk->count++;
}

/* Every number below MANY once, in an order that looks like chance. */
static size_t
shuffled(size_t i)
{
	return (i * 7919 + 13) % MANY;
}

static size_t
key_of(size_t i, char out[16])
{
	return (size_t)snprintf(out, 16, "%06zu", i);
}

static void
test_many(void **state)
{
	struct map *m = map_new();
	struct walk walk = {0};
	char key[16];

	for (size_t i = 0; i < MANY; i++)
		assert_null(map_put(m, key, key_of(shuffled(i), key), &value_of[shuffled(i)]));
	assert_int_equal(map_count(m), MANY);
	map_each(m, check_order, &walk);
	assert_int_equal(walk.count, MANY);

	/* Every second one goes, in another order. */
	for (size_t i = 0; i < MANY; i++) {
		size_t n = MANY - 1 - shuffled(i);
		if (n % 2 == 0)
			assert_ptr_equal(map_remove(m, key, key_of(n, key)), &value_of[n]);
	}
	assert_int_equal(map_count(m), MANY / 2);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(map_get(m, key, key_of(i, key)), i % 2 == 0 ? NULL : &value_of[i]);
	walk = (struct walk){0};
	map_each(m, check_order, &walk);
	assert_int_equal(walk.count, MANY / 2);

	/* From a key that is there, and from one that is not. */
	for (size_t i = 0; i + 2 < MANY; i++) {
		size_t next = i % 2 == 0 ? i + 1 : i + 2;
		const void *found = NULL;
		size_t len = 0;

		assert_ptr_equal(map_next(m, key, key_of(i, key), &found, &len), &value_of[next]);
		assert_int_equal(len, 6);
		key_of(next, key);
		assert_memory_equal(found, key, 6);
	}
	map_free(m);
}

static void
test_cursor_survives_removal(void **state)
{
	struct map *m = map_new();
	const void *key = NULL;
	char at[16], name[16];
	size_t len = 0, seen = 0;
	void *value;

	for (size_t i = 0; i < 100; i++)
		map_put(m, name, key_of(i, name), &value_of[i]);
	value = map_next(m, NULL, 0, &key, &len);
	while (value != NULL) {
		assert_ptr_equal(value, &value_of[seen]);
		seen++;
		memcpy(at, key, len);
		map_remove(m, at, len);
		value = map_next(m, at, len, &key, &len);
	}
	assert_int_equal(seen, 100);
	assert_int_equal(map_count(m), 0);
	map_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_put_get_remove),
	    cmocka_unit_test(test_keys_are_bytes),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_cursor_survives_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
