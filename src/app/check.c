/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/check.h"

#include <stdio.h>

#include "acme/key_file.h"
#include "app/conf_report.h"
#include "base/file.h"
#include "base/log.h"
#include "http/tls.h"

static void
check_directory(struct conf *conf, const struct conf_at *at, const char *what, const char *dir)
{
	struct err e;

	if (!file_dir_makeable(dir, &e))
		conf_problem_add(conf, at, "%s: %s", what, e.detail);
}

static void
check_directories(struct conf *conf)
{
	check_directory(conf, &conf->dir_at, "[account] dir", conf->ca.dir);
	for (size_t i = 0; i < conf->storage_count; i++) {
		const struct storage_conf *s = &conf->storages[i];
		char what[128];

		if (s->type != STORE_FILE)
			continue;
		snprintf(what, sizeof(what), "[storage \"%s\"] directory", s->name);
		check_directory(conf, &s->directory_at, what, s->file.directory);
	}
}

static void
check_key(struct conf *conf)
{
	struct err e;

	if (!key_file_check(conf->ca.dir, &e))
		conf_problem_add(conf, &conf->dir_at, "[account] dir: %s", e.detail);
}

static void
check_log(struct conf *conf)
{
	struct err e;

	if (!log_check(&conf->log, &e))
		conf_problem_add(
		    conf, &conf->destination_at, "[logging] destination: %s", e.detail);
	if (!log_check_audit(&conf->log, &e))
		conf_problem_add(conf, &conf->audit_at, "[logging] audit: %s", e.detail);
}

static struct ssl_ctx_st *
check_trust(struct conf *conf)
{
	struct err e;
	struct ssl_ctx_st *tls = tls_client_context(conf->ca_file, &e);

	if (tls == NULL)
		conf_problem_add(conf, &conf->ca_file_at, "%s", e.detail);
	return tls;
}

struct ssl_ctx_st *
check_reload(struct conf *conf)
{
	check_directories(conf);
	check_key(conf);
	check_log(conf);
	return check_trust(conf);
}

void
check_start(struct conf *conf)
{
	tls_context_free(check_reload(conf));
}
