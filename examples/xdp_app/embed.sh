#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# embed.sh FILE - its bytes as the inside of a C array
od -An -v -tx1 "$1" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
