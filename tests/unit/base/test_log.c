/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/log_line.h"

static char path[64], text[65536];

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
	strcpy(path, "/tmp/acmems-log-XXXXXX");
	return close(mkstemp(path));
}

static int
teardown(void **state)
{
	log_close();
	return unlink(path);
}

static void
configure(enum log_level level, bool json)
{
	struct log_conf conf = {
	    .level = level, .destination = LOG_TO_FILE, .path = path, .json = json};
	struct err e;

	unlink(path);
	assert_true(log_configure(&conf, &e));
}

static const char *
logged(void)
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
test_text(void **state)
{
	struct log_context ctx = {
	    .peer = "192.0.2.1", .order = "o17", .names = "a.example, b.example", .block = "x"};

	configure(LOG_LEVEL_WARNING, false);
	log_info(NULL, "not seen");
	log_warning(NULL, "number %d", 5);
	log_error(&ctx, "failed");
	assert_string_equal(logged(),
	    "2026-11-21T01:34:05Z warning number 5\n"
	    "2026-11-21T01:34:05Z error failed peer=192.0.2.1 order=o17 "
	    "names=\"a.example, b.example\" block=x\n");
}

static void
test_text_escapes(void **state)
{
	struct log_context ctx = {.peer = "a \"b\"\n\\", .block = ""};

	configure(LOG_LEVEL_DEBUG, false);
	log_debug(
	    &ctx, "%s", "a\nb\r\t\x1b[0m\x7f \xc3\xa4 \xff \xc2\x9b \xed\xa0\x80 \xc0\xaf \xc3");
	assert_string_equal(logged(),
	    "2026-11-21T01:34:05Z debug a\\nb\\x0d\\x09\\x1b[0m\\x7f \xc3\xa4 \\xff \\xc2\\x9b "
	    "\\xed\\xa0\\x80 \\xc0\\xaf \\xc3 peer=\"a \\\"b\\\"\\n\\\\\" block=\"\"\n");
}

static void
test_json(void **state)
{
	struct log_context ctx = {.order = "o\"1", .names = "a\\b"};

	configure(LOG_LEVEL_INFO, true);
	log_info(&ctx, "%s", "x\n\x01\xff\xf0\x9f\x98\x80");
	assert_string_equal(logged(),
	    "{\"time\":\"2026-11-21T01:34:05Z\",\"level\":\"info\","
	    "\"message\":\"x\\u000a\\u0001\\ufffd\xf0\x9f\x98\x80\",\"order\":\"o\\\"1\","
	    "\"names\":\"a\\\\b\"}\n");
}

static void
test_lines_are_bounded(void **state)
{
	static char big[100000];
	struct log_context ctx = {.peer = big, .order = big, .names = big, .block = big};

	memset(big, 1, sizeof(big) - 1);
	for (int json = 0; json < 2; json++) {
		configure(LOG_LEVEL_INFO, json);
		log_info(&ctx, "%s", big);
		logged();
		assert_true(strlen(text) < LOG_LINE_MAX);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_non_null(strstr(text, "..."));
	}
}

static void
test_reopen(void **state)
{
	char moved[80];
	struct err e;

	configure(LOG_LEVEL_INFO, false);
	log_info(NULL, "one");
	snprintf(moved, sizeof(moved), "%s.1", path);
	assert_int_equal(rename(path, moved), 0);
	log_info(NULL, "two");
	assert_true(log_reopen(&e));
	log_info(NULL, "three");
	assert_string_equal(logged(), "2026-11-21T01:34:05Z info three\n");
	assert_int_equal(unlink(moved), 0);
}

static void
test_failure_keeps_the_old(void **state)
{
	struct log_conf conf = {.destination = LOG_TO_FILE, .path = "/nonexistent/log"};
	struct err e;

	configure(LOG_LEVEL_INFO, false);
	assert_false(log_configure(&conf, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	log_info(NULL, "still here");
	assert_non_null(strstr(logged(), "still here"));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
	assert_true(log_enabled(LOG_LEVEL_ERROR));
}

static void
test_mode_and_errno(void **state)
{
	mode_t mask = umask(0);
	struct stat st;

	configure(LOG_LEVEL_INFO, false);
	umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	errno = ENOTTY;
	log_info(NULL, "x");
	assert_int_equal(errno, ENOTTY);
}

/* What goes to stderr and stdout is caught in the file. */
static void
test_standard_streams(void **state)
{
	static const struct {
		int fd;
		enum log_destination destination;
	} rows[] = {{STDERR_FILENO, LOG_TO_STDERR}, {STDOUT_FILENO, LOG_TO_STDOUT}};
	struct err e;

	for (size_t i = 0; i < 2; i++) {
		struct log_conf conf = {.destination = rows[i].destination};
		int saved = dup(rows[i].fd);
		FILE *f = fopen(path, "w");

		dup2(fileno(f), rows[i].fd);
		assert_true(log_configure(&conf, &e));
		log_warning(NULL, "standard");
		dup2(saved, rows[i].fd);
		close(saved);
		fclose(f);
		assert_string_equal(logged(), "2026-11-21T01:34:05Z warning standard\n");
	}
}

/* ---- a pipe nobody reads ---- */

static char piped[16 * 1024 * 1024];

/* Behind what was read before. */
static void
read_pipe(int fd)
{
	size_t len = strlen(piped);
	ssize_t n;

	while ((n = read(fd, piped + len, sizeof(piped) - 1 - len)) > 0)
		len += (size_t)n;
	piped[len] = '\0';
}

/* All lines are whole, as the first is; those that are not there are counted where they would
 * stand. */
static size_t
lines_accounted_for(void)
{
	size_t count = 0, lost, len = strcspn(piped, "\n") + 1;

	for (char *p = piped; *p != '\0'; p = strchr(p, '\n') + 1) {
		if (sscanf(p, "2026-11-21T01:34:05Z warning %zu lines of the log are lost",
			&lost) == 1)
			count += lost;
		else if (strncmp(p, piped, len) == 0)
			count++;
		else
			fail_msg("not whole: %.3000s", p);
	}
	return count;
}

/* reopened: as the configured destination; else on the descriptor itself. */
static void
pipe_nobody_reads(size_t len, char fill, bool reopened)
{
	enum { LINES = 2000 };
	struct log_conf conf = {.level = LOG_LEVEL_WARNING, .destination = LOG_TO_STDERR};
	char message[2048];
	int saved = dup(STDERR_FILENO), fds[2];
	struct err e;

	memset(message, fill, len);
	message[len] = '\0';
	piped[0] = '\0';
	log_close();
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	dup2(fds[1], STDERR_FILENO);
	if (reopened)
		assert_true(log_configure(&conf, &e));
	for (int i = 0; i < LINES; i++)
		log_warning(NULL, "%s", message);
	/* Others who have the pipe find it as it was. */
	int flags = fcntl(fds[1], F_GETFL);
	for (int i = 0; i < 2; i++) {
		read_pipe(fds[0]);
		log_warning(NULL, "%s", message);
	}
	read_pipe(fds[0]);
	dup2(saved, STDERR_FILENO);
	close(saved);
	log_close();
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(flags & O_NONBLOCK, 0);
	assert_int_equal(lines_accounted_for(), LINES + 2);
}

static void
test_pipe_nobody_reads(void **state)
{
	static const size_t lengths[] = {1, 100, 1000, 2000};

	alarm(60);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		pipe_nobody_reads(lengths[i], 'x', true);
		pipe_nobody_reads(lengths[i], 'x', false);
		/* Escaped, and so too long to be written in one piece. */
		pipe_nobody_reads(lengths[i], '\001', true);
		pipe_nobody_reads(lengths[i], '\001', false);
	}
	alarm(0);
}

/* And one that is closed: no harm. */
static void
test_pipe_without_reader(void **state)
{
	int saved = dup(STDERR_FILENO), fds[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[0]);
	for (int i = 0; i < 3; i++)
		log_warning(NULL, "gone");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	log_close();
}

/* A log file that is a FIFO: an error at once, not a start that hangs. */
static void
test_fifo(void **state)
{
	struct log_conf conf = {.destination = LOG_TO_FILE, .path = path};
	struct err e;

	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(log_check(&conf, &e));
	assert_false(log_configure(&conf, &e));
	assert_non_null(strstr(e.detail, path));
}

static void
test_services_do_not_crash(void **state)
{
	struct log_conf conf = {.destination = LOG_TO_SYSLOG};
	struct log_context ctx = {.peer = "p", .block = "b"};
	struct err e;

	assert_true(log_configure(&conf, &e));
	log_debug(&ctx, "to syslog %%s");
	conf.destination = LOG_TO_JOURNAL;
	assert_int_equal(log_configure(&conf, &e), log_journal_available());
	log_debug(&ctx, "to the journal");
	conf.json = true;
	log_configure(&conf, &e);
	log_debug(NULL, "to the journal");
	assert_true(log_reopen(&e));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_text, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_text_escapes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_json, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_lines_are_bounded, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_reopen, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_failure_keeps_the_old, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_mode_and_errno, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_standard_streams, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pipe_nobody_reads, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pipe_without_reader, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_fifo, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_services_do_not_crash, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
