/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "codec/ini.h"

static char reports[2000];

static void
note(void *arg, enum ini_severity severity, const char *path, int line, const char *message)
{
	size_t n = strlen(reports);

	assert_string_equal(path, "f.ini");
	assert_string_equal(arg, "arg");
	snprintf(reports + n, sizeof(reports) - n, "%c%d: %s\n", severity == INI_ERROR ? 'E' : 'W',
	    line, message);
}

static struct ini_file *
parse_bytes(const char *text, size_t len)
{
	reports[0] = '\0';
	return ini_parse(text, len, "f.ini", note, "arg");
}

static struct ini_file *
parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void
test_dialect(void **state)
{
	struct ini_file *f = parse("# comment\n"
				   "; comment\r\n"
				   "[account]\r\n"
				   "  indented = value with = and # no comment\n"
				   "empty=\n"
				   "\n"
				   "\t[ verification \"http server\" ]\t\n"
				   "a=1\n"
				   "a = 2\n"
				   "[auth plain]\n"
				   "[auth\"x\"]\n"
				   "last=one");

	assert_string_equal(reports, "");
	assert_string_equal(f->path, "f.ini");
	assert_int_equal(f->section_count, 4);
	assert_string_equal(f->sections[0].kind, "account");
	assert_null(f->sections[0].name);
	assert_int_equal(f->sections[0].line, 3);
	assert_int_equal(f->sections[0].option_count, 2);
	assert_string_equal(f->sections[0].options[0].key, "indented");
	assert_string_equal(f->sections[0].options[0].value, "value with = and # no comment");
	assert_int_equal(f->sections[0].options[0].line, 4);
	assert_string_equal(f->sections[0].options[1].value, "");
	assert_string_equal(f->sections[1].kind, "verification");
	assert_string_equal(f->sections[1].name, "http server");
	assert_int_equal(f->sections[1].option_count, 2);
	assert_string_equal(f->sections[1].options[1].value, "2");
	assert_string_equal(f->sections[2].name, "plain");
	assert_string_equal(f->sections[3].name, "x");
	assert_string_equal(f->sections[3].options[0].value, "one");
	ini_free(f);
	ini_free(NULL);
}

static void
test_all_problems_in_one_run(void **state)
{
	struct ini_file *f = parse("before = x\n"
				   "[broken\n"
				   "ignored = quietly\n"
				   "[]\n"
				   "[a \"b]\n"
				   "[a \"\"]\n"
				   "[a \"b\"c\"]\n"
				   "[\"x\"]\n"
				   "[good]\n"
				   "no equals sign\n"
				   "= no key\n"
				   "k = v\n");

	assert_string_equal(reports,
	    "W1: option \"before\" before the first section is ignored\n"
	    "E2: the section header does not end with ]\n"
	    "E4: the section has no name\n"
	    "E5: the quotes of the section's name are not closed\n"
	    "E6: the section's name is empty\n"
	    "E7: a section's name must not contain quotes\n"
	    "E8: the section has no name\n"
	    "E10: \"no equals sign\" is neither a section nor an option (key = value)\n"
	    "E11: an option has no name before the =\n");
	assert_int_equal(f->section_count, 1);
	assert_int_equal(f->sections[0].option_count, 1);
	ini_free(f);
}

static void
test_equal_header_replaces(void **state)
{
	struct ini_file *f = parse("[a]\nx=1\n[b \"n\"]\nx=2\n[a]\ny=3\n[b n]\n[b]\n");

	assert_string_equal(reports,
	    "W5: section [a] replaces the one in line 1\n"
	    "W7: section [b \"n\"] replaces the one in line 3\n");
	assert_int_equal(f->section_count, 3);
	assert_string_equal(f->sections[0].kind, "a");
	assert_int_equal(f->sections[0].line, 5);
	assert_string_equal(f->sections[0].options[0].key, "y");
	assert_int_equal(f->sections[1].option_count, 0);
	assert_null(f->sections[2].name);
	ini_free(f);
}

static void
test_odd_bytes(void **state)
{
	struct ini_file *f = parse_bytes("\xef\xbb\xbf[a]\nk\0 = v\nx=\xff\n", 18);

	assert_string_equal(reports, "E2: the line contains a NUL byte\n");
	assert_int_equal(f->sections[0].option_count, 1);
	assert_string_equal(f->sections[0].options[0].value, "\xff");
	ini_free(f);
	ini_free(parse_bytes(NULL, 0));
	ini_free(ini_parse("broken", 6, "x", NULL, NULL));
}

static void
test_many_options(void **state)
{
	CLEANUP_BUF struct buf b;
	struct ini_file *f;

	buf_init(&b, 1000000);
	buf_adds(&b, "[a]\n");
	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "key%d = %d\n", i, i);
	f = parse_bytes(b.data, b.len);
	assert_int_equal(f->sections[0].option_count, 5000);
	assert_string_equal(f->sections[0].options[4999].value, "4999");
	assert_int_equal(f->sections[0].options[4999].line, 5001);
	ini_free(f);
}

static void
test_closest(void **state)
{
	static const char *const names[] = {"listener", "max-size", "timeout", "ip", "domain"};
	static const struct {
		const char *word, *closest;
	} rows[] = {{"listner", "listener"}, {"Listener", "listener"}, {"max_size", "max-size"},
	    {"maxsize", "max-size"}, {"ipp", "ip"}, {"domains", "domain"}, {"xx", NULL}, {"", NULL},
	    {"something", NULL}, {"doamin", "domain"}, {"pi", "ip"}, {"tiemotu", "timeout"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *closest = ini_closest(rows[i].word, names, 5);

		if (rows[i].closest == NULL)
			assert_null(closest);
		else
			assert_string_equal(closest, rows[i].closest);
	}
	assert_null(ini_closest(
	    "a-word-that-is-much-longer-than-anything-that-could-ever-be-an-option-name", names,
	    5));
	assert_null(ini_closest("x", names, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_dialect),
	    cmocka_unit_test(test_all_problems_in_one_run),
	    cmocka_unit_test(test_equal_header_replaces),
	    cmocka_unit_test(test_odd_bytes),
	    cmocka_unit_test(test_many_options),
	    cmocka_unit_test(test_closest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
