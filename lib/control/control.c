/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * control.c - the control socket's thread: clients that come, ask, stall and die
 *
 * One thread, poll(), no blocking call. Each client has room for one request and one answer. The
 * next request waits until the answer is gone, so that no client makes the program hold more.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/verbs.h"

#define CLIENTS_DEFAULT 8u
#define CLIENTS_MAX	64u
/* for a client in the middle of a request, or of taking an answer, to go on */
#define STALL_NS (5 * 1000000000ull)

struct client {
	int fd; /* -1: a free place */
	bool ended; /* it has sent its last request */
	bool closing; /* closed as soon as the answer is gone */
	size_t got; /* bytes in @in */
	size_t sent; /* of @answer */
	uint64_t active_ns;
	struct json_writer answer;
	char in[CONTROL_LINE_MAX];
};

struct pp_control {
	struct control_state state;
	struct control_socket socket;
	int wake;
	bool stop; /* atomic */
	pthread_t thread;
	unsigned int nclients;
	struct pollfd *fds; /* wake, the socket, a client each */
	struct client client[];
};

/* ---- a client -------------------------------------------------------------------------------- */

static void client_close(struct client *c)
{
	close(c->fd);
	jw_free(&c->answer);
	c->fd = -1;
}

static void client_open(struct client *c, int fd)
{
	*c = (struct client){ .fd = fd, .active_ns = now_ns() };
}

static bool has_answer(const struct client *c)
{
	return c->sent < c->answer.len;
}

static bool has_line(const struct client *c)
{
	return memchr(c->in, '\n', c->got) || c->got == sizeof(c->in);
}

/* In the middle of a request or of an answer for too long. */
static bool has_stalled(const struct client *c, uint64_t now)
{
	return (has_answer(c) || c->got) && now - c->active_ns > STALL_NS;
}

static void client_answer(struct pp_control *control, struct client *c)
{
	const char *end = memchr(c->in, '\n', c->got);
	size_t len = end ? (size_t)(end - c->in) : c->got;

	c->sent = 0;
	control_answer(&control->state, c->in, len, &c->answer);
	if (c->answer.failed) {
		client_close(c); /* no memory for an answer: none is better than half of one */
		return;
	}
	c->closing = !end; /* too long: where the next one begins is unknown */
	len = min(len + 1, c->got);
	c->got -= len;
	memmove(c->in, c->in + len, c->got);
}

static void client_read(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->got, sizeof(c->in) - c->got, MSG_DONTWAIT);

	if (n > 0) {
		c->got += (size_t)n;
		c->active_ns = now_ns();
	} else if (!n) {
		c->ended = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		client_close(c);
	}
}

static void client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->answer.text + c->sent, c->answer.len - c->sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0) {
		c->sent += (size_t)n;
		c->active_ns = now_ns();
	} else if (errno != EAGAIN && errno != EINTR) {
		client_close(c);
	}
}

/* One request at most, so that the others have their turn. */
static void client_serve(struct pp_control *control, struct client *c, short revents)
{
	if (has_answer(c) && revents & (POLLOUT | POLLERR | POLLHUP))
		client_write(c);
	else if (!has_answer(c) && !has_line(c) && revents & (POLLIN | POLLERR | POLLHUP))
		client_read(c);
	if (c->fd >= 0 && !has_answer(c) && has_line(c) && !c->closing) {
		client_answer(control, c);
		if (c->fd >= 0)
			client_write(c);
	}
	if (c->fd < 0 || has_answer(c))
		return;
	if (c->closing || (c->ended && !has_line(c)))
		client_close(c);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* A free place, or that of the client that was silent longest. */
static struct client *find_place(struct pp_control *control)
{
	struct client *c = control->client, *oldest = c;

	for (; c < control->client + control->nclients; c++) {
		if (c->fd < 0)
			return c;
		if (c->active_ns < oldest->active_ns)
			oldest = c;
	}
	client_close(oldest);
	return oldest;
}

static void admit_client(struct pp_control *control)
{
	int fd = accept4(control->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const struct timespec pause = { .tv_nsec = 10000000 };

	if (fd >= 0 && control_peer_allowed(fd))
		client_open(find_place(control), fd);
	else if (fd >= 0)
		close(fd);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		nanosleep(&pause, NULL); /* it stays in the queue: do not spin on it */
}

/* What to wait for, and until when: ms for poll(). */
static int prepare_poll(struct pp_control *control)
{
	uint64_t now = now_ns(), next = control_expire(&control->state, now);
	struct pollfd *fd = control->fds + 2;
	struct client *c = control->client;

	for (; c < control->client + control->nclients; c++, fd++) {
		if (c->fd >= 0 && has_stalled(c, now))
			client_close(c);
		fd->fd = c->fd;
		fd->revents = 0;
		fd->events = has_answer(c) ? POLLOUT : POLLIN;
		if (c->fd < 0)
			continue;
		if (!has_answer(c) && has_line(c))
			next = now;
		else if (has_answer(c) || c->got)
			next = min(next, c->active_ns + STALL_NS + 1000000);
		/* it has hung up: poll() would return at once, all the time */
		if (c->ended && !has_answer(c))
			fd->fd = -1;
	}
	if (next == UINT64_MAX)
		return -1;
	return next > now ? (int)min((next - now) / 1000000 + 1, (uint64_t)INT32_MAX) : 0;
}

static void *control_thread(void *arg)
{
	struct pp_control *control = arg;
	struct pollfd *fds = control->fds;
	unsigned int i;

	while (!load_acquire(&control->stop)) {
		if (poll(fds, control->nclients + 2, prepare_poll(control)) < 0)
			continue;
		for (i = 0; i < control->nclients; i++) {
			if (control->client[i].fd >= 0)
				client_serve(control, &control->client[i], fds[i + 2].revents);
		}
		if (fds[1].revents)
			admit_client(control);
	}
	control_expire(&control->state, UINT64_MAX);
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int start_thread(struct pp_control *control)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&control->thread, NULL, control_thread, control);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return pp_set_error(err, "no thread for the control socket: %s", strerror(err));
	pthread_setname_np(control->thread, "pp-control");
	return 0;
}

static struct pp_control *control_alloc(const struct pp_control_params *p)
{
	struct pp_control *control;
	unsigned int i;

	control = calloc(1, sizeof(*control) + p->clients * sizeof(control->client[0]));
	if (!control)
		goto err_out;
	control->fds = calloc(p->clients + 2, sizeof(*control->fds));
	if (!control->fds)
		goto err_free;
	control->nclients = p->clients;
	control->state.read_only = p->flags & PP_CONTROL_READ_ONLY;
	for (i = 0; i < p->clients; i++)
		control->client[i].fd = -1;
	return control;

err_free:
	free(control);
err_out:
	pp_set_error(ENOMEM, "no memory for a control socket of %u clients", p->clients);
	return NULL;
}

static void control_free(struct pp_control *control)
{
	free(control->fds);
	free(control);
}

struct pp_control *pp_control_open(const struct pp_control_params *params)
{
	struct pp_control_params p = { .sz = sizeof(p) };
	struct pp_control *control;
	int err;

	if (params && params_copy(&p, sizeof(p), params))
		return NULL;
	p.clients = p.clients ? p.clients : CLIENTS_DEFAULT;
	if (p.clients > CLIENTS_MAX || p.flags & ~PP_CONTROL_READ_ONLY) {
		pp_set_error(EINVAL, "control: %u clients, flags %#x: at most %u, and known flags",
			     p.clients, p.flags, CLIENTS_MAX);
		return NULL;
	}
	control = control_alloc(&p);
	if (!control)
		return NULL;
	if (control_socket_open(&control->socket, p.path))
		goto err_free;
	control->wake = eventfd(0, EFD_CLOEXEC);
	if (control->wake < 0) {
		pp_set_error(errno, "no eventfd for the control socket: %s", strerror(errno));
		goto err_socket;
	}
	control->fds[0] = (struct pollfd){ .fd = control->wake, .events = POLLIN };
	control->fds[1] = (struct pollfd){ .fd = control->socket.fd, .events = POLLIN };
	if (start_thread(control))
		goto err_wake;
	return control;

err_wake:
	close(control->wake);
err_socket:
	err = errno;
	control_socket_close(&control->socket);
	errno = err;
err_free:
	control_free(control);
	return NULL;
}

void pp_control_close(struct pp_control *control)
{
	const uint64_t one = 1;
	unsigned int i;

	if (!control)
		return;
	store_release(&control->stop, true);
	while (write(control->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	pthread_join(control->thread, NULL);
	for (i = 0; i < control->nclients; i++)
		if (control->client[i].fd >= 0)
			client_close(&control->client[i]);
	control_socket_close(&control->socket);
	close(control->wake);
	control_free(control);
}

const char *pp_control_path(const struct pp_control *control)
{
	return control->socket.path;
}
