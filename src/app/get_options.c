/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get_options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/text.h"
#include "codec/uri.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char get_options_usage[] =
    "usage: acme-get http01|dns01 --dir URL --record IP --domain NAME... [options]\n"
    "       acme-get --revoke-cert FILE --dir URL [options]\n"
    "       acme-get --version | --help\n"
    "\n"
    "Gets one certificate, answering the challenges itself, and serves it over HTTPS.\n"
    "\n"
    "  --dir URL             directory of the CA\n"
    "  --record IP           what its name server answers for every name\n"
    "  --domain NAME         a name of the certificate; several\n"
    "  --csr FILE            use this signing request instead of making key and request\n"
    "  --key FILE            the private key of --csr, or of --revoke-cert\n"
    "  --key-type TYPE       rsa2048 (default), rsa3072, rsa4096, ec256, ec384\n"
    "  --out DIR             where key.pem and cert.pem are written (.)\n"
    "  --account-dir DIR     where the account is (OUT/account)\n"
    "  --ca-file FILE        what is trusted for the TLS of the CA\n"
    "  --revoke              revoke the certificate when it is written\n"
    "  --revoke-cert FILE    revoke the certificate in FILE, and end\n"
    "  --reason N            why: 0 (default), 1, 4 or 5\n"
    "  --serve, --no-serve   serve the certificate until told to end (default), or end at once\n"
    "  --http-listen HOST:PORT, --dns-listen HOST:PORT     challenges (port 5002; 10053)\n"
    "  --https-listen HOST:PORT                            the certificate (port 5001)\n"
    "  --control-listen HOST:PORT                          GET /shutdown ends (loopback, port "
    "5003)\n"
    "  --verbose             say everything\n"
    "\n"
    "See acme-get(1).\n";

/* ---- values ---- */

typedef bool set_fn(struct get_options *o, const char *value, struct err *e);

static bool
set_directory(struct get_options *o, const char *value, struct err *e)
{
	struct uri uri;

	if (!uri_parse(value, strlen(value), &uri, e))
		return false;
	if (!uri.https && !uri_is_loopback(&uri))
		return err_set(e, ERR_CONFIG,
		    "\"%s\": http:// is only for a CA on this machine; use https://", value);
	o->directory = value;
	return true;
}

static bool
set_record(struct get_options *o, const char *value, struct err *e)
{
	o->has_record = ip_addr_parse(value, strlen(value), &o->record);
	return o->has_record || err_set(e, ERR_CONFIG, "\"%s\" is no IP address", value);
}

static bool
set_domain(struct get_options *o, const char *value, struct err *e)
{
	struct ip_addr ip;
	struct identifier id;

	if (ip_addr_parse(value, strlen(value), &ip))
		identifier_ip(&ip, &id);
	else if (!identifier_dns(value, strlen(value), &id, e))
		return false;
	identifiers_add(&o->names, &id);
	return true;
}

static bool
set_key_type(struct get_options *o, const char *value, struct err *e)
{
	o->key_type_given = key_type_parse(value, &o->key_type);
	return o->key_type_given ||
	    err_set(
		e, ERR_CONFIG, "\"%s\" is none of rsa2048, rsa3072, rsa4096, ec256, ec384", value);
}

static bool
set_reason(struct get_options *o, const char *value, struct err *e)
{
	static const enum revoke_reason reasons[] = {
	    REVOKE_UNSPECIFIED, REVOKE_KEY_COMPROMISE, REVOKE_SUPERSEDED, REVOKE_CESSATION};
	uint64_t n;

	o->reason_given = true;
	if (text_parse_uint(value, strlen(value), REVOKE_CESSATION, &n)) {
		for (size_t i = 0; i < COUNT(reasons); i++) {
			o->reason = reasons[i];
			if (n == reasons[i])
				return true;
		}
	}
	return err_set(e, ERR_CONFIG,
	    "\"%s\" is none of 0 (unspecified), 1 (key compromise), 4 (superseded), 5 (cessation "
	    "of operation)",
	    value);
}

/* ---- the table ---- */

enum row_form { ROW_FLAG, ROW_VALUE, ROW_TEXT, ROW_LISTEN };

/* A value has a function; everything else goes to its member. */
static const struct row {
	const char *name;
	enum row_form form;
	set_fn *set;
	size_t member;
} rows[] = {
    {"account-dir", ROW_TEXT, NULL, offsetof(struct get_options, account_dir)},
    {"ca-file", ROW_TEXT, NULL, offsetof(struct get_options, ca_file)},
    {"control-listen", ROW_LISTEN, NULL, offsetof(struct get_options, control)},
    {"csr", ROW_TEXT, NULL, offsetof(struct get_options, csr)},
    {"dir", ROW_VALUE, set_directory, 0},
    {"dns-listen", ROW_LISTEN, NULL, offsetof(struct get_options, dns)},
    {"domain", ROW_VALUE, set_domain, 0},
    {"http-listen", ROW_LISTEN, NULL, offsetof(struct get_options, http)},
    {"https-listen", ROW_LISTEN, NULL, offsetof(struct get_options, https)},
    {"key", ROW_TEXT, NULL, offsetof(struct get_options, key)},
    {"key-type", ROW_VALUE, set_key_type, 0},
    {"no-serve", ROW_FLAG, NULL, offsetof(struct get_options, no_serve)},
    {"out", ROW_TEXT, NULL, offsetof(struct get_options, out)},
    {"reason", ROW_VALUE, set_reason, 0},
    {"record", ROW_VALUE, set_record, 0},
    {"revoke", ROW_FLAG, NULL, offsetof(struct get_options, revoke)},
    {"revoke-cert", ROW_TEXT, NULL, offsetof(struct get_options, revoke_cert)},
    {"serve", ROW_FLAG, NULL, offsetof(struct get_options, want_serve)},
    {"verbose", ROW_FLAG, NULL, offsetof(struct get_options, verbose)},
};

enum { VALUE_HELP = 'h', VALUE_VERSION = 'V', VALUE_ROWS = 1000 };

/* Names are looked up when the listener is opened. */
static bool
add_listen(struct get_listen *l, const char *value, struct err *e)
{
	struct host_port at;

	if (strncmp(value, "unix:", 5) != 0 && !host_port_parse(value, 0, &at, e))
		return false;
	if (l->is_default)
		*l = (struct get_listen){0};
	if (l->count == GET_LISTEN_MAX)
		return err_set(e, ERR_CONFIG, "only %d can be given", GET_LISTEN_MAX);
	l->specs[l->count++] = (char *)value;
	return true;
}

static bool
set(struct get_options *o, const struct row *row, const char *value, struct err *e)
{
	void *member = (char *)o + row->member;
	bool ok = true;

	if (row->form != ROW_FLAG && value[0] == '\0')
		ok = err_set(e, ERR_CONFIG, "empty");
	else if (row->form == ROW_FLAG)
		*(bool *)member = true;
	else if (row->form == ROW_TEXT)
		*(const char **)member = value;
	else if (row->form == ROW_LISTEN)
		ok = add_listen(member, value, e);
	else
		ok = row->set(o, value, e);
	if (ok)
		return true;
	if (e != NULL)
		e->kind = ERR_CONFIG;
	return err_prefix(e, "--%s", row->name);
}

/* ---- what has to go together ---- */

static bool
check_revoke_cert(const struct get_options *o, struct err *e)
{
	if (o->revoke || o->want_serve || o->csr != NULL || o->names.count > 0)
		return err_set(e, ERR_CONFIG,
		    "--revoke-cert does nothing else: it goes with --dir, --account-dir or --key, "
		    "--reason and --ca-file");
	return true;
}

static bool
check_csr(struct get_options *o, struct err *e)
{
	if (o->csr == NULL && o->names.count == 0)
		return err_set(e, ERR_CONFIG, "--domain is missing: the names to get");
	if (o->csr == NULL && o->key != NULL)
		return err_set(
		    e, ERR_CONFIG, "--key goes with --csr or --revoke-cert; a new key is made");
	if (o->csr != NULL && o->key_type_given)
		return err_set(
		    e, ERR_CONFIG, "--key-type makes no sense with --csr: there is a key already");
	if (o->want_serve && o->no_serve)
		return err_set(e, ERR_CONFIG, "--serve and --no-serve: which?");
	if (o->csr != NULL && o->key == NULL && o->want_serve)
		return err_set(
		    e, ERR_CONFIG, "--serve with --csr needs the private key: add --key FILE");
	o->serve = !o->no_serve && (o->csr == NULL || o->key != NULL);
	return true;
}

bool
get_options_can_prove(const struct get_options *o, const struct identifiers *names, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct identifier *id = &names->items[i];

		if (o->kind == GET_HTTP01 && identifier_is_wildcard(id))
			return err_set(
			    e, ERR_CONFIG, "%s: a wildcard can only be had with dns01", id->value);
		if (o->kind == GET_DNS01 && id->kind == IDENTIFIER_IP)
			return err_set(e, ERR_CONFIG,
			    "%s: an IP address can only be had with http01", id->value);
	}
	return true;
}

/* Two servers on one address would take the connections from each other. */
static bool
check_listeners(const struct get_options *o, struct err *e)
{
	const struct get_listen *all[] = {&o->http, &o->https, &o->control};

	for (size_t i = 0; i < COUNT(all) * GET_LISTEN_MAX; i++) {
		const struct get_listen *a = all[i / GET_LISTEN_MAX];
		const char *spec = a->specs[i % GET_LISTEN_MAX];

		for (size_t k = 0; spec != NULL && k < i; k++) {
			const char *other = all[k / GET_LISTEN_MAX]->specs[k % GET_LISTEN_MAX];

			if (other != NULL && strcmp(spec, other) == 0)
				return err_set(e, ERR_CONFIG, "%s is given twice", spec);
		}
	}
	return true;
}

static bool
check_whole(struct get_options *o, struct err *e)
{
	if (o->directory == NULL)
		return err_set(e, ERR_CONFIG, "--dir is missing: the directory URL of the CA");
	if (o->reason_given && !o->revoke && o->kind != GET_REVOKE_CERT)
		return err_set(e, ERR_CONFIG, "--reason goes with --revoke or --revoke-cert");
	if (o->kind == GET_REVOKE_CERT)
		return check_revoke_cert(o, e);
	if (!o->has_record)
		return err_set(e, ERR_CONFIG,
		    "--record is missing: the address under which the CA finds this machine");
	return check_csr(o, e) && check_listeners(o, e) && get_options_can_prove(o, &o->names, e);
}

static bool
set_kind(struct get_options *o, char *const *operands, int count, struct err *e)
{
	if (o->revoke_cert != NULL)
		o->kind = GET_REVOKE_CERT;
	if (o->revoke_cert != NULL)
		return count == 0 ||
		    err_set(e, ERR_CONFIG, "\"%s\": nothing is ordered with --revoke-cert",
			operands[0]);
	if (count == 0)
		return err_set(e, ERR_CONFIG, "say http01 or dns01");
	if (count > 1)
		return err_set(e, ERR_CONFIG, "\"%s\" is too much: names are given with --domain",
		    operands[1]);
	if (strcmp(operands[0], "http01") != 0 && strcmp(operands[0], "dns01") != 0)
		return err_set(e, ERR_CONFIG, "\"%s\" is neither http01 nor dns01", operands[0]);
	o->kind = operands[0][0] == 'h' ? GET_HTTP01 : GET_DNS01;
	return true;
}

/* ---- the whole ---- */

static void
defaults(struct get_options *o)
{
	*o = (struct get_options){
	    .out = ".",
	    .key_type = KEY_RSA2048,
	    .http = {{"0.0.0.0:5002", "[::]:5002"}, 2, true},
	    .dns = {{"0.0.0.0:10053", "[::]:10053"}, 2, true},
	    .https = {{"0.0.0.0:5001", "[::]:5001"}, 2, true},
	    .control = {{"127.0.0.1:5003", "[::1]:5003"}, 2, true},
	};
}

static enum get_wish
parse(struct get_options *o, int argc, char *const *argv, struct err *e)
{
	struct option options[COUNT(rows) + 3] = {
	    {"help", no_argument, NULL, VALUE_HELP},
	    {"version", no_argument, NULL, VALUE_VERSION},
	};
	int c;

	for (size_t i = 0; i < COUNT(rows); i++)
		options[i + 2] = (struct option){rows[i].name,
		    rows[i].form == ROW_FLAG ? no_argument : required_argument, NULL,
		    VALUE_ROWS + (int)i};
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, ":hV", options, NULL)) != -1) {
		if (c == VALUE_HELP)
			return GET_WISH_HELP;
		if (c == VALUE_VERSION)
			return GET_WISH_VERSION;
		if (c < VALUE_ROWS) {
			err_set(e, ERR_CONFIG, "%s: %s", argv[optind - 1],
			    c == ':' ? "its value is missing" : "no such option");
			return GET_WISH_WRONG;
		}
		if (!set(o, &rows[c - VALUE_ROWS], optarg, e))
			return GET_WISH_WRONG;
	}
	return set_kind(o, argv + optind, argc - optind, e) && check_whole(o, e) ? GET_WISH_RUN
										 : GET_WISH_WRONG;
}

enum get_wish
get_options_parse(struct get_options *o, int argc, char *const *argv, struct err *e)
{
	enum get_wish wish;

	defaults(o);
	wish = parse(o, argc, argv, e);
	if (o->account_dir == NULL)
		o->account_dir = o->account_dir_made = xasprintf("%s/account", o->out);
	return wish;
}

void
get_options_done(struct get_options *o)
{
	identifiers_done(&o->names);
	free(o->account_dir_made);
}
