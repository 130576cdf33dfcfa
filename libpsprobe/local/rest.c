/* SPDX-License-Identifier: MIT */
#include "local/rest.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

/* ---- paths ---- */

bool psp_rest_path_parse(const char *raw, psp_rest_path *path) {
  *path = (psp_rest_path){0};
  if (*raw == '/') raw++;
  psp_buf whole = {0};
  if (psp_percent_decode(&whole, raw, strlen(raw))) path->memory = psp_buf_take(&whole, NULL);
  psp_buf_free(&whole);
  if (path->memory == NULL) return false;
  size_t count = 1;
  for (const char *at = path->memory; *at; at++)
    count += *at == '/';
  path->segments = calloc(count, sizeof *path->segments);
  if (path->segments == NULL) {
    psp_rest_path_free(path);
    return false;
  }
  for (char *at = path->memory; at != NULL;) {
    path->segments[path->count++] = at;
    at = strchr(at, '/');
    if (at != NULL) *at++ = '\0';
  }
  return true;
}

/* Where ":verb" begins at the end of the last segment; NULL: it does not end so. */
static char *verb_of(const psp_rest_path *path, const char *verb) {
  char *colon = strrchr(path->segments[path->count - 1], ':');
  return colon != NULL && strcmp(colon + 1, verb) == 0 ? colon : NULL;
}

bool psp_rest_path_has_verb(const psp_rest_path *path, const char *verb) {
  return verb == NULL || verb_of(path, verb) != NULL;
}

void psp_rest_path_cut_verb(psp_rest_path *path, const char *verb) {
  char *colon = verb != NULL ? verb_of(path, verb) : NULL;
  if (colon != NULL) *colon = '\0';
}

void psp_rest_path_free(psp_rest_path *path) {
  free(path->segments);
  free(path->memory);
  *path = (psp_rest_path){0};
}

char *psp_rest_path_join(const psp_rest_path *path, size_t first, size_t end) {
  psp_buf out = {0};
  for (size_t i = first; i < end && i < path->count; i++) {
    if (i > first) psp_buf_char(&out, '/');
    psp_buf_text(&out, path->segments[i]);
  }
  char *text = psp_buf_take(&out, NULL);
  psp_buf_free(&out);
  return text;
}

/* ---- answers ---- */

/* The HTTP status of a code, as Google's servers map them (google/rpc/code.proto). */
static int http_status(psprobe_code code) {
  static const short statuses[] = {[PSPROBE_OK] = 200,
                                   [PSPROBE_CANCELLED] = 499,
                                   [PSPROBE_UNKNOWN] = 500,
                                   [PSPROBE_INVALID_ARGUMENT] = 400,
                                   [PSPROBE_DEADLINE_EXCEEDED] = 504,
                                   [PSPROBE_NOT_FOUND] = 404,
                                   [PSPROBE_ALREADY_EXISTS] = 409,
                                   [PSPROBE_PERMISSION_DENIED] = 403,
                                   [PSPROBE_RESOURCE_EXHAUSTED] = 429,
                                   [PSPROBE_FAILED_PRECONDITION] = 400,
                                   [PSPROBE_ABORTED] = 409,
                                   [PSPROBE_OUT_OF_RANGE] = 400,
                                   [PSPROBE_UNIMPLEMENTED] = 501,
                                   [PSPROBE_INTERNAL] = 500,
                                   [PSPROBE_UNAVAILABLE] = 503,
                                   [PSPROBE_DATA_LOSS] = 500,
                                   [PSPROBE_UNAUTHENTICATED] = 401};
  size_t at = (size_t)code;
  return at < sizeof statuses / sizeof *statuses ? statuses[at] : 500;
}

void psp_rest_error_encode(psp_buf *out, psprobe_code code, const char *message,
                           const psp_buf *detail) {
  psp_json_writer w = {.buf = out, .escape_slash = true};
  psp_json_begin_error(&w, http_status(code), code, message);
  if (detail != NULL && detail->len > 0) {
    psp_json_begin_array_member(&w, "details");
    psp_json_put_raw(&w, detail->data, detail->len);
    psp_json_end_array(&w);
  }
  psp_json_end_object(&w);
  psp_json_end_object(&w);
}

static const char json_type[] = "application/json";

void psp_rest_reply(psp_exchange *exchange, psp_buf *body) {
  if (body->failed || body->data == NULL)
    psp_rest_error(exchange, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
  else
    psp_exchange_reply(exchange, 200, json_type, body->data, body->len);
  psp_buf_free(body);
}

void psp_rest_reply_empty(psp_exchange *exchange) {
  psp_exchange_reply(exchange, 200, json_type, "{\n}\n", 4);
}

void psp_rest_error(psp_exchange *exchange, psprobe_code code, const char *message) {
  psp_rest_error_with(exchange, code, message, NULL);
}

void psp_rest_error_with(psp_exchange *exchange, psprobe_code code, const char *message,
                         const psp_buf *detail) {
  psp_buf body = {0};
  psp_rest_error_encode(&body, code, message, detail);
  bool ok = !body.failed && body.data != NULL;
  psp_exchange_reply(exchange, http_status(code), ok ? json_type : NULL, ok ? body.data : "",
                     ok ? body.len : 0);
  psp_buf_free(&body);
}

void psp_rest_not_found(psp_exchange *exchange) {
  psp_exchange_reply(exchange, 404, NULL, "Not Found\n", 10);
}
