/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/ini.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/text.h"

struct parser {
	struct ini_file *file;
	struct ini_section *section; /* the open one, or NULL; moves when sections are added */
	bool in_broken_section;      /* its options are not read, but not complained about either */
	int line;
	ini_report_fn *report;
	void *arg;
};

static void __attribute__((format(printf, 3, 4)))
report(const struct parser *p, enum ini_severity severity, const char *fmt, ...)
{
	char message[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (p->report != NULL)
		p->report(p->arg, severity, p->file->path, p->line, message);
}

static void
section_done(struct ini_section *s)
{
	for (size_t i = 0; i < s->option_count; i++) {
		free(s->options[i].key);
		/* Values may be secrets, and which ones are is not known here. */
		free_secret(s->options[i].value, strlen(s->options[i].value));
	}
	free(s->options);
	free(s->kind);
	free(s->name);
}

static bool
same_header(const struct ini_section *a, const struct ini_section *b)
{
	if (strcmp(a->kind, b->kind) != 0 || (a->name == NULL) != (b->name == NULL))
		return false;
	return a->name == NULL || strcmp(a->name, b->name) == 0;
}

/* Takes *s over. An equal section before it goes. */
static void
add_section(struct parser *p, struct ini_section *s)
{
	struct ini_file *file = p->file;

	for (size_t i = 0; i < file->section_count; i++) {
		struct ini_section *old = &file->sections[i];

		if (!same_header(old, s))
			continue;
		report(p, INI_WARNING, "section [%s%s%s%s] replaces the one in line %d", s->kind,
		    s->name != NULL ? " \"" : "", s->name != NULL ? s->name : "",
		    s->name != NULL ? "\"" : "", old->line);
		section_done(old);
		file->section_count--;
		memmove(old, old + 1, (file->section_count - i) * sizeof(*old));
		break;
	}
	file->sections = xreallocarray(file->sections, file->section_count + 1, sizeof(*s));
	p->section = &file->sections[file->section_count++];
	*p->section = *s;
}

/* What stands between the brackets: kind, then maybe a name. What is wrong, or NULL. */
static const char *
split_header(const char *text, size_t len, struct ini_section *s)
{
	const char *name;
	size_t n = 0, name_len;

	text_trim(&text, &len);
	while (n < len && text[n] != ' ' && text[n] != '\t' && text[n] != '"')
		n++;
	if (n == 0)
		return "the section has no name";
	name = text + n;
	name_len = len - n;
	text_trim(&name, &name_len);
	if (name_len > 0 && name[0] == '"') {
		if (name_len < 2 || name[name_len - 1] != '"')
			return "the quotes of the section's name are not closed";
		name++;
		name_len -= 2;
		if (name_len == 0)
			return "the section's name is empty";
	}
	if (memchr(name, '"', name_len) != NULL)
		return "a section's name must not contain quotes";
	s->kind = xstrndup(text, n);
	s->name = name_len > 0 ? xstrndup(name, name_len) : NULL;
	return NULL;
}

static void
parse_header(struct parser *p, const char *text, size_t len)
{
	struct ini_section s = {.line = p->line};
	const char *fault = "the section header does not end with ]";

	if (text[len - 1] == ']')
		fault = split_header(text + 1, len - 2, &s);
	p->in_broken_section = fault != NULL;
	p->section = NULL;
	if (fault != NULL)
		report(p, INI_ERROR, "%s", fault);
	else
		add_section(p, &s);
}

static void
parse_option(struct parser *p, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len), *value;
	size_t key_len, value_len;
	char quoted[TEXT_QUOTE_MAX];
	struct ini_section *s = p->section;

	if (equals == NULL) {
		report(p, INI_ERROR, "\"%s\" is neither a section nor an option (key = value)",
		    text_quote(text, len, quoted));
		return;
	}
	key_len = (size_t)(equals - text);
	value = equals + 1;
	value_len = len - key_len - 1;
	text_trim(&text, &key_len);
	text_trim(&value, &value_len);
	text_quote(text, key_len, quoted);
	if (key_len == 0)
		report(p, INI_ERROR, "an option has no name before the =");
	else if (s == NULL && !p->in_broken_section)
		report(p, INI_WARNING, "option \"%s\" before the first section is ignored", quoted);
	if (key_len == 0 || s == NULL)
		return;
	s->options = xreallocarray(s->options, s->option_count + 1, sizeof(*s->options));
	s->options[s->option_count++] =
	    (struct ini_option){xstrndup(text, key_len), xstrndup(value, value_len), p->line};
}

static void
parse_line(struct parser *p, const char *text, size_t len)
{
	text_trim(&text, &len);
	if (len == 0 || *text == '#' || *text == ';')
		return;
	if (memchr(text, '\0', len) != NULL)
		report(p, INI_ERROR, "the line contains a NUL byte");
	else if (*text == '[')
		parse_header(p, text, len);
	else
		parse_option(p, text, len);
}

struct ini_file *
ini_parse(const char *text, size_t len, const char *path, ini_report_fn *report_fn, void *arg)
{
	struct parser p = {.report = report_fn, .arg = arg};
	const char *end = text + len, *newline;

	p.file = xcalloc(1, sizeof(*p.file));
	p.file->path = xstrdup(path);
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		p.line++;
		parse_line(&p, text, (size_t)(newline - text));
		text = newline < end ? newline + 1 : end;
	}
	return p.file;
}

void
ini_free(struct ini_file *file)
{
	if (file == NULL)
		return;
	for (size_t i = 0; i < file->section_count; i++)
		section_done(&file->sections[i]);
	free(file->sections);
	free(file->path);
	free(file);
}
