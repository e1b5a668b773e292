/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/identifier.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/text.h"

/* What is wrong with a label, or NULL. */
static const char *
label_fault(const char *p, size_t len)
{
	if (len == 0)
		return "it has an empty label";
	if (len > 63)
		return "a label is longer than 63 characters";
	if (p[0] == '-' || p[len - 1] == '-')
		return "a label begins or ends with a hyphen";
	for (size_t i = 0; i < len; i++)
		if (!text_is_alnum(p[i]) && p[i] != '-')
			return "only letters, digits and hyphens are allowed";
	return NULL;
}

static const char *
name_fault(const char *p, size_t len)
{
	const char *dot, *fault;
	size_t label;

	if (len == 0)
		return "it is empty";
	if (len > IDENTIFIER_MAX)
		return "it is longer than 253 characters";
	if (p[len - 1] == '.')
		return "it ends with a dot";
	if (len >= 2 && p[0] == '*' && p[1] == '.') {
		p += 2;
		len -= 2;
	}
	for (;;) {
		dot = memchr(p, '.', len);
		label = dot != NULL ? (size_t)(dot - p) : len;
		fault = label_fault(p, label);
		if (fault != NULL)
			return fault;
		if (dot == NULL)
			return text_all_digits(p, len) ? "its last label is a number" : NULL;
		p += label + 1;
		len -= label + 1;
	}
}

bool
identifier_dns(const char *text, size_t len, struct identifier *ret, struct err *e)
{
	const char *fault = name_fault(text, len);
	char quoted[TEXT_QUOTE_MAX];

	if (fault != NULL)
		return err_set(e, ERR_BAD_CSR, "\"%s\" is not a valid DNS name: %s",
		    text_quote(text, len, quoted), fault);
	memset(ret, 0, sizeof(*ret));
	ret->kind = IDENTIFIER_DNS;
	for (size_t i = 0; i < len; i++)
		ret->value[i] = text_lower(text[i]);
	return true;
}

void
identifier_ip(const struct ip_addr *addr, struct identifier *ret)
{
	char text[IP_ADDR_TEXT];

	memset(ret, 0, sizeof(*ret));
	ret->kind = IDENTIFIER_IP;
	ret->ip = *addr;
	strcpy(ret->value, ip_addr_format(addr, text));
}

bool
identifier_is_wildcard(const struct identifier *id)
{
	return id->kind == IDENTIFIER_DNS && strncmp(id->value, "*.", 2) == 0;
}

const char *
identifier_base(const struct identifier *id)
{
	return identifier_is_wildcard(id) ? id->value + 2 : id->value;
}

static int
compare(const struct identifier *a, const struct identifier *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->value, b->value);
}

bool
identifier_equal(const struct identifier *a, const struct identifier *b)
{
	return compare(a, b) == 0;
}

void
identifiers_add(struct identifiers *set, const struct identifier *id)
{
	size_t i = set->count;
	int r = 1;

	while (i > 0 && (r = compare(&set->items[i - 1], id)) > 0)
		i--;
	if (i > 0 && r == 0)
		return;
	set->items = xreallocarray(set->items, set->count + 1, sizeof(*id));
	memmove(&set->items[i + 1], &set->items[i], (set->count - i) * sizeof(*id));
	set->items[i] = *id;
	set->count++;
}

void
identifiers_copy(struct identifiers *to, const struct identifiers *from)
{
	to->items = xmemdup(from->items, from->count * sizeof(*from->items));
	to->count = from->count;
}

void
identifiers_done(struct identifiers *set)
{
	free(set->items);
	*set = (struct identifiers){0};
}

bool
identifiers_equal(const struct identifiers *a, const struct identifiers *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!identifier_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

char *
identifiers_text(const struct identifiers *set, char *out, size_t size)
{
	enum { TAIL = sizeof(", ... (100 more)") };
	const char *separator = "";
	size_t len = 0, need, tail;

	assert(size > 0);
	out[0] = '\0';
	for (size_t i = 0; i < set->count; i++) {
		need = strlen(separator) + strlen(set->items[i].value);
		tail = i + 1 < set->count ? TAIL : 1;
		if (len + need + tail > size) {
			snprintf(
			    out + len, size - len, "%s... (%zu more)", separator, set->count - i);
			break;
		}
		len +=
		    (size_t)snprintf(out + len, size - len, "%s%s", separator, set->items[i].value);
		separator = ", ";
	}
	return out;
}

char *
identifiers_list(const struct identifiers *set)
{
	struct buf list;

	buf_init(&list, SIZE_MAX);
	for (size_t i = 0; i < set->count; i++)
		buf_addf(&list, "%s%s", i > 0 ? ", " : "", set->items[i].value);
	return buf_take(&list, NULL);
}

char *
identifiers_key(const struct identifiers *set)
{
	struct buf key;

	buf_init(&key, SIZE_MAX);
	for (size_t i = 0; i < set->count; i++)
		buf_addf(&key, "%s%s:%s", i > 0 ? "," : "",
		    set->items[i].kind == IDENTIFIER_DNS ? "dns" : "ip", set->items[i].value);
	return buf_take(&key, NULL);
}
