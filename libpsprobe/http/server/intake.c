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
  const char *header;                  /* a line more of its head; NULL: none */
} refusal;

static const refusal too_large = {"413 Content Too Large", "INVALID_ARGUMENT",
                                  "the request body is larger than this server takes", NULL};
static const refusal too_much = {
    "503 Service Unavailable", "UNAVAILABLE",
    "the bodies of other requests take up all the room there is; try again", NULL};
static const refusal no_memory = {"503 Service Unavailable", "UNAVAILABLE", "out of memory", NULL};
static const refusal ambiguous = {
    "400 Bad Request", "INVALID_ARGUMENT",
    "the request can be read in more than one way: one Host, and one Content-Length or "
    "Transfer-Encoding: chunked, with proper names and values",
    NULL};
/* RFC 9110, 15.5.16: Accept-Encoding says which would do. */
static const refusal unknown_encoding = {"415 Unsupported Media Type", "INVALID_ARGUMENT",
                                         "the body's Content-Encoding is none of gzip, identity",
                                         "Accept-Encoding: gzip\r\n"};
static const refusal no_gzip = {"400 Bad Request", "INVALID_ARGUMENT",
                                "the body is not what its Content-Encoding says: gzip", NULL};

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
                     "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: application/json\r\n%s"
                     "Content-Length: %d\r\n\r\n%s",
                     why->status, why->header != NULL ? why->header : "", body_len, body);
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  x->refused = true;
  psp_buf_free(&x->body);
  if (info == NULL) return;
  send(info->connect_fd, answer, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(info->connect_fd, SHUT_WR);
}

/* ---- the head ---- */

/* The parser before that of MHD_OPTION_CLIENT_DISCIPLINE_LVL, which refuses a zero byte by itself
 * and cuts blanks off a value, so that parts need not touch. */
#define HIDES_ZEROS (MHD_VERSION < 0x00097701)

typedef struct head {
  unsigned hosts, lengths, encodings;
  bool broken, chunked, gzipped, unknown;
  const char *length;
  const char *end; /* of the line before: its zero */
  size_t gap;      /* from there to the next line: CR and LF, or LF alone; 0: not known yet */
} head;

/* RFC 9110, 8.4.1: x-gzip is the same, and identity is none. One coding upon another is not taken.
 */
static void look_at_coding(head *h, const char *value) {
  if (strcasecmp(value, "identity") == 0 || *value == 0) return;
  bool gzip = strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0;
  h->unknown = h->unknown || !gzip || h->gzipped;
  h->gzipped = true;
}

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind, const char *name,
                               size_t name_len, const char *value, size_t len) {
  (void)kind;
  head *h = arg;
  if (h->gap == 0) h->gap = name == h->end + 1 ? 1 : 2;
  if (value == NULL || (HIDES_ZEROS && name != h->end + h->gap)) {
    h->broken = true;
    return MHD_NO;
  }
  h->end = value + len;
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
  if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_ENCODING) == 0) look_at_coding(h, value);
  return MHD_YES;
}

/* Where a proxy before us could see another end of the request than we do (RFC 9112, 6.3, 11.2). */
static bool is_ambiguous(const head *h, const char *version) {
  if (h->broken || h->hosts > 1 || h->lengths + h->encodings > 1) return true;
  if (h->encodings > 0) return !h->chunked || strcmp(version, "HTTP/1.0") == 0;
  return h->length != NULL && (*h->length == 0 || h->length[strspn(h->length, "0123456789")] != 0);
}

/*
 * libmicrohttpd (HIDES_ZEROS) turns each line's end into zeros and takes a text to end at the first
 * of them: a zero byte that was sent hides what follows from us and from nobody else, and a folded
 * line comes out garbled. So each part has to begin right where the one before ends (`end`: its
 * zero).
 */
static bool is_line_whole(const psp_exchange *x, const char *version) {
  return !HIDES_ZEROS ||
         (x->method + strlen(x->method) + 1 == x->line_at && x->line_end + 1 == version);
}

/* The empty line, after the last one; without any header there is none to look at. */
static bool is_end_whole(const head *h) {
  static const char zeros[4];
  return !HIDES_ZEROS || h->gap == 0 || memcmp(h->end, zeros, 2 * h->gap) == 0;
}

static bool has_body(const head *h) {
  return h->encodings > 0 || (h->length != NULL && h->length[strspn(h->length, "0")] != 0);
}

void psp_intake_begin(psp_exchange *x, const char *version) {
  head h = {.end = version + strlen(version)};
  int64_t length = 0;
  MHD_get_connection_values_n(x->connection, MHD_HEADER_KIND, look_at, &h);
  if (is_ambiguous(&h, version) || !is_line_whole(x, version) || !is_end_whole(&h)) {
    refuse(x, &ambiguous);
    return;
  }
  /* Where its chunks end, two readers may see otherwise (a bare LF, an extension): nothing behind
   * them is a request of ours (RFC 9112, 11.2). */
  x->last = h.encodings > 0;
  x->gzipped = h.gzipped && !x->server->packed;
  if (h.unknown && !x->server->packed && has_body(&h)) {
    refuse(x, &unknown_encoding);
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

/* NULL: taken. */
static const refusal *unpack(psp_exchange *x, const char *data, size_t len) {
  if (x->gunzip == NULL) {
    if (!hold(x, PSP_GUNZIP_MEMORY)) return &too_much;
    x->gunzip = psp_gunzip_new();
    if (x->gunzip == NULL) return &no_memory;
  }
  size_t before = x->body.len;
  switch (psp_gunzip_add(x->gunzip, data, len, x->server->max_body, &x->body)) {
    case PSP_GUNZIP_OK:
      return hold(x, x->body.len - before) ? NULL : &too_much;
    case PSP_GUNZIP_TOO_LONG:
      return &too_large;
    case PSP_GUNZIP_BROKEN:
      return &no_gzip;
    default:
      return &no_memory;
  }
}

/* NULL: taken. */
static const refusal *take(psp_exchange *x, const char *data, size_t len) {
  if (x->gzipped) return unpack(x, data, len);
  if (len > x->server->max_body - x->body.len) return &too_large;
  if (!hold(x, len)) return &too_much;
  psp_buf_add(&x->body, data, len);
  return x->body.failed ? &no_memory : NULL;
}

enum MHD_Result psp_intake_take(psp_exchange *x, const char *data, size_t *len) {
  if (is_over(x)) {
    x->thrown_away += *len;
    if (x->thrown_away > MAX_THROWN_AWAY) return MHD_NO;
  } else {
    const refusal *why = take(x, data, *len);
    if (why == &too_much || why == &no_memory) psp_server_miss(x->server);
    if (why != NULL) refuse(x, why);
  }
  *len = 0;
  return MHD_YES;
}

bool psp_intake_end(const psp_exchange *x) {
  return x->gunzip == NULL || psp_gunzip_is_whole(x->gunzip);
}
