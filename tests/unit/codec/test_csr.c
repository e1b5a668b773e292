/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/csr.h"
#include "codec/key.h"
#include "pki.h"

static EVP_PKEY *ec, *rsa;

static int
setup(void **state)
{
	ec = pki_key("ec256-pkcs8.pem");
	rsa = pki_key("rfc7515-a2.pem");
	return 0;
}

static int
teardown(void **state)
{
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
	return 0;
}

/* An exact copy without NUL behind it, so that a read too far is seen. */
static struct csr *
parse_bytes(const char *body, size_t len, struct err *e)
{
	CLEANUP_FREE char *exact = malloc(len > 0 ? len : 1);

	memcpy(exact, body, len);
	return csr_parse(exact, len, e);
}

static struct csr *
parse(const struct pki_request *request, struct err *e)
{
	CLEANUP_FREE char *pem = pki_csr(request);

	return parse_bytes(pem, strlen(pem), e);
}

static void
check_names(const struct pki_request *request, const char *expected, bool only_in_cn)
{
	struct err e = {0};
	struct csr *csr = parse(request, &e);
	CLEANUP_FREE char *key = NULL;

	if (csr == NULL)
		fail_msg("%s", e.detail);
	key = identifiers_key(&csr->names);
	assert_string_equal(key, expected);
	assert_int_equal(csr->names_only_in_cn, only_in_cn);
	csr_free(csr);
}

static void
check_refused(const struct pki_request *request, const char *says)
{
	struct err e = {0};
	struct csr *csr = parse(request, &e);

	if (csr != NULL)
		fail_msg("accepted, which should have said %s", says);
	assert_int_equal(e.kind, ERR_BAD_CSR);
	if (strstr(e.detail, says) == NULL)
		fail_msg("%s, not: %s", e.detail, says);
}

static void
test_names(void **state)
{
	check_names(
	    &(struct pki_request){.key = ec, .san = "DNS:B.example,DNS:a.example,DNS:b.EXAMPLE"},
	    "dns:a.example,dns:b.example", false);
	check_names(
	    &(struct pki_request){.key = ec, .san = "DNS:a.example", .common_name = "C.example"},
	    "dns:a.example,dns:c.example", false);
	check_names(
	    &(struct pki_request){.key = ec, .san = "DNS:a.example", .common_name = "A.example"},
	    "dns:a.example", false);
	check_names(
	    &(struct pki_request){.key = ec, .common_name = "a.example"}, "dns:a.example", true);
	check_names(
	    &(struct pki_request){.key = ec, .san = "IP:192.0.2.1,IP:2001:db8::1,DNS:*.a.example"},
	    "dns:*.a.example,ip:192.0.2.1,ip:2001:db8::1", false);
	check_names(&(struct pki_request){.key = ec,
			.san = "DNS:*.a.example,DNS:a.example,DNS:x.y.a.example"},
	    "dns:*.a.example,dns:a.example,dns:x.y.a.example", false);
	check_names(&(struct pki_request){.key = ec, .common_name = "*.a.example"},
	    "dns:*.a.example", true);
}

static void
test_keys_and_signatures(void **state)
{
	static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
	EVP_PKEY *ec384 = pki_key("ec384-leading-zero.pem");

	for (size_t i = 0; i < 3; i++) {
		check_names(&(struct pki_request){.key = ec, .san = "DNS:a", .digest = digests[i]},
		    "dns:a", false);
		check_names(&(struct pki_request){.key = rsa, .san = "DNS:a", .digest = digests[i]},
		    "dns:a", false);
		check_names(
		    &(struct pki_request){.key = ec384, .san = "DNS:a", .digest = digests[i]},
		    "dns:a", false);
	}
	EVP_PKEY_free(ec384);
	check_refused(
	    &(struct pki_request){.key = rsa, .san = "DNS:a", .digest = "SHA1"}, "sha1WithRSA");
	check_refused(
	    &(struct pki_request){.key = ec, .san = "DNS:a", .digest = "SHA1"}, "ecdsa-with-SHA1");
	check_refused(
	    &(struct pki_request){.key = rsa, .san = "DNS:a", .digest = "MD5"}, "md5WithRSA");
	check_refused(
	    &(struct pki_request){.key = rsa, .san = "DNS:a", .digest = "SHA224"}, "sha224WithRSA");
}

static void
test_bad_keys(void **state)
{
	static const struct {
		const char *file, *says;
	} rows[] = {{"key-rsa1024.pem", "1024 bits"}, {"key-p521.pem", "secp521r1"},
	    {"key-rsapss.pem", "RSA-PSS"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *key = pki_key(rows[i].file);

		check_refused(&(struct pki_request){.key = key, .san = "DNS:a"}, rows[i].says);
		EVP_PKEY_free(key);
	}
}

static void
test_bad_names(void **state)
{
	static const struct {
		const char *common_name, *san, *says;
	} rows[] = {
	    {NULL, NULL, "names no host"},
	    {"192.0.2.1", NULL, "IP address 192.0.2.1"},
	    {"2001:db8::1", "DNS:a.example", "IP address 2001:db8::1"},
	    {"a.example.", "DNS:a.example", "ends with a dot"},
	    {"My Web Server", "DNS:a.example", "\"My Web Server\" is not a valid DNS name"},
	    {"", "DNS:a.example", "it is empty"},
	    {"a123456789a123456789a123456789a123456789a123456789.example.example", NULL,
		"longer than 64"},
	    {"a.example", "email:root@a.example", "\"root@a.example\" is an e-mail address"},
	    {NULL, "DNS:a.example,URI:https://a.example/", "\"https://a.example/\" is a URI"},
	    {NULL, "DNS:a.example,RID:1.2.3.4", "a registered ID"},
	    {NULL, "DNS:a.example,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:x@y", "an otherName"},
	    {NULL, "DNS:a_b.example", "\"a_b.example\" is not a valid DNS name"},
	    {NULL, "DNS:a.example.", "ends with a dot"},
	    {NULL, "DNS:192.0.2.1", "its last label is a number"},
	    {NULL, "DNS:www.*.example", "not a valid DNS name"},
	    {NULL, "IP:::ffff:192.0.2.1", "192.0.2.1 is written as an IPv6 address"},
	    {NULL, "DNS:*.a.example,DNS:www.A.example", "www.a.example is covered by *.a.example"},
	    {"www.a.example", "DNS:*.a.example", "www.a.example is covered by *.a.example"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_refused(
		    &(struct pki_request){
			.key = ec, .common_name = rows[i].common_name, .san = rows[i].san},
		    rows[i].says);
}

static void
test_many_names(void **state)
{
	CLEANUP_BUF struct buf b;
	struct csr *csr;

	buf_init(&b, 10000);
	for (int i = 0; i < 100; i++)
		buf_addf(&b, "%sDNS:n%d.example", i > 0 ? "," : "", i);
	csr = parse(&(struct pki_request){.key = ec, .san = b.data}, NULL);
	assert_non_null(csr);
	assert_int_equal(csr->names.count, 100);
	csr_free(csr);
	check_refused(
	    &(struct pki_request){.key = ec, .san = b.data, .common_name = "x"}, "more than 100");
	buf_adds(&b, ",DNS:one-too-many");
	check_refused(&(struct pki_request){.key = ec, .san = b.data}, "more than 100");
}

static X509_EXTENSIONS *
raw_san(const char *bytes, size_t len, int times)
{
	X509_EXTENSIONS *list = sk_X509_EXTENSION_new_null();

	while (times-- > 0)
		sk_X509_EXTENSION_push(list, pki_extension(NID_subject_alt_name, bytes, len));
	return list;
}

#define RAW(bytes, times) raw_san(bytes, sizeof(bytes) - 1, times)

static void
test_hostile_extensions(void **state)
{
	struct pki_request r = {.key = ec};

	r.extensions = RAW("\x30\x06\x82\x04"
			   "a\0.b",
	    1);
	check_refused(&r, "\"a?.b\" is not a valid DNS name");
	r.extensions = RAW("\x30\x03\x82\x01"
			   "a",
	    2);
	check_refused(&r, "two subjectAltName extensions");
	r.extensions = RAW("\x30\x03\x82\x01"
			   "a"
			   "\x05\x00",
	    1);
	check_refused(&r, "cannot be read");
	r.extensions = RAW("\x30\x05\x82\x09"
			   "a",
	    1);
	check_refused(&r, "cannot be read");
	r.extensions = RAW("\x30\x05\x87\x03\1\2\3", 1);
	check_refused(&r, "3 bytes instead of 4 or 16");
	r.extensions = RAW("\x30\x02\x82\x00", 1);
	check_refused(&r, "it is empty");
	r.extensions = RAW("\x30\x00", 1);
	check_refused(&r, "names no host");
	r.extensions = RAW("\x30\x05\xa4\x03\x30\x01\x31", 1);
	check_refused(&r, "cannot be read");
	r = (struct pki_request){.key = ec, .san = "DNS:a", .extension_nid = NID_ms_ext_req};
	check_refused(&r, "Microsoft");
	r = (struct pki_request){.key = ec, .san = "DNS:a", .twice = PKI_SECOND_VALUE};
	check_refused(&r, "more than one extensionRequest");
	r.twice = PKI_SECOND_ATTRIBUTE;
	check_refused(&r, "more than one extensionRequest");
}

static void
test_hash_of_the_key(void **state)
{
	CLEANUP_FREE char *pem = pki_read("ec256-pkcs8.pem");
	struct key *key = key_from_pem(pem, strlen(pem), NULL);
	struct csr *csr = parse(&(struct pki_request){.key = ec, .san = "DNS:a"}, NULL);

	assert_memory_equal(csr->spki_sha256, key_spki_sha256(key), 32);
	csr_free(csr);
	csr = parse(&(struct pki_request){.key = rsa, .san = "DNS:a"}, NULL);
	assert_memory_not_equal(csr->spki_sha256, key_spki_sha256(key), 32);
	csr_free(csr);
	key_free(key);
}

static void
test_compressed_point_is_the_same_key(void **state)
{
	EVP_PKEY *compressed = pki_key("ec256-pkcs8.pem");
	struct csr *a, *b;

	assert_int_equal(
	    EVP_PKEY_set_utf8_string_param(compressed, "point-format", "compressed"), 1);
	a = parse(&(struct pki_request){.key = ec, .san = "DNS:a"}, NULL);
	b = parse(&(struct pki_request){.key = compressed, .san = "DNS:a"}, NULL);
	assert_non_null(b);
	assert_true(b->der_len < a->der_len);
	assert_memory_equal(a->spki_sha256, b->spki_sha256, 32);
	csr_free(a);
	csr_free(b);
	EVP_PKEY_free(compressed);
}

static void
check_body(const char *body, size_t len, const char *says)
{
	struct err e = {0};
	struct csr *csr = parse_bytes(body, len, &e);

	if (says == NULL) {
		if (csr == NULL)
			fail_msg("%s", e.detail);
		csr_free(csr);
		return;
	}
	assert_null(csr);
	assert_int_equal(e.kind, ERR_BAD_CSR);
	if (strstr(e.detail, says) == NULL)
		fail_msg("%s, not: %s", e.detail, says);
}

static char *
replaced(const char *text, const char *from, const char *to)
{
	struct buf b;
	const char *at;

	buf_init(&b, 100000);
	while ((at = strstr(text, from)) != NULL) {
		buf_add(&b, text, (size_t)(at - text));
		buf_adds(&b, to);
		text = at + strlen(from);
	}
	buf_adds(&b, text);
	return buf_take(&b, NULL);
}

static void
test_pem(void **state)
{
	CLEANUP_FREE char *pem = pki_csr(&(struct pki_request){.key = ec, .san = "DNS:a.example"});
	CLEANUP_FREE char *crlf = replaced(pem, "\n", "\r\n");
	CLEANUP_FREE char *new = replaced(pem, "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
	CLEANUP_FREE char *around = xasprintf("Certificate Request:\n    Data:\n%s\nbehind", pem);
	CLEANUP_FREE char *twice = xasprintf("%s%s", pem, new);
	CLEANUP_FREE char *bom = xasprintf("\xef\xbb\xbf%s", pem);
	CLEANUP_FREE char *joined = replaced(pem, "\n", "");
	CLEANUP_FREE char *key = pki_read("ec256-pkcs8.pem");
	CLEANUP_FREE char *with_key = xasprintf("%s%s", pem, key);
	CLEANUP_FREE char *cert = replaced(pem, "CERTIFICATE REQUEST", "CERTIFICATE");
	CLEANUP_FREE char *mixed = xasprintf("%s%s", cert, pem);
	CLEANUP_FREE char *damaged = replaced(pem, "-----END", "!!!!\n-----END");
	CLEANUP_FREE char *other_end = replaced(pem, "END CERTIFICATE", "END NEW CERTIFICATE");

	check_body(pem, strlen(pem), NULL);
	check_body(pem, strlen(pem) - 1, NULL);
	check_body(crlf, strlen(crlf), NULL);
	check_body(new, strlen(new), NULL);
	check_body(around, strlen(around), NULL);
	check_body(mixed, strlen(mixed), NULL);
	check_body(twice, strlen(twice), "more than one CSR");
	check_body(joined, strlen(joined), "--data-binary");
	check_body(with_key, strlen(with_key), "private key");
	check_body(key, strlen(key), "consider this one exposed");
	check_body(cert, strlen(cert), "a certificate, not");
	check_body(damaged, strlen(damaged), "damaged");
	check_body(other_end, strlen(other_end), "damaged");
	check_body("", 0, "no body");
	check_body("\xff\xfe-\0-\0", 6, "UTF-16");
	check_body(bom, strlen(bom), NULL);
	check_body("0", 1, "no CERTIFICATE REQUEST block");
	check_body("hello", 5, "no CERTIFICATE REQUEST block");
	check_body("\x30\x82\x01\x02", 4, "DER form");
	for (size_t n = 1; n + 40 < strlen(pem); n += 7)
		check_body(pem, n, "");
}

static char *
with_der(const uint8_t *der, size_t len)
{
	struct buf b;
	char line[128];

	buf_init(&b, 100000);
	buf_adds(&b, "-----BEGIN CERTIFICATE REQUEST-----\n");
	for (size_t i = 0; i < len; i += 48) {
		EVP_EncodeBlock((unsigned char *)line, der + i, (int)(len - i < 48 ? len - i : 48));
		buf_addf(&b, "%s\n", line);
	}
	buf_adds(&b, "-----END CERTIFICATE REQUEST-----\n");
	return buf_take(&b, NULL);
}

static void
test_der(void **state)
{
	struct csr *csr = parse(&(struct pki_request){.key = ec, .san = "DNS:a.example"}, NULL);
	CLEANUP_FREE uint8_t *der = xmemdup(csr->der, csr->der_len);
	CLEANUP_FREE char *trailing = with_der(der, csr->der_len + 1);
	CLEANUP_FREE char *cut = with_der(der, csr->der_len - 1);
	CLEANUP_FREE char *forged = NULL, *unsigned_name = NULL;
	uint8_t *name;

	check_body(trailing, strlen(trailing), "1 bytes behind the CSR");
	check_body(cut, strlen(cut), "cannot be decoded");
	der[csr->der_len - 1] ^= 1;
	forged = with_der(der, csr->der_len);
	check_body(forged, strlen(forged), "signature");
	der[csr->der_len - 1] ^= 1;
	name = memmem(der, csr->der_len, "a.example", 9);
	name[0] = 'b';
	unsigned_name = with_der(der, csr->der_len);
	check_body(unsigned_name, strlen(unsigned_name), "signature");
	csr_free(csr);
	csr_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_keys_and_signatures),
	    cmocka_unit_test(test_bad_keys),
	    cmocka_unit_test(test_bad_names),
	    cmocka_unit_test(test_many_names),
	    cmocka_unit_test(test_hostile_extensions),
	    cmocka_unit_test(test_hash_of_the_key),
	    cmocka_unit_test(test_compressed_point_is_the_same_key),
	    cmocka_unit_test(test_pem),
	    cmocka_unit_test(test_der),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
