/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dns/name.h"
#include "dns/server.h"

static void
test_parse(void **state)
{
	static const struct {
		const char *text, *normal; /* NULL: refused */
	} rows[] = {
	    {"example.org", "example.org"},
	    {"Example.ORG.", "example.org"},
	    {".", "."},
	    {"_acme-challenge.a.b", "_acme-challenge.a.b"},
	    {"a\\.b.org", "a\\.b.org"},
	    {"a\\046b.org", "a\\.b.org"},
	    {"org\\.", "org\\."},
	    {"", NULL},
	    {"a..b", NULL},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org", NULL},
	};
	char out[DNS_NAME_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool ok = dns_name_parse(rows[i].text, out);
		assert_int_equal(ok, rows[i].normal != NULL);
		if (ok)
			assert_string_equal(out, rows[i].normal);
	}
}

static void
test_within(void **state)
{
	assert_true(dns_name_within("a.example.org", "example.org"));
	assert_true(dns_name_within("example.org", "EXAMPLE.org."));
	assert_true(dns_name_within("example.org", "."));
	assert_false(dns_name_within("badexample.org", "example.org"));
	assert_false(dns_name_within("org", "example.org"));
	assert_true(dns_name_equal("A.b", "a.B."));
	assert_false(dns_name_equal("a.b", "b"));
}

static void
test_labels(void **state)
{
	char out[DNS_NAME_TEXT] = "a.b.c";

	assert_true(dns_name_last_labels("a.b.c", 2, out));
	assert_string_equal(out, "b.c");
	assert_false(dns_name_last_labels("c", 2, out));
	strcpy(out, "b.c");
	assert_true(dns_name_parent(out, out));
	assert_string_equal(out, "c");
	assert_true(dns_name_parent(out, out));
	assert_string_equal(out, ".");
	assert_false(dns_name_parent(out, out));
}

static void
test_replace(void **state)
{
	char out[DNS_NAME_TEXT];
	char big[260];

	assert_true(dns_name_replace("a.b.old.org", "old.org", "new.example", out));
	assert_string_equal(out, "a.b.new.example");
	assert_true(dns_name_replace("a.old.org", "old.org", ".", out));
	assert_string_equal(out, "a");
	/* A DNAME does not apply to its own owner (RFC 6672 2.3). */
	assert_false(dns_name_replace("old.org", "old.org", "new.example", out));
	assert_false(dns_name_replace("a.other.org", "old.org", "new.example", out));
	for (size_t i = 0; i < 240; i++)
		big[i] = i % 60 == 59 ? '.' : 'x';
	strcpy(big + 239, ".org");
	assert_true(dns_name_parse(big, out));
	assert_false(dns_name_replace(big, "org", "much-too-long.example", out));
}

static void
test_servers(void **state)
{
	struct dns_servers s = {0};

	assert_true(dns_servers_add(&s, "192.0.2.1", false, NULL));
	assert_true(dns_servers_add(&s, "2001:db8::1", false, NULL));
	assert_true(dns_servers_add(&s, "[2001:db8::2]:5353", false, NULL));
	assert_true(dns_servers_add(&s, "ns.example.org:54", true, NULL));
	assert_string_equal(s.items[0].text, "192.0.2.1:53");
	assert_string_equal(s.items[1].text, "[2001:db8::1]:53");
	assert_string_equal(s.items[2].text, "[2001:db8::2]:5353");
	assert_string_equal(s.items[3].at.host, "ns.example.org");
	assert_int_equal(s.items[3].at.port, 54);
	assert_true(s.items[3].recursive);
	assert_false(dns_servers_add(&s, "192.0.2.1:", false, NULL));
	for (int i = 0; i < 2 * DNS_SERVERS_MAX; i++)
		dns_servers_append(&s, &s.items[0]);
	assert_int_equal(s.count, DNS_SERVERS_MAX);
	dns_servers_done(&s);
}

static void
expect_resolvconf(const char *text, size_t count, const char *first)
{
	struct dns_servers s = {0};

	dns_servers_resolvconf(&s, text);
	assert_int_equal(s.count, count);
	assert_string_equal(s.items[0].text, first);
	assert_true(s.items[0].recursive);
	dns_servers_done(&s);
}

static void
test_resolvconf(void **state)
{
	expect_resolvconf("", 1, "127.0.0.1:53");
	expect_resolvconf("# nameserver 192.0.2.9\nsearch example.org\n", 1, "127.0.0.1:53");
	expect_resolvconf(
	    "nameserver 192.0.2.1\nnameserver 2001:db8::1\r\noptions edns0", 2, "192.0.2.1:53");
	expect_resolvconf(
	    "\tnameserver\t192.0.2.1 # x\nnameserver\nnameserver a:b\n", 1, "192.0.2.1:53");
	expect_resolvconf("nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver "
			  "1.1.1.4\n",
	    3, "1.1.1.1:53");
}

static void
test_no_resolvconf(void **state)
{
	struct dns_servers s = {0};

	dns_servers_system(&s, "/nonexistent/resolv.conf");
	assert_int_equal(s.count, 1);
	dns_servers_done(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_within),
	    cmocka_unit_test(test_labels),
	    cmocka_unit_test(test_replace),
	    cmocka_unit_test(test_servers),
	    cmocka_unit_test(test_resolvconf),
	    cmocka_unit_test(test_no_resolvconf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
