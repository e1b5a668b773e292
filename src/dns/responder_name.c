/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dns/rdf.h"

enum {
	VALUE_MAX = 255, /* one character-string */
	/* However long the values are, so many still fit into one TCP answer. */
	RECORDS_MAX = 200,
};

struct responder_name *
responder_name_new(ldns_rdf *owner)
{
	struct responder_name *name = xcalloc(1, sizeof(*name));

	name->owner = owner;
	TAILQ_INIT(&name->records);
	return name;
}

static void
free_record(struct responder_record *record)
{
	task_cancel(&record->task);
	ldns_rdf_deep_free(record->value);
	free(record);
}

void
responder_name_free(struct responder_name *name)
{
	struct responder_record *record, *next;

	TAILQ_FOREACH_SAFE (record, &name->records, entry, next)
		free_record(record);
	ldns_rdf_deep_free(name->owner);
	free(name);
}

static ldns_rdf *
make_value(const char *text, struct err *e)
{
	uint8_t bytes[1 + VALUE_MAX];
	size_t len = strlen(text);

	if (len > VALUE_MAX) {
		err_set(e, ERR_INTERNAL, "a TXT value of %zu bytes is too long", len);
		return NULL;
	}
	bytes[0] = (uint8_t)len;
	memcpy(bytes + 1, text, len);
	return rdf_check(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, len + 1, bytes));
}

static void
insert(struct responder_name *name, struct responder_record *record)
{
	struct responder_record *other;

	record->name = name;
	name->count++;
	TAILQ_FOREACH (other, &name->records, entry)
		if (ldns_rdf_compare(other->value, record->value) == 0)
			break;
	if (other != NULL)
		TAILQ_INSERT_AFTER(&name->records, other, record, entry);
	else
		TAILQ_INSERT_TAIL(&name->records, record, entry);
}

struct responder_record *
responder_name_add(struct responder_name *name, const char *value, responder_fetched_fn *fetched,
    void *arg, struct err *e)
{
	struct responder_record *record;
	ldns_rdf *rdf;

	if (name->count >= RECORDS_MAX) {
		err_set(e, ERR_BUSY, "there are %d TXT values already", RECORDS_MAX);
		return NULL;
	}
	rdf = make_value(value, e);
	if (rdf == NULL)
		return NULL;
	record = xcalloc(1, sizeof(*record));
	*record = (struct responder_record){.value = rdf, .fetched = fetched, .arg = arg};
	insert(name, record);
	return record;
}

void
responder_name_remove(struct responder_record *record)
{
	TAILQ_REMOVE(&record->name->records, record, entry);
	record->name->count--;
	free_record(record);
}

void
responder_name_fetched(struct loop *loop, struct responder_name *name)
{
	struct responder_record *record;

	TAILQ_FOREACH (record, &name->records, entry)
		if (record->fetched != NULL)
			task_post(loop, &record->task, record->fetched, record->arg);
}
