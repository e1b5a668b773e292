/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/resolver.h"

#include <event2/dns.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "ev/loop.h"

static struct timespec
changed_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* evdns_base_new() itself fails where resolv.conf is missing or empty: read it afterwards and let
 * it fail. Without a name server that of this machine is asked, as libc does. */
static struct evdns_base *
evdns_open(struct resolver *r)
{
	struct evdns_base *evdns;

	evdns = evdns_base_new(loop_base(r->loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (evdns == NULL)
		return NULL;
	r->resolv_conf_read = changed_at(r->resolv_conf);
	r->hosts_read = changed_at(r->hosts);
	/* Mixed case protects questions from forged answers, which TLS does too, and better; some
	 * name servers do not repeat it. */
	evdns_base_set_option(evdns, "randomize-case:", "0");
	evdns_base_resolv_conf_parse(
	    evdns, DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC, r->resolv_conf);
	evdns_base_load_hosts(evdns, r->hosts);
	return evdns;
}

void
resolver_reread_changed_files(struct resolver *r)
{
	struct evdns_base *fresh;

	if (r->asking > 0)
		return;
	if (same_time(r->resolv_conf_read, changed_at(r->resolv_conf)) &&
	    same_time(r->hosts_read, changed_at(r->hosts)))
		return;
	fresh = evdns_open(r);
	if (fresh == NULL)
		return;
	evdns_base_free(r->evdns, 1);
	r->evdns = fresh;
}

static void
destroy(void *ptr)
{
	struct resolver *r = ptr;

	if (r->evdns != NULL)
		evdns_base_free(r->evdns, 1);
	free(r->resolv_conf);
	free(r->hosts);
	free(r);
}

void
resolver_dispose(struct resolver *r)
{
	loop_dispose(r->loop, destroy, r);
}

struct resolver *
resolver_new_files(struct loop *loop, const char *resolv_conf, const char *hosts, struct err *e)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->resolv_conf = xstrdup(resolv_conf);
	r->hosts = xstrdup(hosts);
	TAILQ_INIT(&r->lookups);
	r->evdns = evdns_open(r);
	if (r->evdns == NULL) {
		destroy(r);
		err_set(e, ERR_INTERNAL, "libevent cannot make its resolver");
		return NULL;
	}
	return r;
}

struct resolver *
resolver_new(struct loop *loop, struct err *e)
{
	return resolver_new_files(loop, "/etc/resolv.conf", "/etc/hosts", e);
}
