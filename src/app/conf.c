/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf.h"

#include <stdlib.h>
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_secret.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "codec/ini.h"

enum { FILE_MAX = 1024 * 1024 };

/* One file being parsed. */
struct reading {
	struct conf_build *build;
	size_t file;
};

static void
report_ini(void *arg, enum ini_severity severity, const char *path, int line, const char *message)
{
	struct reading *r = arg;
	struct conf_place place = {path, r->file, line};

	conf_report_add(&r->build->report, severity == INI_ERROR ? CONF_ERROR : CONF_WARNING, place,
	    "%s", message);
}

/* NULL: it was reported. What the sections say points into the result. */
static struct ini_file *
read_file(struct conf_build *b, const char *path, size_t index)
{
	struct reading reading = {b, index};
	struct ini_file *file = NULL;
	struct buf text;
	struct err e;

	buf_init(&text, FILE_MAX);
	if (file_read(path, &text, &e)) {
		file = ini_parse(text.data, text.len, path, report_ini, &reading);
		conf_sections_add(&b->sections, file, index, conf_others_read(path), &b->report);
	} else {
		conf_error(
		    b, ((struct conf_place){path, index, 0}), "cannot be read: %s", e.detail);
	}
	if (text.data != NULL)
		explicit_bzero(text.data, text.len);
	buf_done(&text);
	return file;
}

static void
build(struct conf_build *b)
{
	conf_build_account(b);
	conf_build_mgmt(b);
	conf_build_verifications(b);
	conf_build_storages(b);
	conf_build_auths(b);
	conf_build_logging(b);
	conf_build_status(b);
	conf_build_process(b);
	conf_check_listeners(b);
}

struct conf *
conf_load(char *const *paths, size_t count)
{
	struct conf *c = xcalloc(1, sizeof(*c));
	struct conf_build b = {.conf = c, .start = {count > 0 ? paths[0] : "acmems", 0, 0}};
	struct ini_file **files = xcalloc(count + 1, sizeof(struct ini_file *));
	size_t read = 0;

	for (size_t i = 0; i < count; i++) {
		files[i] = read_file(&b, paths[i], i);
		read += files[i] != NULL;
	}
	if (count == 0)
		conf_error(&b, b.start, "no configuration file given");
	/* Of nothing at all there is nothing to be said. */
	if (read > 0)
		build(&b);
	conf_report_finish(&b.report, c);
	conf_sections_done(&b.sections);
	for (size_t i = 0; i < count; i++)
		ini_free(files[i]);
	free(files);
	return c;
}

void
conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	conf_report_free_problems(c);
	conf_memory_free(c);
	free(c);
}
