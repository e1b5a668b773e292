/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "jws.h"

#include <string.h>

#include "answer.h"
#include "b64.h"
#include "request.h"

static bool
decode(const char *text, struct buf *out, const char *what, struct answer *a)
{
	if (text == NULL)
		return answer_problem(a, 400, "malformed", "the JWS has no %s", what);
	return b64_decode(text, strlen(text), out) ||
	    answer_problem(a, 400, "malformed", "%s is not base64url without padding", what);
}

/* RFC 8555 6.2: flattened, and nothing in an unprotected header. */
static bool
check_members(const json_t *object, struct answer *a)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return answer_problem(a, 400, "malformed", "the body is no JWS");
	json_object_foreach((json_t *)object, name, value) if (strcmp(name, "protected") != 0 &&
	    strcmp(name, "payload") != 0 && strcmp(name, "signature") != 0) return answer_problem(a,
	    400, "malformed", "a JWS here has no member \"%s\"", name);
	return true;
}

bool
jws_parse(struct jws *j, const json_t *object, struct answer *a)
{
	const char *head = json_string_value(json_object_get(object, "protected"));
	const char *payload = json_string_value(json_object_get(object, "payload"));
	struct buf text;
	bool done;

	*j = (struct jws){0};
	buf_init(&j->input, REQUEST_BODY_MAX);
	buf_init(&j->payload, REQUEST_BODY_MAX);
	buf_init(&j->signature, REQUEST_BODY_MAX);
	buf_init(&text, REQUEST_BODY_MAX);
	done = check_members(object, a) && decode(head, &text, "protected header", a) &&
	    decode(payload, &j->payload, "payload", a) &&
	    decode(json_string_value(json_object_get(object, "signature")), &j->signature,
		"signature", a);
	if (done) {
		j->header = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
		buf_addf(&j->input, "%s.%s", head, payload);
	}
	buf_done(&text);
	if (done && !json_is_object(j->header))
		return answer_problem(a, 400, "malformed", "the protected header is no object");
	return done;
}

void
jws_done(struct jws *j)
{
	json_decref(j->header);
	buf_done(&j->input);
	buf_done(&j->payload);
	buf_done(&j->signature);
}

const char *
jws_text(const struct jws *j, const char *member)
{
	return json_string_value(json_object_get(j->header, member));
}
