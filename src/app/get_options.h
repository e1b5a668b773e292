/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of acme-get(1): parsed and checked, so that whoever reads it finds only what
 * makes sense together. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "acme/revoke.h"
#include "base/err.h"
#include "codec/identifier.h"
#include "codec/ip.h"
#include "codec/key.h"

enum get_kind { GET_HTTP01, GET_DNS01, GET_REVOKE_CERT };

enum get_wish { GET_WISH_RUN, GET_WISH_HELP, GET_WISH_VERSION, GET_WISH_WRONG };

enum { GET_LISTEN_MAX = 8 };

/* HOST:PORT as written. */
struct get_listen {
	char *specs[GET_LISTEN_MAX];
	size_t count;
	bool is_default; /* a family the machine lacks is skipped */
};

/* Texts point into argv unless they are said to be owned. What is not given is NULL. */
struct get_options {
	enum get_kind kind;
	const char *directory;
	struct identifiers names; /* of --domain; may be empty with csr */
	bool has_record;
	struct ip_addr record;
	const char *out;
	const char *account_dir;
	char *account_dir_made; /* owned: the default */
	const char *csr;        /* path, or NULL: made by us */
	const char *key;        /* path of the certificate's key, or NULL */
	const char *ca_file;
	const char *revoke_cert; /* path, of GET_REVOKE_CERT */
	enum key_type key_type;
	bool key_type_given;
	bool revoke;
	enum revoke_reason reason;
	bool reason_given;
	bool want_serve, no_serve; /* as given; what counts is: */
	bool serve;
	bool verbose;
	struct get_listen http, dns, https, control;
};

/* GET_WISH_WRONG: ERR_CONFIG says why. get_options_done in every case. */
enum get_wish get_options_parse(struct get_options *o, int argc, char *const *argv, struct err *e);
void get_options_done(struct get_options *o);

/* Whether the kind of challenge can prove them all: a wildcard wants dns01, an IP address http01.
 * ERR_CONFIG. */
bool get_options_can_prove(
    const struct get_options *o, const struct identifiers *names, struct err *e);

/* What --help prints. */
extern const char get_options_usage[];
