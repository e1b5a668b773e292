/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/check.h"

#include <stdio.h>

#include "app/conf.h"
#include "base/file.h"

/* All that is wrong is told at once. */
static void
add(struct err *all, const struct err *e)
{
	struct err before = *all;

	if (before.kind == ERR_NONE)
		*all = *e;
	else
		err_set(all, ERR_CONFIG, "%s; %s", before.detail, e->detail);
}

static void
check_directory(const char *what, const char *dir, struct err *all)
{
	struct err e;

	if (file_dir_makeable(dir, &e))
		return;
	err_prefix(&e, "%s", what);
	add(all, &e);
}

bool
check_directories(const struct conf *conf, struct err *e)
{
	struct err all;

	err_clear(&all);
	check_directory("[account] dir", conf->ca.dir, &all);
	for (size_t i = 0; i < conf->storage_count; i++) {
		const struct storage_conf *s = &conf->storages[i];
		char what[128];

		if (s->type != STORE_FILE)
			continue;
		snprintf(what, sizeof(what), "[storage \"%s\"] directory", s->name);
		check_directory(what, s->file.directory, &all);
	}
	if (all.kind == ERR_NONE)
		return true;
	*e = all;
	return false;
}
