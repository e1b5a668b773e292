/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registration.json as an operator, another program or a broken disk left it: read, brought up to
 * date, read again. */
#include "fuzz.h"

#include "acme/account_json.h"
#include "acme/ca.h"
#include "acme/registration.h"
#include "one_file.h"

static const char URI[] = "https://ca.example/acct/1";

static struct json *
parse(const char *text)
{
	struct json *value = json_parse(text, strlen(text), NULL);

	must(value != NULL);
	return value;
}

static void
load(struct registration *r, bool *ret_intact)
{
	struct err e;

	err_clear(&e);
	*ret_intact = registration_load(r, "/account", &e);
	must(*ret_intact == (e.kind == ERR_NONE));
	must(r->root != NULL && json_is_object(r->root));
	must(r->uri == NULL || r->uri[0] != '\0');
}

/* As the account does: what is new is written. */
static bool
save(struct registration *r, const char *uri, const struct json *key, const struct json *contacts)
{
	return !registration_record(r, uri, key, contacts) || registration_write(r, NULL);
}

/* What was written is read back, and there is nothing left to be written. */
static void
check_saved(const struct json *key, const struct json *contacts)
{
	struct registration r;
	bool intact;

	load(&r, &intact);
	must(intact && r.uri != NULL && strcmp(r.uri, URI) == 0);
	must(json_member(json_member(r.root, "body"), "key") != NULL);
	if (contacts != NULL)
		must(json_array_count(registration_contacts(&r)) == json_array_count(contacts));
	size_t writes = one_file_writes();
	must(save(&r, URI, key, contacts));
	must(one_file_writes() == writes);
	registration_done(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char first[] = "mailto:a@example.org", second[] = "mailto:b@example.org";
	static char *contacts[] = {first, second};
	static const struct ca_conf conf = {.contacts = contacts, .contact_count = 2};
	static struct json *key, *lists[2];
	struct registration r;
	bool intact;

	if (key == NULL) {
		key = parse("{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA\",\"y\":\"AQ\"}");
		lists[1] = account_contacts(contacts, 2);
	}
	for (size_t i = 0; i < 2; i++) {
		one_file_set("/account/registration.json", data, size);
		load(&r, &intact);
		account_contacts_equal(&conf, registration_contacts(&r));
		must(save(&r, URI, key, lists[i]));
		must(one_file_writes() <= 1);
		if (intact || one_file_writes() == 1)
			check_saved(key, lists[i]);
		must(registration_record_status(&r, "deactivated"));
		must(registration_write(&r, NULL));
		must(
		    strcmp(json_string(json_member(r.root, "body"), "status"), "deactivated") == 0);
		registration_done(&r);
	}
	return 0;
}
