/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys in the account's directory, and what becomes of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "acme/account_lock.h"
#include "acme/key_file.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file_lock.h"

static char dir[64];
static struct key *one, *two;

static int
setup(void **state)
{
	strcpy(dir, "/tmp/acmems-key-XXXXXX");
	one = key_generate(KEY_EC256, NULL);
	two = key_generate(KEY_EC384, NULL);
	return mkdtemp(dir) == NULL || one == NULL || two == NULL;
}

static int
teardown(void **state)
{
	CLEANUP_FREE char *command = xasprintf("rm -rf %s", dir);

	key_free(one);
	key_free(two);
	return system(command);
}

static void
assert_holds(const char *name, const struct key *key)
{
	CLEANUP_FREE char *path = account_path(dir, name);
	struct key *found = key_file_load(dir, name, NULL);
	struct stat st;

	assert_non_null(found);
	assert_string_equal(key_thumbprint(found), key_thumbprint(key));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	key_free(found);
}

static void
both(void)
{
	assert_true(key_file_write(dir, KEY_FILE, one, NULL));
	assert_true(key_file_write(dir, KEY_FILE_PENDING, two, NULL));
}

static void
finish(void **state)
{
	both();
	assert_true(key_file_finish(dir, NULL));
	assert_holds(KEY_FILE, two);
	assert_holds(KEY_FILE_OLD, one);
	assert_false(key_file_there(dir, KEY_FILE_PENDING));
	/* Nothing to finish: what is there stays. */
	assert_false(key_file_finish(dir, NULL));
	assert_holds(KEY_FILE, two);
}

static void
drop(void **state)
{
	both();
	assert_true(key_file_drop(dir, NULL));
	assert_holds(KEY_FILE, one);
	assert_false(key_file_there(dir, KEY_FILE_PENDING));
	assert_false(key_file_drop(dir, NULL));
}

static void
set_aside(void **state)
{
	both();
	assert_true(key_file_set_aside(dir, NULL));
	assert_holds(KEY_FILE, one);
	assert_holds(KEY_FILE_UNUSED, two);
}

static void
load_errors(void **state)
{
	CLEANUP_FREE char *path = account_path(dir, "nosuch.pem");
	struct err e;

	assert_null(key_file_load(dir, "nosuch.pem", &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, path));
}

/* A file, not a lock for ever: the next one gets it. */
static void
lock(void **state)
{
	struct err e;
	int a = -1, b = -1;

	assert_true(account_lock(dir, &a, &e));
	assert_false(account_lock(dir, &b, &e));
	assert_int_equal(e.kind, ERR_BUSY);
	/* For clients too: no path. */
	assert_null(strstr(e.detail, dir));
	file_unlock(&a);
	assert_true(account_lock_wait(dir, &b, &e));
	file_unlock(&b);
	assert_false(account_lock_wait("/nosuch", &b, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finish),
	    cmocka_unit_test(drop),
	    cmocka_unit_test(set_aside),
	    cmocka_unit_test(load_errors),
	    cmocka_unit_test(lock),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
