/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/held_list.h"

#include <stdlib.h>
#include <string.h>

#include "app/held.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "codec/date.h"
#include "codec/json.h"
#include "issue/store.h"

enum { CELL_MAX = 256 };

/* ---- what there is to say of an entry ---- */

/* The meta.json may be anybody's: nothing a terminal obeys, and not without end. */
static char *
clean(const char *text)
{
	char *out = xstrndup(text, utf8_cut(text, CELL_MAX));
	char *to = out;

	for (const char *p = out; *p != '\0';) {
		size_t n = utf8_printable(p);

		if (n == 0) {
			*to++ = '?';
			p++;
			continue;
		}
		memmove(to, p, n);
		to += n;
		p += n;
	}
	*to = '\0';
	return out;
}

static char *
date_or_none(int64_t seconds)
{
	char text[DATE_TEXT];

	return seconds > 0 ? xstrdup(date_format_rfc3339(seconds, text)) : xstrdup("");
}

/* 0: it is not due. */
static int64_t
due_since(const struct held *h)
{
	int64_t since = store_due_since(&h->entry->meta.leaf, h->store->renew_within);

	return since <= clock_wall() ? since : 0;
}

static char *
text_or_none(const char *text)
{
	return clean(text == NULL ? "" : text);
}

static char *
names_of(const struct held *h)
{
	char text[CELL_MAX];

	return clean(identifiers_text(&h->names, text, sizeof(text)));
}

static char *
block_of(const struct held *h)
{
	return text_or_none(h->entry->meta.auth_block);
}

static char *
serial_of(const struct held *h)
{
	return clean(h->entry->meta.leaf.serial);
}

static char *
expires_of(const struct held *h)
{
	return date_or_none(h->entry->meta.leaf.not_after);
}

static char *
due_of(const struct held *h)
{
	return date_or_none(due_since(h));
}

static char *
fetched_of(const struct held *h)
{
	return date_or_none(h->entry->meta.fetched);
}

static char *
peer_of(const struct held *h)
{
	return text_or_none(h->entry->meta.peer);
}

static char *
directory_of(const struct held *h)
{
	return text_or_none(h->entry->meta.directory_url);
}

static char *
path_of(const struct held *h)
{
	return clean(h->path);
}

/* ---- the table ---- */

static const struct {
	const char *title;
	char *(*text)(const struct held *h);
} columns[] = {
    {"NAMES", names_of},
    {"BLOCK", block_of},
    {"SERIAL", serial_of},
    {"EXPIRES", expires_of},
    {"DUE SINCE", due_of},
    {"FETCHED", fetched_of},
    {"PEER", peer_of},
    {"CA DIRECTORY", directory_of},
    {"ENTRY", path_of},
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

struct row {
	char *cells[COLUMNS];
};

struct table {
	struct row *rows;
	size_t count;
	size_t width[COLUMNS];
};

/* Characters, not bytes. */
static size_t
width_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void
widen(struct table *t, size_t column, const char *text)
{
	size_t n = width_of(text);

	if (n > t->width[column])
		t->width[column] = n;
}

static void
add_row(void *arg, struct held *h)
{
	struct table *t = arg;

	t->rows = xreallocarray(t->rows, t->count + 1, sizeof(*t->rows));
	struct row *row = &t->rows[t->count++];
	for (size_t i = 0; i < COLUMNS; i++) {
		row->cells[i] = columns[i].text(h);
		if (row->cells[i][0] == '\0') {
			free(row->cells[i]);
			row->cells[i] = xstrdup("-");
		}
		widen(t, i, row->cells[i]);
	}
}

static void
print_cell(FILE *out, const struct table *t, size_t column, const char *text)
{
	size_t pad = column + 1 < COLUMNS ? t->width[column] - width_of(text) + 2 : 0;

	fprintf(out, "%s%*s%s", text, (int)pad, "", column + 1 < COLUMNS ? "" : "\n");
}

static void
print_table(FILE *out, const struct table *t)
{
	for (size_t i = 0; t->count > 0 && i < COLUMNS; i++)
		print_cell(out, t, i, columns[i].title);
	for (size_t r = 0; r < t->count; r++)
		for (size_t i = 0; i < COLUMNS; i++)
			print_cell(out, t, i, t->rows[r].cells[i]);
}

static bool
list_table(const struct conf *conf, FILE *out, struct err *e)
{
	struct table t = {0};

	for (size_t i = 0; i < COLUMNS; i++)
		widen(&t, i, columns[i].title);
	bool ok = held_each(conf, add_row, &t, e);
	print_table(out, &t);
	for (size_t r = 0; r < t.count; r++)
		for (size_t i = 0; i < COLUMNS; i++)
			free(t.rows[r].cells[i]);
	free(t.rows);
	return ok;
}

/* ---- JSON ---- */

/* What is empty is null. */
static void
set(struct json *object, const char *key, char *text)
{
	json_set_string(object, key, text[0] == '\0' ? NULL : text);
	free(text);
}

static void
add_object(void *arg, struct held *h)
{
	struct json *object = json_new_object();
	struct json *names = json_new_array();
	const struct store_meta *meta = &h->entry->meta;

	for (size_t i = 0; i < h->names.count; i++)
		json_add_string(names, h->names.items[i].value);
	json_set(object, "names", names);
	set(object, "storage", clean(h->store->name));
	set(object, "block", block_of(h));
	set(object, "verification", text_or_none(meta->verification));
	set(object, "profile", text_or_none(meta->profile));
	set(object, "serial", serial_of(h));
	set(object, "issuer", clean(meta->leaf.issuer));
	set(object, "issued", date_or_none(meta->issued));
	set(object, "not_before", date_or_none(meta->leaf.not_before));
	set(object, "expires", expires_of(h));
	set(object, "due_since", due_of(h));
	set(object, "fetched", fetched_of(h));
	set(object, "peer", peer_of(h));
	set(object, "directory", directory_of(h));
	set(object, "account", text_or_none(meta->account_url));
	set(object, "path", path_of(h));
	json_add(arg, object);
}

static bool
list_json(const struct conf *conf, FILE *out, struct err *e)
{
	struct json *all = json_new_array();
	bool ok = held_each(conf, add_object, all, e);
	char *text = json_text(all, 2);

	fprintf(out, "%s\n", text);
	free(text);
	json_free(all);
	return ok;
}

bool
held_list(const struct conf *conf, bool json, FILE *out, struct err *e)
{
	return json ? list_json(conf, out, e) : list_table(conf, out, e);
}
