/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/key.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/b64url.h"
#include "codec/digest.h"
#include "codec/openssl.h"
#include "codec/text.h"

enum { RSA_BITS_MIN = 2048 };

struct key {
	EVP_PKEY *pkey;
	struct json *jwk;
	char *thumbprint;
	uint8_t spki_sha256[32];
};

static const struct {
	const char *name;
	const char *curve; /* NULL: RSA */
	size_t bits;
} types[] = {
    [KEY_EC256] = {"ec256", "P-256", 256},
    [KEY_EC384] = {"ec384", "P-384", 384},
    [KEY_RSA2048] = {"rsa2048", NULL, 2048},
    [KEY_RSA3072] = {"rsa3072", NULL, 3072},
    [KEY_RSA4096] = {"rsa4096", NULL, 4096},
};
static_assert(sizeof(types) / sizeof(types[0]) == KEY_TYPE_COUNT, "a row for every type");

bool
key_type_parse(const char *name, enum key_type *ret)
{
	for (int i = 0; i < KEY_TYPE_COUNT; i++)
		if (text_equal_nocase(name, strlen(name), types[i].name)) {
			*ret = (enum key_type)i;
			return true;
		}
	return false;
}

const char *
key_type_name(enum key_type type)
{
	return types[type].name;
}

/* A number of the public key as base64url; with size > 0 at that length, leading zeros kept. */
static bool
set_number(struct json *jwk, const char *name, const EVP_PKEY *pkey, const char *param, int size)
{
	BIGNUM *bn = NULL;
	uint8_t *bytes = NULL;
	char *text;
	bool done;

	if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1)
		return false;
	if (size == 0)
		size = BN_num_bytes(bn);
	bytes = xmalloc((size_t)size);
	done = BN_bn2binpad(bn, bytes, size) == size;
	if (done) {
		text = b64url_encode(bytes, (size_t)size);
		json_set_string(jwk, name, text);
		free(text);
	}
	free(bytes);
	BN_free(bn);
	return done;
}

/* Members in the order RFC 7638 hashes them. */
static bool
set_ec(struct json *jwk, const EVP_PKEY *pkey, struct err *e)
{
	int bits = EVP_PKEY_get_bits(pkey), size = (bits + 7) / 8;
	char group[64] = "";

	EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
	if (strcmp(group, "prime256v1") != 0 && strcmp(group, "secp384r1") != 0)
		return err_set(e, ERR_CONFIG,
		    "its curve %s cannot be used: use P-256 or P-384, or RSA", group);
	json_set_string(jwk, "crv", bits == 256 ? "P-256" : "P-384");
	json_set_string(jwk, "kty", "EC");
	if (!set_number(jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, size) ||
	    !set_number(jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, size))
		return openssl_error(e, ERR_CONFIG, "its coordinates cannot be read");
	return true;
}

static bool
set_rsa(struct json *jwk, const EVP_PKEY *pkey, struct err *e)
{
	int bits = EVP_PKEY_get_bits(pkey);

	if (bits < RSA_BITS_MIN)
		return err_set(
		    e, ERR_CONFIG, "its %d bits are too few: RSA keys need %d", bits, RSA_BITS_MIN);
	if (!set_number(jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0))
		return openssl_error(e, ERR_CONFIG, "its exponent cannot be read");
	json_set_string(jwk, "kty", "RSA");
	if (!set_number(jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0))
		return openssl_error(e, ERR_CONFIG, "its modulus cannot be read");
	return true;
}

static bool
describe(struct key *k, struct err *e)
{
	int id = EVP_PKEY_get_base_id(k->pkey);
	uint8_t hash[32];
	char *text;

	ERR_clear_error();
	k->jwk = json_new_object();
	if (id != EVP_PKEY_EC && id != EVP_PKEY_RSA)
		return err_set(e, ERR_CONFIG, "a key of type %s cannot be used: use EC or RSA",
		    EVP_PKEY_get0_type_name(k->pkey));
	if (id == EVP_PKEY_EC ? !set_ec(k->jwk, k->pkey, e) : !set_rsa(k->jwk, k->pkey, e))
		return false;
	if (!openssl_spki_sha256(k->pkey, k->spki_sha256))
		return openssl_error(e, ERR_CONFIG, "its public half cannot be written");
	text = json_text(k->jwk, 0);
	digest_sha256(text, strlen(text), hash);
	free(text);
	k->thumbprint = b64url_encode(hash, sizeof(hash));
	return true;
}

/* Takes pkey over. */
static struct key *
from_pkey(EVP_PKEY *pkey, struct err *e)
{
	struct key *k = xcalloc(1, sizeof(*k));

	k->pkey = pkey;
	if (!describe(k, e)) {
		key_free(k);
		return NULL;
	}
	return k;
}

struct key *
key_generate(enum key_type type, struct err *e)
{
	EVP_PKEY *pkey;

	ERR_clear_error();
	if (types[type].curve != NULL)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", types[type].curve);
	else
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", types[type].bits);
	if (pkey == NULL) {
		openssl_error(e, ERR_INTERNAL, "a key of type %s cannot be made", types[type].name);
		return NULL;
	}
	return from_pkey(pkey, e);
}

/* Whoever is asked for a passphrase has found an encrypted key. */
static int
note_encrypted(char *buf, int size, int rwflag, void *arg)
{
	*(bool *)arg = true;
	return -1;
}

struct key *
key_from_pem(const char *pem, size_t len, struct err *e)
{
	bool encrypted = false;
	EVP_PKEY *pkey;
	BIO *bio;

	if (len > INT_MAX) {
		err_set(e, ERR_CONFIG, "too large for a key");
		return NULL;
	}
	ERR_clear_error();
	bio = BIO_new_mem_buf(pem, (int)len);
	pkey = PEM_read_bio_PrivateKey(bio, NULL, note_encrypted, &encrypted);
	BIO_free(bio);
	if (pkey != NULL)
		return from_pkey(pkey, e);
	if (encrypted) {
		err_set(e, ERR_CONFIG,
		    "the key is encrypted, and there is nobody to type its passphrase: "
		    "decrypt it with openssl pkey");
		ERR_clear_error();
	} else {
		openssl_error(e, ERR_CONFIG, "not a private key in PEM form");
	}
	return NULL;
}

void
key_free(struct key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	json_free(k->jwk);
	free(k->thumbprint);
	free(k);
}

char *
key_to_pem(const struct key *k)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	/* A key that has been loaded or made can be written, or memory is exhausted. */
	if (bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	len = BIO_get_mem_data(bio, &data);
	text = xstrndup(data, (size_t)len);
	/* Freeing the BIO overwrites what it held. */
	BIO_free(bio);
	return text;
}

const char *
key_thumbprint(const struct key *k)
{
	return k->thumbprint;
}

const struct json *
key_jwk(const struct key *k)
{
	return k->jwk;
}

const uint8_t *
key_spki_sha256(const struct key *k)
{
	return k->spki_sha256;
}

char *
key_authorization(const struct key *k, const char *token)
{
	return xasprintf("%s.%s", token, k->thumbprint);
}

struct evp_pkey_st *
key_evp(const struct key *k)
{
	return k->pkey;
}
