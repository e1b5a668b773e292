/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The types of dns01 in [verification "NAME"]. */
#include <stdlib.h>
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_listen.h"
#include "app/conf_value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define KIND "verification"

enum { DNS_PORT = 53, TTL_MAX = 86400, TIMEOUT_MAX = 3600 };

/* ---- dns01-dnsUpdate ---- */

#define UPDATE_AT(member) offsetof(struct challenge_dns01_update_conf, member)

static const struct conf_setter update_setters[] = {
    {"ttl", conf_set_count, UPDATE_AT(ttl), 0, TTL_MAX, 1},
    {"timeout", conf_set_number, UPDATE_AT(timeout_s), 1, TIMEOUT_MAX, 1},
    {"zone", conf_set_name, UPDATE_AT(zone)},
    {"follow-cname", conf_set_bool, UPDATE_AT(follow_cname)},
    {"propagation-check", conf_set_bool, UPDATE_AT(propagation_check)},
    {"propagation-timeout", conf_set_number, UPDATE_AT(propagation_timeout_s), 1, TIMEOUT_MAX, 1},
};

static struct host_port *
server_list(struct conf_build *b, const struct conf_section *s, const char *name, bool address,
    size_t *ret_count)
{
	size_t n;
	struct conf_entry *in =
	    conf_list(b, s, KIND, conf_verification_types[s->type], name, &n, NULL);
	struct host_port *list = conf_keep(b->conf, n, sizeof(*list));
	struct ip_addr addr;
	struct err e;

	*ret_count = 0;
	for (size_t i = 0; i < n; i++) {
		struct host_port *hp = &list[*ret_count];

		if (!host_port_parse(in[i].value, DNS_PORT, hp, &e))
			conf_error(b, in[i].place, "%s: %s", name, e.detail);
		else if (address && !ip_addr_parse(hp->host, strlen(hp->host), &addr))
			conf_error(
			    b, in[i].place, "%s: \"%s\" is not an address", name, in[i].value);
		else
			++*ret_count;
	}
	return list;
}

void
conf_build_dns01_update(
    struct conf_build *b, const struct conf_section *s, struct challenge_dns01_update_conf *out)
{
	conf_set(b, s, KIND, conf_verification_types[s->type], update_setters,
	    COUNT(update_setters), out);
	out->dns_servers = server_list(b, s, "dns-server", false, &out->dns_server_count);
	/* Who asks for addresses of name servers cannot itself be a name. */
	out->resolvers = server_list(b, s, "resolver", true, &out->resolver_count);
	conf_build_tsig(b, s, &out->tsig);
	if (out->propagation_check)
		conf_note(b, s->place,
		    "the zone is found by its SOA record, CNAMEs are followed, and the CA is told "
		    "when the authoritative servers serve the value; the original updated the "
		    "last two labels and waited for nothing");
}

/* ---- dns01-server ---- */

#define SERVER_AT(member) offsetof(struct challenge_dns01_server_conf, member)

static const struct conf_setter server_setters[] = {
    {"zone", conf_set_name, SERVER_AT(zone)},
    {"ns", conf_set_name, SERVER_AT(ns)},
};

/* As before: the environment's FAKE_DNS; without a zone, which is test use, this machine. */
static void
set_record(
    struct conf_build *b, const struct conf_section *s, struct challenge_dns01_server_conf *out)
{
	const struct conf_entry *given = conf_entry_find(s, "record");
	const char *env = getenv("FAKE_DNS");
	const char *text = given != NULL ? given->value : env;

	if (text == NULL && out->zone == NULL)
		text = "127.0.0.1";
	if (text == NULL)
		return;
	out->has_record = ip_addr_parse(text, strlen(text), &out->record);
	if (!out->has_record)
		conf_error(b, given != NULL ? given->place : s->place,
		    "%s: \"%s\" is not an address", given != NULL ? "record" : "FAKE_DNS", text);
}

static void
note_listeners(
    struct conf_build *b, const struct conf_section *s, const struct conf_entry *listener)
{
	if (listener == NULL)
		conf_note(b, s->place,
		    "listens on 0.0.0.0:1353 and [::]:1353; the original took [::1]:1380 for IPv6");
	else if (strcmp(listener->key, listener->option->name) == 0)
		conf_note(b, listener->place,
		    "\"listener\" is used; the original knew it as \"listeners\" only");
}

void
conf_build_dns01_server(
    struct conf_build *b, const struct conf_section *s, struct challenge_dns01_server_conf *out)
{
	const char *type = conf_verification_types[s->type];

	conf_set(b, s, KIND, type, server_setters, COUNT(server_setters), out);
	out->listeners =
	    conf_listeners(b, s, KIND, type, false, &out->listener_count, &out->default_listeners);
	note_listeners(b, s, conf_entry_find(s, "listener"));
	set_record(b, s, out);
}

/* ---- dns01-challtestsrv ---- */

static bool
set_url(struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	struct uri uri;
	struct err e;

	if (uri_parse(in->value, strlen(in->value), &uri, &e))
		return conf_set_text(b, in, how, out);
	conf_error(b, in->place, "%s: %s", how->name, e.detail);
	return false;
}

static const struct conf_setter challtestsrv_setters[] = {
    {"set-txt_url", set_url, offsetof(struct challenge_challtestsrv_conf, set_txt_url)},
};

void
conf_build_challtestsrv(
    struct conf_build *b, const struct conf_section *s, struct challenge_challtestsrv_conf *out)
{
	const struct conf_entry *url = conf_entry_find(s, "set-txt_url");

	conf_set(b, s, KIND, conf_verification_types[s->type], challtestsrv_setters,
	    COUNT(challtestsrv_setters), out);
	if (url != NULL && strcmp(url->key, url->option->name) != 0)
		conf_note(b, url->place, "\"%s\" is used; the original knew it as \"%s\" only",
		    url->key, url->option->name);
}
