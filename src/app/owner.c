/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/user.h"

/* A user without a name, as files of containers have them. The groups first: afterwards they cannot
 * be given up any more. */
static bool
become_number(const struct stat *st, struct err *e)
{
	int saved;

	if (setgroups(0, NULL) == 0 && setgid(st->st_gid) == 0 && setuid(st->st_uid) == 0)
		return true;
	saved = errno;
	return err_errno(e, ERR_CONFIG, saved, "cannot become uid %u", (unsigned)st->st_uid);
}

bool
owner_become(const char *user, const char *dir, struct err *e)
{
	const struct passwd *pw;
	struct stat st;

	if (!user_is_root())
		return true;
	if (user == NULL) {
		if (stat(dir, &st) != 0 || st.st_uid == 0)
			return true;
		pw = getpwuid(st.st_uid);
		if (pw == NULL)
			return become_number(&st, e);
		user = pw->pw_name;
	}
	return user_become(user, e) && user_settle(e);
}
