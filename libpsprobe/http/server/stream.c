/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/server/exchange.h"

#define MAX_UNSENT ((size_t)1 << 20)
#define BLOCK      ((size_t)16 << 10)

/* Shared by whoever appends and by the response that libmicrohttpd sends; the last one frees it. */
struct psp_stream {
  psp_hub *hub;
  struct MHD_Connection *connection; /* NULL: over */
  psp_buf unsent;
  size_t sent; /* of `unsent` */
  bool paused; /* the connection is suspended until there is something to send */
  bool ended;  /* nothing more comes */
  bool gone;   /* nobody is there, or somebody too slow */
  int holders;
  psp_stream *next, **at; /* in the hub's list while paused */
};

psp_hub *psp_hub_new(void) {
  psp_hub *hub = calloc(1, sizeof *hub);
  if (!hub) return NULL;
  pthread_mutex_init(&hub->lock, NULL);
  hub->holders = 1;
  return hub;
}

psp_hub *psp_hub_hold(psp_hub *hub) {
  atomic_fetch_add(&hub->holders, 1);
  return hub;
}

void psp_hub_release(psp_hub *hub) {
  if (!hub || atomic_fetch_sub(&hub->holders, 1) > 1) return;
  pthread_mutex_destroy(&hub->lock);
  free(hub);
}

/* ---- with the hub's lock held ---- */

static void pause_stream(psp_stream *s) {
  s->paused = true;
  s->next = s->hub->paused;
  s->at = &s->hub->paused;
  if (s->next) s->next->at = &s->next;
  s->hub->paused = s;
  MHD_suspend_connection(s->connection);
}

static void resume_stream(psp_stream *s) {
  if (!s->paused) return;
  s->paused = false;
  *s->at = s->next;
  if (s->next) s->next->at = s->at;
  MHD_resume_connection(s->connection);
}

static int socket_of(const psp_stream *s) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(s->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

/* A paused connection is in nobody's poll set, so we look by ourselves whether its client has hung
 * up. */
static bool has_hung_up(const psp_stream *s) {
  char byte;
  return s->paused && recv(socket_of(s), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void drop(psp_stream *s) {
  s->gone = true;
  if (s->connection) shutdown(socket_of(s), SHUT_RDWR);
  resume_stream(s);
}

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
  if (s->gone) {
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
    pause_stream(s);
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
  s->gone = true;
  s->connection = NULL;
  bool last = release(s);
  pthread_mutex_unlock(&hub->lock);
  if (last) free_stream(s);
}

psp_stream *psp_exchange_stream_begin(psp_exchange *x, int status, const char *type) {
  psp_stream *s = calloc(1, sizeof *s);
  struct MHD_Response *response = NULL;
  if (s && !x->header_lost) {
    s->hub = psp_hub_hold(x->hub);
    s->connection = x->connection;
    s->holders = 2;
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, s, end_stream);
  }
  if (!response) {
    if (s && s->hub) psp_hub_release(s->hub);
    free(s);
    psp_exchange_answer(x, NULL, 0, false);
    return NULL;
  }
  psp_response_add_headers(response, x, type);
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
  bool alive = !s->gone && !s->hub->closing;
  if (alive && (has_hung_up(s) || len > MAX_UNSENT - (s->unsent.len - s->sent))) {
    drop(s);
    alive = false;
  }
  if (alive && len > 0) {
    compact(s);
    psp_buf_add(&s->unsent, data, len);
    alive = !s->unsent.failed;
    if (alive)
      resume_stream(s);
    else
      drop(s);
  }
  pthread_mutex_unlock(&s->hub->lock);
  return alive;
}

bool psp_stream_is_gone(psp_stream *s) {
  pthread_mutex_lock(&s->hub->lock);
  if (!s->gone && has_hung_up(s)) drop(s);
  bool gone = s->gone || s->hub->closing;
  pthread_mutex_unlock(&s->hub->lock);
  return gone;
}

void psp_stream_free(psp_stream *s) {
  if (!s) return;
  psp_hub *hub = s->hub;
  pthread_mutex_lock(&hub->lock);
  s->ended = true;
  resume_stream(s);
  bool last = release(s);
  pthread_mutex_unlock(&hub->lock);
  if (last) free_stream(s);
}

void psp_hub_close(psp_hub *hub) {
  pthread_mutex_lock(&hub->lock);
  hub->closing = true;
  while (hub->paused)
    resume_stream(hub->paused);
  pthread_mutex_unlock(&hub->lock);
}
