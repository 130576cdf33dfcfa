/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_PARTS_H
#define PSP_HTTP_SERVER_PARTS_H
/**
 * @file
 * What the server's parts share: one request and its answer, between libmicrohttpd's threads and
 * ours.
 *
 * A connection keeps one exchange and uses it for one request after another.
 * An exchange that is not answered when its handler returns waits: its
 * connection is suspended, which costs neither a thread nor a timer. The state
 * says who may touch what:
 *
 *     READING -> HANDLING (or WAITING) -> READING   its head was let in
 *     READING -> HANDLING -> ANSWERED         answered by its handler
 *                HANDLING -> WAITING -> ANSWERED   answered later
 *                HANDLING or WAITING -> ABANDONED  the server ended before that
 */
#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "http/server/gunzip.h"
#include "http/server/hub.h"
#include "http/server/room.h"
#include "http/server/router.h"
#include "http/server/server.h"

typedef enum psp_exchange_state {
  PSP_READING,
  PSP_HANDLING,
  PSP_WAITING,
  PSP_ANSWERED,
  PSP_ABANDONED
} psp_exchange_state;

/** A text that lives as long as the request. */
typedef struct psp_kept_text {
  struct psp_kept_text *next;
  char text[];
} psp_kept_text;

/** A header of the answer to come: name, zero, value, zero. */
typedef struct psp_reply_header {
  struct psp_reply_header *next;
  const char *value;
  char name[];
} psp_reply_header;

struct psp_exchange {
  psp_server *server; /* gone when the exchange is abandoned */
  psp_hub *hub;
  struct MHD_Connection *connection;
  _Atomic int state;
  atomic_int ends; /* of an abandoned one: the server and the holder both let go of it */
  int64_t received_ns;
  const char *method;
  psp_buf target; /* path, zero, query, zero */
  const char *query;
  const char *line_at; /* the target in libmicrohttpd's buffer, and where it ends */
  const char *line_end;
  psp_buf scratch, body;
  size_t held;        /* of the body, among the hub's */
  bool gzipped;       /* the body is to be unpacked */
  psp_gunzip *gunzip; /* once some of it has come */
  psp_route_match found;
  psp_match match;
  psp_kept_text *kept;
  psp_reply_header *headers, **headers_end;
  bool header_lost; /* for want of memory: then there is no answer */
  bool begun;
  bool at_head; /* its route is asked whether the body shall be taken */
  bool last;    /* its connection ends with the answer */
  bool refused; /* an error is sent already, and what still comes of the body is thrown away */
  size_t thrown_away;
  struct MHD_Response *response; /* NULL when answered: no memory for it */
  unsigned status;
  bool response_shared;
  bool streams;                             /* the answer has no end of its own */
  psp_exchange *next_waiting, **waiting_at; /* the server's list, under its lock */
};

/** What libmicrohttpd keeps for us with a connection. */
typedef struct psp_connection {
  psp_exchange *exchange; /* NULL: it was abandoned */
  psp_guest *guest;
  bool counted; /* among the server's active ones */
} psp_connection;

struct psp_reply {
  struct MHD_Response *response, *last; /* last: with "Connection: close" */
  unsigned status;
};

struct psp_server {
  struct MHD_Daemon *daemon;
  int listener, port;
  char url[80];
  pthread_t acceptor;
  int wake; /* an eventfd: the acceptor has to end */
  bool accepting;
  int64_t idle_ns, request_ns;
  psp_router *router;
  psprobe_logger logger;
  psp_handler *admit;
  void *admit_arg;
  void (*http2)(void *arg, psp_server *server, int fd);
  void *http2_arg;
  size_t max_body, max_held;
  bool packed;
  psp_reply *unavailable; /* 503 */

  pthread_mutex_t lock;
  pthread_cond_t changed;
  psp_exchange *waiting;
  psp_hub *hub;
  bool closing, quiesced;
  atomic_int active; /* requests that are whole and whose answer is not sent yet */

  pthread_mutex_t room_lock; /* over what follows; a connection in the room is open */
  psp_room room;
  uint64_t starved; /* no descriptor or memory was left for a connection */

  _Atomic uint64_t untaken;   /* see psp_server_stats */
  _Atomic int64_t untaken_ns; /* monotonic, of the newest; 0: none */
};

psp_exchange *psp_exchange_new(psp_server *server, struct MHD_Connection *connection);
void psp_exchange_free(psp_exchange *exchange);
/** Makes it ready for the connection's next request. */
void psp_exchange_reset(psp_exchange *exchange);

/** The request is whole: to its handler, or answered here. */
void psp_exchange_call(psp_exchange *exchange);
/** Somebody who may have had something to ask was turned away. Any thread. */
void psp_server_miss(psp_server *server);

/** Answers with a response that is then owned by the exchange. From any thread. */
void psp_exchange_answer(psp_exchange *exchange, struct MHD_Response *response, unsigned status,
                         bool shared);
/** The Content-Type and what psp_exchange_set_header said; `exchange` may be NULL. */
void psp_response_add_headers(struct MHD_Response *response, const psp_exchange *exchange,
                              const char *type);
/** After its handler has returned, on the server's thread: false when the exchange now waits. */
bool psp_exchange_settle(psp_exchange *exchange);
/** Gives up every exchange that waits; none waits any more when this returns. */
void psp_exchange_abandon_all(psp_server *server);
/** One of the two sides lets go of an abandoned exchange. */
void psp_exchange_let_go(psp_exchange *exchange);

#endif
