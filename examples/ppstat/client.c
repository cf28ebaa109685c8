/* SPDX-License-Identifier: BSD-3-Clause */
/* client.c - the connection: a line to the program, a line back, within a bounded time */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"
#include "ppstat.h"

#define ANSWER_MAX ((size_t)64 << 20)

static int64_t now_ms(void)
{
	return (int64_t)(now_ns() / 1000000);
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	memcpy(addr.sun_path, path, strnlen(path, sizeof(addr.sun_path) - 1));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static bool peer_cred(int fd, struct ucred *cred)
{
	socklen_t len = sizeof(*cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len);
}

/* In /tmp any user makes any name: the socket must be the listener's own. */
bool peer_is_open(const char *path, int *pid, unsigned int *uid)
{
	struct ucred cred = { 0 };
	bool open = false;
	struct stat st;
	int fd = connect_to(path);

	if (fd < 0)
		return false;
	if (peer_cred(fd, &cred) && !lstat(path, &st) && S_ISSOCK(st.st_mode))
		open = st.st_uid == cred.uid &&
		       (cred.uid == geteuid() || cred.uid == 0 || geteuid() == 0);
	if (open && cred.pid > 0 && kill(cred.pid, 0) && errno == ESRCH)
		open = false;
	close(fd);
	*pid = cred.pid;
	*uid = cred.uid;
	return open;
}

const char *foreign_user(unsigned int uid, char *buf, size_t size)
{
	const struct passwd *user;
	char name[33];

	*buf = '\0';
	if (uid == geteuid())
		return buf;
	user = getpwuid(uid);
	if (user)
		snprintf(buf, size, " of %s", printable(user->pw_name, name, sizeof(name)));
	else
		snprintf(buf, size, " of user %u", uid);
	return buf;
}

int peer_connect(struct peer *peer)
{
	struct ucred cred;

	peer->fd = connect_to(peer->path);
	if (peer->fd >= 0 && peer_cred(peer->fd, &cred))
		foreign_user(cred.uid, peer->user, sizeof(peer->user));
	if (peer->fd >= 0)
		return 0;
	if (peer->fd == -ECONNREFUSED)
		complain("%s: no program listens there any more; start the program again",
			 peer->path);
	else if (peer->fd == -EACCES)
		complain("%s: it belongs to another user; be that user, or root", peer->path);
	else
		complain("%s: %s; name the socket of a running program, or its pid", peer->path,
			 strerror(-peer->fd));
	peer->fd = -1;
	return -1;
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

/* false: the time is over, or a signal came */
static bool wait_for(int fd, short events, int64_t end)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = end - now_ms();

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static int send_all(int fd, const char *text, size_t len, int64_t end)
{
	ssize_t n;

	while (len) {
		n = send(fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN && wait_for(fd, POLLOUT, end))
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* reads up to a newline, the last byte sent; NULL with errno; errno 0: the other end has closed */
static char *read_line(int fd, int64_t end)
{
	size_t size = 65536, len = 0;
	char *text = malloc(size), *more;
	ssize_t n;

	while (text) {
		n = recv(fd, text + len, size - len - 1, 0);
		if (n < 0 && errno == EAGAIN && wait_for(fd, POLLIN, end))
			continue;
		if (n <= 0) {
			errno = n ? errno : 0;
			break;
		}
		len += (size_t)n;
		if (text[len - 1] == '\n') {
			text[len - 1] = '\0';
			return text;
		}
		if (size - len > 1)
			continue;
		errno = EMSGSIZE;
		more = size < ANSWER_MAX ? realloc(text, 2 * size) : NULL;
		if (!more)
			break;
		text = more;
		size *= 2;
	}
	free(text);
	return NULL;
}

char *peer_ask(struct peer *peer, const char *request)
{
	int64_t end = now_ms() + ANSWER_WAIT_S * 1000;
	char line[300];
	char *answer = NULL;

	snprintf(line, sizeof(line), "%s\n", request);
	if (!send_all(peer->fd, line, strlen(line), end))
		answer = read_line(peer->fd, end);
	if (answer)
		return answer;
	if (errno == EAGAIN)
		complain("%s: no answer within %d seconds; is the program stopped?", peer->path,
			 ANSWER_WAIT_S);
	else if (!errno || errno == EPIPE || errno == ECONNRESET)
		complain("%s: the program has ended, or cut this connection; see ppstat list",
			 peer->path);
	else if (errno != EINTR)
		complain("%s: %s; try again", peer->path, strerror(errno));
	peer_close(peer);
	return NULL;
}
