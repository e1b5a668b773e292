/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom the client talks to over TLS, and whom not. */
#include "tests/unit/http/client_fixture.h"

static const struct script_line ok[] = {{OK_ANSWER, KEEP}};

static void
call_tls(struct fixture *f, struct asked *a, const char *host)
{
	struct uri uri = server_uri(f, "https", host);

	ask(f, a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, a->done);
}

static void
test_trusted(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	serve_tls(f, &f->leaf, ok, 1);
	call_tls(f, &a, "127.0.0.1");
	assert_int_equal(a.status, 200);
	assert_string_equal(a.body, "hello");
	call_tls(f, &a, "localhost");
	assert_int_equal(a.status, 200);
	call_tls(f, &a, "localhost");
	assert_int_equal(f->server->accepted, 2); /* one connection for each origin */
}

static int records;

/* TLS 1.3: each record of application data tells its inner type. */
static void
count_records(
    int write_p, int version, int content_type, const void *buf, size_t len, SSL *ssl, void *arg)
{
	const unsigned char *type = buf;

	if (write_p == 0 && content_type == SSL3_RT_INNER_CONTENT_TYPE &&
	    *type == SSL3_RT_APPLICATION_DATA)
		records++;
}

/* Head and body in one, on a new connection and on a kept one: each costs an encryption, a system
 * call and a segment. */
static void
test_one_record(void **state)
{
	struct fixture *f = *state;
	struct asked a;
	struct uri uri;

	serve_tls(f, &f->leaf, ok, 1);
	SSL_CTX_set_msg_callback(f->server->tls, count_records);
	uri = server_uri(f, "https", "127.0.0.1");
	for (int i = 1; i <= 3; i++) {
		ask(f, &a,
		    &(struct http_call){.uri = &uri,
			.post = true,
			.body = "{\"payload\":\"\"}",
			.body_len = 14,
			.content_type = "application/jose+json",
			.timeout_ms = 60000});
		PUMP_UNTIL(f->loop, a.done);
		assert_int_equal(a.status, 200);
		assert_int_equal(records, i);
	}
	assert_int_equal(f->server->accepted, 1);
}

static const char *sni;

static int
note_sni(SSL *ssl, int *alert, void *arg)
{
	static char name[64];
	const char *got = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	snprintf(name, sizeof(name), "%s", got == NULL ? "(none)" : got);
	sni = name;
	return SSL_TLSEXT_ERR_OK;
}

static void
test_server_name_indication(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	serve_tls(f, &f->leaf, ok, 1);
	SSL_CTX_set_tlsext_servername_callback(f->server->tls, note_sni);
	call_tls(f, &a, "localhost");
	assert_string_equal(sni, "localhost");
	call_tls(f, &a, "127.0.0.1");
	assert_string_equal(sni, "(none)"); /* an address is no name */
}

static void
test_wrong_host(void **state)
{
	struct fixture *f = *state;
	struct cert other = cert_make("localhost", "DNS:example.org,IP:192.0.2.1", &f->ca, 30);
	struct asked a;

	serve_tls(f, &other, ok, 1);
	call_tls(f, &a, "localhost");
	assert_error(&a, ERR_UNREACHABLE, "the certificate of localhost:");
	assert_error(&a, ERR_UNREACHABLE, "ostname mismatch");
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "IP address mismatch");
	assert_int_equal(f->server->requests, 0);
	cert_done(&other);
}

static void
test_untrusted(void **state)
{
	struct fixture *f = *state;
	struct cert stranger = cert_make("stranger", NULL, NULL, 30);
	struct cert leaf = cert_make("leaf", "IP:127.0.0.1", &stranger, 30);
	struct cert self = cert_make("self", "IP:127.0.0.1", NULL, 30);
	struct asked a;

	serve_tls(f, &leaf, ok, 1);
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "is not trusted: unable to get local issuer certificate");
	assert_error(&a, ERR_UNREACHABLE, "set ca-file");
	assert_false(a.stale);
	serve_tls(f, &self, ok, 1);
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "self-signed certificate");
	cert_done(&stranger);
	cert_done(&leaf);
	cert_done(&self);
}

static void
test_expired(void **state)
{
	struct fixture *f = *state;
	struct cert old = cert_make("old", "IP:127.0.0.1", &f->ca, -1);
	struct asked a;

	serve_tls(f, &old, ok, 1);
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "certificate has expired");
	cert_done(&old);
}

static void
test_old_tls(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	serve_tls(f, &f->leaf, ok, 1);
	SSL_CTX_set_max_proto_version(f->server->tls, TLS1_1_VERSION);
	SSL_CTX_set_security_level(f->server->tls, 0);
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "TLS with 127.0.0.1:");
	SSL_CTX_set_max_proto_version(f->server->tls, TLS1_2_VERSION);
	call_tls(f, &a, "127.0.0.1");
	assert_int_equal(a.status, 200);
}

static void
test_no_tls_there(void **state)
{
	static const struct script_line greeting[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", CLOSE}};
	static const struct script_line nothing[] = {{NULL, CLOSE}};
	struct fixture *f = *state;
	struct asked a;

	serve(f, greeting, 1);
	f->server->greet = true;
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "TLS with 127.0.0.1:");
	assert_error(&a, ERR_UNREACHABLE, "wrong version number");
	serve(f, nothing, 1);
	f->server->greet = true;
	call_tls(f, &a, "127.0.0.1");
	assert_int_equal(a.error.kind, ERR_UNREACHABLE);
}

static void
test_sessions_are_resumed(void **state)
{
	struct fixture *f = *state;
	struct asked a;

	serve_tls(f, &f->leaf, ok, 1);
	f->conf.idle_ms = 0;
	client_restart(f);
	for (int i = 0; i < 3; i++) {
		call_tls(f, &a, "127.0.0.1");
		assert_int_equal(a.status, 200);
		PUMP_UNTIL(f->loop, TAILQ_EMPTY(&f->server->peers));
	}
	assert_int_equal(f->server->accepted, 3);
	assert_int_equal(f->server->resumed, 2);
}

/* A session is good for the origin it was made with. */
static void
test_sessions_stay_with_their_origin(void **state)
{
	struct fixture *f = *state;
	struct cert narrow = cert_make("leaf", "IP:127.0.0.1", &f->ca, 30);
	struct asked a;

	serve_tls(f, &narrow, ok, 1);
	call_tls(f, &a, "127.0.0.1");
	assert_int_equal(a.status, 200);
	call_tls(f, &a, "localhost");
	assert_error(&a, ERR_UNREACHABLE, "ostname mismatch");
	cert_done(&narrow);
}

/* An answer that ends with the connection counts only if the end is authentic. */
static void
test_truncated_answer(void **state)
{
	static const struct script_line until_close[] = {
	    {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", CLOSE}};
	static const struct script_line open_end[] = {
	    {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhel", KEEP}};
	struct fixture *f = *state;
	struct uri uri;
	struct asked a;

	serve_tls(f, &f->leaf, until_close, 1);
	call_tls(f, &a, "127.0.0.1");
	assert_int_equal(a.status, 200);
	serve_tls(f, &f->leaf, open_end, 1);
	uri = server_uri(f, "https", "127.0.0.1");
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 60000});
	PUMP_UNTIL(f->loop, f->server->requests == 1);
	pump_quiet(f->loop);
	script_hang_up(f->server); /* without close_notify */
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "in the middle");
}

static void
test_stale_over_tls(void **state)
{
	static const struct script_line script[] = {{OK_ANSWER, KEEP}, {NULL, CLOSE}};
	struct fixture *f = *state;
	struct asked a;

	serve_tls(f, &f->leaf, script, 2);
	call_tls(f, &a, "127.0.0.1");
	assert_int_equal(a.status, 200);
	call_tls(f, &a, "127.0.0.1");
	assert_error(&a, ERR_UNREACHABLE, "closed the connection");
	assert_true(a.stale);
}

static void
test_timeout_in_the_handshake(void **state)
{
	static const struct script_line nothing[] = {{NULL, KEEP}};
	struct fixture *f = *state;
	struct uri uri;
	struct asked a;

	serve(f, nothing, 1); /* takes the ClientHello and says nothing */
	uri = server_uri(f, "https", "127.0.0.1");
	ask(f, &a, &(struct http_call){.uri = &uri, .timeout_ms = 100});
	PUMP_UNTIL(f->loop, a.done);
	assert_error(&a, ERR_UNREACHABLE, "does not answer");
}

static void
test_large_answer(void **state)
{
	struct fixture *f = *state;
	static char reply[10200];
	struct script_line line = {reply, KEEP};
	struct asked a;
	int n = snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n");

	memset(reply + n, 'x', 10000);
	serve_tls(f, &f->leaf, &line, 1);
	for (int i = 0; i < 3; i++) {
		call_tls(f, &a, "127.0.0.1");
		assert_int_equal(a.status, 200);
		assert_int_equal(a.len, 10000);
	}
	assert_int_equal(f->server->accepted, 1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, client_setup, client_teardown)
	const struct CMUnitTest tests[] = {
	    T(test_one_record),
	    T(test_trusted),
	    T(test_server_name_indication),
	    T(test_wrong_host),
	    T(test_untrusted),
	    T(test_expired),
	    T(test_old_tls),
	    T(test_no_tls_there),
	    T(test_sessions_are_resumed),
	    T(test_sessions_stay_with_their_origin),
	    T(test_truncated_answer),
	    T(test_stale_over_tls),
	    T(test_timeout_in_the_handshake),
	    T(test_large_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
