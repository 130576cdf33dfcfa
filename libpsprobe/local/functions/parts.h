/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_FUNCTIONS_PARTS_H
#define PSP_LOCAL_FUNCTIONS_PARTS_H
/**
 * @file
 * A function, its instances, and the events that wait for one. The keeper is one thread that starts
 * the programs, watches them and ends them. An event goes to its instance on the thread that it
 * came on, or on the one that freed the seat for it.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/local.h>
#include <psprobe/log.h>

#include "http/client/transport.h"
#include "http/server/server.h"
#include "local/functions/output.h"
#include "os/process.h"

typedef struct psp_function psp_function;
typedef struct psp_function_host psp_function_host;

/** An event that waits for an instance. */
typedef struct psp_function_event {
  struct psp_function_event *next;
  psp_exchange *exchange;
  int64_t until_ns; /**< then it is refused */
} psp_function_event;

typedef enum psp_instance_state {
  PSP_INSTANCE_STARTING,
  PSP_INSTANCE_READY,
  PSP_INSTANCE_ENDING /**< gets no event any more; what is under way may end */
} psp_instance_state;

#define PSP_INSTANCE_NAME_SIZE 96

/** Made and freed by the keeper. */
typedef struct psp_function_instance {
  psp_function *function;
  char name[PSP_INSTANCE_NAME_SIZE]; /**< "function-3" */
  char url[PSP_ADDRESS_SIZE];        /**< set before it is ready */
  /* Under the host's lock; only the keeper changes the list. */
  struct psp_function_instance *prev, *next;
  psp_instance_state state;
  int flights;           /**< events that it has and has not answered */
  uint64_t served;       /**< events that it has answered */
  int64_t idle_since_ns; /**< since when none is under way, where none is */
  const char *why;       /**< it ends, for the log */
  int64_t end_ns;        /**< when it gets SIGTERM, if it is ending; 0: at once */
  /* The keeper's alone. */
  psp_process process;
  bool begun, told;        /**< its program was started; was sent SIGTERM */
  int handle;              /**< of its process, in the keeper's epoll set; -1: none */
  psp_address own;         /**< what PORT says */
  psp_function_output out; /**< what it prints */
  int64_t began_ns;        /**< when it was started */
  int64_t due_ns;          /**< when the keeper is to look at it again */
  int64_t kill_ns;         /**< when SIGKILL follows */
} psp_function_instance;

struct psp_function {
  psp_function *next;
  psp_function_host *host;
  char **argv, **env;
  char *name, *url, *prefix; /**< "function", "http://127.0.0.1:1/f1", "/f1" */
  int concurrency, max_instances, min_instances;
  int64_t idle_ns, start_ns, grace_ns, timeout_ns, wait_ns;
  /* Under the host's lock: */
  psp_function_event *first, *last; /**< waiting */
  size_t waiting;
  psp_function_instance *all;
  uint64_t made;    /**< instances, ever */
  int64_t retry_ns; /**< before that none is started but for an event */
  psprobe_local_function_stats stats;
};

struct psp_function_host {
  psprobe_logger logger;
  pthread_mutex_t lock; /**< never held across I/O */
  psp_server *server;
  psp_http *http;
  psp_function *functions; /**< appended under the lock, never removed */
  unsigned count;
  bool closing;
  int wake; /**< eventfd: the keeper is to look again */
  int epoll;
  pthread_t keeper;
  bool kept; /**< there is that thread */
};

#endif
