/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acme/ca.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/err_slot.h"
#include "challenge/challenge.h"
#include "codec/key.h"
#include "ev/timer.h"
#include "issue/desk_private.h"
#include "issue/store.h"

/* ---- 1. who may have what; all of it before desk_sign returns ---- */

static bool
check_kind(const struct challenge *c, const struct identifiers *names, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct identifier *id = &names->items[i];

		if (identifier_is_wildcard(id) && !c->kind->wildcards)
			return err_set(e, ERR_FORBIDDEN,
			    "%s: verification \"%s\" (%s) cannot prove a wildcard, that takes "
			    "dns-01",
			    id->value, c->name, c->kind->config_name);
		if (id->kind == IDENTIFIER_IP && !c->kind->ip)
			return err_set(e, ERR_FORBIDDEN,
			    "%s: verification \"%s\" (%s) cannot prove an IP address, that takes "
			    "http-01",
			    id->value, c->name, c->kind->config_name);
	}
	return true;
}

/* CAs refuse the account's, and it would be handed to a web server. */
static bool
check_key(const struct desk *d, const struct seen_csr *asked, struct err *e)
{
	if (memcmp(asked->spki_sha256, key_spki_sha256(ca_key(d->conf.ca)), 32) == 0)
		return err_set(e, ERR_BAD_CSR,
		    "the CSR was made with the key of our account at the CA: make a key of its "
		    "own");
	return desk_takes_key(d, asked->spki_sha256, e);
}

/* What the body asks for; parsed only if it was not seen before. *ret borrows from s->csr or the
 * memory. */
static bool
read_body(struct sign *s, struct seen_csr *ret, struct err *e)
{
	const struct seen_csr *known;
	char names[SIGN_NAMES_SHOWN];

	digest_sha384_hex(s->body, s->body_len, s->digest);
	known = seen_get(s->desk->seen, s->digest);
	if (known != NULL) {
		*ret = *known;
	} else {
		s->csr = csr_parse(s->body, s->body_len, e);
		if (s->csr == NULL)
			return false;
		ret->names = s->csr->names;
		memcpy(ret->spki_sha256, s->csr->spki_sha256, sizeof(ret->spki_sha256));
	}
	s->names = xstrdup(identifiers_text(&ret->names, names, sizeof(names)));
	s->asked.names = audit_names(&ret->names, s->names);
	s->log.names = s->names;
	return true;
}

static void
take_block(struct sign *s, const struct auth_block *block, size_t key)
{
	const struct grounds *g = s->grounds;

	s->block = xstrdup(block->name);
	s->profile = block->profile == NULL ? NULL : xstrdup(block->profile);
	s->store = g->stores[block->store];
	s->challenge = g->challenges[block->verification];
	s->log.block = s->block;
	s->asked.key = audit_key(key, block->key_count);
	if (block->key_count > 1)
		log_info(&s->log, "admitted with HMAC key %zu of %zu", key, block->key_count);
	else
		log_info(&s->log, "admitted");
}

static bool
authorise(struct sign *s, const struct sign_request *request, struct err *e)
{
	const struct policy *policy = s->desk->conf.policy;
	const struct auth_block *block;
	struct seen_csr asked;
	size_t key;

	s->rule = "auth";
	if (!policy_possible(policy, POLICY_SIGN, request->who, request->auth, e))
		return false;
	s->rule = "csr";
	if (!read_body(s, &asked, e))
		return false;
	s->rule = "auth";
	if (!policy_admit(policy, POLICY_SIGN, request->who, request->auth, s->body, s->body_len,
		&asked.names, &block, &key, e))
		return false;
	take_block(s, block, key);
	s->rule = "verification";
	if (!check_kind(s->challenge, &asked.names, e))
		return false;
	s->rule = "key";
	if (!check_key(s->desk, &asked, e))
		return false;
	seen_put(s->desk->seen, s->digest, &asked);
	return true;
}

/* ---- 4. a job, running or new ---- */

void
sign_join(struct sign *s, struct desk_job *job)
{
	TAILQ_REMOVE(&s->desk->signs, s, entry);
	s->job = job;
	s->log.order = job_log(job->job)->order;
	TAILQ_INSERT_TAIL(&job->waiters, s, entry);
	/* The job has its own; others wait for it by the thousand. */
	free(s->body);
	s->body = NULL;
	csr_free(s->csr);
	s->csr = NULL;
}

/* What is remembered of a name or of the CA was logged when it happened. */
static void
fail_now(struct sign *s, const struct err *e)
{
	if (!sign_has_stand_in(s, e))
		log_write(e->told ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, &s->log,
		    "not ordered (%s, again in %lld s)%s%s", err_kind_name(e->kind),
		    (long long)e->retry_after, e->told ? "" : ": ", e->told ? "" : e->detail);
	sign_audit_refused(s, s->rule, e);
	sign_fail(s, e);
}

static bool
ensure_parsed(struct sign *s, struct err *e)
{
	if (s->csr == NULL)
		s->csr = csr_parse(s->body, s->body_len, e);
	return s->csr != NULL;
}

/* While the store was asked, its key may have been reported as compromised. */
static bool
may_still_order(struct sign *s, struct err *e)
{
	if (!ensure_parsed(s, e))
		return false;
	if (desk_takes_key(s->desk, s->csr->spki_sha256, e))
		return true;
	s->rule = "key";
	return false;
}

static void
order(struct sign *s, const char *key)
{
	struct desk *d = s->desk;
	char *body_key = desk_body_key(s->digest);
	char *names_key = NULL;
	struct desk_job *job = NULL;
	struct err e;

	s->rule = "remembered";
	if (!failures_check(d->failures, body_key, &e) && may_still_order(s, &e)) {
		names_key = desk_names_key(s->grounds, &s->csr->names, s->profile);
		job = desk_job_start(d, s, key, names_key, &e);
	}
	free(names_key);
	free(body_key);
	if (job == NULL) {
		fail_now(s, &e);
		return;
	}
	s->first = true;
	sign_join(s, job);
	log_info(&s->log, "ordered");
}

/* ---- 3. what is in memory ---- */

static char *
job_key_of(const struct sign *s)
{
	const struct store *store = s->store;

	return xasprintf("%s %s %s\n%s\n%s", s->digest, store->kind->config_name,
	    store->place == NULL ? "" : store->place, ca_directory_url(s->grounds->ca),
	    desk_profile(s->grounds, s->profile));
}

static void
not_in_store(struct sign *s)
{
	struct desk *d = s->desk;
	char *key = job_key_of(s);
	const struct result *kept = results_get(d->results, key);
	struct desk_job *running = desk_job_find(d, key);

	d->stats.cache_misses++;
	if (kept != NULL && kept->leaf.not_after > clock_wall()) {
		log_info(&s->log, "answered with certificate %s, issued before", kept->leaf.serial);
		sign_audit_redelivered(s, kept->leaf.serial);
		char *pem = xmemdup(kept->pem, kept->pem_len);
		size_t len = kept->pem_len;
		results_taken(d->results, key);
		sign_answer(s, pem, len, true);
		free(pem);
	} else if (running != NULL) {
		sign_join(s, running);
		log_info(&s->log, "joined");
	} else {
		order(s, key);
	}
	free(key);
}

/* ---- 2. the store ---- */

static void
tell_clamped(struct sign *s, const struct leaf_info *leaf)
{
	if (s->store->clamp_told)
		return;
	s->store->clamp_told = true;
	log_warning(NULL,
	    "[storage \"%s\"] renew-within (%lld days) is more than two thirds of what "
	    "certificates "
	    "live (%.1f days): they are renewed in their last third, or half if they live under 10 "
	    "days",
	    s->store->name, (long long)(s->store->renew_within / 86400),
	    (double)(leaf->not_after - leaf->not_before) / 86400);
}

static bool
is_fresh(struct sign *s, const struct store_entry *entry)
{
	bool clamped;
	bool due = store_due(&entry->meta.leaf, s->store->renew_within, clock_wall(), &clamped);

	if (clamped)
		tell_clamped(s, &entry->meta.leaf);
	return !due;
}

static void
keep_due(struct sign *s, const struct store_entry *entry)
{
	if (entry->meta.leaf.not_after <= clock_wall())
		return;
	s->due.pem = xmemdup(entry->pem, entry->pem_len);
	s->due.pem_len = entry->pem_len;
	s->due.not_after = entry->meta.leaf.not_after;
	memcpy(s->due.serial, entry->meta.leaf.serial, sizeof(s->due.serial));
}

static void
looked_up(void *arg, const struct store_entry *entry, const struct err *e)
{
	struct sign *s = arg;
	const struct grounds *g = s->grounds;

	if (e != NULL)
		log_error(&s->log, "storage \"%s\": %s", s->store->name, e->detail);
	if (entry != NULL &&
	    !store_entry_fits(entry, ca_directory_url(g->ca), desk_profile(g, s->profile)))
		entry = NULL;
	if (entry != NULL && is_fresh(s, entry)) {
		s->desk->stats.cache_hits++;
		log_info(&s->log, "answered from storage \"%s\": serial %s", s->store->name,
		    entry->meta.leaf.serial);
		sign_audit_redelivered(s, entry->meta.leaf.serial);
		sign_answer(s, entry->pem, entry->pem_len, true);
		return;
	}
	if (entry != NULL)
		keep_due(s, entry);
	not_in_store(s);
}

static void
no_store(void *arg)
{
	not_in_store(arg);
}

static void
refused(void *arg)
{
	struct sign *s = arg;

	sign_audit_refused(s, s->rule, s->error);
	sign_fail(s, s->error);
}

/* ---- the request ---- */

static void
hung_up(struct op *op)
{
	struct sign *s = (struct sign *)op;

	s->desk->stats.failed[ERR_CANCELLED]++;
	log_info(&s->log, "the client hung up%s", s->job == NULL ? "" : ", the order goes on");
	sign_drop(s);
}

static struct sign *
sign_new(struct desk *d, const struct sign_request *request, sign_done_fn *done, void *arg)
{
	struct sign *s = xcalloc(1, sizeof(*s));

	s->desk = d;
	s->grounds = grounds_hold(d->grounds);
	s->body = xmemdup(request->body, request->body_len);
	s->body_len = request->body_len;
	s->done = done;
	s->arg = arg;
	s->peer = xstrdup(request->who->text == NULL ? "" : request->who->text);
	s->log.peer = s->peer;
	s->timer = timer_new(d->loop, sign_timed_out, s);
	timer_start(s->timer, s->grounds->timeout_ms);
	TAILQ_INSERT_TAIL(&d->signs, s, entry);
	return s;
}

void
desk_sign(struct desk *d, const struct sign_request *request, sign_done_fn *done, void *arg,
    struct op **slot)
{
	struct sign *s = sign_new(d, request, done, arg);
	struct err e;

	op_begin(&s->op, slot, hung_up);
	d->stats.requests++;
	if (!authorise(s, request, &e)) {
		log_warning(&s->log, "refused (%s): %s", err_kind_name(e.kind), e.detail);
		err_slot_set(&s->error, &e);
		task_post(d->loop, &s->task, refused, s);
	} else if (s->store->kind->keeps) {
		s->store->kind->get(s->store, s->digest, looked_up, s, &s->lookup);
	} else {
		task_post(d->loop, &s->task, no_store, s);
	}
}
