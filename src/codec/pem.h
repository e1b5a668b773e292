/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The blocks of a PEM text, one after the other; text around them is passed over. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct pem_block {
	char *label; /* "CERTIFICATE REQUEST", ... */
	uint8_t *der;
	size_t der_len;
};

enum pem_result { PEM_END, PEM_BLOCK, PEM_DAMAGED };

struct pem_reader {
	struct bio_st *bio;
};

/* text is borrowed until pem_close; it needs no NUL. */
void pem_open(struct pem_reader *r, const char *text, size_t len);
/* The next block, to be freed with pem_block_done; on PEM_DAMAGED OpenSSL's queue says why. */
enum pem_result pem_next(struct pem_reader *r, struct pem_block *ret);
void pem_block_done(struct pem_block *block);
void pem_close(struct pem_reader *r);
