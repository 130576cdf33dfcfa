/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_LINK_H
#define PSP_GRPC_LINK_H
/**
 * @file
 * A connected socket that does not block, plain or with TLS above it (grpc/tls.h): two things of
 * one shape. One thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PSP_LINK_AGAIN  (-1) /* it would block */
#define PSP_LINK_BROKEN (-2) /* psp_link's `why` says why */

typedef struct psp_link psp_link;

/** What a kind of link does. */
typedef struct psp_link_kind {
  /** Bytes read, at least 1; 0: the peer has ended; PSP_LINK_AGAIN; PSP_LINK_BROKEN. */
  ssize_t (*read)(psp_link *link, void *room, size_t size);
  /** Bytes taken, at least 1; PSP_LINK_AGAIN; PSP_LINK_BROKEN. */
  ssize_t (*write)(psp_link *link, const void *data, size_t len);
  /** Frees all but the socket. */
  void (*free)(psp_link *link);
} psp_link_kind;

/** Who has let the socket in, and keeps places for such. On the link's thread. */
typedef struct psp_link_host {
  void (*busy)(void *arg, int fd, bool busy); /**< somebody waits for something, or nobody does */
  void (*leave)(void *arg, int fd);           /**< it is about to be closed */
  void *arg;
} psp_link_host;

struct psp_link {
  const psp_link_kind *kind;
  psp_link_host host; /**< zeroed: nobody */
  int fd;
  bool drained;            /**< there is nothing more to read, until poll(2) says so */
  short read_on, write_on; /**< what poll(2) is to say before read or write can go on */
  bool refused;            /**< broken since the peer is not whom we trust */
  bool foreign;            /**< broken since the peer does not speak HTTP/2 */
  char why[160];
};

/** Takes the socket, also on failure. NULL: no memory. */
psp_link *psp_link_plain(int fd);
/** Fills in a zeroed one, and makes the socket such as a link wants it: it does not block, sends at
 * once, and gives up on a peer that acknowledges nothing for 20 s. */
void psp_link_init(psp_link *link, const psp_link_kind *kind, int fd);
/** Closes it. NULL is fine. */
void psp_link_free(psp_link *link);

#endif
