/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_napi.c - queues that share a NAPI, and its settings
 *
 * The NAPI is a struct behind send() and recv() of netlink. Children, which stand for processes
 * that are killed, share it.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "af_xdp/port.h"
#include "port.h"
#include "xsk/uapi.h"

#define FAMILY 77u
#define NAPI   8193u
#define QUEUES 3u

/* settings by their numbers in netlink */
static struct {
	uint64_t v[NETDEV_A_NAPI_THREADED + 1];
	unsigned int sets;
	int err; /* what setting says, 0: it works */
} * napi;

static struct pp_iface iface;

/* --- the kernel ----------------------------------------------------------------------- */

static struct {
	struct nlmsghdr nl;
	char rest[240];
} answer;

static void add(uint16_t type, const void *value, uint16_t len)
{
	const struct nlattr attr = { (uint16_t)(NLA_HDRLEN + len), type };
	char *end = (char *)&answer + NLMSG_ALIGN(answer.nl.nlmsg_len);

	memcpy(end, &attr, sizeof(attr));
	memcpy(end + NLA_HDRLEN, value, len);
	answer.nl.nlmsg_len = (uint32_t)(end - (char *)&answer) + NLA_HDRLEN + len;
}

static void napi_get(void)
{
	uint16_t type;

	for (type = NETDEV_A_NAPI_DEFER_HARD_IRQS; type <= NETDEV_A_NAPI_THREADED; type++)
		add(type, &napi->v[type], 8);
}

static void napi_set(const char *at, const char *end)
{
	struct nlattr attr;
	int *err = NLMSG_DATA(&answer.nl);

	answer.nl.nlmsg_type = NLMSG_ERROR;
	answer.nl.nlmsg_len = NLMSG_LENGTH(sizeof(struct nlmsgerr));
	*err = -napi->err;
	for (; !napi->err && at < end; at += NLA_ALIGN(attr.nla_len)) {
		memcpy(&attr, at, sizeof(attr));
		if (attr.nla_type == NETDEV_A_NAPI_ID)
			continue;
		assert_in_range(attr.nla_type, NETDEV_A_NAPI_DEFER_HARD_IRQS,
				NETDEV_A_NAPI_THREADED);
		napi->v[attr.nla_type] = 0;
		memcpy(&napi->v[attr.nla_type], at + NLA_HDRLEN, attr.nla_len - NLA_HDRLEN);
		napi->sets++;
	}
}

/* in place of libc's */
ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	const struct nlmsghdr *nl = buf;
	const struct genlmsghdr *gen = NLMSG_DATA(nl);
	const uint16_t family = FAMILY;
	const uint32_t id = NAPI;

	memset(&answer, 0, sizeof(answer));
	answer.nl.nlmsg_type = nl->nlmsg_type;
	answer.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	if (nl->nlmsg_type == GENL_ID_CTRL)
		add(CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	else if (gen->cmd == NETDEV_CMD_QUEUE_GET)
		add(NETDEV_A_QUEUE_NAPI_ID, &id, sizeof(id));
	else if (gen->cmd == NETDEV_CMD_NAPI_GET)
		napi_get();
	else
		napi_set((const char *)(gen + 1), (const char *)buf + size);
	return (ssize_t)size;
}

ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	memcpy(buf, &answer, answer.nl.nlmsg_len);
	return answer.nl.nlmsg_len;
}

/* --- the tests ------------------------------------------------------------------------ */

static int setup(void **state)
{
	memset(napi, 0, sizeof(*napi));
	napi->v[NETDEV_A_NAPI_DEFER_HARD_IRQS] = 3;
	pp_iface_init(&iface);
	strcpy(iface.name, "lo");
	iface.index = (int)getpid(); /* the records of another run have other names */
	return 0;
}

static void queue_open(struct xdp_napi *n, uint32_t queue, uint64_t defer)
{
	struct xdp_napi_params how = { .asked.mask = defer ? 1u << NAPI_DEFER : 0 };

	how.asked.v[NAPI_DEFER] = defer;
	memset(n, 0, sizeof(*n));
	pp_napi_init(n);
	assert_int_equal(pp_napi_open(n, &iface, queue, -1, &how), 0);
}

static void assert_defer(uint64_t defer)
{
	assert_int_equal(napi->v[NETDEV_A_NAPI_DEFER_HARD_IRQS], defer);
}

/* The last queue restores, whichever it is. */
static void last_restores(void **state)
{
	static const unsigned int orders[][QUEUES] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 } };
	struct xdp_napi n[QUEUES];
	unsigned int i, k;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		for (k = 0; k < QUEUES; k++)
			queue_open(&n[k], k, 5);
		for (k = 0; k < QUEUES; k++) {
			assert_defer(5);
			pp_napi_close(&n[orders[i][k]]);
		}
		assert_defer(3);
	}
}

/* A queue that asks for nothing restores nothing. */
static void others_stay(void **state)
{
	struct xdp_napi n[QUEUES];

	queue_open(&n[0], 0, 5);
	queue_open(&n[1], 1, 0);
	pp_napi_close(&n[1]);
	assert_defer(5);
	pp_napi_close(&n[0]);
	assert_defer(3);
	assert_int_equal(napi->sets, 2);
}

static void open_all_and_die(void)
{
	struct xdp_napi n[QUEUES];
	pid_t pid = fork();
	unsigned int k;

	if (!pid) {
		for (k = 0; k < QUEUES; k++)
			queue_open(&n[k], k, 5);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_defer(5);
}

/* Each queue has a record of the settings from before the first. */
static void killed(void **state)
{
	struct xdp_napi n[QUEUES];
	unsigned int k;

	if (geteuid()) {
		print_message("skipped: only root may write to /run\n");
		skip();
	}
	open_all_and_die();
	for (k = 0; k < QUEUES; k++) {
		queue_open(&n[k], k, 0);
		pp_napi_close(&n[k]);
		assert_defer(3);
	}
	open_all_and_die();
	for (k = 0; k < QUEUES; k++) {
		queue_open(&n[k], k, 7);
		assert_defer(7);
	}
	for (k = 0; k < QUEUES; k++)
		pp_napi_close(&n[k]);
	assert_defer(3);
}

/* The second of two requests is refused, or given up: its settings are those of others later. */
static void second_and_killed(void **state)
{
	const struct xdp_napi_values flush = { .mask = 1u << NAPI_FLUSH, .v[NAPI_FLUSH] = 20000 };
	struct xdp_napi n;
	unsigned int i;
	pid_t pid;

	if (geteuid()) {
		print_message("skipped: only root may write to /run\n");
		skip();
	}
	for (i = 0; i < 2; i++) {
		pid = fork();
		if (!pid) {
			queue_open(&n, 0, 5);
			napi->err = i ? 0 : EBUSY;
			assert_int_equal(pp_napi_change(&n, NAPI, &flush), -napi->err);
			if (i)
				assert_int_equal(pp_napi_restore(&n, 1u << NAPI_FLUSH), 0);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_defer(5);
		napi->err = 0;
		napi->v[NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT] = 7000;
		queue_open(&n, 0, 0);
		pp_napi_close(&n);
		assert_defer(3);
		assert_int_equal(napi->v[NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT], 7000);
		napi->v[NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(last_restores, setup),
		cmocka_unit_test_setup(others_stay, setup),
		cmocka_unit_test_setup(killed, setup),
		cmocka_unit_test_setup(second_and_killed, setup),
	};

	napi = mmap(NULL, sizeof(*napi), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (napi == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
