/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From sections to structs: each part of the configuration has one builder, run
 * by conf.c in this order. A builder reports what is wrong and goes on, so that
 * all problems are found in one run; what it leaves behind is then only good to
 * be freed. Private to app/conf*.c.
 */
#pragma once

#include "app/conf.h"
#include "app/conf_memory.h"
#include "app/conf_report.h"
#include "app/conf_sections.h"

/* Instead of an index into the verification or storage blocks. */
enum {
	CONF_NO_DEFAULT = -1,  /* each auth block must name its own */
	CONF_BAD_DEFAULT = -2, /* reported already */
};

struct conf_build {
	struct conf *conf;
	struct conf_report report;
	struct conf_sections sections;
	struct conf_place start; /* the first file: for what is missing as a whole */
	int default_verification;
	int default_storage;
};

/* The block of that name among the names of n blocks, or -1. */
int conf_find_name(const char *const *names, size_t n, const char *name);

void conf_build_account(struct conf_build *b);
void conf_build_mgmt(struct conf_build *b);
void conf_build_verifications(struct conf_build *b);
void conf_build_storages(struct conf_build *b);
void conf_build_auths(struct conf_build *b); /* after verifications and storages */
void conf_build_logging(struct conf_build *b);
void conf_build_status(struct conf_build *b);
void conf_build_process(struct conf_build *b);
void conf_check_listeners(struct conf_build *b); /* last: those of all parts */

/* accept-terms-of-service, for conf_account.c. */
void conf_build_terms(struct conf_build *b, const struct conf_section *s);

/* The kinds of dns01, for conf_verification.c. */
void conf_build_dns01_update(
    struct conf_build *b, const struct conf_section *s, struct challenge_dns01_update_conf *out);
void conf_build_dns01_server(
    struct conf_build *b, const struct conf_section *s, struct challenge_dns01_server_conf *out);
void conf_build_challtestsrv(
    struct conf_build *b, const struct conf_section *s, struct challenge_challtestsrv_conf *out);
void conf_build_tsig(
    struct conf_build *b, const struct conf_section *s, struct challenge_tsig_conf *out);

/* The methods (ip, hmac, all) and the domains of an auth block, for conf_auth.c. */
void conf_build_methods(struct conf_build *b, const struct conf_section *s, struct auth_block *out);
void conf_build_domains(struct conf_build *b, const struct conf_section *s, struct auth_block *out);
