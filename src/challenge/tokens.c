/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "challenge/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "ev/loop.h"

struct presentation {
	TAILQ_ENTRY(presentation) entry;
	acme_fetched_fn *fetched;
	void *arg;
	struct task task;
};

struct token {
	char *text;
	char *key_authorization;
	char *name;
	TAILQ_HEAD(, presentation) presentations;
};

struct tokens {
	struct loop *loop;
	struct map *by_text;
};

struct tokens *
tokens_new(struct loop *loop)
{
	struct tokens *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->by_text = map_new();
	return t;
}

static void
presentation_free(struct token *token, struct presentation *p)
{
	TAILQ_REMOVE(&token->presentations, p, entry);
	task_cancel(&p->task);
	free(p);
}

static void
token_free(struct token *token)
{
	struct presentation *p;

	while ((p = TAILQ_FIRST(&token->presentations)) != NULL)
		presentation_free(token, p);
	free(token->text);
	free(token->key_authorization);
	free(token->name);
	free(token);
}

static void
free_each(const void *key, size_t key_len, void *value, void *arg)
{
	token_free(value);
}

void
tokens_free(struct tokens *t)
{
	if (t == NULL)
		return;
	map_each(t->by_text, free_each, NULL);
	map_free(t->by_text);
	free(t);
}

size_t
tokens_count(const struct tokens *t)
{
	return map_count(t->by_text);
}

static struct token *
token_new(struct tokens *t, const struct acme_answer *answer)
{
	struct token *token = xcalloc(1, sizeof(*token));

	token->text = xstrdup(answer->token);
	token->key_authorization = xstrdup(answer->key_authorization);
	token->name = xstrdup(answer->identifier->value);
	TAILQ_INIT(&token->presentations);
	map_put(t->by_text, token->text, strlen(token->text), token);
	return token;
}

bool
tokens_add(struct tokens *t, const struct acme_answer *answer, acme_fetched_fn *fetched, void *arg,
    struct err *e)
{
	struct token *token = map_get(t->by_text, answer->token, strlen(answer->token));

	if (token == NULL)
		token = token_new(t, answer);
	else if (strcmp(token->key_authorization, answer->key_authorization) != 0)
		return err_set(e, ERR_INTERNAL,
		    "the CA gave token %s out twice, for different account keys", answer->token);

	struct presentation *p = xcalloc(1, sizeof(*p));
	p->fetched = fetched;
	p->arg = arg;
	TAILQ_INSERT_TAIL(&token->presentations, p, entry);
	return true;
}

static struct presentation *
find_presentation(struct token *token, const void *arg)
{
	struct presentation *p;

	TAILQ_FOREACH (p, &token->presentations, entry)
		if (p->arg == arg)
			return p;
	return NULL;
}

bool
tokens_remove(struct tokens *t, const char *text, const void *arg)
{
	struct token *token = map_get(t->by_text, text, strlen(text));
	struct presentation *p = token == NULL ? NULL : find_presentation(token, arg);

	if (p == NULL)
		return false;
	presentation_free(token, p);
	if (TAILQ_EMPTY(&token->presentations)) {
		map_remove(t->by_text, text, strlen(text));
		token_free(token);
	}
	return true;
}

const struct token *
tokens_find(const struct tokens *t, const char *text, size_t len)
{
	return map_get(t->by_text, text, len);
}

const char *
token_key_authorization(const struct token *token)
{
	return token->key_authorization;
}

const char *
token_name(const struct token *token)
{
	return token->name;
}

static void
tell(void *arg)
{
	struct presentation *p = arg;

	p->fetched(p->arg);
}

void
tokens_fetched(struct tokens *t, const struct token *token)
{
	struct presentation *p;

	TAILQ_FOREACH (p, &token->presentations, entry)
		if (p->fetched != NULL)
			task_post(t->loop, &p->task, tell, p);
}
