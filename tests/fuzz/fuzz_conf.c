/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration as a whole: a file goes in, structs and a list of problems come out. One of odd
 * length is given twice, as two files that say the same. */
#include "fuzz.h"

#include "app/conf.h"
#include "one_file.h"

static char path[] = "/fuzz.conf";

static void
check_problems(const struct conf *c)
{
	bool failed = false;

	for (size_t i = 0; i < c->problem_count; i++) {
		const struct conf_problem *p = &c->problems[i];
		CLEANUP_FREE char *text = conf_problem_text(p);

		must(strcmp(p->path, path) == 0 && p->line >= 0 && p->message[0] != '\0');
		for (const char *at = text; *at != '\0'; at++)
			must((unsigned char)*at >= ' ' && *at != 0x7f);
		failed = failed || p->severity == CONF_ERROR;
	}
	must(failed == c->failed);
}

static void
check_auth(const struct conf *c, const struct auth_block *b)
{
	must(b->name != NULL && b->line > 0);
	/* A block without domains admits nobody, so it may do without a method. */
	must(b->all || b->range_count > 0 || b->hmac != DIGEST_NONE || b->domain_count == 0);
	must((b->hmac == DIGEST_NONE) == (b->key_count == 0));
	must(b->verification < c->verification_count && b->store < c->storage_count);
	for (size_t i = 0; i < b->key_count; i++)
		must(b->keys[i].len > 0);
}

/* What everybody takes for granted of a configuration that is taken. */
static void
check_whole(const struct conf *c)
{
	struct policy *p = policy_new(c->auths, c->auth_count);

	must(c->ca.directory_url != NULL && c->ca.dir != NULL);
	must((c->ca.eab_kid == NULL) == (c->ca.eab_key_len == 0));
	must(c->ca.requests_per_second >= 0);
	must(c->verification_count > 0 && c->storage_count > 0);
	must(c->mgmt.listener_count > 0 && c->mgmt.max_size > 0);
	must(c->mgmt.timeout_s > 0 && c->mgmt.order_timeout_s > 0);
	for (size_t i = 0; i < c->storage_count; i++)
		must(c->storages[i].type != STORE_FILE || c->storages[i].file.directory != NULL);
	for (size_t i = 0; i < c->auth_count; i++)
		check_auth(c, &c->auths[i]);
	policy_free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *paths[] = {path, path};
	struct conf *c;

	one_file_set(path, data, size);
	c = conf_load(paths, 1 + size % 2);
	check_problems(c);
	if (!c->failed)
		check_whole(c);
	conf_free(c);
	return 0;
}
