/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp_share.c - one zone under two interfaces with two queues each, four ports, four threads
 *
 *   af_xdp_share native|skb
 *
 * What port i receives port i + 1 sends, so that every page goes through every socket and is
 * freed by any thread; one port is closed and opened again all the while, by its own thread.
 */
#include <pthread.h>
#include <unistd.h>

#include "rig.h"

#define PORTS  4u
#define BOX    128u
#define FRAMES 64u

/* pages on their way to a port's thread */
struct box {
	pthread_mutex_t lock;
	struct pp_page *pages[BOX];
	unsigned int n;
};

static struct pp_zone *zone;
static struct box boxes[PORTS];
static uint64_t received[PORTS];
static unsigned int reopened;
static int stop;

static unsigned int box_put(struct box *box, struct pp_page **pages, unsigned int n)
{
	pthread_mutex_lock(&box->lock);
	if (n > BOX - box->n)
		n = BOX - box->n;
	memcpy(box->pages + box->n, pages, n * sizeof(*pages));
	box->n += n;
	pthread_mutex_unlock(&box->lock);
	return n;
}

static unsigned int box_get(struct box *box, struct pp_page **pages, unsigned int n)
{
	pthread_mutex_lock(&box->lock);
	if (n > box->n)
		n = box->n;
	box->n -= n;
	memcpy(pages, box->pages + box->n, n * sizeof(*pages));
	pthread_mutex_unlock(&box->lock);
	return n;
}

/* port i is queue i / 2 of interface px6 or px7 */
static struct pp_netdev *open_port(unsigned int i)
{
	struct pp_netdev_params np = { .sz = sizeof(np), .zone = zone, .port = (uint16_t)i };
	struct pp_netdev *dev;
	char spec[96];

	snprintf(spec, sizeof(spec), "af_xdp:px%u,queue=%u,mode=%s", 6 + i % 2, i / 2, mode);
	dev = pp_netdev_open(spec, &np);
	CHECK(dev);
	return dev;
}

static void check_frame(const struct pp_page *page)
{
	const unsigned char *data = pp_page_data(page);
	uint32_t seq;

	memcpy(&seq, data + 14, sizeof(seq));
	CHECK(frame_is(page, 60 + seq % 1000, seq));
}

static void turn(struct pp_queue *q, unsigned int i)
{
	struct pp_page *pages[BURST];
	unsigned int n, k, j;

	n = pp_rx_burst(q, pages, BURST);
	for (j = k = 0; j < n; j++) {
		const unsigned char *data = pp_page_data(pages[j]);

		if (data[12] == 0x88 && data[13] == 0xb5) {
			check_frame(pages[j]);
			pages[k++] = pages[j];
		} else {
			page_pool_put_bulk(&pages[j], 1);
		}
	}
	__atomic_fetch_add(&received[i], k, __ATOMIC_RELAXED);
	n = box_put(&boxes[(i + 1) % PORTS], pages, k);
	page_pool_put_bulk(pages + n, k - n);
	n = box_get(&boxes[i], pages, BURST);
	k = n ? pp_tx_burst(q, pages, n) : 0;
	page_pool_put_bulk(pages + k, n - k);
	pp_tx_clean(q);
}

/* frames are lost whenever a port is closed */
static void inject(struct pp_queue *q, unsigned int i)
{
	static uint32_t seq;
	struct pp_page *page;
	unsigned int j;
	uint32_t s;

	for (j = 0; j < FRAMES; j++) {
		s = __atomic_fetch_add(&seq, 1, __ATOMIC_RELAXED);
		page = make_frame(q->pool, 60 + s % 1000, s);
		if (!box_put(&boxes[i], &page, 1))
			page_pool_put_bulk(&page, 1);
	}
}

static void *port_thread(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg;
	struct pp_netdev *dev = open_port(i);
	uint64_t next = 0, again = now_ms() + 200;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (now_ms() >= next) {
			inject(pp_netdev_queue(dev, 0), i);
			next = now_ms() + 50;
		}
		if (i == 1 && now_ms() > again) {
			pp_netdev_close(dev);
			dev = open_port(i);
			again = now_ms() + 200;
			reopened++;
		}
		turn(pp_netdev_queue(dev, 0), i);
	}
	pp_netdev_close(dev);
	return NULL;
}

static void round_of(unsigned int ms)
{
	pthread_t threads[PORTS];
	unsigned int i;

	stop = 0;
	for (i = 0; i < PORTS; i++)
		CHECK(!pthread_create(&threads[i], NULL, port_thread, (void *)(uintptr_t)i));
	usleep(ms * 1000);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < PORTS; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

int main(int argc, char **argv)
{
	unsigned int i, k;

	mode = argc > 1 ? argv[1] : "native";
	CHECK(!system("ip link add px6 numrxqueues 2 numtxqueues 2 type veth peer name px7 "
		      "numrxqueues 2 numtxqueues 2 && ip link set px6 up && ip link set px7 up"));
	zone = make_zone_of(4 * PAGES);
	for (i = 0; i < PORTS; i++)
		pthread_mutex_init(&boxes[i].lock, NULL);
	for (i = 0; i < 2; i++) { /* threads end, and others take over */
		round_of(1000);
		for (k = 0; k < PORTS; k++) {
			put_all(boxes[k].pages, boxes[k].n);
			boxes[k].n = 0;
		}
	}
	printf("af_xdp_share: %llu %llu %llu %llu packets through four ports, one of them opened "
	       "%u times, %s\n",
	       (unsigned long long)received[0], (unsigned long long)received[1],
	       (unsigned long long)received[2], (unsigned long long)received[3], reopened, mode);
	/* skb mode on a veth: everything arrives on queue 0 */
	for (i = 0; i < (strcmp(mode, "skb") ? PORTS : 2); i++)
		CHECK(received[i] > FRAMES);
	CHECK(reopened > 1);
	check_home(zone);
	CHECK(!system("ip link del px6"));
	return 0;
}
