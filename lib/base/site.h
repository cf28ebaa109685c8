/* SPDX-License-Identifier: BSD-3-Clause */
/* site.h - a place in code, as text */
#ifndef PP_SITE_H
#define PP_SITE_H

#include <stddef.h>

/* "function+0x12" or "file.so+0x1234" into @buffer, which it returns. NULL: "unknown". */
const char *site_text(const void *site, char *buffer, size_t size);

#endif /* PP_SITE_H */
