/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/chain.h"
#include "codec/issuers.h"
#include "codec/pem.h"
#include "pki.h"

enum { DAY = 86400 };

static EVP_PKEY *leaf_key, *ca_key;
static char *leaf, *ca;
static struct issuers *issuers;

static char *
certificate(const char *san, EVP_PKEY *key, EVP_PKEY *issuer_key, long from, long until)
{
	return pki_certificate(&(struct pki_certificate){.common_name = NULL,
	    .san = san,
	    .issuer_name = "Test CA 1",
	    .key = key,
	    .issuer_key = issuer_key,
	    .from = from,
	    .until = until});
}

static int
setup(void **state)
{
	leaf_key = pki_key("ec256-pkcs8.pem");
	ca_key = pki_key("rfc7515-a3.pem");
	leaf = certificate("DNS:a.example,IP:192.0.2.1", leaf_key, ca_key, -DAY, 90 * DAY);
	ca = pki_certificate(&(struct pki_certificate){.common_name = "Test CA 1",
	    .issuer_name = "Root",
	    .key = ca_key,
	    .issuer_key = leaf_key,
	    .from = -DAY,
	    .until = 900 * DAY,
	    .ca = 1});
	issuers = issuers_new();
	return 0;
}

static int
teardown(void **state)
{
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(ca_key);
	free(leaf);
	free(ca);
	issuers_free(issuers);
	return 0;
}

static struct chain *
parse(const char *pem, struct err *e)
{
	CLEANUP_FREE char *exact = malloc(strlen(pem) + (*pem == '\0'));

	memcpy(exact, pem, strlen(pem));
	return chain_parse(exact, strlen(pem), e);
}

static void
check_refused(const char *pem, const char *says)
{
	struct err e = {0};

	assert_null(parse(pem, &e));
	assert_int_equal(e.kind, ERR_UPSTREAM);
	if (strstr(e.detail, says) == NULL)
		fail_msg("%s, not: %s", e.detail, says);
}

static void
test_leaf(void **state)
{
	struct chain *c = parse(leaf, NULL);
	CLEANUP_FREE char *names = identifiers_key(&c->names);
	struct leaf_info info;
	int64_t now = time(NULL);

	assert_string_equal(names, "dns:a.example,ip:192.0.2.1");
	assert_string_equal(c->leaf.serial, "A1B2C3");
	assert_string_equal(c->leaf.issuer, "Test CA 1");
	assert_in_range(c->leaf.not_after, now + 90 * DAY - 60, now + 90 * DAY);
	assert_in_range(c->leaf.not_before, now - DAY - 60, now - DAY);
	assert_true(chain_leaf_info(leaf, strlen(leaf), &info, NULL));
	assert_memory_equal(&info, &c->leaf, sizeof(info));
	chain_free(c);
	chain_free(NULL);
}

static char *
with_crlf(const char *text)
{
	struct buf b;

	buf_init(&b, 100000);
	for (; *text != '\0'; text++)
		buf_addf(&b, "%s%c", *text == '\n' ? "\r" : "", *text);
	return buf_take(&b, NULL);
}

static void
test_normal_form(void **state)
{
	CLEANUP_FREE char *expected = xasprintf("%s\n%s", leaf, ca);
	CLEANUP_FREE char *tight = xasprintf("%s%.*s", leaf, (int)strlen(ca) - 1, ca);
	CLEANUP_FREE char *crlf = with_crlf(tight);
	CLEANUP_FREE char *noisy = xasprintf("subject=x\n%s\n\n\nissuer=y\n%s\n\nend", leaf, ca);
	const char *const forms[] = {expected, tight, crlf, noisy};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct chain *c = parse(forms[i], NULL);

		assert_non_null(c);
		assert_string_equal(c->pem, expected);
		assert_int_equal(c->pem_len, strlen(expected));
		chain_free(c);
	}
}

static void
test_refused(void **state)
{
	CLEANUP_FREE char *key = pki_read("ec256-pkcs8.pem");
	CLEANUP_FREE char *with_key = xasprintf("%s%s", leaf, key);
	CLEANUP_FREE char *cut = xasprintf("%s%.200s", leaf, ca);
	CLEANUP_FREE char *no_der =
	    xasprintf("%s-----BEGIN CERTIFICATE-----\naGVsbG8K\n-----END CERTIFICATE-----\n", leaf);
	CLEANUP_FREE char *mail = certificate("DNS:a,email:x@y", leaf_key, ca_key, 0, DAY);
	CLEANUP_BUF struct buf b;

	check_refused("", "no certificate");
	check_refused("<html>", "no certificate");
	check_refused(with_key, "PRIVATE KEY stands in the chain");
	check_refused(cut, "damaged");
	check_refused(no_der, "certificate 2 is no DER");
	check_refused(mail, "e-mail address");
	buf_init(&b, 200000);
	for (int i = 0; i <= CHAIN_MAX_CERTS; i++)
		buf_adds(&b, leaf);
	check_refused(b.data, "more than 10 certificates");
	while (b.len <= CHAIN_MAX_BYTES)
		buf_adds(&b, leaf);
	check_refused(b.data, "larger than");
}

static struct csr *
make_csr(const char *san, EVP_PKEY *key)
{
	CLEANUP_FREE char *pem = pki_csr(&(struct pki_request){.key = key, .san = san});

	return csr_parse(pem, strlen(pem), NULL);
}

/* says NULL: accepted. */
static void
check(const char *pem, const char *san, EVP_PKEY *key, int64_t now, const char *says, bool early)
{
	struct chain *c = parse(pem, NULL);
	struct csr *csr = make_csr(san, key);
	bool ret_early = !early;
	struct err e = {0};

	assert_non_null(c);
	assert_non_null(csr);
	if (chain_check(c, csr, issuers, now, &ret_early, &e) != (says == NULL))
		fail_msg("%s: %s", says != NULL ? says : "refused", e.detail);
	if (says == NULL) {
		assert_int_equal(ret_early, early);
	} else {
		assert_int_equal(e.kind, ERR_UPSTREAM);
		if (strstr(e.detail, says) == NULL)
			fail_msg("%s, not: %s", e.detail, says);
	}
	chain_free(c);
	csr_free(csr);
}

static void
test_check(void **state)
{
	static const char san[] = "DNS:a.example,IP:192.0.2.1";
	CLEANUP_FREE char *full = xasprintf("%s%s", leaf, ca);
	CLEANUP_FREE char *backward = xasprintf("%s%s%s", leaf, ca, leaf);
	CLEANUP_FREE char *stranger = certificate(san, leaf_key, leaf_key, -DAY, DAY);
	CLEANUP_FREE char *forged = xasprintf("%s%s", stranger, ca);
	int64_t now = time(NULL);

	check(leaf, san, leaf_key, now, NULL, false);
	check(full, san, leaf_key, now, NULL, false);
	check(full, san, leaf_key, now - 2 * DAY, NULL, true);
	check(full, san, ca_key, now, "another key", false);
	check(full, "DNS:a.example", leaf_key, now, "for a.example, 192.0.2.1 instead of a.example",
	    false);
	check(full, "DNS:a.example,IP:192.0.2.1,DNS:b", leaf_key, now, "instead of", false);
	check(full, san, leaf_key, now + 91 * DAY, "expired", false);
	check(backward, san, leaf_key, now, "certificate 2 of the chain is not issued by the next",
	    false);
	check(forged, san, leaf_key, now, "signature of certificate 1", false);
}

static X509 *
get_issuer(struct issuers *i, const char *pem)
{
	struct pem_reader reader;
	struct pem_block block;
	X509 *cert;

	pem_open(&reader, pem, strlen(pem));
	assert_int_equal(pem_next(&reader, &block), PEM_BLOCK);
	cert = issuers_get(i, &block, NULL);
	assert_non_null(cert);
	pem_block_done(&block);
	pem_close(&reader);
	return cert;
}

static void
test_issuers_are_kept(void **state)
{
	struct issuers *few = issuers_new();
	X509 *first = get_issuer(few, ca);

	for (int i = 0; i < 100; i++) {
		X509 *again = get_issuer(few, ca);

		assert_ptr_equal(again, first);
		X509_free(again);
	}
	/* As many others push it out; what was taken stays good. */
	for (int i = 0; i < 20; i++) {
		CLEANUP_FREE char *other =
		    certificate("DNS:a.example", leaf_key, ca_key, -DAY, DAY + i);

		X509_free(get_issuer(few, other));
	}
	for (int i = 0; i < 2; i++) {
		X509 *again = get_issuer(few, ca);

		assert_ptr_not_equal(again, first);
		assert_int_equal(X509_cmp(again, first), 0);
		X509_free(again);
	}
	X509_free(first);
	issuers_free(few);
}

static void
test_broken_issuer_is_found_by_the_check(void **state)
{
	/* A DER sequence, but no certificate: form is all that parsing looks at. */
	CLEANUP_FREE char *pem =
	    xasprintf("%s-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n", leaf);

	check(pem, "DNS:a.example,IP:192.0.2.1", leaf_key, time(NULL), "cannot be decoded", false);
}

static void
test_leaf_info(void **state)
{
	CLEANUP_FREE char *key = pki_read("ec256-pkcs8.pem");
	CLEANUP_FREE char *behind_key = xasprintf("%s\n%s", key, leaf);
	struct leaf_info info;
	struct err e;

	assert_true(chain_leaf_info(behind_key, strlen(behind_key), &info, NULL));
	assert_string_equal(info.serial, "A1B2C3");
	assert_false(chain_leaf_info("", 0, &info, &e));
	assert_int_equal(e.kind, ERR_UPSTREAM);
	assert_false(chain_leaf_info(leaf, 100, &info, &e));
	assert_false(chain_leaf_info(key, strlen(key), &info, &e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_leaf),
	    cmocka_unit_test(test_normal_form),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_issuers_are_kept),
	    cmocka_unit_test(test_broken_issuer_is_found_by_the_check),
	    cmocka_unit_test(test_leaf_info),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
