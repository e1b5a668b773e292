/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS of a connection: whom the certificate must name, sessions to resume, reasons of failure. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/client_private.h"

static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct client_connection *conn = SSL_get_app_data(ssl);

	if (conn == NULL)
		return 0;
	SSL_SESSION_free(conn->origin->session);
	conn->origin->session = session;
	return 1;
}

void
client_tls_forget_session(struct client_origin *o)
{
	SSL_SESSION_free(o->session);
	o->session = NULL;
}

void
client_tls_keep_sessions(struct ssl_ctx_st *tls)
{
	SSL_CTX_sess_set_new_cb(tls, keep_session);
}

/* The name or address the certificate has to be for. Without it OpenSSL checks none. */
static void
set_expected_host(SSL *ssl, const struct uri *uri)
{
	int ok;

	if (uri->host_is_ip) {
		ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), uri->host);
	} else {
		SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		ok = SSL_set1_host(ssl, uri->host) && SSL_set_tlsext_host_name(ssl, uri->host);
	}
	if (!ok)
		abort();
}

struct ssl_st *
client_tls_new(struct client_connection *conn)
{
	SSL *ssl;

	ERR_clear_error();
	ssl = SSL_new(conn->origin->client->conf.tls);
	if (ssl == NULL)
		abort();
	set_expected_host(ssl, &conn->origin->uri);
	SSL_set_app_data(ssl, conn);
	if (conn->origin->session != NULL)
		SSL_set_session(ssl, conn->origin->session);
	return ssl;
}

bool
client_tls_reached(const struct ssl_st *ssl)
{
	return BIO_number_written(SSL_get_wbio(ssl)) > 0;
}

void
client_tls_explain(struct client_connection *conn, unsigned long error)
{
	long verdict = SSL_get_verify_result(conn->ssl);
	const char *reason = error == 0 ? NULL : ERR_reason_error_string(error);
	const char *name = conn->origin->name;

	if (verdict != X509_V_OK) {
		snprintf(conn->tls_error, sizeof(conn->tls_error),
		    "the certificate of %.60s is not trusted: %s (if it should be, set ca-file)",
		    name, X509_verify_cert_error_string(verdict));
	} else {
		snprintf(conn->tls_error, sizeof(conn->tls_error), "TLS with %.60s failed: %s",
		    name, reason != NULL ? reason : "it closed the connection");
	}
	SSL_SESSION_free(conn->origin->session);
	conn->origin->session = NULL;
}

void
client_tls_forget(struct ssl_st *ssl)
{
	SSL_set_app_data(ssl, NULL);
}

void
client_tls_goodbye(struct ssl_st *ssl)
{
	SSL_shutdown(ssl);
	ERR_clear_error();
}
