/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/owner.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

/* The groups first: afterwards they cannot be given up any more. */
static bool
become(uid_t uid, gid_t gid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		return initgroups(pw->pw_name, pw->pw_gid) == 0 && setgid(pw->pw_gid) == 0 &&
		    setuid(uid) == 0;
	return setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
}

bool
owner_become(const char *dir, struct err *e)
{
	struct stat st;
	int saved;

	if (geteuid() != 0 || stat(dir, &st) != 0 || st.st_uid == 0)
		return true;
	if (become(st.st_uid, st.st_gid))
		return true;
	saved = errno;
	return err_errno(
	    e, ERR_CONFIG, saved, "%s: cannot act as its owner (uid %u)", dir, (unsigned)st.st_uid);
}
