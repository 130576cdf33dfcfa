/* SPDX-License-Identifier: MIT */
/* One event's request to an instance's program, and its answer. */
#include <stdlib.h>
#include <string.h>
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
  int status; /* 0: no answer */
  char type[128];
  psp_buf body;
};

void psp_function_flight_release(psp_function_flight *one) {
  if (atomic_fetch_sub(&one->holders, 1) != 1) return;
  pthread_mutex_destroy(&one->lock);
  psp_buf_free(&one->body);
  free(one);
}

static psp_function_flight *make(int wake) {
  psp_function_flight *one = calloc(1, sizeof *one);
  if (!one) return NULL;
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

static void on_done(void *arg, const psp_http_response *response, const psprobe_error *error) {
  (void)error;
  psp_function_flight *one = arg;
  if (response) {
    const char *type = psp_http_header(response, "content-type");
    size_t len = type ? strlen(type) : 0;
    if (len < sizeof one->type) memcpy(one->type, type ? type : "", len + 1);
    psp_buf_add(&one->body, response->body, response->body_len);
    one->status = response->status;
  }
  pthread_mutex_lock(&one->lock);
  one->done = true;
  eventfd_write(one->wake, 1);
  pthread_mutex_unlock(&one->lock);
  psp_function_flight_release(one);
}

/* What an event's request may carry that its function wants to see. */
static const char *const passed_on[] = {"Content-Type",
                                        "User-Agent",
                                        "Authorization",
                                        "traceparent",
                                        "X-Cloud-Trace-Context",
                                        "x-goog-pubsub-subscription-name",
                                        "x-goog-pubsub-message-id",
                                        "x-goog-pubsub-publish-time",
                                        "x-goog-pubsub-ordering-key",
                                        "ce-id",
                                        "ce-source",
                                        "ce-type",
                                        "ce-specversion",
                                        "ce-time"};
enum { HEADERS = sizeof passed_on / sizeof *passed_on };

static psprobe_code send_event(const char *base, const psp_exchange *exchange,
                               psp_function_flight *one, psprobe_error *error) {
  psp_header headers[HEADERS];
  size_t count = 0, len;
  for (size_t i = 0; i < HEADERS; i++) {
    const char *value = psp_exchange_header(exchange, passed_on[i]);
    if (value) headers[count++] = (psp_header){passed_on[i], value};
  }
  const char *rest = psp_exchange_path(exchange) + strlen(one->function->prefix);
  psp_buf url = {0};
  const char *query = psp_exchange_raw_query(exchange);
  psp_buf_printf(&url, "%s%s%s%s", base, *rest ? rest : "/", *query ? "?" : "", query);
  psp_http_request request = {.method = "POST",
                              .url = url.data ? url.data : base,
                              .headers = headers,
                              .header_count = count,
                              .body = psp_exchange_body(exchange, &len),
                              .timeout_ns = request_ns,
                              .no_proxy = true};
  request.body_len = len;
  psprobe_code code =
      psp_http_send(one->function->host->http, &request, on_done, one, &one->id, error);
  psp_buf_free(&url);
  return code;
}

psp_function_flight *psp_function_flight_new(psp_function *function, const char *url,
                                             const psp_exchange *exchange, int wake,
                                             psprobe_error *error) {
  psp_function_flight *one = make(wake);
  if (!one) {
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
  return one->status && !one->body.failed;
}

void psp_function_flight_reply(const psp_function_flight *one, psp_exchange *exchange) {
  psp_exchange_reply(exchange, one->status, one->type[0] ? one->type : NULL,
                     one->body.data ? one->body.data : "", one->body.len);
}
