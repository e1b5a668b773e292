/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configurations as the original documents them: they load unchanged, and say what is different. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "conf_test.h"

/* A copy nobody else can read: whether the source tree's can be is not the matter here. */
static struct conf *
load(const char *name)
{
	char source[128];
	struct buf text;
	struct err e;

	snprintf(source, sizeof(source), "tests/vectors/compat/%s", name);
	buf_init(&text, 65536);
	assert_true(file_read(conf_test_source(source), &text, &e));
	char *path = (char *)conf_test_file_of(name, text.data, text.len, 0600);
	buf_done(&text);
	return conf_load(&path, 1);
}

static void
assert_verification(const struct conf *c, size_t i, const char *name, enum challenge_type type)
{
	assert_string_equal(c->verifications[i].name, name);
	assert_int_equal(c->verifications[i].type, type);
}

static void
assert_auth(
    const struct conf *c, size_t i, const char *name, const char *verification, const char *storage)
{
	const struct auth_block *a = &c->auths[i];

	assert_string_equal(a->name, name);
	assert_string_equal(c->verifications[a->verification].name, verification);
	assert_string_equal(c->storages[a->store].name, storage);
}

/* What both readmes have in common. */
static void
check_readme(const struct conf *c, const char *directory)
{
	const struct challenge_dns01_update_conf *u = &c->verifications[1].dns01_update;

	assert_int_equal(c->mgmt.listener_count, 3);
	assert_string_equal(c->mgmt.listeners[2], "192.0.2.13:1313");
	assert_int_equal(c->mgmt.max_size, 4096);
	assert_int_equal(c->verification_count, 2);
	assert_verification(c, 0, "http", CHALLENGE_HTTP01);
	assert_int_equal(c->verifications[0].http01.listener_count, 3);
	assert_string_equal(c->verifications[0].http01.listeners[2], "[fe80::80%eth0]:1380");
	assert_verification(c, 1, "dns", CHALLENGE_DNS01_UPDATE);
	assert_string_equal(u->dns_servers[0].host, "192.0.2.53");
	assert_int_equal(u->ttl, 5);
	assert_int_equal(u->timeout_s, 30);
	assert_int_equal(c->storage_count, 2);
	assert_string_equal(c->storages[1].file.directory, directory);
	assert_int_equal(c->auth_count, 3);
	assert_auth(c, 0, "mail", "http", "file");
	assert_auth(c, 1, "ext", "http", "file");
	assert_auth(c, 2, "mail-secure", "dns", "file");
	assert_int_equal(c->auths[2].hmac, DIGEST_SHA256);
	assert_int_equal(c->auths[2].range_count, 1);
	assert_int_equal(c->auths[2].domain_count, 2);
}

static int
line_of(const struct conf *c, enum conf_severity severity, const char *part)
{
	const struct conf_problem *p = conf_test_find(c, severity, -1, part);

	if (p == NULL)
		conf_test_print(c);
	assert_non_null(p);
	return p->line;
}

static void
test_readme_04(void **state)
{
	struct conf *c = load("readme-0.4.ini");

	(void)state;
	assert_counts(c, 0, 1, 5);
	check_readme(c, "/etc/acmems/storage");
	assert_string_equal(c->ca.dir, "/etc/acmems/account/");
	assert_false(c->ca.terms.accept);
	assert_int_equal(line_of(c, CONF_WARNING, "switched off"), 2);
	assert_int_equal(line_of(c, CONF_NOTE, "in addition to the default listeners"), 6);
	assert_int_equal(line_of(c, CONF_NOTE, "4096 bytes"), 7);
	assert_int_equal(line_of(c, CONF_NOTE, "the original forgot it"), 9);
	assert_int_equal(line_of(c, CONF_NOTE, "the original kept all"), 26);
	conf_free(c);
}

static void
test_readme_05(void **state)
{
	struct conf *c = load("readme-0.5.ini");

	(void)state;
	assert_counts(c, 0, 0, 6);
	check_readme(c, "/etc/macen/storage");
	assert_string_equal(
	    c->ca.directory_url, "https://acme-staging-v02.api.letsencrypt.org/directory");
	assert_true(c->ca.terms.accept);
	assert_int_equal(line_of(c, CONF_NOTE, "accept-terms-of-service"), 3);
	assert_int_equal(line_of(c, CONF_NOTE, "in addition to the default listeners"), 7);
	assert_int_equal(line_of(c, CONF_NOTE, "4096 bytes"), 8);
	assert_int_equal(line_of(c, CONF_NOTE, "the original forgot it"), 10);
	assert_int_equal(line_of(c, CONF_NOTE, "the original kept all"), 27);
	conf_free(c);
}

static void
test_pebble_05(void **state)
{
	struct conf *c = load("pebble-0.5.ini");

	(void)state;
	assert_counts(c, 0, 0, 1);
	assert_int_equal(line_of(c, CONF_NOTE, "the original kept all"), 23);
	assert_string_equal(c->ca.directory_url, "https://127.0.0.1:14000/dir");
	assert_string_equal(c->ca.dir, "tests/integration/account");
	assert_true(c->ca.terms.accept);
	assert_true(c->ca.requests_per_second <= 0);
	assert_int_equal(c->log.level, LOG_LEVEL_INFO);
	assert_int_equal(c->log.destination, LOG_TO_STDOUT);
	assert_int_equal(c->mgmt.listener_count, 1);
	assert_verification(c, 0, "http", CHALLENGE_HTTP01);
	assert_verification(c, 1, "challtestsrv", CHALLENGE_DNS01_CHALLTESTSRV);
	assert_string_equal(
	    c->verifications[1].challtestsrv.set_txt_url, "http://challtestsrv:8055/set-txt");
	assert_string_equal(c->storages[0].file.directory, "tests/integration/storage");
	assert_int_equal(c->storages[0].renew_within_s, 3 * 86400);
	assert_int_equal(c->auth_count, 2);
	assert_auth(c, 0, "main", "http", "file");
	assert_auth(c, 1, "dns", "challtestsrv", "file");
	conf_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_readme_04),
	    cmocka_unit_test(test_readme_05),
	    cmocka_unit_test(test_pebble_05),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
