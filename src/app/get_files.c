/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acme/key_file.h"
#include "app/get_options.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "codec/chain.h"
#include "codec/csr.h"
#include "codec/csr_make.h"
#include "codec/key.h"

enum { TEXT_MAX = 64 * 1024, OUT_MODE = 0755, KEY_MODE = 0600, CERT_MODE = 0644 };

/* ---- what is read ---- */

static bool
load_key(struct get_files *f, const char *path, struct err *e)
{
	struct buf pem;

	buf_init(&pem, TEXT_MAX);
	if (file_read(path, &pem, e)) {
		f->key = key_from_pem(pem.data, pem.len, e);
		if (f->key == NULL)
			err_prefix(e, "%s", path);
		explicit_bzero(pem.data, pem.len);
	}
	buf_done(&pem);
	return f->key != NULL;
}

static bool
load_csr(struct get_files *f, const char *path, struct err *e)
{
	struct buf pem;

	buf_init(&pem, TEXT_MAX);
	if (file_read(path, &pem, e)) {
		f->csr = csr_parse(pem.data, pem.len, e);
		if (f->csr == NULL)
			err_prefix(e, "%s", path);
	}
	buf_done(&pem);
	return f->csr != NULL;
}

static bool
check_given(const struct get_files *f, const struct get_options *o, struct err *e)
{
	char in_csr[256], asked[256];

	if (f->key != NULL &&
	    memcmp(key_spki_sha256(f->key), f->csr->spki_sha256, sizeof(f->csr->spki_sha256)) != 0)
		return err_set(e, ERR_CONFIG, "%s is not the key of %s", o->key, o->csr);
	if (o->names.count > 0 && !identifiers_equal(&o->names, &f->csr->names))
		return err_set(e, ERR_CONFIG, "%s is for %s, but --domain says %s", o->csr,
		    identifiers_text(&f->csr->names, in_csr, sizeof(in_csr)),
		    identifiers_text(&o->names, asked, sizeof(asked)));
	return get_options_can_prove(o, &f->csr->names, e);
}

/* ---- what is made ---- */

static bool
make(struct get_files *f, const struct get_options *o, struct err *e)
{
	char *pem;

	f->key = key_generate(o->key_type, e);
	if (f->key == NULL)
		return false;
	f->made = true;
	pem = csr_make(f->key, &o->names, e);
	if (pem == NULL)
		return false;
	/* What is demanded of everybody's request is demanded of this one. */
	f->csr = csr_parse(pem, strlen(pem), e);
	free(pem);
	return f->csr != NULL;
}

bool
get_files_prepare(struct get_files *f, const struct get_options *o, struct err *e)
{
	if (!file_mkdirs(o->out, OUT_MODE, e) || !file_dir_writable(o->out, e))
		return err_prefix(e, "--out");
	if (o->csr == NULL)
		return make(f, o, e);
	return load_csr(f, o->csr, e) && (o->key == NULL || load_key(f, o->key, e)) &&
	    check_given(f, o, e);
}

void
get_files_done(struct get_files *f)
{
	key_free(f->key);
	csr_free(f->csr);
	*f = (struct get_files){0};
}

/* ---- what is written ---- */

static bool
save_key(const struct get_files *f, const char *path, struct err *e)
{
	char *pem = key_to_pem(f->key);
	bool ok = file_write_atomic(path, pem, strlen(pem), KEY_MODE, e);

	free_secret(pem, strlen(pem));
	return ok;
}

bool
get_files_save(const struct get_files *f, const struct get_options *o, const struct chain *chain,
    char **ret_text, struct err *e)
{
	char *key = xasprintf("%s/key.pem", o->out), *cert = xasprintf("%s/cert.pem", o->out);
	bool ok = (!f->made || save_key(f, key, e)) &&
	    file_write_atomic(cert, chain->pem, chain->pem_len, CERT_MODE, e);

	if (ok)
		*ret_text = f->made ? xasprintf("%s, %s", key, cert) : xstrdup(cert);
	free(key);
	free(cert);
	return ok;
}

/* ---- what is revoked ---- */

static struct chain *
load_chain(const char *path, struct err *e)
{
	struct chain *chain = NULL;
	struct buf pem;

	buf_init(&pem, CHAIN_MAX_BYTES);
	if (file_read(path, &pem, e)) {
		chain = chain_parse(pem.data, pem.len, e);
		if (chain == NULL && e != NULL)
			e->kind = ERR_CONFIG;
		if (chain == NULL)
			err_prefix(e, "%s", path);
	}
	buf_done(&pem);
	return chain;
}

static bool
check_own_key(const struct get_files *f, const struct get_options *o, const struct chain *chain,
    struct err *e)
{
	size_t len = sizeof(chain->leaf.spki_sha256);

	if (f->key == NULL || memcmp(key_spki_sha256(f->key), chain->leaf.spki_sha256, len) == 0)
		return true;
	return err_set(
	    e, ERR_CONFIG, "%s is not the key of the certificate in %s", o->key, o->revoke_cert);
}

/* One made now would have issued nothing. */
static bool
check_account(const struct get_options *o, struct err *e)
{
	char *path = account_path(o->account_dir, "account.pem");
	bool there = o->key != NULL || access(path, R_OK) == 0;

	if (!there)
		err_errno(e, ERR_CONFIG, errno,
		    "the key of the account that ordered it (--account-dir), or its own key "
		    "(--key) is needed: %s",
		    path);
	free(path);
	return there;
}

bool
get_files_to_revoke(
    struct get_files *f, const struct get_options *o, struct chain **ret, struct err *e)
{
	struct chain *chain = load_chain(o->revoke_cert, e);

	if (chain != NULL && check_account(o, e) && (o->key == NULL || load_key(f, o->key, e)) &&
	    check_own_key(f, o, chain, e)) {
		*ret = chain;
		return true;
	}
	chain_free(chain);
	return false;
}
