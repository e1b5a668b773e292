/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "peers.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "answers.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "ev/listener.h"
#include "ev/loop.h"
#include "fake_clock.h"
#include "fuzz.h"

enum {
	MARK = 0xfe,
	PEERS = 4,
	TURNS = 3,       /* a request comes in, is handled, its reply goes out */
	TURNS_MAX = 200, /* until everything has come to an end */
	GOT_MAX = 64 << 20,
};

struct peer {
	int fd; /* -1: none */
	size_t number;
	bool deaf;
	struct buf got;
};

static struct {
	const struct peers_server *server;
	struct peer all[PEERS];
	struct peer *now;
	struct buf out; /* not sent yet */
	size_t connected;
	size_t replies;
} play;

static char folder[] = "/tmp/acmems-fuzz-XXXXXX";
static char socket_path[sizeof(folder) + 2];

/* ---- the socket ---- */

static void
remove_socket(void)
{
	unlink(socket_path);
	rmdir(folder);
}

const char *
peers_socket(void)
{
	must(mkdtemp(folder) != NULL);
	snprintf(socket_path, sizeof(socket_path), "%s/s", folder);
	atexit(remove_socket);
	return socket_path;
}

struct listener *
peers_listen(struct peers_server *s)
{
	struct listen_address *a;
	struct listener *l;
	size_t n;

	s->loop = loop_new(NULL);
	s->path = peers_socket();
	CLEANUP_FREE char *spec = xasprintf("unix:%s", s->path);
	must(listen_addresses(spec, &a, &n, NULL) && n == 1);
	l = listener_open(s->loop, a, NULL, NULL);
	must(l != NULL);
	free(a);
	return l;
}

/* ---- one client ---- */

static void
peer_connect(struct peer *p)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	strcpy(un.sun_path, play.server->path);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(p->fd >= 0 && connect(p->fd, (struct sockaddr *)&un, sizeof(un)) == 0);
	p->number = play.connected++;
	p->deaf = false;
	buf_init(&p->got, GOT_MAX);
}

static void
peer_receive(struct peer *p)
{
	static char chunk[1 << 17];
	ssize_t n;

	while (p->fd >= 0 && !p->deaf && (n = recv(p->fd, chunk, sizeof(chunk), 0)) > 0)
		must(buf_add(&p->got, chunk, (size_t)n));
}

static void
count(void *arg, const struct answer *a)
{
	const struct peer *p = arg;

	play.replies++;
	if (play.server->received != NULL)
		play.server->received(p->number, a);
}

static void
peer_close(struct peer *p)
{
	if (p->fd < 0)
		return;
	peer_receive(p);
	close(p->fd);
	p->fd = -1;
	answers_check(p->got.data, p->got.len, count, p);
	buf_done(&p->got);
}

/* ---- what they do ---- */

static void
turn(void)
{
	for (int i = 0; i < TURNS; i++)
		loop_turn(play.server->loop, false);
	for (size_t i = 0; i < PEERS; i++)
		peer_receive(&play.all[i]);
}

/* A server that reads no more loses the rest. */
static void
flush(void)
{
	size_t sent = 0;

	if (play.now->fd < 0 && play.out.len > 0)
		peer_connect(play.now);
	while (sent < play.out.len) {
		ssize_t n =
		    send(play.now->fd, play.out.data + sent, play.out.len - sent, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		sent += (size_t)n;
		turn();
	}
	play.out.len = 0;
}

static void
pass(int64_t seconds)
{
	fake_clock_advance(play.server->loop, seconds * 1000);
	turn();
}

static void
answer_one(bool newest)
{
	if (play.server->answer != NULL)
		play.server->answer(newest);
	turn();
}

static void
client_act(uint8_t letter)
{
	switch (letter) {
	case 'h':
		if (play.now->fd >= 0)
			shutdown(play.now->fd, SHUT_WR);
		break;
	case 'x':
		peer_close(play.now);
		break;
	case 'p':
		play.now->deaf = !play.now->deaf;
		break;
	case '0':
	case '1':
	case '2':
	case '3':
		play.now = &play.all[letter - '0'];
		if (play.now->fd < 0)
			peer_connect(play.now);
		break;
	default:
		break; /* 's', and whatever else */
	}
	turn();
}

static void
act(uint8_t letter)
{
	flush();
	switch (letter) {
	case 'a':
	case 'A':
		answer_one(letter == 'A');
		break;
	case 't':
		pass(1);
		break;
	case 'T':
		pass(30);
		break;
	case 'U':
		pass(600);
		break;
	case 'f':
		if (play.server->restart != NULL)
			play.server->restart();
		turn();
		break;
	default:
		client_act(letter);
		break;
	}
}

static void
speak(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != MARK || i + 1 == size)
			must(buf_add(&play.out, &data[i], 1));
		else if (data[++i] == MARK)
			must(buf_add(&play.out, &data[i], 1));
		else
			act(data[i]);
	}
	flush();
	turn();
}

/* ---- the end ---- */

static int
events(void)
{
	return event_base_get_num_events(loop_base(play.server->loop), EVENT_BASE_COUNT_ADDED);
}

static void
go_home(void)
{
	while (play.server->answer != NULL && play.server->answer(false))
		continue;
	turn();
	for (size_t i = 0; i < PEERS; i++) {
		play.all[i].deaf = false;
		peer_close(&play.all[i]);
	}
}

size_t
peers_play(const struct peers_server *s, const uint8_t *data, size_t size)
{
	size_t timers = fake_timers_alive();

	play.server = s;
	play.connected = play.replies = 0;
	play.now = &play.all[0];
	for (size_t i = 0; i < PEERS; i++)
		play.all[i].fd = -1;
	buf_init(&play.out, SIZE_MAX);
	int before = events();
	speak(data, size);
	go_home();
	/* Each connection has a timer and events. */
	for (int i = 0; fake_timers_alive() != timers || events() != before; i++) {
		must(i < TURNS_MAX);
		loop_turn(s->loop, false);
	}
	buf_done(&play.out);
	fake_clock_reset();
	return play.replies;
}
