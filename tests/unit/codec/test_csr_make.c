/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "codec/csr.h"
#include "codec/csr_make.h"
#include "codec/key.h"

static void
add_dns(struct identifiers *names, const char *text)
{
	struct identifier id;

	assert_true(identifier_dns(text, strlen(text), &id, NULL));
	identifiers_add(names, &id);
}

static void
add_ip(struct identifiers *names, const char *text)
{
	struct ip_addr addr;
	struct identifier id;

	assert_true(ip_addr_parse(text, strlen(text), &addr));
	identifier_ip(&addr, &id);
	identifiers_add(names, &id);
}

/* What the openssl program prints of it; it verifies the signature too. */
static char *
openssl_text(const char *pem)
{
	char path[] = "/tmp/csr-make-XXXXXX";
	int fd = mkstemp(path);
	char *command, *text = xcalloc(1, 65536);
	size_t len = strlen(pem);
	FILE *f;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, pem, len), len);
	close(fd);
	command = xasprintf("openssl req -verify -noout -text -in %s 2>&1", path);
	f = popen(command, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 0);
	assert_int_equal(pclose(f), 0);
	free(command);
	unlink(path);
	return text;
}

static void
check(enum key_type type, const struct identifiers *names, const char *const *says)
{
	struct key *key = key_generate(type, NULL);
	char *pem = csr_make(key, names, NULL), *text;
	struct err e;
	struct csr *csr;

	assert_non_null(pem);
	csr = csr_parse(pem, strlen(pem), &e);
	if (csr == NULL)
		fail_msg("%s", e.detail);
	assert_true(identifiers_equal(&csr->names, names));
	assert_false(csr->names_only_in_cn);
	assert_memory_equal(csr->spki_sha256, key_spki_sha256(key), 32);
	text = openssl_text(pem);
	assert_non_null(strstr(text, "verify OK"));
	for (; *says != NULL; says++)
		if (strstr(text, *says) == NULL)
			fail_msg("no \"%s\" in %s", *says, text);
	free(text);
	csr_free(csr);
	free(pem);
	key_free(key);
}

static void
test_keys(void **state)
{
	static const char *const says[KEY_TYPE_COUNT][3] = {
	    [KEY_EC256] = {"ecdsa-with-SHA256", "NIST CURVE: P-256"},
	    [KEY_EC384] = {"ecdsa-with-SHA256", "NIST CURVE: P-384"},
	    [KEY_RSA2048] = {"sha256WithRSAEncryption", "(2048 bit)"},
	    [KEY_RSA3072] = {"sha256WithRSAEncryption", "(3072 bit)"},
	};
	struct identifiers names = {0};

	add_dns(&names, "www.example.org");
	for (int type = 0; type < KEY_TYPE_COUNT; type++)
		if (says[type][0] != NULL)
			check((enum key_type)type, &names, says[type]);
	identifiers_done(&names);
}

static void
test_names(void **state)
{
	static const char *const says[] = {"Subject: \n", "DNS:*.example.org", "DNS:example.org",
	    "IP Address:192.0.2.1", "IP Address:2001:DB8:0:0:0:0:0:1", NULL};
	struct identifiers names = {0};

	add_dns(&names, "example.org");
	add_dns(&names, "*.example.org");
	add_ip(&names, "192.0.2.1");
	add_ip(&names, "2001:db8::1");
	check(KEY_EC256, &names, says);
	identifiers_done(&names);
}

/* The longest name there can be would not fit into a common name. */
static void
test_long_and_many(void **state)
{
	struct identifiers names = {0};
	char text[IDENTIFIER_MAX + 1];
	const char *const says[] = {text, NULL};

	memset(text, 'a', IDENTIFIER_MAX);
	for (size_t i = 50; i < IDENTIFIER_MAX; i += 51)
		text[i] = '.';
	text[IDENTIFIER_MAX] = '\0';
	add_dns(&names, text);
	for (int i = 1; i < IDENTIFIERS_MAX; i++) {
		char *name = xasprintf("n%d.example.org", i);

		add_dns(&names, name);
		free(name);
	}
	check(KEY_EC256, &names, says);
	identifiers_done(&names);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_long_and_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
