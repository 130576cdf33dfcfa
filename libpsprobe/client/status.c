/* SPDX-License-Identifier: MIT */
/** @file What an answer of an API that is no success says (google.rpc.Status, AIP-193). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "client/parts.h"
#include "client/stream.h"
#include "http/client/date.h"

#define CLOCK_NOTE_S 120 /* more than this between two clocks is worth a word */
#define LONGEST_WORD 64  /* an access token has 100 and more */

/* google.protobuf.Duration in JSON: decimal seconds and "s" ("1.500s"), bounded as Retry-After is.
 * -1: not one. */
static int64_t duration_ns(const char *text) {
  if (text == NULL || text[0] < '0' || text[0] > '9') return -1;
  int64_t seconds = 0, fraction = 0, unit = 100000000;
  for (; *text >= '0' && *text <= '9'; text++) {
    if (seconds < PSP_RETRY_AFTER_MOST_NS) seconds = seconds * 10 + (*text - '0');
  }
  if (*text == '.') {
    for (text++; *text >= '0' && *text <= '9'; text++) {
      fraction += (*text - '0') * unit;
      unit /= 10;
    }
  }
  if (strcmp(text, "s") != 0) return -1;
  const int64_t most = PSP_RETRY_AFTER_MOST_NS / 1000000000;
  return seconds >= most ? PSP_RETRY_AFTER_MOST_NS : seconds * 1000000000 + fraction;
}

/* google.rpc.ErrorInfo and RetryInfo (googleapis, google/rpc/error_details.proto). */
static void read_details(const psp_json *details, const char **reason, int64_t *wait_ns) {
  for (const psp_json *d = psp_json_first(details); d != NULL; d = psp_json_next(d)) {
    const char *type = psp_json_string(psp_json_get(d, "@type"));
    if (type == NULL) continue;
    if (psp_text_ends(type, "/google.rpc.ErrorInfo") && *reason == NULL)
      *reason = psp_json_string(psp_json_get(d, "reason"));
    if (psp_text_ends(type, "/google.rpc.RetryInfo")) {
      int64_t ns = duration_ns(psp_json_string(psp_json_get(d, "retryDelay")));
      if (ns > *wait_ns) *wait_ns = ns;
    }
  }
}

static bool retryable(psprobe_code code, int http_status) {
  switch (code) {
    case PSPROBE_UNAVAILABLE:
    case PSPROBE_DEADLINE_EXCEEDED:
    case PSPROBE_ABORTED:
      return true;
    default:
      return http_status == 429 || http_status == 408;
  }
}

/* Remote text as it may be shown: at most `size`, and with a question mark for what is as long as a
 * token and made of a token's characters. Some servers repeat what they refuse; resource names have
 * their slashes. */
static void show(const char *text, size_t len, char *out, size_t size) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+=";
  size_t used = 0, at = 0;
  while (at < len && used + 1 < size) {
    size_t run = 0;
    while (at + run < len && text[at + run] != 0 && strchr(letters, text[at + run]) != NULL)
      run++;
    if (run > LONGEST_WORD) {
      out[used++] = '?';
      at += run;
      continue;
    }
    if (run == 0) run = 1;
    size_t take = run < size - 1 - used ? run : size - 1 - used;
    memcpy(out + used, text + at, take);
    used += take;
    at += run;
  }
  out[used] = 0;
}

/* For an answer without Google's JSON: its first line when it is plain text, else what it was. */
static psprobe_code fail_other(int status, const char *body, size_t len, const char *what,
                               psprobe_error *error) {
  psprobe_code code = psp_code_from_http(status);
  const char *name = psprobe_code_name(code);
  while (len > 0 && strchr(" \t\r\n", *body) != NULL && *body != 0) {
    body++;
    len--;
  }
  if (status == 413)
    return psp_fail(error, code, "%s: %s (HTTP 413): the request is too large", what, name);
  if (len == 0)
    return psp_fail(error, code, "%s: %s (HTTP %d), an answer without a body", what, name, status);
  if (*body == '<')
    return psp_fail(error, code, "%s: %s (HTTP %d), an HTML or XML page, not an answer of the API",
                    what, name, status);
  if (*body == '{' || *body == '[')
    return psp_fail(error, code, "%s: %s (HTTP %d), JSON that is no error of the API", what, name,
                    status);
  size_t line = 0; /* all of it: a word's length says whether it may be a token */
  while (line < len && body[line] != '\n' && body[line] != '\r')
    line++;
  char shown[161];
  show(body, line, shown, sizeof shown);
  return psp_fail(error, code, "%s: %s (HTTP %d): %s", what, name, status, shown);
}

/* What Google's {"error": …} says. */
static psprobe_code read_error(const psp_json *status, int http_status, const char *what,
                               psprobe_error *error) {
  const char *name = psp_json_string(psp_json_get(status, "status"));
  const char *message = psp_json_string(psp_json_get(status, "message"));
  psprobe_code code = name != NULL ? psp_code_parse(name) : PSPROBE_OK;
  /* A name that we do not know, or "OK" in an error, says less than the HTTP status. */
  if (code == PSPROBE_OK || (code == PSPROBE_UNKNOWN && !psp_text_equal(name, "UNKNOWN")))
    code = psp_code_from_http(http_status);
  char shown[301] = "";
  if (message != NULL) show(message, strlen(message), shown, sizeof shown);
  return psp_fail(error, code, "%s: %s (HTTP %d)%s%s", what, psprobe_code_name(code), http_status,
                  message != NULL ? ": " : "", shown);
}

static void put_reason(psprobe_error *error, const char *reason) {
  size_t n = reason != NULL ? strnlen(reason, sizeof error->reason - 1) : 0;
  for (size_t i = 0; i < n; i++)
    error->reason[i] = (char)(reason[i] > ' ' && reason[i] < 0x7f ? reason[i] : '?');
  error->reason[n] = 0;
}

/* The "error" of an answer, also where it is the first item of an array. */
static const psp_json *find_error(const char *body, size_t len, psp_json **json) {
  if (len == 0 || psp_json_parse(body, len, "error", json, NULL) != PSPROBE_OK) return NULL;
  const psp_json *top = psp_json_is_array(*json) ? psp_json_first(*json) : *json;
  const psp_json *status = psp_json_get(top, "error");
  return psp_json_is_object(status) ? status : NULL;
}

psprobe_code psp_status_parse(int http_status, const char *body, size_t len, int64_t retry_after_ns,
                              const char *what, psprobe_error *error) {
  psp_json *json = NULL;
  const char *reason = NULL;
  int64_t wait_ns = retry_after_ns > 0 ? retry_after_ns : 0;
  const psp_json *status = find_error(body, len, &json);
  psprobe_code code = status != NULL ? read_error(status, http_status, what, error)
                                     : fail_other(http_status, body, len, what, error);
  read_details(psp_json_get(status, "details"), &reason, &wait_ns);
  if (error != NULL) {
    error->http_status = http_status;
    error->from_service =
        psp_json_get(status, "status") != NULL || psp_json_get(status, "code") != NULL;
    error->retryable = retryable(code, http_status);
    error->retry_after_ns = wait_ns;
    put_reason(error, reason);
  }
  psp_json_free(json);
  return code;
}

/* A token that a wrong clock made is refused with a text that does not name the clock: so we look
 * at the server's. */
void psp_status_read(const psp_http_response *response, bool token, const char *what,
                     psprobe_error *outcome) {
  int64_t now_s = time(NULL);
  int64_t wait = psp_http_retry_after(psp_http_header(response, "retry-after"), now_s);
  psp_status_parse(response->status, response->body, response->body_len, wait, what, outcome);
  int64_t date_s = response->status == 401 && token
                       ? psp_http_date(psp_http_header(response, "date"), now_s)
                       : 0;
  int64_t off = date_s > 0 ? now_s - date_s : 0;
  if (llabs(off) < CLOCK_NOTE_S) return;
  size_t len = strlen(outcome->message);
  snprintf(outcome->message + len, sizeof outcome->message - len,
           "; this machine's clock is %lld s %s the server's", (long long)llabs(off),
           off > 0 ? "ahead of" : "behind");
}

psprobe_code psp_status_from_grpc(const psp_rpc_status *status, const char *what,
                                  psprobe_error *error) {
  const char *text = status->message != NULL ? status->message : "";
  char shown[301];
  show(text, strlen(text), shown, sizeof shown);
  psprobe_code code = psp_fail(error, status->code, "%s: %s%s%s", what,
                               psprobe_code_name(status->code), *shown ? ": " : "", shown);
  if (error != NULL) {
    error->from_service = status->from_peer;
    error->retryable =
        retryable(code, 0) || (status->from_peer && code == PSPROBE_RESOURCE_EXHAUSTED);
  }
  return code;
}
