/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_audit.h"
#include "base/log_line.h"

static char dir[64], log_path[80], audit_path[80], text[1024 * 1024];

int64_t
clock_wall(void)
{
	return 1795224845;
}

int64_t
clock_mono_ms(void)
{
	return 0;
}

static int
setup(void **state)
{
	strcpy(dir, "/tmp/acmems-audit-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	snprintf(audit_path, sizeof(audit_path), "%s/audit", dir);
	return 0;
}

static int
teardown(void **state)
{
	log_close();
	unlink(log_path);
	unlink(audit_path);
	return rmdir(dir);
}

static bool
configure(enum log_level level, const char *audit, struct err *e)
{
	struct log_conf conf = {
	    .level = level, .destination = LOG_TO_FILE, .path = log_path, .audit = audit};

	return log_configure(&conf, e);
}

static const char *
content(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void
test_both(void **state)
{
	struct log_context ctx = {.peer = "192.0.2.1 via 10.0.0.1",
	    .order = "o7",
	    .names = "a.example, ... (1 more)",
	    .block = "web",
	    .key = "1 of 2",
	    .serial = "00AB",
	    .rule = "ca"};
	struct stat st;

	assert_true(configure(LOG_LEVEL_ERROR, audit_path, NULL));
	log_warning(NULL, "not seen");
	log_audit(&ctx, "a.example, b.example", "refused", "as it is");
	log_audit(&(struct log_context){.names = "c.example"}, NULL, "issued", NULL);
	assert_string_equal(content(log_path),
	    "2026-11-21T01:34:05Z audit refused peer=\"192.0.2.1 via 10.0.0.1\" order=o7 "
	    "names=\"a.example, ... (1 more)\" block=web key=\"1 of 2\" serial=00AB rule=ca\n"
	    "2026-11-21T01:34:05Z audit issued names=c.example\n");
	assert_string_equal(content(audit_path),
	    "{\"time\":\"2026-11-21T01:34:05Z\",\"decision\":\"refused\","
	    "\"peer\":\"192.0.2.1 via 10.0.0.1\",\"order\":\"o7\",\"block\":\"web\","
	    "\"key\":\"1 of 2\",\"serial\":\"00AB\",\"rule\":\"ca\",\"detail\":\"as it is\","
	    "\"names\":\"a.example, b.example\"}\n"
	    "{\"time\":\"2026-11-21T01:34:05Z\",\"decision\":\"issued\",\"names\":\"c.example\"}"
	    "\n");
	assert_int_equal(stat(audit_path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

/* No file: the log has it all the same. */
static void
test_log_alone(void **state)
{
	assert_true(configure(LOG_LEVEL_ERROR, NULL, NULL));
	log_audit(&(struct log_context){.peer = "x"}, NULL, "issued", NULL);
	assert_non_null(strstr(content(log_path), "audit issued peer=x"));
	assert_int_equal(access(audit_path, F_OK), -1);
}

static void
test_hostile(void **state)
{
	static const char evil[] = "\"},{\"a\":\"\\\n\r\x01\x1b[0m\x7f\xff\xc2\x9b\xed\xa0\x80";
	struct log_context ctx = {.peer = evil,
	    .order = evil,
	    .names = evil,
	    .block = evil,
	    .key = evil,
	    .serial = evil,
	    .rule = evil};
	size_t quotes = 0;

	assert_true(configure(LOG_LEVEL_ERROR, audit_path, NULL));
	log_audit(&ctx, evil, "refused", evil);
	content(audit_path);
	for (const char *p = text; *p != '\0'; p++) {
		assert_true((unsigned char)*p >= 0x20 || (*p == '\n' && p[1] == '\0'));
		if (*p == '\\')
			p++;
		else if (*p == '"')
			quotes++;
	}
	/* Ten members of four each: not one more came in. */
	assert_int_equal(quotes, 10 * 4);
	assert_int_equal(strspn(text + strlen(text) - 2, "}\n"), 2);
}

/* As many names as a request may have, all of them; and whatever comes, a whole line. */
static void
test_bounds(void **state)
{
	static char names[100 * 256], big[200000];
	struct log_context ctx = {.peer = big,
	    .order = big,
	    .names = big,
	    .block = big,
	    .key = big,
	    .serial = big,
	    .rule = big};

	for (size_t i = 0; i < 100; i++)
		snprintf(names + i * 255, 256, "%0253zu, ", i);
	memset(big, 1, sizeof(big) - 1);
	assert_true(configure(LOG_LEVEL_ERROR, audit_path, NULL));
	log_audit(&ctx, names, "refused", big);
	log_audit(&ctx, big, "refused", big);
	log_audit(&ctx, NULL, "refused", big);
	content(audit_path);
	assert_non_null(strstr(text, names));
	const char *line = text;
	for (int i = 0; i < 3; i++) {
		const char *end = strchr(line, '\n');

		assert_non_null(end);
		assert_true(end - line < LOG_LINE_MAX);
		assert_int_equal(strncmp(end - 2, "\"}", 2), 0);
		line = end + 1;
	}
	assert_string_equal(line, "");
}

static void
test_reopen(void **state)
{
	char moved[100];
	struct err e;

	assert_true(configure(LOG_LEVEL_ERROR, audit_path, NULL));
	snprintf(moved, sizeof(moved), "%s.1", audit_path);
	assert_int_equal(rename(audit_path, moved), 0);
	log_audit(NULL, NULL, "issued", "one");
	assert_true(log_reopen(&e));
	log_audit(NULL, NULL, "issued", "two");
	assert_non_null(strstr(content(moved), "one"));
	assert_non_null(strstr(content(audit_path), "two"));
	assert_null(strstr(text, "one"));
	assert_int_equal(unlink(moved), 0);

	/* Where that fails the old one stays. */
	assert_int_equal(unlink(audit_path), 0);
	assert_int_equal(mkdir(audit_path, 0700), 0);
	assert_false(log_reopen(&e));
	assert_non_null(strstr(e.detail, audit_path));
	log_audit(NULL, NULL, "issued", "three");
	assert_int_equal(rmdir(audit_path), 0);
	assert_null(strstr(content(log_path), "cannot be written"));
}

static void
test_cannot_be_opened(void **state)
{
	struct log_conf conf = {.destination = LOG_TO_STDERR, .audit = "/nonexistent/audit"};
	struct err e;

	assert_true(configure(LOG_LEVEL_ERROR, audit_path, NULL));
	assert_false(configure(LOG_LEVEL_DEBUG, "/nonexistent/audit", &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, "audit file /nonexistent/audit"));
	assert_false(log_enabled(LOG_LEVEL_WARNING));
	log_audit(NULL, NULL, "issued", "still here");
	assert_non_null(strstr(content(audit_path), "still here"));

	assert_false(log_check_audit(&conf, &e));
	conf.audit = NULL;
	assert_true(log_check_audit(&conf, &e));
	unlink(audit_path);
	conf.audit = audit_path;
	assert_true(log_check_audit(&conf, &e));
	assert_int_equal(access(audit_path, F_OK), -1);
}

/* Who does not read makes nobody wait; what is lost is counted, and the log says it at once. */
static void
test_nobody_reads(void **state)
{
	enum { LINES = 3000 };
	size_t whole = 0, lost = 0, count;
	ssize_t n;
	int fd;

	assert_int_equal(mkfifo(audit_path, 0600), 0);
	fd = open(audit_path, O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_true(configure(LOG_LEVEL_ERROR, audit_path, NULL));
	alarm(60);
	for (int i = 0; i < LINES; i++)
		log_audit(&(struct log_context){.peer = "192.0.2.1"}, NULL, "issued", NULL);
	assert_non_null(strstr(content(log_path), "cannot be written: lines are lost"));
	/* The first reading makes room, the second has what was told with it. */
	for (size_t len = 0, i = 0; i < 3; i++) {
		while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
			len += (size_t)n;
		text[len] = '\0';
		log_audit(&(struct log_context){.peer = "192.0.2.1"}, NULL, "issued", NULL);
	}
	alarm(0);
	for (char *p = text; *p != '\0'; p = strchr(p, '\n') + 1) {
		char *detail = strstr(p, "\"detail\":\"");

		whole += strncmp(strchr(p, '\n') - 2, "\"}", 2) == 0;
		if (detail != NULL && detail < strchr(p, '\n') &&
		    sscanf(detail, "\"detail\":\"%zu lines could not be written", &count) == 1) {
			lost += count;
			whole--;
		}
	}
	assert_true(lost > 0);
	assert_int_equal(whole + lost, LINES + 2);
	close(fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_both),
	    TEST(test_log_alone),
	    TEST(test_hostile),
	    TEST(test_bounds),
	    TEST(test_reopen),
	    TEST(test_cannot_be_opened),
	    TEST(test_nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
