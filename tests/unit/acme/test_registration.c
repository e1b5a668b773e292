/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "acme/key_file.h"
#include "acme/registration.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

static char dir[64];

static int
make_dir(void **state)
{
	strcpy(dir, "/tmp/acmems-reg-XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_dir(void **state)
{
	static const char *const names[] = {"registration.json", "account.pem", "account.lock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = account_path(dir, names[i]);

		unlink(path);
		free(path);
	}
	return rmdir(dir);
}

/* As the account does: what is new is written. */
static bool
save(struct registration *r, const char *uri, const struct json *key, const struct json *contacts)
{
	return !registration_record(r, uri, key, contacts) || registration_write(r, NULL);
}

static void
put(const char *name, const char *text, mode_t mode)
{
	char *path = account_path(dir, name);

	assert_true(file_write_atomic(path, text, strlen(text), mode, NULL));
	free(path);
}

static char *
get(const char *name)
{
	char *path = account_path(dir, name);
	struct buf b;

	buf_init(&b, 100000);
	assert_true(file_read(path, &b, NULL));
	free(path);
	return buf_take(&b, NULL);
}

static void
missing(void **state)
{
	struct registration r = {0};
	struct json *key = json_new_object();
	char *text;

	assert_true(registration_load(&r, dir, NULL));
	assert_null(r.uri);
	assert_null(registration_contacts(&r));
	json_set_string(key, "kty", "EC");
	assert_true(save(&r, "https://ca.test/1", key, NULL));
	registration_done(&r);
	text = get("registration.json");
	assert_non_null(strstr(text, "\"contact\": []"));
	free(text);
	assert_true(registration_load(&r, dir, NULL));
	assert_string_equal(r.uri, "https://ca.test/1");
	registration_done(&r);
	json_free(key);
}

/* As ACMEMS and macen wrote it, and as people have edited it. */
static void
original(void **state)
{
	static const char text[] =
	    "{\"body\": {\"contact\": [\"mailto:a@b.test\"], \"key\": {\"e\": \"AQAB\", \"kty\": "
	    "\"RSA\", \"n\": \"x\"}, \"status\": \"valid\", \"agreement\": \"https://t\"}, "
	    "\"uri\": \"https://acme-v01.test/reg/1\", \"terms_of_service\": null}";
	struct registration r = {0};
	struct json *key = json_new_object();
	char *now;

	put("registration.json", text, 0600);
	assert_true(registration_load(&r, dir, NULL));
	assert_string_equal(r.uri, "https://acme-v01.test/reg/1");
	assert_string_equal(json_array_string(registration_contacts(&r), 0), "mailto:a@b.test");
	json_set_string(key, "kty", "EC");
	assert_true(save(&r, "https://ca.test/2", key, NULL));
	registration_done(&r);
	now = get("registration.json");
	assert_non_null(strstr(now, "mailto:a@b.test"));
	assert_non_null(strstr(now, "\"agreement\": \"https://t\""));
	assert_non_null(strstr(now, "\"terms_of_service\": null"));
	assert_non_null(strstr(now, "https://ca.test/2"));
	assert_null(strstr(now, "AQAB"));
	free(now);
	json_free(key);
}

/* Nothing new: the file is not touched. */
static void
unchanged(void **state)
{
	struct registration r = {0};
	struct json *key = json_new_object();
	struct stat before;
	struct stat after;

	assert_true(registration_load(&r, dir, NULL));
	assert_true(save(&r, "https://ca.test/1", key, NULL));
	assert_int_equal(stat(r.path, &before), 0);
	assert_true(save(&r, "https://ca.test/1", key, NULL));
	assert_int_equal(stat(r.path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_true(save(&r, "https://ca.test/2", key, NULL));
	assert_int_equal(stat(r.path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 0777, 0600);
	registration_done(&r);
	json_free(key);
}

static void
damaged(void **state)
{
	static const char *const texts[] = {"", "{\"uri\": ", "[]", "\"x\"", "\x01"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct registration r = {0};
		struct err e;

		put("registration.json", texts[i], 0600);
		assert_false(registration_load(&r, dir, &e));
		assert_int_equal(e.kind, ERR_CONFIG);
		assert_non_null(strstr(e.detail, "registration.json is damaged"));
		assert_null(r.uri);
		registration_done(&r);
	}
}

static void
odd_members(void **state)
{
	struct registration r = {0};
	struct json *key = json_new_object();

	put("registration.json", "{\"uri\": 7, \"body\": [1, 2]}", 0600);
	assert_true(registration_load(&r, dir, NULL));
	assert_null(r.uri);
	assert_null(registration_contacts(&r));
	assert_true(save(&r, "https://ca.test/1", key, NULL));
	registration_done(&r);
	json_free(key);
}

static void
key_of_every_type(void **state)
{
	for (int type = 0; type < KEY_TYPE_COUNT; type++) {
		enum key_file_event event;
		struct key *made;
		struct key *loaded;
		char *pem;

		if (type == KEY_RSA3072 || type == KEY_RSA4096)
			continue; /* those take seconds, under valgrind minutes */
		made = key_file_open(dir, (enum key_type)type, &event, NULL);
		assert_non_null(made);
		assert_int_equal(event, KEY_FILE_MADE);
		loaded = key_file_open(dir, KEY_EC256, &event, NULL);
		assert_int_equal(event, KEY_FILE_LOADED);
		assert_string_equal(key_thumbprint(made), key_thumbprint(loaded));
		key_free(loaded);
		pem = get("account.pem");
		put("account.pem", pem, 0640);
		loaded = key_file_open(dir, KEY_EC256, &event, NULL);
		assert_int_equal(event, KEY_FILE_TIGHTENED);
		key_free(loaded);
		key_free(made);
		free(pem);
		pem = account_path(dir, "account.pem");
		unlink(pem);
		free(pem);
	}
}

static void
key_in_a_new_directory(void **state)
{
	char *deep = account_path(dir, "new");
	enum key_file_event event;
	struct key *key = key_file_open(deep, KEY_EC256, &event, NULL);
	char *path = account_path(deep, "account.pem");
	struct stat st;

	assert_non_null(key);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	key_free(key);
	unlink(path);
	free(path);
	path = account_path(deep, "account.lock");
	unlink(path);
	rmdir(deep);
	free(path);
	free(deep);
}

int
main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)
	static const struct CMUnitTest tests[] = {
	    IN_DIR(missing),
	    IN_DIR(original),
	    IN_DIR(unchanged),
	    IN_DIR(damaged),
	    IN_DIR(odd_members),
	    IN_DIR(key_of_every_type),
	    IN_DIR(key_in_a_new_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
