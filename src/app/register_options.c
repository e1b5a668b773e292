/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/register_options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/conf.h"
#include "base/alloc.h"

const char register_usage[] =
    "usage: acme-register [options] CONFIG...\n"
    "       acme-register --version | --help\n"
    "\n"
    "The account of acmems at its CA: made, changed, shown. Without an action it is\n"
    "looked at and shown.\n"
    "\n"
    "  --gen-key                  make the account's key\n"
    "  --force                    also if there is one already\n"
    "  --key-type TYPE            ec256, ec384, rsa2048, rsa3072 or rsa4096\n"
    "  --register                 register with the key, unless that is done\n"
    "  --email ADDRESS            contact, in place of all there are; several\n"
    "  --accept-terms-of-service [URL]\n"
    "                             accept these terms, or what they are now\n"
    "  --show                     show the account\n"
    "  --rollover                 another key for the account\n"
    "  --deactivate               end the account, for good\n"
    "  --yes                      do not ask whether to deactivate\n"
    "  --version                  print the version\n"
    "  --help                     print this\n"
    "\n"
    "See acme-register(8) and acmems.conf(5).\n";

enum option_id {
	OPTION_ACCEPT_TERMS = 256,
	OPTION_DEACTIVATE,
	OPTION_EMAIL,
	OPTION_FORCE,
	OPTION_GEN_KEY,
	OPTION_KEY_SIZE,
	OPTION_KEY_TYPE,
	OPTION_REGISTER,
	OPTION_ROLLOVER,
	OPTION_SHOW,
	OPTION_YES,
	OPTION_HELP = 'h',
	OPTION_VERSION = 'V',
};

static const struct option options[] = {
    {"accept-terms-of-service", optional_argument, NULL, OPTION_ACCEPT_TERMS},
    {"deactivate", no_argument, NULL, OPTION_DEACTIVATE},
    {"email", required_argument, NULL, OPTION_EMAIL},
    {"force", no_argument, NULL, OPTION_FORCE},
    {"gen-key", no_argument, NULL, OPTION_GEN_KEY},
    {"help", no_argument, NULL, OPTION_HELP},
    {"key-type", required_argument, NULL, OPTION_KEY_TYPE},
    {"register", no_argument, NULL, OPTION_REGISTER},
    {"rollover", no_argument, NULL, OPTION_ROLLOVER},
    {"show", no_argument, NULL, OPTION_SHOW},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"yes", no_argument, NULL, OPTION_YES},
    /* As the Python program called them. */
    {"override-existing-key", no_argument, NULL, OPTION_FORCE},
    {"private-key-size", required_argument, NULL, OPTION_KEY_SIZE},
    {NULL, 0, NULL, 0},
};

static bool wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool
wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("acme-register: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return false;
}

/* ---- values ---- */

static bool
add_email(struct register_options *o, const char *address)
{
	bool whole = strncasecmp(address, "mailto:", 7) == 0;
	char *contact = whole ? xstrdup(address) : xasprintf("mailto:%s", address);

	if (!conf_is_contact(contact)) {
		free(contact);
		return wrong("--email: \"%s\" is not an address", address);
	}
	o->contacts = xreallocarray(o->contacts, o->contact_count + 1, sizeof(*o->contacts));
	o->contacts[o->contact_count++] = contact;
	return true;
}

/* Terms may stand at any kind of URL: a scheme is what tells it from a file's name. */
static bool
is_url(const char *text)
{
	size_t n =
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");

	return isalpha((unsigned char)text[0]) && text[n] == ':' && text[n + 1] != '\0';
}

/* The URL may stand behind "=", or be the next argument, which is no configuration file then. */
static bool
add_terms(struct register_options *o, char *url, char **argv)
{
	o->accept_terms = true;
	if (url == NULL && argv[optind] != NULL && is_url(argv[optind]) &&
	    access(argv[optind], F_OK) != 0)
		url = argv[optind++];
	if (url == NULL)
		return true;
	if (!is_url(url))
		return wrong("--accept-terms-of-service: \"%s\" is not a URL", url);
	o->terms = xreallocarray(o->terms, o->terms_count + 1, sizeof(*o->terms));
	o->terms[o->terms_count++] = url;
	return true;
}

static bool
set_key_type(struct register_options *o, const char *name)
{
	o->has_key_type = true;
	return key_type_parse(name, &o->key_type) ||
	    wrong("--key-type: \"%s\" is none of ec256, ec384, rsa2048, rsa3072, rsa4096", name);
}

static bool
set_key_size(struct register_options *o, const char *size)
{
	char name[16];

	snprintf(name, sizeof(name), "rsa%.8s", size);
	o->has_key_type = true;
	return key_type_parse(name, &o->key_type) ||
	    wrong("--private-key-size: \"%s\" is none of 2048, 3072, 4096", size);
}

/* ---- the whole ---- */

static bool
take(struct register_options *o, int option, char **argv)
{
	switch (option) {
	case OPTION_ACCEPT_TERMS:
		return add_terms(o, optarg, argv);
	case OPTION_EMAIL:
		return add_email(o, optarg);
	case OPTION_KEY_SIZE:
		return set_key_size(o, optarg);
	case OPTION_KEY_TYPE:
		return set_key_type(o, optarg);
	case OPTION_DEACTIVATE:
		return o->deactivate = true;
	case OPTION_FORCE:
		return o->force = true;
	case OPTION_GEN_KEY:
		return o->gen_key = true;
	case OPTION_REGISTER:
		return o->register_account = true;
	case OPTION_ROLLOVER:
		return o->rollover = true;
	case OPTION_SHOW:
		return o->show = true;
	case OPTION_YES:
		return o->yes = true;
	case OPTION_HELP:
		return o->help = true;
	case OPTION_VERSION:
		return o->version = true;
	default:
		return false; /* getopt has said why */
	}
}

static bool
check_together(const struct register_options *o)
{
	bool other = o->gen_key || o->register_account || o->contact_count > 0 || o->accept_terms ||
	    o->rollover;

	if (o->deactivate && other)
		return wrong("--deactivate goes with no other action");
	if (o->yes && !o->deactivate)
		return wrong("--yes is for --deactivate");
	if (o->gen_key && o->rollover)
		return wrong("--rollover makes the new key itself: leave --gen-key out");
	if (o->force && !o->gen_key)
		return wrong("--force is for --gen-key");
	if (o->has_key_type && !o->gen_key && !o->rollover)
		return wrong("a kind of key is for --gen-key or --rollover");
	if (o->path_count == 0)
		return wrong("no configuration file given");
	return true;
}

bool
register_options_parse(struct register_options *o, int argc, char **argv)
{
	int c;

	*o = (struct register_options){0};
	optind = 0;
	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		if (!take(o, c, argv))
			return false;
	o->paths = argv + optind;
	o->path_count = (size_t)(argc - optind);
	return o->help || o->version || check_together(o);
}

void
register_options_done(struct register_options *o)
{
	for (size_t i = 0; i < o->contact_count; i++)
		free(o->contacts[i]);
	free(o->contacts);
	free(o->terms);
	*o = (struct register_options){0};
}
