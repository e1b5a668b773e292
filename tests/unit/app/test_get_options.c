/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/get_options.h"
#include "base/alloc.h"

#define CA    "--dir https://ca.example/dir"
#define ORDER CA " --record 192.0.2.7"

enum { ARGS_MAX = 300 };

struct line {
	struct get_options o;
	struct err e;
	char *text;
	char *argv[ARGS_MAX];
};

/* The words of text; "''" is an empty one. */
static enum get_wish
parse(struct line *l, const char *text)
{
	int argc = 0;
	char *save = NULL;

	memset(l, 0, sizeof(*l));
	l->text = xasprintf("acme-get %s", text);
	for (char *w = strtok_r(l->text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
		assert_true(argc + 1 < ARGS_MAX);
		l->argv[argc++] = strcmp(w, "''") == 0 ? w + 2 : w;
	}
	return get_options_parse(&l->o, argc, l->argv, &l->e);
}

static void
done(struct line *l)
{
	get_options_done(&l->o);
	free(l->text);
}

static void
parse_good(struct line *l, const char *text)
{
	if (parse(l, text) != GET_WISH_RUN)
		fail_msg("%s: %s", text, l->e.detail);
}

static void
test_usual(void **state)
{
	char ip[IP_ADDR_TEXT], names[200];
	struct line l;

	parse_good(&l, "http01 " ORDER " --domain www.Example.org --domain 192.0.2.1");
	assert_int_equal(l.o.kind, GET_HTTP01);
	assert_string_equal(l.o.directory, "https://ca.example/dir");
	assert_string_equal(ip_addr_format(&l.o.record, ip), "192.0.2.7");
	assert_string_equal(
	    identifiers_text(&l.o.names, names, sizeof(names)), "www.example.org, 192.0.2.1");
	assert_int_equal(l.o.key_type, KEY_RSA2048);
	assert_string_equal(l.o.out, ".");
	assert_string_equal(l.o.account_dir, "./account");
	assert_true(l.o.serve);
	assert_false(l.o.revoke);
	assert_int_equal(l.o.http.count, 2);
	assert_true(l.o.http.is_default);
	assert_string_equal(l.o.http.specs[0], "0.0.0.0:5002");
	assert_string_equal(l.o.dns.specs[1], "[::]:10053");
	assert_string_equal(l.o.https.specs[0], "0.0.0.0:5001");
	assert_string_equal(l.o.control.specs[0], "127.0.0.1:5003");
	assert_string_equal(l.o.control.specs[1], "[::1]:5003");
	done(&l);
}

static void
test_everything(void **state)
{
	struct line l;

	parse_good(&l,
	    "--record=::1 --dir=http://127.0.0.1:14000/dir dns01 --domain *.a.example --domain "
	    "a.example --domain a.example --revoke --reason 5 --account-dir /acc --out /out "
	    "--key-type EC384 --ca-file /ca.pem --no-serve --http-listen 127.0.0.1:1 "
	    "--http-listen [::1]:2 --dns-listen localhost:3 --https-listen unix:/s "
	    "--control-listen 127.0.0.1:5 --verbose");
	assert_int_equal(l.o.kind, GET_DNS01);
	assert_int_equal(l.o.names.count, 2);
	assert_int_equal(l.o.record.len, 16);
	assert_true(l.o.revoke);
	assert_int_equal(l.o.reason, REVOKE_CESSATION);
	assert_string_equal(l.o.account_dir, "/acc");
	assert_string_equal(l.o.out, "/out");
	assert_int_equal(l.o.key_type, KEY_EC384);
	assert_string_equal(l.o.ca_file, "/ca.pem");
	assert_false(l.o.serve);
	assert_true(l.o.verbose);
	assert_int_equal(l.o.http.count, 2);
	assert_false(l.o.http.is_default);
	assert_string_equal(l.o.http.specs[0], "127.0.0.1:1");
	assert_string_equal(l.o.http.specs[1], "[::1]:2");
	assert_int_equal(l.o.dns.count, 1);
	assert_string_equal(l.o.https.specs[0], "unix:/s");
	assert_string_equal(l.o.control.specs[0], "127.0.0.1:5");
	done(&l);
}

/* With a request of one's own, serving needs its key. */
static void
test_csr(void **state)
{
	struct line l;

	parse_good(&l, "http01 " ORDER " --csr a.csr");
	assert_false(l.o.serve);
	done(&l);
	parse_good(&l, "http01 " ORDER " --csr a.csr --key a.pem");
	assert_true(l.o.serve);
	done(&l);
	parse_good(&l, "http01 " ORDER " --csr a.csr --key a.pem --domain a.example --no-serve");
	assert_false(l.o.serve);
	done(&l);
}

static void
test_revoke_cert(void **state)
{
	struct line l;

	parse_good(&l, "--revoke-cert c.pem " CA " --reason 1 --key k.pem");
	assert_int_equal(l.o.kind, GET_REVOKE_CERT);
	assert_string_equal(l.o.revoke_cert, "c.pem");
	assert_string_equal(l.o.key, "k.pem");
	assert_int_equal(l.o.reason, REVOKE_KEY_COMPROMISE);
	assert_false(l.o.serve);
	done(&l);
	parse_good(&l, "--revoke-cert c.pem " CA " --out /o");
	assert_string_equal(l.o.account_dir, "/o/account");
	done(&l);
}

static void
test_wishes(void **state)
{
	static const struct {
		const char *text;
		enum get_wish wish;
	} cases[] = {
	    {"--help", GET_WISH_HELP},
	    {"-h", GET_WISH_HELP},
	    {"http01 --help --nonsense", GET_WISH_HELP},
	    {"--version", GET_WISH_VERSION},
	    {"-V", GET_WISH_VERSION},
	};
	struct line l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&l, cases[i].text), cases[i].wish);
		done(&l);
	}
}

static void
test_wrong(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"", "say http01 or dns01"},
	    {ORDER " --domain a.example", "say http01 or dns01"},
	    {"http01 dns01 " ORDER " --domain a.example", "\"dns01\" is too much"},
	    {"http01 a.example " ORDER, "\"a.example\" is too much"},
	    {"HTTP01 " ORDER " --domain a.example", "neither http01 nor dns01"},
	    {"http01 " ORDER, "--domain is missing"},
	    {"http01 " CA " --domain a.example", "--record is missing"},
	    {"http01 --record 192.0.2.7 --domain a.example", "--dir is missing"},
	    {"http01 --record 192.0.2 --domain a.example " CA, "--record: \"192.0.2\""},
	    {"http01 --dir http://ca.example/dir", "--dir: \"http://ca.example/dir\": http://"},
	    {"http01 --dir ca.example", "--dir: "},
	    {"http01 --dir ''", "--dir: empty"},
	    {"http01 " ORDER " --domain a_b.example", "--domain: "},
	    {"http01 " ORDER " --domain ''", "--domain: empty"},
	    {"http01 " ORDER " --domain a.example.", "--domain: "},
	    {"http01 " ORDER " --domain *.a.example", "*.a.example: a wildcard"},
	    {"dns01 " ORDER " --domain 192.0.2.1", "192.0.2.1: an IP address"},
	    {"http01 " ORDER " --domain a.example --key-type dsa", "--key-type: \"dsa\""},
	    {"http01 " ORDER " --domain a.example --key k", "--key goes with"},
	    {"http01 " ORDER " --csr c --key-type ec256", "--key-type makes no sense"},
	    {"http01 " ORDER " --csr c --serve", "--serve with --csr"},
	    {"http01 " ORDER " --domain a.example --serve --no-serve", "which?"},
	    {"http01 " ORDER " --domain a.example --reason 1", "--reason goes with"},
	    {"http01 " ORDER " --domain a.example --revoke --reason 2", "--reason: \"2\""},
	    {"http01 " ORDER " --domain a.example --revoke --reason x", "--reason: \"x\""},
	    {"http01 " ORDER " --domain a.example --http-listen 80", "--http-listen: "},
	    {"http01 " ORDER " --domain a.example --http-listen 127.0.0.1:0", "--http-listen: "},
	    {"http01 " ORDER " --domain a.example --https-listen 127.0.0.1:5003",
		"127.0.0.1:5003 is given twice"},
	    {"http01 " ORDER " --domain a.example --http-listen x:1 --http-listen x:1",
		"x:1 is given twice"},
	    {"http01 " ORDER " --domain a.example --nonsense", "--nonsense: no such option"},
	    {"http01 " ORDER " --domain a.example -x", "-x: no such option"},
	    {"http01 " ORDER " --domain", "--domain: its value is missing"},
	    {"http01 --revoke-cert c.pem " CA, "\"http01\": nothing is ordered"},
	    {"--revoke-cert c.pem", "--dir is missing"},
	    {"--revoke-cert c.pem --revoke " CA, "--revoke-cert does nothing else"},
	    {"--revoke-cert c.pem --domain a.example " CA, "--revoke-cert does nothing else"},
	};
	struct line l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(&l, cases[i].text), GET_WISH_WRONG);
		assert_int_equal(l.e.kind, ERR_CONFIG);
		if (strstr(l.e.detail, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, l.e.detail);
		done(&l);
	}
}

static void
test_bounded(void **state)
{
	char *text = xstrdup("http01 " ORDER " --domain a.example"), *more;
	struct line l;

	for (int i = 0; i <= GET_LISTEN_MAX; i++) {
		more = xasprintf("%s --http-listen 127.0.0.1:%d", text, i + 1);
		free(text);
		text = more;
	}
	assert_int_equal(parse(&l, text), GET_WISH_WRONG);
	assert_non_null(strstr(l.e.detail, "only 8"));
	done(&l);
	free(text);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_usual),
	    cmocka_unit_test(test_everything),
	    cmocka_unit_test(test_csr),
	    cmocka_unit_test(test_revoke_cert),
	    cmocka_unit_test(test_wishes),
	    cmocka_unit_test(test_wrong),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
