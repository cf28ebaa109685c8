/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hand.h - lists of caches that lie in the free area as they are
 *
 * Each cache has two lists. A drain hands the live one over by one store, and the owner goes on
 * with the other; no object is copied, and the drainer reads no line of the list. The objects are
 * free: free_area.listed counts them, and a pop takes them first. The owner's next refill takes
 * back what is left, by one store again, and finds it in its own CPU's cache.
 */
#ifndef PP_HAND_H
#define PP_HAND_H

#include "stock/stock.h"

/* Of a held cache: all of it to the free area; objects, 0 if a copy must do it. */
unsigned int pcp_hand_over(struct stock *stock, struct pcp *pcp);
/*
 * Of a held and empty cache, under the stock's lock: its list that was handed over is the live one
 * again. False if it has less than @want, or the stock would run short.
 */
bool pcp_take_back(struct stock *stock, struct pcp *pcp, unsigned int want);

#endif /* PP_HAND_H */
