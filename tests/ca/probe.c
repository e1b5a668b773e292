/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include "authz.h"
#include "b64.h"
#include "base/alloc.h"
#include "ca.h"
#include "jwk.h"
#include "options.h"

static const struct {
	const char *type;
	void (*ask)(struct probe *p);
} kinds[] = {
    {"http-01", probe_http},
    {"dns-01", probe_dns},
    {"tls-alpn-01", probe_tls},
};

static void
probe_free(struct probe *p)
{
	TAILQ_REMOVE(&p->ca->probes, p, link);
	if (p->readable != NULL)
		event_free(p->readable);
	if (p->fd >= 0)
		close(p->fd);
	if (p->bev != NULL)
		bufferevent_free(p->bev);
	SSL_CTX_free(p->tls);
	event_free(p->timer);
	free(p->type);
	free(p->identifier.value);
	free(p->token);
	free(p->key_authorization);
	free(p);
}

void
probe_end(struct probe *p, const char *type, const char *fmt, ...)
{
	struct authz *a = table_get(&p->ca->state.authz, p->authz);
	struct challenge *ch = a != NULL ? authz_challenge(a, p->type) : NULL;
	char *detail = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&detail, fmt, ap) < 0)
		abort();
	va_end(ap);
	if (ch != NULL)
		challenge_decide(p->ca, a, ch, type, detail, false);
	free(detail);
	probe_free(p);
}

char *
probe_digest(const struct probe *p)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)p->key_authorization, strlen(p->key_authorization), digest);
	return b64_encode(digest, sizeof(digest));
}

static void
arm(struct probe *p, long ms)
{
	struct timeval tv = {ms / 1000, ms % 1000 * 1000};

	evtimer_add(p->timer, &tv);
}

static void
too_late(evutil_socket_t fd, short what, void *arg)
{
	probe_end(arg, "connection", "no answer in time");
}

static void
begin(struct probe *p)
{
	size_t i = 0;

	if (!p->ca->options->validate) {
		probe_end(p, NULL, "not asked");
		return;
	}
	event_free(p->timer);
	p->timer = evtimer_new(p->ca->base, too_late, p);
	arm(p, p->ca->options->validation_timeout);
	while (strcmp(kinds[i].type, p->type) != 0)
		i++;
	kinds[i].ask(p);
}

static void
delay_over(evutil_socket_t fd, short what, void *arg)
{
	begin(arg);
}

void
probe_start(struct ca *ca, struct authz *a, struct challenge *ch)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->ca = ca;
	p->authz = a->id;
	p->type = xstrdup(ch->type);
	p->identifier = (struct identifier){a->identifier.kind, xstrdup(a->identifier.value)};
	p->token = xstrdup(a->token);
	p->key_authorization = xasprintf("%s.%s", a->token, jwk_thumbprint(a->order->account->key));
	p->fd = -1;
	p->timer = evtimer_new(ca->base, delay_over, p);
	TAILQ_INSERT_TAIL(&ca->probes, p, link);
	if (ca->options->validation_delay > 0)
		arm(p, ca->options->validation_delay);
	else
		begin(p);
}

void
probe_list_clear(struct probe_list *list)
{
	struct probe *p;

	while ((p = TAILQ_FIRST(list)) != NULL)
		probe_free(p);
}
