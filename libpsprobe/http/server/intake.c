/* SPDX-License-Identifier: MIT */
#include "http/server/intake.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"
#include "http/field.h"

#define FIRST_BODY      ((size_t)256 << 10) /* room that a mere promise of a body gets */
#define MAX_THROWN_AWAY ((size_t)16 << 20)

typedef struct refusal {
  const char *status, *name, *message; /* "413 Content Too Large" */
} refusal;

static const refusal too_large = {"413 Content Too Large", "INVALID_ARGUMENT",
                                  "the request body is larger than this server takes"};
static const refusal too_much = {
    "503 Service Unavailable", "UNAVAILABLE",
    "the bodies of other requests take up all the room there is; try again"};
static const refusal ambiguous = {
    "400 Bad Request", "INVALID_ARGUMENT",
    "the request can be read in more than one way: one Host, and one Content-Length or "
    "Transfer-Encoding: chunked, with proper names and values"};

/* libmicrohttpd takes no answer in the middle of a body, and closes the connection right after one
 * at its beginning, which resets it under a client that still sends. So the error is written to the
 * socket beside it; nothing else has been sent for this request. What still comes is thrown away,
 * up to a bound, so that the client finds the answer. */
static void refuse(psp_exchange *x, const refusal *why) {
  char body[320], answer[640];
  int body_len = snprintf(body, sizeof body,
                          "{\"error\":{\"code\":%.3s,\"message\":\"%s\",\"status\":\"%s\"}}",
                          why->status, why->message, why->name);
  int len = snprintf(answer, sizeof answer,
                     "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n%s",
                     why->status, body_len, body);
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  x->refused = true;
  psp_buf_free(&x->body);
  if (info == NULL) return;
  send(info->connect_fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(info->connect_fd, SHUT_WR);
}

/* ---- the head ---- */

typedef struct head {
  unsigned hosts, lengths, encodings;
  bool broken, chunked;
  const char *length;
} head;

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind, const char *name,
                               size_t name_len, const char *value, size_t len) {
  (void)kind;
  head *h = arg;
  if (value == NULL) value = "";
  if (!psp_http_is_token(name, name_len) || !psp_http_is_value(value, len)) h->broken = true;
  if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) h->hosts++;
  if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
    h->lengths++;
    h->length = value;
  }
  if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
    h->encodings++;
    h->chunked = strcasecmp(value, "chunked") == 0;
  }
  return MHD_YES;
}

/* Where a proxy before us could see another end of the request than we do (RFC 9112, 6.3, 11.2). */
static bool is_ambiguous(const head *h, const char *version) {
  if (h->broken || h->hosts > 1 || h->lengths + h->encodings > 1) return true;
  if (h->encodings > 0) return !h->chunked || strcmp(version, "HTTP/1.0") == 0;
  return h->length != NULL && (*h->length == 0 || h->length[strspn(h->length, "0123456789")] != 0);
}

void psp_intake_begin(psp_exchange *x, const char *version) {
  head h = {0};
  int64_t length = 0;
  MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, look_at, &h);
  if (is_ambiguous(&h, version)) {
    refuse(x, &ambiguous);
    return;
  }
  if (h.length == NULL) return;
  bool fits =
      psp_parse_int64(h.length, 0, INT64_MAX, &length) && (uint64_t)length <= x->server->max_body;
  if (!fits)
    refuse(x, &too_large);
  else if (length > 0)
    psp_buf_reserve(&x->body, (size_t)length < FIRST_BODY ? (size_t)length : FIRST_BODY);
}

/* ---- the body ---- */

/* False: all bodies together would be too much. */
static bool hold(psp_exchange *x, size_t len) {
  size_t held = atomic_fetch_add(&x->hub->held, len) + len;
  x->held += len;
  return held <= x->server->max_held;
}

static bool is_over(const psp_exchange *x) {
  return x->refused || atomic_load(&x->state) != PSP_READING;
}

enum MHD_Result psp_intake_take(psp_exchange *x, const char *data, size_t *len) {
  size_t max = x->server->max_body;
  if (!is_over(x)) {
    if (*len > max - x->body.len)
      refuse(x, &too_large);
    else if (!hold(x, *len)) {
      psp_server_miss(x->server);
      refuse(x, &too_much);
    }
  }
  if (is_over(x)) {
    x->thrown_away += *len;
    if (x->thrown_away > MAX_THROWN_AWAY) return MHD_NO;
  } else {
    psp_buf_add(&x->body, data, *len);
    if (x->body.failed) return MHD_NO;
  }
  *len = 0;
  return MHD_YES;
}
