/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/server_tls.h"

#include <event2/bufferevent_ssl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "codec/key.h"
#include "codec/openssl.h"
#include "http/server_connection.h"

/* ---- the context ---- */

static bool
use_certificate(SSL_CTX *ctx, X509 *cert, int position)
{
	return position == 0 ? SSL_CTX_use_certificate(ctx, cert) == 1
			     : SSL_CTX_add1_chain_cert(ctx, cert) == 1;
}

/* False too if there is none. */
static bool
use_chain(SSL_CTX *ctx, const char *chain, size_t len)
{
	BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(chain, (int)len) : NULL;
	X509 *cert;
	bool ok = bio != NULL;
	int n = 0;

	while (ok && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = use_certificate(ctx, cert, n++);
		X509_free(cert);
	}
	BIO_free(bio);
	return ok && n > 0;
}

static bool
context_fill(SSL_CTX *ctx, const char *chain, size_t len, const struct key *key, struct err *e)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return openssl_error(e, ERR_CONFIG, "TLS 1.2 cannot be had");
	if (!use_chain(ctx, chain, len))
		return openssl_error(e, ERR_CONFIG, "the certificate cannot be served");
	ERR_clear_error();
	if (SSL_CTX_use_PrivateKey(ctx, key_evp(key)) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return openssl_error(e, ERR_CONFIG, "the key is not that of the certificate");
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return true;
}

struct ssl_ctx_st *
tls_server_context(const char *chain, size_t len, const struct key *key, struct err *e)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL) {
		openssl_error(e, ERR_INTERNAL, "cannot make a TLS context");
	} else if (!context_fill(ctx, chain, len, key, e)) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* ---- a connection ---- */

/* Nothing less than TLS is ever returned: without a bufferevent of ours evhttp would go on in plain
 * text. */
struct bufferevent *
connection_tls_bufferevent(struct event_base *base, struct ssl_ctx_st *ctx)
{
	struct bufferevent *bev;
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(ctx);
	if (ssl == NULL)
		abort();
	/* The option is what frees the SSL object; the descriptor is closed with it. */
	bev = bufferevent_openssl_socket_new(
	    base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL)
		abort();
	return bev;
}

/* Ends TLS in due form, so that the peer can tell the end from a cut. */
void
connection_tls_goodbye(struct bufferevent *bev)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bev);

	if (ssl != NULL)
		SSL_shutdown(ssl);
	ERR_clear_error();
}
