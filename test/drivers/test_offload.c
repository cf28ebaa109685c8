/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_offload.c - offloads of a device: LRO, hardware GRO, VLAN tags taken out
 *
 * The device is a table behind ioctl(): no interface of a test machine has these. Its state is
 * shared with children, which stand for processes that are killed.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "af_xdp/priv.h"
#include "port.h"

#define NAMES 40u /* more than one block of 32 */

enum {
	SG = 0,
	RXVLAN = 3,
	RXSTAG = 31,
	LRO = 32,
	GROHW = 39,
};

/* @fixed: cannot be switched; @err: what setting says, 0: it works */
static struct device {
	uint64_t on;
	uint64_t fixed;
	int err;
	unsigned int sets;
} * device;

static const char *name_of(unsigned int i)
{
	static const char *const names[NAMES] = {
		[SG] = "tx-scatter-gather",
		[RXVLAN] = "rx-vlan-hw-parse",
		[RXSTAG] = "rx-vlan-stag-hw-parse",
		[LRO] = "rx-lro",
		[GROHW] = "rx-gro-hw",
	};

	return names[i] ? names[i] : "something-else";
}

static uint64_t bit(unsigned int i)
{
	return 1ull << i;
}

static int get_features(struct ethtool_gfeatures *g)
{
	unsigned int i;

	for (i = 0; i < g->size && i < 2; i++) {
		g->features[i].active = (uint32_t)(device->on >> 32 * i);
		g->features[i].available = (uint32_t)(~device->fixed >> 32 * i);
	}
	return 0;
}

static int set_features(struct ethtool_sfeatures *s)
{
	uint64_t valid = 0, wanted = 0;
	unsigned int i;

	if (device->err) {
		errno = device->err;
		return -1;
	}
	for (i = 0; i < s->size && i < 2; i++) {
		valid |= (uint64_t)s->features[i].valid << 32 * i;
		wanted |= (uint64_t)s->features[i].requested << 32 * i;
	}
	device->sets++;
	valid &= ~device->fixed;
	device->on = (device->on & ~valid) | (wanted & valid);
	return 0;
}

static int fake_ethtool(void *data)
{
	struct ethtool_gstrings *strings = data;
	struct ethtool_sset_info *info = data;
	unsigned int i;

	switch (*(uint32_t *)data) {
	case ETHTOOL_GSSET_INFO:
		info->data[0] = NAMES;
		return 0;
	case ETHTOOL_GSTRINGS:
		assert_int_equal(strings->len, NAMES);
		for (i = 0; i < NAMES; i++)
			snprintf((char *)strings->data + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN, "%s",
				 name_of(i));
		return 0;
	case ETHTOOL_GFEATURES:
		return get_features(data);
	case ETHTOOL_SFEATURES:
		return set_features(data);
	}
	errno = EOPNOTSUPP;
	return -1;
}

static bool steal;

/* in place of libc's: the owner of a record ends between open() and flock() of another port */
int flock(int fd, int operation)
{
	char path[64], name[128];
	ssize_t n;

	if (steal) {
		steal = false;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, name, sizeof(name) - 1);
		assert_true(n > 0);
		name[n] = '\0';
		assert_int_equal(unlink(name), 0);
	}
	return (int)syscall(SYS_flock, fd, operation);
}

/* in place of libc's */
int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *ifr;
	va_list ap;

	va_start(ap, request);
	ifr = va_arg(ap, struct ifreq *);
	va_end(ap);
	if (request == SIOCETHTOOL)
		return fake_ethtool(ifr->ifr_data);
	if (request != SIOCGIFNAME)
		return (int)syscall(SYS_ioctl, fd, request, ifr);
	strcpy(ifr->ifr_name, "lo");
	return 0;
}

static struct pp_iface iface;

static int setup_device(void **state)
{
	memset(device, 0, sizeof(*device));
	device->on = bit(SG) | bit(RXVLAN) | bit(LRO) | bit(GROHW);
	pp_iface_init(&iface);
	strcpy(iface.name, "lo");
	iface.index = (int)getpid(); /* the records of another run have other names */
	iface.ctl = socket(AF_INET, SOCK_DGRAM, 0);
	return iface.ctl >= 0 ? 0 : -1;
}

static int teardown_device(void **state)
{
	close(iface.ctl);
	return 0;
}

static void told(void **state)
{
	struct pp_offload *off = pp_offload_open(&iface, false, false);

	assert_string_equal(
		pp_offload_text(off),
		"VLAN tags and the bounds of packets are lost as lo receives; switch it "
		"off: ethtool -K lo rxvlan off lro off rx-gro-hw off, or give "
		"offloads=fix");
	assert_string_equal(pp_offload_brief(off), "lo needs rxvlan off lro off rx-gro-hw off");
	pp_offload_close(off);
	assert_int_equal(device->sets, 0);

	device->on = bit(SG) | bit(RXSTAG);
	off = pp_offload_open(&iface, false, false);
	assert_non_null(strstr(pp_offload_text(off), "VLAN tags are lost as lo receives"));
	assert_non_null(strstr(pp_offload_text(off), "-K lo rx-vlan-stag-hw-parse off,"));
	pp_offload_close(off);

	device->on = bit(SG);
	off = pp_offload_open(&iface, false, false);
	assert_string_equal(pp_offload_text(off), "");
	assert_string_equal(pp_offload_brief(off), "");
	pp_offload_close(off);
}

static void fixed_and_restored(void **state)
{
	static const uint64_t had[] = {
		1ull << LRO,
		1ull << GROHW,
		1ull << RXVLAN | 1ull << SG,
		1ull << RXSTAG | 1ull << LRO | 1ull << GROHW | 1ull << RXVLAN,
		1ull << SG,
	};
	struct pp_offload *off;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		device->on = had[i];
		off = pp_offload_open(&iface, true, false);
		assert_true(device->on == (had[i] & bit(SG)));
		assert_string_equal(pp_offload_text(off), "");
		pp_offload_close(off);
		assert_true(device->on == had[i]);
	}
}

/* two ports of a process on one interface: the last one restores */
static void shared(void **state)
{
	const uint64_t had = device->on;
	struct pp_offload *a = pp_offload_open(&iface, true, false);
	struct pp_offload *b = pp_offload_open(&iface, true, false);

	pp_offload_close(a);
	assert_true(device->on == bit(SG));
	pp_offload_close(b);
	assert_true(device->on == had);
	pp_offload_close(NULL);
}

/* what cannot be switched off is told, also with fix, and nothing else is left changed */
static void refused(void **state)
{
	const uint64_t had = device->on;
	struct pp_offload *off;

	device->fixed = bit(RXVLAN);
	off = pp_offload_open(&iface, true, false);
	assert_true(device->on == (bit(SG) | bit(RXVLAN)));
	assert_non_null(strstr(pp_offload_text(off), "VLAN tags are lost"));
	assert_null(strstr(pp_offload_text(off), "offloads=fix"));
	pp_offload_close(off);
	assert_true(device->on == had);

	device->fixed = 0;
	device->err = EPERM;
	off = pp_offload_open(&iface, true, false);
	assert_true(device->on == had);
	assert_non_null(strstr(pp_offload_text(off), "lro off"));
	device->err = 0;
	pp_offload_close(off);
	assert_true(device->on == had);
}

/*
 * The next port restores the offloads that a killed process switched off, with fix or without. In
 * the last round that process has a port that keeps them as well, which comes first.
 */
static void killed(void **state)
{
	const uint64_t had = device->on;
	struct pp_offload *off;
	unsigned int i;
	pid_t pid;

	if (geteuid()) {
		print_message("skipped: only root may write to /run\n");
		skip();
	}
	for (i = 0; i < 3; i++) {
		pid = fork();
		if (!pid) {
			if (i == 2)
				pp_offload_open(&iface, false, false);
			pp_offload_open(&iface, true, false);
			kill(getpid(), SIGKILL);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(device->on == bit(SG));
		off = pp_offload_open(&iface, i == 1, false);
		assert_true(device->on == (i == 1 ? bit(SG) : had));
		pp_offload_close(off);
		assert_true(device->on == had);
	}
}

static bool record_is_there(void)
{
	const struct pp_net net = pp_net_of(iface.ctl);
	char path[96];

	snprintf(path, sizeof(path), "/run/pagepool/offloads-%llu.%llu-%d",
		 (unsigned long long)net.inode, (unsigned long long)net.cookie, iface.index);
	return !access(path, F_OK);
}

static void open_and_die(void)
{
	pid_t pid = fork();

	if (!pid) {
		pp_offload_open(&iface, true, false);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* a port without the right to restore leaves that to the next one, and none to what it failed at */
static void kept(void **state)
{
	const uint64_t had = device->on;
	struct pp_offload *off;
	unsigned int i;

	if (geteuid()) {
		print_message("skipped: only root may write to /run\n");
		skip();
	}
	for (i = 0; i < 2; i++) {
		open_and_die();
		device->err = EPERM;
		off = pp_offload_open(&iface, i, false);
		pp_offload_close(off);
		assert_true(device->on == bit(SG) && record_is_there());
		device->err = 0;
		off = pp_offload_open(&iface, false, false);
		assert_true(device->on == had && !record_is_there());
		pp_offload_close(off);
	}
	device->err = EPERM;
	off = pp_offload_open(&iface, true, false);
	pp_offload_close(off);
	device->err = 0;
	assert_true(device->on == had && !record_is_there());
}

static void record_of_the_dying(void **state)
{
	const uint64_t had = device->on;
	struct pp_offload *off;

	if (geteuid()) {
		print_message("skipped: only root may write to /run\n");
		skip();
	}
	steal = true;
	open_and_die();
	steal = false;
	assert_true(device->on == bit(SG) && record_is_there());
	off = pp_offload_open(&iface, false, false);
	assert_true(device->on == had);
	pp_offload_close(off);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told, setup_device, teardown_device),
		cmocka_unit_test_setup_teardown(fixed_and_restored, setup_device, teardown_device),
		cmocka_unit_test_setup_teardown(shared, setup_device, teardown_device),
		cmocka_unit_test_setup_teardown(refused, setup_device, teardown_device),
		cmocka_unit_test_setup_teardown(killed, setup_device, teardown_device),
		cmocka_unit_test_setup_teardown(kept, setup_device, teardown_device),
		cmocka_unit_test_setup_teardown(record_of_the_dying, setup_device, teardown_device),
	};

	device = mmap(NULL, sizeof(*device), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (device == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
