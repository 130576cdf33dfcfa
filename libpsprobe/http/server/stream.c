/* SPDX-License-Identifier: MIT */
/** @file Answers that go on: bytes from any thread, sent as the client takes them. */
#include <stdlib.h>
#include <string.h>

#include "http/server/hub.h"
#include "http/server/parts.h"

#define MAX_UNSENT ((size_t)1 << 20)
#define BLOCK      ((size_t)16 << 10)

/* Shared by whoever appends and by the response that libmicrohttpd sends; the last one frees it. */
struct psp_stream {
  psp_hub *hub;
  psp_hub_stream at_hub;
  psp_buf unsent;
  size_t sent; /* of `unsent` */
  bool ended;  /* nothing more comes */
  int holders;
};

/* ---- with the hub's lock held ---- */

static bool release(psp_stream *s) {
  return --s->holders == 0;
}

/* ---- without it ---- */

static void free_stream(psp_stream *s) {
  psp_hub_release(s->hub);
  psp_buf_free(&s->unsent);
  free(s);
}

/* Called by libmicrohttpd when the connection can take more. */
static ssize_t read_stream(void *arg, uint64_t position, char *to, size_t max) {
  (void)position;
  psp_stream *s = arg;
  ssize_t result;
  pthread_mutex_lock(&s->hub->lock);
  size_t left = s->unsent.len - s->sent;
  if (s->at_hub.gone) {
    result = MHD_CONTENT_READER_END_WITH_ERROR;
  } else if (left > 0) {
    size_t len = left < max ? left : max;
    memcpy(to, s->unsent.data + s->sent, len);
    s->sent += len;
    if (len == left) {
      psp_buf_reset(&s->unsent);
      s->sent = 0;
    }
    result = (ssize_t)len;
  } else if (s->ended || s->hub->closing) {
    result = MHD_CONTENT_READER_END_OF_STREAM;
  } else {
    psp_hub_pause(s->hub, &s->at_hub);
    result = 0;
  }
  pthread_mutex_unlock(&s->hub->lock);
  return result;
}

/* Called by libmicrohttpd when the answer is over, for whatever reason. */
static void end_stream(void *arg) {
  psp_stream *s = arg;
  psp_hub *hub = s->hub;
  pthread_mutex_lock(&hub->lock);
  s->at_hub.gone = true;
  s->at_hub.connection = NULL;
  bool last = release(s);
  pthread_mutex_unlock(&hub->lock);
  if (last) free_stream(s);
}

psp_stream *psp_exchange_stream_begin(psp_exchange *x, int status, const char *type) {
  psp_stream *s = calloc(1, sizeof *s);
  struct MHD_Response *response = NULL;
  if (s != NULL && !x->header_lost) {
    s->hub = psp_hub_hold(x->hub);
    s->at_hub.connection = x->connection;
    s->holders = 2;
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, s, end_stream);
  }
  if (response == NULL) {
    if (s != NULL && s->hub != NULL) psp_hub_release(s->hub);
    free(s);
    psp_exchange_answer(x, NULL, 0, false);
    return NULL;
  }
  psp_response_add_headers(response, x, type);
  x->streams = true;
  psp_exchange_answer(x, response, (unsigned)status, false);
  return s;
}

/* Makes room by moving what is unsent to the front. */
static void compact(psp_stream *s) {
  if (s->sent == 0) return;
  s->unsent.len -= s->sent;
  memmove(s->unsent.data, s->unsent.data + s->sent, s->unsent.len + 1);
  s->sent = 0;
}

bool psp_stream_append(psp_stream *s, const void *data, size_t len) {
  pthread_mutex_lock(&s->hub->lock);
  bool alive = !s->at_hub.gone && !s->hub->closing;
  if (alive && (psp_hub_is_hung_up(&s->at_hub) || len > MAX_UNSENT - (s->unsent.len - s->sent))) {
    psp_hub_drop(&s->at_hub);
    alive = false;
  }
  if (alive && len > 0) {
    compact(s);
    psp_buf_add(&s->unsent, data, len);
    alive = !s->unsent.failed;
    if (alive)
      psp_hub_resume(&s->at_hub);
    else
      psp_hub_drop(&s->at_hub);
  }
  pthread_mutex_unlock(&s->hub->lock);
  return alive;
}

bool psp_stream_is_gone(psp_stream *s) {
  pthread_mutex_lock(&s->hub->lock);
  if (!s->at_hub.gone && psp_hub_is_hung_up(&s->at_hub)) psp_hub_drop(&s->at_hub);
  bool gone = s->at_hub.gone || s->hub->closing;
  pthread_mutex_unlock(&s->hub->lock);
  return gone;
}

void psp_stream_free(psp_stream *s) {
  if (s == NULL) return;
  psp_hub *hub = s->hub;
  pthread_mutex_lock(&hub->lock);
  s->ended = true;
  psp_hub_resume(&s->at_hub);
  bool last = release(s);
  pthread_mutex_unlock(&hub->lock);
  if (last) free_stream(s);
}
