/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_SERVER_HUB_H
#define PSP_HTTP_SERVER_HUB_H
/** @file What the streams and bodies of a server share. It outlives the server, as they may. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

/** What the hub knows of a stream. Under the hub's lock. */
typedef struct psp_hub_stream {
  struct MHD_Connection *connection; /* NULL: over */
  bool paused;                       /* suspended until there is something to send */
  bool gone;                         /* nobody is there, or somebody too slow */
  struct psp_hub_stream *next, **at; /* in the hub's list while paused */
} psp_hub_stream;

typedef struct psp_hub {
  pthread_mutex_t lock; /* over every stream's fields */
  bool closing;
  psp_hub_stream *paused;
  atomic_size_t held; /* bytes of bodies that are not answered yet */
  atomic_int holders;
} psp_hub;

psp_hub *psp_hub_new(void);
psp_hub *psp_hub_hold(psp_hub *hub); /**< @return hub */
void psp_hub_release(psp_hub *hub);
/** Ends every stream; none pauses any more. */
void psp_hub_close(psp_hub *hub);
/** The connection `fd` was shut down: if it is one that pauses, it notices now. */
void psp_hub_hang_up(psp_hub *hub, int fd);

/* ---- with the hub's lock held ---- */

void psp_hub_pause(psp_hub *hub, psp_hub_stream *stream);
void psp_hub_resume(psp_hub_stream *stream); /**< if it pauses */
/** Its client has hung up. A paused connection is in nobody's poll set, so we look by ourselves. */
bool psp_hub_is_hung_up(const psp_hub_stream *stream);
/** Cuts it off. */
void psp_hub_drop(psp_hub_stream *stream);

#endif
