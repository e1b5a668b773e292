/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "codec/ip.h"

static struct ip_addr
addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, strlen(text), &a));
	return a;
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {{"192.0.2.1", "192.0.2.1"}, {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
	    {"::", "::"}, {"::ffff:192.0.2.1", "192.0.2.1"}, {"::FFFF:c000:201", "192.0.2.1"},
	    {"::1", "::1"}, {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}};
	static const char *const bad[] = {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4",
	    "1.2.3.4 ", "[::1]", "fe80::1%eth0", ":::", "::g", "1.2.3.4/8", "0x7f.1",
	    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"};
	char out[IP_ADDR_TEXT];
	struct ip_addr a;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = addr(rows[i].text);
		assert_string_equal(ip_addr_format(&a, out), rows[i].canonical);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ip_addr_parse(bad[i], strlen(bad[i]), &a));
	assert_false(ip_addr_parse("1.2.3.4\0", 8, &a));
}

static void
test_equal(void **state)
{
	struct ip_addr a = addr("192.0.2.1"), b = addr("::ffff:192.0.2.1"), c = addr("::192.0.2.1");

	assert_true(ip_addr_equal(&a, &b));
	assert_false(ip_addr_equal(&a, &c));
}

static void
test_sockaddr(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_storage un = {.ss_family = AF_UNIX};
	struct ip_addr a, expected = addr("192.0.2.1");

	memcpy(&in.sin_addr, "\xc0\x00\x02\x01", 4);
	assert_true(ip_addr_from_sockaddr((struct sockaddr *)&in, &a));
	assert_true(ip_addr_equal(&a, &expected));
	memcpy(&in6.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x01", 16);
	assert_true(ip_addr_from_sockaddr((struct sockaddr *)&in6, &a));
	assert_true(ip_addr_equal(&a, &expected));
	assert_false(ip_addr_from_sockaddr((struct sockaddr *)&un, &a));
}

static void
test_ranges(void **state)
{
	static const struct {
		const char *range, *first, *last, *before, *after;
	} rows[] = {
	    {"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.0", "192.0.2.2"},
	    {"192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"},
	    {"192.0.2.128/25", "192.0.2.128", "192.0.2.255", "192.0.2.127", "192.0.3.0"},
	    {"192.0.2.4/31", "192.0.2.4", "192.0.2.5", "192.0.2.3", "192.0.2.6"},
	    {"192.0.2.7/32", "192.0.2.7", "192.0.2.7", "192.0.2.6", "192.0.2.8"},
	    {"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "::", "2001:db8::"},
	    {"::/0", "::", "ffff:ffff::", "0.0.0.0", "192.0.2.1"},
	    {"10.0.0.0/255.0.0.0", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
	    {"2001:db8::/32", "2001:db8::", "2001:db8:ffff::1", "2001:db7::", "2001:db9::"},
	    {"2001:db8::/ffff:ffff::", "2001:db8::", "2001:db8:ffff::1",
		"2001:db7::", "2001:db9::"},
	    {"::ffff:10.0.0.0/104", "10.0.0.0", "10.255.255.255", "9.0.0.1", "11.0.0.0"},
	    {"192.0.2.10-192.0.2.20", "192.0.2.10", "192.0.2.20", "192.0.2.9", "192.0.2.21"},
	    {"192.0.2.10 - 192.0.2.20", "192.0.2.10", "192.0.2.20", "192.0.2.9", "192.0.2.21"},
	    {"2001:db8::1-2001:db8::ff", "2001:db8::1", "2001:db8::ff",
		"2001:db8::", "2001:db8::100"},
	};
	struct ip_range range;
	struct ip_addr a;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(ip_range_parse(rows[i].range, &range, &e));
		a = addr(rows[i].first);
		assert_true(ip_range_contains(&range, &a));
		a = addr(rows[i].last);
		assert_true(ip_range_contains(&range, &a));
		a = addr(rows[i].before);
		assert_false(ip_range_contains(&range, &a));
		a = addr(rows[i].after);
		assert_false(ip_range_contains(&range, &a));
	}
}

static void
test_bad_ranges_show_the_right_spelling(void **state)
{
	static const struct {
		const char *range, *says;
	} rows[] = {
	    {"192.168/16", "write 192.168.0.0/16"},
	    {"10/8", "write 10.0.0.0/8"},
	    {"10", "write 10.0.0.0/8"},
	    {"192.168.1", "write 192.168.1.0/24"},
	    {"192.168.1.", "write 192.168.1.0/24"},
	    {"192.168.", "write 192.168.0.0/16"},
	    {"192.168.1.5/24", "write 192.168.1.0/24"},
	    {"10.1.0.0/255.0.0.0", "write 10.0.0.0/255.0.0.0"},
	    {"2001:db8::1/64", "write 2001:db8::/64"},
	    {"192.0.2.0/33", "neither a prefix length"},
	    {"192.0.2.0/", "neither a prefix length"},
	    {"192.0.2.0/-1", "not an IP range"},
	    {"192.0.2.0/255.0.255.0", "neither a prefix length"},
	    {"192.0.2.0/ffff::", "neither a prefix length"},
	    {"::ffff:10.0.0.0/64", "neither a prefix length"},
	    {"::/129", "neither a prefix length"},
	    {"", "not an IP address"},
	    {"localhost", "not an IP address"},
	    {"*", "not an IP address"},
	    {"300.1", "not an IP address"},
	    {"192.0.2.20-192.0.2.10", "ends before it begins"},
	    {"192.0.2.10-20", "write both addresses in full"},
	    {"192.0.2.10-::1", "mixes IPv4 and IPv6"},
	    {"-", "not an IP range"},
	};
	struct ip_range range;
	struct err e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(ip_range_parse(rows[i].range, &range, &e));
		assert_int_equal(e.kind, ERR_CONFIG);
		if (strstr(e.detail, rows[i].says) == NULL)
			fail_msg("%s: %s", rows[i].range, e.detail);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_equal),
	    cmocka_unit_test(test_sockaddr),
	    cmocka_unit_test(test_ranges),
	    cmocka_unit_test(test_bad_ranges_show_the_right_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
