/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A CSR and the header that came with it, against a policy. The first octet says from where and
 * whether the header is right (no fuzzer guesses an HMAC), then comes a line with the header, then
 * the CSR. One that is signed wrongly is signed anew, and is looked at again.
 */
#include "fuzz.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "codec/csr.h"
#include "codec/key.h"
#include "issue/policy.h"
#include "wrap.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { RANGES = 3, KEYS = 3, FROM_ADDRESS = 0x03, RIGHT = 0x0c };

static struct ip_range ranges[RANGES];
static char secret[] = "secret", other[] = "another";
static struct auth_key keys[KEYS] = {{secret, 6}, {other, 7}, {secret, 0}};
static char exact[] = "www.example.org", suffix[] = "*.example.org", any[] = "*";
static char glob[] = "[a-w]?w.*", network[] = "192.0.2.0/24", network6[] = "2001:db8::/32";
static char *few[] = {exact, network}, *some[] = {suffix, glob, network6}, *all[] = {any};
static char names[][2] = {"a", "b", "c", "d", "e", "f"};

static const struct auth_block blocks[] = {
    {.name = names[0], .all = true, .domains = few, .domain_count = COUNT(few)},
    {.name = names[1],
	.ranges = ranges,
	.range_count = 2,
	.domains = some,
	.domain_count = COUNT(some)},
    {.name = names[2],
	.hmac = DIGEST_SHA256,
	.keys = keys,
	.key_count = 2,
	.domains = some,
	.domain_count = COUNT(some)},
    {.name = names[3],
	.ranges = ranges + 2,
	.range_count = 1,
	.hmac = DIGEST_SHA256,
	.keys = keys + 1,
	.key_count = 2,
	.domains = all,
	.domain_count = COUNT(all)},
    {.name = names[4], .hmac = DIGEST_SHA1, .keys = keys, .key_count = KEYS, .domains = few},
    {.name = names[5], .domains = all, .domain_count = COUNT(all)},
};

static struct policy *policy;
static struct key *key;

static void
start(void)
{
	must(ip_range_parse("192.0.2.0/24", &ranges[0], NULL));
	must(ip_range_parse("2001:db8::1-2001:db8::7", &ranges[1], NULL));
	must(ip_range_parse("198.51.100.7", &ranges[2], NULL));
	policy = policy_new(blocks, COUNT(blocks));
	key = key_generate(KEY_EC256, NULL);
	must(key != NULL);
}

/* ---- who asks ---- */

static struct client_identity
identity(uint8_t how)
{
	static const char *const from[] = {"unix", "192.0.2.7", "2001:db8::7", "198.51.100.7"};
	struct client_identity who = {.text = from[how & FROM_ADDRESS]};

	who.has_addr = ip_addr_parse(who.text, strlen(who.text), &who.addr);
	return who;
}

/* As the input says, or over this body with one of the keys. */
static bool
header(uint8_t how, const char *line, size_t len, const char *body, size_t body_len,
    struct authentication *ret)
{
	unsigned choice = (how & RIGHT) >> 2;
	const struct auth_key *k = &keys[choice % KEYS];

	if (choice == 0)
		return authentication_parse(line, len, ret, NULL);
	ret->kind = how & 0x10 ? DIGEST_SHA1 : DIGEST_SHA256;
	must(digest_hmac(ret->kind, k->bytes, k->len, body, body_len, ret->hash) > 0);
	return true;
}

/* ---- the verdict, checked in another way ---- */

static bool
domain_covers(const char *domain, const struct identifier *id)
{
	struct ip_range range;

	if (id->kind == IDENTIFIER_DNS)
		return fnmatch(domain, id->value, 0) == 0;
	return ip_range_parse(domain, &range, NULL) && ip_range_contains(&range, &id->ip);
}

static bool
block_covers(const struct auth_block *b, const struct identifiers *set)
{
	for (size_t i = 0; i < set->count; i++) {
		bool covered = false;

		for (size_t j = 0; j < b->domain_count; j++)
			covered = covered || domain_covers(b->domains[j], &set->items[i]);
		if (!covered)
			return false;
	}
	return set->count > 0;
}

static bool
block_knows(const struct auth_block *b, const struct client_identity *who,
    const struct authentication *auth)
{
	bool inside = b->range_count == 0;

	if (!b->all && b->range_count == 0 && b->hmac == DIGEST_NONE)
		return false;
	for (size_t i = 0; who->has_addr && i < b->range_count; i++)
		inside = inside || ip_range_contains(&b->ranges[i], &who->addr);
	return inside && (b->hmac == DIGEST_NONE || (auth != NULL && auth->kind == b->hmac));
}

static bool
hmac_is_right(const struct auth_block *b, const struct authentication *auth, const char *body,
    size_t len, size_t *ret_key)
{
	uint8_t sum[DIGEST_MAX];

	*ret_key = 0;
	if (b->hmac == DIGEST_NONE)
		return true;
	for (size_t i = 0; i < b->key_count; i++) {
		size_t n = digest_hmac(b->hmac, b->keys[i].bytes, b->keys[i].len, body, len, sum);
		if (memcmp(sum, auth->hash, n) == 0) {
			*ret_key = i + 1;
			return true;
		}
	}
	return false;
}

static void
judge(uint8_t how, const char *line, size_t line_len, const char *body, size_t len,
    const struct identifiers *set)
{
	struct client_identity who = identity(how);
	struct authentication read,
	    *auth = header(how, line, line_len, body, len, &read) ? &read : NULL;
	const struct auth_block *found = NULL, *wanted = NULL;
	size_t used = 0, wanted_key = 0;
	struct err e;

	for (size_t i = 0; wanted == NULL && i < COUNT(blocks); i++)
		if (block_knows(&blocks[i], &who, auth) && block_covers(&blocks[i], set) &&
		    hmac_is_right(&blocks[i], auth, body, len, &wanted_key))
			wanted = &blocks[i];
	bool admitted =
	    policy_admit(policy, POLICY_SIGN, &who, auth, body, len, set, &found, &used, &e);
	must(admitted == (wanted != NULL));
	if (admitted)
		must(strcmp(found->name, wanted->name) == 0 && used == wanted_key &&
		    policy_possible(policy, POLICY_SIGN, &who, auth, NULL));
	else
		must(e.kind == ERR_FORBIDDEN && e.detail[0] != '\0');
}

/* ---- the CSR ---- */

/* The same request for our key; NULL if it is none. */
static char *
sign_anew(const uint8_t *data, size_t size, size_t *ret_len)
{
	const unsigned char *p = data;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)size);
	unsigned char *der = NULL;
	char *pem = NULL;
	int len = -1;

	if (req != NULL && X509_REQ_set_pubkey(req, key_evp(key)) &&
	    X509_REQ_sign(req, key_evp(key), EVP_sha256()) > 0)
		len = i2d_X509_REQ(req, &der);
	if (len > 0)
		pem = wrap_der("CERTIFICATE REQUEST", der, (size_t)len, ret_len);
	OPENSSL_free(der);
	X509_REQ_free(req);
	return pem;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size < 2 ? NULL : memchr(data + 1, '\n', size - 1);
	const char *line = (const char *)data + 1;
	size_t len;

	if (policy == NULL)
		start();
	if (end == NULL)
		return 0;
	size_t rest = size - (size_t)(end + 1 - data);
	char *pem = wrap_der("CERTIFICATE REQUEST", end + 1, rest, &len);
	struct csr *csr = csr_parse(pem, len, NULL);
	if (csr == NULL && rest > 0 && end[1] == 0x30) {
		free(pem);
		pem = sign_anew(end + 1, rest, &len);
		csr = pem == NULL ? NULL : csr_parse(pem, len, NULL);
	}
	if (csr != NULL)
		judge(data[0], line, (size_t)((const char *)end - line), pem, len, &csr->names);
	csr_free(csr);
	free(pem);
	return 0;
}
