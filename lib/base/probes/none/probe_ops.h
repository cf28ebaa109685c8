/* SPDX-License-Identifier: BSD-3-Clause */
/* probe_ops.h - no probes: without <sys/sdt.h>, or with -Dprobes=disabled */
#ifndef PP_PROBE_OPS_H
#define PP_PROBE_OPS_H

#define PROBE_ON(name)		 false
#define PROBE3(name, a, b, c)	 ((void)(a), (void)(b), (void)(c))
#define PROBE4(name, a, b, c, d) ((void)(a), (void)(b), (void)(c), (void)(d))

#endif /* PP_PROBE_OPS_H */
