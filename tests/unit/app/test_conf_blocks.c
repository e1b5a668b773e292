/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [verification] and [storage], their types, and which of them is the default. */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "conf_test.h"

#define HTTP  "[verification \"http\"]\ntype = http01\n"
#define OTHER "[verification \"other\"]\ntype = http01\nlistener = 127.0.0.1:1\n"
#define NONE  "[storage \"none\"]\ntype = none\n"
#define FILE_ "[storage \"file\"]\ntype = file\nkeep = 1\ndirectory = /s\n"

static struct conf *
load(const char *text)
{
	char *whole = xasprintf("%s" ACCOUNT AUTH, text);
	struct conf *c = conf_test_load(whole);

	free(whole);
	return c;
}

static void
expect(const char *text, enum conf_severity severity, int line, const char *part)
{
	char *whole = xasprintf("%s" ACCOUNT AUTH, text);

	conf_test_one(whole, severity, line, part);
	free(whole);
}

/* ---- http01 ---- */

static void
test_default_is_added(void **state)
{
	struct conf *c = load("");
	const struct challenge_conf *v = &c->verifications[0];

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->verification_count, 1);
	assert_string_equal(v->name, "http");
	assert_int_equal(v->type, CHALLENGE_HTTP01);
	assert_true(v->http01.default_listeners);
	assert_int_equal(v->http01.listener_count, 2);
	assert_string_equal(v->http01.listeners[0], "0.0.0.0:1380");
	assert_string_equal(v->http01.listeners[1], "[::]:1380");
	conf_free(c);
}

static void
test_http01(void **state)
{
	struct conf *c = load("[verification \"v\"]\nlistener = 127.0.0.1:1\nlistener = unix:/s\n"
			      "TYPE = x\ntype = HTTP01\n");

	(void)state;
	assert_counts(c, 0, 1, 0);
	assert_problem(c, CONF_WARNING, 4, "did you mean \"type\"?");
	assert_int_equal(c->verifications[0].http01.listener_count, 2);
	assert_false(c->verifications[0].http01.default_listeners);
	conf_free(c);
	c = load("[verification \"v\"]\ntype = http01\nlistener =\n");
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->verifications[0].http01.listener_count, 0);
	conf_free(c);
	expect("[verification \"v\"]\ntype = http01\nlistener = nothing\n", CONF_ERROR, 3, "port");
	expect("[verification \"v\"]\nlistener = 127.0.0.1:1\n", CONF_ERROR, 1, "has no type");
	expect("[verification \"v\"]\ntype = htpt01\nlistener = 127.0.0.1:1\n", CONF_ERROR, 2,
	    "unknown type \"htpt01\"; did you mean \"http01\"?");
}

static void
test_default_verification(void **state)
{
	struct conf *c = load(OTHER);

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->verification_count, 1);
	assert_int_equal(c->auths[0].verification, 0);
	conf_free(c);
	c = load(OTHER "[mgmt]\ndefault-verification = other\n" HTTP);
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->auths[0].verification, 0);
	conf_free(c);
	expect(OTHER "[mgmt]\ndefault-verification = htpp\n", CONF_ERROR, 5,
	    "there is no [verification \"htpp\"]");
}

/* The original put a block of its own in its place. */
static void
test_several_with_http(void **state)
{
	struct conf *c = load(OTHER HTTP "listener = 127.0.0.1:2\n");

	(void)state;
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 4, "the original replaced it");
	assert_int_equal(c->verification_count, 2);
	assert_int_equal(c->auths[0].verification, 1);
	assert_string_equal(c->verifications[1].http01.listeners[0], "127.0.0.1:2");
	conf_free(c);
}

static void
test_several_without_http(void **state)
{
	struct conf *c = load(OTHER "[verification \"third\"]\ntype = http01\nlistener =\n");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->verification_count, 3);
	assert_string_equal(c->verifications[2].name, "http");
	assert_int_equal(c->auths[0].verification, 2);
	conf_free(c);
}

static void
test_no_default(void **state)
{
	struct conf *c = conf_test_fine(HTTP FILE_
	    "[mgmt]\ndefault-verification =\ndefault-storage =\n" ACCOUNT
	    "[auth \"a\"]\nall = yes\ndomain = *\nverification = http\nstorage = file\n");

	(void)state;
	assert_int_equal(c->auths[0].verification, 0);
	assert_int_equal(c->auths[0].store, 0);
	conf_free(c);
	c = load("[mgmt]\ndefault-verification =\ndefault-storage =\n" HTTP);
	assert_counts(c, 2, 0, 0);
	assert_problem(c, CONF_ERROR, 10, "names no verification, and there is no default");
	assert_problem(c, CONF_ERROR, 10, "names no storage, and there is no default");
	conf_free(c);
}

/* ---- storage ---- */

static void
test_storage_defaults(void **state)
{
	struct conf *c = load("");

	(void)state;
	assert_int_equal(c->storage_count, 1);
	assert_string_equal(c->storages[0].name, "none");
	assert_int_equal(c->storages[0].type, STORE_NONE);
	assert_int_equal(c->auths[0].store, 0);
	conf_free(c);
	c = load("[storage \"disk\"]\ntype = file\ndirectory = /s\n");
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 1, "the original kept all");
	assert_int_equal(c->storage_count, 2);
	assert_string_equal(c->storages[1].name, "none");
	assert_int_equal(c->auths[0].store, 0);
	assert_string_equal(c->storages[0].name, "disk");
	assert_int_equal(c->storages[0].line, 1);
	assert_int_equal(c->storages[0].type, STORE_FILE);
	assert_string_equal(c->storages[0].file.directory, "/s");
	assert_int_equal(c->storages[0].renew_within_s, 14 * 86400);
	assert_int_equal(c->storages[0].file.keep, 30 * 86400);
	conf_free(c);
}

static void
test_storage_values(void **state)
{
	struct conf *c = load("[storage \"s\"]\nrenew-within=3\nkeep=0\ntype=file\ndirectory=d\n");

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->storages[0].renew_within_s, 3 * 86400);
	assert_int_equal(c->storages[0].file.keep, 0);
	conf_free(c);
	expect("[storage \"s\"]\ntype = file\nkeep = 1\n", CONF_ERROR, 1, "has no directory");
	expect("[storage \"s\"]\ntype = file\nkeep = 1\ndirectory =\n", CONF_ERROR, 4, "no value");
	expect("[storage \"s\"]\ndirectory = /s\n", CONF_ERROR, 1, "has no type");
	expect("[storage \"s\"]\ntype = fil\ndirectory = /s\n", CONF_ERROR, 2,
	    "did you mean \"file\"?");
	expect(FILE_ "renew-within = two weeks\n", CONF_ERROR, 5, "renew-within");
	expect(FILE_ "renew-within = -1\n", CONF_ERROR, 5, "renew-within");
	expect("[storage \"none\"]\ntype = none\ndirectory = /s\n", CONF_WARNING, 3,
	    "\"directory\" has no meaning for type none");
}

static void
test_default_storage(void **state)
{
	struct conf *c = load(NONE FILE_);

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->auths[0].store, 0);
	conf_free(c);
	c = load(NONE FILE_ "[mgmt]\ndefault-storage = file\n");
	assert_counts(c, 0, 0, 1);
	assert_problem(c, CONF_NOTE, 8, "the original forgot it");
	assert_int_equal(c->auths[0].store, 1);
	conf_free(c);
	c = load(FILE_ "[mgmt]\ndefault-storage = file\n");
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->auths[0].store, 0);
	conf_free(c);
	c = load(NONE FILE_ "[mgmt]\ndefault-storage = none\n");
	assert_counts(c, 0, 0, 0);
	assert_int_equal(c->auths[0].store, 0);
	conf_free(c);
	expect(FILE_ "[mgmt]\ndefault-storage = disk\n", CONF_ERROR, 6,
	    "there is no [storage \"disk\"]");
}

/* ---- the dns01 types: checked and kept, whether this version has them or not ---- */

#define UPDATE "[verification \"dns\"]\ntype = dns01-dnsUpdate\n"

/* Loads one verification block; what is said beside "not in this version yet". */
static struct conf *
load_dns(const char *text, size_t errors, const char *part)
{
	struct conf *c = load(text);

	if (conf_test_count(c, CONF_ERROR) != errors ||
	    conf_test_find(c, CONF_ERROR, -1, part) == NULL) {
		if (errors > 0 || c->failed) {
			conf_test_print(c);
			fail_msg("expected %zu errors: %s", errors, part);
		}
	}
	return c;
}

static void
refuse_dns(const char *text, const char *part)
{
	conf_free(load_dns(text, 1, part));
}

static void
test_types_of_later_versions_load(void **state)
{
	static const char *const types[] = {
	    [CHALLENGE_HTTP01] = "http01",
	    [CHALLENGE_DNS01_UPDATE] = "dns01-dnsupdate",
	    [CHALLENGE_DNS01_SERVER] = "dns01-server",
	    [CHALLENGE_DNS01_CHALLTESTSRV] = "dns01-challtestsrv",
	};

	(void)state;
	for (int i = 0; i < CHALLENGE_TYPE_COUNT; i++) {
		char *text = xasprintf("[verification \"v\"]\ntype = %s\n", types[i]);
		struct conf *c = load(text);

		assert_int_equal(conf_test_count(c, CONF_ERROR), 0);
		assert_int_equal(conf_test_count(c, CONF_WARNING), 0);
		assert_int_equal(c->verifications[0].type, i);
		assert_string_equal(c->verifications[0].name, "v");
		conf_free(c);
		free(text);
	}
}

static void
test_update_defaults(void **state)
{
	struct conf *c = load_dns(UPDATE, 0, "");
	const struct challenge_dns01_update_conf *u = &c->verifications[0].dns01_update;

	(void)state;
	assert_problem(c, CONF_NOTE, 1, "the original updated the last two labels");
	assert_int_equal(u->dns_server_count, 1);
	assert_string_equal(u->dns_servers[0].host, "127.0.0.1");
	assert_int_equal(u->dns_servers[0].port, 53);
	assert_int_equal(u->ttl, 60);
	assert_int_equal(u->timeout_s, 5);
	assert_null(u->tsig.name);
	assert_null(u->zone);
	assert_int_equal(u->resolver_count, 0);
	assert_true(u->follow_cname);
	assert_true(u->propagation_check);
	assert_int_equal(u->propagation_timeout_s, 60);
	conf_free(c);
}

static void
test_update_values(void **state)
{
	struct conf *c = load_dns(UPDATE
	    "dns-server = 192.0.2.53:5353\ndns-server = 2001:db8::53\nttl = 5\ntimeout = 30\n"
	    "zone = Example.ORG.\nresolver = [::1]:54\nfollow-cname = no\n"
	    "propagation-check = False\npropagation-timeout = 7\n",
	    0, "");
	const struct challenge_dns01_update_conf *u = &c->verifications[0].dns01_update;

	(void)state;
	assert_counts(c, 0, 0, 0);
	assert_int_equal(u->dns_server_count, 2);
	assert_int_equal(u->dns_servers[0].port, 5353);
	assert_string_equal(u->dns_servers[1].host, "2001:db8::53");
	assert_int_equal(u->dns_servers[1].port, 53);
	assert_int_equal(u->ttl, 5);
	assert_int_equal(u->timeout_s, 30);
	assert_string_equal(u->zone, "example.org");
	assert_int_equal(u->resolver_count, 1);
	assert_int_equal(u->resolvers[0].port, 54);
	assert_false(u->follow_cname);
	assert_false(u->propagation_check);
	assert_int_equal(u->propagation_timeout_s, 7);
	conf_free(c);
	refuse_dns(UPDATE "dns-server = 192.0.2.53:dns\n", "dns-server");
	refuse_dns(UPDATE "dns-server =\n", "\"dns-server\" has no value");
	refuse_dns(UPDATE "ttl = 1h\n", "ttl");
	refuse_dns(UPDATE "zone = -example\n", "zone");
	refuse_dns(UPDATE "resolver = ns.example.org\n", "is not an address");
	refuse_dns(UPDATE "follow-cname = sometimes\n", "neither yes nor no");
	refuse_dns(UPDATE "propagation-timeout = 0\n", "propagation-timeout");
}

static void
test_tsig_options(void **state)
{
	struct conf *c =
	    load_dns(UPDATE "tsig-name = Key.Example.\ntsig-secret = AQID/w==\n", 0, "");
	const struct challenge_tsig_conf *t = &c->verifications[0].dns01_update.tsig;

	(void)state;
	assert_string_equal(t->name, "key.example");
	assert_string_equal(t->algorithm, "hmac-sha256");
	assert_int_equal(t->secret_len, 4);
	assert_memory_equal(t->secret, "\x01\x02\x03\xff", 4);
	conf_free(c);
	c = load_dns(
	    UPDATE "tsig-name = k\ntsig-secret = AQID\ntsig-algorithm = HMAC-SHA512\n", 0, "");
	assert_string_equal(c->verifications[0].dns01_update.tsig.algorithm, "hmac-sha512");
	conf_free(c);
	refuse_dns(UPDATE "tsig-name = k\n", "both tsig-name and tsig-secret");
	refuse_dns(UPDATE "tsig-secret = AQID\n", "both tsig-name and tsig-secret");
	refuse_dns(UPDATE "tsig-algorithm = hmac-sha256\n", "both tsig-name and tsig-secret");
	refuse_dns(UPDATE "tsig-name = k\ntsig-secret = A!\n", "not base64");
	refuse_dns(UPDATE "tsig-name = k\ntsig-secret = AQ_D\n", "not base64");
	refuse_dns(UPDATE "tsig-name = k\ntsig-secret = AQID\ntsig-algorithm = hmac-sha265\n",
	    "did you mean \"hmac-sha256\"?");
}

static struct conf *
load_key_file(const char *text, size_t errors, const char *part)
{
	char *whole = xasprintf(UPDATE "tsig-key-file = %s\n", conf_test_file("tsig.key", text));
	struct conf *c = load_dns(whole, errors, part);

	free(whole);
	return c;
}

static void
test_tsig_key_file(void **state)
{
	struct conf *c =
	    load_key_file("# comment\nkey \"Acmems.\" {\n\talgorithm hmac-sha512; // x\n"
			  "\tsecret /* { */ \"AQID/w==\";\n};\n",
		0, "");
	const struct challenge_tsig_conf *t = &c->verifications[0].dns01_update.tsig;

	(void)state;
	assert_string_equal(t->name, "acmems");
	assert_string_equal(t->algorithm, "hmac-sha512");
	assert_int_equal(t->secret_len, 4);
	assert_no_problem(c, CONF_WARNING, "others can read");
	conf_free(c);
}

static void
test_tsig_key_file_refused(void **state)
{
	static const char *const texts[] = {
	    "",
	    "nothing",
	    "key a { algorithm hmac-sha256; };",
	    "key a { secret \"AQID\"; };",
	    "key a { algorithm hmac-sha256; secret \"AQID\"; }; key b { };",
	    "key a { algorithm hmac-sha256; secret \"AQID\";",
	    "key a { algorithm hmac-sha256 secret \"AQID\"; };",
	    "key a /* { algorithm",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		conf_free(load_key_file(texts[i], 1, "as tsig-keygen writes it"));
	refuse_dns(UPDATE "tsig-key-file = /nowhere/k\n", "No such file");
	refuse_dns(UPDATE "tsig-key-file = /nowhere/k\ntsig-name = a\n", "beside tsig-key-file");
}

static void
test_tsig_key_file_others_can_read(void **state)
{
	static const char key[] = "key a { algorithm hmac-sha256; secret \"AQID\"; };";
	char *text = xasprintf(UPDATE "tsig-key-file = %s\n",
	    conf_test_file_of("open.key", key, sizeof(key) - 1, 0644));
	struct conf *c = load_dns(text, 0, "");

	(void)state;
	assert_problem(c, CONF_WARNING, 3, "others can read");
	conf_free(c);
	free(text);
}

#define SERVER "[verification \"srv\"]\ntype = dns01-server\n"

static void
test_server(void **state)
{
	struct conf *c = load_dns(SERVER, 0, "");
	const struct challenge_dns01_server_conf *s = &c->verifications[0].dns01_server;
	char text[IP_ADDR_TEXT];

	(void)state;
	assert_problem(c, CONF_NOTE, 1, "[::1]:1380");
	assert_true(s->default_listeners);
	assert_string_equal(s->listeners[0], "0.0.0.0:1353");
	assert_string_equal(s->listeners[1], "[::]:1353");
	assert_null(s->zone);
	assert_true(s->has_record);
	assert_string_equal(ip_addr_format(&s->record, text), "127.0.0.1");
	conf_free(c);
	c = load_dns(SERVER "listeners = 127.0.0.1:53\nlistener = [::1]:53\nzone = acme.example\n"
			    "ns = ns.example\n",
	    0, "");
	s = &c->verifications[0].dns01_server;
	assert_int_equal(conf_test_count(c, CONF_NOTE), 0);
	assert_int_equal(s->listener_count, 2);
	assert_string_equal(s->zone, "acme.example");
	assert_string_equal(s->ns, "ns.example");
	assert_false(s->has_record);
	conf_free(c);
	c = load_dns(SERVER "listener = 127.0.0.1:53\n", 0, "");
	assert_problem(c, CONF_NOTE, 3, "the original knew it as \"listeners\" only");
	conf_free(c);
	refuse_dns(SERVER "listener = unix:/s\n", "not possible here");
	refuse_dns(SERVER "record = here\n", "record: \"here\" is not an address");
}

static void
test_server_fake_dns(void **state)
{
	struct conf *c;
	char text[IP_ADDR_TEXT];

	(void)state;
	setenv("FAKE_DNS", "192.0.2.7", 1);
	c = load_dns(SERVER "zone = acme.example\n", 0, "");
	assert_true(c->verifications[0].dns01_server.has_record);
	assert_string_equal(
	    ip_addr_format(&c->verifications[0].dns01_server.record, text), "192.0.2.7");
	conf_free(c);
	c = load_dns(SERVER "record = ::1\n", 0, "");
	assert_string_equal(ip_addr_format(&c->verifications[0].dns01_server.record, text), "::1");
	conf_free(c);
	setenv("FAKE_DNS", "nothing", 1);
	refuse_dns(SERVER, "FAKE_DNS: \"nothing\" is not an address");
	unsetenv("FAKE_DNS");
}

static void
test_challtestsrv(void **state)
{
	struct conf *c = load_dns("[verification \"c\"]\ntype = dns01-boulder\n", 0, "");

	(void)state;
	assert_int_equal(c->verifications[0].type, CHALLENGE_DNS01_CHALLTESTSRV);
	assert_string_equal(
	    c->verifications[0].challtestsrv.set_txt_url, "http://localhost:8055/set-txt");
	conf_free(c);
	c = load_dns(
	    "[verification \"c\"]\ntype = dns01-boulder\nset_txt_url = http://a/\n", 0, "");
	assert_problem(c, CONF_NOTE, 3, "the original knew it as \"set-txt_url\" only");
	conf_free(c);
	refuse_dns("[verification \"c\"]\ntype = dns01-challtestsrv\nset_txt_url = localhost\n",
	    "set-txt_url");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_default_is_added),
	    cmocka_unit_test(test_http01),
	    cmocka_unit_test(test_default_verification),
	    cmocka_unit_test(test_several_with_http),
	    cmocka_unit_test(test_several_without_http),
	    cmocka_unit_test(test_no_default),
	    cmocka_unit_test(test_storage_defaults),
	    cmocka_unit_test(test_storage_values),
	    cmocka_unit_test(test_default_storage),
	    cmocka_unit_test(test_types_of_later_versions_load),
	    cmocka_unit_test(test_update_defaults),
	    cmocka_unit_test(test_update_values),
	    cmocka_unit_test(test_tsig_options),
	    cmocka_unit_test(test_tsig_key_file),
	    cmocka_unit_test(test_tsig_key_file_refused),
	    cmocka_unit_test(test_tsig_key_file_others_can_read),
	    cmocka_unit_test(test_server),
	    cmocka_unit_test(test_server_fake_dns),
	    cmocka_unit_test(test_challtestsrv),
	};

	unsetenv("FAKE_DNS");
	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
