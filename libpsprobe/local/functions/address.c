/* SPDX-License-Identifier: MIT */
#include "local/functions/address.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "http/url.h"

#define MAX_INODES 16 /* sockets that listen on one port: of several addresses, or shared */
#define TCP_LISTEN 0x0A

/* ---- what is printed ---- */

/* How long the host is at the beginning of a text: a name, or an IPv6 address in brackets. */
static size_t host_len(const char *text) {
  if (*text != '[')
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
  size_t len = strspn(text + 1, "0123456789abcdefABCDEF:.") + 1;
  return text[len] == ']' ? len + 1 : 0;
}

/* What listens on all addresses is reached by one. */
static bool is_any(const char *host, size_t len) {
  return (len == 7 && memcmp(host, "0.0.0.0", len) == 0) ||
         (len == 4 && memcmp(host, "[::]", len) == 0);
}

bool psp_address_next(const char **at, psp_address *out) {
  const char *url;
  while ((url = strcasestr(*at, "http://")) != NULL) {
    const char *host = url + strlen("http://");
    size_t len = host_len(host);
    *at = host + len;
    size_t digits = host[len] == ':' ? strspn(host + len + 1, "0123456789") : 0;
    if (len == 0 || len > 60 || digits == 0 || digits > 5) continue;
    out->port = atoi(host + len + 1);
    bool any = is_any(host, len);
    snprintf(out->url, sizeof out->url, "http://%.*s:%d", any ? 9 : (int)len,
             any ? "127.0.0.1" : host, out->port);
    if (out->port > 0 && out->port <= 65535 && psp_http_url_is_loopback(out->url)) return true;
  }
  return false;
}

/* ---- who listens ---- */

typedef struct sockets {
  unsigned long inodes[MAX_INODES];
  size_t count;
} sockets;

/* The inodes of what listens on a port, from one of the kernel's tables (proc(5), /proc/net/tcp).
 */
static void find_listeners(const char *table, int port, sockets *found) {
  FILE *file = fopen(table, "re");
  char line[512];
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    unsigned local_port, state;
    unsigned long inode;
    if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*u %lu", &local_port, &state,
               &inode) == 3 &&
        (int)local_port == port && state == TCP_LISTEN && found->count < MAX_INODES)
      found->inodes[found->count++] = inode;
  }
  if (file != NULL) fclose(file);
}

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

bool psp_address_is_of(const psp_address *address, pid_t group) {
  sockets found = {0};
  find_listeners("/proc/net/tcp", address->port, &found);
  find_listeners("/proc/net/tcp6", address->port, &found);
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
