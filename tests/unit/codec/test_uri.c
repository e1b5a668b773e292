/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "codec/uri.h"

static bool
parse(const char *text, struct uri *ret)
{
	return uri_parse(text, strlen(text), ret, NULL);
}

static void
test_good(void **state)
{
	static const struct {
		const char *text;
		bool https, is_ip;
		const char *host;
		unsigned port;
		const char *target, *header;
	} rows[] = {
	    {"https://ca.example/dir", true, false, "ca.example", 443, "/dir", "ca.example"},
	    {"HTTPS://CA.Example", true, false, "ca.example", 443, "/", "ca.example"},
	    {"http://ca.example:8080/a?b=c#frag", false, false, "ca.example", 8080, "/a?b=c",
		"ca.example:8080"},
	    {"http://ca.example:80", false, false, "ca.example", 80, "/", "ca.example"},
	    {"https://ca.example:/", true, false, "ca.example", 443, "/", "ca.example"},
	    {"https://ca.example:80/", true, false, "ca.example", 80, "/", "ca.example:80"},
	    {"https://ca.example?x=http://y", true, false, "ca.example", 443, "/?x=http://y",
		"ca.example"},
	    {"https://ca.example#x", true, false, "ca.example", 443, "/", "ca.example"},
	    {"https://[::1]:14000/dir", true, true, "::1", 14000, "/dir", "[::1]:14000"},
	    {"https://[2001:DB8::1]/", true, true, "2001:db8::1", 443, "/", "[2001:db8::1]"},
	    {"https://127.0.0.1:14000/dir", true, true, "127.0.0.1", 14000, "/dir",
		"127.0.0.1:14000"},
	    {"https://localhost/a@b", true, false, "localhost", 443, "/a@b", "localhost"},
	    {"https://my_pebble/", true, false, "my_pebble", 443, "/", "my_pebble"},
	};
	char header[HOST_MAX + 16];
	struct uri u;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(parse(rows[i].text, &u));
		assert_int_equal(u.https, rows[i].https);
		assert_int_equal(u.host_is_ip, rows[i].is_ip);
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.port, rows[i].port);
		assert_string_equal(u.target, rows[i].target);
		uri_host_header(&u, header);
		assert_string_equal(header, rows[i].header);
	}
}

static void
test_bad(void **state)
{
	static const char *const rows[] = {"", "ca.example", "//ca.example", "ftp://ca.example/",
	    "https:/x", "https://", "https:///x", "https://:443/", "https://user@ca.example/",
	    "https://u:p@ca/", "https://ca.example:0/", "https://ca.example:65536/",
	    "https://ca.example:+1/", "https://ca.example:8x/", "https://ca example/",
	    "https://ca.example/a b", "https://ca/\n", "https://ca/\x7f", "https://ca/\xc3\xa4",
	    "https://[::1", "https://[::1]x/", "https://[]/", "https://[127.0.0.1]/",
	    "https://[fe80::1%25eth0]/", "https://::1/", "https://a..b/", "https://.a/",
	    "https://a./", "https://1.2.3/", "https://256.1.1.1/", "https://a%41/",
	    "https://ca\\@x/", "https://a,b/"};
	struct uri u = {.port = 7};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&e);
		if (uri_parse(rows[i], strlen(rows[i]), &u, &e))
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(e.kind, ERR_UPSTREAM);
	}
	assert_int_equal(u.port, 7);
	assert_false(uri_parse("https://a/\0x", 12, &u, &e));
}

static void
test_long(void **state)
{
	char text[URI_MAX + 10];
	struct uri u;

	memset(text, 'a', sizeof(text));
	memcpy(text, "https://a/", 10);
	assert_true(uri_parse(text, URI_MAX - 1, &u, NULL));
	assert_int_equal(strlen(u.target), URI_MAX - 1 - 9);
	assert_false(uri_parse(text, URI_MAX + 1, &u, NULL));
	memcpy(text, "http://a?", 9);
	assert_true(uri_parse(text, URI_MAX - 1, &u, NULL));
	memset(text + 7, 'a', sizeof(text) - 7);
	assert_false(uri_parse(text, 300, &u, NULL));
}

static void
test_same_origin(void **state)
{
	struct uri a, b;

	parse("https://ca.example/a", &a);
	parse("https://CA.example:443/b", &b);
	assert_true(uri_same_origin(&a, &b));
	parse("http://ca.example:443/b", &b);
	assert_false(uri_same_origin(&a, &b));
	parse("https://ca.example:444/b", &b);
	assert_false(uri_same_origin(&a, &b));
	parse("https://cb.example/b", &b);
	assert_false(uri_same_origin(&a, &b));
}

static void
test_loopback(void **state)
{
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {{"http://localhost/", true}, {"http://127.0.0.1/", true},
	    {"http://127.9.9.9/", true}, {"http://[::1]/", true},
	    {"http://[::ffff:127.0.0.1]/", true}, {"http://128.0.0.1/", false},
	    {"http://[::2]/", false}, {"http://localhost.example/", false},
	    {"http://10.0.0.1/", false}};
	struct uri u;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(parse(rows[i].text, &u));
		assert_int_equal(uri_is_loopback(&u), rows[i].loopback);
	}
}

static void
test_host_port(void **state)
{
	static const struct {
		const char *text;
		uint16_t fallback;
		const char *host;
		unsigned port;
	} rows[] = {
	    {"127.0.0.1:1313", 0, "127.0.0.1", 1313},
	    {"[::1]:1313", 0, "::1", 1313},
	    {"::1:1313", 0, "::1", 1313},
	    {":::1313", 0, "::", 1313},
	    {"[::]:1380", 0, "::", 1380},
	    {"[fe80::1%eth0]:80", 0, "fe80::1%eth0", 80},
	    {"fe80::1%eth0:80", 0, "fe80::1%eth0", 80},
	    {"acmems:1313", 0, "acmems", 1313},
	    {"[localhost]:1313", 0, "localhost", 1313},
	    {"127.0.0.1", 53, "127.0.0.1", 53},
	    {"127.0.0.1:5353", 53, "127.0.0.1", 5353},
	    {"::1", 53, "::1", 53},
	    {"2001:db8::53", 53, "2001:db8::53", 53},
	    {"[::1]", 53, "::1", 53},
	    {"[::1]:5353", 53, "::1", 5353},
	    {"fe80::1%eth0", 53, "fe80::1%eth0", 53},
	    {"ns1.example.org", 53, "ns1.example.org", 53},
	    {"ns1.example.org:65535", 53, "ns1.example.org", 65535},
	};
	struct host_port hp;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(host_port_parse(rows[i].text, rows[i].fallback, &hp, NULL));
		assert_string_equal(hp.host, rows[i].host);
		assert_int_equal(hp.port, rows[i].port);
	}
}

static void
test_bad_host_port(void **state)
{
	static const struct {
		const char *text;
		uint16_t fallback;
	} rows[] = {{"", 0}, {"", 53}, {"localhost", 0}, {"1313", 0}, {":1313", 0},
	    {"localhost:", 0}, {"localhost:", 53}, {"localhost:0", 0}, {"localhost:65536", 0},
	    {"localhost:http", 0}, {"[::1]", 0}, {"[::1", 53}, {"[::1]1313", 0}, {"[]:53", 53},
	    {"a b:53", 53}, {"a/b", 53}, {"::g:53", 0}, {"fe80::1%:80", 0}, {"fe80::1%e/0:80", 0},
	    {"unix:/run/x", 0}};
	struct host_port hp = {.port = 7};
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&e);
		if (host_port_parse(rows[i].text, rows[i].fallback, &hp, &e))
			fail_msg("accepted: %s", rows[i].text);
		assert_int_equal(e.kind, ERR_CONFIG);
	}
	assert_int_equal(hp.port, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_same_origin),
	    cmocka_unit_test(test_loopback),
	    cmocka_unit_test(test_host_port),
	    cmocka_unit_test(test_bad_host_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
