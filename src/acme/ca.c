/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/ca.h"

#include <stdlib.h>
#include <string.h>

#include "acme/account.h"
#include "acme/bucket.h"
#include "acme/ca_private.h"
#include "acme/key_file.h"
#include "acme/nonce.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"

/* ---- the configuration, copied ---- */

static char *
copy(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

static char **
copy_list(char *const *list, size_t count)
{
	char **to = xcalloc(count + 1, sizeof(*to));

	for (size_t i = 0; i < count; i++)
		to[i] = xstrdup(list[i]);
	return to;
}

static void
free_list(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free(list);
}

static void
conf_copy(struct ca_conf *to, const struct ca_conf *from)
{
	*to = *from;
	to->directory_url = copy(from->directory_url);
	to->dir = copy(from->dir);
	to->terms.urls = copy_list(from->terms.urls, from->terms.url_count);
	to->contacts = copy_list(from->contacts, from->contact_count);
	to->eab_kid = copy(from->eab_kid);
	to->eab_key = from->eab_key != NULL ? xmemdup(from->eab_key, from->eab_key_len) : NULL;
	to->profile = copy(from->profile);
}

static void
conf_done(struct ca_conf *conf)
{
	free((char *)conf->directory_url);
	free((char *)conf->dir);
	free_list(conf->terms.urls, conf->terms.url_count);
	free_list(conf->contacts, conf->contact_count);
	free((char *)conf->eab_kid);
	free_secret((uint8_t *)conf->eab_key, conf->eab_key_len);
	free((char *)conf->profile);
}

/* ---- life ---- */

static bool
ca_open(struct ca *ca, const struct ca_conf *conf, struct err *e)
{
	static const enum ca_event events[] = {
	    [KEY_FILE_TIGHTENED] = CA_EVENT_KEY_TIGHTENED,
	    [KEY_FILE_MADE] = CA_EVENT_KEY_MADE,
	};
	enum key_file_event event;
	char *path;

	if (!uri_parse(conf->directory_url, strlen(conf->directory_url), &ca->uri, e)) {
		if (e != NULL)
			e->kind = ERR_CONFIG;
		return err_prefix(e, "acme-server");
	}
	if (conf->dir == NULL)
		return true;
	ca->key = key_file_open(conf->dir, conf->key_type, &event, e);
	if (ca->key == NULL)
		return false;
	if (event != KEY_FILE_LOADED) {
		path = account_path(conf->dir, "account.pem");
		ca_event(ca, events[event], path, NULL);
		free(path);
	}
	return true;
}

struct ca *
ca_new(struct loop *loop, struct http_client *client, const struct ca_conf *conf, struct err *e)
{
	struct ca *ca = xcalloc(1, sizeof(*ca));

	ca->loop = loop;
	ca->client = client;
	conf_copy(&ca->conf, conf);
	if (ca->conf.stats == NULL)
		ca->conf.stats = &ca->own_stats;
	if (!ca_open(ca, conf, e)) {
		ca_free(ca);
		return NULL;
	}
	uri_host_header(&ca->uri, ca->host);
	ca->loopback = uri_is_loopback(&ca->uri);
	ca->bucket =
	    bucket_new(loop, ca->loopback ? 0 : conf->requests_per_second, conf->requests_burst);
	ca->nonces = nonces_new(ca);
	ca->account = account_new(ca);
	return ca;
}

struct ca *
ca_hold(struct ca *ca)
{
	ca->holders++;
	return ca;
}

void
ca_free(struct ca *ca)
{
	if (ca == NULL)
		return;
	if (ca->holders > 0) {
		ca->holders--;
		return;
	}
	account_free(ca->account);
	nonces_free(ca->nonces);
	bucket_free(ca->bucket);
	directory_done(&ca->directory);
	key_free(ca->key);
	conf_done(&ca->conf);
	free(ca);
}

void
ca_start(struct ca *ca)
{
	account_check(ca->account);
}

/* ---- whether orders may be tried ---- */

static int64_t
seconds_until(int64_t when)
{
	int64_t left = when - clock_mono_ms();

	return left > 0 ? (left + 999) / 1000 : 0;
}

bool
ca_ready(const struct ca *ca, struct err *e)
{
	int64_t left = seconds_until(ca->paused_until);

	if (left == 0)
		return account_usable(ca->account, e);
	if (e != NULL) {
		*e = ca->pause;
		e->retry_after = left;
	}
	return false;
}

const struct ca_stats *
ca_stats(const struct ca *ca)
{
	return ca->conf.stats;
}

void
ca_reset(struct ca *ca)
{
	ca->paused_until = 0;
	account_retry(ca->account);
}

/* The text is for everybody, so the CA's detail, which may name others, stays with the request that
 * failed. */
void
ca_pause(struct ca *ca, int status, const struct err *e)
{
	int64_t seconds = e->retry_after < CA_PAUSE_MAX_S ? e->retry_after : CA_PAUSE_MAX_S;
	int64_t until = clock_mono_ms() + seconds * 1000;
	bool paused = seconds_until(ca->paused_until) > 0;

	if ((status != 429 && status != 503) || seconds <= 0 || until <= ca->paused_until)
		return;
	ca->paused_until = until;
	err_set(&ca->pause, e->kind, "%s asks to wait with new orders (%s)", ca->host,
	    status == 429 ? "rate limit" : "not available");
	ca->pause.problem = e->problem;
	ca->pause.retry_after = seconds;
	if (!paused)
		ca_event(ca, CA_EVENT_PAUSED, NULL, &ca->pause);
	ca->pause.told = true;
}

static void
ca_account_failed(struct ca *ca, enum acme_place place, const struct err *e)
{
	if (e->problem == PROBLEM_ACCOUNT_DOES_NOT_EXIST)
		account_doubt(ca->account, ACCOUNT_SURELY_GONE);
	else if (e->kind == ERR_ACCOUNT)
		account_doubt(ca->account, ACCOUNT_LIKELY_GONE);
	else if ((e->problem == PROBLEM_MALFORMED &&
		     (place == PLACE_NEW_ORDER || place == PLACE_REVOKE)) ||
	    (e->problem == PROBLEM_UNAUTHORIZED &&
		(place == PLACE_FINALIZE || place == PLACE_REVOKE)))
		account_doubt(ca->account, ACCOUNT_PERHAPS_GONE);
}

void
ca_failed(struct ca *ca, enum acme_place place, unsigned generation, struct err *e)
{
	/* The account's own requests are judged by account.c. */
	if (place == PLACE_DIRECTORY || place == PLACE_ACCOUNT)
		return;
	if (e->kind == ERR_UNREACHABLE)
		account_unreachable(ca->account, e);
	else if (generation == account_generation(ca->account))
		ca_account_failed(ca, place, e);
	if (e->problem == PROBLEM_INVALID_PROFILE ||
	    (e->kind == ERR_UPSTREAM && place == PLACE_NEW_ORDER))
		directory_doubt(&ca->directory, clock_mono_ms());
}

bool
ca_read_directory(struct ca *ca, const struct request_answer *answer, struct err *e)
{
	return directory_read(&ca->directory, answer->body, answer->body_len, ca->uri.https,
		   clock_mono_ms(), e) ||
	    err_prefix(e, "directory of %s", ca->host);
}

void
ca_event(struct ca *ca, enum ca_event event, const char *text, const struct err *e)
{
	if (ca->conf.event != NULL)
		ca->conf.event(ca->conf.event_arg, event, text, e);
}

/* ---- what is known ---- */

const char *
ca_directory_url(const struct ca *ca)
{
	return ca->conf.directory_url;
}

const char *
ca_account_url(const struct ca *ca)
{
	const char *url = account_url(ca->account);

	return url != NULL ? url : "";
}

const char *
ca_profile(const struct ca *ca)
{
	return ca->conf.profile;
}

const char *
ca_terms_url(const struct ca *ca)
{
	return ca->directory.object.terms_of_service;
}

const struct key *
ca_key(const struct ca *ca)
{
	return ca->key;
}
