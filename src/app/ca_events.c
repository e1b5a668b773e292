/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/ca_events.h"

#include <assert.h>
#include <stddef.h>

#include "base/log.h"

static const struct ca_event_row {
	enum log_level level;
	const char *says;
} rows[] = {
    [CA_EVENT_KEY_MADE] = {LOG_LEVEL_INFO, "new account key made"},
    [CA_EVENT_KEY_TIGHTENED] = {LOG_LEVEL_WARNING,
	"the account key could be read by others; its mode is 0600 now. If the machine has "
	"other users, make a new key"},
    [CA_EVENT_REGISTERED] = {LOG_LEVEL_INFO, "account registered"},
    [CA_EVENT_FOUND] = {LOG_LEVEL_INFO, "account found at the CA"},
    [CA_EVENT_MOVED] = {LOG_LEVEL_WARNING, "the account URL on file was another one; replaced"},
    [CA_EVENT_DIRECTORY] = {LOG_LEVEL_DEBUG, "directory read"},
    [CA_EVENT_KEY_CHANGED] = {LOG_LEVEL_INFO,
	"the account's key is another now; the thumbprint of the new one"},
    [CA_EVENT_KEY_FINISHED] = {LOG_LEVEL_WARNING,
	"a key change had been broken off; the CA knows the new key, which is account.pem now"},
    [CA_EVENT_KEY_DROPPED] = {LOG_LEVEL_WARNING,
	"a key change had been broken off; the CA does not know the new key, account.pem stays"},
    [CA_EVENT_FAILED] = {LOG_LEVEL_ERROR, "no new certificates for now"},
    [CA_EVENT_PAUSED] = {LOG_LEVEL_WARNING, "the CA wants a pause"},
    [CA_EVENT_UP] = {LOG_LEVEL_INFO, "the CA answers"},
    [CA_EVENT_TROUBLE] = {LOG_LEVEL_WARNING, "account"},
};
static_assert(sizeof(rows) / sizeof(rows[0]) == CA_EVENT_COUNT, "a row for each event");

void
ca_events_log(void *arg, enum ca_event event, const char *text, const struct err *e)
{
	const struct ca_event_row *row = &rows[event];
	const char *detail = e != NULL ? e->detail : text;

	(void)arg;
	if (event == CA_EVENT_PAUSED && e != NULL)
		log_write(row->level, NULL, "%s: %s, for %lld s", row->says, detail,
		    (long long)e->retry_after);
	else if (detail != NULL)
		log_write(row->level, NULL, "%s: %s", row->says, detail);
	else
		log_write(row->level, NULL, "%s", row->says);
}
