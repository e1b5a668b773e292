/* SPDX-License-Identifier: GPL-3.0-or-later */
/* As much of DER (X.690) as certificates and requests for them need, read and written by hand: the
 * library's way decodes public keys on every look, which is most of the price of a leaf. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0,
	DER_CONTEXT_3 = 0xa3,
	DER_MAX = 1 << 20,
};

/* A part of someone else's bytes. */
struct der {
	const uint8_t *p;
	size_t len;
};

/* Takes one element off the front of *in: its tag and content, and the element whole if ret_whole
 * is not NULL. False at the end or if it is malformed. */
bool der_next(struct der *in, uint8_t *ret_tag, struct der *ret_content, struct der *ret_whole);
/* The same, and the tag must be this. */
bool der_take(struct der *in, uint8_t tag, struct der *ret_content);
bool der_equal(struct der a, const void *p, size_t n);

/* Appends an element. */
void der_put(struct buf *out, uint8_t tag, const void *content, size_t n);
void der_put_buf(struct buf *out, uint8_t tag, const struct buf *content);
