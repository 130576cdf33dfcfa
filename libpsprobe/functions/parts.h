/* SPDX-License-Identifier: MIT */
#ifndef PSP_FUNCTIONS_PARTS_H
#define PSP_FUNCTIONS_PARTS_H
/**
 * @file
 * What the parts of a served function share: one request, the calls that are made of it, and the
 * function. A request becomes one call, but for a batch of events. It is answered when the last of
 * its calls has ended; each call is held by the function that runs and by whoever ends it.
 */
#include <pthread.h>
#include <stdatomic.h>

#include <psprobe/function.h>

#include "auth/verify/gate.h"
#include "functions/function.h"
#include "functions/instance.h"
#include "http/server/server.h"
#include "os/pool.h"

typedef struct psp_served psp_served;

struct psprobe_call {
  psp_served *served;
  const psprobe_event *event;
  psprobe_legacy_event legacy;
  uint64_t number;
  bool later;
};

/** The answer to be. */
typedef struct psp_served_reply {
  int status; /**< 0: none was set */
  char *type, *body;
  size_t len;
  bool lost; /**< for want of memory */
} psp_served_reply;

struct psp_served {
  psp_task task; /**< first */
  psprobe_function *function;
  psp_exchange *exchange;
  psprobe_events *events;
  psprobe_call *calls;
  atomic_size_t left;  /**< calls that have not ended, and one for the beginning of them */
  _Atomic int outcome; /**< PSPROBE_OK, or the code of a call that failed */
  psp_served_reply reply;
  psprobe_error refusal; /**< of an event that cannot be what the target takes */
};

struct psprobe_function {
  psprobe_target target;
  psp_function_hooks hooks;
  psprobe_logger logger;
  psp_instance own, *instance;
  psp_gate gate;
  psp_server *server;
  psp_pool *pool; /**< NULL: the target is called at once */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  size_t active; /**< requests */
  _Atomic uint64_t failed, refused, unhandled;
};

/** A psp_handler: calls the function with what came. */
void psp_served_begin(void *function, psp_exchange *exchange);
/** Frees a request that is answered. */
void psp_served_free(psp_served *served);
/** Lets go of a call that has ended; answers after the last. */
void psp_served_end_call(psp_served *served);
/** A call came to that: counts, and logs what went wrong. */
void psp_function_note(psprobe_call *call, psprobe_code code, const psprobe_error *error);
/** Logs a request that is refused, or an event that nobody handles. */
void psp_function_note_event(psprobe_function *function, const char *what, psprobe_code code,
                             const psprobe_error *error);

#endif
