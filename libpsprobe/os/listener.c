/* SPDX-License-Identifier: MIT */
#include "os/listener.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_INODES 16 /* sockets that listen on one port: of several addresses, or shared */

typedef struct sockets {
  unsigned long inodes[MAX_INODES];
  size_t count;
} sockets;

static void add(sockets *found, unsigned long inode) {
  if (found->count < MAX_INODES) found->inodes[found->count++] = inode;
}

/* ---- which sockets listen ---- */

/* One datagram of the kernel's answer. @return 1: there is more; 0: that was all; -1: it refuses */
static int take(const char *bytes, size_t len, int port, sockets *found) {
  for (const struct nlmsghdr *head = (const struct nlmsghdr *)bytes; NLMSG_OK(head, len);
       head = NLMSG_NEXT(head, len)) {
    if (head->nlmsg_type == NLMSG_DONE) return 0;
    if (head->nlmsg_type == NLMSG_ERROR) return -1;
    const struct inet_diag_msg *one = NLMSG_DATA(head);
    if (ntohs(one->id.idiag_sport) == port) add(found, one->idiag_inode);
  }
  return 1;
}

/* Asks the kernel for the sockets that listen, and no others (sock_diag(7)). */
static bool ask(int family, int port, sockets *found) {
  struct {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
  } request = {.head = {.nlmsg_len = sizeof request,
                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
               .body = {.sdiag_family = (__u8)family,
                        .sdiag_protocol = IPPROTO_TCP,
                        .idiag_states = 1u << TCP_LISTEN}};
  _Alignas(struct nlmsghdr) char answer[16384];
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), more = -1;
  if (fd >= 0 && send(fd, &request, sizeof request, 0) == (ssize_t)sizeof request) do {
      ssize_t got = recv(fd, answer, sizeof answer, 0);
      more = got > 0 ? take(answer, (size_t)got, port, found) : -1;
    } while (more > 0);
  if (fd >= 0) close(fd);
  return more == 0;
}

/* Where the kernel has no such sockets: its tables, which are slow when there are many connections
 * (proc(5), /proc/net/tcp). */
static void read_table(const char *table, int port, sockets *found) {
  FILE *file = fopen(table, "re");
  char line[512];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    unsigned local_port, state;
    unsigned long inode;
    if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*u %lu", &local_port, &state,
               &inode) == 3 &&
        (int)local_port == port && state == TCP_LISTEN)
      add(found, inode);
  }
  if (file != NULL) fclose(file);
}

/* ---- whose they are ---- */

static bool is_among(const char *link, const sockets *found) {
  unsigned long inode;
  if (sscanf(link, "socket:[%lu]", &inode) != 1) return false;
  for (size_t i = 0; i < found->count; i++)
    if (found->inodes[i] == inode) return true;
  return false;
}

/* Whether a process holds one of the sockets. */
static bool holds(pid_t pid, const sockets *found) {
  char path[40], link[64];
  bool does = false;
  snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
  DIR *folder = opendir(path);
  const struct dirent *entry;
  while (folder != NULL && !does && (entry = readdir(folder)) != NULL) {
    ssize_t len = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
    link[len > 0 ? len : 0] = '\0';
    does = is_among(link, found);
  }
  if (folder != NULL) closedir(folder);
  return does;
}

bool psp_listener_is_of(int port, pid_t group) {
  sockets found = {0};
  if (!ask(AF_INET, port, &found)) read_table("/proc/net/tcp", port, &found);
  if (!ask(AF_INET6, port, &found)) read_table("/proc/net/tcp6", port, &found);
  if (found.count == 0) return false;
  DIR *folder = opendir("/proc");
  const struct dirent *entry;
  bool is = false;
  while (folder != NULL && !is && (entry = readdir(folder)) != NULL) {
    pid_t pid = (pid_t)atoi(entry->d_name); /* 0: no process's */
    is = pid > 0 && getpgid(pid) == group && holds(pid, &found);
  }
  if (folder != NULL) closedir(folder);
  return is;
}
