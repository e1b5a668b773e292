/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [account] */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/conf_build.h"
#include "app/conf_value.h"
#include "base/alloc.h"
#include "codec/b64url.h"
#include "codec/uri.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- acme-server ---- */

/* Version 1 of the protocol is gone; the original's older documentation names these. */
static const struct {
	const char *host;
	const char *now;
} retired[] = {
    {"acme-v01.api.letsencrypt.org", "https://acme-v02.api.letsencrypt.org/directory"},
    {"acme-staging.api.letsencrypt.org", "https://acme-staging-v02.api.letsencrypt.org/directory"},
};

static void
check_retired(struct conf_build *b, const struct conf_entry *in, const struct uri *uri)
{
	for (size_t i = 0; i < COUNT(retired); i++)
		if (strcmp(uri->host, retired[i].host) == 0)
			conf_warn(b, in->place,
			    "acme-server: %s spoke ACME version 1 and was switched off; use %s",
			    retired[i].host, retired[i].now);
}

static bool
set_server(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	struct uri uri;
	struct err e;

	if (!uri_parse(in->value, strlen(in->value), &uri, &e)) {
		conf_error(b, in->place, "acme-server: %s", e.detail);
		return false;
	}
	if (!uri.https && !uri_is_loopback(&uri)) {
		conf_error(b, in->place,
		    "acme-server: \"%s\": http:// is only for a CA on this machine; use https://",
		    in->value);
		return false;
	}
	check_retired(b, in, &uri);
	/* Requests to a CA of our own need no brake. */
	if (uri_is_loopback(&uri)) {
		b->conf->ca.requests_per_second = 0;
		b->conf->ca.requests_burst = 0;
	}
	return conf_set_text(b, in, how, out);
}

/* ---- ca-requests ---- */

static bool
parse_requests(const char *text, double *ret_rate, unsigned *ret_burst)
{
	char *end;
	double rate = strtod(text, &end);
	double burst = rate * 40 / 15;

	if (end == text || !isdigit((unsigned char)text[0]) || !(rate >= 0 && rate <= 10000))
		return false;
	if (*end != '\0') {
		text = end + strspn(end, " \t");
		burst = strtod(text, &end);
		if (end == text || text[-1] > ' ' || !isdigit((unsigned char)text[0]) ||
		    *end != '\0' || !(burst >= 1 && burst <= 100000))
			return false;
	}
	*ret_rate = rate;
	*ret_burst = burst < 1 ? 1 : (unsigned)burst;
	return true;
}

static bool
set_requests(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	struct ca_conf *ca = out;

	if (parse_requests(in->value, &ca->requests_per_second, &ca->requests_burst))
		return true;
	conf_error(b, in->place,
	    "ca-requests: \"%s\" is not RATE or RATE BURST, requests a second (0: no limit)",
	    in->value);
	return false;
}

/* ---- the other values ---- */

static bool
set_key_type(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	if (key_type_parse(in->value, out))
		return true;
	conf_error(b, in->place,
	    "key-type: \"%s\" is none of ec256, ec384, rsa2048, rsa3072, rsa4096", in->value);
	return false;
}

static bool
set_ca_file(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	if (access(in->value, R_OK) != 0) {
		conf_error(b, in->place, "ca-file: %s: %m", in->value);
		return false;
	}
	return conf_set_text(b, in, how, out);
}

static bool
set_eab_key(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	struct ca_conf *ca = out;
	size_t len = strlen(in->value), n;
	uint8_t *key = NULL;

	/* Some CAs print the padding that base64url does without. */
	while (len > 0 && in->value[len - 1] == '=')
		len--;
	if (!b64url_decode(in->value, len, &key, &n) || n == 0) {
		free(key);
		conf_error(b, in->place, "eab-hmac-key is not base64url (A-Z a-z 0-9 - _)");
		return false;
	}
	ca->eab_key = conf_keep_bytes(b->conf, key, n);
	ca->eab_key_len = n;
	free_secret(key, n);
	return true;
}

bool
conf_is_contact(const char *text)
{
	static const char scheme[] = "mailto:";

	if (strncasecmp(text, scheme, strlen(scheme)) != 0)
		return false;
	const char *at = strchr(text, '@');
	/* RFC 8555 7.3: one address, no header fields. */
	return at != NULL && at > text + strlen(scheme) && at[1] != '\0' &&
	    strpbrk(text, "?,; \t<>") == NULL;
}

static void
set_contacts(struct conf_build *b, const struct conf_section *s)
{
	size_t n;
	struct conf_entry *in = conf_list(b, s, "account", NULL, "contact", &n, NULL);
	struct ca_conf *ca = &b->conf->ca;

	ca->contacts = conf_keep(b->conf, n, sizeof(*ca->contacts));
	for (size_t i = 0; i < n; i++) {
		if (!conf_is_contact(in[i].value))
			conf_error(b, in[i].place,
			    "contact: \"%s\" is not an address such as mailto:admin@example.org",
			    in[i].value);
		else
			ca->contacts[ca->contact_count++] = conf_keep_text(b->conf, in[i].value);
	}
}

/* ---- the section ---- */

static const struct conf_setter setters[] = {
    {"acme-server", set_server, offsetof(struct ca_conf, directory_url)},
    {"dir", conf_set_text, offsetof(struct ca_conf, dir)},
    {"key-type", set_key_type, offsetof(struct ca_conf, key_type)},
    {"eab-kid", conf_set_text, offsetof(struct ca_conf, eab_kid)},
    {"eab-hmac-key", set_eab_key, 0},
    {"profile", conf_set_text, offsetof(struct ca_conf, profile)},
};

static const struct conf_setter requests = {"ca-requests", set_requests, 0};
static const struct conf_setter ca_file = {"ca-file", set_ca_file, 0};

static void
check_whole(struct conf_build *b, const struct conf_section *s)
{
	const struct ca_conf *ca = &b->conf->ca;
	const struct conf_entry *kid = conf_entry_find(s, "eab-kid");
	const struct conf_entry *key = conf_entry_find(s, "eab-hmac-key");
	struct conf_place place = s != NULL ? s->place : b->start;

	if (ca->dir == NULL && !conf_given(s, "dir"))
		conf_error(b, place,
		    "[account] dir is missing: the directory of account.pem and "
		    "registration.json");
	if (kid != NULL && key == NULL)
		conf_error(b, kid->place, "eab-kid without eab-hmac-key: give both or neither");
	if (key != NULL && kid == NULL)
		conf_error(b, key->place, "eab-hmac-key without eab-kid: give both or neither");
}

void
conf_build_account(struct conf_build *b)
{
	const struct conf_section *s = conf_sections_one(&b->sections, "account");
	struct ca_conf *ca = &b->conf->ca;

	conf_set(b, NULL, "account", NULL, &requests, 1, ca);
	conf_set(b, s, "account", NULL, setters, COUNT(setters), ca);
	if (conf_entry_find(s, "ca-requests") != NULL)
		conf_set(b, s, "account", NULL, &requests, 1, ca);
	conf_set(b, s, "account", NULL, &ca_file, 1, &b->conf->ca_file);
	b->conf->account_said = conf_keep_section(b->conf, s);
	b->conf->dir_at = conf_at(b, s, "dir");
	b->conf->ca_file_at = conf_at(b, s, "ca-file");
	set_contacts(b, s);
	conf_build_terms(b, s);
	check_whole(b, s);
}
