/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What another program did to the files of the account: acme-register, or a person.
 * A key or registration that is another now is taken over before the next order;
 * one that cannot be read leaves what is known.
 */
#include <string.h>

#include "acme/account_lock.h"
#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "acme/key_file.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file_lock.h"
#include "ev/timer.h"

enum { LOCKED_LOOK_MS = 200, LOCKED_MAX_MS = 60 * 1000 };

static const char *const names[ACCOUNT_FILES_COUNT] = {
    [ACCOUNT_FILE_KEY] = KEY_FILE,
    [ACCOUNT_FILE_PENDING] = KEY_FILE_PENDING,
    [ACCOUNT_FILE_REGISTRATION] = "registration.json",
};

static struct file_stamp
stamp_of(const struct account *a, enum account_file file)
{
	CLEANUP_FREE char *path = account_path(a->ca->conf.dir, names[file]);

	return file_stamp_at(path);
}

static bool
file_changed(const struct account *a, enum account_file file)
{
	struct file_stamp now = stamp_of(a, file);

	return !file_stamp_equal(&now, &a->stamps[file]);
}

bool
account_files_changed(const struct account *a)
{
	for (int i = 0; i < ACCOUNT_FILES_COUNT; i++)
		if (file_changed(a, (enum account_file)i))
			return true;
	return false;
}

void
account_file_seen(struct account *a, enum account_file file)
{
	a->stamps[file] = stamp_of(a, file);
}

/* ---- reading them again ---- */

void
account_use_key(struct account *a, struct key *key)
{
	key_free(a->ca->key);
	a->ca->key = key;
	/* What was signed before says nothing of the account as it is now. */
	if (a->generation > 0)
		a->generation++;
	a->registrations = 0;
	ca_event(a->ca, CA_EVENT_KEY_CHANGED, key_thumbprint(key), NULL);
}

/* Whether it is another one now. */
static bool
reread_key(struct account *a)
{
	struct err e;
	struct key *key;

	account_file_seen(a, ACCOUNT_FILE_KEY);
	key = key_file_load(a->ca->conf.dir, KEY_FILE, &e);
	if (key == NULL) {
		err_prefix(&e, "the key read before stays in use");
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &e);
		return false;
	}
	if (strcmp(key_thumbprint(key), key_thumbprint(a->ca->key)) == 0) {
		key_free(key);
		return false;
	}
	account_use_key(a, key);
	return true;
}

/* A change that is not at its end yet is not guessed at. */
bool
account_takes_new_key(struct account *a)
{
	return a->state == ACCOUNT_READY && !key_file_there(a->ca->conf.dir, KEY_FILE_PENDING) &&
	    file_changed(a, ACCOUNT_FILE_KEY) && reread_key(a);
}

static void
reread_registration(struct account *a)
{
	struct err e;

	account_file_seen(a, ACCOUNT_FILE_REGISTRATION);
	registration_done(&a->registration);
	if (!registration_load(&a->registration, a->ca->conf.dir, &e))
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &e);
}

void
account_disk_err(struct account *a, const struct err *why, struct err *e)
{
	ca_event(a->ca, CA_EVENT_TROUBLE, NULL, why);
	err_set(e, ERR_ACCOUNT,
	    "account: its directory cannot be changed; the log of this server has the reason");
}

void
account_release(struct account *a)
{
	file_unlock(&a->lock);
	key_free(a->pending);
	a->pending = NULL;
	a->pending_known = false;
}

/* No key at all cannot be one that the CA knows. */
static bool
load_pending(struct account *a, struct err *e)
{
	const char *dir = a->ca->conf.dir;
	struct err why;

	a->pending = key_file_load(dir, KEY_FILE_PENDING, &why);
	if (a->pending != NULL || !key_file_there(dir, KEY_FILE_PENDING))
		return true;
	ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &why);
	if (key_file_set_aside(dir, &why))
		return true;
	account_disk_err(a, &why, e);
	return false;
}

/* ---- writing ---- */

/* Whoever else holds the lock is changing things himself, and then they are looked at again. */
bool
account_write(struct account *a, struct err *e)
{
	int mine = -1;
	bool ok = a->lock >= 0 || account_lock(a->ca->conf.dir, &mine, e);

	if (!ok)
		return err_prefix(e, "registration.json is not brought up to date");
	ok = registration_write(&a->registration, e);
	account_file_seen(a, ACCOUNT_FILE_REGISTRATION);
	file_unlock(&mine);
	return ok;
}

/* ---- the states ---- */

/* Whoever changes the key does so under the lock, with account.pem.new in place until it is done:
 * without the lock nothing is certain. */
enum account_state
account_enter_files(struct account *a)
{
	const char *dir = a->ca->conf.dir;
	struct err why, e;

	account_release(a);
	if (key_file_there(dir, KEY_FILE_PENDING)) {
		if (!account_lock(dir, &a->lock, &why) && why.kind == ERR_BUSY)
			return ACCOUNT_LOCKED;
		if (a->lock < 0) {
			account_disk_err(a, &why, &e);
			return account_failed(a, &e);
		}
		if (!load_pending(a, &e))
			return account_failed(a, &e);
	}
	a->locked_since = 0;
	if (file_changed(a, ACCOUNT_FILE_KEY))
		reread_key(a);
	if (file_changed(a, ACCOUNT_FILE_REGISTRATION))
		reread_registration(a);
	account_file_seen(a, ACCOUNT_FILE_PENDING);
	return ACCOUNT_DIRECTORY;
}

enum account_state
account_enter_locked(struct account *a)
{
	int64_t now = clock_mono_ms();
	struct err e;

	err_set(&e, ERR_BUSY, "another program is changing its key");
	if (a->locked_since == 0) {
		a->locked_since = now;
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &e);
	}
	err_prefix(&e, "account");
	if (now - a->locked_since >= LOCKED_MAX_MS)
		return account_failed(a, &e);
	a->moves = 0;
	timer_start(a->timer, LOCKED_LOOK_MS);
	return ACCOUNT_LOCKED;
}
