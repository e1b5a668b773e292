/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_secret.h"

#include <sys/stat.h>

#include "base/file.h"

bool
conf_others_read(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IROTH) != 0;
}

bool
conf_secret_read(struct conf_build *b, const struct conf_entry *in, struct buf *out)
{
	const char *name = in->option->name;
	struct err e;

	if (!file_read(in->value, out, &e)) {
		conf_error(b, in->place, "%s: %s", name, e.detail);
		return false;
	}
	if (conf_others_read(in->value))
		conf_warn(b, in->place, "%s: others can read %s: chmod o-r %s", name, in->value,
		    in->value);
	return true;
}
