/* SPDX-License-Identifier: BSD-3-Clause */
/* eal_only.c - a program that starts EAL and has no mempool library */
#include <stdio.h>

#include <rte_eal.h>
#include <rte_version.h>

int main(int argc, char **argv)
{
	if (rte_eal_init(argc, argv) < 0)
		return 1;
	printf("%s runs\n", rte_version());
	rte_eal_cleanup();
	return 0;
}
