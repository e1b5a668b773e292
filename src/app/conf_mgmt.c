/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [mgmt], but for the default blocks: those stand with the blocks. */
#include <string.h>
#include <strings.h>

#include "app/conf_build.h"
#include "app/conf_listen.h"
#include "app/conf_value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { DAY_S = 86400, MAX_SIZE_MAX = 64 * 1024 * 1024 };

/* The original counted 1000 bytes to the k (0.5), or only the first digit (0.4). */
static bool
set_max_size(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	if (!conf_set_size(b, in, how, out))
		return false;
	if (strpbrk(in->value, "kKmM") != NULL && strpbrk(in->value, "iI") == NULL &&
	    in->key != NULL)
		conf_note(b, in->place,
		    "max-size: %s is %zu bytes here, 1024 to the k; macen 0.5 counted 1000",
		    in->value, *(size_t *)out);
	return true;
}

static bool
set_proxy_header(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	enum proxy_header *header = out;

	if (strcasecmp(in->value, "X-Forwarded-For") == 0)
		*header = PROXY_X_FORWARDED_FOR;
	else if (strcasecmp(in->value, "X-Real-IP") == 0)
		*header = PROXY_X_REAL_IP;
	else
		conf_error(b, in->place,
		    "proxy-header: \"%s\" is neither X-Forwarded-For nor X-Real-IP", in->value);
	return true;
}

static const struct conf_setter setters[] = {
    {"max-size", set_max_size, offsetof(struct mgmt_conf, max_size), 1, MAX_SIZE_MAX},
    {"timeout", conf_set_number, offsetof(struct mgmt_conf, timeout_s), 1, DAY_S, 1},
    {"order-timeout", conf_set_number, offsetof(struct mgmt_conf, order_timeout_s), 1, 7 * DAY_S,
	1},
    {"shutdown-timeout", conf_set_number, offsetof(struct mgmt_conf, shutdown_timeout_s), 0, DAY_S,
	1},
    {"max-orders", conf_set_count, offsetof(struct mgmt_conf, max_orders), 1, 1000000, 1},
    {"proxy-header", set_proxy_header, offsetof(struct mgmt_conf, proxy_header)},
};

/* ---- trusted-proxy ---- */

static void
set_trusted(struct conf_build *b, const struct conf_section *s)
{
	struct mgmt_conf *m = &b->conf->mgmt;
	const struct conf_entry *header = conf_entry_find(s, "proxy-header");
	size_t n;
	struct conf_entry *in = conf_list(b, s, "mgmt", NULL, "trusted-proxy", &n, NULL);
	struct err e;

	m->trusted = conf_keep(b->conf, n, sizeof(*m->trusted));
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(in[i].value, "unix") == 0)
			m->trust_unix = true;
		else if (ip_range_parse(in[i].value, &m->trusted[m->trusted_count], &e))
			m->trusted_count++;
		else
			conf_error(b, in[i].place, "trusted-proxy: %s", e.detail);
	}
	if (header != NULL && n == 0)
		conf_warn(b, header->place, "proxy-header has no effect without trusted-proxy");
}

/* ---- listener, and mgmt, which the original's example has but its program ignored ---- */

static void
ignore_mgmt(struct conf_build *b, const struct conf_section *s)
{
	const struct conf_entry *e = NULL;

	while ((e = conf_entry_next(s, "mgmt", e)) != NULL)
		conf_warn(b, e->place, "option \"mgmt\" is ignored beside \"listener\"");
}

/* A default that the new address takes already would only fail to be bound. */
static void
drop_covered(struct mgmt_conf *m, const char *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->listener_count; i++)
		if (!conf_listener_covers(text, m->listeners[i]))
			m->listeners[kept++] = m->listeners[i];
	m->listener_count = kept;
}

static void
add_mgmt(struct conf_build *b, const struct conf_section *s)
{
	struct mgmt_conf *m = &b->conf->mgmt;
	size_t n;
	struct conf_entry *in = conf_list(b, s, "mgmt", NULL, "mgmt", &n, NULL);
	char **list = conf_keep(b->conf, m->listener_count + n, sizeof(*list));
	struct err e;

	for (size_t i = 0; i < m->listener_count; i++)
		list[i] = m->listeners[i];
	m->listeners = list;
	for (size_t i = 0; i < n; i++) {
		if (!conf_listener_check(in[i].value, true, &e)) {
			conf_error(b, in[i].place, "mgmt: %s", e.detail);
			continue;
		}
		drop_covered(m, in[i].value);
		list[m->listener_count++] = conf_keep_text(b->conf, in[i].value);
		conf_note(b, in[i].place,
		    "\"mgmt\" is used in addition to the default listeners; the original ignored "
		    "it "
		    "(the option is called \"listener\")");
	}
}

void
conf_build_mgmt(struct conf_build *b)
{
	const struct conf_section *s = conf_sections_one(&b->sections, "mgmt");
	struct mgmt_conf *m = &b->conf->mgmt;

	m->listeners =
	    conf_listeners(b, s, "mgmt", NULL, true, &m->listener_count, &m->default_listeners);
	if (m->default_listeners)
		add_mgmt(b, s);
	else
		ignore_mgmt(b, s);
	conf_set(b, s, "mgmt", NULL, setters, COUNT(setters), m);
	set_trusted(b, s);
}
