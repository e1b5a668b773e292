/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/check.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/conf.h"
#include "base/alloc.h"
#include "base/file.h"

/* The directory, or where it is not there yet the nearest parent that is. */
static bool
check_directory(const char *what, const char *dir, struct err *e)
{
	char *path = xstrdup(dir);
	struct stat st;

	while (stat(path, &st) != 0 && errno == ENOENT) {
		char *parent = xstrdup(dirname(path));
		free(path);
		path = parent;
	}
	bool ok = file_dir_writable(path, e);
	if (!ok)
		err_prefix(e, "%s", what);
	free(path);
	return ok;
}

bool
check_directories(const struct conf *conf, struct err *e)
{
	if (!check_directory("[account] dir", conf->ca.dir, e))
		return false;
	for (size_t i = 0; i < conf->storage_count; i++) {
		const struct storage_conf *s = &conf->storages[i];
		char what[128];

		if (s->type != STORE_FILE)
			continue;
		snprintf(what, sizeof(what), "[storage \"%s\"] directory", s->name);
		if (!check_directory(what, s->file.directory, e))
			return false;
	}
	return true;
}
