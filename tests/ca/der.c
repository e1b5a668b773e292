/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "der.h"

#include <string.h>

/* The length octets behind a tag; false if they are not the shortest form. */
static bool
take_length(struct der *in, size_t *ret_len)
{
	size_t len, count;

	if (in->len == 0)
		return false;
	len = *in->p++;
	in->len--;
	if (len < 0x80) {
		*ret_len = len;
		return true;
	}
	count = len & 0x7f;
	if (count == 0 || count > 3 || count > in->len || *in->p == 0)
		return false;
	for (len = 0; count > 0; count--, in->len--)
		len = len << 8 | *in->p++;
	*ret_len = len;
	return len >= 0x80;
}

bool
der_next(struct der *in, uint8_t *ret_tag, struct der *ret_content, struct der *ret_whole)
{
	struct der rest = *in;
	uint8_t tag;
	size_t len;

	if (rest.len < 2)
		return false;
	tag = *rest.p++;
	rest.len--;
	if (!take_length(&rest, &len) || len > rest.len)
		return false;
	if (ret_tag != NULL)
		*ret_tag = tag;
	if (ret_whole != NULL)
		*ret_whole = (struct der){in->p, (size_t)(rest.p - in->p) + len};
	if (ret_content != NULL)
		*ret_content = (struct der){rest.p, len};
	*in = (struct der){rest.p + len, rest.len - len};
	return true;
}

bool
der_take(struct der *in, uint8_t tag, struct der *ret_content)
{
	struct der rest = *in, content;
	uint8_t found;

	if (!der_next(&rest, &found, &content, NULL) || found != tag)
		return false;
	*in = rest;
	*ret_content = content;
	return true;
}

bool
der_equal(struct der a, const void *p, size_t n)
{
	return a.len == n && memcmp(a.p, p, n) == 0;
}

void
der_put(struct buf *out, uint8_t tag, const void *content, size_t n)
{
	uint8_t head[5] = {tag};
	size_t len = 2;

	if (n < 0x80) {
		head[1] = (uint8_t)n;
	} else if (n < 0x100) {
		head[1] = 0x81;
		head[2] = (uint8_t)n;
		len = 3;
	} else if (n < 0x10000) {
		head[1] = 0x82;
		head[2] = (uint8_t)(n >> 8);
		head[3] = (uint8_t)n;
		len = 4;
	} else {
		head[1] = 0x83;
		head[2] = (uint8_t)(n >> 16);
		head[3] = (uint8_t)(n >> 8);
		head[4] = (uint8_t)n;
		len = 5;
	}
	buf_add(out, head, len);
	buf_add(out, content, n);
}

void
der_put_buf(struct buf *out, uint8_t tag, const struct buf *content)
{
	der_put(out, tag, content->data, content->len);
}
