/* SPDX-License-Identifier: MIT */
#include "fake_transport.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <cmocka.h>

#include "request_copy.h"

typedef enum state { WAITING, DELIVERING, DONE } state;

/* A request that came. All of them are kept until the end, for the test to look at. */
typedef struct seen {
  struct seen *next; /* in the order of arrival */
  psp_http_request request;
  fake_call *call; /* NULL: expected by nobody */
  unsigned nth;    /* of those that met the same call */
  uint64_t id;
  psp_http_done *done;
  void *arg;
  state state;
  bool cancelled, resumed;
} seen;

typedef enum script { NOTHING_YET, REPLY, FAIL, HANDLE } script;

struct fake_call {
  fake_call *next;
  fake_transport *fake;
  char *method, *url;
  unsigned times, count;
  script script;
  int status;
  char *headers;
  psp_buf body;
  psprobe_error error;
  fake_handler *handler;
  void *arg;
};

struct fake_transport {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  fake_call *calls, **calls_end;
  seen *seen, **seen_end;
  uint64_t last_id;
  unsigned unexpected;
  bool in_order, closing, closed;
};

static bool glob(const char *pattern, const char *text) {
  for (; *pattern && *pattern != '*'; pattern++, text++) {
    if (*pattern != *text) return false;
  }
  if (!*pattern) return *text == 0;
  for (;; text++) {
    if (glob(pattern + 1, text)) return true;
    if (!*text) return false;
  }
}

static bool is_open(const fake_call *call) {
  return call->times == 0 || call->count < call->times;
}

static fake_call *find_call(fake_transport *fake, const psp_http_request *request) {
  for (fake_call *call = fake->calls; call != NULL; call = call->next) {
    if (!is_open(call)) continue;
    if (strcmp(call->method, request->method) == 0 && glob(call->url, request->url)) return call;
    if (fake->in_order && call->times != 0) return NULL;
  }
  return NULL;
}

static psprobe_code fake_send(void *self, const psp_http_request *request, psp_http_done *done,
                              void *arg, uint64_t *id, psprobe_error *error) {
  (void)error;
  fake_transport *fake = self;
  seen *s = test_need(calloc(1, sizeof *s));
  s->request = test_copy_request(request);
  s->done = done;
  s->arg = arg;
  pthread_mutex_lock(&fake->lock);
  s->id = ++fake->last_id;
  s->call = find_call(fake, request);
  if (s->call != NULL) {
    s->nth = s->call->count++;
  } else {
    fake->unexpected++;
    fprintf(stderr, "unexpected request: %s %s\n", request->method, request->url);
  }
  *fake->seen_end = s;
  fake->seen_end = &s->next;
  if (id != NULL) *id = s->id;
  pthread_cond_broadcast(&fake->changed);
  pthread_mutex_unlock(&fake->lock);
  return PSPROBE_OK;
}

static void fake_cancel(void *self, uint64_t id) {
  fake_transport *fake = self;
  pthread_mutex_lock(&fake->lock);
  for (seen *s = fake->seen; s != NULL; s = s->next) {
    bool parts = s->state == DELIVERING && s->request.part != NULL;
    if (s->id == id && (s->state == WAITING || parts)) s->cancelled = true;
  }
  pthread_cond_broadcast(&fake->changed);
  pthread_mutex_unlock(&fake->lock);
}

static void fake_resume(void *self, uint64_t id) {
  fake_transport *fake = self;
  pthread_mutex_lock(&fake->lock);
  for (seen *s = fake->seen; s != NULL; s = s->next)
    if (s->id == id) s->resumed = true;
  pthread_cond_broadcast(&fake->changed);
  pthread_mutex_unlock(&fake->lock);
}

static psprobe_error make_error(psprobe_code code, const char *message) {
  psprobe_error error = {.code = code, .retryable = code == PSPROBE_UNAVAILABLE};
  snprintf(error.message, sizeof error.message, "%s", message);
  return error;
}

#define FAKE_PART 7 /* bytes of a body that is taken by parts */

/* False: it was called off before all of the body was taken. */
static bool give_parts(fake_transport *fake, seen *s, const psp_buf *body) {
  for (size_t at = 0; at < body->len;) {
    size_t len = body->len - at < FAKE_PART ? body->len - at : FAKE_PART;
    bool taken = s->request.part(s->request.part_arg, body->data + at, len);
    if (taken) at += len;
    pthread_mutex_lock(&fake->lock);
    while (!taken && !s->resumed && !s->cancelled && !fake->closing)
      pthread_cond_wait(&fake->changed, &fake->lock);
    s->resumed = false;
    bool over = s->cancelled || fake->closing;
    pthread_mutex_unlock(&fake->lock);
    if (over) return false;
  }
  return true;
}

static void give_response(fake_transport *fake, seen *s, int status, const char *headers,
                          const psp_buf *body) {
  static const psp_buf none;
  if (s->request.part != NULL && status >= 200 && status < 300) {
    if (!give_parts(fake, s, body)) {
      psprobe_error error = make_error(PSPROBE_CANCELLED, "cancelled");
      s->done(s->arg, NULL, &error);
      return;
    }
    body = &none;
  }
  psp_header list[TEST_HEADERS_MAX];
  char *text = test_copy_text(headers);
  psp_http_response response = {.status = status,
                                .body = body->data != NULL ? body->data : "",
                                .body_len = body->len,
                                .headers = list,
                                .header_count = test_split_headers(text, list)};
  s->done(s->arg, &response, NULL);
  free(text);
}

/* With the lock held, which it leaves meanwhile: a callback may send the next request. */
static void deliver(fake_transport *fake, seen *s) {
  s->state = DELIVERING;
  fake_call now = s->call != NULL ? *s->call : (fake_call){0};
  now.headers = test_copy_text(now.headers);
  if (s->call != NULL) now.body.data = test_copy(now.body.data, now.body.len);
  bool cancelled = s->cancelled;
  pthread_mutex_unlock(&fake->lock);
  if (cancelled || s->call == NULL || now.script == FAIL) {
    psprobe_error error = cancelled ? make_error(PSPROBE_CANCELLED, "cancelled") : now.error;
    if (!cancelled && s->call == NULL)
      error = make_error(PSPROBE_INTERNAL, "fake: unexpected request");
    s->done(s->arg, NULL, &error);
  } else if (now.script == HANDLE) {
    fake_answer answer = {.status = 200};
    now.handler(now.arg, &s->request, &answer);
    give_response(fake, s, answer.status, answer.headers, &answer.body);
    free(answer.body.data);
  } else {
    give_response(fake, s, now.status, now.headers, &now.body);
  }
  free(now.headers);
  free(now.body.data);
  pthread_mutex_lock(&fake->lock);
  s->state = DONE;
}

static seen *next_due(fake_transport *fake) {
  for (seen *s = fake->seen; s != NULL; s = s->next) {
    if (fake->closing && s->state == WAITING) s->cancelled = true;
    if (s->state == WAITING && (s->cancelled || s->call == NULL || s->call->script != NOTHING_YET))
      return s;
  }
  return NULL;
}

static void *run(void *arg) {
  fake_transport *fake = arg;
  pthread_mutex_lock(&fake->lock);
  for (;;) {
    seen *s = next_due(fake);
    if (s != NULL) {
      deliver(fake, s);
      pthread_cond_broadcast(&fake->changed);
    } else if (fake->closing) {
      break;
    } else {
      pthread_cond_wait(&fake->changed, &fake->lock);
    }
  }
  pthread_mutex_unlock(&fake->lock);
  return NULL;
}

static void fake_close(void *self) {
  fake_transport *fake = self;
  pthread_mutex_lock(&fake->lock);
  fake->closing = true;
  pthread_cond_broadcast(&fake->changed);
  pthread_mutex_unlock(&fake->lock);
  pthread_join(fake->thread, NULL);
  fake->closed = true;
}

static const psp_transport table = {
    .send = fake_send, .cancel = fake_cancel, .resume = fake_resume, .free = fake_close};

fake_transport *fake_transport_new(psp_http **http) {
  fake_transport *fake = test_need(calloc(1, sizeof *fake));
  pthread_mutex_init(&fake->lock, NULL);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&fake->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  fake->calls_end = &fake->calls;
  fake->seen_end = &fake->seen;
  if (psp_http_new_transport(&table, fake, http, NULL) != PSPROBE_OK) abort();
  if (pthread_create(&fake->thread, NULL, run, fake) != 0) abort();
  return fake;
}

void fake_transport_free(fake_transport *fake) {
  if (!fake->closed) fail_msg("fake_transport_free before psp_http_free");
  unsigned missing = 0, unexpected = fake->unexpected;
  for (fake_call *call = fake->calls, *next; call != NULL; call = next) {
    next = call->next;
    if (call->times != 0 && call->count < call->times) {
      missing++;
      fprintf(stderr, "expected %u times, came %u times: %s %s\n", call->times, call->count,
              call->method, call->url);
    }
    free(call->method);
    free(call->url);
    free(call->headers);
    free(call->body.data);
    free(call);
  }
  for (seen *s = fake->seen, *next; s != NULL; s = next) {
    next = s->next;
    test_free_request(&s->request);
    free(s);
  }
  pthread_cond_destroy(&fake->changed);
  pthread_mutex_destroy(&fake->lock);
  free(fake);
  if (missing || unexpected)
    fail_msg("%u expected requests did not come, %u unexpected ones did", missing, unexpected);
}

void fake_in_order(fake_transport *fake) {
  pthread_mutex_lock(&fake->lock);
  fake->in_order = true;
  pthread_mutex_unlock(&fake->lock);
}

unsigned fake_request_count(fake_transport *fake) {
  pthread_mutex_lock(&fake->lock);
  unsigned count = (unsigned)fake->last_id;
  pthread_mutex_unlock(&fake->lock);
  return count;
}

fake_call *fake_expect(fake_transport *fake, const char *method, const char *url) {
  fake_call *call = test_need(calloc(1, sizeof *call));
  call->fake = fake;
  call->times = 1;
  call->method = test_copy_text(method);
  call->url = test_copy_text(url);
  pthread_mutex_lock(&fake->lock);
  *fake->calls_end = call;
  fake->calls_end = &call->next;
  pthread_mutex_unlock(&fake->lock);
  return call;
}

fake_call *fake_times(fake_call *call, unsigned times) {
  pthread_mutex_lock(&call->fake->lock);
  call->times = times;
  pthread_mutex_unlock(&call->fake->lock);
  return call;
}

static void set_script(fake_call *call, const fake_call *with) {
  pthread_mutex_lock(&call->fake->lock);
  free(call->headers);
  free(call->body.data);
  call->script = with->script;
  call->status = with->status;
  call->headers = with->headers;
  call->body = with->body;
  call->error = with->error;
  call->handler = with->handler;
  call->arg = with->arg;
  pthread_cond_broadcast(&call->fake->changed);
  pthread_mutex_unlock(&call->fake->lock);
}

void fake_reply_bytes(fake_call *call, int status, const char *headers, const void *body,
                      size_t len) {
  fake_call with = {.script = REPLY, .status = status, .headers = test_copy_text(headers)};
  with.body.data = test_copy(body, len);
  with.body.len = len;
  set_script(call, &with);
}

void fake_reply(fake_call *call, int status, const char *headers, const char *body) {
  fake_reply_bytes(call, status, headers, body, body != NULL ? strlen(body) : 0);
}

void fake_fail(fake_call *call, psprobe_code code, const char *message) {
  set_script(call, &(fake_call){.script = FAIL, .error = make_error(code, message)});
}

void fake_handle(fake_call *call, fake_handler *handler, void *arg) {
  set_script(call, &(fake_call){.script = HANDLE, .handler = handler, .arg = arg});
}

void fake_wait(fake_call *call, unsigned count) {
  fake_transport *fake = call->fake;
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += 30;
  pthread_mutex_lock(&fake->lock);
  int rc = 0;
  while (call->count < count && rc == 0)
    rc = pthread_cond_timedwait(&fake->changed, &fake->lock, &until);
  unsigned came = call->count;
  pthread_mutex_unlock(&fake->lock);
  if (came < count) fail_msg("%s %s came %u times, not %u", call->method, call->url, came, count);
}

unsigned fake_count(fake_call *call) {
  pthread_mutex_lock(&call->fake->lock);
  unsigned count = call->count;
  pthread_mutex_unlock(&call->fake->lock);
  return count;
}

unsigned fake_cancelled(fake_call *call) {
  unsigned count = 0;
  pthread_mutex_lock(&call->fake->lock);
  for (seen *s = call->fake->seen; s != NULL; s = s->next)
    count += s->call == call && s->cancelled;
  pthread_mutex_unlock(&call->fake->lock);
  return count;
}

const psp_http_request *fake_request(fake_call *call, unsigned nth) {
  const psp_http_request *found = NULL;
  pthread_mutex_lock(&call->fake->lock);
  for (seen *s = call->fake->seen; s != NULL; s = s->next) {
    if (s->call == call && s->nth == nth) found = &s->request;
  }
  pthread_mutex_unlock(&call->fake->lock);
  if (found == NULL) fail_msg("%s %s did not come %u times", call->method, call->url, nth + 1);
  return found;
}

const char *fake_request_header(const psp_http_request *request, const char *name) {
  for (size_t i = 0; i < request->header_count; i++) {
    if (strcasecmp(request->headers[i].name, name) == 0) return request->headers[i].value;
  }
  return NULL;
}
