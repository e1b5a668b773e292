/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_journal.h"

#include <systemd/sd-journal.h>

/* An empty field is left out by the journal's readers, so all can always be sent. */
static const char *
or_empty(const char *s)
{
	return s != NULL ? s : "";
}

void
log_journal_write(int priority, const struct log_context *ctx, const char *message)
{
	static const struct log_context nothing;

	if (ctx == NULL)
		ctx = &nothing;
	sd_journal_send("MESSAGE=%s", message, "PRIORITY=%d", priority, "SYSLOG_IDENTIFIER=acmems",
	    "ACMEMS_PEER=%s", or_empty(ctx->peer), "ACMEMS_ORDER=%s", or_empty(ctx->order),
	    "ACMEMS_NAMES=%s", or_empty(ctx->names), "ACMEMS_BLOCK=%s", or_empty(ctx->block),
	    "ACMEMS_KEY=%s", or_empty(ctx->key), "ACMEMS_SERIAL=%s", or_empty(ctx->serial),
	    "ACMEMS_RULE=%s", or_empty(ctx->rule), NULL);
}
