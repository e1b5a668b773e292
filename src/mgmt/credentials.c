/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/credentials.h"

#include <string.h>

#include "base/alloc.h"
#include "http/server.h"
#include "mgmt/reply.h"

void
credentials_read(const struct http_exchange *x, const struct proxy_trust *trust,
    struct credentials *ret, char **ret_unread)
{
	const char *value = http_exchange_header(x, "Authentication");
	struct err e;

	identity_of(x, trust, &ret->peer);
	ret->auth = NULL;
	*ret_unread = NULL;
	if (value == NULL)
		value = http_exchange_header(x, "Authorization");
	if (value == NULL)
		return;
	if (authentication_parse(value, strlen(value), &ret->header, &e))
		ret->auth = &ret->header;
	else
		*ret_unread = xstrdup(e.detail);
}

void
credentials_refuse(struct http_exchange *x, const struct err *e, const char *unread)
{
	struct err both = *e;

	if (e->kind == ERR_FORBIDDEN && unread != NULL)
		err_prefix(&both, "%s", unread);
	reply_error(x, &both, NULL);
}
