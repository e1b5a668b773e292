/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "certs.h"

#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/random.h"
#include "ca.h"
#include "options.h"
#include "order.h"
#include "profile.h"

enum { HOUR = 3600, DAY = 86400 };

static const char *const other_name = "someone-else.example";

/* Positive, and of the full length (RFC 5280 4.1.2.2). */
static void
make_serial(uint8_t serial[ISSUER_SERIAL])
{
	random_bytes(serial, ISSUER_SERIAL);
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
}

static void
set_times(const struct call *c, struct cert *cert)
{
	int64_t now = clock_wall();
	long validity = 0;

	profile_validity(c->ca->options, cert->order->profile, &validity);
	cert->start = now - HOUR;
	cert->end = now + validity;
	if (call_fault(c, FAULT_EXPIRED) != NULL) {
		cert->start = now - 2L * DAY;
		cert->end = now - HOUR;
	}
	if (call_fault(c, FAULT_NOT_YET) != NULL)
		cert->start = now + DAY;
}

/* The order's names, or those a fault wants; free() the list. */
static const char **
choose_names(const struct call *c, const struct order *o, size_t *ret_count)
{
	const struct fault *wrong = call_fault(c, FAULT_WRONG_NAMES);
	const json_t *list = wrong != NULL ? json_object_get(wrong->params, "names") : NULL;
	size_t n = wrong == NULL ? o->count : json_array_size(list);
	const char **names = xcalloc(n + 1, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		const char *told = json_string_value(json_array_get(list, i));

		names[i] = wrong == NULL ? o->identifiers[i].value : told;
		if (names[i] == NULL)
			names[i] = other_name;
	}
	if (n == 0)
		names[n++] = other_name;
	*ret_count = n;
	return names;
}

struct cert *
cert_new(struct call *c, struct order *o, struct der spki)
{
	struct cert *cert = xcalloc(1, sizeof(*cert));
	struct leaf_spec spec = {.spki = spki, .serial = cert->serial};
	const char **names = choose_names(c, o, &spec.count);

	cert->order = o;
	make_serial(cert->serial);
	set_times(c, cert);
	if (call_fault(c, FAULT_WRONG_KEY) != NULL)
		spec.spki = issuer_other_spki(c->ca->issuer);
	spec.names = names;
	spec.start = cert->start;
	spec.end = cert->end;
	buf_init(&cert->der, DER_MAX);
	buf_init(&cert->spki_bytes, DER_MAX);
	issuer_leaf(c->ca->issuer, &spec, &cert->der);
	buf_add(&cert->spki_bytes, spec.spki.p, spec.spki.len);
	free(names);
	cert->id = table_add(&c->ca->state.certs, cert);
	map_put(c->ca->state.by_serial, cert->serial, ISSUER_SERIAL, cert);
	if (o->replaces != NULL && cert_by_id(c->ca, o->replaces) != NULL)
		cert_by_id(c->ca, o->replaces)->replaced = true;
	return cert;
}

struct cert *
cert_by_id(const struct ca *ca, const char *id)
{
	const char *dot = strchr(id, '.');
	struct buf key, serial;
	struct cert *cert = NULL;

	if (dot == NULL)
		return NULL;
	buf_init(&key, ISSUER_KEY_ID);
	buf_init(&serial, ISSUER_SERIAL);
	if (b64_decode(id, (size_t)(dot - id), &key) && key.len == ISSUER_KEY_ID &&
	    memcmp(key.data, issuer_key_id(ca->issuer), ISSUER_KEY_ID) == 0 &&
	    b64_decode(dot + 1, strlen(dot + 1), &serial))
		cert = map_get(ca->state.by_serial, serial.data, serial.len);
	buf_done(&key);
	buf_done(&serial);
	return cert;
}

struct cert *
cert_by_der(const struct ca *ca, struct der der)
{
	struct der rest = der, outer, inner, version, serial;
	struct cert *cert;

	if (!der_take(&rest, DER_SEQUENCE, &outer) || !der_take(&outer, DER_SEQUENCE, &inner) ||
	    !der_take(&inner, DER_CONTEXT_0, &version) || !der_take(&inner, DER_INTEGER, &serial))
		return NULL;
	cert = map_get(ca->state.by_serial, serial.p, serial.len);
	return cert != NULL && der_equal(der, cert->der.data, cert->der.len) ? cert : NULL;
}

static void
put_leaf(const struct cert *cert, struct buf *out)
{
	pem_append(out, "CERTIFICATE", cert->der.data, cert->der.len);
}

static void
put_garbage(struct buf *out)
{
	uint8_t bytes[400];

	random_bytes(bytes, sizeof(bytes));
	pem_append(out, "CERTIFICATE", bytes, sizeof(bytes));
}

static void
put_crlf(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		buf_adds(out, *text == '\n' ? "\r\n" : (const char[]){*text, '\0'});
}

/* Forms that are made of the honest text. */
static void
put_changed(struct buf *out, const struct buf *honest, const char *leaf, const char *form)
{
	const char *rest = honest->data + strlen(leaf);

	if (strcmp(form, "no-newline") == 0)
		buf_add(out, honest->data, honest->len - 1);
	else if (strcmp(form, "half") == 0)
		buf_add(out, honest->data, honest->len / 2);
	else if (strcmp(form, "crlf") == 0)
		put_crlf(out, honest->data);
	else if (strcmp(form, "reversed") == 0)
		buf_addf(out, "%s%s", rest, leaf);
	else if (strcmp(form, "blank-lines") == 0)
		buf_addf(out, "\n\n%s\n\n\n%s\n\n", leaf, rest);
	else if (strcmp(form, "extra-text") == 0)
		buf_addf(out, "Subject: CN = yours\n%sIssuer: us\n  with love\n%sThe end.\n", leaf,
		    rest);
	else
		buf_add(out, honest->data, honest->len);
}

void
cert_chain(const struct ca *ca, const struct cert *cert, const char *form, struct buf *out)
{
	struct buf leaf, honest;

	buf_init(&leaf, DER_MAX);
	buf_init(&honest, DER_MAX);
	put_leaf(cert, &leaf);
	buf_addf(&honest, "%s%s", leaf.data, issuer_intermediate(ca->issuer));
	if (form == NULL)
		buf_add(out, honest.data, honest.len);
	else if (strcmp(form, "garbage") == 0)
		put_garbage(out);
	else if (strcmp(form, "leaf-only") == 0)
		buf_add(out, leaf.data, leaf.len);
	else if (strcmp(form, "other-issuer") == 0)
		buf_addf(out, "%s%s", leaf.data, issuer_other_intermediate(ca->issuer));
	else if (strcmp(form, "der") == 0)
		buf_add(out, cert->der.data, cert->der.len);
	else if (strcmp(form, "empty") != 0)
		put_changed(out, &honest, leaf.data, form);
	buf_done(&leaf);
	buf_done(&honest);
}
