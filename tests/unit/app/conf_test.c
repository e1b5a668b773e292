/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS = 64, PATH_SIZE = 512 };

static char directory[] = "/tmp/acmems-conf-XXXXXX";
static char paths[PATHS][PATH_SIZE];
static size_t next_path;

int
conf_test_setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/acmems-conf-XXXXXX");
	return mkdtemp(directory) != NULL ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
conf_test_teardown(void **state)
{
	(void)state;
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static char *
new_path(const char *base, const char *name)
{
	char *path = paths[next_path++ % PATHS];

	assert_true(snprintf(path, PATH_SIZE, "%s/%s", base, name) < PATH_SIZE);
	return path;
}

const char *
conf_test_file_of(const char *name, const void *bytes, size_t len, unsigned mode)
{
	const char *path = new_path(directory, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

const char *
conf_test_file(const char *name, const char *text)
{
	return conf_test_file_of(name, text, strlen(text), 0600);
}

const char *
conf_test_source(const char *name)
{
	const char *root = getenv("ACMEMS_SOURCE_ROOT");

	assert_non_null(root);
	return new_path(root, name);
}

struct conf *
conf_test_load(const char *text)
{
	char *path = (char *)conf_test_file("a.conf", text);

	return conf_load(&path, 1);
}

struct conf *
conf_test_load2(const char *first, const char *second)
{
	char *both[] = {
	    (char *)conf_test_file("a.conf", first),
	    (char *)conf_test_file("b.conf", second),
	};

	return conf_load(both, 2);
}

size_t
conf_test_count(const struct conf *c, enum conf_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < c->problem_count; i++)
		n += c->problems[i].severity == severity;
	return n;
}

const struct conf_problem *
conf_test_find(const struct conf *c, enum conf_severity severity, int line, const char *part)
{
	for (size_t i = 0; i < c->problem_count; i++) {
		const struct conf_problem *p = &c->problems[i];

		if (p->severity == severity && (line < 0 || p->line == line) &&
		    strstr(p->message, part) != NULL)
			return p;
	}
	return NULL;
}

void
conf_test_print(const struct conf *c)
{
	for (size_t i = 0; i < c->problem_count; i++) {
		char *text = conf_problem_text(&c->problems[i]);

		print_message("%s\n", text);
		free(text);
	}
}

void
assert_counts(const struct conf *c, size_t errors, size_t warnings, size_t notes)
{
	if (conf_test_count(c, CONF_ERROR) == errors &&
	    conf_test_count(c, CONF_WARNING) == warnings && conf_test_count(c, CONF_NOTE) == notes)
		return;
	conf_test_print(c);
	fail_msg("expected %zu errors, %zu warnings, %zu notes", errors, warnings, notes);
}

void
conf_test_one(const char *text, enum conf_severity severity, int line, const char *part)
{
	struct conf *c = conf_test_load(text);
	size_t n = conf_test_count(c, CONF_ERROR) + conf_test_count(c, CONF_WARNING);

	assert_problem(c, severity, line, part);
	if (n != 1) {
		conf_test_print(c);
		fail_msg("expected one problem: %s", part);
	}
	assert_int_equal(c->failed, severity == CONF_ERROR);
	conf_free(c);
}

struct conf *
conf_test_fine(const char *text)
{
	struct conf *c = conf_test_load(text);

	if (c->failed || conf_test_count(c, CONF_WARNING) > 0) {
		conf_test_print(c);
		fail_msg("expected neither error nor warning");
	}
	return c;
}
