/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * layout.h - a number that differs when structs in shared memory differ
 *
 * layout.py reads the structs and writes a sum, with a term for each field. A term is the product
 * of a key, made from the field's name and type, and of its place, known to the compiler. So a
 * field that fills a gap changes the number, too, although no size and no offset shows it. The sum
 * is a constant expression of 64 bits.
 */
#ifndef PP_LAYOUT_H
#define PP_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define LAYOUT_TERM(key, value) ((uint64_t)(key) * (1u + (uint64_t)(value)))

#define LAYOUT_FIELD(type, field, key) \
	LAYOUT_TERM(key, (uint64_t)offsetof(type, field) << 24 | sizeof(((type *)NULL)->field))
/* Of a flexible array, or of the first field that is not shared. */
#define LAYOUT_PLACE(type, field, key) LAYOUT_TERM(key, (uint64_t)offsetof(type, field) << 24)
#define LAYOUT_SIZE(type, key)	       LAYOUT_TERM(key, sizeof(type))
#define LAYOUT_NUMBER(number, key)     LAYOUT_TERM(key, number)

#endif /* PP_LAYOUT_H */
