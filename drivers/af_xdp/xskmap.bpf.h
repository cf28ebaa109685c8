/* SPDX-License-Identifier: BSD-3-Clause */
/* xskmap.bpf.h - the map from queues to sockets, for XDP programs; before it: bpf_helpers.h */
#ifndef PP_XSKMAP_BPF_H
#define PP_XSKMAP_BPF_H

#define XSKMAP(name, entries)                      \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_XSKMAP); \
		__type(key, __u32);                \
		__type(value, int);                \
		__uint(max_entries, entries);      \
	} name SEC(".maps")

#endif /* PP_XSKMAP_BPF_H */
