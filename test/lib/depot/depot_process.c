/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * depot_process.c - processes that share a depot, and are killed: depot_process [rseq|trylock]
 *
 * The workers are this program executed anew, so that their code lies elsewhere, which map one
 * memfd at the address that is agreed on. Each keeps in a log of its own, in that memory, what it
 * has taken, and before a call what it is about to take or give: whatever moment it
 * is killed at, its objects are known, but for those of one call. They are put back for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "depot/depot_fixture.h"

#define SHARED_AT  ((void *)0x5a0000000000)
#define OBJECTS_AT 0x1000u
#define WORKERS	   4u
#define OBJECTS	   4000u
#define HELD_MOST  1024u
#define HIGH	   256u
#define BATCH	   64u

enum doing {
	DOING_NOTHING,
	DOING_GET,
	DOING_PUT
};

/* A worker's log. Stores are in order on their way to a reader after its death. */
struct worker_log {
	pid_t pid;
	unsigned int doing;
	unsigned int n; /* of the call */
	unsigned int held;
	uint64_t calls;
	uint64_t drains;
	unsigned int paused;
	void *obj[HELD_MOST];
};

struct shared {
	unsigned int pause;
	unsigned int stop;
	unsigned int bulk; /* of every call; 0: any */
	uint64_t seed;
	struct worker_log log[WORKERS];
	char depot[] __attribute__((aligned(128)));
};

static struct shared *shared;
static size_t shared_size;
static struct pp_depot *depot;
static int memory_fd;

#define WRITE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
#define READ(x)	    __atomic_load_n(&(x), __ATOMIC_ACQUIRE)

static void *object(unsigned int i)
{
	return (void *)(uintptr_t)((i + 1) * OBJECTS_AT);
}

static unsigned int index_of(const void *obj)
{
	require((uintptr_t)obj % OBJECTS_AT == 0);
	require((uintptr_t)obj / OBJECTS_AT - 1 < OBJECTS);
	return (unsigned int)((uintptr_t)obj / OBJECTS_AT - 1);
}

/* ---- a worker -------------------------------------------------------------------------------- */

static void work_get(struct worker_log *w, unsigned int n)
{
	n = n < HELD_MOST - w->held ? n : HELD_MOST - w->held;
	if (!n)
		return;
	WRITE(w->n, n);
	WRITE(w->doing, DOING_GET);
	if (depot_take(depot, w->obj + w->held, n))
		WRITE(w->held, w->held + n);
	WRITE(w->doing, DOING_NOTHING);
}

static void work_put(struct worker_log *w, unsigned int n)
{
	n = n < w->held ? n : w->held;
	if (!n)
		return;
	WRITE(w->n, n);
	WRITE(w->doing, DOING_PUT);
	pp_depot_put_bulk(depot, w->obj + w->held - n, n);
	WRITE(w->held, w->held - n);
	WRITE(w->doing, DOING_NOTHING);
}

static void work_pause(struct worker_log *w)
{
	WRITE(w->paused, 1);
	while (READ(shared->pause) && !READ(shared->stop))
		sleep_us(200);
	WRITE(w->paused, 0);
}

static int worker_main(unsigned int id, int cpu)
{
	struct worker_log *w = &shared->log[id];
	struct rng r = rng_init(shared->seed * WORKERS + id + (uint64_t)getpid() * 64);
	unsigned int n;

	if (pp_depot_attach(depot)) {
		fprintf(stderr, "worker: %s\n", pp_error());
		return 1;
	}
	if (cpu >= 0)
		pin_to((unsigned int)cpu);
	while (!READ(shared->stop)) {
		n = 1 + rng_below(&r, rng_below(&r, 4) ? 64 : 512);
		n = shared->bulk ? shared->bulk : n;
		if (rng_below(&r, 2))
			work_get(w, n);
		else
			work_put(w, n);
		if (!rng_below(&r, id == 3 ? 40 : 5000)) {
			drain_done(pp_depot_drain_all(depot, 2000));
			WRITE(w->drains, w->drains + 1);
		}
		WRITE(w->calls, w->calls + 1);
		if (READ(shared->pause))
			work_pause(w);
	}
	while (w->held)
		work_put(w, 64);
	pp_depot_detach(depot);
	return 0;
}

/* depot_process POLICY FD SIZE ID CPU */
static int worker_exec(char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	depot_policy = argv[1];
	memory_fd = atoi(argv[2]);
	shared_size = strtoul(argv[3], NULL, 0);
	shared = mmap(SHARED_AT, shared_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_FIXED_NOREPLACE, memory_fd, 0);
	require(shared == SHARED_AT);
	depot = (struct pp_depot *)shared->depot;
	return worker_main((unsigned int)atoi(argv[4]), atoi(argv[5]));
}

/* ---- watchers -------------------------------------------------------------------------------- */

static struct rng rng;

static void workers_share_caches(uint32_t high, uint32_t batch)
{
	struct pp_depot_params p = depot_params(OBJECTS, high, batch);
	unsigned int i;
	void *obj;

	p.drain_us = 5000;
	require(pp_depot_size(&p));
	shared_size = (sizeof(*shared) + pp_depot_size(&p) + 4095) / 4096 * 4096;
	memory_fd = memfd_create("depot", 0);
	require(memory_fd >= 0 && !ftruncate(memory_fd, (off_t)shared_size));
	shared = mmap(SHARED_AT, shared_size, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_FIXED_NOREPLACE, memory_fd, 0);
	require(shared == SHARED_AT);
	depot = pp_depot_init(&p, shared->depot);
	require(depot);
	for (i = 0; i < OBJECTS; i++) {
		obj = object(i);
		require(!pp_depot_adopt(depot, &obj, 1));
	}
	rng = rng_init(7);
	shared->seed = rng_next(&rng);
}

static void workers_share(void)
{
	workers_share_caches(HIGH, BATCH);
}

static void workers_end(void)
{
	pp_depot_detach(depot);
	pp_depot_fini(depot);
	munmap(shared, shared_size);
	close(memory_fd);
}

static void worker_start(unsigned int id)
{
	char fd[16], size[24], number[8], cpu[16];
	pid_t pid;

	snprintf(fd, sizeof(fd), "%d", memory_fd);
	snprintf(size, sizeof(size), "%zu", shared_size);
	snprintf(number, sizeof(number), "%u", id);
	/* two of them stay on a core each, the others wander */
	snprintf(cpu, sizeof(cpu), "%d", id < test_cpus() && id < 2 ? (int)test_cpu(id) : -1);
	fflush(stdout);
	memset(&shared->log[id], 0, sizeof(shared->log[id]));
	pid = fork();
	require(pid >= 0);
	if (!pid) {
		execl("/proc/self/exe", "depot_process", depot_policy, fd, size, number, cpu, NULL);
		_exit(127);
	}
	shared->log[id].pid = pid;
}

/* it gets on: nothing that a dead process left behind keeps it */
static void worker_goes_on(unsigned int id)
{
	uint64_t calls = READ(shared->log[id].calls);
	double until = now_s() + 10;

	while (READ(shared->log[id].calls) < calls + 3) {
		require(waitpid(shared->log[id].pid, NULL, WNOHANG) == 0);
		require(now_s() < until);
		sleep_us(200);
	}
}

static void worker_kill(unsigned int id)
{
	int status;

	require(!kill(shared->log[id].pid, SIGKILL));
	require(waitpid(shared->log[id].pid, &status, 0) == shared->log[id].pid);
	require(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* What it certainly had goes home; how many it may have had besides. */
static unsigned int worker_bury(unsigned int id)
{
	struct worker_log *w = &shared->log[id];
	unsigned int doing = READ(w->doing), maybe = doing ? w->n : 0, held = w->held, k;

	if (doing == DOING_PUT)
		held -= maybe < held ? maybe : held;
	while (held) {
		k = held < 512 ? held : 512;
		held -= k;
		pp_depot_put_bulk(depot, w->obj + held, k);
	}
	return maybe;
}

static void workers_pause(void)
{
	double until = now_s() + 10;
	unsigned int i;

	WRITE(shared->pause, 1);
	for (i = 0; i < WORKERS; i++) {
		while (!READ(shared->log[i].paused)) {
			require(now_s() < until);
			sleep_us(200);
		}
	}
}

/*
 * The ledger, with all at rest: what is home is there once, what a worker holds is not home, and
 * what is neither was in a dead worker's hand.
 */
static unsigned int count_lost(uint64_t lost_most)
{
	static unsigned char place[OBJECTS];
	static void *objs[OBJECTS + 1];
	struct pp_audit a = { .sz = sizeof(a) };
	unsigned int n = 0, i, k, lost = 0;

	memset(place, 0, sizeof(place));
	require(!pp_depot_audit(depot, &a));
	require(a.double_free == 0);
	require(a.home == pp_depot_count(depot));
	while (n <= OBJECTS && depot_take(depot, objs + n, 1))
		require(place[index_of(objs[n++])]++ == 0);
	require(n == a.home);
	for (i = 0; i < WORKERS; i++)
		for (k = 0; k < shared->log[i].held; k++)
			require(place[index_of(shared->log[i].obj[k])]++ == 0);
	for (i = 0; i < n; i += k) {
		k = n - i < 512 ? n - i : 512;
		pp_depot_put_bulk(depot, objs + i, k);
	}
	for (i = 0; i < OBJECTS; i++) {
		if (place[i])
			continue;
		lost++; /* found again */
		objs[0] = object(i);
		pp_depot_put_bulk(depot, objs, 1);
	}
	require(lost <= lost_most);
	return lost;
}

static void test_two_processes(void **state)
{
	unsigned int i;

	workers_share();
	for (i = 0; i < WORKERS; i++)
		worker_start(i);
	for (i = 0; i < 20; i++) {
		worker_goes_on(i % WORKERS);
		sleep_us(10000);
		workers_pause();
		require(pp_depot_processes(depot) == WORKERS + 1);
		require(count_lost(0) == 0);
		WRITE(shared->pause, 0);
	}
	WRITE(shared->stop, 1);
	for (i = 0; i < WORKERS; i++) {
		int status;

		require(waitpid(shared->log[i].pid, &status, 0) == shared->log[i].pid);
		require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		require(i < 3 || shared->log[i].drains > 0);
	}
	require(pp_depot_processes(depot) == 1);
	require(pp_depot_recover(depot, NULL) == 0);
	require(count_lost(0) == 0);
	workers_end();
}

/*
 * Another process is in its core's cache all the time while we empty it: a barrier that does not
 * reach it leaves it in a list that we have taken. Its calls are long, because they move many
 * objects with lines that we had last.
 */
static void test_drained_elsewhere(void **state)
{
	double until = now_s() + test_seconds("PP_DEPOT_SECONDS", 2, 20);
	unsigned long drained = 0;
	long moved;

	need_two_cpus();
	workers_share_caches(2048, 512);
	shared->bulk = HELD_MOST / 2;
	worker_start(1);
	worker_goes_on(1);
	pin_to(test_cpu(0));
	while (now_s() < until) {
		moved = pp_depot_drain(depot, test_cpu(1), 1000);
		drained += drain_done(moved) && moved > 0;
	}
	unpin();
	require(drained > 100);
	WRITE(shared->pause, 1);
	while (!READ(shared->log[1].paused))
		sleep_us(200);
	require(count_lost(0) == 0);
	printf("# %lu drains that found something\n", drained);
	worker_kill(1);
	workers_end();
}

static void test_killed(void **state)
{
	unsigned int kills = test_seconds("PP_DEPOT_KILLS", 80, 2000), i, id, k, died = 0, lost = 0;
	uint64_t dropped = 0, dropped_before = 0, maybe = 0, maybe_all = 0;

	workers_share();
	for (i = 0; i < WORKERS; i++)
		worker_start(i);
	for (i = 0; i < WORKERS; i++)
		worker_goes_on(i);
	for (i = 0; i < kills; i++) {
		id = rng_below(&rng, WORKERS);
		sleep_us(rng_below(&rng, 5000));
		worker_kill(id);
		died++;
		for (k = 0; k < WORKERS; k++)
			if (k != id)
				worker_goes_on(k);
		/* a call's own objects, and a batch between a cache and the free area */
		maybe += worker_bury(id) + BATCH;
		worker_start(id);
		worker_goes_on(id);
		if (i % 8 && i + 1 < kills)
			continue;
		workers_pause();
		require(pp_depot_recover(depot, &dropped) == died);
		require(pp_depot_processes(depot) == WORKERS + 1);
		lost += count_lost(maybe + dropped - dropped_before);
		maybe_all += maybe;
		maybe = 0;
		dropped_before = dropped;
		WRITE(shared->pause, 0);
	}
	printf("# %u killed: %u objects lost; in hand in their last calls at most %llu, dropped at "
	       "most %llu\n",
	       kills, lost, (unsigned long long)maybe_all, (unsigned long long)dropped);
	for (i = 0; i < WORKERS; i++) {
		worker_kill(i);
		worker_bury(i);
	}
	require(pp_depot_recover(depot, NULL) == died + WORKERS);
	require(pp_depot_processes(depot) == 1);
	workers_end();
}

/* more than there are places; and those of the dead are free again */
static void test_places(void **state)
{
	pid_t pid[PP_DEPOT_PROCESSES + 1];
	int go[2], status;
	unsigned int i;
	char c;

	workers_share();
	require(!pipe(go));
	for (i = 0; i < ARRAY_LEN(pid); i++) {
		pid[i] = fork();
		require(pid[i] >= 0);
		if (!pid[i]) {
			close(go[1]);
			status = pp_depot_attach(depot);
			if (!status) {
				require(pp_depot_attach(depot) == 0);
				shared->log[0].calls++; /* one after the other */
				require(read(go[0], &c, 1) == 0);
			}
			_exit(status ? -status : 0);
		}
		while (READ(shared->log[0].calls) <= i && !waitpid(pid[i], &status, WNOHANG))
			sleep_us(100);
		if (READ(shared->log[0].calls) <= i)
			break;
	}
	require(i == PP_DEPOT_PROCESSES - 1); /* we are one */
	require(WIFEXITED(status) && WEXITSTATUS(status) == ENOSPC);
	require(pp_depot_processes(depot) == PP_DEPOT_PROCESSES);
	require(!kill(pid[3], SIGKILL) && waitpid(pid[3], &status, 0) == pid[3]);
	pid[3] = fork();
	require(pid[3] >= 0);
	if (!pid[3])
		_exit(-pp_depot_attach(depot));
	require(waitpid(pid[3], &status, 0) == pid[3]);
	require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(go[1]);
	for (i = 0; i < PP_DEPOT_PROCESSES - 1; i++)
		require(i == 3 || waitpid(pid[i], &status, 0) == pid[i]);
	require(pp_depot_recover(depot, NULL) == PP_DEPOT_PROCESSES); /* nobody detached */
	require(pp_depot_processes(depot) == 1);
	require(count_lost(0) == 0);
	close(go[0]);
	workers_end();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_drained_elsewhere),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_places),
	};

	if (argc == 6)
		return worker_exec(argv);
	depot_policy_parse(argc, argv);
	return test_main("depot_process", tests, ARRAY_LEN(tests), 280);
}
