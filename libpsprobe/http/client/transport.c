/* SPDX-License-Identifier: MIT */
#include "http/client/transport.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/shown.h"
#include "http/client/date.h"
#include "http/field.h"
#include "http/url.h"
#include "os/clock.h"
#include "os/latch.h"

struct psp_http {
  const psp_transport *transport;
  void *self;
};

const char *psp_http_header(const psp_http_response *response, const char *name) {
  for (size_t i = 0; i < response->header_count; i++) {
    if (strcmp(response->headers[i].name, name) == 0) return response->headers[i].value;
  }
  return NULL;
}

psprobe_code psp_http_new_transport(const psp_transport *transport, void *self, psp_http **http,
                                    psprobe_error *error) {
  psp_http *made = malloc(sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "HTTP client");
  *made = (psp_http){.transport = transport, .self = self};
  *http = made;
  return PSPROBE_OK;
}

void psp_http_free(psp_http *http) {
  if (http == NULL) return;
  http->transport->free(http->self);
  free(http);
}

static bool is_token(const char *text) {
  return text != NULL && psp_http_is_token(text, strlen(text));
}

static bool is_field_value(const char *text) {
  return text != NULL && psp_http_is_value(text, strlen(text));
}

bool psp_http_header_check(const char *name, const char *value) {
  return is_token(name) && is_field_value(value);
}

static psprobe_code check_request(const psp_http_request *request, psprobe_error *error) {
  const char *why = NULL;
  if (!is_token(request->method))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "HTTP request without a proper method");
  if (!psp_http_url_check(request->url, &why))
    return psp_setting_refuse(error, request->method, request->url, "the URL %s", why);
  for (size_t i = 0; i < request->header_count; i++) {
    if (!psp_http_header_check(request->headers[i].name, request->headers[i].value))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "%s: header %zu has a broken name, or a control character in its value",
                      request->method, i + 1);
  }
  return PSPROBE_OK;
}

psprobe_code psp_http_send(psp_http *http, const psp_http_request *request, psp_http_done *done,
                           void *arg, uint64_t *id, psprobe_error *error) {
  psprobe_code code = check_request(request, error);
  if (code != PSPROBE_OK) return code;
  return http->transport->send(http->self, request, done, arg, id, error);
}

void psp_http_cancel(psp_http *http, uint64_t id) {
  http->transport->cancel(http->self, id);
}

void psp_http_resume(psp_http *http, uint64_t id) {
  http->transport->resume(http->self, id);
}

/* A caller that waits, on its stack. */
typedef struct waiter {
  psp_latch done;
  psp_http_result *result;
  psprobe_error error;
} waiter;

static void wake_waiter(void *arg, const psp_http_response *response, const psprobe_error *error) {
  waiter *w = arg;
  if (response == NULL) {
    w->error = *error;
  } else {
    int64_t now_s = psprobe_clock_wall() / PSP_SECOND_NS;
    psp_http_result *result = w->result;
    result->status = response->status;
    result->retry_after_ns = psp_http_retry_after(psp_http_header(response, "retry-after"), now_s);
    result->date_s = psp_http_date(psp_http_header(response, "date"), now_s);
    psp_buf_reset(&result->body);
    psp_buf_add(&result->body, response->body, response->body_len);
    if (result->body.failed || !psp_buf_reserve(&result->body, 0))
      psp_fail_memory(&w->error, "HTTP answer");
  }
  psp_latch_post(&w->done);
}

psprobe_code psp_http_call(psp_http *http, const psp_http_request *request, psp_http_result *result,
                           psprobe_error *error) {
  waiter w = {.result = result};
  psp_latch_init(&w.done);
  psprobe_code code = psp_http_send(http, request, wake_waiter, &w, NULL, error);
  if (code == PSPROBE_OK) {
    psp_latch_wait(&w.done);
    code = w.error.code;
    if (code != PSPROBE_OK && error != NULL) *error = w.error;
  }
  psp_latch_destroy(&w.done);
  return code;
}

void psp_http_result_free(psp_http_result *result) {
  psp_buf_free(&result->body);
  *result = (psp_http_result){0};
}
