/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/pem.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

void
pem_open(struct pem_reader *r, const char *text, size_t len)
{
	/* A length of 0 is "up to the NUL" for some versions, so that is given one. */
	r->bio = BIO_new_mem_buf(len > 0 ? text : "", len < INT_MAX ? (int)len : INT_MAX);
	if (r->bio == NULL)
		abort();
}

enum pem_result
pem_next(struct pem_reader *r, struct pem_block *ret)
{
	unsigned char *der = NULL;
	char *label = NULL, *header = NULL;
	bool plain;
	long len;

	ERR_clear_error();
	if (PEM_read_bio(r->bio, &label, &header, &der, &len) != 1) {
		if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
			return PEM_DAMAGED;
		ERR_clear_error();
		return PEM_END;
	}
	/* With a header the bytes are encrypted. */
	plain = *header == '\0';
	OPENSSL_free(header);
	*ret = (struct pem_block){label, der, (size_t)len};
	if (plain)
		return PEM_BLOCK;
	pem_block_done(ret);
	return PEM_DAMAGED;
}

void
pem_block_done(struct pem_block *block)
{
	OPENSSL_free(block->label);
	OPENSSL_clear_free(block->der, block->der_len);
	*block = (struct pem_block){0};
}

void
pem_close(struct pem_reader *r)
{
	BIO_free(r->bio);
	r->bio = NULL;
}
