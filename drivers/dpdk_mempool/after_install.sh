#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# after_install.sh - the plugin's bare name is looked up in the linker's cache: renew it
#
# Not for a package in the making (DESTDIR), and not for users that may not write the cache.
[ -z "${DESTDIR:-}" ] && [ "$(id -u)" = 0 ] || exit 0
PATH=$PATH:/usr/sbin:/sbin ldconfig 2>/dev/null || true
