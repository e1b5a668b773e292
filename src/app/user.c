/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool
user_is_root(void)
{
	return geteuid() == 0;
}

static bool
failed(const char *what, struct err *e)
{
	return err_errno(e, ERR_INTERNAL, errno, "dropping privileges: %s", what);
}

/* Those of the set, and nothing else; what is not permitted cannot come back. */
static bool
keep_capabilities(uint32_t set, struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
	    {.effective = set, .permitted = set}};

	return syscall(SYS_capset, &header, data) == 0 || failed("capset", e);
}

static bool
has_no_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, data) == 0 &&
	    (data[0].permitted | data[1].permitted | data[0].effective | data[1].effective) == 0;
}

/* Also those a program that is executed could get; the kernel says where they end. */
static void
drop_bounds(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap);
}

static bool
is_user(const struct passwd *pw)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && getresgid(&rg, &eg, &sg) == 0 && r == pw->pw_uid &&
	    e == pw->pw_uid && s == pw->pw_uid && rg == pw->pw_gid && eg == pw->pw_gid &&
	    sg == pw->pw_gid;
}

static bool
drop(const struct passwd *pw, struct err *e)
{
	drop_bounds();
	if (initgroups(pw->pw_name, pw->pw_gid) != 0)
		return failed("initgroups", e);
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
		return failed("setresgid", e);
	/* Otherwise the change of uid takes all. */
	if (prctl(PR_SET_KEEPCAPS, 1) != 0)
		return failed("PR_SET_KEEPCAPS", e);
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return failed("setresuid", e);
	if (!is_user(pw))
		return err_set(e, ERR_INTERNAL, "dropping privileges: still another user");
	return keep_capabilities(CAP_TO_MASK(CAP_NET_BIND_SERVICE), e);
}

bool
user_become(const char *name, struct err *e)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL)
		return err_set(e, ERR_CONFIG, "there is no user \"%s\"", name);
	if (pw->pw_uid == geteuid())
		return true;
	if (!user_is_root())
		return err_set(e, ERR_CONFIG,
		    "only root can become \"%s\": this is uid %u; start it as root, or as that "
		    "user, or leave this out",
		    name, (unsigned)geteuid());
	return drop(pw, e);
}

bool
user_settle(struct err *e)
{
	if (user_is_root())
		return true;
	if (!keep_capabilities(0, e))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed("PR_SET_NO_NEW_PRIVS", e);
	if (!has_no_capability() || setuid(0) == 0)
		return err_set(e, ERR_INTERNAL, "dropping privileges: some are left");
	return true;
}
