/* SPDX-License-Identifier: MIT */
#include "local/functions/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/error.h"
#include "base/text.h"
#include "local/functions/parts.h"

enum { DEFAULT_INSTANCES = 8, MAX_BODY = 32 * 1024 * 1024 };
static const int64_t default_idle_ns = 15000000000, default_start_ns = 10000000000;

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

/* With the lock held: sees to it that an instance comes for what waits. Those that are coming
 * will take what waits, so only more than they are calls for another. */
static bool provide(psp_function *function) {
  psp_function_instance *idle = function->idle;
  if (idle != NULL) {
    psp_function_not_idle(idle);
    eventfd_write(idle->wake, 1);
    return true;
  }
  if (function->waiting <= (size_t)function->coming ||
      function->instances >= function->max_instances)
    return true;
  function->instances++;
  function->coming++;
  if (psp_function_instance_begin(function)) return true;
  function->instances--;
  function->coming--;
  return function->instances > 0;
}

static void receive(void *arg, psp_exchange *exchange) {
  psp_function_host *host = arg;
  psp_function *function = find(host, psp_exchange_path(exchange));
  psp_function_event *event = function != NULL ? calloc(1, sizeof *event) : NULL;
  if (event == NULL) {
    psp_exchange_reply_error(exchange, function != NULL ? 503 : 404,
                             function != NULL ? PSPROBE_UNAVAILABLE : PSPROBE_NOT_FOUND,
                             function != NULL ? "out of memory" : "no function has this path");
    return;
  }
  event->exchange = exchange;
  pthread_mutex_lock(&host->lock);
  bool taken = !host->closing;
  if (taken) {
    if (function->first != NULL)
      function->last->next = event;
    else
      function->first = event;
    function->last = event;
    function->waiting++;
    taken = provide(function);
    if (!taken) psp_function_next(function); /* there are no instances, so it is the only one */
  }
  pthread_mutex_unlock(&host->lock);
  if (!taken) psp_function_fail(event, "no instance can be started");
}

psprobe_code psp_function_host_new(const psprobe_logger *logger, psp_function_host **out,
                                   psprobe_error *error) {
  psp_function_host *host = calloc(1, sizeof *host);
  if (host == NULL) return psp_fail_memory(error, "function host");
  if (logger != NULL) host->logger = *logger;
  pthread_mutex_init(&host->lock, NULL);
  pthread_cond_init(&host->ended_one, NULL);
  psp_http_options http = {.user_agent = "psprobe-local/" PSPROBE_VERSION, .logger = &host->logger};
  psp_route all = {.method = "POST", .pattern = "/*", .handler = receive, .arg = host};
  psp_server_options options = {.listen = "127.0.0.1:0",
                                .what = "the function host's address",
                                .routes = &all,
                                .route_count = 1,
                                .max_body = MAX_BODY,
                                .logger = logger};
  psprobe_code code = psp_http_new(&http, &host->http, error);
  if (code == PSPROBE_OK) code = psp_server_new(&options, &host->server, error);
  if (code != PSPROBE_OK)
    psp_function_host_free(host);
  else
    *out = host;
  return code;
}

static void function_free(psp_function *function) {
  for (size_t i = 0; function->argv != NULL && function->argv[i] != NULL; i++)
    free(function->argv[i]);
  free(function->argv);
  free(function->url);
  free(function->prefix);
  free(function);
}

static char **copy_argv(const char *const *argv) {
  size_t count = 0;
  while (argv[count] != NULL)
    count++;
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy != NULL && i < count; i++) {
    if ((copy[i] = psp_strdup(argv[i])) != NULL) continue;
    while (i-- > 0)
      free(copy[i]);
    free(copy);
    return NULL;
  }
  return copy;
}

psprobe_code psp_function_host_add(psp_function_host *host, const psprobe_local_function *options,
                                   const char **url, psprobe_error *error) {
  if (options->argv == NULL || options->argv[0] == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "add function: no program is given");
  if (options->max_instances < 0 || options->idle_ns < 0 || options->start_ns < 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "add function %s: numbers of instances and times are not negative",
                    options->argv[0]);
  psp_function *function = calloc(1, sizeof *function);
  if (function == NULL) return psp_fail_memory(error, "function");
  psp_buf prefix = {0}, whole = {0};
  pthread_mutex_lock(&host->lock);
  psp_buf_printf(&prefix, "/f%u", ++host->count);
  psp_buf_printf(&whole, "%s%s", psp_server_url(host->server),
                 prefix.data != NULL ? prefix.data : "");
  function->host = host;
  function->argv = copy_argv(options->argv);
  function->prefix = psp_buf_take(&prefix, NULL);
  function->url = psp_buf_take(&whole, NULL);
  function->idle_ns = options->idle_ns ? options->idle_ns : default_idle_ns;
  function->start_ns = options->start_ns ? options->start_ns : default_start_ns;
  function->max_instances = options->max_instances ? options->max_instances : DEFAULT_INSTANCES;
  bool ok = function->argv != NULL && function->prefix != NULL && function->url != NULL;
  if (ok) {
    function->next = host->functions;
    host->functions = function;
    *url = function->url;
  }
  pthread_mutex_unlock(&host->lock);
  if (ok) return PSPROBE_OK;
  function_free(function);
  return psp_fail_memory(error, "function");
}

void psp_function_host_count(psp_function_host *host, int *running, uint64_t *started) {
  *running = atomic_load(&host->running);
  *started = atomic_load(&host->started);
}

/* Ends every instance, and waits for it. */
static void end_instances(psp_function_host *host) {
  pthread_mutex_lock(&host->lock);
  host->closing = true;
  for (psp_function *function = host->functions; function != NULL; function = function->next) {
    for (psp_function_instance *each = function->all; each != NULL; each = each->next)
      eventfd_write(each->wake, 1);
    for (psp_function_event *event; (event = psp_function_next(function)) != NULL;)
      psp_function_fail(event, "the function host is being stopped");
  }
  for (psp_function *function = host->functions; function != NULL; function = function->next)
    while (function->threads > 0)
      pthread_cond_wait(&host->ended_one, &host->lock);
  pthread_mutex_unlock(&host->lock);
}

void psp_function_host_free(psp_function_host *host) {
  if (host == NULL) return;
  end_instances(host);
  psp_server_free(host->server);
  psp_http_free(host->http);
  while (host->functions != NULL) {
    psp_function *function = host->functions;
    host->functions = function->next;
    function_free(function);
  }
  pthread_cond_destroy(&host->ended_one);
  pthread_mutex_destroy(&host->lock);
  free(host);
}
