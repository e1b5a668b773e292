/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/tls.h"

#include <openssl/ssl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/http/certs.h"

static char dir[64];

static int
setup(void **state)
{
	strcpy(dir, "/tmp/acmems-tls-XXXXXX");
	unsetenv("ACME_CAFILE");
	unsetenv("REQUESTS_CA_BUNDLE");
	unsetenv("CURL_CA_BUNDLE");
	return mkdtemp(dir) == NULL;
}

static int
teardown(void **state)
{
	rmdir(dir);
	return 0;
}

static const char *
path(const char *name)
{
	static char text[2][128];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), "%s/%s", dir, name);
	return text[turn];
}

static void
write_text(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
assert_good(const char *trust)
{
	struct err e;
	struct ssl_ctx_st *ctx = tls_client_context(trust, &e);

	if (ctx == NULL)
		fail_msg("%s", e.detail);
	assert_int_equal(SSL_CTX_get_verify_mode(ctx), SSL_VERIFY_PEER);
	assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
	tls_context_free(ctx);
}

static void
assert_bad(const char *trust, const char *text)
{
	struct err e;

	assert_null(tls_client_context(trust, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	if (strstr(e.detail, text) == NULL)
		fail_msg("%s", e.detail);
}

static void
test_files(void **state)
{
	struct cert ca = cert_make("ca", NULL, NULL, 30);

	cert_write(&ca, path("ca.pem"));
	write_text(path("empty.pem"), "");
	write_text(path("text.pem"), "this is no certificate\n");
	assert_good(path("ca.pem"));
	assert_bad(path("missing.pem"), "missing.pem: No such file");
	assert_bad(path("empty.pem"), "empty.pem");
	assert_bad(path("text.pem"), "ca-file");
	unlink(path("ca.pem"));
	unlink(path("empty.pem"));
	unlink(path("text.pem"));
	cert_done(&ca);
}

static void
test_directories(void **state)
{
	struct cert ca = cert_make("ca", NULL, NULL, 30);

	assert_bad(dir, "no certificate");
	write_text(path("README"), "hello\n");
	assert_bad(dir, "no certificate");
	cert_write(&ca, path("ca.pem"));
	assert_good(dir); /* not hashed, and found all the same */
	unlink(path("ca.pem"));
	unlink(path("README"));
	cert_done(&ca);
}

static void
test_environment(void **state)
{
	struct cert ca = cert_make("ca", NULL, NULL, 30);

	cert_write(&ca, path("ca.pem"));
	setenv("CURL_CA_BUNDLE", path("missing"), 1);
	assert_bad(NULL, "CURL_CA_BUNDLE");
	setenv("ACME_CAFILE", "", 1); /* as good as not set */
	setenv("REQUESTS_CA_BUNDLE", path("ca.pem"), 1);
	assert_good(NULL);
	setenv("ACME_CAFILE", path("missing"), 1);
	assert_bad(NULL, "ACME_CAFILE");
	assert_good(path("ca.pem")); /* the configuration comes first */
	unlink(path("ca.pem"));
	cert_done(&ca);
}

static void
test_system(void **state)
{
	setenv("SSL_CERT_FILE", path("missing"), 1);
	setenv("SSL_CERT_DIR", dir, 1);
	assert_bad(NULL, "ca-certificates");
	write_text(path("0a1b2c3d.0"), "");
	assert_good(NULL);
	unlink(path("0a1b2c3d.0"));
	tls_context_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_files, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_directories, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_system, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
