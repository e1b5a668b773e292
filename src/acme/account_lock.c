/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/account_lock.h"

#include <stdlib.h>
#include <time.h>

#include "acme/key_file.h"
#include "base/file_lock.h"

enum { WAIT_MS = 5000, LOOK_MS = 50 };

bool
account_lock(const char *dir, int *ret_lock, struct err *e)
{
	char *path = account_path(dir, "account.lock");
	struct err why;
	bool ok = file_lock(path, ret_lock, &why);

	free(path);
	if (!ok && why.kind == ERR_BUSY)
		err_set(&why, ERR_BUSY, "another program is changing the account");
	if (!ok && e != NULL)
		*e = why;
	return ok;
}

bool
account_lock_wait(const char *dir, int *ret_lock, struct err *e)
{
	static const struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};
	struct err why;

	for (int waited = 0; !account_lock(dir, ret_lock, &why); waited += LOOK_MS) {
		if (why.kind != ERR_BUSY || waited >= WAIT_MS) {
			if (e != NULL)
				*e = why;
			return err_prefix(e, "%s", dir);
		}
		nanosleep(&look, NULL);
	}
	return true;
}
