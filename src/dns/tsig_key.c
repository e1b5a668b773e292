/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/tsig_key.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/file.h"
#include "dns/ldns.h"

static const struct algorithm {
	const char *name;
	enum digest_kind kind;
} algorithms[] = {
    {"hmac-sha1", DIGEST_SHA1},
    {"hmac-sha224", DIGEST_SHA224},
    {"hmac-sha256", DIGEST_SHA256},
    {"hmac-sha384", DIGEST_SHA384},
    {"hmac-sha512", DIGEST_SHA512},
};

const char *
tsig_algorithm_name(enum digest_kind algorithm)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].kind == algorithm)
			return algorithms[i].name;
	return "?";
}

static enum digest_kind
algorithm_parse(const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (strlen(algorithms[i].name) == len &&
		    strncasecmp(algorithms[i].name, name, len) == 0)
			return algorithms[i].kind;
	return DIGEST_NONE;
}

/* Strict: whole groups of four, padding only at the end. */
static bool
secret_decode(const char *text, struct tsig_key *key)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text);
	size_t padding = 0;
	ldns_rdf *rdf = NULL;

	if (len == 0 || len % 4 != 0 || len / 4 * 3 > TSIG_SECRET_MAX)
		return false;
	while (padding < 2 && text[len - 1 - padding] == '=')
		padding++;
	if (strspn(text, alphabet) != len - padding ||
	    ldns_str2rdf_b64(&rdf, text) != LDNS_STATUS_OK)
		return false;
	key->secret_len = ldns_rdf_size(rdf);
	memcpy(key->secret, ldns_rdf_data(rdf), key->secret_len);
	explicit_bzero(ldns_rdf_data(rdf), key->secret_len);
	ldns_rdf_deep_free(rdf);
	return key->secret_len > 0;
}

bool
tsig_key_set(const char *name, const char *algorithm, const uint8_t *secret, size_t len,
    struct tsig_key *ret, struct err *e)
{
	struct tsig_key key = {.algorithm = algorithm_parse(algorithm), .secret_len = len};

	if (!dns_name_parse(name, key.name))
		return err_set(e, ERR_CONFIG, "\"%.100s\" is not a key name", name);
	if (key.algorithm == DIGEST_NONE)
		return err_set(e, ERR_CONFIG,
		    "key %.255s: algorithm \"%.100s\" is not supported; hmac-sha256 is, and "
		    "hmac-sha1, -sha224, -sha384, -sha512",
		    key.name, algorithm);
	if (len == 0 || len > sizeof(key.secret))
		return err_set(e, ERR_CONFIG, "key %.255s: a secret of %zu octets", key.name, len);
	memcpy(key.secret, secret, len);
	*ret = key;
	explicit_bzero(&key, sizeof(key));
	return true;
}

bool
tsig_key_make(const char *name, const char *algorithm, const char *secret, struct tsig_key *ret,
    struct err *e)
{
	struct tsig_key key = {0};

	if (!secret_decode(secret, &key))
		return err_set(e, ERR_CONFIG, "key %.255s: the secret is not base64", name);
	bool ok = tsig_key_set(name, algorithm, key.secret, key.secret_len, ret, e);
	explicit_bzero(&key, sizeof(key));
	return ok;
}

void
tsig_key_done(struct tsig_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

bool
tsig_key_load(const char *path, struct tsig_key *ret, struct err *e)
{
	struct buf text;

	buf_init(&text, TSIG_KEY_FILE_MAX);
	bool ok = file_read(path, &text, e);
	if (ok && !tsig_key_parse(text.data != NULL ? text.data : "", text.len, ret, e))
		ok = err_prefix(e, "%s", path);
	if (text.data != NULL)
		explicit_bzero(text.data, text.size);
	buf_done(&text);
	return ok;
}
