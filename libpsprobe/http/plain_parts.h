/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_PLAIN_PARTS_H
#define PSP_HTTP_PLAIN_PARTS_H
/**
 * @file
 * The plain engine's insides.
 *
 * One lock over all bookkeeping; it is held for a few instructions and never
 * across a system call that moves data. Threads that send do three things:
 * attach a request to an idle connection, send it, note what came of that.
 * Everything else (connecting, reading, failing, closing) is the I/O thread's.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "http/answer.h"
#include "http/plain.h"

typedef union psp_plain_address {
  struct sockaddr generic;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} psp_plain_address;

struct psp_plain_host {
  psp_plain_host *next;
  psp_plain_address addresses[2]; /* tried in this order */
  unsigned address_count;
  bool is_loopback;
  struct psp_plain_connection *idle; /* the last used first */
  size_t authority_len;
  char authority[];
};

typedef struct psp_plain_connection {
  psp_watch watch;
  psp_plain *plain;
  psp_plain_host *host;
  int fd;
  bool connecting;
  struct psp_plain_request *request; /* NULL: idle, or about to be */
  unsigned senders;                  /* threads that are inside send(): it must not be closed */
  bool doomed;                       /* to be closed, once nobody sends; nobody may use it */
  bool is_idle;
  int64_t idle_since;
  struct psp_plain_connection *next, **at;  /* among its host's idle ones */
  struct psp_plain_connection *next_closed; /* among the doomed or the buried */
} psp_plain_connection;

typedef struct psp_plain_request {
  psp_http_done *done;
  void *arg;
  uint64_t id; /* 0: it has its result */
  psp_plain_host *host;
  psp_plain_connection *connection;
  unsigned address; /* of the host's, to connect to */
  psp_buf out;
  size_t sent;
  psp_http_answer answer;
  char method[16]; /* for errors; cut when longer */
  size_t max_response;
  int64_t timeout_ns, deadline, connect_deadline; /* 0: connected */
  bool reused;                                    /* sent on a connection that had been idle */
  bool got_bytes;                                 /* of the answer */
  bool cancel_asked;                              /* and among the cancels */
  bool handed_over;                               /* among those that wait for a connection */
  unsigned holders;                               /* the engine, and a thread that sends */
  struct psp_plain_request *next;                 /* free or handed over */
  struct psp_plain_request *next_cancel;
  struct psp_plain_request *next_open, **open_at; /* among all without a result */
} psp_plain_request;

struct psp_plain {
  psp_plain_options options;
  psp_watch timer_watch;
  int timer;

  pthread_mutex_t lock; /* over all that follows */
  psp_plain_host *hosts;
  unsigned host_count;
  size_t idle_count;
  psp_plain_request *free;
  size_t free_count;
  psp_plain_request *open;
  psp_plain_request *handed_over, **handed_over_end;
  psp_plain_request *cancels;
  psp_plain_connection *doomed; /* whose last sender has left */
  uint64_t serial;
  int64_t armed_at; /* when the timer goes off: not after the first deadline, maybe before */
  bool closing;

  psp_plain_connection *buried; /* the I/O thread's alone: closed, but maybe in this batch */
};

/* ---- with the lock held ---- */

/** The idle connection of the host that was used last, unless it is too old; NULL: none. */
psp_plain_connection *psp_plain_take_idle(psp_plain *plain, psp_plain_host *host, int64_t now_ns);
/** False: there are enough; it must be closed. */
bool psp_plain_put_idle(psp_plain_connection *connection, int64_t now_ns);
void psp_plain_drop_idle(psp_plain_connection *connection);
void psp_plain_attach(psp_plain_connection *connection, psp_plain_request *request, bool reused);
/** A deadline at `at_ns`: sets the timer unless it goes off before that anyhow. */
void psp_plain_arm(psp_plain *plain, int64_t at_ns);

/* ---- without it ---- */

/** One holder lets go. */
void psp_plain_release(psp_plain *plain, psp_plain_request *request);
void psp_plain_free_request(psp_plain_request *request);
/** What follows is the I/O thread's. Sends the request on an idle connection or a new one. */
void psp_plain_open(psp_plain *plain, psp_plain_request *request);
/** Ends the request, and its connection, with an error: "METHOD host: " and this. */
void psp_plain_fail(psp_plain *plain, psp_plain_request *request, psprobe_code code,
                    const char *format, ...) PSPROBE_PRINTF(4, 5);

#endif
