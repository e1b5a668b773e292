/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The option table against the commented example and the man page; every example loads. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "conf_test.h"

#define EXAMPLE "examples/acmems.conf"
#define MANUAL  "contrib/man/acmems.conf.5"

/* The whole file as a string; the caller frees it. */
static char *
read_source(const char *name)
{
	struct buf text;
	struct err e;

	buf_init(&text, 1024 * 1024);
	if (!file_read(conf_test_source(name), &text, &e))
		fail_msg("%s", e.detail);
	return buf_take(&text, NULL);
}

/* Calls fn for each line, without its newline, until it returns true. */
static bool
each_line(const char *name, bool (*fn)(const char *line, void *arg), void *arg)
{
	char *text = read_source(name), *rest = text, *line;
	bool found = false;

	while (!found && (line = strsep(&rest, "\n")) != NULL)
		found = fn(line, arg);
	free(text);
	return found;
}

struct search {
	const struct conf_option *option;
	char section[64]; /* what the lines belong to */
	char type[64];
};

static bool
fits(const struct search *s)
{
	const struct conf_option *o = s->option;

	return strcmp(s->section, o->section) == 0 &&
	    (o->type == NULL || strcmp(s->type, o->type) == 0);
}

/* ---- the commented example: "name = value", maybe behind a "#" ---- */

static bool
value_fits(const struct conf_option *o, const char *value)
{
	size_t len = strlen(value);

	if (o->fallback == NULL)
		return true;
	if (!o->list)
		return strcmp(o->fallback, value) == 0;
	return strncmp(o->fallback, value, len) == 0 && strchr(", ", o->fallback[len]) != NULL;
}

static bool
example_has(const char *line, void *arg)
{
	struct search *s = arg;
	bool commented = line[0] == '#';
	char key[64], value[256];

	line += commented;
	if (sscanf(line, "[%63[a-z]", s->section) == 1) {
		s->type[0] = '\0';
		return false;
	}
	if (sscanf(line, "%63[a-z_-] = %255[^\n]", key, value) != 2)
		return false;
	if (strcmp(key, "type") == 0)
		snprintf(s->type, sizeof(s->type), "%.63s", value);
	return fits(s) && strcmp(key, s->option->name) == 0 &&
	    (!commented || value_fits(s->option, value));
}

static void
test_example_names_every_option(void **state)
{
	size_t n;
	const struct conf_option *options = conf_options(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct search s = {.option = &options[i]};

		if (!each_line(EXAMPLE, example_has, &s))
			fail_msg("%s: [%s] %s is missing, or not with its default %s", EXAMPLE,
			    options[i].section, options[i].name,
			    options[i].fallback != NULL ? options[i].fallback : "");
	}
}

/* ---- the man page: ".It Ic name" below ".Ss [section ...] of type = ..." ---- */

static bool
manual_has(const char *line, void *arg)
{
	struct search *s = arg;
	char key[64];

	if (strncmp(line, ".Ss ", 4) == 0) {
		const char *type = strstr(line, "type = ");

		s->section[0] = '\0';
		sscanf(line, ".Ss [%63[a-z]", s->section);
		snprintf(s->type, sizeof(s->type), "%s", type != NULL ? type + 7 : "");
	}
	return fits(s) && sscanf(line, ".It Ic %63s", key) == 1 &&
	    strcmp(key, s->option->name) == 0;
}

static void
test_manual_names_every_option(void **state)
{
	size_t n;
	const struct conf_option *options = conf_options(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct search s = {.option = &options[i]};

		if (!each_line(MANUAL, manual_has, &s))
			fail_msg("%s: [%s] %s %s is missing", MANUAL, options[i].section,
			    options[i].type != NULL ? options[i].type : "", options[i].name);
	}
}

/* Each default stands in the text of its option. */
static void
test_manual_has_every_default(void **state)
{
	size_t n;
	const struct conf_option *options = conf_options(&n);
	char *text = read_source(MANUAL);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct conf_option *o = &options[i];
		char quoted[128];

		if (o->fallback == NULL)
			continue;
		snprintf(
		    quoted, sizeof(quoted), "Ql %.*s", (int)strcspn(o->fallback, ","), o->fallback);
		if (strstr(text, quoted) == NULL)
			fail_msg("%s: [%s] %s: default %s is missing", MANUAL, o->section, o->name,
			    o->fallback);
	}
	free(text);
}

/* ---- loading ---- */

static void
test_every_example_loads(void **state)
{
	char *directory = xstrdup(conf_test_source("examples"));
	DIR *d = opendir(directory);
	struct dirent *entry;
	int loaded = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);
		char name[300];

		/* Two are for front ends. */
		if (len < 5 || strcmp(entry->d_name + len - 5, ".conf") != 0 ||
		    strcmp(entry->d_name, "nginx.conf") == 0 ||
		    strcmp(entry->d_name, "apache.conf") == 0)
			continue;
		snprintf(name, sizeof(name), "examples/%s", entry->d_name);
		char *text = read_source(name);
		struct conf *c = conf_test_load(text);

		/* demo.sh makes this file. */
		if (conf_test_count(c, CONF_ERROR) > 0 &&
		    conf_test_find(c, CONF_ERROR, -1, "ca-file: build-demo/") == NULL) {
			conf_test_print(c);
			fail_msg("%s does not load", name);
		}
		assert_int_equal(conf_test_count(c, CONF_WARNING), 0);
		conf_free(c);
		free(text);
		loaded++;
	}
	closedir(d);
	free(directory);
	assert_true(loaded >= 3);
}

/* Nothing in the example is unknown to the parser, also where it is commented out. */
static void
test_example_says_nothing_unknown(void **state)
{
	char *text = read_source(EXAMPLE);
	struct conf *c;

	(void)state;
	for (char *p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (p[0] == '#' && p[1] != ' ' && p[1] != '\n')
			*p = ' ';
		if (*p == '\0')
			break;
	}
	c = conf_test_load(text);
	assert_no_problem(c, CONF_WARNING, "unknown");
	assert_no_problem(c, CONF_ERROR, "unknown");
	assert_no_problem(c, CONF_WARNING, "has no meaning");
	assert_no_problem(c, CONF_WARNING, "already given");
	assert_int_equal(c->verification_count, 4);
	assert_int_equal(c->auth_count, 2);
	assert_string_equal(c->user, "acmems");
	conf_free(c);
	free(text);
}

static void
test_table_is_sound(void **state)
{
	size_t n;
	const struct conf_option *options = conf_options(&n);

	(void)state;
	assert_true(n > 50);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++) {
			const struct conf_option *a = &options[i], *b = &options[j];
			bool apart =
			    a->type != NULL && b->type != NULL && strcmp(a->type, b->type) != 0;

			assert_true(strcmp(a->section, b->section) != 0 || apart ||
			    strcmp(a->name, b->name) != 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_example_names_every_option),
	    cmocka_unit_test(test_manual_names_every_option),
	    cmocka_unit_test(test_manual_has_every_default),
	    cmocka_unit_test(test_every_example_loads),
	    cmocka_unit_test(test_example_says_nothing_unknown),
	    cmocka_unit_test(test_table_is_sound),
	};

	return cmocka_run_group_tests(tests, conf_test_setup, conf_test_teardown);
}
