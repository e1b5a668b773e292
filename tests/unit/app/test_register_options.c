/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments of acme-register. What is refused is said on standard error, which tests/live
 * reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/register_options.h"

enum { ARGS_MAX = 16 };

static char line[512];
static char *args[ARGS_MAX];

/* Of words separated by blanks. */
static bool
parse(struct register_options *o, const char *words)
{
	char *save = NULL;
	int n = 0;

	args[n++] = (char *)"acme-register";
	strncpy(line, words, sizeof(line) - 1);
	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		assert_true(n < ARGS_MAX - 1);
		args[n++] = w;
	}
	args[n] = NULL;
	return register_options_parse(o, n, args);
}

static void
no_action(void **state)
{
	struct register_options o;

	assert_true(parse(&o, "a.conf b.conf"));
	assert_int_equal(o.path_count, 2);
	assert_string_equal(o.paths[1], "b.conf");
	assert_false(o.gen_key || o.register_account || o.accept_terms || o.show || o.rollover ||
	    o.deactivate || o.has_key_type);
	register_options_done(&o);
}

static void
everything_for_a_new_account(void **state)
{
	struct register_options o;

	assert_true(parse(&o,
	    "a.conf --gen-key --force --key-type EC384 --register --email a@b.test "
	    "--email=mailto:c@d.test --accept-terms-of-service --show"));
	assert_true(o.gen_key && o.force && o.register_account && o.show && o.accept_terms);
	assert_true(o.has_key_type);
	assert_int_equal(o.key_type, KEY_EC384);
	assert_int_equal(o.contact_count, 2);
	assert_string_equal(o.contacts[0], "mailto:a@b.test");
	assert_string_equal(o.contacts[1], "mailto:c@d.test");
	assert_int_equal(o.terms_count, 0);
	assert_int_equal(o.path_count, 1);
	register_options_done(&o);
}

static void
older_spellings(void **state)
{
	struct register_options o;

	assert_true(parse(&o, "--gen-key --override-existing-key --private-key-size 4096 a.conf"));
	assert_true(o.force);
	assert_int_equal(o.key_type, KEY_RSA4096);
	register_options_done(&o);
	/* As getopt does, an unambiguous beginning is enough. */
	assert_true(parse(&o, "--gen-key --private-key-size=2048 --override a.conf"));
	assert_int_equal(o.key_type, KEY_RSA2048);
	register_options_done(&o);
}

struct terms_case {
	const char *words;
	size_t terms;
	const char *first;
	size_t paths;
};

static void
terms(void **state)
{
	static const struct terms_case cases[] = {
	    {"--accept-terms-of-service a.conf", 0, NULL, 1},
	    {"a.conf --accept-terms-of-service", 0, NULL, 1},
	    {"--accept-terms-of-service=https://ca.test/1 a.conf", 1, "https://ca.test/1", 1},
	    {"--accept-terms-of-service https://ca.test/1 a.conf", 1, "https://ca.test/1", 1},
	    {"a.conf --accept-terms-of-service https://ca.test/1", 1, "https://ca.test/1", 1},
	    {"--accept-terms-of-service data:text/plain,x a.conf", 1, "data:text/plain,x", 1},
	    {"--accept-terms-of-service=urn:1 --accept-terms-of-service urn:2 a b", 2, "urn:1", 2},
	    {"--accept-terms-of-service ./a:b.conf", 0, NULL, 1},
	    {"--accept-terms-of-service -- a.conf", 0, NULL, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct terms_case *c = &cases[i];
		struct register_options o;

		if (!parse(&o, c->words))
			fail_msg("%s", c->words);
		assert_true(o.accept_terms);
		if (o.terms_count != c->terms || o.path_count != c->paths)
			fail_msg("%s: %zu terms, %zu paths", c->words, o.terms_count, o.path_count);
		if (c->first != NULL)
			assert_string_equal(o.terms[0], c->first);
		register_options_done(&o);
	}
}

static void
refused(void **state)
{
	static const char *const cases[] = {
	    "",
	    "--gen-key",
	    "--nosuch a.conf",
	    "--email a.conf",
	    "--email nobody a.conf",
	    "--email a@b.test,c@d.test a.conf",
	    "--email a@b.test?subject=x a.conf",
	    "--gen-key --key-type dsa a.conf",
	    "--gen-key --private-key-size 1024 a.conf",
	    "--gen-key --private-key-size ec256 a.conf",
	    "--accept-terms-of-service=nothing a.conf",
	    "--accept-terms-of-service= a.conf",
	    "--key-type ec256 a.conf",
	    "--force a.conf",
	    "--force --register a.conf",
	    "--gen-key --rollover a.conf",
	    "--yes a.conf",
	    "--deactivate --register a.conf",
	    "--deactivate --email a@b.test a.conf",
	    "--deactivate --gen-key a.conf",
	    "--deactivate --rollover a.conf",
	    "--deactivate --accept-terms-of-service a.conf",
	    "--show=yes a.conf",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct register_options o;

		if (parse(&o, cases[i]))
			fail_msg("taken: %s", cases[i]);
		register_options_done(&o);
	}
}

static void
help_needs_nothing_else(void **state)
{
	struct register_options o;

	assert_true(parse(&o, "--help"));
	assert_true(o.help);
	register_options_done(&o);
	assert_true(parse(&o, "-V"));
	assert_true(o.version);
	register_options_done(&o);
}

static void
deactivation(void **state)
{
	struct register_options o;

	assert_true(parse(&o, "--deactivate --yes --show a.conf"));
	assert_true(o.deactivate && o.yes && o.show);
	register_options_done(&o);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_action),
	    cmocka_unit_test(everything_for_a_new_account),
	    cmocka_unit_test(older_spellings),
	    cmocka_unit_test(terms),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(help_needs_nothing_else),
	    cmocka_unit_test(deactivation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
