/* SPDX-License-Identifier: MIT */
#include "local/pubsub/host.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "local/pubsub/push.h"
#include "local/rest.h"
#include "os/thread.h"
#include "os/wait.h"

struct psp_broker_host {
  pthread_mutex_t lock; /* held for the broker's short calls; never across I/O */
  pthread_cond_t changed;
  psp_broker *broker;
  int64_t wakes_ns; /* when the clock thread looks next */
  bool stopping;
  bool running; /* the clock thread */
  pthread_t clock;
  psp_broker_pusher *pusher;
  psp_server *server;
  psp_rpc_server *rpcs;
};

psp_instant psp_broker_host_now(void) {
  return (psp_instant){.mono_ns = psprobe_clock_monotonic(),
                       .wall_ms = psprobe_clock_wall() / PSP_MS_NS};
}

psp_broker *psp_broker_host_lock(psp_broker_host *host) {
  pthread_mutex_lock(&host->lock);
  return host->broker;
}

void psp_broker_host_unlock(psp_broker_host *host) {
  psp_broker_mail mail = psp_broker_outbox(host->broker);
  bool stopping = host->stopping;
  if (psp_broker_next(host->broker) < host->wakes_ns) pthread_cond_signal(&host->changed);
  pthread_mutex_unlock(&host->lock);
  for (psp_broker_waiter *pull = mail.pulls, *next; pull != NULL; pull = next) {
    next = pull->next;
    pull->answer(pull);
  }
  for (psp_broker_push *push = mail.pushes, *next; push != NULL; push = next) {
    next = push->next;
    if (stopping)
      psp_broker_push_free(push);
    else
      psp_broker_pusher_send(host->pusher, push);
  }
}

/* Sleeps until the broker has something to do, or `changed` is signalled. Holds the lock. */
static void sleep_until(psp_broker_host *host, int64_t when) {
  host->wakes_ns = when;
  psp_cond_wait_until(&host->changed, &host->lock, when);
  host->wakes_ns = INT64_MIN;
}

static void *run_clock(void *arg) {
  psp_broker_host *host = arg;
  psp_broker *broker = psp_broker_host_lock(host);
  while (!host->stopping) {
    psp_instant now = psp_broker_host_now();
    if (psp_broker_next(broker) > now.mono_ns) {
      sleep_until(host, psp_broker_next(broker));
      continue;
    }
    psp_broker_tick(broker, now);
    psp_broker_host_unlock(host);
    psp_broker_host_lock(host);
  }
  psp_broker_host_unlock(host);
  return NULL;
}

static void push_is_over(void *arg, psp_broker_push *push, bool ok) {
  psp_broker_host *host = arg;
  psp_broker_push_done(psp_broker_host_lock(host), push, ok, psp_broker_host_now());
  psp_broker_host_unlock(host);
  psp_broker_push_free(push);
}

static void take_http2(void *arg, psp_server *server, int fd) {
  const psp_broker_host *host = arg;
  const psp_link_host places = {psp_server_set_busy, psp_server_part, server};
  psp_rpc_server_take(host->rpcs, fd, &places);
}

static psprobe_code start(psp_broker_host *host, const char *listen, const psp_broker_faces *faces,
                          const psprobe_logger *logger, psprobe_error *error) {
  host->broker = psp_broker_new();
  host->pusher = host->broker != NULL ? psp_broker_pusher_new(push_is_over, host, logger) : NULL;
  if (host->pusher == NULL) return psp_fail_memory(error, "broker");
  if (!psp_thread_start(&host->clock, "psp-broker", run_clock, host))
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                    "start the broker's thread: no more threads");
  host->running = true;
  const psp_rpc_server_options rpcs = {.accept = faces->grpc, .arg = host};
  psprobe_code code = psp_rpc_server_new(&rpcs, &host->rpcs, error);
  if (code != PSPROBE_OK) return code;
  psp_route all = {.method = "*", .pattern = "/*", .handler = faces->rest, .arg = host};
  psp_server_options options = {.listen = listen != NULL ? listen : "127.0.0.1:0",
                                .what = "the address of the Pub/Sub stand-in",
                                .routes = &all,
                                .route_count = 1,
                                .max_body = PSP_LOCAL_BODY,
                                .max_connections = PSP_LOCAL_CONNECTIONS,
                                .http2 = take_http2,
                                .http2_arg = host,
                                .logger = logger};
  return psp_server_new(&options, &host->server, error);
}

psprobe_code psp_broker_host_new(const char *listen, const psp_broker_faces *faces,
                                 const psprobe_logger *logger, psp_broker_host **out,
                                 psprobe_error *error) {
  psp_broker_host *host = calloc(1, sizeof *host);
  if (host == NULL) return psp_fail_memory(error, "broker");
  pthread_mutex_init(&host->lock, NULL);
  psp_cond_init(&host->changed);
  psprobe_code code = start(host, listen, faces, logger, error);
  if (code != PSPROBE_OK)
    psp_broker_host_free(host);
  else
    *out = host;
  return code;
}

void psp_broker_host_free(psp_broker_host *host) {
  if (host == NULL) return;
  if (host->broker != NULL) {
    psp_broker *broker = psp_broker_host_lock(host);
    host->stopping = true;
    psp_broker_close(broker);
    pthread_cond_signal(&host->changed);
    psp_broker_host_unlock(host);
  }
  if (host->running) pthread_join(host->clock, NULL);
  /* From here on the server's threads are the only ones that could send a push, then none is. */
  if (host->server != NULL) psp_server_quiesce(host->server);
  psp_rpc_server_free(host->rpcs);
  psp_server_free(host->server);
  psp_broker_pusher_free(host->pusher);
  psp_broker_free(host->broker);
  pthread_cond_destroy(&host->changed);
  pthread_mutex_destroy(&host->lock);
  free(host);
}

psp_rpc_server *psp_broker_host_grpc(psp_broker_host *host) {
  return host->rpcs;
}

int psp_broker_host_port(const psp_broker_host *host) {
  return psp_server_port(host->server);
}
