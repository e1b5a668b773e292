/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/html.h"

#include <stddef.h>

#include "base/utf8.h"

static const char *
reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

bool
html_escape(struct buf *b, const char *text)
{
	while (*text != '\0') {
		const char *instead = reference(*text);
		size_t n = *text == '\n' ? 1 : utf8_printable(text);

		if (instead != NULL)
			buf_adds(b, instead);
		else if (n == 0)
			buf_adds(b, "?");
		else
			buf_add(b, text, n);
		text += n > 0 ? n : 1;
	}
	return !buf_failed(b);
}
