/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/ecdsa.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/b64url.h"
#include "codec/digest.h"
#include "codec/json.h"
#include "codec/jws.h"
#include "pki.h"

#define PAYLOAD                                                                                    \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
	"cnVlfQ"

static struct key *
load(const char *file)
{
	CLEANUP_FREE char *pem = pki_read(file);
	struct key *k = key_from_pem(pem, strlen(pem), NULL);

	assert_non_null(k);
	return k;
}

static char *
decoded(const char *text)
{
	uint8_t *data = NULL;
	size_t len;

	assert_non_null(text);
	assert_true(b64url_decode(text, strlen(text), &data, &len));
	return (char *)data;
}

/* r || s back to DER. */
static unsigned char *
to_der(const uint8_t *flat, size_t len, size_t *ret_len)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	unsigned char *der = NULL;
	int half = (int)len / 2;

	assert_true(
	    ECDSA_SIG_set0(sig, BN_bin2bn(flat, half, NULL), BN_bin2bn(flat + half, half, NULL)));
	*ret_len = (size_t)i2d_ECDSA_SIG(sig, &der);
	ECDSA_SIG_free(sig);
	return der;
}

/* Whether libcrypto accepts the signature of a JWS; size: that of an EC signature, 0 for RSA. */
static bool
verify(const struct key *k, const EVP_MD *md, const char *input, const char *signature, size_t size)
{
	CLEANUP_FREE uint8_t *sig = NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *der = NULL;
	size_t len;
	bool good;

	assert_true(b64url_decode(signature, strlen(signature), &sig, &len));
	if (size > 0) {
		assert_int_equal(len, size);
		der = to_der(sig, len, &len);
	}
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, md, NULL, key_evp(k)), 1);
	good = EVP_DigestVerify(ctx, der != NULL ? der : sig, len, (const unsigned char *)input,
		   strlen(input)) == 1;
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	return good;
}

/* RFC 7515 A.2: RSA signatures are always the same. */
static void
test_rs256_vector(void **state)
{
	struct key *k = load("rfc7515-a2.pem");
	CLEANUP_FREE char *signature = jws_signature(k, "eyJhbGciOiJSUzI1NiJ9." PAYLOAD, NULL);

	assert_string_equal(signature,
	    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
	    "O8W2Fp5juj"
	    "Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_"
	    "nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7"
	    "K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"
	    "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np"
	    "6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
	key_free(k);
}

/* RFC 7515 A.3: the RFC's signature verifies, and so do ours, which differ each time. */
static void
test_es256_vector(void **state)
{
	static const char input[] = "eyJhbGciOiJFUzI1NiJ9." PAYLOAD;
	struct key *k = load("rfc7515-a3.pem");

	assert_true(verify(k, EVP_sha256(), input,
	    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
	    "Kg6NU1Q",
	    64));
	/* One in 128 has a short r or s. */
	for (int i = 0; i < 600; i++) {
		CLEANUP_FREE char *signature = jws_signature(k, input, NULL);

		assert_int_equal(strlen(signature), 86);
		if (i < 20)
			assert_true(verify(k, EVP_sha256(), input, signature, 64));
	}
	key_free(k);
}

static void
check_jws(const char *file, const char *alg, const EVP_MD *md, size_t size)
{
	struct key *k = load(file);
	CLEANUP_FREE char *text = jws_sign(k, NULL, "nonce-1", "https://ca/new", "{\"a\":1}", NULL);
	struct json *jws = json_parse(text, strlen(text), NULL), *header;
	CLEANUP_FREE char *protected = decoded(json_string(jws, "protected"));
	CLEANUP_FREE char *payload = decoded(json_string(jws, "payload"));
	CLEANUP_FREE char *input =
	    xasprintf("%s.%s", json_string(jws, "protected"), json_string(jws, "payload"));
	CLEANUP_FREE char *expected = json_text(key_jwk(k), 0);
	CLEANUP_FREE char *jwk = NULL;

	assert_string_equal(payload, "{\"a\":1}");
	header = json_parse(protected, strlen(protected), NULL);
	assert_string_equal(json_string(header, "alg"), alg);
	assert_string_equal(json_string(header, "nonce"), "nonce-1");
	assert_string_equal(json_string(header, "url"), "https://ca/new");
	assert_null(json_member(header, "kid"));
	jwk = json_text(json_member(header, "jwk"), 0);
	assert_string_equal(jwk, expected);
	assert_true(verify(k, md, input, json_string(jws, "signature"), size));
	json_free(header);
	json_free(jws);
	key_free(k);
}

static void
test_algorithm_follows_the_key(void **state)
{
	check_jws("rfc7515-a3.pem", "ES256", EVP_sha256(), 64);
	check_jws("ec256-leading-zero.pem", "ES256", EVP_sha256(), 64);
	check_jws("ec384-leading-zero.pem", "ES384", EVP_sha384(), 96);
	check_jws("rfc7515-a2.pem", "RS256", EVP_sha256(), 0);
}

/* RFC 8555 6.2, 6.3, 7.3.5 */
static void
test_header_members(void **state)
{
	struct key *k = load("rfc7515-a3.pem");
	CLEANUP_FREE char *with_kid =
	    jws_sign(k, "https://ca/a\"/1", "n", "https://ca/o", NULL, NULL);
	CLEANUP_FREE char *inner = jws_sign(k, NULL, NULL, "https://ca/k", "{}", NULL);
	struct json *jws = json_parse(with_kid, strlen(with_kid), NULL);
	struct json *jws2 = json_parse(inner, strlen(inner), NULL);
	CLEANUP_FREE char *header = decoded(json_string(jws, "protected"));
	CLEANUP_FREE char *header2 = decoded(json_string(jws2, "protected"));

	assert_string_equal(header,
	    "{\"alg\":\"ES256\",\"kid\":\"https://ca/a\\\"/1\",\"nonce\":\"n\",\"url\":\"https://"
	    "ca/o\"}");
	assert_string_equal(json_string(jws, "payload"), "");
	assert_null(strstr(header2, "nonce"));
	assert_non_null(strstr(header2, "\"jwk\":{\"crv\""));
	assert_string_equal(json_string(jws2, "payload"), "e30");
	json_free(jws);
	json_free(jws2);
	key_free(k);
}

/* RFC 8555 7.3.4 */
static void
test_external_binding(void **state)
{
	struct key *k = load("rfc7515-a3.pem");
	struct json *eab =
	    jws_external_binding(k, "kid-1", "secret", 6, "https://ca/new-acct", NULL);
	CLEANUP_FREE char *header = decoded(json_string(eab, "protected"));
	CLEANUP_FREE char *payload = decoded(json_string(eab, "payload"));
	CLEANUP_FREE char *jwk = json_text(key_jwk(k), 0);
	CLEANUP_FREE char *input =
	    xasprintf("%s.%s", json_string(eab, "protected"), json_string(eab, "payload"));
	CLEANUP_FREE char *expected = NULL;
	uint8_t mac[DIGEST_MAX];

	assert_string_equal(
	    header, "{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"https://ca/new-acct\"}");
	assert_string_equal(payload, jwk);
	assert_int_equal(digest_hmac(DIGEST_SHA256, "secret", 6, input, strlen(input), mac), 32);
	expected = b64url_encode(mac, 32);
	assert_string_equal(json_string(eab, "signature"), expected);
	json_free(eab);
	key_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rs256_vector),
	    cmocka_unit_test(test_es256_vector),
	    cmocka_unit_test(test_algorithm_follows_the_key),
	    cmocka_unit_test(test_header_members),
	    cmocka_unit_test(test_external_binding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
