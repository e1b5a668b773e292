/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TSIG key of dns01-dnsUpdate: from the file tsig-keygen writes, or from three options. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/conf_build.h"
#include "app/conf_secret.h"
#include "app/conf_value.h"
#include "base/alloc.h"
#include "base/cleanup.h"
#include "codec/b64url.h"

/* ---- what both ways share ---- */

static const char *const algorithms[] = {
    "hmac-sha256",
    "hmac-sha384",
    "hmac-sha512",
    "hmac-sha224",
    "hmac-sha1",
    "hmac-md5",
};

static bool
set_algorithm(struct conf_build *b, const struct conf_entry *in, const char *value, char **out)
{
	size_t n = sizeof(algorithms) / sizeof(algorithms[0]);

	for (size_t i = 0; i < n; i++)
		if (strcasecmp(algorithms[i], value) == 0) {
			*out = conf_keep_text(b->conf, algorithms[i]);
			return true;
		}
	conf_error(b, in->place, "%s: unknown algorithm \"%s\"%s", in->option->name, value,
	    conf_did_you_mean(value, algorithms, n));
	return false;
}

static bool
set_key_name(struct conf_build *b, const struct conf_entry *in, const char *value, char **out)
{
	struct conf_entry name = {.option = in->option, .value = value, .place = in->place};
	struct conf_setter how = {.name = in->option->name};

	return conf_set_name(b, &name, &how, out);
}

/* base64 of RFC 4648 section 4, as key files have it. */
static bool
set_secret(struct conf_build *b, const struct conf_entry *in, const char *value,
    struct challenge_tsig_conf *out)
{
	size_t len = strcspn(value, "="), n = 0;
	char *text = xstrndup(value, len);
	uint8_t *secret = NULL;

	for (char *p = text; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	bool ok = strspn(value + len, "=") == strlen(value + len) && strpbrk(value, "-_") == NULL &&
	    b64url_decode(text, len, &secret, &n) && n > 0;
	free_secret(text, len);
	if (ok) {
		out->secret = conf_keep_bytes(b->conf, secret, n);
		out->secret_len = n;
	} else {
		conf_error(b, in->place, "%s: the secret is not base64", in->option->name);
	}
	free_secret(secret, n);
	return ok;
}

/* ---- the key file: key "NAME" { algorithm A; secret "S"; }; ---- */

enum { TOKEN_MAX = 1024 };

static const char *
skip_blank(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p == '#' || strncmp(p, "//", 2) == 0) {
			p += strcspn(p, "\n");
		} else if (strncmp(p, "/*", 2) == 0) {
			const char *end = strstr(p + 2, "*/");

			p = end != NULL ? end + 2 : p + strlen(p);
		} else {
			return p;
		}
	}
}

/* The next word, quoted string or sign; "" at the end. */
static void
next_token(const char **pos, char token[TOKEN_MAX])
{
	const char *p = skip_blank(*pos);
	bool quoted = *p == '"';
	size_t n = quoted ? strcspn(++p, "\"\n") : strcspn(p, " \t\r\n{};\"");

	if (!quoted && n == 0 && *p != '\0')
		n = 1;
	size_t kept = n < TOKEN_MAX ? n : TOKEN_MAX - 1;
	memcpy(token, p, kept);
	token[kept] = '\0';
	p += n;
	*pos = quoted && *p == '"' ? p + 1 : p;
}

static bool
take(const char **pos, const char *wanted)
{
	char token[TOKEN_MAX];

	next_token(pos, token);
	return strcasecmp(token, wanted) == 0;
}

static bool
parse_clause(struct conf_build *b, const struct conf_entry *in, const char **pos,
    const char *clause, struct challenge_tsig_conf *out)
{
	char value[TOKEN_MAX];
	bool ok = false;

	next_token(pos, value);
	if (strcasecmp(clause, "algorithm") == 0)
		ok = set_algorithm(b, in, value, &out->algorithm);
	else if (strcasecmp(clause, "secret") == 0)
		ok = set_secret(b, in, value, out);
	explicit_bzero(value, sizeof(value));
	return ok && take(pos, ";");
}

static bool
parse_key(struct conf_build *b, const struct conf_entry *in, const char *text,
    struct challenge_tsig_conf *out)
{
	char token[TOKEN_MAX];

	if (!take(&text, "key"))
		return false;
	next_token(&text, token);
	if (!set_key_name(b, in, token, &out->name) || !take(&text, "{"))
		return false;
	for (next_token(&text, token); strcmp(token, "}") != 0; next_token(&text, token))
		if (!parse_clause(b, in, &text, token, out))
			return false;
	next_token(&text, token);
	return (token[0] == '\0' || strcmp(token, ";") == 0) && *skip_blank(text) == '\0' &&
	    out->algorithm != NULL && out->secret != NULL;
}

static void
read_key_file(struct conf_build *b, const struct conf_entry *in, struct challenge_tsig_conf *out)
{
	struct buf file;
	size_t before;

	buf_init(&file, CONF_SECRET_MAX);
	bool ok = conf_secret_read(b, in, &file);
	before = b->report.count;
	/* A wrong value has had its own sentence. */
	if (ok && !parse_key(b, in, file.data, out) && b->report.count == before)
		conf_error(b, in->place,
		    "tsig-key-file: %s is not one key as tsig-keygen writes it: key \"NAME\" { "
		    "algorithm ...; secret \"...\"; };",
		    in->value);
	if (file.data != NULL)
		explicit_bzero(file.data, file.len);
	buf_done(&file);
}

/* ---- the options ---- */

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
	else if (other == NULL)
		return;
	else if (name == NULL || secret == NULL)
		conf_error(b, other->place, "TSIG needs both tsig-name and tsig-secret");
	else if (set_key_name(b, name, name->value, &out->name))
		set_secret(b, secret, secret->value, out);
	if (file != NULL || name == NULL)
		return;
	if (algorithm != NULL)
		set_algorithm(b, algorithm, algorithm->value, &out->algorithm);
	else
		out->algorithm = conf_keep_text(b->conf, algorithms[0]);
}
