/* SPDX-License-Identifier: BSD-3-Clause */
/* depot.h - struct pp_depot: the head of the memory that processes share */
#ifndef PP_DEPOT_INTERNAL_H
#define PP_DEPOT_INTERNAL_H

#include <pagepool/depot.h>

#include "base/layout.h"
#include "stock/stock.h"

struct pp_depot {
	struct stock stock;
	struct share share;
	uint64_t magic; /* of depot.c; differs between layouts */
	uint64_t managed; /* objects */
};

#endif /* PP_DEPOT_INTERNAL_H */
