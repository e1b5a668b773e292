/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/tls.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/openssl.h"

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
certificate_count(X509_STORE *store)
{
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

static bool
load_file(X509_STORE *store, const char *path, struct err *e)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return err_errno(
		    e, ERR_CONFIG, errno, "cannot read the CA certificates in %s", path);
	fclose(f);
	ERR_clear_error();
	if (X509_STORE_load_file(store, path) != 1)
		return openssl_error(e, ERR_CONFIG, "cannot use the CA certificates in %s", path);
	return true;
}

/* Every file in it, hashed names or not: OpenSSL itself looks at hashed names only. */
static bool
load_directory(X509_STORE *store, const char *path, struct err *e)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (dir == NULL)
		return err_errno(
		    e, ERR_CONFIG, errno, "cannot read the CA certificates in %s", path);
	while ((entry = readdir(dir)) != NULL) {
		CLEANUP_FREE char *file = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.' && !is_directory(file))
			X509_STORE_load_file(store, file); /* what is no certificate is skipped */
	}
	closedir(dir);
	ERR_clear_error();
	return true;
}

/* The environment variables of the original and of curl. *ret_option: what to set to mend it. */
static const char *
trust_from_environment(const char **ret_option)
{
	static const char *const names[] = {"ACME_CAFILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"};
	const char *value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = getenv(names[i]);
		if (value != NULL && value[0] != '\0') {
			*ret_option = names[i];
			return value;
		}
	}
	return NULL;
}

static bool
load_trust(SSL_CTX *ctx, const char *path, const char *option, struct err *e)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	bool loaded =
	    is_directory(path) ? load_directory(store, path, e) : load_file(store, path, e);

	if (loaded && certificate_count(store) == 0)
		loaded = err_set(e, ERR_CONFIG, "there is no certificate in %s", path);
	return loaded || err_prefix(e, "%s", option);
}

/* Not loaded before they are needed, so look whether there is anything. */
static bool
system_has_certificates(SSL_CTX *ctx)
{
	const char *path = getenv(X509_get_default_cert_dir_env());
	const struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (certificate_count(SSL_CTX_get_cert_store(ctx)) > 0)
		return true;
	dir = opendir(path != NULL ? path : X509_get_default_cert_dir());
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = strstr(entry->d_name, ".0") != NULL;
	closedir(dir);
	return found;
}

static bool
load_system_trust(SSL_CTX *ctx, struct err *e)
{
	ERR_clear_error();
	if (SSL_CTX_set_default_verify_paths(ctx) != 1)
		return openssl_error(e, ERR_CONFIG, "cannot use the system's CA certificates");
	if (system_has_certificates(ctx))
		return true;
	return err_set(e, ERR_CONFIG,
	    "this system has no CA certificates: install the package ca-certificates, or set "
	    "ca-file"
	    " in [account]");
}

static SSL_CTX *
context_new(struct err *e)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		openssl_error(e, ERR_INTERNAL, "cannot make a TLS context");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	/* Sessions are kept per origin, by the client. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	return ctx;
}

struct ssl_ctx_st *
tls_client_context(const char *trust, struct err *e)
{
	SSL_CTX *ctx = context_new(e);
	const char *option = "ca-file";
	bool loaded;

	if (ctx == NULL)
		return NULL;
	if (trust == NULL)
		trust = trust_from_environment(&option);
	loaded = trust != NULL ? load_trust(ctx, trust, option, e) : load_system_trust(ctx, e);
	if (!loaded) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

void
tls_context_free(struct ssl_ctx_st *ctx)
{
	SSL_CTX_free(ctx);
}
