/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What two configurations have in common, and the names of their listeners. */
#include "conf_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/conf_resolve.h"
#include "app/conf_same.h"
#include "ev/op.h"
#include "ev/resolve.h"
#include "tests/unit/ev/pump.h"

/* ---- the same ---- */

#define HTTP       "[verification \"v\"]\ntype = http01\nlistener = 127.0.0.1:80\n"
#define FILE_STORE "[storage \"s\"]\ntype = file\ndirectory = /a\n"
#define UPDATE     "[verification \"v\"]\ntype = dns01-dnsUpdate\ntsig-key-file = %s\n"

static bool
same(const char *a, const char *b, bool (*question)(const struct conf *x, const struct conf *y))
{
	struct conf *x = conf_test_load(a), *y = conf_test_load(b);
	bool answer;

	assert_false(x->failed || y->failed);
	answer = question(x, y);
	assert_true(answer == question(y, x));
	assert_true(question(x, x) && question(y, y));
	conf_free(x);
	conf_free(y);
	return answer;
}

static bool
verification(const struct conf *x, const struct conf *y)
{
	return conf_same_verification(x, 0, y, 0);
}

static bool
storage(const struct conf *x, const struct conf *y)
{
	return conf_same_storage(x, 0, y, 0);
}

static void
test_account(void **state)
{
	static const char base[] = "[account]\ndir = /a\ncontact = mailto:a@example.org\n";

	(void)state;
	assert_true(
	    same(base, "# a comment\n[account]\n  dir = /a\n\ncontact=mailto:a@example.org\n" AUTH,
		conf_same_account));
	assert_false(
	    same(base, "[account]\ndir = /b\ncontact = mailto:a@example.org\n", conf_same_account));
	assert_false(same(base, "[account]\ndir = /a\n", conf_same_account));
	assert_false(
	    same(base, "[account]\ndir = /a\ncontact = mailto:a@example.org\nkey-type = ec384\n",
		conf_same_account));
}

static void
test_verification(void **state)
{
	(void)state;
	assert_true(same(HTTP ACCOUNT,
	    "[verification \"other\"]\ntype = http01\nlistener = 127.0.0.1:80\n" ACCOUNT,
	    verification));
	assert_false(same(HTTP ACCOUNT, HTTP "listener = 127.0.0.1:81\n" ACCOUNT, verification));
	assert_true(same(ACCOUNT, ACCOUNT, verification)); /* that which is added */
	assert_false(same(HTTP ACCOUNT, ACCOUNT, verification));
}

/* The file that is named may say something else by now. */
static void
test_key_file(void **state)
{
	static const char key[] = "key \"k\" { algorithm hmac-sha256; secret \"%s\"; };\n";
	char text[256], conf[512];
	const char *path;
	struct conf *x, *y, *z;

	(void)state;
	snprintf(text, sizeof(text), key, "c2VjcmV0c2VjcmV0");
	path = conf_test_file("key", text);
	snprintf(conf, sizeof(conf), UPDATE ACCOUNT, path);
	x = conf_test_load(conf);
	y = conf_test_load(conf);
	assert_false(x->failed || y->failed);
	assert_true(verification(x, y));
	snprintf(text, sizeof(text), key, "YW5vdGhlciBzZWNyZXQ=");
	conf_test_file("key", text);
	z = conf_test_load(conf);
	assert_false(z->failed);
	assert_false(verification(x, z));
	conf_free(x);
	conf_free(y);
	conf_free(z);
}

static void
test_storage(void **state)
{
	(void)state;
	assert_true(same(FILE_STORE ACCOUNT,
	    "[storage \"x\"]\ntype = file\nkeep = 3\nrenew-within = 2\ndirectory = /a\n" ACCOUNT,
	    storage));
	assert_false(same(
	    FILE_STORE ACCOUNT, "[storage \"s\"]\ntype = file\ndirectory = /b\n" ACCOUNT, storage));
	assert_false(same(FILE_STORE ACCOUNT, ACCOUNT, storage)); /* none */
	assert_true(same(ACCOUNT, ACCOUNT, storage));
}

/* ---- names of listeners ---- */

struct ending {
	bool done;
	bool ok;
	struct err error;
};

static void
resolved(void *arg, const struct err *e)
{
	struct ending *end = arg;

	end->done = true;
	end->ok = e == NULL;
	if (e != NULL)
		end->error = *e;
}

/* With this hosts file, and no name server. */
static struct conf *
resolve(const char *text, const char *hosts, struct ending *end, bool cancel)
{
	struct conf *c = conf_test_load(text);
	struct loop *loop = loop_new(NULL);
	struct resolver *r =
	    resolver_new_files(loop, conf_test_file("resolv.conf", "nameserver 127.0.0.1\n"),
		conf_test_file("hosts", hosts), NULL);
	struct op *op = NULL;

	assert_false(c->failed);
	*end = (struct ending){0};
	conf_resolve_start(loop, r, c, resolved, end, &op);
	assert_false(end->done);
	if (cancel)
		op_cancel(&op);
	else
		PUMP_UNTIL(loop, end->done);
	assert_null(op);
	resolver_free(r);
	loop_free(loop);
	return c;
}

static void
test_names_become_addresses(void **state)
{
	struct ending end;
	struct conf *c =
	    resolve("[mgmt]\nlistener = a.test:1313\nlistener = unix:/run/s\nlistener = [::1]:1\n"
		    "[status]\nlistener = 192.0.2.9:2\n"
		    "[verification \"v\"]\ntype = http01\nlistener = x.localhost:80\n" ACCOUNT,
		"192.0.2.1 a.test\n192.0.2.2 a.test\n", &end, false);

	(void)state;
	if (!end.ok)
		fail_msg("%s", end.error.detail);
	assert_int_equal(c->mgmt.listener_count, 4);
	assert_string_equal(c->mgmt.listeners[0], "192.0.2.1:1313");
	assert_string_equal(c->mgmt.listeners[1], "192.0.2.2:1313");
	assert_string_equal(c->mgmt.listeners[2], "unix:/run/s");
	assert_string_equal(c->mgmt.listeners[3], "[::1]:1");
	assert_string_equal(c->status_listeners[0], "192.0.2.9:2");
	assert_int_equal(c->verifications[0].http01.listener_count, 2);
	assert_string_equal(c->verifications[0].http01.listeners[0], "127.0.0.1:80");
	conf_free(c);
}

static void
test_names_that_clash(void **state)
{
	struct ending end;
	struct conf *c =
	    resolve("[mgmt]\nlistener = a.test:1313\n[status]\nlistener = 192.0.2.1:1313\n" ACCOUNT,
		"192.0.2.1 a.test\n", &end, false);

	(void)state;
	assert_false(end.ok);
	assert_int_equal(end.error.kind, ERR_CONFIG);
	assert_non_null(strstr(end.error.detail, "192.0.2.1:1313"));
	assert_string_equal(c->mgmt.listeners[0], "a.test:1313");
	conf_free(c);
	/* One name that is given twice is one listener. */
	c = resolve("[mgmt]\nlistener = a.test:1313\nlistener = b.test:1313\n" ACCOUNT,
	    "192.0.2.1 a.test b.test\n", &end, false);
	assert_true(end.ok);
	assert_int_equal(c->mgmt.listener_count, 1);
	conf_free(c);
}

static void
test_cancelled(void **state)
{
	struct ending end;

	(void)state;
	conf_free(
	    resolve("[mgmt]\nlistener = a.test:1313\n" ACCOUNT, "192.0.2.1 a.test\n", &end, true));
	assert_false(end.done);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_account),
	    cmocka_unit_test(test_verification),
	    cmocka_unit_test(test_key_file),
	    cmocka_unit_test(test_storage),
	    cmocka_unit_test(test_names_become_addresses),
	    cmocka_unit_test(test_names_that_clash),
	    cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
