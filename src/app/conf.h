/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration: files in, every module's own configuration struct out, or
 * a list of all that is wrong (acmems.conf(5)). Nothing here starts anything.
 *
 * - conf.c: reads the files, builds, hands over
 * - conf_options.c: THE table of sections and options: name, section, type, default
 * - conf_section.c: a section against the table; conf_sections.c: those of several files
 * - conf_value.c: value parsers: yes/no, numbers, sizes, lists; conf_listen.c: HOST:PORT
 * - conf_clash.c: two listeners on one address
 * - conf_resolve.c: names of listeners become addresses, without blocking
 * - conf_same.c: what of two configurations is the same
 * - conf_secret.c: files that hold a secret
 * - conf_account.c, conf_terms.c, conf_mgmt.c, conf_verification.c, conf_dns01.c, conf_tsig.c,
 *   conf_storage.c, conf_auth.c, conf_method.c, conf_domain.c, conf_logging.c: one part each
 * - conf_report.c: problems, FILE:LINE: message
 * - conf_memory.c: the one owner of what the structs point to
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/ca.h"
#include "base/log.h"
#include "challenge/challenge.h"
#include "codec/ip.h"
#include "issue/policy.h"
#include "issue/store.h"

enum conf_severity {
	CONF_NOTE, /* this very file behaves differently from the original; --check only */
	CONF_WARNING,
	CONF_ERROR,
};

struct conf_problem {
	enum conf_severity severity;
	char *path;
	int line; /* 0: the file as a whole */
	char *message;
};

/* Where an option stands, for what is found wrong with it later. */
struct conf_at {
	const char *path;
	int line; /* 0: it is not given, or the file as a whole */
};

enum proxy_header { PROXY_X_FORWARDED_FOR, PROXY_X_REAL_IP };

/* [mgmt] */
struct mgmt_conf {
	char **listeners; /* as written; checked */
	size_t listener_count;
	bool default_listeners; /* the defaults, maybe [mgmt] mgmt too: a family the machine lacks
				   is skipped */
	size_t max_size;        /* bytes of a CSR body */
	int64_t timeout_s;
	int64_t order_timeout_s;
	int64_t shutdown_timeout_s;
	size_t max_orders;
	struct ip_range *trusted; /* trusted-proxy addresses */
	size_t trusted_count;
	bool trust_unix;
	enum proxy_header proxy_header;
};

enum store_type { STORE_NONE, STORE_FILE, STORE_TYPE_COUNT };

/* [storage "NAME"] */
struct storage_conf {
	char *name;
	int line;
	enum store_type type;
	int64_t renew_within_s;
	struct store_file_conf file; /* STORE_FILE */
	struct conf_at directory_at;
};

struct conf {
	struct ca_conf ca; /* without event and event_arg */
	struct conf_at dir_at;
	const char *account_said; /* the text of [account]: equal ones are one CA */
	char *ca_file;            /* or NULL */
	struct conf_at ca_file_at;
	struct mgmt_conf mgmt;
	struct challenge_conf
	    *verifications; /* file order; a default http01 block is added if there is none */
	const char **verifications_said; /* the texts of their sections */
	size_t verification_count;
	struct storage_conf *storages; /* "none" is always among them */
	size_t storage_count;
	struct auth_block *auths; /* verification and store are indices into the two above */
	size_t auth_count;
	struct log_conf log;
	struct conf_at destination_at;
	struct conf_at audit_at;
	char **status_listeners; /* [status] */
	size_t status_listener_count;
	char *user; /* [process] user, or NULL */
	struct conf_at user_at;

	struct conf_problem *problems; /* in the order of files and lines */
	size_t problem_count;
	bool failed;  /* at least one is CONF_ERROR */
	void *memory; /* what the members point to; private to conf.c */
};

/* Reads the files in order. Never NULL; look at failed first. Beside problems of the files: what
 * this build does not have yet is a CONF_ERROR that says so. */
struct conf *conf_load(char *const *paths, size_t count);
void conf_free(struct conf *c);

/* Prints those of at least that severity on standard error. */
void conf_print_problems(const struct conf *c, enum conf_severity from);
/* An address as RFC 8555 7.3 wants it: "mailto:", one address, no header fields. */
bool conf_is_contact(const char *text);
/* "FILE:LINE: error: message", without newline; the caller frees it. */
char *conf_problem_text(const struct conf_problem *p);

/* The option table, for the tests that hold the man page and the examples against it. */
struct conf_option {
	const char *section; /* "account", "verification", ... */
	const char *type;    /* only for this type = (verification, storage), else NULL */
	const char *name;
	const char *alias;    /* older spelling, or NULL */
	const char *fallback; /* default as text, or NULL */
	bool list;            /* may be given several times */
	bool secret;          /* holds a secret: the file should not be readable by others */
	bool empty;           /* may be given without a value: the default, or none */
};
const struct conf_option *conf_options(size_t *ret_count);
