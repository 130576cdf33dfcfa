/* SPDX-License-Identifier: MIT */
#include "responder/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "client/call.h"
#include "http/client/date.h"
#include "http/client/retry.h"
#include "http/url.h"
#include "prober/answers.h"

/* Our own 404, by its words: nobody else's means that the prober was asked. */
static bool is_not_wanted(const psp_http_response *response) {
  psp_json *json = NULL;
  if (response->status != 404 || response->body_len == 0) return false;
  if (psp_json_parse(response->body, response->body_len, "error", &json, NULL) != PSPROBE_OK)
    return false;
  const char *message = psp_json_string(psp_json_get(psp_json_get(json, "error"), "message"));
  bool ours = message != NULL &&
              (psp_text_equal(message, PSP_NO_PROBE) || psp_text_equal(message, PSP_NO_SOURCE));
  psp_json_free(json);
  return ours;
}

/* A prober's 2xx has no body; a page is somebody else's. */
static bool is_page(const psp_http_response *response) {
  size_t i = 0;
  while (i < response->body_len && strchr(" \t\r\n", response->body[i]) != NULL &&
         response->body[i] != 0)
    i++;
  return i < response->body_len && response->body[i] == '<';
}

__attribute__((format(printf, 2, 3))) static void add(psprobe_error *error, const char *format,
                                                      ...) {
  size_t len = strlen(error->message);
  va_list args;
  va_start(args, format);
  vsnprintf(error->message + len, sizeof error->message - len, format, args);
  va_end(args);
}

/* Without its query, which may hold what is nobody's business. */
static void add_location(psprobe_error *error, const char *location) {
  int len = (int)strcspn(location, "?#");
  add(error, "; it sends us to %.*s: is that the prober's URL?", len < 120 ? len : 120, location);
}

/* What to do about who stands there, or wants another token than ours. */
static void explain(const psp_http_response *response, const char *url, bool with_token,
                    psprobe_error *error) {
  const char *location = psp_http_header(response, "location");
  int status = response->status;
  if (status == 401 && !with_token)
    add(error, "; it asks for ID tokens (--prober-auth oidc)");
  else if (status == 403)
    add(error, "; it does not let our account in (--require-oidc; roles/run.invoker on Cloud Run)");
  else if (status == 401)
    add(error, "; our tokens are for the audience %.*s", (int)psp_http_url_origin_len(url), url);
  else if (status >= 300 && status < 400 && location != NULL)
    add_location(error, location);
  else if (status == 404)
    add(error, "; that is not the prober's word: something else answers at this URL");
}

/* Another attempt may help after 429 and 5xx. */
static void read_refusal(const psp_http_response *response, const char *url, bool with_token,
                         int64_t now_s, psprobe_error *error) {
  char what[512];
  snprintf(what, sizeof what, "POST %s", url);
  psp_status_parse(response->status, response->body, response->body_len,
                   psp_http_retry_after(psp_http_header(response, "retry-after"), now_s), what,
                   error);
  explain(response, url, with_token, error);
  /* INVALID_ARGUMENT is said of messages; this is about the prober, or what stands in its place. */
  if (error->code == PSPROBE_INVALID_ARGUMENT) error->code = PSPROBE_FAILED_PRECONDITION;
  if (response->status < 500 && response->status != 429) return;
  error->code = PSPROBE_UNAVAILABLE;
  error->retryable = true;
}

psp_heard psp_prober_heard(const psp_http_response *response, const char *url, bool with_token,
                           int64_t now_s, psprobe_error *error) {
  if (is_not_wanted(response)) return PSP_HEARD_NOT_WANTED;
  if (response->status < 200 || response->status >= 300) {
    read_refusal(response, url, with_token, now_s, error);
    return PSP_HEARD_REFUSAL;
  }
  if (!is_page(response)) return PSP_HEARD_TAKEN;
  psp_fail(error, PSPROBE_FAILED_PRECONDITION,
           "POST %s: HTTP %d with a page: that is not the prober's answer, something else stands "
           "at this URL",
           url, response->status);
  error->http_status = response->status;
  return PSP_HEARD_REFUSAL;
}
