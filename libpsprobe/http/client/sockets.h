/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_SOCKETS_H
#define PSP_HTTP_CLIENT_SOCKETS_H
/**
 * @file
 * Which sockets curl wants to hear of, kept in an epoll set.
 *
 * curl forgets a connection's socket after each answer and asks for it anew
 * with the next request. Sockets that we opened ourselves stay in the set in
 * between, which saves two system calls a request; we can do that because we
 * also close them, and so never hold a stale entry for a number that was used
 * again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct psp_sockets {
  int epoll;
  struct psp_socket_entry *entries; /* by file descriptor */
  size_t capacity;
} psp_sockets;

/** False: errno says why. */
bool psp_sockets_init(psp_sockets *sockets);
void psp_sockets_clear(psp_sockets *sockets);

/** Notes that `fd` is ours from open to close. False: no memory. */
bool psp_sockets_opened(psp_sockets *sockets, int fd);
/** Before close(fd). */
void psp_sockets_closed(psp_sockets *sockets, int fd);
/** curl wants these events (EPOLLIN, EPOLLOUT; 0: none). False: no memory, or epoll refused. */
bool psp_sockets_want(psp_sockets *sockets, int fd, uint32_t events);
/** For an event of `fd`: whether curl wants to hear of it. If not, it leaves the set. */
bool psp_sockets_ready(psp_sockets *sockets, int fd);

#endif
