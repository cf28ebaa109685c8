/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * guest.c - the first and only process of a machine with several NUMA nodes
 *
 * Looks at real nodes: where memory is says the kernel (move_pages), where a thread is
 * says getcpu(). run.sh boots it and reads what it prints; it runs on an ordinary machine with
 * several nodes, too. PP_NODES is how many nodes with memory there must be.
 */
#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pagepool/memory.h>
#include <pagepool/page_pool.h>
#include <pagepool/zone_set.h>

#define PAGES  2048u /* of 4 KiB: 8 MiB a node */
#define RING   256u
#define REFILL 32u

static unsigned int failed;

#define check(cond, ...)                                                     \
	do {                                                                 \
		if (!(cond)) {                                               \
			failed++;                                            \
			printf("FAILED: guest.c:%d: " #cond ": ", __LINE__); \
			printf(__VA_ARGS__);                                 \
			puts("");                                            \
		}                                                            \
	} while (0)

_Noreturn static void finish(void)
{
	printf("numa guest: %u failed\n", failed);
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_AUTOBOOT); /* qemu -no-reboot ends there */
	exit(failed ? 1 : 0);
}

/* the node that the kernel has a page on, or -errno */
static int node_of(void *addr)
{
	int status = -1;

	return move_pages(0, 1, &addr, NULL, &status, 0) ? -errno : status;
}

static int this_node(void)
{
	unsigned int cpu, node;

	return syscall(SYS_getcpu, &cpu, &node, NULL) ? -1 : (int)node;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	check(!sched_setaffinity(0, sizeof(set), &set), "CPU %d: %s", cpu, strerror(errno));
}

static int cpu_on(int node)
{
	int cpu;

	for (cpu = 0; cpu < numa_num_configured_cpus(); cpu++)
		if (numa_node_of_cpu(cpu) == node)
			return cpu;
	return -1;
}

static struct pp_zone_set *set_new(enum pp_mem mem, uint64_t pages, uint32_t flags)
{
	struct pp_zone_params zp = { .sz = sizeof(zp), .pages = pages, .mem = mem };
	struct pp_zone_set_params p = { .sz = sizeof(p), .zone = &zp, .flags = flags };
	struct pp_zone_set *set = pp_zone_set_create(&p);

	if (set)
		return set;
	check(set, "%lu pages: %s", (unsigned long)pages, pp_error());
	finish();
}

/* every zone's ledger, then the end */
static void set_end(struct pp_zone_set *set)
{
	struct pp_audit a = { .sz = sizeof(a) };
	int node;

	for (node = 0; node < PP_NODES_MAX; node++) {
		if (!pp_zone_set_zone(set, node))
			continue;
		check(!pp_zone_audit(pp_zone_set_zone(set, node), &a), "node %d", node);
		check(a.home == a.managed && !a.leaked && !a.double_free,
		      "node %d: %lu of %lu pages home", node, (unsigned long)a.home,
		      (unsigned long)a.managed);
	}
	check(!pp_zone_set_destroy(set), "%s", pp_error());
}

static void pages_are_on(struct pp_page *const *pages, unsigned int n, int node)
{
	unsigned int i, off = 0;

	for (i = 0; i < n; i++)
		off += pages[i]->node != node || node_of(pages[i]->addr) != node;
	check(!off, "%u of %u pages are not on node %d", off, n, node);
}

/* ---- what is looked at ----------------------------------------------------------------------- */

static void nodes_are_there(void)
{
	const char *want = getenv("PP_NODES");
	struct pp_zone_set *set = set_new(PP_MEM_ANON, 64, 0);
	int n = __builtin_popcountll(pp_zone_set_nodes(set)), node, i, k, order[PP_NODES_MAX];

	check(want && n == atoi(want), "%d nodes with memory, wanted %s", n, want ? want : "?");
	check(n > 1, "one node: nothing can be seen here");
	for (node = 0; node <= numa_max_node(); node++) {
		k = pp_zone_set_order(set, node, order, PP_NODES_MAX);
		printf("node %d: CPU %d, order", node, cpu_on(node));
		for (i = 0; i < k; i++) {
			printf(" %d(%d)", order[i], numa_distance(node, order[i]));
			check(!i || order[i - 1] == node ||
				      numa_distance(node, order[i - 1]) <=
					      numa_distance(node, order[i]),
			      "node %d: %d before %d", node, order[i - 1], order[i]);
		}
		puts("");
		check(k == n, "node %d: %d zones in its order", node, k);
		check(order[0] == node || !pp_zone_set_zone(set, node), "node %d", node);
	}
	set_end(set);
}

static void memory_is_bound(enum pp_mem mem, uint64_t pages)
{
	struct pp_zone_set *set = set_new(mem, pages, 0);
	unsigned long off = 0, meta = 0, i;
	struct pp_zone *zone;
	int node;

	for (node = 0; node < PP_NODES_MAX; node++) {
		zone = pp_zone_set_zone(set, node);
		if (!zone)
			continue;
		check(pp_zone_mem(zone) == mem, "kind of memory %d", pp_zone_mem(zone));
		for (i = 0; i < pages; i++) {
			off += node_of((char *)pp_zone_base(zone) + i * 4096) != node;
			meta += node_of(pp_zone_page_table(zone) + i) != node;
		}
	}
	check(!off, "memory %d: %lu pages are elsewhere", mem, off);
	check(!meta, "memory %d: the metadata of %lu pages is elsewhere", mem, meta);
	check(!get_mempolicy(&node, NULL, 0, NULL, 0) && node == MPOL_DEFAULT,
	      "the thread's own policy was left at %d", node);
	set_end(set);
}

/* Block by block as they are accepted, and again in what comes after they were given back. */
static void blocks_are_bound(enum pp_mem mem, int node)
{
	struct pp_zone_params p = { .sz = sizeof(p), .pages = 4 * 512, .mem = mem };
	static struct pp_page *pages[4 * 512];
	unsigned int n, round;
	struct pp_zone *zone;

	p.node = pp_node_param(node);
	p.flags = PP_ZONE_LAZY;
	zone = pp_zone_create(&p);
	check(zone, "lazy zone on node %d: %s", node, pp_error());
	for (round = 0; zone && round < 3; round++) {
		for (n = 0; n < 4 * 512 && pp_zone_alloc_bulk(zone, &pages[n], 1); n++)
			memset(pages[n]->addr, 1, 1);
		check(n == 4 * 512, "memory %d, node %d: %u pages: %s", mem, node, n, pp_error());
		pages_are_on(pages, n, node);
		while (n)
			pp_zone_free_bulk(zone, &pages[--n], 1);
		check(pp_zone_shrink(zone, 0) == 4 << 21, "memory %d: not all given back", mem);
	}
	check(!pp_zone_destroy(zone), "%s", pp_error());
}

static void accepted_where_asked(enum pp_mem mem)
{
	struct pp_zone_set *set = set_new(PP_MEM_ANON, 64, 0);
	uint64_t nodes = pp_zone_set_nodes(set);

	set_end(set);
	for (; nodes; nodes &= nodes - 1)
		blocks_are_bound(mem, __builtin_ctzll(nodes));
}

static void hugepages(void)
{
	struct bitmask *nodes = numa_get_mems_allowed();
	char name[128];
	FILE *f;
	int node;

	for (node = 0; node <= numa_max_node(); node++) {
		if (!numa_bitmask_isbitset(nodes, (unsigned int)node) ||
		    numa_node_size64(node, NULL) <= 0)
			continue;
		snprintf(name, sizeof(name),
			 "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages",
			 node);
		f = fopen(name, "w");
		check(f && fprintf(f, "4") == 1 && !fclose(f), "%s: %s", name, strerror(errno));
	}
	numa_bitmask_free(nodes);
	memory_is_bound(PP_MEM_HUGETLB, 4 * 512);
	accepted_where_asked(PP_MEM_HUGETLB);
}

static void allocation_on_this_node(void)
{
	struct pp_zone_set *set = set_new(PP_MEM_ANON, PAGES, 0);
	struct pp_page *pages[64];
	int cpu, first[PP_NODES_MAX];

	for (cpu = 0; cpu < numa_num_configured_cpus(); cpu++) {
		pin(cpu);
		check(pp_zone_set_this_node(set) == this_node(), "CPU %d: %d, getcpu says %d", cpu,
		      pp_zone_set_this_node(set), this_node());
		check(pp_zone_set_order(set, this_node(), first, PP_NODES_MAX) > 0, "CPU %d", cpu);
		check(pp_zone_set_alloc_bulk(set, pages, 64) == 64, "CPU %d", cpu);
		pages_are_on(pages, 64, first[0]);
		pp_zone_set_free_bulk(set, pages, 64);
	}
	set_end(set);
}

static void fallback_when_exhausted(void)
{
	static struct pp_page *pages[PP_NODES_MAX * PAGES];
	struct pp_zone_set *set = set_new(PP_MEM_ANON, PAGES, 0);
	struct pp_zone_set_stats s = { .sz = sizeof(s) };
	unsigned int n = 0, k, i;
	int order[PP_NODES_MAX], nodes;

	pin(cpu_on(0));
	nodes = pp_zone_set_order(set, 0, order, PP_NODES_MAX);
	while ((k = pp_zone_set_alloc_bulk(set, pages + n, 64)))
		n += k;
	check(n == (unsigned int)nodes * PAGES, "%u pages of %d nodes", n, nodes);
	for (i = 0; i < (unsigned int)nodes && n == (unsigned int)nodes * PAGES; i++)
		pages_are_on(pages + i * PAGES, PAGES, order[i]);
	check(!pp_zone_set_get_stats(set, 0, &s) && s.numa_foreign == n - PAGES && !s.numa_miss,
	      "%lu foreign, %lu missed", (unsigned long)s.numa_foreign, (unsigned long)s.numa_miss);
	for (i = 0; i < n; i += 64) /* every array has pages of two nodes, or more */
		for (k = 0; k < 32; k++) {
			struct pp_page *swap = pages[i + k];

			pages[i + k] = pages[n - 1 - i - k];
			pages[n - 1 - i - k] = swap;
		}
	for (; n; n -= 64)
		pp_zone_set_free_bulk(set, pages + n - 64, 64);
	set_end(set);
}

/* the owner moves to another node: its ring is replaced, one page a refill */
static void pool_moves(int from, int to)
{
	struct pp_zone_set *set = set_new(PP_MEM_ANON, PAGES, 0);
	struct page_pool_params pp = { .sz = sizeof(pp), .set = set, .pool_size = RING };
	struct page_pool_stats s = { .sz = sizeof(s) };
	struct pp_page *pages[RING];
	struct page_pool *pool;
	unsigned int i;

	pp.cache_size = REFILL;
	pp.refill = REFILL;
	pin(cpu_on(from));
	pool = page_pool_create(&pp);
	check(pool, "%s", pp_error());
	check(page_pool_alloc_bulk(pool, pages, RING) == RING, "node %d", from);
	pages_are_on(pages, RING, from);
	page_pool_disable_direct_recycling(pool); /* as if others gave them back */
	page_pool_put_bulk(pages, RING);
	page_pool_enable_direct_recycling(pool);
	pin(cpu_on(to));
	for (i = 1; i <= RING; i++) {
		page_pool_nid_changed(pool, pp_zone_set_this_node(set));
		check(page_pool_alloc_bulk(pool, pages, REFILL) == REFILL, "refill %u", i);
		if (i % 32 == 1)
			pages_are_on(pages, REFILL, to);
		check(!page_pool_get_stats(pool, &s) && s.alloc_waive == i && s.ring == RING - i,
		      "after %u refills %lu waived, %lu in the ring", i,
		      (unsigned long)s.alloc_waive, (unsigned long)s.ring);
		pp_zone_set_free_bulk(set, pages, 0);
		page_pool_put_bulk(pages, REFILL);
		page_pool_update_nid(pool,
				     to); /* empties the cache, so that the next one refills */
	}
	page_pool_destroy(pool);
	set_end(set);
}

/* more than a node has, and less than the machine: an error, and no process is killed for it */
static void more_than_a_node_has(void)
{
	struct pp_zone_params p = { .sz = sizeof(p), .node = pp_node_param(0) };
	struct pp_zone *zone;
	long long size = numa_node_size64(0, NULL);

	p.pages = (uint64_t)size / 4096;
	zone = pp_zone_create(&p);
	check(!zone && errno == ENOMEM, "%lld MiB: %s", size >> 20, pp_error());
	printf("as wanted: %s\n", pp_error());
	pp_zone_destroy(zone);
}

static void *churn(void *arg)
{
	struct pp_zone_set *set = arg;
	unsigned int round, n, seed = (unsigned int)(uintptr_t)&round;
	struct pp_page *pages[64];

	for (round = 0; round < 4000; round++) {
		if (round % 16 == 0)
			pin((int)((unsigned int)rand_r(&seed) %
				  (unsigned int)numa_num_configured_cpus()));
		n = pp_zone_set_alloc_bulk(set, pages, 1 + (unsigned int)rand_r(&seed) % 64);
		if (round % 3 == 0)
			sched_yield();
		pp_zone_set_free_bulk(set, pages, n);
	}
	return NULL;
}

static void threads_that_hop(void)
{
	struct pp_zone_set *set = set_new(PP_MEM_ANON, 200, 0);
	pthread_t t[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		check(!pthread_create(&t[i], NULL, churn, set), "thread %u", i);
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	set_end(set);
}

/* ---- the machine ----------------------------------------------------------------------------- */

/* a command line that run.sh gave: it must succeed here, too */
static void run(const char *command)
{
	char *word[64], *text = strdup(command), *save = NULL;
	unsigned int n = 0;
	int status = -1;
	pid_t pid;

	printf("$ %s\n", command);
	fflush(stdout);
	for (word[n] = strtok_r(text, " ", &save); word[n] && n < 63;)
		word[++n] = strtok_r(NULL, " ", &save);
	word[n] = NULL;
	pid = fork();
	if (!pid) {
		numa_run_on_node(-1); /* we are pinned */
		execv(word[0], word);
		_exit(127);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && !status, "%s: status 0x%x", command,
	      (unsigned int)status);
	free(text);
}

static void run_commands(void)
{
	char line[512];
	FILE *f = fopen("/commands", "r");

	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		run(line);
	}
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	const bool init = getpid() == 1;
	int last;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (init && !getenv("PP_MOUNTED")) {
		mount("proc", "/proc", "proc", 0, NULL);
		mount("sysfs", "/sys", "sysfs", 0, NULL);
		mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
		setenv("PP_MOUNTED", "1", 1);
		execv("/proc/self/exe", argv); /* libnuma has looked already, and seen nothing */
	}
	check(numa_available() >= 0, "this kernel has no NUMA");
	nodes_are_there();
	memory_is_bound(PP_MEM_ANON, PAGES);
	memory_is_bound(PP_MEM_MEMFD, PAGES);
	accepted_where_asked(PP_MEM_ANON);
	accepted_where_asked(PP_MEM_MEMFD);
	allocation_on_this_node();
	fallback_when_exhausted();
	for (last = numa_max_node();
	     last && (cpu_on(last) < 0 || numa_node_size64(last, NULL) <= 0);)
		last--;
	pool_moves(0, last);
	pool_moves(last, 0);
	more_than_a_node_has();
	threads_that_hop();
	if (init) {
		hugepages(); /* takes memory that nobody gives back */
		run_commands();
	}
	finish();
}
