/* SPDX-License-Identifier: BSD-3-Clause */
#include "zone/list.h"

struct registry registered_zones;
