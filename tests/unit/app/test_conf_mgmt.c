/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [mgmt], [logging], [status], [process] */
#include <stdlib.h>

#include "base/alloc.h"
#include "conf_test.h"

static struct conf *
load(const char *section, const char *options)
{
	char *text = xasprintf("[%s]\n%s\n" ACCOUNT AUTH, section, options);
	struct conf *c = conf_test_load(text);

	free(text);
	return c;
}

static void
expect(const char *section, const char *options, enum conf_severity severity, const char *part)
{
	char *text = xasprintf("[%s]\n%s\n" ACCOUNT AUTH, section, options);

	conf_test_one(text, severity, 2, part);
	free(text);
}

static void
assert_listeners(const struct conf *c, const char *expected)
{
	char text[1024] = "";

	for (size_t i = 0; i < c->mgmt.listener_count; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, c->mgmt.listeners[i]);
	}
	assert_string_equal(text, expected);
}

static void
test_defaults(void **state)
{
	struct conf *c = conf_test_fine(ACCOUNT AUTH);

	(void)state;
	assert_listeners(c, "127.0.0.1:1313 [::1]:1313");
	assert_true(c->mgmt.default_listeners);
	assert_int_equal(c->mgmt.max_size, 4096);
	assert_int_equal(c->mgmt.timeout_s, 180);
	assert_int_equal(c->mgmt.order_timeout_s, 600);
	assert_int_equal(c->mgmt.shutdown_timeout_s, 30);
	assert_int_equal(c->mgmt.max_orders, 1000);
	assert_int_equal(c->mgmt.trusted_count, 0);
	assert_false(c->mgmt.trust_unix);
	assert_int_equal(c->mgmt.proxy_header, PROXY_X_FORWARDED_FOR);
	assert_int_equal(c->log.level, LOG_LEVEL_WARNING);
	assert_int_equal(c->log.destination, LOG_TO_STDERR);
	assert_false(c->log.json);
	assert_null(c->log.audit);
	assert_null(c->user);
	assert_int_equal(c->status_listener_count, 0);
	conf_free(c);
}

static void
test_listeners(void **state)
{
	struct conf *c = load("mgmt",
	    "listener = [fe80::1%eth0]:1313\nlistener = acme.example.org:80\n"
	    "listener = ::1:1314\nlistener = unix:/run/acmems.sock");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_listeners(
	    c, "[fe80::1%eth0]:1313 acme.example.org:80 ::1:1314 unix:/run/acmems.sock");
	assert_false(c->mgmt.default_listeners);
	conf_free(c);
	expect("mgmt", "listener = localhost", CONF_ERROR, "port");
	expect("mgmt", "listener = 127.0.0.1:http", CONF_ERROR, "port");
	expect("mgmt", "listener = [::1:1313", CONF_ERROR, "bracket");
	expect("mgmt", "listener = unix:acmems.sock", CONF_ERROR, "begins with /");
	expect("mgmt",
	    "listener = unix:/12345678901234567890123456789012345678901234567890123456789012345678"
	    "9012345678901234567890123456789012345678901234567890",
	    CONF_ERROR, "too long");
	c = load("mgmt", "listener = 127.0.0.1:1\nlistener = 127.0.0.1:1");
	assert_counts(c, 0, 1, 0);
	assert_problem(c, CONF_WARNING, 3, "twice");
	assert_listeners(c, "127.0.0.1:1");
	conf_free(c);
}

static void
test_no_listener(void **state)
{
	struct conf *c = load("mgmt", "listener =");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->mgmt.listener_count, 0);
	assert_false(c->mgmt.default_listeners);
	conf_free(c);
	expect("mgmt", "listener =\nlistener = 127.0.0.1:1", CONF_WARNING, "empty \"listener\"");
}

static void
test_too_many_listeners(void **state)
{
	char *text = xasprintf("%s", "");
	struct conf *c;

	(void)state;
	for (int i = 1; i <= 65; i++) {
		char *more = xasprintf("%slistener = 127.0.0.1:%d\n", text, i);

		free(text);
		text = more;
	}
	c = load("mgmt", text);
	assert_counts(c, 1, 0, 0);
	assert_problem(c, CONF_ERROR, 66, "more than 64 listeners");
	conf_free(c);
	free(text);
}

/* The option of the original's example, which its program ignored. */
static void
test_mgmt_option(void **state)
{
	struct conf *c = load("mgmt", "mgmt = 192.0.2.13:1313");

	(void)state;
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 2, "in addition to the default listeners");
	assert_listeners(c, "127.0.0.1:1313 [::1]:1313 192.0.2.13:1313");
	assert_true(c->mgmt.default_listeners);
	conf_free(c);
	c = load("mgmt", "mgmt = 192.0.2.13:1313\nlistener = 127.0.0.1:1");
	assert_counts(c, 0, 1, 0);
	assert_problem(c, CONF_WARNING, 2, "ignored beside \"listener\"");
	assert_listeners(c, "127.0.0.1:1");
	conf_free(c);
	expect("mgmt", "mgmt = 192.0.2.13", CONF_ERROR, "port");
}

/* Two of ours on one address are found before anything is bound, wherever they stand. */
static void
test_listeners_clash(void **state)
{
	static const struct {
		const char *mgmt;
		const char *http;
		int line; /* 0: they do not */
	} rows[] = {
	    {"127.0.0.1:1", "127.0.0.1:1", 5},
	    {"0.0.0.0:1", "192.0.2.1:1", 5},
	    {"192.0.2.1:1", "0.0.0.0:1", 5},
	    {"[::]:1", "[fe80::1%eth0]:1", 5},
	    {"[::1]:1", "[0:0::1]:1", 5},
	    {"localhost:1", "[::1]:1", 5},
	    {"[::]:1", "localhost:1", 5},
	    {"a.example:1", "A.example:1", 5},
	    {"unix:/s", "unix:/s", 5},
	    {"127.0.0.1:1", "127.0.0.1:1\nlistener = 127.0.0.2:1\nlistener = 0.0.0.0:1", 5},
	    {"127.0.0.1:1\nlistener = 0.0.0.0:1", "127.0.0.2:2", 3},
	    {"127.0.0.1:1", "127.0.0.1:2", 0},
	    {"127.0.0.1:1", "127.0.0.2:1", 0},
	    {"0.0.0.0:1", "[::]:1", 0},
	    {"0.0.0.0:1", "[::1]:1", 0},
	    {"[::]:1", "127.0.0.1:1", 0},
	    {"a.example:1", "b.example:1", 0},
	    {"unix:/s", "unix:/t", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = xasprintf("listener = %s\n[verification \"v\"]\ntype = http01\n"
				       "listener = %s",
		    rows[i].mgmt, rows[i].http);
		struct conf *c = load("mgmt", text);

		if (rows[i].line > 0)
			assert_problem(c, CONF_ERROR, rows[i].line, ": taken by listener ");
		else
			assert_counts(c, 0, 0, 0);
		conf_free(c);
		free(text);
	}
}

/* Defaults take addresses as well; they have no line of their own. */
static void
test_listeners_clash_with_defaults(void **state)
{
	static const char dns[] = "[verification \"d\"]\ntype = dns01-server\nzone = a.example\n";
	struct conf *c = load("mgmt", "listener = 127.0.0.1:1380");

	(void)state;
	assert_problem(
	    c, CONF_ERROR, 0, "[verification \"http\"]: listener 0.0.0.0:1380: taken by");
	conf_free(c);
	char *text = xasprintf("listener = 192.0.2.1:1353\n%s", dns);
	c = load("mgmt", text);
	assert_problem(c, CONF_ERROR, 3, "listener 0.0.0.0:1353: taken by listener 192.0.2.1:1353");
	conf_free(c);
	free(text);
}

/* A default that could no longer be bound is left out. */
static void
test_mgmt_option_covers_defaults(void **state)
{
	static const struct {
		const char *mgmt;
		const char *listeners;
	} rows[] = {
	    {"127.0.0.1:1313", "[::1]:1313 127.0.0.1:1313"},
	    {"0.0.0.0:1313", "[::1]:1313 0.0.0.0:1313"},
	    {"[::]:1313", "127.0.0.1:1313 [::]:1313"},
	    {"localhost:1313", "localhost:1313"},
	    {"0.0.0.0:1314", "127.0.0.1:1313 [::1]:1313 0.0.0.0:1314"},
	    {"unix:/s", "127.0.0.1:1313 [::1]:1313 unix:/s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = xasprintf("mgmt = %s", rows[i].mgmt);
		struct conf *c = load("mgmt", text);

		assert_listeners(c, rows[i].listeners);
		conf_free(c);
		free(text);
	}
}

static void
test_max_size(void **state)
{
	struct conf *c = load("mgmt", "max-size = 1.5KiB");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->mgmt.max_size, 1536);
	conf_free(c);
	c = load("mgmt", "max-size = 10000");
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->mgmt.max_size, 10000);
	conf_free(c);
	c = load("mgmt", "max-size = 4K");
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 2, "4096 bytes");
	conf_free(c);
	expect("mgmt", "max-size = much", CONF_ERROR, "not a size");
	expect("mgmt", "max-size = 0", CONF_ERROR, "not between");
	expect("mgmt", "max-size = 65m", CONF_ERROR, "not between");
	expect("mgmt", "max-size = -1", CONF_ERROR, "max-size");
}

static void
test_numbers(void **state)
{
	struct conf *c =
	    load("mgmt", "timeout = 5\norder-timeout = 6\nshutdown-timeout = 0\nmax-orders = 8");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->mgmt.timeout_s, 5);
	assert_int_equal(c->mgmt.order_timeout_s, 6);
	assert_int_equal(c->mgmt.shutdown_timeout_s, 0);
	assert_int_equal(c->mgmt.max_orders, 8);
	conf_free(c);
	expect("mgmt", "timeout = 0", CONF_ERROR, "from 1 to 86400");
	expect("mgmt", "timeout = 86401", CONF_ERROR, "from 1 to 86400");
	expect("mgmt", "timeout = 5s", CONF_ERROR, "timeout");
	expect("mgmt", "timeout = 0x10", CONF_ERROR, "timeout");
	expect("mgmt", "timeout = +5", CONF_ERROR, "timeout");
	expect("mgmt", "timeout = 99999999999999999999999", CONF_ERROR, "timeout");
	expect("mgmt", "timeout =", CONF_ERROR, "has no value");
	expect("mgmt", "order-timeout = 0", CONF_ERROR, "order-timeout");
	expect("mgmt", "shutdown-timeout = -1", CONF_ERROR, "shutdown-timeout");
	expect("mgmt", "max-orders = 0", CONF_ERROR, "max-orders");
}

static void
test_trusted_proxy(void **state)
{
	struct conf *c = load("mgmt",
	    "trusted-proxy = 10.0.0.0/8\ntrusted-proxy = ::1\ntrusted-proxy = Unix\n"
	    "proxy-header = x-real-ip");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->mgmt.trusted_count, 2);
	assert_int_equal(c->mgmt.trusted[1].first.len, 16);
	assert_true(c->mgmt.trust_unix);
	assert_int_equal(c->mgmt.proxy_header, PROXY_X_REAL_IP);
	conf_free(c);
	expect("mgmt", "trusted-proxy = 10.1.0.0/8", CONF_ERROR, "trusted-proxy");
	expect("mgmt", "trusted-proxy = proxy.example.org", CONF_ERROR, "trusted-proxy");
	expect("mgmt", "proxy-header = Forwarded\ntrusted-proxy = ::1", CONF_ERROR,
	    "neither X-Forwarded-For nor X-Real-IP");
	expect("mgmt", "proxy-header = X-Real-IP", CONF_WARNING, "no effect");
}

/* ---- [logging] ---- */

static void
test_level(void **state)
{
	static const struct {
		const char *name;
		enum log_level level;
		size_t notes;
	} rows[] = {
	    {"debug", LOG_LEVEL_DEBUG, 0},
	    {"NOTSET", LOG_LEVEL_DEBUG, 0},
	    {"Info", LOG_LEVEL_INFO, 0},
	    {"warning", LOG_LEVEL_WARNING, 0},
	    {"WARN", LOG_LEVEL_WARNING, 0},
	    {"error", LOG_LEVEL_ERROR, 0},
	    {"critical", LOG_LEVEL_ERROR, 1},
	    {"FATAL", LOG_LEVEL_ERROR, 1},
	    {"", LOG_LEVEL_WARNING, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = xasprintf("level = %s", rows[i].name);
		struct conf *c = load("logging", text);

		assert_counts(c, 0, 0, rows[i].notes);
		assert_int_equal(c->log.level, rows[i].level);
		conf_free(c);
		free(text);
	}
	expect("logging", "level = wanring", CONF_ERROR, "did you mean \"warning\"?");
}

static void
test_destination(void **state)
{
	struct conf *c = load("logging", "destination=stdout");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->log.destination, LOG_TO_STDOUT);
	assert_null(c->log.path);
	conf_free(c);
	c = load("logging", "destination = syslog");
	assert_int_equal(c->log.destination, LOG_TO_SYSLOG);
	conf_free(c);
	c = load("logging", "destination = /var/log/acmems.log");
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->log.destination, LOG_TO_FILE);
	assert_string_equal(c->log.path, "/var/log/acmems.log");
	conf_free(c);
	expect("logging", "destination = stdeer", CONF_WARNING, "did you mean \"stderr\"?");
	expect("logging", "destination = journald", CONF_WARNING, "did you mean \"journalctl\"?");
}

static void
test_journal(void **state)
{
	struct conf *c = load("logging", "destination = journalctl");

	(void)state;
	if (log_journal_available()) {
		assert_counts(c, 0, 0, 0);
		assert_int_equal(c->log.destination, LOG_TO_JOURNAL);
	} else {
		assert_counts(c, 1, 0, 0);
		assert_problem(c, CONF_ERROR, 2, "libsystemd");
	}
	conf_free(c);
}

static void
test_format(void **state)
{
	struct conf *c = load("logging", "format = JSON");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_true(c->log.json);
	conf_free(c);
	c = load("logging", "format = %(asctime)s %(message)s");
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 2, "is ignored");
	assert_false(c->log.json);
	conf_free(c);
	expect("logging", "format = jsno", CONF_ERROR, "neither text nor json");
}

static void
test_config_file_belonged_to_python(void **state)
{
	(void)state;
	expect("logging", "config-file = logging.ini", CONF_WARNING, "belonged to the Python");
}

static void
test_audit(void **state)
{
	struct conf *c = conf_test_fine("[logging]\naudit = /var/log/audit\n" ACCOUNT AUTH);

	(void)state;
	assert_string_equal(c->log.audit, "/var/log/audit");
	conf_free(c);
	expect("logging", "audit = /var/log/a\ndestination = /var/log/a", CONF_ERROR,
	    "is the log's own file");
}

/* ---- [status] ---- */

static void
test_status(void **state)
{
	struct conf *c = conf_test_fine("[status]\nlistener = 127.0.0.1:1314\n"
					"listener = unix:/run/acmems/status.sock\n" ACCOUNT AUTH);

	(void)state;
	assert_int_equal(c->status_listener_count, 2);
	assert_string_equal(c->status_listeners[0], "127.0.0.1:1314");
	assert_string_equal(c->status_listeners[1], "unix:/run/acmems/status.sock");
	conf_free(c);
	expect("status", "listener = 127.0.0.1", CONF_ERROR, "listener");
}

/* ---- [status], [process] ---- */

static void
test_empty_sections(void **state)
{
	(void)state;
	conf_free(conf_test_fine("[status]\nlistener =\n[process]\n" ACCOUNT AUTH));
}

static void
test_user(void **state)
{
	struct conf *c = conf_test_fine("[process]\nuser = acmems\n" ACCOUNT AUTH);

	(void)state;
	assert_string_equal(c->user, "acmems");
	assert_int_equal(c->user_at.line, 2);
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_audit),
	    cmocka_unit_test(test_listeners),
	    cmocka_unit_test(test_listeners_clash),
	    cmocka_unit_test(test_listeners_clash_with_defaults),
	    cmocka_unit_test(test_no_listener),
	    cmocka_unit_test(test_too_many_listeners),
	    cmocka_unit_test(test_mgmt_option),
	    cmocka_unit_test(test_mgmt_option_covers_defaults),
	    cmocka_unit_test(test_max_size),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_trusted_proxy),
	    cmocka_unit_test(test_level),
	    cmocka_unit_test(test_destination),
	    cmocka_unit_test(test_journal),
	    cmocka_unit_test(test_format),
	    cmocka_unit_test(test_config_file_belonged_to_python),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_empty_sections),
	    cmocka_unit_test(test_user),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
