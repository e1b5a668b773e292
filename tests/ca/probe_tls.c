/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tls-alpn-01 (RFC 8737): the server's certificate carries the digest. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "ca.h"
#include "options.h"
#include "probe.h"

static const unsigned char alpn[] = "\x0a"
				    "acme-tls/1";

/* RFC 8737 3: acmeIdentifier, critical, an OCTET STRING with the digest. */
static bool
has_digest(X509 *cert, const unsigned char digest[SHA256_DIGEST_LENGTH])
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
	int at = X509_get_ext_by_OBJ(cert, oid, -1);
	X509_EXTENSION *extension = at >= 0 ? X509_get_ext(cert, at) : NULL;
	ASN1_OCTET_STRING *value = extension != NULL ? X509_EXTENSION_get_data(extension) : NULL;
	const unsigned char *p;

	ASN1_OBJECT_free(oid);
	if (value == NULL || X509_EXTENSION_get_critical(extension) != 1 ||
	    ASN1_STRING_length(value) != SHA256_DIGEST_LENGTH + 2)
		return false;
	p = ASN1_STRING_get0_data(value);
	return p[0] == V_ASN1_OCTET_STRING && p[1] == SHA256_DIGEST_LENGTH &&
	    memcmp(p + 2, digest, SHA256_DIGEST_LENGTH) == 0;
}

static bool
is_for(X509 *cert, const struct identifier *i)
{
	if (i->kind == IDENTIFIER_IP)
		return X509_check_ip_asc(cert, i->value, 0) == 1;
	return X509_check_host(cert, i->value, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

static void
judge(struct probe *p)
{
	SSL *ssl = bufferevent_openssl_get_ssl(p->bev);
	unsigned char digest[SHA256_DIGEST_LENGTH];
	const unsigned char *protocol;
	unsigned int len;
	X509 *cert = SSL_get0_peer_certificate(ssl);

	SHA256((const unsigned char *)p->key_authorization, strlen(p->key_authorization), digest);
	SSL_get0_alpn_selected(ssl, &protocol, &len);
	if (len != sizeof(alpn) - 2 || memcmp(protocol, alpn + 1, len) != 0)
		probe_end(p, "unauthorized", "tls-alpn-01: the server does not speak acme-tls/1");
	else if (cert == NULL || !is_for(cert, &p->identifier))
		probe_end(p, "unauthorized", "tls-alpn-01: a certificate for another name");
	else if (!has_digest(cert, digest))
		probe_end(p, "unauthorized", "tls-alpn-01: acmeIdentifier is missing or another");
	else
		probe_end(p, NULL, "right");
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct probe *p = arg;

	ERR_clear_error();
	if (what & BEV_EVENT_CONNECTED)
		judge(p);
	else
		probe_end(
		    p, "connection", "tls-alpn-01: no TLS at port %ld", p->ca->options->tls_port);
}

/* RFC 8738 6: for an address the name of its reverse lookup. */
static void
set_name(SSL *ssl, const struct identifier *i)
{
	unsigned char a[4];
	char name[64];

	if (i->kind == IDENTIFIER_DNS) {
		SSL_set_tlsext_host_name(ssl, i->value);
	} else if (inet_pton(AF_INET, i->value, a) == 1) {
		snprintf(name, sizeof(name), "%d.%d.%d.%d.in-addr.arpa", a[3], a[2], a[1], a[0]);
		SSL_set_tlsext_host_name(ssl, name);
	}
}

void
probe_tls(struct probe *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)p->ca->options->tls_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	SSL *ssl;

	/* Whoever answers makes the certificate himself: nothing to verify but what is in it. */
	p->tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(p->tls, alpn, sizeof(alpn) - 1);
	ssl = SSL_new(p->tls);
	set_name(ssl, &p->identifier);
	p->bev = bufferevent_openssl_socket_new(
	    p->ca->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(p->bev, NULL, NULL, on_event, p);
	bufferevent_enable(p->bev, EV_READ | EV_WRITE);
	bufferevent_socket_connect(p->bev, (struct sockaddr *)&to, sizeof(to));
}
