/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mgmt/identity.h"

static struct ip_range proxies[2];
static struct proxy_trust list = {proxies, 2, true, "X-Forwarded-For"};
static struct proxy_trust single = {proxies, 2, false, "X-Real-IP"};

static int
setup(void **state)
{
	struct err e;

	(void)state;
	assert_true(ip_range_parse("10.0.0.0/8", &proxies[0], &e));
	assert_true(ip_range_parse("::1", &proxies[1], &e));
	return 0;
}

/* What is understood of a peer and a header: "-" for no address. */
static const char *
seen(const char *peer, const char *forwarded, const struct proxy_trust *trust)
{
	static struct peer_identity id;
	static char text[IP_ADDR_TEXT];
	struct ip_addr addr;

	if (peer != NULL)
		assert_true(ip_addr_parse(peer, strlen(peer), &addr));
	identity_resolve(peer != NULL ? &addr : NULL, forwarded, trust, &id);
	return id.client.has_addr ? ip_addr_format(&id.client.addr, text) : "-";
}

static void
test_untrusted_peer_is_itself(void **state)
{
	(void)state;
	assert_string_equal(seen("192.0.2.1", NULL, &list), "192.0.2.1");
	assert_string_equal(seen("192.0.2.1", "198.51.100.9", &list), "192.0.2.1");
	assert_string_equal(seen("2001:db8::1", "10.0.0.1", &single), "2001:db8::1");
}

static void
test_walks_from_the_right(void **state)
{
	(void)state;
	assert_string_equal(seen("10.0.0.1", "198.51.100.9", &list), "198.51.100.9");
	assert_string_equal(seen("10.0.0.1", "192.0.2.66, 198.51.100.9", &list), "198.51.100.9");
	assert_string_equal(
	    seen("10.0.0.1", "192.0.2.66,198.51.100.9 , 10.9.9.9", &list), "198.51.100.9");
	assert_string_equal(seen("10.0.0.1", "10.0.0.7, 10.0.0.8", &list), "10.0.0.7");
	assert_string_equal(seen("::1", "2001:db8::5", &list), "2001:db8::5");
}

static void
test_missing_or_malformed_is_nobody(void **state)
{
	(void)state;
	assert_string_equal(seen("10.0.0.1", NULL, &list), "-");
	assert_string_equal(seen("10.0.0.1", "", &list), "-");
	assert_string_equal(seen("10.0.0.1", "unknown", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1,", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1, garbage, 10.0.0.2", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1, 198.51.100.2", &single), "-");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1", &list), "-");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1]x", &list), "-");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1]:", &list), "-");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1]:80:80", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1:", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1:http", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1:65536", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1:000080", &list), "-");
	assert_string_equal(seen("10.0.0.1", "192.0.2.1:-1", &list), "-");
}

static void
test_ports_and_brackets(void **state)
{
	(void)state;
	assert_string_equal(seen("10.0.0.1", "192.0.2.1:4711", &list), "192.0.2.1");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1]:4711", &list), "2001:db8::1");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1]:65535", &list), "2001:db8::1");
	assert_string_equal(seen("10.0.0.1", "[2001:db8::1]", &single), "2001:db8::1");
}

static void
test_unix_socket(void **state)
{
	(void)state;
	assert_string_equal(seen(NULL, "192.0.2.1", &list), "192.0.2.1");
	assert_string_equal(seen(NULL, NULL, &list), "-");
	assert_string_equal(seen(NULL, "192.0.2.1", &single), "-");
}

static void
test_text_names_the_way(void **state)
{
	struct peer_identity id;
	struct ip_addr addr;

	(void)state;
	assert_true(ip_addr_parse("10.0.0.1", 8, &addr));
	identity_resolve(&addr, "192.0.2.1", &list, &id);
	assert_string_equal(id.client.text, "192.0.2.1 via 10.0.0.1");
	identity_resolve(NULL, NULL, &single, &id);
	assert_string_equal(id.client.text, "unix");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_untrusted_peer_is_itself),
	    cmocka_unit_test(test_walks_from_the_right),
	    cmocka_unit_test(test_missing_or_malformed_is_nobody),
	    cmocka_unit_test(test_ports_and_brackets),
	    cmocka_unit_test(test_unix_socket),
	    cmocka_unit_test(test_text_names_the_way),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
