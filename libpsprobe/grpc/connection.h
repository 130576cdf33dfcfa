/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_CONNECTION_H
#define PSP_GRPC_CONNECTION_H
/** @file One socket with the session on it: bytes carried, pings, a peer that is silent. */
#include "grpc/link.h"
#include "grpc/session.h"

/** When a peer that says nothing is taken for dead. */
typedef struct psp_patience {
  int64_t first_ns;  /**< until its first byte; INT64_MAX: for ever */
  int64_t ping_ns;   /**< between pings, while calls live; INT64_MAX: none are sent */
  int64_t pong_ns;   /**< after a ping; three times as long where not `armed` */
  const bool *armed; /**< whether its peer has ever answered one. NULL: it is not asked */
} psp_patience;

typedef struct psp_rpc_connection {
  struct psp_rpc_connection *next; /**< the owner's */
  psp_link *link;
  psp_session *session;
  psp_patience patience;
  bool heard; /**< the peer has said something */
  bool up;    /**< and it was HTTP/2 */
  bool over;  /**< of no more use: `code` and `why` say why. Its calls live until they are ended */
  psprobe_code code;
  char why[240];
  psp_buf out;
  size_t out_at; /* of it are written */
  bool busy;     /* calls live; the link's host was told */
  bool early;    /* the last ping went out before its time */
  bool again;    /* there may be more to read at once */
  int64_t begun_ns, heard_ns, pinged_ns;
  int64_t look_ns; /* when its silence is looked at, at the latest */
} psp_rpc_connection;

/** Takes the link, also on failure. NULL: no memory. */
psp_rpc_connection *psp_connection_new(psp_link *link, const psp_session_options *options,
                                       const psp_patience *patience, int64_t now_ns);
void psp_connection_free(psp_rpc_connection *connection);

/** What poll(2) is to wait for. */
short psp_connection_events(const psp_rpc_connection *connection);
/**
 * Begins a call and writes it, where nothing else is to be written or read; tells nobody
 * anything. @param due_ns when psp_connection_tick is to be called at the latest; 0: now
 * @return false: it has not begun, and nothing has changed
 */
bool psp_connection_begin(psp_rpc_connection *connection, psp_rpc *rpc, int64_t now_ns,
                          int64_t *due_ns);
/** Reads what has come. */
void psp_connection_read(psp_rpc_connection *connection, int64_t now_ns);
/** Writes what is to be sent, as far as it goes without waiting. */
void psp_connection_write(psp_rpc_connection *connection);
/** A call was not answered in time: where nothing at all has come for as long as a pong may take,
 * the connection is over. */
void psp_connection_doubt(psp_rpc_connection *connection, int64_t now_ns);
/** Deadlines, pings. @return when next */
int64_t psp_connection_tick(psp_rpc_connection *connection, int64_t now_ns);

#endif
