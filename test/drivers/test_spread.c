/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_spread.c - channels and RSS of a device
 *
 * The device's state is shared with children, which stand for processes that are killed.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "spread_device.h"

static int setup_device(void **state)
{
	memset(device, 0, sizeof(*device));
	device->combined = 4;
	device_default();
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

static struct pp_spread *open_with(uint32_t channels, uint32_t rss)
{
	const struct pp_spread_params how = { channels, rss };
	struct pp_spread *sp;

	assert_int_equal(pp_spread_open(&sp, &iface, &how), 0);
	assert_non_null(sp);
	return sp;
}

static void open_refused(uint32_t channels, uint32_t rss, int err, const char *why)
{
	const struct pp_spread_params how = { channels, rss };
	const struct device before = *device;
	struct pp_spread *sp;

	assert_int_equal(pp_spread_open(&sp, &iface, &how), -err);
	if (strcmp(pp_error(), why))
		fail_msg("\"%s\", not \"%s\"", pp_error(), why);
	pp_spread_close(sp);
	assert_int_equal(device->combined, before.combined);
	assert_memory_equal(device->table, before.table, sizeof(before.table));
	assert_int_equal(device->custom, before.custom);
}

static void assert_device(uint32_t combined, uint32_t queues)
{
	unsigned int i;

	assert_int_equal(device->combined, combined);
	for (i = 0; i < ENTRIES; i++)
		assert_int_equal(device->table[i], i % queues);
}

/* a table of a user, over @queues */
static void customize(uint32_t queues)
{
	unsigned int i;

	device->custom = true;
	for (i = 0; i < ENTRIES; i++)
		device->table[i] = (i * i / 7) % queues;
}

/* what ethtool -X equal @queues sets */
static void spread_over(uint32_t queues)
{
	unsigned int i;

	device->custom = true;
	for (i = 0; i < ENTRIES; i++)
		device->table[i] = i % queues;
}

static void set_and_restored(void **state)
{
	static const uint32_t asked[][2] = { { 2, 0 }, { 8, 0 }, { 4, 0 }, { 0, 2 }, { 0, 4 },
					     { 2, 1 }, { 8, 3 }, { 1, 1 }, { 8, 8 } };
	struct pp_spread *sp;
	unsigned int i;

	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const uint32_t n = asked[i][0] ? asked[i][0] : 4;

		sp = open_with(asked[i][0], asked[i][1]);
		assert_device(n, asked[i][1] ? asked[i][1] : n);
		pp_spread_close(sp);
		assert_device(4, 4);
		assert_false(device->custom);
	}
	assert_false(device->too_few);
	device->sets = 0;
	sp = open_with(0, 0);
	pp_spread_close(sp);
	pp_spread_close(NULL);
	assert_int_equal(device->sets, 0);
}

/* a table of the user's own comes back, with fewer channels and with more meanwhile */
static void custom_table(void **state)
{
	static const uint32_t asked[][2] = { { 0, 2 }, { 2, 2 }, { 8, 8 }, { 8, 0 }, { 8, 1 } };
	uint32_t table[ENTRIES];
	struct pp_spread *sp;
	unsigned int i;

	customize(4);
	memcpy(table, device->table, sizeof(table));
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		sp = open_with(asked[i][0], asked[i][1]);
		if (asked[i][1])
			assert_device(asked[i][0] ? asked[i][0] : 4, asked[i][1]);
		pp_spread_close(sp);
		assert_int_equal(device->combined, 4);
		assert_memory_equal(device->table, table, sizeof(table));
		assert_true(device->custom);
	}
	assert_false(device->too_few);
}

/* ports of a process on one interface: the last one restores, whatever it asked for */
static void shared(void **state)
{
	struct pp_spread *a = open_with(2, 0), *b = open_with(0, 0), *c = open_with(0, 1);
	struct pp_spread *d = open_with(2, 1);

	assert_device(2, 1);
	open_refused(3, 0, EBUSY,
		     "channels of lo is not set: another port has set it; give both the same");
	open_refused(2, 2, EBUSY,
		     "rss of lo is not set: another port has set it; give both the same");
	pp_spread_close(a);
	pp_spread_close(c);
	pp_spread_close(d);
	assert_device(2, 1);
	pp_spread_close(b);
	assert_device(4, 4);
}

static void refused(void **state)
{
	struct pp_spread *sp;

	open_refused(9, 0, EINVAL,
		     "channels of lo is not set: it has 8 at most, not 9; ethtool -l shows them");
	open_refused(2, 3, EINVAL,
		     "rss of lo is not set: it has 2 queues, not 3; ethtool -l shows them");
	device->rss_err = EIO;
	open_refused(2, 1, EIO, "rss of lo is not set: Input/output error; leave rss out");
	open_refused(8, 1, EIO, "rss of lo is not set: Input/output error; leave rss out");
	sp = open_with(8, 0);
	open_refused(0, 2, EIO, "rss of lo is not set: Input/output error; leave rss out");
	assert_device(8, 8);
	pp_spread_close(sp);
	assert_device(4, 4);
	device->rss_err = 0;
	device->err = EPERM;
	open_refused(8, 1, EPERM, "channels of lo is not set: " NO_RIGHT);
	open_refused(0, 1, EPERM, "rss of lo is not set: " NO_RIGHT);
	device->err = 0;
	customize(4);
	open_refused(2, 0, EINVAL, "channels of lo is not set: " TOO_LOW "; leave channels out");
}

#define NO_FAMILY \
	"no ethtool family of netlink answers; take a kernel with CONFIG_ETHTOOL_NETLINK, "

/* The sentence names an option that was given. */
static void no_family(void **state)
{
	device->alone = true;
	open_refused(0, 2, EOPNOTSUPP, "rss of lo is not set: " NO_FAMILY "or leave rss out");
	open_refused(2, 0, EOPNOTSUPP,
		     "channels of lo is not set: " NO_FAMILY "or leave channels out");
	open_refused(2, 2, EOPNOTSUPP,
		     "channels of lo is not set: " NO_FAMILY "or leave channels out");
	pp_spread_close(open_with(0, 0));
}

/* a queue of a closed socket is let go of some time later */
static void soon(void **state)
{
	struct pp_spread *sp = open_with(8, 0);

	device->busy = 3;
	pp_spread_close(sp);
	assert_device(4, 4);
}

#define ANY "0000000000000000 " /* a record of an interface without a known identity */

static void record_path(char *path, size_t size)
{
	const struct pp_net net = pp_net_of(iface.ctl);

	snprintf(path, size, "/run/pagepool/spread-%llu.%llu-%d", (unsigned long long)net.inode,
		 (unsigned long long)net.cookie, iface.index);
}

static bool record(const char *text, size_t size)
{
	char path[96];
	FILE *f;

	record_path(path, sizeof(path));
	f = fopen(path, text ? "w" : "r");
	if (f && text)
		assert_int_equal(fwrite(text, 1, size, f), size);
	return f && !fclose(f);
}

static void open_and_die(uint32_t channels, uint32_t rss)
{
	pid_t pid = fork();

	if (!pid) {
		open_with(channels, rss);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(record(NULL, 0));
}

/* as if the record were of an interface that had this number before */
static void replace_identity(void)
{
	char path[96];
	FILE *f;

	record_path(path, sizeof(path));
	f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fputs("fffffffffffffff0", f) >= 0 && !fclose(f), 1);
}

static void only_root(void)
{
	if (!geteuid())
		return;
	print_message("skipped: only root may write to /run\n");
	skip();
}

/* the next port restores, with a request of its own or without */
static void killed(void **state)
{
	uint32_t table[ENTRIES];
	struct pp_spread *sp;
	unsigned int i;

	only_root();
	for (i = 0; i < 4; i++) {
		if (i & 2)
			customize(4);
		memcpy(table, device->table, sizeof(table));
		open_and_die(8, 3);
		assert_device(8, 3);
		sp = i & 1 ? open_with(2, 2) : open_with(0, 0);
		if (i & 1)
			assert_device(2, 2);
		pp_spread_close(sp);
		assert_int_equal(device->combined, 4);
		assert_memory_equal(device->table, table, sizeof(table));
		assert_int_equal(device->custom, i >> 1);
		assert_false(record(NULL, 0));
	}
}

/* the record stays for a port with the right to restore; values set since by others stay as well */
static void kept(void **state)
{
	const struct pp_spread_params how = { 2, 0 }, rss = { 0, 2 };
	struct pp_spread *sp;

	only_root();
	open_and_die(8, 3);
	device->err = EPERM;
	pp_spread_close(open_with(0, 0));
	assert_int_equal(pp_spread_open(&sp, &iface, &how), -EPERM);
	pp_spread_close(sp);
	assert_int_equal(pp_spread_open(&sp, &iface, &rss), -EPERM);
	assert_string_equal(pp_error(), "rss of lo is not set: " NO_RIGHT);
	pp_spread_close(sp);
	assert_device(8, 3);
	device->err = 0;
	pp_spread_close(open_with(0, 0));
	assert_device(4, 4);

	open_and_die(8, 3);
	device->combined = 6;
	device_default();
	pp_spread_close(open_with(0, 0));
	assert_device(6, 6);
	assert_false(record(NULL, 0));
}

/* A request that failed is not in the record: what it asked for may be set by others later. */
static void failed_and_killed(void **state)
{
	pid_t pid;

	only_root();
	pid = fork();
	if (!pid) {
		open_with(8, 0);
		device->rss_err = EIO;
		open_refused(0, 2, EIO, "rss of lo is not set: Input/output error; leave rss out");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	device->rss_err = 0;
	assert_device(8, 8);
	spread_over(2);
	pp_spread_close(open_with(0, 0));
	assert_device(4, 2);
	assert_true(device->custom);
}

static void restore_as(uint64_t as, uint32_t combined, uint32_t queues)
{
	cookie = as;
	pp_spread_close(open_with(0, 0));
	assert_device(combined, queues);
}

/*
 * The kernel gives the inode of a namespace to a later one: what was left in it stays there. The
 * records have the cookie of a namespace that is there, or none: tests beside this one remove
 * others.
 */
static void another_namespace(void **state)
{
	only_root();
	open_and_die(8, 3);
	restore_as(1ull << 63, 8, 3);
	restore_as(NO_COOKIE, 8, 3);
	restore_as(0, 4, 4);
	cookie = NO_COOKIE;
	open_and_die(8, 3);
	restore_as(0, 8, 3);
	restore_as(NO_COOKIE, 4, 4);
	cookie = 0;
}

/* The number of an interface may be that of another one later: what was left is not for that. */
static void another_interface(void **state)
{
	only_root();
	/* the last test: the records of another run are of another namespace */
	if (unshare(CLONE_NEWNET)) {
		print_message("skipped: not allowed to make a network namespace\n");
		skip();
	}
	teardown_device(state);
	assert_int_equal(setup_device(state), 0);
	iface.index = (int)if_nametoindex("lo");
	open_and_die(8, 3);
	restore_as(0, 4, 4);
	open_and_die(8, 3);
	replace_identity();
	restore_as(0, 8, 3);
	assert_false(record(NULL, 0));
}

static void join_another_process(void)
{
	int go[2];
	pid_t pid;
	char c;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, go), 0);
	pid = fork();
	if (!pid) {
		open_with(8, 3);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(go[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(go[0], &c, 1), 1);
	pp_spread_close(open_with(8, 3));
	pp_spread_close(open_with(0, 0));
	assert_device(8, 3);
	open_refused(2, 0, EBUSY,
		     "channels of lo is not set: another process has set it; give both the same");
	open_refused(8, 2, EBUSY,
		     "rss of lo is not set: another process has set it; give both the same");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(go[0]);
	close(go[1]);
	pp_spread_close(open_with(0, 0));
	assert_device(4, 4);
}

/* another process has the record: its values are fine, others are refused */
static void two_processes(void **state)
{
	only_root();
	join_another_process();
	device->rx = 1;
	join_another_process();
}

/* a record that makes no sense changes nothing; one that is cut short has the default table */
static void strange_records(void **state)
{
	static const char other[] = ANY "00000000 00000000 00000000 00000004 00000000 00000000 "
					"00000008 00000003 ffffffff ";
	static const char *const texts[] = {
		"", "nonsense\n", "00000008", ANY "nonsense\n", ANY "00000008 00000000", other
	};
	static const char cut[] = ANY
		"00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
		"00000003 00000080 000000010002";
	struct pp_spread *sp;
	unsigned int i;

	only_root();
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(record(texts[i], strlen(texts[i])));
		sp = i & 1 ? open_with(2, 2) : open_with(0, 0);
		pp_spread_close(sp);
		assert_device(4, 4);
		assert_false(record(NULL, 0));
	}
	open_and_die(0, 3);
	assert_device(4, 3);
	assert_true(record(cut, sizeof(cut) - 1));
	pp_spread_close(open_with(0, 0));
	assert_device(4, 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_device, teardown_device)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(set_and_restored),
		CASE(custom_table),
		CASE(shared),
		CASE(refused),
		CASE(no_family),
		CASE(soon),
		CASE(killed),
		CASE(kept),
		CASE(failed_and_killed),
		CASE(another_namespace),
		CASE(two_processes),
		CASE(strange_records),
		CASE(another_interface),
	};

	device = mmap(NULL, sizeof(*device), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (device == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
