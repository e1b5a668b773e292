/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files, sections and options: what is found, merged, and reported where. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "conf_test.h"

static void
test_whole_file_is_fine(void **state)
{
	struct conf *c = conf_test_fine("[account]\ndir = /d\n" AUTH);

	(void)state;
	assert_false(c->failed);
	assert_string_equal(c->ca.dir, "/d");
	assert_int_equal(c->auth_count, 1);
	conf_free(c);
	conf_free(NULL);
}

static void
test_all_problems_in_one_run(void **state)
{
	struct conf *c = conf_test_load("[account]\n"
					"key-type = dsa\n"
					"[mgmt]\n"
					"timeout = soon\n"
					"max-size = big\n"
					"[auth \"a\"]\n"
					"ip = 10.1\n"
					"domain = a.example\n");

	(void)state;
	assert_counts(c, 5, 0, 0);
	assert_problem(c, CONF_ERROR, 1, "dir is missing");
	assert_problem(c, CONF_ERROR, 2, "key-type");
	assert_problem(c, CONF_ERROR, 4, "timeout");
	assert_problem(c, CONF_ERROR, 5, "max-size");
	assert_problem(c, CONF_ERROR, 7, "10.1");
	for (size_t i = 1; i < c->problem_count; i++)
		assert_true(c->problems[i - 1].line <= c->problems[i].line);
	conf_free(c);
}

static void
test_text_of_a_problem(void **state)
{
	struct conf_problem p = {CONF_WARNING, "x.conf", 7, "odd"};
	char *text = conf_problem_text(&p);

	(void)state;
	assert_string_equal(text, "x.conf:7: warning: odd");
	free(text);
	p = (struct conf_problem){CONF_ERROR, "x.conf", 0, "gone"};
	text = conf_problem_text(&p);
	assert_string_equal(text, "x.conf: error: gone");
	free(text);
	p.severity = CONF_NOTE;
	text = conf_problem_text(&p);
	assert_string_equal(text, "x.conf: note: gone");
	free(text);
}

static void
test_unreadable_files(void **state)
{
	char *missing = "/nowhere/at/all.conf";
	struct conf *c = conf_load(&missing, 1);

	(void)state;
	assert_counts(c, 1, 0, 0);
	assert_problem(c, CONF_ERROR, 0, "No such file");
	assert_true(c->failed);
	conf_free(c);
	c = conf_load(NULL, 0);
	assert_true(c->failed);
	assert_problem(c, CONF_ERROR, 0, "no configuration file");
	conf_free(c);
}

/* What can be said of the other file is said too. */
static void
test_one_of_two_unreadable(void **state)
{
	char *both[] = {"/nowhere/at/all.conf",
	    (char *)conf_test_file("b.conf", "[mgmt]\ntimeout = never\n" ACCOUNT AUTH)};
	struct conf *c = conf_load(both, 2);

	(void)state;
	assert_counts(c, 2, 0, 0);
	assert_string_equal(c->problems[0].path, both[0]);
	assert_string_equal(c->problems[1].path, both[1]);
	conf_free(c);
}

static void
test_too_large(void **state)
{
	size_t len = 1024 * 1024 + 1;
	char *bytes = xmalloc(len);
	struct conf *c;

	(void)state;
	memset(bytes, '\n', len);
	char *path = (char *)conf_test_file_of("large.conf", bytes, len, 0600);
	c = conf_load(&path, 1);
	assert_problem(c, CONF_ERROR, 0, "larger than");
	conf_free(c);
	path = (char *)conf_test_file_of("large.conf", bytes, len - 1, 0600);
	c = conf_load(&path, 1);
	assert_no_problem(c, CONF_ERROR, "larger than");
	conf_free(c);
	free(bytes);
}

static void
test_nul_and_junk(void **state)
{
	static const char bytes[] = "[account]\ndir = /d\0evil\nno equals sign\n[auth\n";
	char *path = (char *)conf_test_file_of("junk.conf", bytes, sizeof(bytes) - 1, 0600);
	struct conf *c = conf_load(&path, 1);

	(void)state;
	assert_true(c->failed);
	assert_problem(c, CONF_ERROR, 2, "");
	assert_problem(c, CONF_ERROR, 3, "");
	assert_problem(c, CONF_ERROR, 4, "");
	conf_free(c);
}

static void
test_messages_are_printable_and_bounded(void **state)
{
	char *text = xasprintf("[mgmt]\ntimeout = \x1b[31m%05000d\x7f\n" ACCOUNT AUTH, 0);
	struct conf *c = conf_test_load(text);
	const struct conf_problem *p = conf_test_find(c, CONF_ERROR, 2, "timeout");

	(void)state;
	assert_non_null(p);
	assert_true(strlen(p->message) < 1100);
	assert_null(strchr(p->message, 0x1b));
	assert_null(strchr(p->message, 0x7f));
	conf_free(c);
	free(text);
}

static void
test_number_of_problems_is_bounded(void **state)
{
	enum { LINES = 5000 };
	char *text = xmalloc(LINES * 4 + 32), *p = text;
	struct conf *c;

	(void)state;
	p += sprintf(p, "[auth \"a\"]\n");
	for (int i = 0; i < LINES; i++)
		p += sprintf(p, "q=1\n");
	c = conf_test_load(text);
	assert_true(c->failed);
	assert_in_range(c->problem_count, 1000, 1001);
	assert_problem(c, CONF_ERROR, 0, "more problems");
	conf_free(c);
	free(text);
}

static void
test_unknown_names(void **state)
{
	(void)state;
	conf_test_one("[mgmt]\ntimeuot = 5\n" ACCOUNT AUTH, CONF_WARNING, 2,
	    "unknown option \"timeuot\" in [mgmt]; did you mean \"timeout\"?");
	conf_test_one("[mgmt]\nzzzzzzzz = 5\n" ACCOUNT AUTH, CONF_WARNING, 2,
	    "unknown option \"zzzzzzzz\" in [mgmt]");
	conf_test_one("[managment]\ntimeout = 5\n" ACCOUNT AUTH, CONF_WARNING, 1, "[managment]");
	conf_test_one(
	    "[loging]\nlevel = info\n" ACCOUNT AUTH, CONF_WARNING, 1, "did you mean [logging]?");
	conf_test_one("[verification \"v\"]\ntype = http01\nttl = 5\n" ACCOUNT AUTH, CONF_WARNING,
	    3, "\"ttl\" has no meaning for type http01");
	conf_test_one("early = 1\n" ACCOUNT AUTH, CONF_WARNING, 1, "");
}

/* Where it could open the door, a misspelled option stops the daemon. */
static void
test_auth_is_strict(void **state)
{
	(void)state;
	conf_test_one("[auth \"a\"]\nall = yes\ndomain = a.example\nipp = 192.0.2.1\n" ACCOUNT,
	    CONF_ERROR, 4, "unknown option \"ipp\" in [auth]; did you mean \"ip\"?");
	conf_test_one("[auth \"a\"]\nall = yes\ndomain = a.example\ndomain =\n" ACCOUNT, CONF_ERROR,
	    4, "\"domain\" has no value");
	conf_test_one("[auth \"a\"]\nall = yes\ndomain = a.example\nprofile =\n" ACCOUNT,
	    CONF_ERROR, 4, "\"profile\" has no value");
}

static void
test_headers(void **state)
{
	(void)state;
	conf_test_one("[auth]\nall = yes\n" ACCOUNT AUTH, CONF_ERROR, 1, "[auth] needs a name");
	conf_test_one("[storage]\ntype = none\n" ACCOUNT AUTH, CONF_ERROR, 1, "needs a name");
	conf_test_one("[mgmt \"x\"]\n" ACCOUNT AUTH, CONF_ERROR, 1, "[mgmt] takes no name");
	conf_free(conf_test_fine("[verification http]\ntype = http01\n" ACCOUNT AUTH));
}

static void
test_setup_belonged_to_python(void **state)
{
	(void)state;
	conf_test_one("[setup]\nplugin = x\ninclude-path = y\n" ACCOUNT AUTH, CONF_WARNING, 1,
	    "belonged to the Python program");
}

static void
test_single_given_twice(void **state)
{
	struct conf *c = conf_test_load("[mgmt]\ntimeout = 1\nmax-size = 1k\ntimeout = 2\n"
					"timeout = 3\n" ACCOUNT AUTH);

	(void)state;
	assert_counts(c, 0, 2, 1);
	assert_problem(c, CONF_WARNING, 4, "\"timeout\" was already given in line 2");
	assert_problem(c, CONF_WARNING, 5, "\"timeout\" was already given in line 4");
	assert_int_equal(c->mgmt.timeout_s, 3);
	conf_free(c);
}

static void
test_older_spelling_counts_as_the_same(void **state)
{
	struct conf *c =
	    conf_test_load("[verification \"v\"]\ntype = dns01-boulder\n"
			   "set-txt_url = http://a/\nset_txt_url = http://b/\n" ACCOUNT AUTH);

	(void)state;
	assert_problem(c, CONF_WARNING, 4, "\"set-txt_url\" was already given in line 3");
	assert_int_equal(c->verifications[0].type, CHALLENGE_DNS01_CHALLTESTSRV);
	assert_string_equal(c->verifications[0].challtestsrv.set_txt_url, "http://b/");
	conf_free(c);
}

static void
test_equal_header_replaces(void **state)
{
	struct conf *c = conf_test_load("[mgmt]\ntimeout = 7\nmax-orders = 7\n"
					"[mgmt]\ntimeout = 8\n" ACCOUNT AUTH);

	(void)state;
	assert_counts(c, 0, 1, 0);
	assert_problem(c, CONF_WARNING, 4, "1");
	assert_int_equal(c->mgmt.timeout_s, 8);
	assert_int_equal(c->mgmt.max_orders, 1000);
	conf_free(c);
}

static void
test_files_merge_option_by_option(void **state)
{
	struct conf *c = conf_test_load2("[account]\ndir = /one\nkey-type = ec384\n"
					 "contact = mailto:a@b\ncontact = mailto:c@d\n"
					 "[logging]\nlevel = info\n" AUTH,
	    "[account]\ndir = /two\ncontact = mailto:e@f\n[logging]\nformat = json\n");

	(void)state;
	assert_counts(c, 0, 0, 2);
	assert_string_equal(c->ca.dir, "/two");
	assert_int_equal(c->ca.key_type, KEY_EC384);
	assert_int_equal(c->ca.contact_count, 1);
	assert_string_equal(c->ca.contacts[0], "mailto:e@f");
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_true(c->log.json);
	assert_problem(c, CONF_NOTE, 1, "the original forgot all of it");
	conf_free(c);
}

/* Nothing of the first file is left, so nothing differs from the original either. */
static void
test_complete_override_needs_no_note(void **state)
{
	struct conf *c = conf_test_load2("[account]\ndir = /one\n" AUTH, "[account]\ndir = /two\n");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_string_equal(c->ca.dir, "/two");
	conf_free(c);
}

static void
test_later_file_empties_a_list(void **state)
{
	struct conf *c = conf_test_load2(
	    "[mgmt]\nlistener = 127.0.0.1:1\n" ACCOUNT AUTH, "[mgmt]\nlistener =\n");

	(void)state;
	assert_false(c->failed);
	assert_int_equal(c->mgmt.listener_count, 0);
	assert_false(c->mgmt.default_listeners);
	conf_free(c);
}

static void
test_later_block_replaces(void **state)
{
	struct conf *c = conf_test_load2(
	    "[verification \"v\"]\ntype = http01\nlistener = 127.0.0.1:1\n"
	    "[storage \"s\"]\ntype = file\ndirectory = /one\nkeep = 1\n" ACCOUNT AUTH,
	    "[verification \"v\"]\ntype = http01\n[storage \"s\"]\ntype = file\ndirectory = /two\n"
	    "renew-within = 3\n");

	(void)state;
	assert_counts(c, 0, 0, 1);
	assert_int_equal(c->verification_count, 1);
	assert_true(c->verifications[0].http01.default_listeners);
	assert_int_equal(c->storage_count, 2);
	assert_string_equal(c->storages[0].file.directory, "/two");
	assert_int_equal(c->storages[0].file.keep, 30 * 86400);
	conf_free(c);
}

static void
test_later_auth_is_one_more(void **state)
{
	struct conf *c =
	    conf_test_load2(ACCOUNT AUTH, AUTH "[auth \"b\"]\nall = yes\ndomain = b\n");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->auth_count, 3);
	assert_string_equal(c->auths[0].name, "some");
	assert_string_equal(c->auths[1].name, "some");
	assert_string_equal(c->auths[2].name, "b");
	conf_free(c);
}

static struct conf *
load_mode(unsigned mode, const char *text)
{
	char *path = (char *)conf_test_file_of("mode.conf", text, strlen(text), mode);

	return conf_load(&path, 1);
}

static void
test_secret_others_can_read(void **state)
{
	static const char text[] = "[auth \"a\"]\nhmac_type = sha256\nhmac_key = one\n"
				   "hmac_key = two\ndomain = a\n" ACCOUNT;
	struct conf *c = load_mode(0644, text);

	(void)state;
	assert_problem(c, CONF_WARNING, 3, "others can read this file");
	assert_int_equal(conf_test_count(c, CONF_WARNING), 1);
	conf_free(c);
	c = load_mode(0640, text);
	assert_int_equal(conf_test_count(c, CONF_WARNING), 0);
	conf_free(c);
	c = load_mode(0644, ACCOUNT AUTH);
	assert_int_equal(conf_test_count(c, CONF_WARNING), 0);
	conf_free(c);
}

/* Every secret of the table, wherever a message could quote it. */
static void
test_secrets_are_never_quoted(void **state)
{
	struct conf *c = conf_test_load(
	    "[account]\ndir = /d\neab-hmac-key = TOPSECRET+\neab-hmac-key = TOPSECRET!\n"
	    "[verification \"v\"]\ntype = dns01-dnsUpdate\ntsig-name = a\ntsig-secret = "
	    "TOPSECRET!\n"
	    "[auth \"a\"]\nhmac_key = TOPSECRET\nhmac_key = TOPSECRET2\ndomain = a\n");

	(void)state;
	assert_problem(c, CONF_ERROR, 4, "eab-hmac-key");
	assert_problem(c, CONF_ERROR, 8, "tsig-secret");
	assert_problem(c, CONF_ERROR, 10, "hmac_key");
	for (size_t i = 0; i < c->problem_count; i++)
		assert_null(strstr(c->problems[i].message, "TOPSECRET"));
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole_file_is_fine),
	    cmocka_unit_test(test_all_problems_in_one_run),
	    cmocka_unit_test(test_text_of_a_problem),
	    cmocka_unit_test(test_unreadable_files),
	    cmocka_unit_test(test_one_of_two_unreadable),
	    cmocka_unit_test(test_too_large),
	    cmocka_unit_test(test_nul_and_junk),
	    cmocka_unit_test(test_messages_are_printable_and_bounded),
	    cmocka_unit_test(test_number_of_problems_is_bounded),
	    cmocka_unit_test(test_unknown_names),
	    cmocka_unit_test(test_auth_is_strict),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_setup_belonged_to_python),
	    cmocka_unit_test(test_single_given_twice),
	    cmocka_unit_test(test_older_spelling_counts_as_the_same),
	    cmocka_unit_test(test_equal_header_replaces),
	    cmocka_unit_test(test_files_merge_option_by_option),
	    cmocka_unit_test(test_complete_override_needs_no_note),
	    cmocka_unit_test(test_later_file_empties_a_list),
	    cmocka_unit_test(test_later_block_replaces),
	    cmocka_unit_test(test_later_auth_is_one_more),
	    cmocka_unit_test(test_secret_others_can_read),
	    cmocka_unit_test(test_secrets_are_never_quoted),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
