/* SPDX-License-Identifier: MIT */
#include "local/functions/flight.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>

#include <psprobe/timing.h>

#include "base/error.h"
#include "local/functions/hop.h"
#include "local/functions/seats.h"

/* A program that dies closes its connections a moment before it can be seen to have ended. */
#define DYING_NS 50000000

typedef struct flight {
  psp_function_instance *instance;
  psp_function_event *event;
} flight;

void psp_function_refuse(psp_function_event *event, int status, const char *why) {
  psprobe_code code = status == 429   ? PSPROBE_RESOURCE_EXHAUSTED
                      : status == 504 ? PSPROBE_DEADLINE_EXCEEDED
                                      : PSPROBE_UNAVAILABLE;
  psp_exchange_reply_error(event->exchange, status, code, why);
  free(event);
}

/* ---- the request ---- */

/* Headers to come: they are counted first, then put. */
typedef struct header_list {
  const char *connection;
  psp_header *items; /* NULL: counts only */
  size_t count;
} header_list;

static void pass_on(void *arg, const char *name, const char *value) {
  header_list *list = arg;
  if (psp_hop_ends(name, list->connection) || !psp_http_header_check(name, value)) return;
  if (list->items != NULL) list->items[list->count] = (psp_header){name, value};
  list->count++;
}

static void join_connection(void *arg, const char *name, const char *value) {
  psp_buf *joined = arg;
  if (strcasecmp(name, "Connection") == 0) psp_buf_printf(joined, "%s,", value);
}

static bool list_headers(const psp_exchange *exchange, const char *connection, header_list *list) {
  *list = (header_list){.connection = connection};
  psp_exchange_headers(exchange, pass_on, list);
  list->items = malloc((list->count + 1) * sizeof *list->items);
  list->count = 0;
  if (list->items != NULL) psp_exchange_headers(exchange, pass_on, list);
  return list->items != NULL;
}

static psp_http_done on_done;

static psprobe_code send_event(flight *one, psprobe_error *error) {
  const psp_function *function = one->instance->function;
  const psp_exchange *exchange = one->event->exchange;
  const char *path = psp_exchange_path(exchange) + strlen(function->prefix);
  const char *query = psp_exchange_raw_query(exchange);
  psp_buf url = {0}, connection = {0};
  header_list headers = {0};
  psp_buf_printf(&url, "%s%s%s%s", one->instance->url, *path != '\0' ? path : "/",
                 *query != '\0' ? "?" : "", query);
  psp_exchange_headers(exchange, join_connection, &connection);
  psprobe_code code;
  if (!list_headers(exchange, connection.data, &headers) || url.failed || connection.failed) {
    code = psp_fail_memory(error, "event");
  } else {
    psp_http_request request = {.method = psp_exchange_method(exchange),
                                .url = url.data,
                                .headers = headers.items,
                                .header_count = headers.count,
                                .timeout_ns = function->timeout_ns,
                                .no_proxy = true};
    const char *body = psp_exchange_body(exchange, &request.body_len);
    bool has_none = request.body_len == 0 &&
                    (strcmp(request.method, "GET") == 0 || strcmp(request.method, "HEAD") == 0);
    if (!has_none) request.body = body;
    code = psp_http_send(function->host->http, &request, on_done, one, NULL, error);
  }
  psp_buf_free(&url);
  psp_buf_free(&connection);
  free(headers.items);
  return code;
}

/* ---- its answer ---- */

static void answer(psp_exchange *exchange, const psp_http_response *response) {
  const char *type = NULL, *connection = psp_http_header(response, "connection");
  for (size_t i = 0; i < response->header_count; i++) {
    const psp_header *header = &response->headers[i];
    if (psp_hop_ends(header->name, connection)) continue;
    if (strcmp(header->name, "content-type") == 0 && type == NULL)
      type = header->value;
    else
      psp_exchange_set_header(exchange, header->name, header->value);
  }
  psp_exchange_reply(exchange, response->status, type, response->body, response->body_len);
}

/* An instance has one event less. One that gave no answer is replaced, whatever state it is in.
 * @return the event that it is to serve now, or NULL: then it is not to be touched any more */
static psp_function_event *over(psp_function_instance *instance, bool answered, bool broken) {
  psp_function_host *host = instance->function->host;
  psp_function *function = instance->function;
  psp_function_event *next = NULL;
  pthread_mutex_lock(&host->lock);
  instance->flights--;
  instance->served += answered;
  instance->idle_since_ns = psprobe_clock_monotonic();
  function->stats.answered += answered;
  function->stats.lost += !answered;
  if (broken && instance->state == PSP_INSTANCE_READY) {
    instance->state = PSP_INSTANCE_ENDING;
    instance->why = "it gave no answer";
    instance->end_ns = instance->idle_since_ns + DYING_NS;
  }
  if (instance->state == PSP_INSTANCE_READY) next = psp_function_next(function);
  if (next != NULL) instance->flights++;
  bool ends = instance->state == PSP_INSTANCE_ENDING;
  pthread_mutex_unlock(&host->lock);
  if (ends) eventfd_write(host->wake, 1);
  return next;
}

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  flight *one = arg;
  psp_function_instance *instance = one->instance;
  psp_function_event *event = one->event;
  psprobe_error lost = {0};
  if (response == NULL)
    psp_fail(&lost, error->code, "instance %s gave no answer: %s", instance->name, error->message);
  free(one);
  /* Before the answer: who has that may send the next event at once, and finds the seat free. */
  bool broken = response == NULL && lost.code != PSPROBE_RESOURCE_EXHAUSTED;
  psp_function_event *next = over(instance, response != NULL, broken);
  if (response == NULL)
    psp_function_refuse(event, lost.code == PSPROBE_DEADLINE_EXCEEDED ? 504 : 503, lost.message);
  else {
    answer(event->exchange, response);
    free(event);
  }
  if (next != NULL) psp_function_serve(instance, next);
}

void psp_function_serve(psp_function_instance *instance, psp_function_event *event) {
  while (event != NULL) {
    psprobe_error error = {0};
    flight *one = malloc(sizeof *one);
    if (one != NULL) *one = (flight){instance, event};
    if (one != NULL && send_event(one, &error) == PSPROBE_OK) return;
    free(one);
    psp_function_event *next = over(instance, false, false);
    psp_function_refuse(event, 503, one != NULL ? error.message : "out of memory");
    event = next;
  }
}
