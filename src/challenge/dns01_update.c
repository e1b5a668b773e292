/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/dns01_update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err_slot.h"
#include "challenge/dns01.h"
#include "challenge/txt_record.h"
#include "dns/client.h"
#include "dns/tsig_key.h"
#include "ev/op.h"

enum { CLEAN_MS = 60 * 1000 };

struct dns01_update {
	struct challenge base;
	struct txt_zone_access access;
	struct tsig_key key;
	char *zone;
	TAILQ_HEAD(, entry) entries;
};

/* One value at one name, with all who present it. */
struct entry {
	TAILQ_ENTRY(entry) link;
	struct dns01_update *d;
	struct txt_record *record;
	TAILQ_HEAD(, presentation) presentations;
};

/* An operation until it is reported; then something to be withdrawn. */
struct presentation {
	struct op op;
	TAILQ_ENTRY(presentation) link;
	struct entry *entry; /* NULL: it has failed, and only the report is left */
	struct loop *loop;
	struct task report;
	struct err *error;
	acme_presented_fn *done;
	void *arg;
};

/* ---- entries ---- */

static void
detach(struct presentation *p)
{
	struct entry *entry = p->entry;

	if (entry == NULL)
		return;
	TAILQ_REMOVE(&entry->presentations, p, link);
	p->entry = NULL;
	if (TAILQ_EMPTY(&entry->presentations))
		txt_record_want(entry->record, false);
}

static void
report(void *arg)
{
	struct presentation *p = arg;
	struct err *error = p->error;
	acme_presented_fn *done = p->done;
	void *done_arg = p->arg;

	op_end(&p->op);
	if (error != NULL)
		free(p);
	done(done_arg, error);
	err_slot_clear(&error);
}

static void
settled(void *arg, struct txt_record *r, const struct err *e)
{
	struct entry *entry = txt_record_user(r);
	struct presentation *p, *next;

	TAILQ_FOREACH_SAFE (p, &entry->presentations, link, next) {
		task_post(p->loop, &p->report, report, p);
		if (e == NULL)
			continue;
		err_slot_set(&p->error, e);
		p->entry = NULL;
		TAILQ_REMOVE(&entry->presentations, p, link);
	}
}

static void
gone(void *arg, struct txt_record *r)
{
	struct entry *entry = txt_record_user(r);
	struct dns01_update *d = entry->d;

	TAILQ_REMOVE(&d->entries, entry, link);
	free(entry);
	challenge_end(&d->base);
}

static struct entry *
find_or_add(struct dns01_update *d, const char *owner, const char *value)
{
	struct entry *entry;

	TAILQ_FOREACH (entry, &d->entries, link)
		if (txt_record_is(entry->record, owner, value))
			return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->d = d;
	TAILQ_INIT(&entry->presentations);
	TAILQ_INSERT_TAIL(&d->entries, entry, link);
	challenge_begin(&d->base);
	entry->record = txt_record_new(&d->access, owner, value, entry);
	return entry;
}

/* ---- present and withdraw ---- */

static void
present_cancel(struct op *op)
{
	struct presentation *p = (struct presentation *)op;

	task_cancel(&p->report);
	detach(p);
	err_slot_clear(&p->error);
	free(p);
}

static void
dns01_update_present(struct acme_solver *solver, const struct acme_answer *answer,
    acme_presented_fn *done, acme_fetched_fn *fetched, void *arg, struct op **slot)
{
	struct dns01_update *d = (struct dns01_update *)solver;
	struct presentation *p = xcalloc(1, sizeof(*p));
	char *owner = dns01_name(answer->identifier);
	char *value = dns01_value(answer->key_authorization);

	p->loop = d->base.loop;
	p->done = done;
	p->arg = arg;
	p->entry = find_or_add(d, owner, value);
	TAILQ_INSERT_TAIL(&p->entry->presentations, p, link);
	txt_record_want(p->entry->record, true);
	op_begin(&p->op, slot, present_cancel);
	if (txt_record_presented(p->entry->record))
		task_post(p->loop, &p->report, report, p);
	free(owner);
	free(value);
}

static struct presentation *
find_presentation(struct dns01_update *d, const char *owner, const char *value, const void *arg)
{
	struct entry *entry;
	struct presentation *p;

	TAILQ_FOREACH (entry, &d->entries, link)
		if (txt_record_is(entry->record, owner, value))
			TAILQ_FOREACH (p, &entry->presentations, link)
				if (p->arg == arg)
					return p;
	return NULL;
}

static void
dns01_update_withdraw(struct acme_solver *solver, const struct acme_answer *answer, void *arg)
{
	struct dns01_update *d = (struct dns01_update *)solver;
	char *owner = dns01_name(answer->identifier);
	char *value = dns01_value(answer->key_authorization);
	struct presentation *p = find_presentation(d, owner, value, arg);

	free(owner);
	free(value);
	if (p == NULL)
		return;
	detach(p);
	free(p);
}

/* ---- life ---- */

static void
warn(void *arg, const char *text)
{
	struct dns01_update *d = arg;

	challenge_warn(&d->base, text);
}

static void
updated(void *arg, const struct err *e)
{
	struct dns01_update *d = arg;

	if (e == NULL)
		d->base.stats->updates_done++;
	else
		d->base.stats->updates_failed++;
}

static bool
take_key(struct dns01_update *d, const struct challenge_tsig_conf *tsig, struct err *e)
{
	if (tsig->name == NULL)
		return true;
	if (!tsig_key_set(tsig->name, tsig->algorithm, tsig->secret, tsig->secret_len, &d->key, e))
		return false;
	if (digest_kind_weak(d->key.algorithm))
		warn(d, "the TSIG key uses hmac-sha1: make a new one with hmac-sha256");
	d->access.key = &d->key;
	return true;
}

static void
take_servers(struct dns_servers *to, const struct host_port *from, size_t count, bool recursive)
{
	for (size_t i = 0; i < count; i++)
		dns_servers_append_at(to, &from[i], recursive);
}

static bool
take_conf(struct dns01_update *d, const struct challenge_dns01_update_conf *conf, struct err *e)
{
	struct txt_zone_access *a = &d->access;

	txt_zone_access_init(a);
	take_servers(&a->servers, conf->dns_servers, conf->dns_server_count, false);
	take_servers(&a->resolvers, conf->resolvers, conf->resolver_count, true);
	a->loop = d->base.loop;
	a->resolv_conf = "/etc/resolv.conf";
	a->zone = d->zone = conf->zone == NULL ? NULL : xstrdup(conf->zone);
	a->ttl = (uint32_t)conf->ttl;
	a->timeout_ms = conf->timeout_s * 1000;
	a->follow_cname = conf->follow_cname;
	a->propagation_check = conf->propagation_check;
	a->propagation_ms = conf->propagation_timeout_s * 1000;
	a->clean_ms = CLEAN_MS;
	a->warn = warn;
	a->settled = settled;
	a->gone = gone;
	a->updated = updated;
	a->arg = d;
	a->client = dns_client_new(a->loop, e);
	return a->client != NULL && take_key(d, &conf->tsig, e);
}

static void
entry_free(struct entry *entry)
{
	struct presentation *p;

	while ((p = TAILQ_FIRST(&entry->presentations)) != NULL) {
		TAILQ_REMOVE(&entry->presentations, p, link);
		task_cancel(&p->report);
		free(p);
	}
	txt_record_abandon(entry->record);
	free(entry);
}

static void
dns01_update_free(struct challenge *c)
{
	struct dns01_update *d = (struct dns01_update *)c;
	struct entry *entry;

	while ((entry = TAILQ_FIRST(&d->entries)) != NULL) {
		TAILQ_REMOVE(&d->entries, entry, link);
		entry_free(entry);
	}
	dns_client_free(d->access.client);
	dns_servers_done(&d->access.servers);
	dns_servers_done(&d->access.resolvers);
	tsig_key_done(&d->key);
	challenge_head_done(&d->base);
	free(d->zone);
	free(d);
}

static struct challenge *
dns01_update_new(struct challenges *all, const struct challenge_conf *conf, struct err *e)
{
	struct dns01_update *d = xcalloc(1, sizeof(*d));

	challenge_head_init(&d->base, all, &challenge_dns01_update, conf);
	d->base.solver =
	    (struct acme_solver){"dns-01", dns01_update_present, dns01_update_withdraw};
	TAILQ_INIT(&d->entries);
	if (take_conf(d, &conf->dns01_update, e))
		return &d->base;
	dns01_update_free(&d->base);
	return NULL;
}

const struct challenge_kind challenge_dns01_update = {
    .config_name = "dns01-dnsUpdate",
    .wildcards = true,
    .ip = false,
    .new = dns01_update_new,
    .free = dns01_update_free,
};
