/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * af_xdp/record.c - files with settings that a port has to restore after a kill
 *
 * The name of a file has the namespace and the number of the interface, its text begins with the
 * interface's identity: the kernel gives the inode of a namespace, and the number of an interface,
 * to the next one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/capability.h>

#include "af_xdp/priv.h"
#include "xsk/uapi.h"

#define RECORDS "/run/pagepool"
#define ID_LEN	17u /* sixteen digits and a blank */

static ino_t inode_of(const char *path)
{
	struct stat st = { 0 };

	return stat(path, &st) ? 0 : st.st_ino;
}

struct pp_net pp_net_of(int ctl)
{
	struct pp_net net = { .inode = inode_of("/proc/thread-self/ns/net") };
	socklen_t len = sizeof(net.cookie);

	if (getsockopt(ctl, SOL_SOCKET, SO_NETNS_COOKIE, &net.cookie, &len))
		net.cookie = 0;
	return net;
}

bool pp_net_same(const struct pp_net *a, const struct pp_net *b)
{
	return a->inode == b->inode && a->cookie == b->cookie;
}

static bool read_line(const char *ifname, const char *what, char *text, size_t size)
{
	char path[sizeof("/sys/class/net//address") + IFNAMSIZ];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", ifname, what);
	text[0] = '\0';
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(text, (int)size, f))
		text[0] = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return true;
}

/*
 * The number of the interface's directory in sysfs. An interface keeps it under another name or
 * address, and in another namespace; no later one gets it until the machine starts again. 0: sysfs
 * does not show this interface. After setns() without a mount of its own it shows those of another
 * namespace, perhaps one with the same name and number.
 */
static unsigned long long identity_of(const struct pp_xdp_end *end)
{
	char path[sizeof("/sys/class/net//address") + IFNAMSIZ];
	char number[16], is[16], address[32], has[32] = "";
	struct ifreq ifr = { 0 };
	const unsigned char *mac = (const unsigned char *)ifr.ifr_hwaddr.sa_data;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", end->name);
	if (ioctl(end->ctl, SIOCGIFHWADDR, &ifr))
		return 0;
	snprintf(has, sizeof(has), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	snprintf(is, sizeof(is), "%d", end->index);
	if (!read_line(end->name, "ifindex", number, sizeof(number)) || strcmp(number, is) ||
	    !read_line(end->name, "address", address, sizeof(address)) || strcmp(address, has))
		return 0;
	snprintf(path, sizeof(path), "/sys/class/net/%s/", end->name);
	return inode_of(path);
}

/* a locked descriptor of the file, or -errno; its owner may end between the two calls */
static int open_locked(const char *path, bool create)
{
	struct stat st;
	int fd, err;

	for (;;) {
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
		if (fd < 0)
			return -errno;
		err = flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st) ? -errno : 0;
		if (!err && st.st_nlink)
			return fd;
		close(fd);
		if (err)
			return err;
	}
}

/* --- records of namespaces that are gone ------------------------------------------------------ */

/* what the handle of a namespace's file has, from Linux 6.18 on */
struct net_id {
	uint64_t cookie;
	uint32_t type;
	uint32_t inode;
};

union net_handle {
	struct file_handle head;
	char room[sizeof(struct file_handle) + 64];
};

/*
 * The kernel answers for each namespace of the machine: it hides some from a process in a user or
 * pid namespace, or without the right, and says of these that they are gone.
 */
static bool sees_all_nets(void)
{
	const ino_t first_user = 0xeffffffd, first_pid = 0xeffffffc; /* the kernel's constants */

	return inode_of("/proc/thread-self/ns/user") == first_user &&
	       inode_of("/proc/thread-self/ns/pid") == first_pid &&
	       pp_xdp_caps() >> CAP_SYS_ADMIN & 1;
}

/* a descriptor of the thread's namespace and its handle @h, or -1: handles are not as expected */
static int open_net(const struct pp_net *own, union net_handle *h)
{
	struct net_id id = { 0 };
	int mount, fd, there = -1;

	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	h->head.handle_bytes = sizeof(h->room) - sizeof(h->head);
	if (!name_to_handle_at(fd, "", &h->head, &mount, AT_EMPTY_PATH) &&
	    h->head.handle_bytes == sizeof(id)) {
		memcpy(&id, h->head.f_handle, sizeof(id));
		if (id.cookie == own->cookie && id.inode == own->inode)
			there = open_by_handle_at(fd, &h->head, O_RDONLY | O_CLOEXEC);
	}
	if (there >= 0) {
		close(there);
		return fd;
	}
	close(fd);
	return -1;
}

static bool net_is_gone(int fd, const union net_handle *own, const struct pp_net *net)
{
	union net_handle h = *own;
	struct net_id id;
	int there;

	memcpy(&id, h.head.f_handle, sizeof(id));
	id.cookie = net->cookie;
	id.inode = (uint32_t)net->inode;
	memcpy(h.head.f_handle, &id, sizeof(id));
	there = open_by_handle_at(fd, &h.head, O_RDONLY | O_CLOEXEC);
	if (there < 0)
		return errno == ESTALE;
	close(there);
	return false;
}

/*
 * No port takes them over any more: a cookie does not come again until the machine starts again.
 * The kernel may call a namespace gone that only sockets keep; a living port's record is locked.
 */
static void remove_gone(const struct pp_net *own)
{
	unsigned long long inode, cookie;
	char path[sizeof(RECORDS) + 257];
	struct pp_net net;
	union net_handle h;
	struct dirent *e;
	int fd, record;
	DIR *d;

	if (!own->cookie || !sees_all_nets())
		return;
	fd = open_net(own, &h);
	if (fd < 0)
		return;
	d = opendir(RECORDS);
	while (d && (e = readdir(d))) {
		if (sscanf(e->d_name, "%*[a-z]-%llu.%llu-", &inode, &cookie) != 2 || !cookie)
			continue;
		net.inode = (ino_t)inode;
		net.cookie = cookie;
		if (!net_is_gone(fd, &h, &net))
			continue;
		snprintf(path, sizeof(path), RECORDS "/%s", e->d_name);
		record = open_locked(path, false);
		if (record < 0)
			continue;
		unlink(path);
		close(record);
	}
	if (d)
		closedir(d);
	close(fd);
}

/* --- ports ------------------------------------------------------------------------------------ */

/* the text, if it is that of the interface; either identity may be unknown */
static void read_text(struct pp_record *r, char *text, size_t size)
{
	char id[ID_LEN + 1] = "";
	unsigned long long was;
	ssize_t n;

	text[0] = '\0';
	if (pread(r->fd, id, ID_LEN, 0) != ID_LEN || sscanf(id, "%16llx", &was) != 1)
		return;
	if (was && r->identity && was != r->identity)
		return;
	if (!r->identity)
		r->identity = was; /* a port that cannot tell keeps what another one wrote */
	n = pread(r->fd, text, size - 1, ID_LEN);
	text[n > 0 ? n : 0] = '\0';
}

int pp_record_open(struct pp_record *r, const char *kind, const struct pp_xdp_end *end,
		   const char *tail, bool create, char *text, size_t size)
{
	const struct pp_net net = pp_net_of(end->ctl);
	int fd;

	snprintf(r->path, sizeof(r->path), RECORDS "/%s-%llu.%llu-%d%s", kind,
		 (unsigned long long)net.inode, (unsigned long long)net.cookie, end->index, tail);
	if (create) {
		mkdir(RECORDS, 0700);
		remove_gone(&net);
	}
	fd = open_locked(r->path, create);
	r->fd = fd < 0 ? -1 : fd;
	text[0] = '\0';
	if (fd < 0)
		return fd;
	r->identity = identity_of(end);
	read_text(r, text, size);
	return 0;
}

bool pp_record_done(int err)
{
	return !err || err == -ENODEV || err == -ENOENT;
}

void pp_record_write(const struct pp_record *r, const char *text)
{
	char id[ID_LEN + 1];
	struct iovec parts[] = { { id, ID_LEN }, { (void *)(uintptr_t)text, strlen(text) } };

	snprintf(id, sizeof(id), "%016llx ", r->identity);
	if (r->fd >= 0 && pwritev(r->fd, parts, 2, 0) < (ssize_t)(ID_LEN + parts[1].iov_len))
		unlink(r->path);
}

void pp_record_end(struct pp_record *r, bool done)
{
	if (r->fd < 0)
		return;
	if (done)
		unlink(r->path);
	close(r->fd);
	r->fd = -1;
}
