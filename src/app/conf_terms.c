/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [account] accept-terms-of-service: yes, no, or URLs. */
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_value.h"
#include "codec/uri.h"

enum terms { TERMS_WRONG, TERMS_NO, TERMS_YES, TERMS_URL };

static enum terms
parse_terms(const char *word)
{
	struct uri uri;
	bool yes;

	if (conf_parse_bool(word, &yes))
		return yes ? TERMS_YES : TERMS_NO;
	return uri_parse(word, strlen(word), &uri, NULL) ? TERMS_URL : TERMS_WRONG;
}

/* Only the first word counts, as the documented "yes # or true" wants. */
static enum terms
add_terms(struct conf_build *b, const struct conf_entry *in, struct ca_terms *terms)
{
	char *word = conf_keep_text(b->conf, in->value);

	word[strcspn(word, " \t")] = '\0';
	enum terms what = parse_terms(word);
	if (what == TERMS_WRONG)
		conf_error(b, in->place,
		    "accept-terms-of-service: \"%s\" is neither yes nor no nor a URL", word);
	if (what == TERMS_YES && strcmp(in->value, "yes") != 0 && strcmp(in->value, "true") != 0)
		conf_note(b, in->place,
		    "accept-terms-of-service: the first word counts, in any case: the terms are "
		    "accepted; the original took \"%s\" for a URL and accepted nothing",
		    in->value);
	if (what == TERMS_URL)
		terms->urls[terms->url_count++] = word;
	return what;
}

void
conf_build_terms(struct conf_build *b, const struct conf_section *s)
{
	struct ca_terms *terms = &b->conf->ca.terms;
	size_t n;
	struct conf_entry *in =
	    conf_list(b, s, "account", NULL, "accept-terms-of-service", &n, NULL);
	const struct conf_entry *no = NULL;

	terms->urls = conf_keep(b->conf, n, sizeof(*terms->urls));
	for (size_t i = 0; i < n; i++) {
		enum terms what = add_terms(b, &in[i], terms);

		terms->accept = terms->accept || what == TERMS_YES;
		if (what == TERMS_NO)
			no = &in[i];
	}
	if (no != NULL && (terms->accept || terms->url_count > 0))
		conf_error(b, no->place, "accept-terms-of-service: both accepted and not accepted");
}
