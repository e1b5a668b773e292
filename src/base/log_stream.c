/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
log_stream_open(const char *path, const char *what, struct err *e)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
	int saved = errno;

	if (fd < 0)
		err_errno(e, ERR_CONFIG, saved, "%s %s", what, path);
	return fd;
}

static int
open_again(int fd)
{
	char path[32];
	struct stat st;

	if (fstat(fd, &st) != 0 || (!S_ISFIFO(st.st_mode) && !isatty(fd)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void
begin(struct log_stream *s, int fd, bool own)
{
	struct stat st;

	s->fd = fd;
	s->own = own;
	s->left = 0;
	s->never_waits = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void
log_stream_standard(struct log_stream *s, int fd)
{
	int again = open_again(fd);

	begin(s, again >= 0 ? again : fd, again >= 0);
}

void
log_stream_file(struct log_stream *s, int fd)
{
	begin(s, fd, true);
}

void
log_stream_done(struct log_stream *s)
{
	if (s->own)
		close(s->fd);
	begin(s, -1, false);
}

/* Where there is room, there is room for PIPE_BUF bytes (pipe(7)), also on a socket; a terminal,
 * which makes no such promise, was opened again if that was possible. */
static bool
has_room(const struct log_stream *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLOUT};

	if (s->never_waits)
		return true;
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLOUT | POLLERR)) != 0;
}

/* How much could be written without waiting. */
static size_t
put(const struct log_stream *s, const char *text, size_t len)
{
	size_t done = 0;

	while (done < len && has_room(s)) {
		size_t part = len - done < PIPE_BUF ? len - done : PIPE_BUF;
		ssize_t n = write(s->fd, text + done, part);

		if (n < 0 && errno != EINTR)
			break;
		done += n < 0 ? 0 : (size_t)n;
	}
	return done;
}

static bool
put_rest(struct log_stream *s)
{
	size_t n = put(s, s->rest, s->left);

	s->left -= n;
	memmove(s->rest, s->rest + n, s->left);
	return s->left == 0;
}

bool
log_stream_ready(struct log_stream *s)
{
	return put_rest(s) && has_room(s);
}

bool
log_stream_write(struct log_stream *s, const char *text, size_t len)
{
	size_t n = put_rest(s) ? put(s, text, len) : 0;

	if (n == 0)
		return false;
	s->left = len - n;
	memcpy(s->rest, text + n, s->left);
	return true;
}
