/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_same.h"

#include <string.h>

#include "app/conf.h"

bool
conf_same_account(const struct conf *a, const struct conf *b)
{
	return strcmp(a->account_said, b->account_said) == 0;
}

/* Names of listeners may have other addresses by now. */
static bool
same_list(char *const *a, size_t n, char *const *b, size_t m)
{
	for (size_t i = 0; i < n && n == m; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return n == m;
}

/* It may have come from a file. */
static bool
same_key(const struct challenge_tsig_conf *a, const struct challenge_tsig_conf *b)
{
	if (a->name == NULL || b->name == NULL)
		return a->name == b->name;
	return strcmp(a->name, b->name) == 0 && strcmp(a->algorithm, b->algorithm) == 0 &&
	    a->secret_len == b->secret_len && memcmp(a->secret, b->secret, a->secret_len) == 0;
}

bool
conf_same_verification(const struct conf *a, size_t i, const struct conf *b, size_t j)
{
	const struct challenge_conf *x = &a->verifications[i], *y = &b->verifications[j];

	if (x->type != y->type || strcmp(a->verifications_said[i], b->verifications_said[j]) != 0)
		return false;
	switch (x->type) {
	case CHALLENGE_HTTP01:
		return same_list(x->http01.listeners, x->http01.listener_count, y->http01.listeners,
		    y->http01.listener_count);
	case CHALLENGE_DNS01_SERVER:
		return same_list(x->dns01_server.listeners, x->dns01_server.listener_count,
		    y->dns01_server.listeners, y->dns01_server.listener_count);
	case CHALLENGE_DNS01_UPDATE:
		return same_key(&x->dns01_update.tsig, &y->dns01_update.tsig);
	case CHALLENGE_DNS01_CHALLTESTSRV:
	case CHALLENGE_TYPE_COUNT:
		break;
	}
	return true;
}

bool
conf_same_storage(const struct conf *a, size_t i, const struct conf *b, size_t j)
{
	const struct storage_conf *x = &a->storages[i], *y = &b->storages[j];

	return x->type == y->type &&
	    (x->type != STORE_FILE || strcmp(x->file.directory, y->file.directory) == 0);
}
