/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ev/op.h"
#include "tests/unit/ev/name_server.h"

struct fixture {
	struct loop *loop;
	struct resolver *resolver;
	struct op *slot;
	int done;
	bool again;
	struct resolved answer;
	struct err error;
	struct name_server *server;
	char resolv_conf[64];
	char hosts[64];
};

static void
write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char text[64];

	f->loop = loop_new(NULL);
	f->server = name_server_start(f->loop);
	strcpy(f->resolv_conf, "/tmp/acmems-resolv-XXXXXX");
	strcpy(f->hosts, "/tmp/acmems-hosts-XXXXXX");
	close(mkstemp(f->resolv_conf));
	close(mkstemp(f->hosts));
	snprintf(text, sizeof(text), "nameserver 127.0.0.1:%u\n", f->server->port);
	write_text(f->resolv_conf, text);
	write_text(f->hosts, "192.0.2.80 ca.example.org www\n2001:db8::80 ca.example.org\n");
	f->resolver = resolver_new_files(f->loop, f->resolv_conf, f->hosts, NULL);
	*state = f;
	return f->resolver == NULL;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	name_server_stop(f->server);
	loop_free(f->loop);
	unlink(f->resolv_conf);
	unlink(f->hosts);
	free(f);
	return 0;
}

static void
done(void *arg, const struct resolved *answer, const struct err *e)
{
	struct fixture *f = arg;

	assert_null(f->slot);
	f->done++;
	if (answer != NULL)
		f->answer = *answer;
	else
		f->error = *e;
	if (f->again) {
		f->again = false;
		resolve_start(f->resolver, "127.0.0.2", 1, 1000, done, f, &f->slot);
	}
}

static void
start(struct fixture *f, const char *host, int64_t timeout_ms)
{
	memset(&f->answer, 0, sizeof(f->answer));
	f->done = 0;
	resolve_start(f->resolver, host, 443, timeout_ms, done, f, &f->slot);
	assert_int_equal(f->done, 0); /* never before it returned */
	assert_non_null(f->slot);
}

static const char *
first(const struct fixture *f)
{
	static char text[INET6_ADDRSTRLEN];
	const struct sockaddr_storage *sa = &f->answer.addrs[0];
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	assert_true(f->answer.count > 0);
	assert_int_equal(ntohs(in->sin_port), 443);
	return inet_ntop(sa->ss_family,
	    sa->ss_family == AF_INET ? (const void *)&in->sin_addr : &in6->sin6_addr, text,
	    sizeof(text));
}

static void
test_literals(void **state)
{
	struct fixture *f = *state;

	start(f, "192.0.2.7", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "192.0.2.7");
	start(f, "2001:db8::7", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "2001:db8::7");
	start(f, "fe80::1%lo", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "fe80::1");
	assert_int_not_equal(((struct sockaddr_in6 *)&f->answer.addrs[0])->sin6_scope_id, 0);
}

static void
test_localhost(void **state)
{
	struct fixture *f = *state;

	start(f, "localhost", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "127.0.0.1");
	assert_int_equal(f->answer.count, 2);
	start(f, "acme.LOCALHOST", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "127.0.0.1");
}

static void
test_name_server(void **state)
{
	struct fixture *f = *state;

	start(f, "acme.example.net", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "192.0.2.53");
	assert_int_equal(f->answer.count, 1);
	assert_true(f->server->questions > 0);
}

static void
test_hosts_file(void **state)
{
	struct fixture *f = *state;

	start(f, "WWW", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "192.0.2.80");
	start(f, "ca.example.org", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_true(f->answer.count >= 1);
	assert_int_equal(f->server->questions, 0);
}

static void
test_changed_files_are_read_anew(void **state)
{
	struct fixture *f = *state;

	write_text(f->hosts, "192.0.2.99 moved.example.org\n");
	start(f, "moved.example.org", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "192.0.2.99");
	unlink(f->resolv_conf); /* as good as empty */
	start(f, "moved.example.org", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "192.0.2.99");
}

/* A machine without any name server is no failure. */
static void
test_no_resolv_conf(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	f->resolver = resolver_new_files(f->loop, "/nonexistent/resolv.conf", f->hosts, NULL);
	assert_non_null(f->resolver);
	start(f, "www", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "192.0.2.80");
	resolver_free(f->resolver);
	write_text(f->resolv_conf, "");
	f->resolver = resolver_new_files(f->loop, f->resolv_conf, "/nonexistent/hosts", NULL);
	assert_non_null(f->resolver);
	start(f, "127.0.0.1", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_string_equal(first(f), "127.0.0.1");
}

static void
test_failure(void **state)
{
	struct fixture *f = *state;

	f->server->rcode = 3;
	start(f, "no.such.host.invalid", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_int_equal(f->error.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(f->error.detail, "no.such.host.invalid"));
	start(f, "", 60000);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_int_equal(f->answer.count, 0);
}

static void
test_timeout(void **state)
{
	struct fixture *f = *state;

	f->server->mute = true;
	start(f, "slow.invalid", 50);
	PUMP_UNTIL(f->loop, f->done == 1);
	assert_int_equal(f->error.kind, ERR_UNREACHABLE);
	assert_non_null(strstr(f->error.detail, "no name server answers"));
	assert_true(f->server->questions > 0);
	pump_quiet(f->loop); /* what evdns still says is heard by nobody */
	assert_int_equal(f->done, 1);
}

static void
test_cancel(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "a.invalid"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		for (int turns = 0; turns < 6; turns++) {
			start(f, hosts[i], 60000);
			for (int n = 0; n < turns; n++)
				loop_turn(f->loop, false);
			op_cancel(&f->slot);
		}
	}
	pump_quiet(f->loop);
}

static void
test_completion_starts_the_next(void **state)
{
	struct fixture *f = *state;

	f->again = true;
	start(f, "127.0.0.1", 60000);
	PUMP_UNTIL(f->loop, f->done == 2);
	assert_null(f->slot);
}

/* Whoever frees the resolver frees its look-ups, also those evdns has not answered. */
static void
test_freed_while_asking(void **state)
{
	struct fixture *f = *state;
	struct op *other = NULL;

	f->server->mute = true;
	start(f, "a.invalid", 60000);
	resolve_start(f->resolver, "127.0.0.1", 443, 60000, done, f, &other);
	resolver_free(f->resolver);
	f->resolver = NULL;
	assert_null(f->slot);
	assert_null(other);
	assert_int_equal(f->done, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_literals, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_localhost, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_name_server, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hosts_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_changed_files_are_read_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_no_resolv_conf, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_timeout, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_completion_starts_the_next, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_freed_while_asking, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
