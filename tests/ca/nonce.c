/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nonce.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "b64.h"
#include "base/alloc.h"
#include "base/random.h"

enum { SECRETS = 1 << 20, BATCH = 128 };

/* A nonce is its number and a secret; the secret is kept in a ring at the number's place, zero once
 * the nonce was used. */
struct nonces {
	uint64_t next;
	size_t out;
	uint64_t batch[BATCH]; /* of random numbers: one system call for many */
	size_t left;
	uint64_t secrets[SECRETS];
};

struct wire {
	uint64_t number;
	uint64_t secret;
};

struct nonces *
nonces_new(void)
{
	return xcalloc(1, sizeof(struct nonces));
}

void
nonces_free(struct nonces *n)
{
	free(n);
}

void
nonces_forget(struct nonces *n)
{
	memset(n->secrets, 0, sizeof(n->secrets));
	n->out = 0;
}

static uint64_t
secret(struct nonces *n)
{
	uint64_t value;

	do {
		if (n->left == 0) {
			random_bytes(n->batch, sizeof(n->batch));
			n->left = BATCH;
		}
		value = n->batch[--n->left];
	} while (value == 0);
	return value;
}

void
nonces_make(struct nonces *n, char ret_text[NONCE_TEXT])
{
	struct wire w = {n->next++, secret(n)};
	uint64_t *place = &n->secrets[w.number % SECRETS];
	char *text = b64_encode(&w, sizeof(w));

	n->out += *place == 0;
	*place = w.secret;
	memcpy(ret_text, text, NONCE_TEXT);
	free(text);
}

bool
nonces_use(struct nonces *n, const char *text)
{
	struct buf bytes;
	struct wire w;
	bool good;

	buf_init(&bytes, sizeof(w));
	good = b64_decode(text, strlen(text), &bytes) && bytes.len == sizeof(w);
	if (good) {
		memcpy(&w, bytes.data, sizeof(w));
		good = w.secret != 0 && n->secrets[w.number % SECRETS] == w.secret;
	}
	buf_done(&bytes);
	if (good) {
		n->secrets[w.number % SECRETS] = 0;
		n->out--;
	}
	return good;
}

size_t
nonces_count(const struct nonces *n)
{
	return n->out;
}
