/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/failure_text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum {
	PREFIX_MAX = 300, /* the beginning is all that some clients show, so names come first */
	ADVICE_MAX = 100,
};

static const char refused[] = "Refused for ";
static const char none[] = "No certificate for ";
static const char not_revoked[] = "Not revoked for ";

enum advice { NOTHING, POST_AGAIN, OPERATOR };

/* NULL: no request for a certificate ends like that. */
static const struct row {
	const char *begins;
	enum advice advice;
} rows[] = {
    [ERR_FORBIDDEN] = {refused, NOTHING},
    [ERR_BAD_CSR] = {refused, NOTHING},
    [ERR_VALIDATION] = {"Validation failed for ", NOTHING},
    [ERR_RATE_LIMITED] = {refused, POST_AGAIN},
    [ERR_INTERNAL] = {none, OPERATOR},
    [ERR_CONFIG] = {none, OPERATOR},
    [ERR_ACCOUNT] = {none, OPERATOR},
    [ERR_UNREACHABLE] = {none, POST_AGAIN},
    [ERR_UPSTREAM] = {none, POST_AGAIN},
    [ERR_BUSY] = {none, POST_AGAIN},
    [ERR_TIMEOUT] = {none, POST_AGAIN},
    [ERR_CANCELLED] = {none, POST_AGAIN},
};
static_assert(sizeof(rows) / sizeof(rows[0]) == ERR_KIND_COUNT, "a row for each kind");

/* ---- whether the names are there ---- */

static bool
in_a_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

static bool
begins_here(const char *text, const char *at)
{
	if (at == text || (!in_a_name(at[-1]) && at[-1] != '.'))
		return true;
	return at[-1] == '.' && at - text > 1 && at[-2] == '*';
}

/* Neither a longer name nor HOST:PORT, which is a server's. A full stop may end a sentence. */
static bool
ends_here(const char *end)
{
	if (*end == '.' || *end == ':')
		return !in_a_name(end[1]);
	return !in_a_name(*end);
}

static bool
has_name(const char *text, const char *name, size_t len)
{
	for (const char *at = text; (at = strcasestr(at, name)) != NULL; at++)
		if (begins_here(text, at) && ends_here(at + len))
			return true;
	return false;
}

/* Any of them will do: it is the one that matters. */
static bool
has_any(const char *text, const char *names)
{
	char name[PREFIX_MAX];

	while (*names != '\0') {
		size_t len = strcspn(names, ",");
		size_t star = strncmp(names, "*.", 2) == 0 ? 2 : 0;

		snprintf(name, sizeof(name), "%.*s", (int)(len - star), names + star);
		if (has_name(text, name, strlen(name)))
			return true;
		names += len;
		names += strspn(names, ", ");
	}
	return false;
}

/* ---- what to do ---- */

static void
write_advice(const struct err *e, enum failure_of of, char out[ADVICE_MAX])
{
	const char *what = of == FAILURE_OF_CSR ? "CSR" : "certificate";

	switch (rows[e->kind].advice) {
	case POST_AGAIN:
		if (e->retry_after > 0)
			snprintf(out, ADVICE_MAX, "; post the same %s again in %lld s", what,
			    (long long)e->retry_after);
		else
			snprintf(out, ADVICE_MAX, "; post the same %s again later", what);
		break;
	case OPERATOR:
		snprintf(out, ADVICE_MAX, "; whoever runs this server has to mend it");
		break;
	case NOTHING:
		out[0] = '\0';
		break;
	}
}

/* If it does not all fit, the reason is what is cut. */
void
failure_text(struct err *e, enum failure_of of, const char *names)
{
	const char *begins = of == FAILURE_OF_CSR ? rows[e->kind].begins : not_revoked;
	char prefix[PREFIX_MAX] = "", advice[ADVICE_MAX];
	char reason[ERR_DETAIL_MAX];
	size_t room;

	if (begins != NULL && names[0] != '\0' && !has_any(e->detail, names))
		snprintf(prefix, sizeof(prefix), "%s%s: ", begins, names);
	write_advice(e, of, advice);
	room = sizeof(e->detail) - 1 - strlen(prefix) - strlen(advice);
	snprintf(reason, sizeof(reason), "%s", e->detail);
	reason[utf8_cut(reason, room)] = '\0';
	snprintf(e->detail, sizeof(e->detail), "%s%s%s", prefix, reason, advice);
}

enum log_level
failure_log_level(const struct err *e)
{
	if (e->told)
		return LOG_LEVEL_INFO;
	return rows[e->kind].advice == OPERATOR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
}
