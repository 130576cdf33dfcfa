/* SPDX-License-Identifier: MIT */
/** @file One request: what its handler asks of it, and its answer. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "http/server/parts.h"

psp_exchange *psp_exchange_new(psp_server *server, struct MHD_Connection *connection) {
  psp_exchange *x = calloc(1, sizeof *x);
  if (x == NULL) return NULL;
  x->server = server;
  x->hub = psp_hub_hold(server->hub);
  x->connection = connection;
  x->headers_end = &x->headers;
  return x;
}

static void free_kept(psp_exchange *x) {
  for (psp_kept_text *kept = x->kept, *next; kept != NULL; kept = next) {
    next = kept->next;
    free(kept);
  }
  for (psp_reply_header *header = x->headers, *next; header != NULL; header = next) {
    next = header->next;
    free(header);
  }
  x->kept = NULL;
  x->headers = NULL;
  x->headers_end = &x->headers;
}

static void drop_response(psp_exchange *x) {
  if (x->response != NULL && !x->response_shared) MHD_destroy_response(x->response);
  x->response = NULL;
}

void psp_exchange_free(psp_exchange *x) {
  if (x == NULL) return;
  drop_response(x);
  free_kept(x);
  atomic_fetch_sub(&x->hub->held, x->held);
  psp_hub_release(x->hub);
  psp_buf_free(&x->target);
  psp_buf_free(&x->scratch);
  psp_buf_free(&x->body);
  psp_gunzip_free(x->gunzip);
  free(x);
}

void psp_exchange_reset(psp_exchange *x) {
  drop_response(x);
  free_kept(x);
  psp_buf_reuse(&x->body);
  psp_gunzip_free(x->gunzip);
  x->gunzip = NULL;
  atomic_fetch_sub(&x->hub->held, x->held);
  x->held = 0;
  x->method = NULL;
  x->gzipped = x->begun = x->at_head = x->last = x->refused = x->header_lost = x->streams = false;
  x->thrown_away = 0;
  atomic_store(&x->state, PSP_READING);
}

/* ---- what a handler asks ---- */

const char *psp_exchange_method(const psp_exchange *x) {
  return x->method;
}
const char *psp_exchange_path(const psp_exchange *x) {
  return x->target.data;
}
const char *psp_exchange_raw_query(const psp_exchange *x) {
  return x->query;
}
int64_t psp_exchange_received_ns(const psp_exchange *x) {
  return x->received_ns;
}

const char *psp_exchange_segment(const psp_exchange *x, unsigned index) {
  return index < x->match.capture_count ? x->match.captures[index] : NULL;
}

const char *psp_exchange_header(const psp_exchange *x, const char *name) {
  return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

typedef struct header_count {
  const char *name;
  unsigned count;
} header_count;

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
  (void)kind, (void)value;
  header_count *h = arg;
  h->count += strcasecmp(name, h->name) == 0;
  return MHD_YES;
}

unsigned psp_exchange_header_count(const psp_exchange *x, const char *name) {
  header_count h = {.name = name};
  MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_header, &h);
  return h.count;
}

typedef struct header_call {
  psp_exchange_header_each *each;
  void *arg;
} header_call;

static enum MHD_Result tell_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value) {
  (void)kind;
  const header_call *call = arg;
  call->each(call->arg, name, value != NULL ? value : "");
  return MHD_YES;
}

void psp_exchange_headers(const psp_exchange *x, psp_exchange_header_each *each, void *arg) {
  header_call call = {each, arg};
  MHD_get_connection_values(x->connection, MHD_HEADER_KIND, tell_header, &call);
}

const char *psp_exchange_body(const psp_exchange *x, size_t *len) {
  if (len != NULL) *len = x->body.len;
  return x->body.data != NULL ? x->body.data : "";
}

bool psp_exchange_is_gone(const psp_exchange *x) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == NULL) return true;
  /* The kernel tells of a reset, and of an end that bytes nobody has read yet lie before. */
  struct pollfd state = {.fd = info->connect_fd, .events = POLLRDHUP};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static char *keep(psp_exchange *x, const char *text, size_t len) {
  psp_kept_text *kept = malloc(sizeof *kept + len + 1);
  if (kept == NULL) return NULL;
  memcpy(kept->text, text, len);
  kept->text[len] = 0;
  kept->next = x->kept;
  x->kept = kept;
  return kept->text;
}

/* A name or value of a query: percent-encoded, "+" for a space. False: a broken escape. */
static bool decode(psp_buf *out, const char *text, size_t len) {
  psp_buf plain = {0};
  psp_buf_add(&plain, text, len);
  for (size_t i = 0; i < plain.len; i++) {
    if (plain.data[i] == '+') plain.data[i] = ' ';
  }
  psp_buf_reset(out);
  bool ok = !plain.failed && psp_percent_decode(out, plain.data, plain.len);
  psp_buf_free(&plain);
  return ok && !out->failed;
}

const char *psp_exchange_query(const psp_exchange *exchange, const char *name, unsigned nth) {
  /* What is decoded is kept with the request, which is no change that anybody sees. */
  psp_exchange *x = (psp_exchange *)exchange;
  psp_buf text = {0};
  const char *found = NULL;
  for (const char *at = x->query; at != NULL && *at && found == NULL;) {
    size_t len = strcspn(at, "&");
    size_t name_len = strcspn(at, "=&");
    if (decode(&text, at, name_len) && text.data != NULL && strcmp(text.data, name) == 0 &&
        nth-- == 0) {
      size_t skip = name_len < len ? name_len + 1 : len;
      if (decode(&text, at + skip, len - skip) && text.data != NULL)
        found = keep(x, text.data, text.len);
      break;
    }
    at += at[len] ? len + 1 : len;
  }
  psp_buf_free(&text);
  return found;
}

/* ---- answering ---- */

void psp_exchange_set_header(psp_exchange *x, const char *name, const char *value) {
  size_t name_len = strlen(name), value_len = strlen(value);
  psp_reply_header *header = malloc(sizeof *header + name_len + value_len + 2);
  if (header == NULL) {
    x->header_lost = true;
    return;
  }
  memcpy(header->name, name, name_len + 1);
  memcpy(header->name + name_len + 1, value, value_len + 1);
  header->value = header->name + name_len + 1;
  header->next = NULL;
  *x->headers_end = header;
  x->headers_end = &header->next;
}

/* Takes an exchange that waits out of the server's list, under its lock. */
static void unlink_waiting(psp_exchange *x) {
  *x->waiting_at = x->next_waiting;
  if (x->next_waiting != NULL) x->next_waiting->waiting_at = x->waiting_at;
  x->waiting_at = NULL;
}

static void link_waiting(psp_exchange *x) {
  psp_server *s = x->server;
  x->next_waiting = s->waiting;
  x->waiting_at = &s->waiting;
  if (s->waiting != NULL) s->waiting->waiting_at = &x->next_waiting;
  s->waiting = x;
}

void psp_exchange_let_go(psp_exchange *x) {
  if (atomic_fetch_add(&x->ends, 1) == 1) psp_exchange_free(x);
}

/* The holder is done with it. */
static void move_on(psp_exchange *x, psp_exchange_state to) {
  psp_server *s = x->server;
  int before = atomic_load(&x->state);
  while (before != PSP_ABANDONED && !atomic_compare_exchange_weak(&x->state, &before, (int)to)) {
  }
  if (before == PSP_ABANDONED) psp_exchange_let_go(x);
  if (before == PSP_WAITING) {
    pthread_mutex_lock(&s->lock);
    unlink_waiting(x);
    MHD_resume_connection(x->connection);
    if (s->closing) pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
  }
}

static void end_with(struct MHD_Response *response) {
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

void psp_exchange_answer(psp_exchange *x, struct MHD_Response *response, unsigned status,
                         bool shared) {
  if (x->last && !shared && response != NULL) end_with(response);
  /* Written before the state, which tells the server's thread that they are there. */
  x->response = response;
  x->status = status;
  x->response_shared = shared;
  move_on(x, PSP_ANSWERED);
}

void psp_exchange_admit(psp_exchange *x) {
  move_on(x, PSP_READING);
}

bool psp_exchange_settle(psp_exchange *x) {
  psp_server *s = x->server;
  int state = PSP_HANDLING;
  if (atomic_load(&x->state) != PSP_HANDLING) return true;
  pthread_mutex_lock(&s->lock);
  bool settled = s->closing;
  if (settled) {
    atomic_compare_exchange_strong(&x->state, &state, PSP_ABANDONED);
  } else {
    /* Suspended first: whoever finds it waiting may resume it at once. */
    MHD_suspend_connection(x->connection);
    link_waiting(x);
    if (!atomic_compare_exchange_strong(&x->state, &state, PSP_WAITING)) {
      unlink_waiting(x);
      MHD_resume_connection(x->connection);
    }
  }
  pthread_mutex_unlock(&s->lock);
  return settled;
}

void psp_exchange_abandon_all(psp_server *s) {
  pthread_mutex_lock(&s->lock);
  s->closing = true;
  for (psp_exchange *x = s->waiting, *next; x != NULL; x = next) {
    next = x->next_waiting;
    int state = PSP_WAITING;
    if (!atomic_compare_exchange_strong(&x->state, &state, PSP_ABANDONED)) continue;
    unlink_waiting(x);
    MHD_resume_connection(x->connection);
  }
  /* The others are being answered at this moment: their threads are about to take the lock. */
  while (s->waiting != NULL)
    pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
}

void psp_response_add_headers(struct MHD_Response *response, const psp_exchange *x,
                              const char *type) {
  if (type != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  for (const psp_reply_header *header = x != NULL ? x->headers : NULL; header != NULL;
       header = header->next)
    MHD_add_response_header(response, header->name, header->value);
}

static struct MHD_Response *make_response(psp_exchange *x, const char *type, const char *body,
                                          size_t len) {
  enum MHD_ResponseMemoryMode mode = len > 0 ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT;
  static char nothing[1];
  if (x != NULL && x->header_lost) return NULL;
  struct MHD_Response *response =
      MHD_create_response_from_buffer(len, len > 0 ? (void *)body : nothing, mode);
  if (response == NULL) return NULL;
  psp_response_add_headers(response, x, type);
  return response;
}

void psp_exchange_reply(psp_exchange *x, int status, const char *type, const char *body,
                        size_t len) {
  psp_exchange_answer(x, make_response(x, type, body, len), (unsigned)status, false);
}

void psp_exchange_reply_error(psp_exchange *x, int status, psprobe_code code, const char *message) {
  psp_buf body = {0};
  psp_json_writer w = {.buf = &body};
  psp_json_put_error(&w, status, code, message);
  if (body.failed)
    psp_exchange_answer(x, NULL, 0, false);
  else
    psp_exchange_reply(x, status, "application/json", body.data, body.len);
  psp_buf_free(&body);
}

psp_reply *psp_reply_new(int status, const char *type, const char *body, size_t len) {
  psp_reply *reply = malloc(sizeof *reply);
  if (reply == NULL) return NULL;
  *reply = (psp_reply){make_response(NULL, type, body, len), make_response(NULL, type, body, len),
                       (unsigned)status};
  if (reply->response == NULL || reply->last == NULL) {
    psp_reply_free(reply);
    return NULL;
  }
  end_with(reply->last);
  return reply;
}

void psp_reply_free(psp_reply *reply) {
  if (reply == NULL) return;
  if (reply->response != NULL) MHD_destroy_response(reply->response);
  if (reply->last != NULL) MHD_destroy_response(reply->last);
  free(reply);
}

void psp_exchange_reply_shared(psp_exchange *x, psp_reply *reply) {
  psp_exchange_answer(x, x->last ? reply->last : reply->response, reply->status, true);
}
