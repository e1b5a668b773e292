/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "acme/account_post.h"
#include "acme/ca.h"
#include "acme/key_change.h"
#include "acme/key_file.h"
#include "app/ca_client.h"
#include "app/conf.h"
#include "app/owner.h"
#include "app/register_options.h"
#include "app/register_say.h"
#include "base/clock.h"
#include "codec/acme_json.h"
#include "codec/json.h"
#include "codec/problem.h"
#include "ev/loop.h"
#include "ev/op.h"

enum { STEP_MS = 60 * 1000 };

struct registering {
	const struct register_options *options;
	struct conf *conf;
	struct loop *loop;
	struct ca_client client;
	struct ca *ca;
	size_t step;
	struct op *op;
	bool registered;      /* just now */
	struct json *account; /* as the CA last described it, or NULL */
	int code;
};

static void next_step(struct registering *r);

static int64_t
deadline(void)
{
	return clock_mono_ms() + STEP_MS;
}

static void
stop(struct registering *r, int code)
{
	r->code = code;
	loop_stop(r->loop);
}

static int
failed(const struct ca *ca, const struct err *e)
{
	const char *terms = ca != NULL ? ca_terms_url(ca) : NULL;

	say_failed();
	if (e->problem == PROBLEM_ACCOUNT_DOES_NOT_EXIST) {
		say_error("%s; --register registers it", e->detail);
		return REGISTER_FAILED;
	}
	if (e->problem != PROBLEM_USER_ACTION_REQUIRED || terms == NULL) {
		say_error("%s", e->detail);
		/* What a CA says is no matter of our configuration. */
		return e->kind == ERR_CONFIG && e->problem == PROBLEM_NONE ? REGISTER_CONFIG
									   : REGISTER_FAILED;
	}
	say_line("You need to accept the terms of service at %s", terms);
	return REGISTER_TERMS;
}

/* ---- what the CA tells meanwhile ---- */

static void
on_event(void *arg, enum ca_event event, const char *text, const struct err *e)
{
	struct registering *r = arg;

	switch (event) {
	case CA_EVENT_KEY_TIGHTENED:
		say_error("the account key could be read by others; its mode is 0600 now");
		break;
	case CA_EVENT_DIRECTORY:
		if (r->step == 0)
			say_step(r->options->register_account ? "Register"
							      : "Refreshing current registration");
		break;
	case CA_EVENT_REGISTERED:
		r->registered = true;
		break;
	case CA_EVENT_MOVED:
		say_error("the account URL on file was another one; replaced: %s", text);
		break;
	case CA_EVENT_KEY_FINISHED:
		say_error(
		    "a change of keys had been broken off; the CA knows the new key, which is "
		    "account.pem now");
		break;
	case CA_EVENT_KEY_DROPPED:
		say_error("a change of keys had been broken off; the CA does not know the new key, "
			  "account.pem stays");
		break;
	case CA_EVENT_TROUBLE:
		say_error("%s", e->detail);
		break;
	case CA_EVENT_KEY_MADE:
	case CA_EVENT_FOUND:
	case CA_EVENT_KEY_CHANGED:
	case CA_EVENT_FAILED:
	case CA_EVENT_PAUSED:
	case CA_EVENT_UP:
	case CA_EVENT_COUNT:
		break;
	}
}

static void
step_ended(struct registering *r, const struct acme_account_object *object, const struct err *e)
{
	if (e != NULL) {
		stop(r, failed(r->ca, e));
		return;
	}
	say_done();
	if (object != NULL && object->body != NULL) {
		json_free(r->account);
		r->account = json_copy(object->body);
	}
	r->step++;
	next_step(r);
}

static void
account_answered(void *arg, const struct acme_account_object *object, const struct err *e)
{
	step_ended(arg, object, e);
}

/* ---- the account as it is; before that it is found, or registered ---- */

static bool
always(const struct registering *r)
{
	return true;
}

/* on_event says how far it is. */
static void
refreshed(void *arg, const struct acme_account_object *object, const struct err *e)
{
	struct registering *r = arg;

	if (e == NULL && r->options->register_account)
		say_step("Refreshing current registration");
	step_ended(r, object, e);
}

static void
refresh(struct registering *r)
{
	say_step("Initialize ACME client");
	ca_start(r->ca);
	acme_account_fetch_start(r->ca, deadline(), refreshed, r, &r->op);
}

/* ---- terms ---- */

static bool
wants_terms(const struct registering *r)
{
	return r->options->accept_terms;
}

static bool
terms_accepted(const struct register_options *o, const char *url)
{
	for (size_t i = 0; i < o->terms_count; i++)
		if (strcmp(o->terms[i], url) == 0)
			return true;
	return o->terms_count == 0;
}

/* A registration of just now has agreed to them. */
static void
accept_terms(struct registering *r)
{
	const char *url = ca_terms_url(r->ca);

	if (url == NULL) {
		say_line("The CA has no terms of service");
		step_ended(r, NULL, NULL);
	} else if (!terms_accepted(r->options, url)) {
		say_line("You need to accept the terms of service at %s", url);
		stop(r, REGISTER_TERMS);
	} else {
		say_step("Accepting ToS at %s", url);
		if (r->registered)
			step_ended(r, NULL, NULL);
		else
			acme_account_agree_start(r->ca, deadline(), account_answered, r, &r->op);
	}
}

/* ---- contacts ---- */

static bool
wants_contacts(const struct registering *r)
{
	return r->options->contact_count > 0;
}

static bool
is_configured(const struct ca_conf *conf, const char *contact)
{
	for (size_t i = 0; i < conf->contact_count; i++)
		if (strcmp(conf->contacts[i], contact) == 0)
			return true;
	return false;
}

static void
warn_of_configured(const struct registering *r)
{
	const struct register_options *o = r->options;
	const struct ca_conf *conf = &r->conf->ca;
	bool same = conf->contact_count == o->contact_count;

	for (size_t i = 0; same && i < o->contact_count; i++)
		same = is_configured(conf, o->contacts[i]);
	if (conf->contact_count > 0 && !same)
		say_error("the configuration has other contacts, which the daemon sets at its next "
			  "start: change them there too");
}

static void
change_contacts(struct registering *r)
{
	warn_of_configured(r);
	say_step("Changing contacts");
	if (r->registered)
		step_ended(r, NULL, NULL);
	else
		acme_account_contacts_start(r->ca, r->options->contacts, r->options->contact_count,
		    deadline(), account_answered, r, &r->op);
}

/* ---- rollover ---- */

static bool
wants_rollover(const struct registering *r)
{
	return r->options->rollover;
}

static enum key_type
key_type(const struct registering *r)
{
	return r->options->has_key_type ? r->options->key_type : r->conf->ca.key_type;
}

static void
rolled_over(void *arg, const struct err *e)
{
	step_ended(arg, NULL, e);
}

static void
rollover(struct registering *r)
{
	struct key *key;
	struct err e;

	say_step("Generate private key");
	key = key_generate(key_type(r), &e);
	if (key == NULL) {
		step_ended(r, NULL, &e);
		return;
	}
	say_step("Changing the key of the account");
	acme_key_change_start(r->ca, key, deadline(), rolled_over, r, &r->op);
}

/* ---- deactivation ---- */

static bool
wants_deactivation(const struct registering *r)
{
	return r->options->deactivate;
}

static void
deactivate(struct registering *r)
{
	say_step("Deactivate account");
	acme_account_deactivate_start(r->ca, deadline(), account_answered, r, &r->op);
}

/* Before anything is done. */
static bool
confirm(const struct registering *r)
{
	char answer[16] = "";

	if (!r->options->deactivate || r->options->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		say_error("--deactivate asks on the terminal; without one, say --yes");
		return false;
	}
	printf("The account at %s ends for good: no certificate is issued or renewed with it any "
	       "more.\nType \"yes\" to deactivate it: ",
	    r->conf->ca.directory_url);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) != NULL && strcasecmp(answer, "yes\n") == 0)
		return true;
	say_error("nothing was changed");
	return false;
}

/* ---- one after the other ---- */

/* The first is the one that waits for directory and account. */
static const struct {
	bool (*wanted)(const struct registering *r);
	void (*begin)(struct registering *r);
} steps[] = {
    {always, refresh},
    {wants_terms, accept_terms},
    {wants_contacts, change_contacts},
    {wants_rollover, rollover},
    {wants_deactivation, deactivate},
};
enum { STEP_COUNT = sizeof(steps) / sizeof(steps[0]) };

static bool
wants_show(const struct registering *r)
{
	for (size_t i = 1; i < STEP_COUNT; i++)
		if (steps[i].wanted(r))
			return r->options->show;
	return r->options->show || !r->options->register_account;
}

static void
next_step(struct registering *r)
{
	while (r->step < STEP_COUNT && !steps[r->step].wanted(r))
		r->step++;
	if (r->step < STEP_COUNT) {
		steps[r->step].begin(r);
		return;
	}
	if (wants_show(r))
		say_account(r->ca, r->account);
	stop(r, REGISTER_OK);
}

/* ---- before there is a loop ---- */

static bool
generate_key(struct registering *r, struct err *e)
{
	const struct register_options *o = r->options;

	if (!o->gen_key)
		return true;
	say_step("Generate private key");
	return key_file_generate(r->conf->ca.dir, key_type(r), o->force, e);
}

static bool
load_key(struct registering *r, struct err *e)
{
	const struct register_options *o = r->options;
	struct ca_conf conf = r->conf->ca;

	say_step("Load private key");
	if (!key_file_there(conf.dir, KEY_FILE))
		return err_set(
		    e, ERR_ACCOUNT, "%s has no " KEY_FILE ": --gen-key makes one", conf.dir);
	conf.only_existing = !o->register_account;
	conf.contacts_as_is = true;
	if (o->contact_count > 0) {
		conf.contacts = o->contacts;
		conf.contact_count = o->contact_count;
	}
	if (o->accept_terms) {
		conf.terms.accept = o->terms_count == 0;
		conf.terms.urls = o->terms;
		conf.terms.url_count = o->terms_count;
	}
	conf.event = on_event;
	conf.event_arg = r;
	r->ca = ca_new(r->loop, r->client.http, &conf, e);
	return r->ca != NULL;
}

/* What is trusted is read before the change of user: it may be root's alone, as the configuration
 * may. */
static bool
prepare(struct registering *r, struct err *e)
{
	r->loop = loop_new(e);
	if (r->loop == NULL || !ca_client_init(&r->client, r->loop, r->conf->ca_file, e) ||
	    !owner_become(r->conf->user, r->conf->ca.dir, e) || !generate_key(r, e) ||
	    !load_key(r, e))
		return false;
	say_done();
	return true;
}

/* A new key alone needs no CA. */
static bool
needs_ca(const struct registering *r)
{
	const struct register_options *o = r->options;
	bool alone = !o->register_account && !o->show;

	for (size_t i = 1; i < STEP_COUNT; i++)
		alone = alone && !steps[i].wanted(r);
	return !o->gen_key || !alone;
}

static int
run(struct registering *r)
{
	struct err e;

	if (!prepare(r, &e))
		return failed(NULL, &e);
	if (!needs_ca(r))
		return REGISTER_OK;
	next_step(r);
	if (!loop_run(r->loop, &e))
		return failed(NULL, &e);
	return r->code;
}

static void
done(struct registering *r)
{
	op_cancel(&r->op);
	ca_free(r->ca);
	ca_client_done(&r->client);
	loop_free(r->loop);
	json_free(r->account);
	conf_free(r->conf);
}

int
register_run(const struct register_options *options)
{
	struct registering r = {.options = options, .code = REGISTER_FAILED};

	r.conf = conf_load(options->paths, options->path_count);
	conf_print_problems(r.conf, r.conf->failed ? CONF_WARNING : CONF_ERROR);
	if (r.conf->failed || !confirm(&r))
		r.code = REGISTER_CONFIG;
	else
		r.code = run(&r);
	done(&r);
	return r.code;
}
