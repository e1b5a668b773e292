/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get_page.h"

#include "base/buf.h"
#include "codec/chain.h"
#include "codec/date.h"
#include "codec/html.h"

/* Each byte of the chain becomes six at most; the names are part of it. */
enum { PAGE_MAX = 16 * CHAIN_MAX_BYTES };

static void
row(struct buf *b, const char *label, const char *value)
{
	buf_addf(b, "<tr><th>%s</th><td>", label);
	html_escape(b, value);
	buf_adds(b, "</td></tr>\n");
}

static void
names(struct buf *b, const struct chain *chain)
{
	for (size_t i = 0; i < chain->names.count; i++)
		row(b, i == 0 ? "Names" : "", chain->names.items[i].value);
}

char *
get_page(const struct chain *chain, bool revoked, size_t *ret_len)
{
	char from[DATE_TEXT], until[DATE_TEXT];
	struct buf b;

	buf_init(&b, PAGE_MAX);
	buf_adds(&b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n"
	    "<title>acme-get</title>\n"
	    "<style>body{font-family:sans-serif;margin:2em}th{text-align:left;"
	    "padding-right:2em;vertical-align:top}</style>\n</head>\n<body>\n"
	    "<h1>This certificate</h1>\n<table>\n");
	names(&b, chain);
	row(&b, "Serial number", chain->leaf.serial);
	row(&b, "Issued by", chain->leaf.issuer);
	row(&b, "Valid from", date_format_rfc3339(chain->leaf.not_before, from));
	row(&b, "Valid until", date_format_rfc3339(chain->leaf.not_after, until));
	row(&b, "Revoked", revoked ? "yes" : "no");
	buf_adds(&b, "</table>\n<h2>The chain</h2>\n<pre>");
	html_escape(&b, chain->pem);
	buf_adds(&b, "</pre>\n<p><a href=\"/cert.pem\">cert.pem</a></p>\n</body>\n</html>\n");
	return buf_take(&b, ret_len);
}
