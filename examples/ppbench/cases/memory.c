/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cases/memory.c - building a zone eagerly and lazily, and a thread that has free pages
 * beside one that accepts memory from slow firmware
 */
#include <errno.h>
#include <linux/mman.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <pagepool/error.h>
#include <pagepool/memory.h>

#include "bench.h"

#define BIG_PAGES   131072u /* 512 MiB of 4 KiB */
#define HUGE_PAGES  1048576u /* 4 GiB */
#define SAMPLES	    1000000u /* some 40 ms: as many blocks; a tenth if quick */
#define SAMPLE_BULK 16u
#define FIRMWARE_NS 1000000

static const unsigned int bulks[] = { SAMPLE_BULK, 0 };

static struct pp_zone *open_zone(uint64_t pages, uint32_t flags, const struct pp_zone_ops *ops)
{
	return bench_zone_create((struct pp_zone_params){
		.pages = pages,
		.flags = flags,
		.ops = ops,
	});
}

/* ---- building a zone, to the first page ------------------------------------------------------ */

struct build {
	const char *size;
	const char *kind;
	uint64_t pages;
	uint32_t flags;
	bool first; /* measured until the first page is there, and not only the zone */
	double best; /* out: cycles */
	long resident; /* out: bytes more than before it was created */
};

static int build_once(struct bench *b, struct build *build, double *cycles)
{
	long before = bench_bytes(true);
	uint64_t start = pp_cycles();
	struct pp_zone *zone = open_zone(build->pages, build->flags, NULL);
	struct pp_page *page;

	if (!zone)
		return -1;
	*cycles = (double)(pp_cycles() - start);
	build->resident = bench_bytes(true) - before;
	if (build->first) {
		if (!pp_zone_alloc_bulk(zone, &page, 1)) {
			bench_error("memory: a zone of %s has no page: %s", build->size,
				    pp_error());
			return -1;
		}
		*cycles = (double)(pp_cycles() - start);
		pp_zone_free_bulk(zone, &page, 1);
	}
	return bench_zone_close(b, zone);
}

static int build_row(struct bench *b, struct build *build)
{
	double samples[BENCH_REPEAT_MAX];
	unsigned int i, n = b->opts.repeat < 7 ? b->opts.repeat : 7;

	for (i = 0; i < n; i++) {
		if (build_once(b, build, &samples[i]))
			return -1;
		if (!i || samples[i] < build->best)
			build->best = samples[i];
	}
	bench_row_add(b, build->size, build->kind, 1, samples, n);
	return 0;
}

static int build_rows(struct bench *b)
{
	struct build kinds[] = {
		{ "512 MiB", "build eager", BIG_PAGES, 0, true, 0, 0 },
		{ "512 MiB", "build lazy", BIG_PAGES, PP_ZONE_LAZY, true, 0, 0 },
		{ "4 GiB", "create lazy", HUGE_PAGES, PP_ZONE_LAZY, false, 0, 0 },
		{ "4 GiB", "build lazy", HUGE_PAGES, PP_ZONE_LAZY, true, 0, 0 },
	};
	double ms = 1e3 / (double)pp_cycles_hz();
	unsigned int i;
	int err = 0;

	for (i = 0; i < 4 && !err; i++)
		err = build_row(b, &kinds[i]);
	if (err)
		return err;
	bench_note(b,
		   "lazy 4 GiB: created in %.3f ms, %ld KiB resident; first page %.0f times "
		   "sooner than eager at the same size, %.0f times at an eighth of it",
		   kinds[2].best * ms, kinds[2].resident >> 10, kinds[0].best * 8 / kinds[3].best,
		   kinds[0].best / kinds[3].best);
	bench_note(b, "build: a zone, to its first page; create: the zone alone");
	return 0;
}

/* ---- a thread that has pages, beside one that accepts ---------------------------------------- */

static struct {
	struct pp_zone *zone;
	bool stop;
	unsigned int taken;
	struct pp_page *pages[BIG_PAGES];
} grower;

static int slow_accept(void *arg, void *base, size_t len)
{
	const struct timespec delay = { .tv_nsec = FIRMWARE_NS };

	(void)arg;
	(void)base;
	(void)len;
	return nanosleep(&delay, NULL) ? -errno : 0;
}

static const struct pp_zone_ops slow_ops = { .accept = slow_accept };

static void *grower_thread(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&grower.stop, __ATOMIC_ACQUIRE) && grower.taken < BIG_PAGES - 8192)
		grower.taken += pp_zone_alloc_bulk(grower.zone, grower.pages + grower.taken, 8);
	return NULL;
}

/*
 * The control: an acceptor's delays and its memory from the kernel, without any zone. The
 * library causes none of the delays that a thread notices of this.
 */
static void *populate_thread(void *arg)
{
	const size_t all = (size_t)BIG_PAGES * BENCH_PAGE_SIZE, step = 2u << 20;
	char *mem = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t done;

	(void)arg;
	if (mem == MAP_FAILED)
		return NULL;
	for (done = 0; !__atomic_load_n(&grower.stop, __ATOMIC_ACQUIRE) && done < all; done += step)
		if (slow_accept(NULL, NULL, 0) || madvise(mem + done, step, MADV_POPULATE_WRITE))
			break;
	munmap(mem, all);
	return NULL;
}

static double sample_p999(const struct bench *b, struct pp_zone *zone, double *values)
{
	unsigned int n = b->opts.quick ? SAMPLES / 10 : SAMPLES;
	struct pp_page *pages[SAMPLE_BULK];
	uint64_t start;
	unsigned int i;

	for (i = 0; i < n; i++) {
		start = pp_cycles();
		pp_zone_free_bulk(zone, pages, pp_zone_alloc_bulk(zone, pages, SAMPLE_BULK));
		values[i] = (double)(pp_cycles() - start);
	}
	return bench_quantile(values, n, 0.999);
}

/* figures of the sampling thread: cycles, and how often it slept */
struct noticed {
	double alone[BENCH_REPEAT_MAX];
	double beside[BENCH_REPEAT_MAX];
	long waits;
};

enum noise {
	SAME_ZONE, /* takes all pages of the zone that the samples come from */
	OTHER_ZONE, /* takes those of a second zone, as another node's would be */
	NO_ZONE, /* takes memory from the kernel */
};

/* New zones each time: alone, then beside a thread that makes @noise. */
static int notice_once(struct bench *b, double *values, struct noticed *n, unsigned int i,
		       enum noise noise)
{
	bool other = noise != SAME_ZONE;
	struct pp_zone *zone;
	pthread_t thread;
	long before;
	int err = -1;

	grower.zone = open_zone(BIG_PAGES, PP_ZONE_LAZY, &slow_ops);
	zone = grower.zone && other ? open_zone(BIG_PAGES, PP_ZONE_LAZY, NULL) : grower.zone;
	if (!zone)
		goto close_grower;
	grower.stop = false;
	grower.taken = 0;
	sample_p999(b, zone, values);
	n->alone[i] = sample_p999(b, zone, values);
	before = bench_sleeps();
	err = bench_thread(&thread, b->opts.cores[1],
			   noise == NO_ZONE ? populate_thread : grower_thread, NULL);
	if (!err) {
		n->beside[i] = sample_p999(b, zone, values);
		n->waits += bench_sleeps() - before;
		__atomic_store_n(&grower.stop, true, __ATOMIC_RELEASE);
		pthread_join(thread, NULL);
	}
	for (; grower.taken; grower.taken--)
		pp_zone_free_bulk(grower.zone, &grower.pages[grower.taken - 1], 1);
	if (other && bench_zone_close(b, zone))
		err = -1;
close_grower:
	return (grower.zone && bench_zone_close(b, grower.zone)) || err ? -1 : 0;
}

static void notice_rows(struct bench *b, struct noticed *n)
{
	static const char *const names[] = { "same zone", "other zone", "no zone" };
	double ratio[BENCH_REPEAT_MAX];
	unsigned int i, noise;

	for (noise = SAME_ZONE; noise <= NO_ZONE; noise++) {
		bench_row_add(b, names[noise], "p99.9 alone", SAMPLE_BULK, n[noise].alone,
			      b->opts.repeat);
		bench_row_add(b, names[noise], "p99.9 accept", SAMPLE_BULK, n[noise].beside,
			      b->opts.repeat);
		bench_note(b, "%s: the thread that has pages slept %ld times", names[noise],
			   n[noise].waits);
	}
	for (i = 0; i < b->opts.repeat; i++)
		ratio[i] = n[OTHER_ZONE].beside[i] / n[NO_ZONE].beside[i];
	bench_note(b,
		   "p99.9 beside an acceptor of another zone against no zone: %.2f, %.2f to %.2f",
		   bench_quantile(ratio, b->opts.repeat, 0.5),
		   bench_quantile(ratio, b->opts.repeat, 0),
		   bench_quantile(ratio, b->opts.repeat, 1));
}

/* In turns, since the machine changes meanwhile. */
static int all_notices(struct bench *b)
{
	struct noticed *n = bench_alloc(NO_ZONE + 1, sizeof(*n));
	double *values = bench_alloc(SAMPLES, sizeof(*values));
	enum noise noise;
	unsigned int i;
	int err = values && n ? 0 : -1;

	for (i = 0; i < b->opts.repeat && !err; i++)
		for (noise = SAME_ZONE; noise <= NO_ZONE && !err; noise++)
			err = notice_once(b, values, &n[noise], i, noise);
	if (!err)
		notice_rows(b, n);
	free(values);
	free(n);
	bench_note(
		b,
		"p99.9: of 16 pages taken and given back, alone and while another thread takes "
		"pages of blocks for which firmware needs 1 ms each; no zone: while it has as much "
		"memory from the kernel at the same pace, and no zone at all");
	return err;
}

static int memory_case(struct bench *b)
{
	int err = build_rows(b);

	if (!err && b->opts.ncores > 1)
		err = all_notices(b);
	else if (!err)
		bench_note(b, "p99.9 beside an acceptor needs two cores: --cores A,B");
	return err;
}

const struct bench_case bench_memory = {
	.name = "memory",
	.title = "memory on demand",
	.unit = "cycles",
	.bulks = bulks,
	.policies = "trylock",
	.cores = 2,
	.run = memory_case,
};
