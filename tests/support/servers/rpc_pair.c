/* SPDX-License-Identifier: MIT */
#include "rpc_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the server's calls ---- */

typedef struct served {
  rpc_pair *pair;
  psp_rpc *rpc;
  char path[32];
} served;

static void on_request(void *arg, const void *data, size_t len) {
  served *s = arg;
  if (strcmp(s->path, "/echo") == 0) psp_rpc_send(s->rpc, data, len);
  if (strcmp(s->path, "/flood") != 0) return;
  char text[32] = "";
  memcpy(text, data, len < 31 ? len : 31);
  for (int i = atoi(text); i > 0; i--)
    psp_rpc_send(s->rpc, data, len);
}

static void on_half_closed(void *arg) {
  served *s = arg;
  if (strcmp(s->path, "/hold") != 0) psp_rpc_finish(s->rpc, PSPROBE_OK, "");
}

static void on_served(void *arg, const psp_rpc_status *status) {
  served *s = arg;
  (void)status;
  if (s->pair->accepted == s->rpc) s->pair->accepted = NULL;
  free(s);
}

static const psp_rpc_events serving = {
    .message = on_request, .half_closed = on_half_closed, .end = on_served};

static void on_accept(void *arg, psp_rpc *rpc, const char *path) {
  rpc_pair *pair = arg;
  served *s = calloc(1, sizeof *s);
  assert_non_null(s);
  *s = (served){.pair = pair, .rpc = rpc};
  snprintf(s->path, sizeof s->path, "%s", path);
  pair->accepts++;
  pair->accepted = rpc;
  psp_rpc_set_meter(rpc, &pair->meter);
  psp_rpc_set_events(rpc, &serving, s);
  if (strcmp(path, "/refuse") == 0)
    psp_rpc_finish(rpc, PSPROBE_NOT_FOUND, "no such thing: 5 % \xc3\xa9");
}

/* ---- the pair ---- */

static void on_pong(void *arg) {
  ((rpc_pair *)arg)->pongs++;
}

void rpc_pair_make(rpc_pair *pair, uint32_t window) {
  psp_session_options options = {.authority = "test:1", .window = window, .arg = pair};
  options.pong = on_pong;
  pair->client = psp_session_new(&options);
  options.server = true;
  options.accept = on_accept;
  options.max_held = pair->max_held;
  pair->server = psp_session_new(&options);
  assert_non_null(pair->client);
  assert_non_null(pair->server);
}

void rpc_pair_free(rpc_pair *pair) {
  psp_session_free(pair->client);
  psp_session_free(pair->server);
}

/* @return bytes carried, or -1 */
static long carry(rpc_pair *pair, psp_session *from, psp_session *to, bool lost) {
  psp_buf bytes = {0};
  bool ok = psp_session_give(from, &bytes, 1 << 16);
  size_t piece = pair->piece != 0 ? pair->piece : bytes.len + 1;
  for (size_t at = 0; at < bytes.len && !lost; at += piece) {
    size_t n = bytes.len - at < piece ? bytes.len - at : piece;
    /* In memory of its own, so that a byte read too far is seen. */
    char *copy = malloc(n);
    assert_non_null(copy);
    memcpy(copy, bytes.data + at, n);
    ok = psp_session_take(to, copy, n, pair->now_ns) && ok;
    free(copy);
  }
  long carried = ok ? (long)bytes.len : -1;
  psp_buf_free(&bytes);
  return carried;
}

bool rpc_pair_run(rpc_pair *pair) {
  for (;;) {
    long there = carry(pair, pair->client, pair->server, false);
    long back = carry(pair, pair->server, pair->client, pair->mute);
    if (there < 0 || back < 0) return false;
    if (there == 0 && back == 0) return true;
  }
}

/* ---- the client's calls ---- */

static void on_head(void *arg, const psp_fields *fields) {
  rpc_record *r = arg;
  assert_non_null(psp_fields_get(fields, "content-type"));
  r->heads++;
}

static void on_message(void *arg, const void *data, size_t len) {
  rpc_record *r = arg;
  r->count++;
  if (len > r->longest) r->longest = len;
  if (r->messages.len > 4096) return;
  psp_buf_add(&r->messages, data, len);
  psp_buf_char(&r->messages, '\n');
}

static void on_end(void *arg, const psp_rpc_status *status) {
  rpc_record *r = arg;
  r->ends++;
  r->code = status->code;
  r->from_peer = status->from_peer;
  r->untouched = status->untouched;
  snprintf(r->message, sizeof r->message, "%s", status->message);
  r->details_len = status->details_len;
  if (status->details_len > 0 && status->details_len <= sizeof r->details)
    memcpy(r->details, status->details, status->details_len);
}

const psp_rpc_events rpc_recording = {.head = on_head, .message = on_message, .end = on_end};

psp_rpc *rpc_pair_call(rpc_pair *pair, const char *path, const char *message, rpc_record *record) {
  psp_rpc *rpc = psp_rpc_new(&(psp_rpc_request){.path = path,
                                                .deadline_ns = INT64_MAX,
                                                .message = message,
                                                .len = message != NULL ? strlen(message) : 0,
                                                .only = message != NULL,
                                                .events = &rpc_recording,
                                                .arg = record});
  assert_non_null(rpc);
  assert_true(psp_session_begin(pair->client, rpc, pair->now_ns));
  return rpc;
}

void rpc_record_free(rpc_record *record) {
  psp_buf_free(&record->messages);
}
