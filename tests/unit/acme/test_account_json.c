/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keyChange as RFC 8555 7.3.5 shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acme/account_json.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/b64url.h"
#include "codec/json.h"
#include "codec/jws.h"
#include "codec/key.h"

static const char ACCOUNT[] = "https://ca.test/acct/evOfKhNU60wg";
static const char URL[] = "https://ca.test/acme/key-change";

static struct json *
decoded(const struct json *jws, const char *member)
{
	const char *text = json_string(jws, member);
	CLEANUP_FREE uint8_t *data = NULL;
	struct json *value;
	size_t len;

	assert_non_null(text);
	assert_true(b64url_decode(text, strlen(text), &data, &len));
	value = json_parse((const char *)data, len, NULL);
	assert_non_null(value);
	return value;
}

static bool
count(const char *key, const struct json *value, void *arg)
{
	++*(unsigned *)arg;
	return true;
}

static unsigned
members(const struct json *object)
{
	unsigned n = 0;

	json_each(object, count, &n);
	return n;
}

static void
assert_same(const struct json *a, const struct json *b)
{
	CLEANUP_FREE char *one = json_text(a, 0);
	CLEANUP_FREE char *two = json_text(b, 0);

	assert_string_equal(one, two);
}

static void
assert_inner(enum key_type old_type, enum key_type new_type, const char *alg)
{
	struct key *old = key_generate(old_type, NULL), *new = key_generate(new_type, NULL);
	CLEANUP_FREE char *text = account_key_change_payload(old, new, ACCOUNT, URL, NULL);
	struct json *jws = json_parse(text, strlen(text), NULL);
	struct json *header = decoded(jws, "protected"), *payload = decoded(jws, "payload");

	assert_int_equal(members(jws), 3);
	/* No nonce, no kid: the new key speaks for itself. */
	assert_int_equal(members(header), 3);
	assert_string_equal(json_string(header, "alg"), alg);
	assert_string_equal(json_string(header, "url"), URL);
	assert_same(json_member(header, "jwk"), key_jwk(new));
	assert_int_equal(members(payload), 2);
	assert_string_equal(json_string(payload, "account"), ACCOUNT);
	assert_same(json_member(payload, "oldKey"), key_jwk(old));
	if (new_type == KEY_RSA2048) {
		CLEANUP_FREE char *input =
		    xasprintf("%s.%s", json_string(jws, "protected"), json_string(jws, "payload"));
		CLEANUP_FREE char *signature = jws_signature(new, input, NULL);

		assert_string_equal(json_string(jws, "signature"), signature);
	}
	json_free(header);
	json_free(payload);
	json_free(jws);
	key_free(old);
	key_free(new);
}

static void
key_change(void **state)
{
	assert_inner(KEY_EC256, KEY_EC384, "ES384");
	assert_inner(KEY_RSA2048, KEY_EC256, "ES256");
	assert_inner(KEY_EC256, KEY_RSA2048, "RS256");
}

static void
small_ones(void **state)
{
	CLEANUP_FREE char *deactivate = account_deactivate_payload();
	CLEANUP_FREE char *agree = account_agree_payload();
	CLEANUP_FREE char *none = account_contacts_payload(NULL, 0);

	assert_string_equal(deactivate, "{\"status\":\"deactivated\"}");
	assert_string_equal(agree, "{\"termsOfServiceAgreed\":true}");
	assert_string_equal(none, "{\"contact\":[]}");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_change),
	    cmocka_unit_test(small_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
