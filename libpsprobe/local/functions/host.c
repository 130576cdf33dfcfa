/* SPDX-License-Identifier: MIT */
#include "local/functions/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <psprobe/timing.h>

#include "base/error.h"
#include "base/text.h"
#include "local/functions/flight.h"
#include "local/functions/keeper.h"
#include "local/functions/parts.h"
#include "local/functions/seats.h"
#include "local/functions/settings.h"
#include "local/rest.h"
#include "os/limit.h"

#define MAX_BODY (32 * 1024 * 1024) /* as Cloud Run has it over HTTP/1 */

static psp_function *find(psp_function_host *host, const char *path) {
  pthread_mutex_lock(&host->lock);
  psp_function *function = host->functions;
  for (; function != NULL; function = function->next) {
    size_t len = strlen(function->prefix);
    if (strncmp(path, function->prefix, len) == 0 && (path[len] == '\0' || path[len] == '/')) break;
  }
  pthread_mutex_unlock(&host->lock);
  return function;
}

/* Gives an event to an instance that has a free seat, or has it wait for one. */
static void place(psp_function *function, psp_function_event *event) {
  psp_function_host *host = function->host;
  pthread_mutex_lock(&host->lock);
  bool closing = host->closing;
  psp_function_instance *seat = closing ? NULL : psp_function_seat(function);
  if (seat != NULL)
    seat->flights++;
  else if (!closing)
    psp_function_queue(function, event);
  pthread_mutex_unlock(&host->lock);
  if (seat != NULL)
    psp_function_serve(seat, event);
  else if (closing)
    psp_function_refuse(event, 503, "the function host is being stopped");
  else
    eventfd_write(host->wake, 1);
}

static void receive(void *arg, psp_exchange *exchange) {
  psp_function_host *host = arg;
  psp_function *function = find(host, psp_exchange_path(exchange));
  if (function == NULL) {
    psp_exchange_reply_error(exchange, 404, PSPROBE_NOT_FOUND, "no function has this path");
    return;
  }
  psp_function_event *event = calloc(1, sizeof *event);
  if (event == NULL) {
    psp_exchange_reply_error(exchange, 503, PSPROBE_UNAVAILABLE, "out of memory");
    return;
  }
  event->exchange = exchange;
  event->until_ns = psprobe_clock_monotonic() + function->wait_ns;
  place(function, event);
}

psprobe_code psp_function_host_new(const char *listen, const psprobe_logger *logger,
                                   psp_function_host **out, psprobe_error *error) {
  psp_function_host *host = calloc(1, sizeof *host);
  if (host == NULL) return psp_fail_memory(error, "function host");
  host->wake = host->epoll = -1;
  if (logger != NULL) host->logger = *logger;
  pthread_mutex_init(&host->lock, NULL);
  psp_http_options http = {.user_agent = "psprobe-local/" PSPROBE_VERSION, .logger = &host->logger};
  psp_route all = {.method = "*", .pattern = "/*", .handler = receive, .arg = host};
  psp_server_options options = {
      .listen = listen != NULL ? listen : "127.0.0.1:0",
      .what = "the function host's address",
      .routes = &all,
      .route_count = 1,
      .max_body = MAX_BODY,
      .packed = true,
      .max_connections = (unsigned)psp_limit_files_share(PSP_FILES_MINOR, PSP_LOCAL_CONNECTIONS),
      .logger = logger};
  psprobe_code code = psp_http_new(&http, &host->http, error);
  if (code == PSPROBE_OK && !psp_function_keeper_start(host))
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED,
                    "start the function host: no threads or file descriptors left");
  if (code == PSPROBE_OK) code = psp_server_new(&options, &host->server, error);
  if (code != PSPROBE_OK)
    psp_function_host_free(host);
  else
    *out = host;
  return code;
}

psprobe_code psp_function_host_add(psp_function_host *host,
                                   const psprobe_local_function_options *options, const char **url,
                                   psprobe_error *error) {
  psp_function *function = NULL;
  psprobe_code code = psp_function_new(options, &function, error);
  if (code != PSPROBE_OK) return code;
  psp_buf prefix = {0}, whole = {0};
  pthread_mutex_lock(&host->lock);
  psp_buf_printf(&prefix, "/f%u", host->count + 1);
  psp_buf_printf(&whole, "%s/f%u", psp_server_url(host->server), host->count + 1);
  function->host = host;
  function->prefix = psp_buf_take(&prefix, NULL);
  function->url = psp_buf_take(&whole, NULL);
  bool ok = function->prefix != NULL && function->url != NULL;
  if (ok) {
    host->count++;
    function->next = host->functions;
    host->functions = function;
    *url = function->url;
  }
  pthread_mutex_unlock(&host->lock);
  if (ok) {
    eventfd_write(host->wake, 1); /* for the instances that are kept */
    return PSPROBE_OK;
  }
  psp_function_free(function);
  return psp_fail_memory(error, "function");
}

static void add_up(psprobe_local_function_stats *sum, const psprobe_local_function_stats *more) {
  sum->running += more->running;
  sum->started += more->started;
  sum->ready += more->ready;
  sum->failed += more->failed;
  sum->answered += more->answered;
  sum->lost += more->lost;
  sum->refused += more->refused;
}

bool psp_function_host_stats(psp_function_host *host, const char *url,
                             psprobe_local_function_stats *stats) {
  bool found = url == NULL;
  *stats = (psprobe_local_function_stats){0};
  pthread_mutex_lock(&host->lock);
  for (const psp_function *each = host->functions; each != NULL; each = each->next) {
    if (url != NULL && strcmp(url, each->url) != 0) continue;
    add_up(stats, &each->stats);
    found = true;
  }
  pthread_mutex_unlock(&host->lock);
  return found;
}

void psp_function_host_free(psp_function_host *host) {
  if (host == NULL) return;
  psp_function_keeper_stop(host);
  psp_http_free(host->http); /* its callbacks give the last answers */
  psp_server_free(host->server);
  while (host->functions != NULL) {
    psp_function *function = host->functions;
    host->functions = function->next;
    psp_function_free(function);
  }
  pthread_mutex_destroy(&host->lock);
  free(host);
}
