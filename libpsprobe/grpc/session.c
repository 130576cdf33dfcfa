/* SPDX-License-Identifier: MIT */
#include "grpc/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/parts.h"

#define DEFAULT_MESSAGE ((size_t)20 << 20)
#define DEFAULT_HELD    ((size_t)256 << 20)
#define DEFAULT_FIELDS  ((size_t)64 << 10)
#define FIRST_WINDOW    (64u << 10)
#define DEFAULT_WINDOW  (1u << 20)
#define DEFAULT_ALL     (16u << 20)
#define DEFAULT_CALLS   1000

/* ---- its life ---- */

static int make(psp_session *s) {
  nghttp2_session_callbacks *callbacks = NULL;
  nghttp2_option *option = NULL;
  int rc = nghttp2_session_callbacks_new(&callbacks);
  if (rc == 0) rc = nghttp2_option_new(&option);
  if (rc == 0) {
    psp_session_set_callbacks(callbacks);
    nghttp2_option_set_no_auto_window_update(option, 1);
    rc = s->options.server ? nghttp2_session_server_new2(&s->http2, callbacks, s, option)
                           : nghttp2_session_client_new2(&s->http2, callbacks, s, option);
  }
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(option);
  return rc;
}

static int greet_peer(psp_session *s) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, s->first_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)s->options.max_fields},
      {s->options.server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
       s->options.server ? s->options.max_calls : 0}};
  int rc = nghttp2_submit_settings(s->http2, NGHTTP2_FLAG_NONE, settings, 3);
  return rc != 0 ? rc
                 : nghttp2_session_set_local_window_size(s->http2, NGHTTP2_FLAG_NONE, 0,
                                                         (int32_t)s->options.session_window);
}

psp_session *psp_session_new(const psp_session_options *options) {
  psp_session *s = calloc(1, sizeof *s);
  if (s == NULL) return NULL;
  s->options = *options;
  psp_session_options *o = &s->options;
  if (o->max_message == 0) o->max_message = DEFAULT_MESSAGE;
  if (o->max_held == 0) o->max_held = DEFAULT_HELD;
  if (o->max_fields == 0) o->max_fields = DEFAULT_FIELDS;
  if (o->window == 0) o->window = DEFAULT_WINDOW;
  s->first_window = o->window < FIRST_WINDOW ? o->window : FIRST_WINDOW;
  if (o->session_window == 0) o->session_window = DEFAULT_ALL;
  if (o->max_calls == 0) o->max_calls = DEFAULT_CALLS;
  s->due_ns = INT64_MAX;
  if (make(s) == 0 && greet_peer(s) == 0) return s;
  psp_session_free(s);
  return NULL;
}

void psp_session_end(psp_session *s, psprobe_code code, const char *why) {
  s->over = true;
  for (psp_rpc *rpc = s->calls.first; rpc != NULL; rpc = rpc->next) {
    const psp_rpc_status status = {
        .code = code, .message = why, .lost = true, .untouched = !s->options.server && !rpc->sent};
    psp_rpc_tell_end(rpc, &status);
  }
}

void psp_session_free(psp_session *s) {
  if (s == NULL) return;
  psp_session_end(s, PSPROBE_CANCELLED, "the connection is closed");
  nghttp2_session_del(s->http2);
  for (psp_rpc *rpc; (rpc = s->calls.first) != NULL;) {
    psp_rpc_unlink(&s->calls, rpc);
    psp_rpc_free(rpc);
  }
  free(s);
}

/* Frees what has ended and what nghttp2 has forgotten, where nobody looks at it. */
static void sweep(psp_session *s) {
  if (!s->sweep) return;
  s->sweep = false;
  for (psp_rpc *rpc = s->calls.first, *next; rpc != NULL; rpc = next) {
    next = rpc->next;
    if (!rpc->ended || !rpc->closed) continue;
    psp_rpc_unlink(&s->calls, rpc);
    psp_rpc_free(rpc);
  }
}

/* ---- bytes and time ---- */

static bool goes_on(psp_session *s) {
  sweep(s);
  if (!s->over && nghttp2_session_want_read(s->http2) == 0 &&
      nghttp2_session_want_write(s->http2) == 0)
    s->over = true;
  return !s->over;
}

static void fail(psp_session *s, ssize_t rc) {
  s->over = true;
  if (s->why[0] == 0) snprintf(s->why, sizeof s->why, "HTTP/2: %s", nghttp2_strerror((int)rc));
}

bool psp_session_take(psp_session *s, const void *data, size_t len, int64_t now_ns) {
  s->now_ns = now_ns;
  if (s->over) return false;
  ssize_t rc = nghttp2_session_mem_recv(s->http2, data, len);
  if (rc < 0) fail(s, rc);
  return goes_on(s);
}

bool psp_session_give(psp_session *s, psp_buf *out, size_t most) {
  const uint8_t *data;
  ssize_t len = 0;
  size_t before = SIZE_MAX;
  s->out = out;
  while (!s->over && out->len < most && !out->failed && out->len != before) {
    before = out->len;
    len = nghttp2_session_mem_send(s->http2, &data); /* DATA frames write themselves */
    if (len > 0) psp_buf_add(out, data, (size_t)len);
  }
  if (len < 0 || out->failed) fail(s, out->failed ? NGHTTP2_ERR_NOMEM : len);
  return goes_on(s);
}

int64_t psp_session_tick(psp_session *s, int64_t now_ns) {
  s->now_ns = now_ns;
  if (now_ns < s->due_ns) return s->due_ns;
  s->due_ns = INT64_MAX;
  for (psp_rpc *rpc = s->calls.first; rpc != NULL; rpc = rpc->next) {
    if (rpc->ended) continue;
    if (rpc->deadline_ns <= now_ns)
      psp_rpc_abort(rpc, PSPROBE_DEADLINE_EXCEEDED, "its time is over");
    else if (rpc->deadline_ns < s->due_ns)
      s->due_ns = rpc->deadline_ns;
  }
  return s->due_ns;
}

/* ---- calls ---- */

bool psp_session_has_room(const psp_session *s) {
  return !s->over && !s->leaving && nghttp2_session_check_request_allowed(s->http2) != 0 &&
         s->live <
             nghttp2_session_get_remote_settings(s->http2, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool psp_session_is_quiet(const psp_session *s) {
  return nghttp2_session_want_write(s->http2) == 0;
}

int64_t psp_session_due(const psp_session *s) {
  return s->due_ns;
}

static void take(psp_session *s, psp_rpc *rpc) {
  psp_rpc_append(&s->calls, rpc);
  s->live++;
  if (rpc->deadline_ns < s->due_ns) s->due_ns = rpc->deadline_ns;
}

static bool submit(psp_session *s, psp_rpc *rpc, int64_t now_ns) {
  s->now_ns = now_ns;
  rpc->session = s;
  rpc->heard_ns = now_ns;
  rpc->window = s->first_window;
  rpc->in.max = s->options.max_message;
  return !s->over && psp_rpc_submit(rpc);
}

bool psp_session_try(psp_session *s, psp_rpc *rpc, int64_t now_ns) {
  const bool begun = psp_session_has_room(s) && submit(s, rpc, now_ns);
  if (begun)
    take(s, rpc);
  else
    rpc->session = NULL;
  return begun;
}

bool psp_session_begin(psp_session *s, psp_rpc *rpc, int64_t now_ns) {
  const bool begun = submit(s, rpc, now_ns);
  take(s, rpc);
  if (begun) return true;
  rpc->closed = true;
  psp_rpc_tell_end(rpc, &(psp_rpc_status){.code = PSPROBE_UNAVAILABLE,
                                          .message = "HTTP/2 takes no call on this connection",
                                          .untouched = true});
  return false;
}

psp_rpc *psp_session_find(const psp_session *s, uint64_t id) {
  psp_rpc *rpc = s->calls.first;
  while (rpc != NULL && (rpc->id != id || rpc->ended))
    rpc = rpc->next;
  return rpc;
}

unsigned psp_session_calls(const psp_session *s) {
  return s->live;
}

bool psp_session_is_answered(const psp_session *s) {
  return s->answered;
}

bool psp_session_is_busy(const psp_session *s) {
  return s->options.server ? s->asked > 0 : s->live > 0;
}

void psp_session_ping(psp_session *s) {
  s->answered = false;
  nghttp2_submit_ping(s->http2, NGHTTP2_FLAG_NONE, NULL);
}

void psp_session_go_away(psp_session *s) {
  if (s->leaving) return;
  s->leaving = true;
  nghttp2_submit_goaway(s->http2, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(s->http2), NGHTTP2_NO_ERROR, NULL,
                        0);
}

bool psp_session_is_leaving(const psp_session *s) {
  return s->leaving;
}

bool psp_session_is_greeted(const psp_session *s) {
  return s->greeted;
}

const char *psp_session_why(const psp_session *s) {
  return s->why;
}
