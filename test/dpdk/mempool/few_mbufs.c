/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * few_mbufs.c - LD_PRELOAD: each mbuf pool has PP_MBUFS mbufs, whatever the program asks for
 *
 * Programs with the number compiled in then show how few they can do with.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include <rte_mbuf.h>

struct rte_mempool *rte_pktmbuf_pool_create(const char *name, unsigned int n,
					    unsigned int cache_size, uint16_t priv_size,
					    uint16_t data_room_size, int socket_id)
{
	const char *mbufs = getenv("PP_MBUFS");
	struct rte_mempool *(*real)(const char *, unsigned int, unsigned int, uint16_t, uint16_t,
				    int) =
		(struct rte_mempool *
		 (*)(const char *, unsigned int, unsigned int, uint16_t, uint16_t, int))
			dlsym(RTLD_NEXT, "rte_pktmbuf_pool_create");

	return real(name, mbufs ? (unsigned int)atoi(mbufs) : n, cache_size, priv_size,
		    data_room_size, socket_id);
}
