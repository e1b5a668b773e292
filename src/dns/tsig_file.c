/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The key statement in named.conf's grammar: words, quoted strings, braces and
 * semicolons, with three kinds of comments. What ddns-confgen writes around it
 * (update-policy, a shell line) is passed over.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dns/tsig_key.h"

enum { WORD_MAX = 1100 };

enum token { TOKEN_END, TOKEN_WORD, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_SEMICOLON, TOKEN_BAD };

struct lexer {
	const char *p;
	const char *end;
	int line;
	char word[WORD_MAX]; /* of the last TOKEN_WORD, without quotes */
};

static void
skip_to(struct lexer *l, const char *mark)
{
	size_t len = strlen(mark);

	while (l->p < l->end) {
		if ((size_t)(l->end - l->p) >= len && memcmp(l->p, mark, len) == 0) {
			/* The end of the line is left to be counted. */
			l->p += mark[0] == '\n' ? 0 : len;
			return;
		}
		l->line += *l->p++ == '\n';
	}
}

static bool
starts(const struct lexer *l, const char *mark)
{
	size_t len = strlen(mark);

	return (size_t)(l->end - l->p) >= len && memcmp(l->p, mark, len) == 0;
}

static void
skip_blanks(struct lexer *l)
{
	while (l->p < l->end) {
		if (starts(l, "#") || starts(l, "//")) {
			skip_to(l, "\n");
		} else if (starts(l, "/*")) {
			l->p += 2;
			skip_to(l, "*/");
		} else if (strchr(" \t\r\n", *l->p) != NULL && *l->p != '\0') {
			l->line += *l->p++ == '\n';
		} else {
			return;
		}
	}
}

static enum token
take_word(struct lexer *l, const char *from, size_t len)
{
	if (len >= WORD_MAX || memchr(from, '\0', len) != NULL)
		return TOKEN_BAD;
	memcpy(l->word, from, len);
	l->word[len] = '\0';
	l->p = from + len;
	return TOKEN_WORD;
}

static enum token
take_string(struct lexer *l)
{
	const char *from = l->p + 1;
	const char *quote = memchr(from, '"', (size_t)(l->end - from));

	if (quote == NULL || memchr(from, '\n', (size_t)(quote - from)) != NULL)
		return TOKEN_BAD;
	enum token t = take_word(l, from, (size_t)(quote - from));
	l->p = quote + 1;
	return t;
}

static enum token
next(struct lexer *l)
{
	static const char punctuation[] = "{};";
	static const enum token tokens[] = {TOKEN_OPEN, TOKEN_CLOSE, TOKEN_SEMICOLON};
	static const char ends[] = "{};\" \t\r\n";

	skip_blanks(l);
	if (l->p == l->end)
		return TOKEN_END;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (*l->p == punctuation[i]) {
			l->p++;
			return tokens[i];
		}
	if (*l->p == '"')
		return take_string(l);

	size_t len = 0;
	/* strchr finds the NUL too, so a NUL ends a word (and take_word refuses an empty one). */
	while (l->p + len < l->end && strchr(ends, l->p[len]) == NULL)
		len++;
	return len == 0 ? TOKEN_BAD : take_word(l, l->p, len);
}

struct parts {
	char name[WORD_MAX];
	char algorithm[WORD_MAX];
	char secret[WORD_MAX];
};

/* "algorithm WORD ;" or "secret WORD ;" up to "}". */
static bool
key_body(struct lexer *l, struct parts *p)
{
	enum token t;

	while ((t = next(l)) == TOKEN_WORD) {
		char *to = strcasecmp(l->word, "algorithm") == 0 ? p->algorithm
		    : strcasecmp(l->word, "secret") == 0         ? p->secret
								 : NULL;
		if (to == NULL || next(l) != TOKEN_WORD)
			return false;
		strcpy(to, l->word);
		if (next(l) != TOKEN_SEMICOLON)
			return false;
	}
	return t == TOKEN_CLOSE;
}

static bool
key_statement(struct lexer *l, struct parts *p)
{
	if (next(l) != TOKEN_WORD)
		return false;
	strcpy(p->name, l->word);
	return next(l) == TOKEN_OPEN && key_body(l, p);
}

/* Past the end of a statement that is not ours: its semicolon outside of braces. */
static bool
skip_statement(struct lexer *l)
{
	int depth = 0;
	enum token t;

	while ((t = next(l)) != TOKEN_END && t != TOKEN_BAD) {
		depth += t == TOKEN_OPEN ? 1 : t == TOKEN_CLOSE ? -1 : 0;
		if (depth < 0)
			return false;
		if (t == TOKEN_SEMICOLON && depth == 0)
			return true;
	}
	return t == TOKEN_END;
}

static bool
find_key(struct lexer *l, struct parts *p, int *ret_found)
{
	enum token t;

	while ((t = next(l)) != TOKEN_END) {
		if (t == TOKEN_SEMICOLON)
			continue;
		if (t != TOKEN_WORD)
			return false;
		if (strcasecmp(l->word, "key") != 0) {
			if (!skip_statement(l))
				return false;
			continue;
		}
		if (!key_statement(l, p))
			return false;
		++*ret_found;
	}
	return true;
}

bool
tsig_key_parse(const char *text, size_t len, struct tsig_key *ret, struct err *e)
{
	struct lexer l = {.p = text, .end = text + len, .line = 1};
	struct parts p = {0};
	int found = 0;
	bool ok;

	if (!find_key(&l, &p, &found))
		ok = err_set(e, ERR_CONFIG,
		    "line %d: expected key \"NAME\" { algorithm hmac-sha256; secret \"...\"; };",
		    l.line);
	else if (found != 1)
		ok = err_set(e, ERR_CONFIG, "%s",
		    found == 0 ? "there is no key statement in it"
			       : "there is more than one key in it");
	else
		ok = tsig_key_make(p.name, p.algorithm, p.secret, ret, e);
	explicit_bzero(&p, sizeof(p));
	explicit_bzero(&l, sizeof(l));
	return ok;
}
