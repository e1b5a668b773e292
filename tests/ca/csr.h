/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a certification request (RFC 2986) asks for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "der.h"

enum { CSR_NAMES_MAX = 200 };

enum san_kind {
	SAN_DNS = 0x82,
	SAN_IP = 0x87,
};

struct san {
	enum san_kind kind;
	char *text; /* lower case; addresses as inet_ntop writes them */
};

struct csr {
	struct der spki;                 /* the element; points into the request */
	struct der common_name;          /* len 0: none */
	struct san names[CSR_NAMES_MAX]; /* common name included, each once */
	size_t count;
};

/* der must outlive the struct. Checks the signature if verify is set. */
bool csr_parse(struct csr *c, struct der der, bool verify, struct err *e);
/* csr_verify.c: the signature, and that neither it nor the key is weak. */
bool csr_verify(const struct csr *c, struct der der, struct err *e);
void csr_done(struct csr *c);
