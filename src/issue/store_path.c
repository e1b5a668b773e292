/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_path.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const part_names[] = {
    [STORE_CSR] = "csr.pem",
    [STORE_META] = "meta.json",
    [STORE_CERT] = "cert.pem",
};
static_assert(sizeof(part_names) / sizeof(part_names[0]) == STORE_PARTS, "a name for each part");

static const char *const temp_names[] = {
    [STORE_CSR] = ".csr.pem.new",
    [STORE_META] = ".meta.json.new",
    [STORE_CERT] = ".cert.pem.new",
};
static_assert(sizeof(temp_names) / sizeof(temp_names[0]) == STORE_PARTS, "a name for each part");

const char *
store_part_name(enum store_part part)
{
	return part_names[part];
}

const char *
store_temp_name(enum store_part part)
{
	return temp_names[part];
}

/* ---- paths; store_file_new has made sure that they fit ---- */

const char *
store_path_prefix(struct store_path *out, const char *dir, const char *key)
{
	snprintf(out->text, sizeof(out->text), "%s/%.*s", dir, STORE_PREFIX_LEN, key);
	return out->text;
}

const char *
store_path_entry(struct store_path *out, const char *dir, const char *key)
{
	snprintf(out->text, sizeof(out->text), "%s/%.*s/%s", dir, STORE_PREFIX_LEN, key,
	    key + STORE_PREFIX_LEN);
	return out->text;
}

/* By hand: two of them for each answer from the cache. */
static const char *
join(struct store_path *out, const char *dir, const char *key, const char *name)
{
	size_t len = strlen(dir);
	char *p = out->text;

	assert(len + STORE_KEY_LEN + 32 < sizeof(out->text));
	p = mempcpy(p, dir, len);
	*p++ = '/';
	p = mempcpy(p, key, STORE_PREFIX_LEN);
	*p++ = '/';
	p = mempcpy(p, key + STORE_PREFIX_LEN,
	    strnlen(key + STORE_PREFIX_LEN, STORE_KEY_LEN - STORE_PREFIX_LEN));
	*p++ = '/';
	strcpy(p, name);
	return out->text;
}

const char *
store_path_part(struct store_path *out, const char *dir, const char *key, enum store_part part)
{
	return join(out, dir, key, part_names[part]);
}

const char *
store_path_temp(struct store_path *out, const char *dir, const char *key, enum store_part part)
{
	return join(out, dir, key, temp_names[part]);
}

/* ---- walking ---- */

static bool
is_hex_name(const char *name, size_t len)
{
	return strlen(name) == len && strspn(name, "0123456789abcdef") == len;
}

/* The smallest name of len hex digits in the directory that is greater than after. */
static bool
smallest_after(const char *path, size_t len, const char *after, char *ret)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char limit[SHA384_HEX]; /* ret may be after */
	bool found = false;

	if (dir == NULL)
		return false;
	snprintf(limit, sizeof(limit), "%s", after);
	while ((entry = readdir(dir)) != NULL) {
		if (!is_hex_name(entry->d_name, len) || strcmp(entry->d_name, limit) <= 0)
			continue;
		if (found && strcmp(entry->d_name, ret) >= 0)
			continue;
		memcpy(ret, entry->d_name, len + 1);
		found = true;
	}
	closedir(dir);
	return found;
}

bool
store_key_after(const char *dir, const char *cursor, char ret_key[SHA384_HEX])
{
	struct store_path path;
	char prefix[STORE_PREFIX_LEN + 1];
	const char *rest = "";

	snprintf(prefix, sizeof(prefix), "%.*s", STORE_PREFIX_LEN, cursor);
	if (strlen(cursor) > STORE_PREFIX_LEN)
		rest = cursor + STORE_PREFIX_LEN;
	else if (!smallest_after(dir, STORE_PREFIX_LEN, prefix, prefix))
		return false;

	do {
		size_t len = STORE_KEY_LEN - STORE_PREFIX_LEN;
		store_path_prefix(&path, dir, prefix);
		if (smallest_after(path.text, len, rest, ret_key + STORE_PREFIX_LEN)) {
			memcpy(ret_key, prefix, STORE_PREFIX_LEN);
			return true;
		}
		rest = "";
	} while (smallest_after(dir, STORE_PREFIX_LEN, prefix, prefix));
	return false;
}

/* ---- removing ---- */

static bool
remove_file(const char *path, struct err *e)
{
	if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR)
		return true;
	return err_errno(e, ERR_CONFIG, errno, "cannot remove %s", path);
}

bool
store_entry_remove(const char *dir, const char *key, struct err *e)
{
	struct store_path path;

	for (int part = STORE_PARTS - 1; part >= 0; part--) {
		if (!remove_file(store_path_part(&path, dir, key, (enum store_part)part), e))
			return false;
		if (!remove_file(store_path_temp(&path, dir, key, (enum store_part)part), e))
			return false;
	}
	if (rmdir(store_path_entry(&path, dir, key)) != 0 && errno != ENOENT &&
	    errno != ENOTEMPTY && errno != ENOTDIR)
		return err_errno(e, ERR_CONFIG, errno, "cannot remove %s", path.text);
	rmdir(store_path_prefix(&path, dir, key)); /* if it was the last in there */
	return true;
}
