/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is to be said to a request, and how: the honest answer is what answer_init leaves. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/buf.h"

enum framing {
	FRAMING_LENGTH = 0,
	FRAMING_CHUNKED,
	FRAMING_CLOSE,   /* none: the body ends with the connection */
	FRAMING_ENDLESS, /* none, and the connection stays open */
	FRAMING_BAD_CHUNK,
};

/* Where an answer ends before its end. */
enum cut {
	CUT_NONE = 0,
	CUT_ALL,  /* nothing is sent */
	CUT_HEAD, /* the head only */
	CUT_IN_HEAD,
	CUT_BODY, /* head and half of the body */
};

struct pace {
	long ms;      /* between two pieces; 0: all at once */
	size_t bytes; /* of a piece */
};

struct delivery {
	enum framing framing;
	int interim;   /* status of an answer before the answer; 0: none */
	int copies;    /* how often the answer is sent */
	bool close;    /* afterwards */
	bool announce; /* with Connection: close */
	bool silent;   /* nothing is said, and the connection stays */
	long delay_ms;
	struct pace head, body;
	enum cut cut;
	bool reset;      /* a cut ends with RST and not with FIN */
	long length_lie; /* added to Content-Length */
	size_t filler;   /* bytes of headers nobody needs */
	bool not_http;   /* no status line, no headers */
};

enum nonce_mode {
	NONCE_NONE = 0,
	NONCE_FRESH,
	NONCE_USED, /* one that will not be taken */
};

struct answer {
	int status;
	char content_type[64]; /* "": none */
	struct buf headers;    /* lines, each with its CRLF */
	struct buf body;
	enum nonce_mode nonce;
	char problem[40]; /* ACME type of a problem document, without the prefix; or "" */
	struct delivery delivery;
};

void answer_init(struct answer *a);
void answer_done(struct answer *a);
/* Forgets status, type, headers and body, keeps the rest. */
void answer_clear(struct answer *a);
void answer_header(struct answer *a, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes the reference. */
void answer_json(struct answer *a, int status, json_t *body);
void answer_text(struct answer *a, int status, const char *type, const char *text);
/* An ACME problem document (RFC 8555 6.7). Always false, for "return answer_problem(...)". */
bool answer_problem(struct answer *a, int status, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The document alone. */
json_t *answer_problem_json(const char *type, int status, const char *detail);
