/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TSIG key of dns01-dnsUpdate: from the file tsig-keygen writes, or from three options. */
#include <string.h>
#include <strings.h>

#include "app/conf_build.h"
#include "app/conf_secret.h"
#include "app/conf_value.h"
#include "dns/tsig_key.h"

static const char *const algorithms[] = {
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
    "hmac-sha224",
    "hmac-sha1",
};

static void
keep(struct conf_build *b, struct tsig_key *key, struct challenge_tsig_conf *out)
{
	out->name = conf_keep_text(b->conf, key->name);
	out->algorithm = conf_keep_text(b->conf, tsig_algorithm_name(key->algorithm));
	out->secret = conf_keep_bytes(b->conf, key->secret, key->secret_len);
	out->secret_len = key->secret_len;
	tsig_key_done(key);
}

static void
read_key_file(struct conf_build *b, const struct conf_entry *in, struct challenge_tsig_conf *out)
{
	struct tsig_key key;
	struct buf file;
	struct err e;

	buf_init(&file, CONF_SECRET_MAX);
	if (conf_secret_read(b, in, &file)) {
		if (tsig_key_parse(file.data != NULL ? file.data : "", file.len, &key, &e))
			keep(b, &key, out);
		else
			conf_error(b, in->place,
			    "tsig-key-file: %s is not one key as tsig-keygen writes it: %s",
			    in->value, e.detail);
	}
	if (file.data != NULL)
		explicit_bzero(file.data, file.len);
	buf_done(&file);
}

static bool
check_algorithm(struct conf_build *b, const struct conf_entry *in)
{
	size_t n = sizeof(algorithms) / sizeof(algorithms[0]);

	for (size_t i = 0; i < n; i++)
		if (strcasecmp(algorithms[i], in->value) == 0)
			return true;
	conf_error(b, in->place, "%s: unknown algorithm \"%s\"%s", in->option->name, in->value,
	    conf_did_you_mean(in->value, algorithms, n));
	return false;
}

static void
take_options(struct conf_build *b, const struct conf_entry *name,
    const struct conf_entry *algorithm, const struct conf_entry *secret,
    struct challenge_tsig_conf *out)
{
	struct tsig_key key;
	struct err e;

	if (algorithm != NULL && !check_algorithm(b, algorithm))
		return;
	const char *wanted = algorithm != NULL ? algorithm->value : algorithms[0];
	if (tsig_key_make(name->value, wanted, secret->value, &key, &e))
		keep(b, &key, out);
	else
		conf_error(b, secret->place, "tsig-name with tsig-secret: %s", e.detail);
}

void
conf_build_tsig(struct conf_build *b, const struct conf_section *s, struct challenge_tsig_conf *out)
{
	const struct conf_entry *file = conf_entry_find(s, "tsig-key-file");
	const struct conf_entry *name = conf_entry_find(s, "tsig-name");
	const struct conf_entry *algorithm = conf_entry_find(s, "tsig-algorithm");
	const struct conf_entry *secret = conf_entry_find(s, "tsig-secret");
	const struct conf_entry *other = name != NULL ? name : secret != NULL ? secret : algorithm;

	if (file != NULL && other != NULL)
		conf_error(b, other->place, "%s beside tsig-key-file: give one or the other",
		    other->option->name);
	else if (file != NULL)
		read_key_file(b, file, out);
	else if (other != NULL && (name == NULL || secret == NULL))
		conf_error(b, other->place, "TSIG needs both tsig-name and tsig-secret");
	else if (other != NULL)
		take_options(b, name, algorithm, secret, out);
}
