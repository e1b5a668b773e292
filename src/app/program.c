/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "app/check.h"
#include "app/conf.h"
#include "app/conf_report.h"
#include "app/health.h"
#include "app/held_forget.h"
#include "app/held_list.h"
#include "app/server.h"
#include "app/user.h"
#include "base/log.h"
#include "config.h"

enum { DESCRIPTORS = 65536 };

/* Once the log is open, warnings belong there. */
static void
log_warnings(const struct conf *conf)
{
	for (size_t i = 0; i < conf->problem_count; i++) {
		if (conf->problems[i].severity != CONF_WARNING)
			continue;
		char *text = conf_problem_text(&conf->problems[i]);
		log_warning(NULL, "%s", text);
		free(text);
	}
}

/* A proxy the operator counts on and we do not use would only show as "cannot be reached". */
static void
warn_of_proxy_variables(void)
{
	static const char *const names[] = {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			log_warning(NULL,
			    "%s is set, but HTTP proxies are not supported: the CA is "
			    "asked directly",
			    names[i]);
	}
}

/* Each client, each connection to the CA and each file being synced is a descriptor; what the
 * system's default leaves is for programs that have few. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_debug(NULL, "the limit of descriptors stays as it is");
}

static void
warn_of_root(const struct conf *conf)
{
	if (user_is_root() && conf->user == NULL)
		log_warning(NULL,
		    "runs as root, which it does not need: set [process] user, or start it as "
		    "another user");
}

/* Takes conf over. dropped: it was root, and has become the user of conf. */
static bool
serve(struct conf *conf, bool dropped, char *const *paths, size_t count, int *ret_code)
{
	bool to_stderr = conf->log.destination == LOG_TO_STDERR;
	struct err e;
	struct server *s = NULL;

	if (!log_configure(&conf->log, &e))
		goto failed;
	log_warnings(conf);
	warn_of_root(conf);
	warn_of_proxy_variables();
	raise_descriptor_limit();
	s = server_new(conf, paths, count, &e);
	conf = NULL;
	if (s == NULL || (dropped && !user_settle(&e)) || !server_run(s, &e))
		goto failed;
	*ret_code = EXIT_OK;
	server_free(s);
	return true;
failed:
	/* What a later start may not meet again is no matter of the configuration. */
	*ret_code = e.kind == ERR_CONFIG ? EXIT_CONFIG : EXIT_RUNTIME;
	log_error(NULL, "%s", e.detail);
	/* Whoever starts it by hand looks at the terminal, wherever the log goes. */
	if (!to_stderr)
		fprintf(stderr, "acmems: %s\n", e.detail);
	server_free(s);
	conf_free(conf);
	return false;
}

/* What --check finds keeps the daemon from starting, in the same words; and all of it is tested by
 * the user it shall run as. */
static struct conf *
load(char *const *paths, size_t count, bool *ret_dropped)
{
	struct conf *conf = conf_load(paths, count);
	bool root = user_is_root();
	struct err e;

	if (!conf->failed && conf->user != NULL && !user_become(conf->user, &e))
		conf_problem_add(conf, &conf->user_at, "[process] user: %s", e.detail);
	*ret_dropped = root && !user_is_root();
	if (!conf->failed)
		check_start(conf);
	return conf;
}

int
program_serve(char *const *paths, size_t count)
{
	bool dropped;
	struct conf *conf = load(paths, count, &dropped);
	int code = EXIT_CONFIG;

	if (conf->failed) {
		conf_print_problems(conf, CONF_WARNING);
		conf_free(conf);
	} else {
		serve(conf, dropped, paths, count, &code);
	}
	log_close();
	return code;
}

int
program_check(char *const *paths, size_t count)
{
	bool dropped;
	struct conf *conf = load(paths, count, &dropped);
	bool ok = !conf->failed;

	conf_print_problems(conf, CONF_NOTE);
	if (ok)
		printf("acmems %s: the configuration is good: %zu auth, %zu verification and %zu "
		       "storage "
		       "blocks\n",
		    ACMEMS_VERSION, conf->auth_count, conf->verification_count,
		    conf->storage_count);
	conf_free(conf);
	return ok ? EXIT_OK : EXIT_CONFIG;
}

/* ---- a look from outside ---- */

/* NULL: it is no good, and said so. */
static struct conf *
load_quietly(char *const *paths, size_t count)
{
	struct conf *conf = conf_load(paths, count);

	if (!conf->failed)
		return conf;
	conf_print_problems(conf, CONF_ERROR);
	conf_free(conf);
	return NULL;
}

static int
finish(struct conf *conf, bool ok, const struct err *e)
{
	if (!ok)
		fprintf(stderr, "acmems: %s\n", e->detail);
	conf_free(conf);
	return ok ? EXIT_OK : EXIT_RUNTIME;
}

int
program_list(char *const *paths, size_t count, bool json)
{
	struct conf *conf = load_quietly(paths, count);
	struct err e;

	return conf == NULL ? EXIT_CONFIG : finish(conf, held_list(conf, json, stdout, &e), &e);
}

int
program_forget(char *const *paths, size_t count, const char *name)
{
	struct identifier id;
	size_t gone;
	struct err e;

	if (!held_name(name, &id, &e)) {
		fprintf(stderr, "acmems: %s\n", e.detail);
		return EXIT_CONFIG;
	}
	struct conf *conf = load_quietly(paths, count);
	if (conf == NULL)
		return EXIT_CONFIG;
	bool ok = held_forget(conf, &id, stdout, &gone, &e);
	if (ok && gone == 0)
		ok = err_set(&e, ERR_NOT_FOUND, "no certificate for %s is held", id.value);
	return finish(conf, ok, &e);
}

int
program_health(char *const *paths, size_t count)
{
	struct conf *conf = load_quietly(paths, count);
	struct err e;

	return conf == NULL ? EXIT_CONFIG : finish(conf, health_ask(conf, &e), &e);
}
