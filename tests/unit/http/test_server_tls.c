/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server over TLS: the same checks, replies and ends, and never a byte in plain text. */
#include <openssl/ssl.h>

#include "codec/key.h"
#include "http/server_tls.h"
#include "http/tls.h"
#include "tests/unit/http/certs.h"
#include "tests/unit/http/server_fixture.h"

#define GET  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define LAST "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

struct house {
	struct fixture *f;
	struct cert ca, leaf;
	struct key *key;
	char chain[8192]; /* leaf and CA */
};

struct tls_client {
	struct raw_client *raw; /* its socket */
	SSL_CTX *ctx;
	SSL *ssl;
	bool notified; /* the server ended TLS in due form */
};

static struct key *
key_of(EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct key *key;
	char *pem;
	long len;

	PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(bio, &pem);
	key = key_from_pem(pem, (size_t)len, NULL);
	assert_non_null(key);
	BIO_free(bio);
	return key;
}

static void
add_pem(char *out, size_t size, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	size_t before = strlen(out);
	char *pem;
	long len;

	PEM_write_bio_X509(bio, cert);
	len = BIO_get_mem_data(bio, &pem);
	assert_true(before + (size_t)len < size);
	memcpy(out + before, pem, (size_t)len);
	out[before + (size_t)len] = '\0';
	BIO_free(bio);
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	void *f;

	fixture_setup(&f);
	h->f = f;
	h->ca = cert_make("ca", NULL, NULL, 30);
	h->leaf = cert_make("leaf", "DNS:www.example.org", &h->ca, 30);
	h->key = key_of(h->leaf.key);
	add_pem(h->chain, sizeof(h->chain), h->leaf.x509);
	add_pem(h->chain, sizeof(h->chain), h->ca.x509);
	h->f->conf.tls = tls_server_context(h->chain, strlen(h->chain), h->key, NULL);
	assert_non_null(h->f->conf.tls);
	fixture_restart(h->f);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;
	struct ssl_ctx_st *tls = h->f->conf.tls;
	void *f = h->f;

	fixture_teardown(&f);
	tls_context_free(tls);
	key_free(h->key);
	cert_done(&h->leaf);
	cert_done(&h->ca);
	free(h);
	return 0;
}

/* ---- a client ---- */

static struct tls_client *
client_new(struct house *h, int max_version)
{
	struct tls_client *c = calloc(1, sizeof(*c));

	c->raw = fixture_connect(h->f);
	c->ctx = SSL_CTX_new(TLS_client_method());
	/* So that what is refused is refused by the server. */
	SSL_CTX_set_security_level(c->ctx, 0);
	SSL_CTX_set_min_proto_version(c->ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(c->ctx, max_version);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(c->ctx), h->ca.x509);
	c->ssl = SSL_new(c->ctx);
	SSL_set1_host(c->ssl, "www.example.org");
	SSL_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
	SSL_set_fd(c->ssl, c->raw->fd);
	return c;
}

static void
client_free(struct tls_client *c)
{
	SSL_free(c->ssl);
	SSL_CTX_free(c->ctx);
	raw_close(c->raw);
	free(c);
}

/* 1, 0 while it needs more, -1 */
static int
progress(struct tls_client *c, int result)
{
	int why = SSL_get_error(c->ssl, result);

	if (result > 0)
		return 1;
	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static bool
client_handshake(struct house *h, struct tls_client *c)
{
	int r = 0;

	PUMP_UNTIL(h->f->loop, (r = progress(c, SSL_connect(c->ssl))) != 0);
	return r > 0;
}

static struct tls_client *
client_connect(struct house *h)
{
	struct tls_client *c = client_new(h, 0);

	assert_true(client_handshake(h, c));
	return c;
}

static void
client_send(struct tls_client *c, const char *text)
{
	assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), strlen(text));
}

static bool
client_receive(struct tls_client *c)
{
	struct raw_client *raw = c->raw;
	int n = 1;

	while (!raw->eof && n > 0) {
		n = SSL_read(c->ssl, raw->got + raw->len, (int)(sizeof(raw->got) - 1 - raw->len));
		if (n > 0)
			raw->len += (size_t)n;
		raw->eof = progress(c, n) < 0;
		c->notified = SSL_get_error(c->ssl, n) == SSL_ERROR_ZERO_RETURN;
	}
	return raw->eof;
}

/* Without touching the socket beneath. */
static bool
client_has_answer(struct tls_client *c)
{
	const char *end, *length;

	client_receive(c);
	end = strstr(c->raw->got, "\r\n\r\n");
	length = strstr(c->raw->got, "Content-Length: ");
	return end != NULL && length != NULL &&
	    c->raw->len >= (size_t)(end + 4 - c->raw->got) + strtoul(length + 16, NULL, 10);
}

static int
client_ask(struct house *h, struct tls_client *c, const char *request)
{
	raw_forget(c->raw);
	client_send(c, request);
	PUMP_UNTIL(h->f->loop, client_has_answer(c) || c->raw->eof);
	return raw_status(c->raw);
}

/* ---- what is served ---- */

static void
test_serves(void **state)
{
	struct house *h = *state;
	struct tls_client *c = client_connect(h);

	assert_int_equal(SSL_get_verify_result(c->ssl), X509_V_OK);
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(c->ssl)), 2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(client_ask(h, c, GET), 200);
		assert_string_equal(raw_body(c->raw), "hello\n");
		assert_string_equal(h->f->target, "/");
		assert_string_equal(h->f->peer, "127.0.0.1");
	}
	assert_int_equal(
	    client_ask(h, c, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"), 200);
	assert_memory_equal(h->f->body, "abc", 3);
	assert_int_equal(client_ask(h, c, LAST), 200);
	PUMP_UNTIL(h->f->loop, client_receive(c));
	assert_true(c->notified);
	client_free(c);
}

static void
test_versions(void **state)
{
	static const int versions[] = {
	    TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	struct house *h = *state;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct tls_client *c = client_new(h, versions[i]);

		assert_int_equal(client_handshake(h, c), versions[i] >= TLS1_2_VERSION);
		if (versions[i] >= TLS1_2_VERSION)
			assert_int_equal(client_ask(h, c, GET), 200);
		client_free(c);
	}
}

/* What is no TLS gets an alert at most. */
static void
test_plain_text(void **state)
{
	struct house *h = *state;
	struct raw_client *c = fixture_connect(h->f);

	raw_send(c, GET);
	PUMP_UNTIL(h->f->loop, raw_at_end(c));
	assert_null(memmem(c->got, c->len, "HTTP", 4));
	assert_null(memmem(c->got, c->len, "hello", 5));
	assert_int_equal(h->f->handled, 0);
	raw_close(c);
}

static void
test_head_is_checked(void **state)
{
	struct house *h = *state;
	struct tls_client *c = client_connect(h);

	assert_int_equal(client_ask(h, c, "GET / HTTP/1.1\r\nHost : x\r\n\r\n"), 400);
	PUMP_UNTIL(h->f->loop, client_receive(c));
	assert_true(c->notified);
	assert_int_equal(h->f->handled, 0);
	client_free(c);
}

/* The reply before it closes the connection, in due form too. */
static void
test_pipelined(void **state)
{
	struct house *h = *state;
	struct tls_client *c = client_connect(h);

	assert_int_equal(client_ask(h, c, GET GET), 200);
	assert_non_null(strstr(c->raw->got, "Connection: close"));
	PUMP_UNTIL(h->f->loop, client_receive(c));
	assert_true(c->notified);
	assert_int_equal(h->f->handled, 1);
	client_free(c);
}

/* ---- deferred ---- */

static void
test_deferred(void **state)
{
	struct house *h = *state;
	struct tls_client *c = client_connect(h);
	struct http_exchange *x;

	h->f->defer = true;
	client_send(c, GET);
	PUMP_UNTIL(h->f->loop, h->f->kept != NULL);
	pump_quiet(h->f->loop);
	x = h->f->kept;
	h->f->kept = NULL;
	reply_text(x, 200, "later\n");
	PUMP_UNTIL(h->f->loop, client_has_answer(c));
	assert_string_equal(raw_body(c->raw), "later\n");

	client_send(c, GET);
	PUMP_UNTIL(h->f->loop, h->f->kept != NULL);
	client_free(c);
	PUMP_UNTIL(h->f->loop, h->f->hung_up == 1);
}

/* ---- ends ---- */

/* A peer that never begins, or stops within the handshake, has as long as one without a request. */
static void
test_handshake_deadline(void **state)
{
	struct house *h = *state;
	struct raw_client *silent, *slow;

	h->f->conf.idle_ms = 50;
	fixture_restart(h->f);
	silent = fixture_connect(h->f);
	slow = fixture_connect(h->f);
	raw_send_bytes(slow, "\x16\x03\x01", 3);
	PUMP_UNTIL(h->f->loop, raw_at_end(silent) && raw_at_end(slow));
	assert_int_equal(silent->len + slow->len, 0);
	raw_close(silent);
	raw_close(slow);
}

static void
test_server_freed(void **state)
{
	struct house *h = *state;
	struct raw_client *silent = fixture_connect(h->f);
	struct tls_client *shaking = client_new(h, 0), *idle = client_connect(h),
			  *waiting = client_connect(h);

	SSL_connect(shaking->ssl);
	h->f->defer = true;
	client_send(waiting, GET);
	PUMP_UNTIL(h->f->loop, h->f->kept != NULL);
	fixture_restart(h->f);
	assert_int_equal(h->f->hung_up, 1);
	PUMP_UNTIL(
	    h->f->loop, raw_at_end(silent) && client_receive(idle) && client_receive(waiting));
	client_free(shaking);
	client_free(idle);
	client_free(waiting);
	raw_close(silent);
}

/* ---- the context ---- */

static void
test_context(void **state)
{
	struct house *h = *state;
	struct key *other = key_generate(KEY_EC256, NULL), *rsa = key_generate(KEY_RSA2048, NULL);
	struct err e;

	assert_null(tls_server_context(h->chain, strlen(h->chain), other, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, "the key is not that of the certificate"));
	assert_null(tls_server_context(h->chain, strlen(h->chain), rsa, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_null(tls_server_context("", 0, h->key, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_null(tls_server_context("-----BEGIN CERTIFICATE-----\nAAAA\n", 33, h->key, &e));
	assert_non_null(strstr(e.detail, "the certificate cannot be served"));
	key_free(other);
	key_free(rsa);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(test_serves),
	    TEST(test_versions),
	    TEST(test_plain_text),
	    TEST(test_head_is_checked),
	    TEST(test_pipelined),
	    TEST(test_deferred),
	    TEST(test_handshake_deadline),
	    TEST(test_server_freed),
	    TEST(test_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
