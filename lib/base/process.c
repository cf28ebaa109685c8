/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"

/* From /proc/PID/stat, where the name before these fields may hold anything, even ')'. */
struct proc_stat {
	char state;
	long threads;
	uint64_t start;
};

static int read_stat(uint32_t pid, struct proc_stat *stat)
{
	char path[32], line[1024];
	const char *p;
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	n = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[n] = '\0';
	p = strrchr(line, ')');
	/* the fields 3, 20 and 22 of proc(5) */
	if (!p || sscanf(p + 1,
			 " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			 "%ld %*d %lu",
			 &stat->state, &stat->threads, &stat->start) != 3)
		return -EIO;
	return 0;
}

static process_id known;
static uint64_t known_time; /* the time namespace that @known was read in */
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A child that left its parent's number in a lock would lose it when the parent dies. */
static void forget_process(void)
{
	known = 0;
	lock_word = (uint32_t)getpid() << 2 | LOCK_HELD;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_process);
}

static uint64_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

struct process_space process_space(void)
{
	return (struct process_space){
		.pid = inode_of("/proc/self/ns/pid"),
		.time = inode_of("/proc/self/ns/time"),
	};
}

const char *process_outside(const struct process_space *space)
{
	struct process_space here = process_space();

	if (here.pid != space->pid)
		return "PID";
	return here.time != space->time ? "time" : NULL;
}

process_id process_self(void)
{
	uint64_t time = process_space().time;
	uint32_t pid = (uint32_t)getpid();
	struct proc_stat stat;
	int err;

	if (process_pid(READ_ONCE(known)) == pid && READ_ONCE(known_time) == time)
		return READ_ONCE(known);
	err = read_stat(pid, &stat);
	if (err) {
		pp_set_error(-err, "/proc/%u/stat: %s; sharing memory needs /proc", pid,
			     strerror(-err));
		return 0;
	}
	pthread_once(&once, watch_forks);
	WRITE_ONCE(lock_word, pid << 2 | LOCK_HELD);
	WRITE_ONCE(known_time, time);
	WRITE_ONCE(known, stat.start << PROCESS_PID_BITS | pid);
	return known;
}

bool process_is_dead(process_id id)
{
	struct proc_stat stat;

	if (kill((pid_t)process_pid(id), 0) && errno == ESRCH)
		return true;
	if (read_stat(process_pid(id), &stat))
		return false;
	if (stat.start != id >> PROCESS_PID_BITS)
		return true;
	/* a zombie has no thread that runs, unless only its first thread ended */
	return (stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1;
}
