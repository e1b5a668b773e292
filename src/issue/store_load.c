/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/chain.h"
#include "issue/store_meta.h"
#include "issue/store_path.h"

struct store_loader {
	char *dir;
	struct meta_file *meta; /* of the last store_load_all */
	char key[SHA384_HEX];
	char pem[CHAIN_MAX_BYTES + 1];
};

struct store_loader *
store_loader_new(const char *dir)
{
	struct store_loader *l = xmalloc(sizeof(*l));

	l->dir = xstrdup(dir);
	l->meta = NULL;
	return l;
}

void
store_loader_free(struct store_loader *l)
{
	if (l == NULL)
		return;
	store_meta_free(l->meta);
	free(l->dir);
	free(l);
}

/* ---- files ---- */

static enum store_found
not_opened(int error, const char *path, struct err *e)
{
	if (error == ENOENT || error == ENOTDIR)
		return STORE_ABSENT;
	err_errno(e, ERR_CONFIG, error, "cannot read %s", path);
	return STORE_UNREADABLE;
}

/* Reads at most max bytes into out, and a NUL. */
static enum store_found
read_file(const char *path, char *out, size_t max, size_t *ret_len, struct file_stamp *ret_stamp,
    struct err *e)
{
	/* A pipe that lies there must not stop us before it is seen for what it is. */
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t len = 0;

	if (fd < 0)
		return not_opened(errno, path, e);
	if (fstat(fd, &st) != 0)
		return not_opened(errno, path, e);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)max || st.st_size == 0) {
		err_set(e, ERR_CONFIG, "%s is no regular file of 1 to %zu bytes", path, max);
		return STORE_DAMAGED;
	}
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, out + len, (size_t)st.st_size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return not_opened(errno, path, e);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	out[len] = '\0';
	*ret_len = len;
	*ret_stamp = file_stamp_of(&st);
	return STORE_FOUND;
}

static enum store_found
stat_file(const char *path, struct file_stamp *ret_stamp, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return not_opened(errno, path, e);
	*ret_stamp = file_stamp_of(&st);
	return STORE_FOUND;
}

static enum store_found
read_meta(const char *dir, const char *key, struct file_stamp *ret_stamp, struct meta_file **ret,
    struct err *e)
{
	struct store_path path;
	CLEANUP_FREE char *text = xmalloc(STORE_META_MAX + 1);
	size_t len = 0;

	store_path_part(&path, dir, key, STORE_META);
	enum store_found found = read_file(path.text, text, STORE_META_MAX, &len, ret_stamp, e);
	if (found != STORE_FOUND)
		return found;
	*ret = store_meta_parse(text, len, e);
	if (*ret != NULL)
		return STORE_FOUND;
	err_prefix(e, "%s", path.text);
	return STORE_DAMAGED;
}

struct meta_file *
store_load_meta(const char *dir, const char *key, struct file_stamp *ret_stamp, struct err *e)
{
	struct meta_file *f = NULL;

	err_clear(e);
	read_meta(dir, key, ret_stamp, &f, e);
	return f;
}

/* ---- entries ---- */

/* What the files say: facts for the index, and the meta.json itself (NULL for an entry of the
 * original). */
static enum store_found
parse(struct store_loader *l, const char *key, size_t len, struct store_facts *facts,
    struct meta_file **ret_meta, struct err *e)
{
	struct store_path path;
	struct file_stamp csr;
	struct err why;

	enum store_found found = stat_file(store_path_part(&path, l->dir, key, STORE_CSR), &csr, e);
	if (found != STORE_FOUND)
		return found;
	if (!chain_leaf_info(l->pem, len, &facts->leaf, &why)) {
		store_path_part(&path, l->dir, key, STORE_CERT);
		err_set(e, ERR_CONFIG, "%s: %s", path.text, why.detail);
		return STORE_DAMAGED;
	}
	found = read_meta(l->dir, key, &facts->meta, ret_meta, e);
	facts->has_meta = found == STORE_FOUND;
	return found == STORE_ABSENT ? STORE_FOUND : found;
}

/* meta.json is put in place before cert.pem: a crash in between leaves the description of another
 * certificate, maybe of another CA. */
static enum store_found
take_meta(const struct store_loader *l, const char *key, const struct meta_file *meta,
    struct store_facts *facts, struct err *e)
{
	const struct store_meta *m = store_meta_of(meta);
	struct store_path path;

	if (strcmp(m->leaf.serial, facts->leaf.serial) != 0) {
		err_set(e, ERR_CONFIG, "%s describes another certificate",
		    store_path_part(&path, l->dir, key, STORE_META));
		return STORE_DAMAGED;
	}
	facts->directory_url = m->directory_url;
	facts->profile = m->profile;
	facts->issued = m->issued;
	facts->fetched = m->fetched;
	return STORE_FOUND;
}

static enum store_found
read_cert(struct store_loader *l, const char *key, size_t *ret_len, struct file_stamp *ret_stamp,
    struct err *e)
{
	struct store_path path;

	store_path_part(&path, l->dir, key, STORE_CERT);
	return read_file(path.text, l->pem, CHAIN_MAX_BYTES, ret_len, ret_stamp, e);
}

static enum store_found
learn(struct store_loader *l, const char *key, size_t len, struct store_facts *facts,
    struct meta_file **ret_meta, struct err *e)
{
	enum store_found found = parse(l, key, len, facts, ret_meta, e);

	if (found == STORE_FOUND && *ret_meta != NULL)
		found = take_meta(l, key, *ret_meta, facts, e);
	return found;
}

static bool
is_known(const struct store_loader *l, const char *key, const struct store_facts *known,
    const struct file_stamp *cert)
{
	struct store_path path;
	struct file_stamp meta;

	if (known == NULL || !file_stamp_equal(&known->cert, cert))
		return false;
	store_path_part(&path, l->dir, key, STORE_META);
	bool has_meta = stat_file(path.text, &meta, NULL) == STORE_FOUND;
	return has_meta == known->has_meta && (!has_meta || file_stamp_equal(&known->meta, &meta));
}

static void
fill(struct store_loader *l, const char *key, const char *pem, size_t len,
    const struct store_facts *facts, struct store_entry *ret)
{
	memcpy(l->key, key, sizeof(l->key));
	*ret = (struct store_entry){
	    .key = l->key,
	    .pem = pem,
	    .pem_len = len,
	    .has_meta = facts->has_meta,
	    .meta =
		{
		    .directory_url = facts->directory_url,
		    .profile = facts->profile,
		    .leaf = facts->leaf,
		    .issued = facts->issued,
		    .fetched = facts->fetched,
		},
	};
}

/* What is kept in memory, if nobody has touched the files. */
static bool
load_kept(
    struct store_loader *l, struct store_index *index, const char *key, struct store_entry *ret)
{
	const struct store_facts *known = store_index_get(index, key);
	struct store_path path;
	struct file_stamp cert;

	if (known == NULL || known->pem == NULL)
		return false;
	store_path_part(&path, l->dir, key, STORE_CERT);
	if (stat_file(path.text, &cert, NULL) != STORE_FOUND || !is_known(l, key, known, &cert))
		return false;
	fill(l, key, known->pem, known->pem_len, known, ret);
	return true;
}

enum store_found
store_load(struct store_loader *l, struct store_index *index, const char *key,
    struct store_entry *ret, struct err *e)
{
	struct store_facts facts = {0};
	struct meta_file *meta = NULL;
	size_t len;

	if (load_kept(l, index, key, ret))
		return STORE_FOUND;
	enum store_found found = read_cert(l, key, &len, &facts.cert, e);
	if (found != STORE_FOUND) {
		store_index_remove(index, key);
		return found;
	}
	const struct store_facts *known = store_index_get(index, key);
	if (!is_known(l, key, known, &facts.cert)) {
		found = learn(l, key, len, &facts, &meta, e);
		known = found == STORE_FOUND ? store_index_put(index, key, &facts) : NULL;
		store_meta_free(meta);
	}
	if (known == NULL) {
		store_index_remove(index, key);
	} else {
		store_index_keep_pem(index, key, l->pem, len);
		fill(l, key, l->pem, len, known, ret);
	}
	return found;
}

enum store_found
store_load_all(struct store_loader *l, const char *key, struct store_entry *ret, struct err *e)
{
	struct store_facts facts = {0};
	size_t len;

	store_meta_free(l->meta);
	l->meta = NULL;
	enum store_found found = read_cert(l, key, &len, &facts.cert, e);
	if (found == STORE_FOUND)
		found = learn(l, key, len, &facts, &l->meta, e);
	if (found != STORE_FOUND)
		return found;
	fill(l, key, l->pem, len, &facts, ret);
	if (l->meta != NULL) {
		ret->meta = *store_meta_of(l->meta);
		ret->meta.leaf = facts.leaf;
	}
	return STORE_FOUND;
}
