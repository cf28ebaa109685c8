/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_share.c - three processes forward on one zone, and are killed: test_share POLICY [IF...]
 *
 * Without interfaces their ports are null. With six, A0 B0 A1 B1 A2 B2, worker i forwards from
 * af_xdp port Bi to Ai and back; where Ai is joined with B(i+1), packets go round. Each worker also
 * gives some pages to the next one, through a ring in memory that all share. A worker writes its
 * number to the end of each page that it has, so that a page with two owners is seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pagepool/netdev.h>
#include <pagepool/share.h>

#define WORKERS	  3u
#define BURST	  32u
#define ENTRIES	  256u
#define PAGES	  6000u
#define PAGE_SIZE 2048u
#define PATIENCE  20u /* seconds */

#define READ(x)	    __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)

#define must(cond)                                                                                \
	do {                                                                                      \
		if (!(cond)) {                                                                    \
			fprintf(stderr, "%s:%d: %s failed; pp_error(): %s\n", __FILE__, __LINE__, \
				#cond, pp_error());                                               \
			abort();                                                                  \
		}                                                                                 \
	} while (0)

/* From one worker to the next: pages by number, and the process that each is for. */
struct ring {
	uint64_t head __attribute__((aligned(64)));
	uint64_t tail __attribute__((aligned(64)));
	struct {
		uint32_t page;
		uint32_t process;
	} entry[ENTRIES];
};

struct log {
	uint32_t number; /* of its process; 0: not there */
	uint32_t paused;
	uint64_t turns;
	uint64_t packets;
	uint64_t received; /* pages from the other worker */
	struct ring ring; /* to it */
};

struct common {
	uint32_t pause;
	uint32_t stop;
	struct log worker[WORKERS];
};

static struct common *common;
static struct pp_zone *zone;
static char *const *interfaces;
static int common_fd;

static void nap_us(unsigned int us)
{
	const struct timespec t = { us / 1000000, us % 1000000 * 1000L };

	nanosleep(&t, NULL);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- a worker -------------------------------------------------------------------------------- */

static unsigned int id;
static struct page_pool *pool; /* of the packets that it begins with */
static struct pp_netdev *ports[2];

static uint32_t *stamp_of(struct pp_page *page)
{
	return (uint32_t *)(page->addr + PAGE_SIZE) - 1;
}

static void stamp(struct pp_page *const *pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		*stamp_of(pages[i]) = pp_zone_self(zone);
}

static void check_stamps(struct pp_page *const *pages, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		must(*stamp_of(pages[i]) == pp_zone_self(zone));
}

/* Pages given to the next worker: 0 or all. */
static unsigned int give(struct pp_page **pages, unsigned int n)
{
	struct log *self = &common->worker[id], *next = &common->worker[(id + 1) % WORKERS];
	uint32_t number = READ(next->number);
	struct ring *ring = &self->ring;
	uint64_t head = ring->head;
	unsigned int i;

	if (!number || head + n - READ(ring->tail) > ENTRIES)
		return 0;
	if (pp_zone_give_bulk(zone, pages, n, number)) {
		must(errno == ESRCH);
		return 0;
	}
	for (i = 0; i < n; i++) {
		ring->entry[(head + i) % ENTRIES].page =
			(uint32_t)(pages[i] - pp_zone_page_table(zone));
		ring->entry[(head + i) % ENTRIES].process = number;
	}
	WRITE(ring->head, head + n);
	return n;
}

/* Pages of the worker before; entries for an earlier process of this worker are dropped. */
static unsigned int receive(struct pp_page **pages, unsigned int n)
{
	struct ring *ring = &common->worker[(id + WORKERS - 1) % WORKERS].ring;
	uint64_t tail = ring->tail, head = READ(ring->head);
	unsigned int got = 0;

	for (; got < n && tail != head; tail++) {
		if (ring->entry[tail % ENTRIES].process == pp_zone_self(zone))
			pages[got++] = pp_zone_page_table(zone) + ring->entry[tail % ENTRIES].page;
	}
	WRITE(ring->tail, tail);
	return got;
}

static void send_all(struct pp_queue *to, struct pp_page **pages, unsigned int n)
{
	unsigned int k = n ? pp_tx_burst(to, pages, n) : 0;

	page_pool_put_bulk(pages + k, n - k);
	pp_tx_clean(to);
}

static void forward(struct pp_queue *from, struct pp_queue *to)
{
	struct log *self = &common->worker[id];
	struct pp_page *pages[BURST];
	unsigned int n = pp_rx_burst(from, pages, BURST), k = 0;

	stamp(pages, n);
	WRITE(self->packets, self->packets + n);
	if (n >= 4)
		k = give(pages, n / 4);
	check_stamps(pages + k, n - k);
	send_all(to, pages + k, n - k);
	n = receive(pages, BURST);
	stamp(pages, n);
	WRITE(self->received, self->received + n);
	check_stamps(pages, n);
	send_all(to, pages, n);
}

/* Packets that go round, or come to an end somewhere: new ones now and then. */
static void begin_packets(struct pp_queue *to)
{
	struct pp_page *pages[BURST];
	unsigned int n = page_pool_alloc_bulk(pool, pages, BURST), i;

	for (i = 0; i < n; i++) {
		memset(pp_page_put_tail(pages[i], 60), 0xff, 12);
		memset((char *)pp_page_data(pages[i]) + 12, (int)id, 48);
	}
	send_all(to, pages, n);
}

static struct pp_netdev *open_port(unsigned int i)
{
	struct pp_netdev_params p = { .sz = sizeof(p), .zone = zone };
	char spec[64] = "null";
	struct pp_netdev *port;

	if (interfaces)
		snprintf(spec, sizeof(spec), "af_xdp:%s,fill=256", interfaces[2 * id + i]);
	port = pp_netdev_open(spec, &p);
	if (!port)
		fprintf(stderr, "worker %u: %s: %s\n", id, spec, pp_error());
	return port;
}

static void work(void)
{
	struct pp_queue *a = pp_netdev_queue(ports[0], 0), *b = pp_netdev_queue(ports[1], 0);
	struct log *self = &common->worker[id];

	while (!READ(common->stop)) {
		if (interfaces && self->turns % 2048 == 0)
			begin_packets(a);
		forward(b, a);
		forward(a, b);
		WRITE(self->turns, self->turns + 1);
		if (!READ(common->pause))
			continue;
		WRITE(self->paused, 1);
		while (READ(common->pause) && !READ(common->stop))
			nap_us(200);
		WRITE(self->paused, 0);
	}
}

/* test_share worker ID ZONE-FD COMMON-FD [IF...] */
static int worker_main(char **argv)
{
	struct page_pool_params p = { .sz = sizeof(p), .pool_size = 64, .cache_size = 64 };
	struct pp_page *pages[BURST];
	unsigned int n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	id = (unsigned int)atoi(argv[2]);
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(argv[4]), 0);
	must(common != MAP_FAILED);
	interfaces = argv[5] ? argv + 5 : NULL;
	zone = pp_zone_attach(atoi(argv[3]));
	must(zone);
	p.zone = zone;
	pool = page_pool_create(&p);
	must(pool);
	if (!(ports[0] = open_port(0)) || !(ports[1] = open_port(1)))
		return 1;
	WRITE(common->worker[id].number, pp_zone_self(zone));
	work();
	WRITE(common->worker[id].number, 0);
	pp_netdev_close(ports[0]);
	pp_netdev_close(ports[1]);
	while ((n = receive(pages, BURST)))
		pp_zone_free_bulk(zone, pages, n);
	page_pool_destroy(pool);
	/* pages that a worker gave when it was killed, and did not tell us of, keep us here */
	n = (unsigned int)pp_zone_held(zone, pp_zone_self(zone));
	must(pp_zone_destroy(zone) == (n ? -EBUSY : 0));
	_exit(0); /* a zone that cannot be destroyed is no leak */
}

/* ---- the test -------------------------------------------------------------------------------- */

static pid_t pids[WORKERS];
static unsigned int seed;

static void worker_start(unsigned int i)
{
	char name[] = "test_share", what[] = "worker", *argv[12] = { name, what };
	char number[3][16];
	unsigned int k;

	snprintf(number[0], sizeof(number[0]), "%u", i);
	snprintf(number[1], sizeof(number[1]), "%d", pp_zone_fd(zone));
	snprintf(number[2], sizeof(number[2]), "%d", common_fd);
	for (k = 0; k < 3; k++)
		argv[2 + k] = number[k];
	for (k = 0; interfaces && k < 2 * WORKERS; k++)
		argv[5 + k] = interfaces[k];
	fflush(stdout);
	pids[i] = fork();
	must(pids[i] >= 0);
	if (!pids[i]) {
		must(!fcntl(pp_zone_fd(zone), F_SETFD, 0) && !fcntl(common_fd, F_SETFD, 0));
		execv("/proc/self/exe", argv);
		_exit(127);
	}
}

/* Until its turns go on: nothing that a dead process left keeps it. */
static void worker_goes_on(unsigned int i)
{
	uint64_t turns = READ(common->worker[i].turns);
	double until = seconds() + PATIENCE;

	while (READ(common->worker[i].turns) < turns + 3) {
		must(waitpid(pids[i], NULL, WNOHANG) == 0);
		must(seconds() < until);
		nap_us(200);
	}
}

static void worker_kill(unsigned int i)
{
	int status;

	must(!kill(pids[i], SIGKILL));
	must(waitpid(pids[i], &status, 0) == pids[i]);
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	WRITE(common->worker[i].number, 0);
	WRITE(common->worker[i].paused, 0);
}

static struct pp_zone_stats stats(void)
{
	struct pp_zone_stats s = { .sz = sizeof(s) };

	must(!pp_zone_get_stats(zone, &s));
	return s;
}

/* With all at rest: every page is at home, or with a worker that lives. */
static void check_ledger(unsigned int died)
{
	struct pp_zone_stats s;
	uint64_t held = 0;
	unsigned int i;
	double until = seconds() + PATIENCE;

	WRITE(common->pause, 1);
	for (i = 0; i < WORKERS; i++) {
		while (!READ(common->worker[i].paused)) {
			must(seconds() < until);
			nap_us(200);
		}
	}
	must(pp_zone_recover(zone, PATIENCE * 1000000u) >= 0);
	must(pp_zone_processes(zone) == WORKERS + 1);
	for (i = 0; i < WORKERS; i++)
		held += pp_zone_held(zone, READ(common->worker[i].number));
	s = stats();
	must(s.died == died);
	must(s.free + s.cached == pp_zone_held(zone, 0));
	must(s.free + s.cached + held == PAGES);
	WRITE(common->pause, 0);
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)rand_r(&seed) % n;
}

static void check_end(unsigned int kills, uint64_t recovered)
{
	struct pp_audit a = { .sz = sizeof(a) };
	unsigned int i;
	int status;

	WRITE(common->stop, 1);
	for (i = 0; i < WORKERS; i++) {
		must(waitpid(pids[i], &status, 0) == pids[i]);
		if (status)
			fprintf(stderr, "worker %u: status 0x%x\n", i, (unsigned int)status);
		must(!status);
	}
	must(pp_zone_recover(zone, PATIENCE * 1000000u) >= 0);
	/* each kill can leave one call's pages with a worker that does not know of them */
	must(stats().recovered - recovered <= kills * BURST);
	must(pp_zone_processes(zone) == 1);
	must(!pp_zone_audit(zone, &a));
	must(a.home == PAGES && !a.leaked && !a.double_free);
}

int main(int argc, char **argv)
{
	struct pp_zone_params p = { .sz = sizeof(p),
				    .pages = PAGES,
				    .page_size = PAGE_SIZE,
				    .mem = PP_MEM_MEMFD,
				    .flags = PP_ZONE_SHARED,
				    .policy = argc > 1 ? argv[1] : "trylock" };
	const char *kills_text = getenv("PP_SHARE_KILLS"), *seed_text = getenv("PP_SEED");
	unsigned int kills, i, k, died = 0;
	uint64_t packets = 0, received = 0, recovered;

	if (argc > 4 && !strcmp(argv[1], "worker"))
		return worker_main(argv);
	if (pp_policy_check(p.policy)) {
		printf("SKIP: policy %s does not run here: %s\n", p.policy, pp_error());
		return 77;
	}
	interfaces = argc == 2 * WORKERS + 2 ? argv + 2 : NULL;
	kills = kills_text ? (unsigned int)atoi(kills_text) : interfaces ? 6 : 30;
	seed = seed_text ? (unsigned int)strtoul(seed_text, NULL, 0) : (unsigned int)getpid();
	printf("share: PP_SEED=%u\n", seed);
	common_fd = memfd_create("common", MFD_CLOEXEC);
	must(common_fd >= 0 && !ftruncate(common_fd, sizeof(*common)));
	common = mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED, common_fd, 0);
	must(common != MAP_FAILED);
	zone = pp_zone_create(&p);
	must(zone);
	for (i = 0; i < WORKERS; i++)
		worker_start(i);
	for (i = 0; i < WORKERS; i++)
		worker_goes_on(i);
	for (k = 0; k < kills; k++) {
		nap_us(below(5000));
		i = k % WORKERS;
		worker_kill(i);
		died++;
		worker_goes_on((i + 1) % WORKERS);
		worker_goes_on((i + 2) % WORKERS);
		worker_start(i);
		worker_goes_on(i);
		if (k % 6 == 5)
			check_ledger(died);
	}
	for (i = 0; i < WORKERS; i++) {
		packets += READ(common->worker[i].packets);
		received += READ(common->worker[i].received);
	}
	check_ledger(died);
	recovered = stats().recovered;
	must(packets && received);
	check_end(kills, recovered);
	printf("share: %u killed; %llu packets, %llu pages given; %llu pages came home from the "
	       "dead, and %llu that a living one did not know of; none is lost\n",
	       kills, (unsigned long long)packets, (unsigned long long)received,
	       (unsigned long long)recovered, (unsigned long long)(stats().recovered - recovered));
	must(!pp_zone_destroy(zone));
	return 0;
}
