/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_options.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "codec/ini.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define HTTP01       "http01"
#define UPDATE       "dns01-dnsUpdate"
#define SERVER       "dns01-server"
#define CHALLTESTSRV "dns01-challtestsrv"

/* Defaults of lists are separated by ", ". The builders parse these very texts. */
static const struct conf_option options[] = {
    {"account", NULL, "acme-server",
	.fallback = "https://acme-staging-v02.api.letsencrypt.org/directory"},
    {"account", NULL, "accept-terms-of-service", .fallback = "no", .list = true, .empty = true},
    {"account", NULL, "dir"},
    {"account", NULL, "contact", .list = true, .empty = true},
    {"account", NULL, "key-type", .fallback = "ec256"},
    {"account", NULL, "ca-file"},
    {"account", NULL, "eab-kid"},
    {"account", NULL, "eab-hmac-key", .secret = true},
    {"account", NULL, "profile"},
    {"account", NULL, "ca-requests", .fallback = "15 40"},

    {"mgmt", NULL, "listener", .fallback = "127.0.0.1:1313, [::1]:1313", .list = true,
	.empty = true},
    {"mgmt", NULL, "mgmt", .list = true, .empty = true},
    {"mgmt", NULL, "max-size", .fallback = "4k"},
    {"mgmt", NULL, "default-verification", .empty = true},
    {"mgmt", NULL, "default-storage", .empty = true},
    {"mgmt", NULL, "timeout", .fallback = "180"},
    {"mgmt", NULL, "order-timeout", .fallback = "600"},
    {"mgmt", NULL, "max-orders", .fallback = "1000"},
    {"mgmt", NULL, "shutdown-timeout", .fallback = "30"},
    {"mgmt", NULL, "trusted-proxy", .list = true, .empty = true},
    {"mgmt", NULL, "proxy-header", .fallback = "X-Forwarded-For"},

    {"verification", NULL, "type"},
    {"verification", HTTP01, "listener", .fallback = "0.0.0.0:1380, [::]:1380", .list = true,
	.empty = true},
    {"verification", UPDATE, "dns-server", .fallback = "127.0.0.1", .list = true},
    {"verification", UPDATE, "ttl", .fallback = "60"},
    {"verification", UPDATE, "timeout", .fallback = "5"},
    {"verification", UPDATE, "tsig-key-file"},
    {"verification", UPDATE, "tsig-name"},
    {"verification", UPDATE, "tsig-algorithm", .fallback = "hmac-sha256"},
    {"verification", UPDATE, "tsig-secret", .secret = true},
    {"verification", UPDATE, "zone"},
    {"verification", UPDATE, "resolver", .list = true, .empty = true},
    {"verification", UPDATE, "follow-cname", .fallback = "yes"},
    {"verification", UPDATE, "propagation-check", .fallback = "yes"},
    {"verification", UPDATE, "propagation-timeout", .fallback = "60"},
    {"verification", SERVER, "listener", .alias = "listeners",
	.fallback = "0.0.0.0:1353, [::]:1353", .list = true, .empty = true},
    {"verification", SERVER, "zone"},
    {"verification", SERVER, "ns"},
    {"verification", SERVER, "record"},
    {"verification", CHALLTESTSRV, "set-txt_url", .alias = "set_txt_url",
	.fallback = "http://localhost:8055/set-txt"},

    {"storage", NULL, "type"},
    {"storage", "file", "directory"},
    {"storage", "file", "renew-within", .fallback = "14"},
    {"storage", "file", "keep", .fallback = "30"},

    {"auth", NULL, "ip", .list = true},
    {"auth", NULL, "hmac_type"},
    {"auth", NULL, "hmac_key", .list = true, .secret = true},
    {"auth", NULL, "hmac_key-file", .list = true},
    {"auth", NULL, "all", .fallback = "no"},
    {"auth", NULL, "domain", .list = true},
    {"auth", NULL, "verification"},
    {"auth", NULL, "storage"},
    {"auth", NULL, "profile"},
    {"auth", NULL, "revoke", .fallback = "no"},

    {"logging", NULL, "level", .fallback = "warning", .empty = true},
    {"logging", NULL, "destination", .fallback = "stderr", .empty = true},
    {"logging", NULL, "format", .fallback = "text", .empty = true},
    {"logging", NULL, "audit"},
    {"logging", NULL, "config-file", .empty = true},

    {"status", NULL, "listener", .list = true, .empty = true},
    {"process", NULL, "user"},
};
static_assert(COUNT(options) <= CONF_OPTIONS_MAX, "room for a mark for each option");

const char *const conf_storage_types[] = {
    [STORE_NONE] = "none",
    [STORE_FILE] = "file",
};
static_assert(COUNT(conf_storage_types) == STORE_TYPE_COUNT, "a name for each type");

const char *const conf_verification_types[] = {
    [CHALLENGE_HTTP01] = HTTP01,
    [CHALLENGE_DNS01_UPDATE] = UPDATE,
    [CHALLENGE_DNS01_SERVER] = SERVER,
    [CHALLENGE_DNS01_CHALLTESTSRV] = CHALLTESTSRV,
};
static_assert(COUNT(conf_verification_types) == CHALLENGE_TYPE_COUNT, "a name for each type");

static const char *const verification_aliases[CHALLENGE_TYPE_COUNT] = {
    [CHALLENGE_DNS01_CHALLTESTSRV] = "dns01-boulder",
};

static const struct conf_kind kinds[] = {
    {"account", .again = CONF_MERGES},
    {"mgmt", .again = CONF_MERGES},
    {"verification", .named = true, .again = CONF_REPLACES, .types = conf_verification_types,
	.type_aliases = verification_aliases, .type_count = CHALLENGE_TYPE_COUNT},
    {"storage", .named = true, .again = CONF_REPLACES, .types = conf_storage_types,
	.type_count = STORE_TYPE_COUNT},
    {"auth", .named = true, .strict = true, .again = CONF_ADDS},
    {"logging", .again = CONF_MERGES},
    {"setup", .foreign = true},
    {"status", .again = CONF_MERGES},
    {"process", .again = CONF_MERGES},
};
static_assert(COUNT(kinds) <= CONF_KINDS_MAX, "room for a name for each kind");

const struct conf_option *
conf_options(size_t *ret_count)
{
	*ret_count = COUNT(options);
	return options;
}

const struct conf_kind *
conf_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const char *
conf_kind_closest(const char *name)
{
	const char *names[CONF_KINDS_MAX];

	for (size_t i = 0; i < COUNT(kinds); i++)
		names[i] = kinds[i].name;
	return ini_closest(name, names, COUNT(kinds));
}

int
conf_type_parse(const struct conf_kind *kind, const char *value)
{
	for (size_t i = 0; i < kind->type_count; i++) {
		const char *alias = kind->type_aliases != NULL ? kind->type_aliases[i] : NULL;

		if (strcasecmp(kind->types[i], value) == 0)
			return (int)i;
		if (alias != NULL && strcasecmp(alias, value) == 0)
			return (int)i;
	}
	return -1;
}

static bool
is_of(const struct conf_option *o, const char *section, const char *type)
{
	return strcmp(o->section, section) == 0 &&
	    (type == NULL || o->type == NULL || strcmp(o->type, type) == 0);
}

const struct conf_option *
conf_option_find(const char *section, const char *type, const char *key)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		const struct conf_option *o = &options[i];

		if (!is_of(o, section, type))
			continue;
		if (strcmp(o->name, key) == 0 || (o->alias != NULL && strcmp(o->alias, key) == 0))
			return o;
	}
	return NULL;
}

const char *
conf_option_closest(const char *section, const char *type, const char *key)
{
	const char *names[CONF_OPTIONS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(options); i++)
		if (is_of(&options[i], section, type))
			names[n++] = options[i].name;
	return ini_closest(key, names, n);
}

size_t
conf_option_index(const struct conf_option *option)
{
	return (size_t)(option - options);
}
