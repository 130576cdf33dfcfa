/* SPDX-License-Identifier: MIT */
/** @file One event's request to an instance's program, and its answer. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>

#include "base/error.h"
#include "local/functions/parts.h"

static const int64_t request_ns = 600000000000; /* as long as the longest ack deadline */

/* A request to the program. Shared with the HTTP client's thread, and its last user frees it. */
struct psp_function_flight {
  pthread_mutex_t lock; /* so that who sees `done` knows that the wake is over, too */
  atomic_int holders;
  bool done;
  psp_function *function;
  uint64_t id;
  int wake;
  int status;      /* 0: no answer */
  psp_buf headers; /* name, zero, value, zero, … */
  psp_buf body;
};

void psp_function_flight_release(psp_function_flight *one) {
  if (atomic_fetch_sub(&one->holders, 1) != 1) return;
  pthread_mutex_destroy(&one->lock);
  psp_buf_free(&one->headers);
  psp_buf_free(&one->body);
  free(one);
}

static psp_function_flight *make(int wake) {
  psp_function_flight *one = calloc(1, sizeof *one);
  if (one == NULL) return NULL;
  pthread_mutex_init(&one->lock, NULL);
  atomic_init(&one->holders, 2);
  one->wake = wake;
  return one;
}

bool psp_function_flight_done(psp_function_flight *one) {
  pthread_mutex_lock(&one->lock);
  bool done = one->done;
  pthread_mutex_unlock(&one->lock);
  return done;
}

/* What belongs to one connection or one message's form, and is made anew for the next. */
static bool is_of_the_connection(const char *name) {
  static const char *const names[] = {"Host",   "Content-Length",    "Connection", "Keep-Alive",
                                      "TE",     "Transfer-Encoding", "Trailer",    "Upgrade",
                                      "Expect", "Proxy-Connection",  "Date"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcasecmp(name, names[i]) == 0) return true;
  return false;
}

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  (void)error;
  psp_function_flight *one = arg;
  for (size_t i = 0; response != NULL && i < response->header_count; i++) {
    const psp_header *header = &response->headers[i];
    if (is_of_the_connection(header->name)) continue;
    psp_buf_add(&one->headers, header->name, strlen(header->name) + 1);
    psp_buf_add(&one->headers, header->value, strlen(header->value) + 1);
  }
  if (response != NULL) {
    psp_buf_add(&one->body, response->body, response->body_len);
    one->status = response->status;
  }
  pthread_mutex_lock(&one->lock);
  one->done = true;
  eventfd_write(one->wake, 1);
  pthread_mutex_unlock(&one->lock);
  psp_function_flight_release(one);
}

/* Headers to come: they are counted first, then put. */
typedef struct header_list {
  psp_header *items; /* NULL: counts only */
  size_t count;
} header_list;

static void pass_on(void *arg, const char *name, const char *value) {
  header_list *list = arg;
  if (is_of_the_connection(name) || !psp_http_header_check(name, value)) return;
  if (list->items != NULL) list->items[list->count] = (psp_header){name, value};
  list->count++;
}

static psprobe_code send_event(const char *base, const psp_exchange *exchange,
                               psp_function_flight *one, psprobe_error *error) {
  header_list headers = {0};
  size_t len;
  psp_exchange_headers(exchange, pass_on, &headers);
  headers.items = malloc((headers.count + 1) * sizeof *headers.items);
  if (headers.items == NULL) return psp_fail_memory(error, "event");
  headers.count = 0;
  psp_exchange_headers(exchange, pass_on, &headers);
  const char *rest = psp_exchange_path(exchange) + strlen(one->function->prefix);
  psp_buf url = {0};
  const char *query = psp_exchange_raw_query(exchange);
  psp_buf_printf(&url, "%s%s%s%s", base, *rest ? rest : "/", *query ? "?" : "", query);
  psp_http_request request = {.method = "POST",
                              .url = url.data != NULL ? url.data : base,
                              .headers = headers.items,
                              .header_count = headers.count,
                              .body = psp_exchange_body(exchange, &len),
                              .timeout_ns = request_ns,
                              .no_proxy = true};
  request.body_len = len;
  psprobe_code code =
      psp_http_send(one->function->host->http, &request, on_done, one, &one->id, error);
  psp_buf_free(&url);
  free(headers.items);
  return code;
}

psp_function_flight *psp_function_flight_new(psp_function *function, const char *url,
                                             const psp_exchange *exchange, int wake,
                                             psprobe_error *error) {
  psp_function_flight *one = make(wake);
  if (one == NULL) {
    psp_fail_memory(error, "event");
    return NULL;
  }
  one->function = function;
  if (send_event(url, exchange, one, error) == PSPROBE_OK) return one;
  atomic_store(&one->holders, 1); /* on_done, which holds it too, will not be called */
  psp_function_flight_release(one);
  return NULL;
}

void psp_function_flight_cancel(psp_function_flight *one) {
  psp_http_cancel(one->function->host->http, one->id);
}

bool psp_function_flight_answered(const psp_function_flight *one) {
  return one->status != 0 && !one->body.failed && !one->headers.failed;
}

void psp_function_flight_reply(const psp_function_flight *one, psp_exchange *exchange) {
  const char *type = NULL, *end = one->headers.data + one->headers.len;
  for (const char *name = one->headers.data, *value; name != end;
       name = value + strlen(value) + 1) {
    value = name + strlen(name) + 1;
    if (strcmp(name, "content-type") == 0)
      type = value;
    else
      psp_exchange_set_header(exchange, name, value);
  }
  psp_exchange_reply(exchange, one->status, type, one->body.data != NULL ? one->body.data : "",
                     one->body.len);
}
