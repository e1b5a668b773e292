/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/file_stamp.h"

static char dir[64];

static int
setup(void **state)
{
	strcpy(dir, "/tmp/acmems-file-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	CLEANUP_FREE char *command = xasprintf("rm -rf %s", dir);

	return system(command);
}

static unsigned
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777u;
}

static void
test_write_and_read(void **state)
{
	CLEANUP_FREE char *path = xasprintf("%s/f", dir);
	CLEANUP_BUF struct buf b;
	mode_t mask = umask(077);
	struct err e;

	buf_init(&b, 100);
	assert_true(file_write_atomic(path, "one\0two", 7, 0644, &e));
	assert_int_equal(mode_of(path), 0644);
	umask(0);
	assert_true(file_write_atomic(path, "three\0", 6, 0600, &e));
	assert_int_equal(mode_of(path), 0600);
	umask(mask);
	assert_true(file_read(path, &b, &e));
	assert_int_equal(b.len, 6);
	assert_memory_equal(b.data, "three\0", 6);
}

static void
test_read_empty(void **state)
{
	CLEANUP_FREE char *path = xasprintf("%s/empty", dir);
	CLEANUP_BUF struct buf b;
	struct err e;

	buf_init(&b, 100);
	assert_true(file_write_atomic(path, NULL, 0, 0600, &e));
	assert_true(file_read(path, &b, &e));
	assert_string_equal(b.data, "");
}

static void
test_read_errors(void **state)
{
	CLEANUP_FREE char *path = xasprintf("%s/big", dir);
	CLEANUP_BUF struct buf b;
	struct err e;

	buf_init(&b, 10);
	assert_false(file_read("/nonexistent/file", &b, &e));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_string_equal(e.detail, "/nonexistent/file: No such file or directory");
	assert_false(file_read(dir, &b, &e));
	assert_true(file_write_atomic(path, "0123456789a", 11, 0600, &e));
	assert_false(file_read(path, &b, &e));
	assert_non_null(strstr(e.detail, "larger than 10 bytes"));
}

static void
test_write_errors_leave_nothing(void **state)
{
	CLEANUP_FREE char *path = xasprintf("%s/sub", dir);
	CLEANUP_FREE char *command = xasprintf("test -z \"$(ls %s | grep tmp-)\"", dir);
	struct err e;

	assert_false(file_write_atomic("/nonexistent/file", "x", 1, 0600, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	/* A directory cannot be replaced by a file. */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(file_write_atomic(path, "x", 1, 0600, &e));
	assert_int_equal(system(command), 0);
}

static void
test_mkdirs(void **state)
{
	CLEANUP_FREE char *a = xasprintf("%s/a", dir);
	CLEANUP_FREE char *c = xasprintf("%s/a/b/c/", dir);
	CLEANUP_FREE char *bad = xasprintf("%s/plain/x", dir);
	CLEANUP_FREE char *plain = xasprintf("%s/plain", dir);
	mode_t mask = umask(0777);
	struct err e;

	assert_true(file_mkdirs(c, 0750, &e));
	umask(mask);
	assert_int_equal(mode_of(a), 0750);
	assert_int_equal(mode_of(c), 0750);
	assert_true(file_mkdirs(c, 0700, &e));
	assert_int_equal(mode_of(c), 0750);
	assert_true(file_write_atomic(plain, "x", 1, 0600, &e));
	assert_false(file_mkdirs(bad, 0700, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_false(file_mkdirs(plain, 0700, &e));
}

static void
test_dir_writable(void **state)
{
	CLEANUP_FREE char *sub = xasprintf("%s/w", dir);
	struct err e;

	assert_int_equal(mkdir(sub, 0700), 0);
	assert_true(file_dir_writable(sub, &e));
	/* Nothing is left behind. */
	assert_int_equal(rmdir(sub), 0);
	assert_false(file_dir_writable(sub, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, "No such file"));
}

static void
test_dir_of_someone_else(void **state)
{
	char expected[256];
	struct err e;

	/* As root nothing is forbidden, so become someone else for a moment. */
	if (geteuid() == 0)
		assert_int_equal(seteuid(12345), 0);
	assert_false(file_dir_writable("/usr", &e));
	snprintf(expected, sizeof(expected),
	    "/usr is owned by root (uid 0) and cannot be written by uid %u: chown -R ", geteuid());
	assert_int_equal(strncmp(e.detail, expected, strlen(expected)), 0);
	assert_non_null(strstr(e.detail, " /usr"));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

/* Whoever follows the advice must not give /usr away. */
static void
test_dir_below_someone_else_s(void **state)
{
	struct err e;

	if (geteuid() == 0)
		assert_int_equal(seteuid(12345), 0);
	assert_false(file_dir_makeable("/usr/not/there", &e));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, "/usr is owned by root (uid 0)"));
	assert_non_null(strstr(e.detail, ": mkdir -p /usr/not/there && chown "));
	assert_null(strstr(e.detail, "chown -R"));
}

static void
test_dir_makeable(void **state)
{
	CLEANUP_FREE char *deep = xasprintf("%s/not/there", dir);
	CLEANUP_FREE char *file = xasprintf("%s/makeable", dir);
	CLEANUP_FREE char *below = xasprintf("%s/x", file);
	struct err e;

	assert_true(file_dir_makeable(dir, &e));
	assert_true(file_dir_makeable(deep, &e));
	assert_true(file_write_atomic(file, "x", 1, 0600, &e));
	assert_false(file_dir_makeable(below, &e));
	assert_non_null(strstr(e.detail, below));
	assert_int_equal(unlink(file), 0);
}

static void
test_own_dir_without_permission(void **state)
{
	CLEANUP_FREE char *sub = xasprintf("%s/mine", dir);
	struct err e;

	assert_int_equal(mkdir(sub, 0500), 0);
	if (geteuid() == 0) {
		assert_int_equal(chmod(dir, 0755), 0);
		assert_int_equal(chown(sub, 12345, 12345), 0);
		assert_int_equal(seteuid(12345), 0);
	}
	assert_false(file_dir_writable(sub, &e));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(e.detail, "mode 0500"));
	assert_non_null(strstr(e.detail, "chmod u+rwx"));
}

static void
test_rename_and_remove(void **state)
{
	CLEANUP_FREE char *a = xasprintf("%s/a", dir);
	CLEANUP_FREE char *b = xasprintf("%s/b", dir);
	struct err e;

	assert_true(file_write_atomic(a, "a", 1, 0600, &e));
	assert_true(file_write_atomic(b, "b", 1, 0600, &e));
	assert_true(file_rename(a, b, &e));
	assert_int_not_equal(access(a, F_OK), 0);
	assert_false(file_rename(a, b, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, a));
	assert_true(file_unlink(b, &e));
	assert_int_not_equal(access(b, F_OK), 0);
	assert_false(file_unlink(b, &e));
	assert_non_null(strstr(e.detail, b));
}

static void
test_stamp(void **state)
{
	CLEANUP_FREE char *path = xasprintf("%s/stamped", dir);
	struct file_stamp none, first, same, second;

	none = file_stamp_at(path);
	assert_true(file_write_atomic(path, "x", 1, 0600, NULL));
	first = file_stamp_at(path);
	same = file_stamp_at(path);
	assert_false(file_stamp_equal(&none, &first));
	assert_true(file_stamp_equal(&first, &same));
	/* The same content at the same time is another file all the same. */
	assert_true(file_write_atomic(path, "x", 1, 0600, NULL));
	second = file_stamp_at(path);
	assert_false(file_stamp_equal(&first, &second));
	assert_true(file_unlink(path, NULL));
	second = file_stamp_at(path);
	assert_true(file_stamp_equal(&none, &second));
}

static void
test_lock(void **state)
{
	CLEANUP_FREE char *path = xasprintf("%s/lock", dir);
	CLEANUP_FREE char *nowhere = xasprintf("%s/nosuch/lock", dir);
	int one = -1, two = -1;
	struct err e;

	assert_true(file_lock(path, &one, &e));
	assert_int_equal(mode_of(path), 0600);
	assert_false(file_lock(path, &two, &e));
	assert_int_equal(e.kind, ERR_BUSY);
	assert_int_equal(two, -1);
	file_unlock(&one);
	assert_int_equal(one, -1);
	assert_true(file_lock(path, &two, &e));
	file_unlock(&two);
	file_unlock(&two);
	assert_false(file_lock(nowhere, &one, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_write_and_read),
	    cmocka_unit_test(test_read_empty),
	    cmocka_unit_test(test_read_errors),
	    cmocka_unit_test(test_write_errors_leave_nothing),
	    cmocka_unit_test(test_rename_and_remove),
	    cmocka_unit_test(test_stamp),
	    cmocka_unit_test(test_lock),
	    cmocka_unit_test(test_mkdirs),
	    cmocka_unit_test(test_dir_writable),
	    cmocka_unit_test(test_dir_of_someone_else),
	    cmocka_unit_test(test_dir_below_someone_else_s),
	    cmocka_unit_test(test_dir_makeable),
	    cmocka_unit_test(test_own_dir_without_permission),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
