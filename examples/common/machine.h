/* SPDX-License-Identifier: BSD-3-Clause */
/* machine.h - the machine of a result, in words */
#ifndef COMMON_MACHINE_H
#define COMMON_MACHINE_H

struct machine {
	char cpu[96]; /* "unknown" where the kernel does not tell */
	char kernel[80];
	unsigned int cores;
};

struct json;

void machine_read(struct machine *m);
/* begins the object "machine", which the caller closes */
void machine_json_open(struct json *j, const struct machine *m);

#endif /* COMMON_MACHINE_H */
