/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_PARTS_H
#define PSP_LOCAL_FUNCTIONS_PARTS_H
/**
 * @file
 * What function_host.c (who gets which event) and function_instance.c (one
 * instance: its program, its thread) share.
 *
 * Each instance has a thread of its own, which starts the program, hands it
 * one event after the other, and stops it. That thread must live as long as
 * the program: the kernel kills the program when it ends (PR_SET_PDEATHSIG).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <psprobe/log.h>

#include "http/client/transport.h"
#include "http/server/server.h"
#include "local/functions/host.h"

/** An event that waits for an instance. */
typedef struct psp_function_event {
  struct psp_function_event *next;
  psp_exchange *exchange;
} psp_function_event;

typedef struct psp_function psp_function;

typedef struct psp_function_instance {
  psp_function *function;
  struct psp_function_instance *prev, *next; /**< among all of its function */
  struct psp_function_instance *next_idle;
  bool idle;
  int wake; /**< eventfd: look again */
} psp_function_instance;

struct psp_function {
  struct psp_function *next;
  psp_function_host *host;
  char **argv;
  char *url, *prefix; /**< "http://127.0.0.1:1/f1", "/f1" */
  int64_t idle_ns, start_ns;
  int max_instances;
  /* Under the host's lock: */
  psp_function_event *first, *last; /**< waiting */
  size_t waiting;
  psp_function_instance *all;
  psp_function_instance
      *idle;     /**< the one that was busy last comes first, so that others can end */
  int instances; /**< that take events, or will */
  int coming;    /**< those of them that will look for an event soon: starting, or just done */
  int threads;   /**< with those that are stopping */
};

struct psp_function_host {
  psprobe_logger logger;
  pthread_mutex_t lock;
  pthread_cond_t ended_one;
  psp_server *server;
  psp_http *http;
  psp_function *functions; /**< appended under the lock, never removed */
  unsigned count;
  bool closing;
  atomic_int running;
  atomic_ullong started;
};

/** function_instance.c: begins an instance, which counts already. With the lock held. False: there
 * is no memory or thread for it. */
bool psp_function_instance_begin(psp_function *function);

/** function_flight.c: an event's request to the program, and its answer. */
typedef struct psp_function_flight psp_function_flight;
/** Sends the exchange's request to the program at `url`. `wake` is written to when it is over. */
psp_function_flight *psp_function_flight_new(psp_function *function, const char *url,
                                             const psp_exchange *exchange, int wake,
                                             psprobe_error *error);
bool psp_function_flight_done(psp_function_flight *flight);
void psp_function_flight_cancel(psp_function_flight *flight);
/* Once it is done: */
bool psp_function_flight_answered(const psp_function_flight *flight);
/** Answers with the program's status, headers and body. */
void psp_function_flight_reply(const psp_function_flight *flight, psp_exchange *exchange);
void psp_function_flight_release(psp_function_flight *flight);

/* queue.c */
/** The event to serve next, or NULL: there is none now. With the lock held. */
psp_function_event *psp_function_next(psp_function *function);
/** Answers an event 503 and frees it. */
void psp_function_fail(psp_function_event *event, const char *why);
/** Takes an instance out of the idle ones, if it is there. With the lock held. */
void psp_function_not_idle(psp_function_instance *instance);

#endif
