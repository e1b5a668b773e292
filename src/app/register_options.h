/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The arguments of acme-register(8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "codec/key.h"

struct register_options {
	bool help;
	bool version;
	bool gen_key;
	bool force; /* gen_key replaces a key that is there */
	bool has_key_type;
	enum key_type key_type;
	bool register_account;
	char **contacts; /* "mailto:..."; owned */
	size_t contact_count;
	bool accept_terms;
	char **terms; /* accepted exactly; none: whatever they are now; borrowed from argv */
	size_t terms_count;
	bool show;
	bool rollover;
	bool deactivate;
	bool yes;           /* deactivate does not ask */
	char *const *paths; /* of the configuration; part of argv */
	size_t path_count;
};

extern const char register_usage[];

/* argv is reordered. On failure what is wrong stands on standard error. */
bool register_options_parse(struct register_options *o, int argc, char **argv);
void register_options_done(struct register_options *o);
