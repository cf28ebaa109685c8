/* SPDX-License-Identifier: BSD-3-Clause */
/* xsk/uapi.h - AF_XDP's numbers that headers older than the kernel lack */
#ifndef PP_XSK_UAPI_H
#define PP_XSK_UAPI_H

#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef XDP_USE_SG
#define XDP_USE_SG    (1 << 4)
#define XDP_PKT_CONTD (1 << 0)
#endif
#ifndef XDP_TX_METADATA
#define XDP_TX_METADATA		 (1 << 1)
#define XDP_TXMD_FLAGS_TIMESTAMP (1 << 0)
#define XDP_TXMD_FLAGS_CHECKSUM	 (1 << 1)
#endif
#ifndef XDP_TXMD_FLAGS_LAUNCH_TIME
#define XDP_TXMD_FLAGS_LAUNCH_TIME (1 << 2) /* Linux 6.14 */
#endif
#ifndef XDP_UMEM_TX_METADATA_LEN
#define XDP_UMEM_TX_METADATA_LEN (1 << 2)
#endif
#ifndef XDP_UMEM_TX_SW_CSUM
#define XDP_UMEM_TX_SW_CSUM (1 << 1) /* Linux 6.8 */
#endif
#ifndef XDP_MAX_TX_SKB_BUDGET
#define XDP_MAX_TX_SKB_BUDGET 9 /* Linux 6.18 */
#endif
#ifndef NETDEV_FAMILY_NAME /* linux/netdev.h; xsk-features are there since Linux 6.8 */
#define NETDEV_CMD_DEV_GET		      1
#define NETDEV_A_DEV_IFINDEX		      1
#define NETDEV_A_DEV_XDP_RX_METADATA_FEATURES 5 /* Linux 6.6 */
#define NETDEV_A_DEV_XSK_FEATURES	      6
#define NETDEV_XSK_FLAGS_TX_TIMESTAMP	      1
#define NETDEV_XSK_FLAGS_TX_CHECKSUM	      2
#define NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO  4 /* Linux 6.14 */
#define NETDEV_A_QUEUE_ID		      1
#define NETDEV_A_QUEUE_IFINDEX		      2
#define NETDEV_A_QUEUE_TYPE		      3
#define NETDEV_A_QUEUE_NAPI_ID		      4
#define NETDEV_QUEUE_TYPE_RX		      0
#define NETDEV_CMD_QUEUE_GET		      10 /* Linux 6.8, as the next */
#define NETDEV_CMD_NAPI_GET		      11
#define NETDEV_CMD_NAPI_SET		      14 /* Linux 6.13 */
#define NETDEV_A_NAPI_IFINDEX		      1
#define NETDEV_A_NAPI_ID		      2
#define NETDEV_A_NAPI_DEFER_HARD_IRQS	      5
#define NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT	      6
#define NETDEV_A_NAPI_IRQ_SUSPEND_TIMEOUT     7
#define NETDEV_A_NAPI_THREADED		      8 /* Linux 6.17 */
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* Linux 5.11, on every architecture but alpha */
#endif
#ifndef BPF_F_XDP_DEV_BOUND_ONLY
#define BPF_F_XDP_DEV_BOUND_ONLY (1U << 6)
#endif
#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

/* struct epoll_params of Linux 6.9, and EPIOCSPARAMS */
struct xdp_epoll_params {
	uint32_t busy_poll_usecs;
	uint16_t busy_poll_budget;
	uint8_t prefer_busy_poll;
	uint8_t pad;
};
#define XDP_EPIOCSPARAMS _IOW(0x8a, 1, struct xdp_epoll_params)

/* struct __kernel_timespec */
struct xdp_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

/* struct xdp_umem_reg of Linux 6.8; older kernels read the members that they know */
struct xdp_umem_reg_meta {
	uint64_t addr;
	uint64_t len;
	uint32_t chunk_size;
	uint32_t headroom;
	uint32_t flags;
	uint32_t tx_metadata_len;
};

/* struct xsk_tx_metadata: in front of a packet with XDP_TX_METADATA in its descriptor */
struct xdp_tx_meta {
	uint64_t flags;
	union {
		struct {
			uint16_t csum_start;
			uint16_t csum_offset;
		} request;
		struct {
			uint64_t tx_timestamp;
		} completion;
	};
};

/* the same with uint64_t launch_time behind it, of Linux 6.14 */
#define XDP_TX_META_LAUNCH_LEN (sizeof(struct xdp_tx_meta) + sizeof(uint64_t))

#endif /* PP_XSK_UAPI_H */
