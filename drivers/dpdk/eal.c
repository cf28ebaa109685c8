/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dpdk/eal.c - DPDK's environment layer: started once, and kept quiet
 *
 * EAL and the PMDs print many lines to stdout, to stderr and to the system's log. While a port is
 * opened or closed, one stream stands in for both. It keeps the first line, which becomes the
 * reason in pp_error().
 */
#include <ctype.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "dpdk/pool.h"

#define EAL_ARGS_MAX 128

enum eal_state {
	EAL_NONE,
	EAL_RUNS,
	EAL_FAILED,
};

/**
 * struct eal - one for a process
 * @lock:   one port is opened or closed at a time
 * @argc:   options from pp_netdev_dpdk_eal(); 0: the default
 * @words:  the text that @argv points into
 * @log:    takes the output of DPDK while a port is opened or closed
 * @out, @err: stdout and stderr meanwhile
 * @said:   the first line printed since dpdk_enter()
 * @told:   characters of @said
 * @whole:  the line has ended
 * @shown:  everything printed goes to stderr as well, because --log-level was given
 * @own:    the options are the program's, not the default
 * @why:    the reason of a failed start
 */
static struct eal {
	pthread_mutex_t lock;
	enum eal_state state;
	int argc;
	char *argv[EAL_ARGS_MAX];
	char *words;
	FILE *log;
	FILE *out;
	FILE *err;
	char said[160];
	size_t told;
	bool whole;
	bool shown;
	bool own;
	char why[240];
} eal = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- DPDK's output --------------------------------------------------------------------------- */

static ssize_t log_write(void *cookie, const char *text, size_t n)
{
	size_t i;

	if (eal.shown && write(STDERR_FILENO, text, n) < 0)
		return (ssize_t)n; /* only the first line is kept */
	for (i = 0; i < n && !eal.whole; i++) {
		if (text[i] == '\n')
			eal.whole = eal.told > 0;
		else if (eal.told < sizeof(eal.said) - 1 && (unsigned char)text[i] >= ' ')
			eal.said[eal.told++] = text[i];
	}
	eal.said[eal.told] = '\0';
	return (ssize_t)n;
}

static int log_open(void)
{
	static const cookie_io_functions_t io = { .write = log_write };

	if (eal.log)
		return 0;
	eal.log = fopencookie(NULL, "w", io);
	if (!eal.log)
		return pp_set_error(ENOMEM, "dpdk: no memory for the log");
	setvbuf(eal.log, NULL, _IONBF, 0);
	rte_openlog_stream(eal.log);
	return 0;
}

static void quiet_begin(void)
{
	eal.told = 0;
	eal.whole = false;
	eal.said[0] = '\0';
	eal.out = stdout;
	eal.err = stderr;
	stdout = eal.log;
	stderr = eal.log;
}

static void quiet_end(void)
{
	stdout = eal.out;
	stderr = eal.err;
}

const char *dpdk_said(void)
{
	return eal.said;
}

/* ---- its options ----------------------------------------------------------------------------- */

/* cuts the next word off *text, in place; NULL: none is left. *open: out, a quote does not end */
static char *next_word(char **text, bool *open)
{
	char *from = *text, *word, *to;
	char quote = '\0';

	while (isspace((unsigned char)*from))
		from++;
	if (!*from)
		return NULL;
	for (word = to = from; *from && (quote || !isspace((unsigned char)*from)); from++) {
		if (*from == quote)
			quote = '\0';
		else if (!quote && (*from == '\'' || *from == '"'))
			quote = *from;
		else
			*to++ = *from;
	}
	*open = quote;
	*text = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

static int set_args(const char *args)
{
	char *argv[EAL_ARGS_MAX], *words = strdup(args), *rest = words, *word;
	bool open = false;
	int argc = 1;

	if (!words)
		return pp_set_error(ENOMEM, "EAL options: no memory");
	while (argc < EAL_ARGS_MAX - 1 && (word = next_word(&rest, &open)))
		argv[argc++] = word;
	if (open || rest[strspn(rest, " \t\n")]) {
		free(words);
		return pp_set_error(EINVAL, open ? "EAL options: a quote does not end; close it"
						 : "EAL options: too many; give at most 126");
	}
	free(eal.words);
	eal.words = words;
	memcpy(eal.argv, argv, (size_t)argc * sizeof(argv[0]));
	eal.argc = argc;
	return 0;
}

int dpdk_configure(const char *args)
{
	int err = 0;

	pthread_mutex_lock(&eal.lock);
	if (eal.state != EAL_NONE)
		err = pp_set_error(EBUSY, "EAL options: a port has started EAL already, which is "
					  "possible once; give them before the first port");
	else if (args)
		err = set_args(args);
	else
		eal.argc = 0;
	pthread_mutex_unlock(&eal.lock);
	return err;
}

/* "0000:01:00.0", "01:00.0,..." or "pci:...": vdev names begin with letters that are no numbers */
static bool is_pci(const char *devargs)
{
	return !strncmp(devargs, "pci:", 4) ||
	       devargs[strspn(devargs, "0123456789abcdefABCDEF")] == ':';
}

/*
 * Options that work everywhere. Packets live in the zone, so EAL's own memory, for rings of
 * descriptors, needs no hugepages. EAL keeps nothing in files, so all processes can have one
 * prefix: the directory of that name is empty, see eal_start().
 */
static int default_args(const char *devargs, char **argv)
{
	static char words[][32] = { "--no-huge",      "--no-shconf", "--no-telemetry",
				    "--iova-mode=va", "--no-pci",    "--file-prefix=pagepool",
				    "--lcores=0@0" };
	const int pci = 4, lcores = 6;
	int i, cpu = sched_getcpu(), argc = 0;

	snprintf(words[lcores], sizeof(words[lcores]), "--lcores=0@%d", cpu < 0 ? 0 : cpu);
	for (i = 0; i <= lcores; i++)
		if (i != pci || !is_pci(devargs))
			argv[++argc] = words[i];
	return argc + 1;
}

/* ---- start ----------------------------------------------------------------------------------- */

/* EAL pins its caller; a library must not */
static int eal_init(int argc, char **argv)
{
	cpu_set_t cpus;
	bool known; /* not on a machine of more than 1,024 CPUs */
	int err;

	known = !pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	err = rte_eal_init(argc, argv);
	if (err < 0 && rte_errno == EALREADY)
		err = 0; /* the program itself has started it */
	if (known)
		pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	return err;
}

/* EAL answers an unknown option with its usage, which does not name the option */
static int eal_fail(void)
{
	const char *said = eal.said;

	if (!strncmp(said, "Usage", 5))
		said = "unknown option or wrong value";
	else if (!*said)
		said = rte_strerror(rte_errno);
	eal.state = EAL_FAILED;
	snprintf(eal.why, sizeof(eal.why), "dpdk: EAL does not start: %s; %s", said,
		 eal.own ? "correct --eal or leave it out" : "see --eal, or run as root");
	return pp_set_error(rte_errno > 0 ? rte_errno : EINVAL, "%s", eal.why);
}

static int eal_start(const char *devargs)
{
	static char name[] = "pagepool";
	int i;

	if (eal.state == EAL_RUNS)
		return 0;
	if (eal.state == EAL_FAILED)
		return pp_set_error(EINVAL, "%s (a process can try once)", eal.why);
	if (dpdk_ops_register())
		return -errno;
	eal.own = eal.argc;
	if (!eal.own)
		eal.argc = default_args(devargs, eal.argv);
	for (i = 1; i < eal.argc; i++)
		eal.shown |= !strncmp(eal.argv[i], "--log-level", 11);
	if (!eal.shown)
		rte_log_set_global_level(RTE_LOG_ERR);
	eal.argv[0] = name;
	rte_errno = 0;
	if (eal_init(eal.argc, eal.argv) < 0)
		return eal_fail();
	eal.state = EAL_RUNS;
	/* EAL makes it in spite of --no-shconf; a killed process may have left it */
	if (!eal.own)
		rmdir(rte_eal_get_runtime_dir());
	return 0;
}

int dpdk_enter(const char *devargs)
{
	int err;

	pthread_mutex_lock(&eal.lock);
	err = log_open();
	if (err)
		goto unlock;
	quiet_begin();
	err = eal_start(devargs);
	if (!err) {
		eal.told = 0;
		eal.whole = false;
		eal.said[0] = '\0';
		return 0;
	}
	quiet_end();
unlock:
	pthread_mutex_unlock(&eal.lock);
	return err;
}

void dpdk_leave(void)
{
	quiet_end();
	pthread_mutex_unlock(&eal.lock);
}
