/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/record.h - files in /run/pagepool with settings that a port has to restore after a kill
 *
 * A setting of an interface stays after a kill. So a file has the value from before, and the
 * next port takes it over, or restores it. The file is locked as long as its port lives.
 */
#ifndef PP_AF_XDP_RECORD_H
#define PP_AF_XDP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* @fd: -1: there is none */
struct pp_record {
	int fd;
	char path[80];
};

/* inode of the network namespace of the thread; 0: it cannot be told */
ino_t pp_record_net(void);

/*
 * Open and lock the file of @name, and read the text of a killed process into @text of @size
 * bytes. There is none if the file is missing and @create is false, and if another port has it.
 */
void pp_record_open(struct pp_record *r, const char *name, bool create, char *text, size_t size);
/* before anything is set, as a kill may come at any point; each text of a file is equally long */
void pp_record_write(const struct pp_record *r, const char *text);
/* all settings are restored */
void pp_record_end(struct pp_record *r);

#endif /* PP_AF_XDP_RECORD_H */
