/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/authentication.h"

#include <string.h>

#include "codec/text.h"

/* What is left to read of the header, and what has been found in it. */
struct reader {
	const char *p;
	size_t len;
	const char *name, *hash;
	size_t name_len, hash_len;
};

static void
advance(struct reader *r, size_t n)
{
	r->p += n;
	r->len -= n;
}

static bool
is_any_of(char c, const char *set)
{
	for (; *set != '\0'; set++)
		if (c == *set)
			return true;
	return false;
}

/* The length of what stands before any of the stop characters. */
static size_t
span(const struct reader *r, const char *stops)
{
	size_t n = 0;

	while (n < r->len && !is_any_of(r->p[n], stops))
		n++;
	return n;
}

static void
skip_separators(struct reader *r)
{
	while (r->len > 0 && is_any_of(*r->p, " \t,"))
		advance(r, 1);
}

static void
skip_blanks(struct reader *r)
{
	while (r->len > 0 && (*r->p == ' ' || *r->p == '\t'))
		advance(r, 1);
}

/* A word, or a quoted string without escapes. */
static bool
read_value(struct reader *r, const char **ret, size_t *ret_len)
{
	bool quoted = r->len > 0 && *r->p == '"';

	if (quoted)
		advance(r, 1);
	*ret = r->p;
	*ret_len = span(r, quoted ? "\"" : " \t,");
	advance(r, *ret_len);
	if (!quoted)
		return true;
	if (r->len == 0)
		return false;
	advance(r, 1);
	return true;
}

static bool
read_pair(struct reader *r, struct err *e)
{
	const char *key = r->p, *value;
	size_t key_len = span(r, " \t,="), value_len;
	char quoted[TEXT_QUOTE_MAX];
	bool name = text_equal_nocase(key, key_len, "name");

	advance(r, key_len);
	skip_blanks(r);
	if (r->len == 0 || *r->p != '=')
		return err_set(e, ERR_FORBIDDEN, "\"%s\" is followed by no value",
		    text_quote(key, key_len, quoted));
	advance(r, 1);
	skip_blanks(r);
	if (!read_value(r, &value, &value_len))
		return err_set(e, ERR_FORBIDDEN, "the quotes of \"%s\" are not closed",
		    text_quote(key, key_len, quoted));
	if (!name && !text_equal_nocase(key, key_len, "hash"))
		return err_set(e, ERR_FORBIDDEN, "\"%s\" is unknown: name and hash are expected",
		    text_quote(key, key_len, quoted));
	if ((name ? r->name : r->hash) != NULL)
		return err_set(
		    e, ERR_FORBIDDEN, "\"%s\" is given twice", text_quote(key, key_len, quoted));
	*(name ? &r->name : &r->hash) = value;
	*(name ? &r->name_len : &r->hash_len) = value_len;
	return true;
}

static int
hex_value(char c)
{
	c = text_lower(c);
	if (text_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
decode_hash(const struct reader *r, enum digest_kind kind, uint8_t *out, struct err *e)
{
	size_t size = digest_size(kind);
	int high, low;

	if (r->hash_len != 2 * size)
		return err_set(e, ERR_FORBIDDEN, "a hash of %s has %zu hex digits, not %zu",
		    digest_kind_name(kind), 2 * size, r->hash_len);
	for (size_t i = 0; i < size; i++) {
		high = hex_value(r->hash[2 * i]);
		low = hex_value(r->hash[2 * i + 1]);
		if (high < 0 || low < 0)
			return err_set(e, ERR_FORBIDDEN, "the hash is not hexadecimal");
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool
parse(struct reader *r, struct authentication *ret, struct err *e)
{
	struct authentication a = {0};
	char quoted[TEXT_QUOTE_MAX];
	size_t scheme = span(r, " \t,=\"");

	if (!text_equal_nocase(r->p, scheme, "hmac"))
		return err_set(e, ERR_FORBIDDEN, "its scheme is not hmac");
	advance(r, scheme);
	for (skip_separators(r); r->len > 0; skip_separators(r))
		if (!read_pair(r, e))
			return false;
	if (r->name == NULL || r->hash == NULL)
		return err_set(
		    e, ERR_FORBIDDEN, "%s is missing", r->name == NULL ? "name" : "hash");
	a.kind = digest_kind_parse(r->name, r->name_len);
	if (a.kind == DIGEST_NONE)
		return err_set(e, ERR_FORBIDDEN, "the hash function \"%s\" is unknown",
		    text_quote(r->name, r->name_len, quoted));
	if (!decode_hash(r, a.kind, a.hash, e))
		return false;
	*ret = a;
	return true;
}

bool
authentication_parse(const char *value, size_t len, struct authentication *ret, struct err *e)
{
	struct reader r = {0};

	text_trim(&value, &len);
	r.p = value;
	r.len = len;
	return parse(&r, ret, e) || err_prefix(e, "Authentication header");
}
