/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw bytes into the server of http-01, while one token is presented twice and another once. See
 * peers.h for what the input is. */
#include "fuzz.h"

#include "answers.h"
#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "peers.h"

enum { USERS = 3 };

static struct user {
	const char *token;
	struct op *op;
	size_t fetched;
} users[USERS] = {{.token = "token_one"}, {.token = "token_one"}, {.token = "t"}};

static struct loop *loop;
static struct challenge *challenge;
static struct identifier name;
static size_t warnings;

static void
warn(void *arg, const char *block, const char *text)
{
	must(text[0] != '\0');
	warnings++;
}

static void
presented(void *arg, const struct err *e)
{
	must(e == NULL);
}

static void
fetched(void *arg)
{
	((struct user *)arg)->fetched++;
}

static void
present(struct user *u)
{
	struct acme_solver *solver = challenge_solver(challenge);
	CLEANUP_FREE char *key_authorization = xasprintf("%s.thumbprint", u->token);

	solver->present(solver, &(struct acme_answer){&name, u->token, key_authorization},
	    presented, fetched, u, &u->op);
}

static void
received(size_t n, const struct answer *a)
{
	static const int statuses[] = {200, 400, 404, 411, 413, 417, 501, 505};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (a->status == statuses[i])
			return;
	must(0);
}

static struct peers_server under_test = {.received = received};

static void
start(void)
{
	loop = under_test.loop = loop_new(NULL);
	under_test.path = peers_socket();
	CLEANUP_FREE char *spec = xasprintf("unix:%s", under_test.path);
	char *listeners[] = {spec};
	struct challenge_conf conf = {
	    .name = "http",
	    .type = CHALLENGE_HTTP01,
	    .http01 = {.listeners = listeners, .listener_count = 1},
	};

	challenge = challenge_new(challenges_new(loop, warn, NULL), &conf, NULL);
	must(challenge != NULL && challenge_serve(challenge, true, NULL) &&
	    identifier_dns("example.org", 11, &name, NULL));
	for (size_t i = 0; i < USERS; i++)
		present(&users[i]);
	loop_turn(loop, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (loop == NULL)
		start();
	for (size_t i = 0; i < USERS; i++)
		users[i].fetched = 0;
	peers_play(&under_test, data, size);
	must(users[0].fetched == users[1].fetched);
	must(challenge->active == USERS);
	return 0;
}
