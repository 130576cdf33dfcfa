/* SPDX-License-Identifier: MIT */
#include "client/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/parts.h"
#include "os/random.h"

#define DEFAULT_ATTEMPT_NS INT64_C(60000000000)

/* Where a call stands; guarded by the client's lock. Whoever moves it away from FLYING or
 * WAITING_… to BUSY has it to himself until he moves it on. */
typedef enum call_state { BUSY, FLYING, WAITING_RETRY, WAITING_TOKEN } call_state;

struct psp_pending {
  psprobe_client *client;
  psp_call_done *done;
  void *arg;
  psp_service service;
  const char *method, *what, *path;
  const void *body;
  size_t body_len, max_response;
  psp_retry_policy retry;
  int64_t attempt_ns, deadline_ns;
  unsigned attempt;    /* from 1; 0 before the first */
  uint64_t generation; /* of the token that the attempt carried */
  psp_http_part *part;
  void *part_arg;
  bool once, parted;        /* a part of the answer was taken */
  bool token, reauthorized; /* it carried one; a 401 was answered with a new one already */

  call_state state;
  bool cancelled, resume_wanted, id_known;
  unsigned refs; /* one for the call until it is finished, one for each callback to come */
  uint64_t http_id;
  psp_timer timer;
  psp_token_waiter waiter;
  psp_retry_past past;
  char text[]; /* method, what, path and body */
};

static void again(psp_pending *p);
static void settle(psp_pending *p, psprobe_error *error);

static void lock(psp_pending *p) {
  pthread_mutex_lock(&p->client->lock);
}

static void unlock(psp_pending *p) {
  pthread_mutex_unlock(&p->client->lock);
}

/* Drops `count` references, and the lock. */
static void unref_locked(psp_pending *p, unsigned count) {
  psprobe_client *client = p->client;
  p->refs -= count;
  bool last = p->refs == 0;
  if (last && --client->active == 0) pthread_cond_broadcast(&client->changed);
  pthread_mutex_unlock(&client->lock);
  if (!last) return;
  psp_retry_past_free(&p->past);
  free(p);
}

/* Drops a reference that is not the last, and the lock. */
static void drop_locked(psp_pending *p) {
  p->refs--;
  unlock(p);
}

static bool stopped_locked(const psp_pending *p) {
  return p->cancelled || p->client->closing;
}

static psprobe_code fail_cancelled(const psp_pending *p, psprobe_error *error) {
  return psp_fail(error, PSPROBE_CANCELLED, "%s: cancelled", p->what);
}

/* The end: tells the caller and gives up the call's own reference. */
static void finish(psp_pending *p, const psp_http_response *response, const psprobe_error *error) {
  p->done(p->arg, response, error);
  lock(p);
  unref_locked(p, 1);
}

static void finish_failed(psp_pending *p, psprobe_error *error) {
  psp_retry_note(&p->past, error);
  finish(p, NULL, error);
}

static void finish_cancelled(psp_pending *p) {
  psprobe_error error = {0};
  fail_cancelled(p, &error);
  finish(p, NULL, &error);
}

static void on_timer(psp_timer *timer) {
  psp_pending *p = (psp_pending *)((char *)timer - offsetof(psp_pending, timer));
  lock(p);
  call_state state = p->state;
  bool mine = state == WAITING_RETRY || state == WAITING_TOKEN;
  if (mine) p->state = BUSY;
  bool stopped = stopped_locked(p);
  if (!mine) {
    unref_locked(p, 1); /* p may be gone */
    return;
  }
  drop_locked(p);
  if (state == WAITING_TOKEN && psp_credentials_unwait(p->client->credentials, &p->waiter)) {
    lock(p);
    drop_locked(p);
  }
  if (stopped) {
    finish_cancelled(p);
  } else if (state == WAITING_RETRY) {
    again(p);
  } else {
    psprobe_error error;
    psprobe_error_clear(&error);
    psp_fail(&error, PSPROBE_DEADLINE_EXCEEDED, "%s: no access token within the deadline", p->what);
    finish_failed(p, &error);
  }
}

/* Takes the call out of WAITING_TOKEN, unless its timer is firing just now: then that ends it. */
static void on_token(void *arg, const psprobe_error *error) {
  psp_pending *p = arg;
  lock(p);
  bool mine = p->state == WAITING_TOKEN && psp_timers_disarm(p->client->timers, &p->timer);
  if (!mine) {
    unref_locked(p, 1); /* p may be gone */
    return;
  }
  p->state = BUSY;
  p->refs--; /* the timer's */
  drop_locked(p);
  if (error == NULL) {
    again(p);
    return;
  }
  psprobe_error outcome = *error;
  psp_fail_in(&outcome, "%s", p->what);
  outcome.http_status = 0; /* it was the token endpoint's, not the API's */
  p->attempt++;
  settle(p, &outcome);
}

/* On PSPROBE_OK the call goes on by itself; else the caller still has it. */
static psprobe_code wait_for_token(psp_pending *p, psprobe_error *error) {
  p->waiter = (psp_token_waiter){.ready = on_token, .arg = p};
  lock(p);
  psprobe_code code = PSPROBE_OK;
  if (stopped_locked(p) || !psp_timers_arm(p->client->timers, &p->timer, p->deadline_ns)) {
    code = fail_cancelled(p, error);
  } else {
    p->refs++;
    code = psp_credentials_wait(p->client->credentials, p->service, &p->waiter, error);
    if (code == PSPROBE_OK) {
      p->state = WAITING_TOKEN;
      p->refs++;
    } else {
      if (psp_timers_disarm(p->client->timers, &p->timer)) p->refs--;
      psp_fail_in(error, "%s", p->what);
    }
  }
  unlock(p);
  return code;
}

/* An attempt came to `error`: again after a while, or the end. */
static void settle(psp_pending *p, psprobe_error *error) {
  uint64_t random = 0;
  psp_retry_note(&p->past, error);
  psp_random(&random, sizeof random);
  int64_t now = psprobe_clock_monotonic();
  /* What ran out here and not at the server (memory, the room for an answer) is not there later. */
  bool ours = error->code == PSPROBE_RESOURCE_EXHAUSTED && error->http_status == 0;
  int64_t delay = ours || p->parted
                      ? -1
                      : psp_retry_delay(&p->retry, error, p->attempt, now, p->deadline_ns, random);
  lock(p);
  bool stopped = stopped_locked(p);
  bool waits = !stopped && delay >= 0 && psp_timers_arm(p->client->timers, &p->timer, now + delay);
  if (waits) {
    p->state = WAITING_RETRY;
    p->refs++;
  }
  unlock(p);
  if (stopped)
    finish_cancelled(p);
  else if (!waits)
    finish(p, NULL, error);
}

static void on_answer(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psp_pending *p = arg;
  lock(p);
  p->state = BUSY;
  drop_locked(p); /* the call's own is left, until finish */
  if (response != NULL && response->status >= 200 && response->status < 300) {
    finish(p, response, NULL);
    return;
  }
  psprobe_error outcome;
  psprobe_error_clear(&outcome);
  if (response != NULL) {
    psp_status_read(response, p->token, p->what, &outcome);
  } else {
    outcome = *error;
    psp_fail_in(&outcome, "%s", p->what);
  }
  if (outcome.http_status == 401 && p->token && !p->reauthorized) {
    p->reauthorized = true;
    psp_retry_note(&p->past, &outcome);
    psp_credentials_reject(p->client->credentials, p->service, p->generation);
    again(p);
    return;
  }
  settle(p, &outcome);
}

static bool on_part(void *arg, const char *data, size_t len) {
  psp_pending *p = arg;
  bool taken = p->part(p->part_arg, data, len);
  if (taken) p->parted = true; /* read in on_answer, which comes after */
  return taken;
}

/* Hands the request to http. On PSPROBE_OK on_answer comes; else the caller still has the call. */
static psprobe_code hand_over(psp_pending *p, const psp_http_request *request,
                              psprobe_error *error) {
  lock(p);
  if (stopped_locked(p)) {
    unlock(p);
    return fail_cancelled(p, error);
  }
  p->state = FLYING;
  p->id_known = false;
  p->refs += 2; /* the answer's, and ours until the id is stored: the answer may be faster */
  p->client->sending++;
  unsigned number = ++p->attempt;
  unlock(p);

  uint64_t id = 0;
  psprobe_code code = psp_http_send(p->client->http, request, on_answer, p, &id, error);

  lock(p);
  if (code == PSPROBE_OK && p->state == FLYING && p->attempt == number) {
    p->http_id = id;
    p->id_known = true;
    bool cancelled = p->cancelled, resume = p->resume_wanted;
    p->resume_wanted = false;
    unlock(p); /* what was asked for meanwhile, of a request without an id */
    if (cancelled) psp_http_cancel(p->client->http, id);
    if (resume) psp_http_resume(p->client->http, id);
    lock(p);
  }
  /* Up to here http is not freed. */
  if (--p->client->sending == 0 && p->client->closing) pthread_cond_broadcast(&p->client->changed);
  if (code != PSPROBE_OK) {
    p->state = BUSY;
    p->refs -= 2;
    unlock(p);
    psp_fail_in(error, "%s", p->what);
    return code;
  }
  unref_locked(p, 1);
  return PSPROBE_OK;
}

static char *put(char *at, const void *data, size_t len) {
  if (len > 0 && data != NULL) memcpy(at, data, len);
  return at + len;
}

/* One attempt with `authorization` (NULL: none). */
static psprobe_code send_with(psp_pending *p, const char *authorization, psprobe_error *error) {
  int64_t left = p->deadline_ns - psprobe_clock_monotonic();
  if (left <= 0)
    return psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "%s: the deadline has passed", p->what);
  char room[512];
  char *url = psp_client_url(p->client, p->service, p->path, room, sizeof room);
  if (url == NULL) return psp_fail_memory(error, p->what);
  psp_header headers[4];
  size_t count = 0;
  headers[count++] = (psp_header){"x-goog-api-client", PSP_API_CLIENT};
  if (p->body != NULL) headers[count++] = (psp_header){"content-type", "application/json"};
  if (authorization != NULL) headers[count++] = (psp_header){"authorization", authorization};
  const char *quota = p->token ? psp_credentials_quota_project(p->client->credentials) : NULL;
  if (quota != NULL) headers[count++] = (psp_header){"x-goog-user-project", quota};
  psp_http_request request = {.method = p->method,
                              .url = url,
                              .headers = headers,
                              .header_count = count,
                              .body = p->body,
                              .body_kept = true,
                              .body_len = p->body_len,
                              .once = p->once,
                              .timeout_ns = left < p->attempt_ns ? left : p->attempt_ns,
                              .max_response = p->max_response,
                              .part = p->part != NULL ? on_part : NULL,
                              .part_arg = p};
  psprobe_code code = hand_over(p, &request, error);
  if (url != room) free(url);
  return code;
}

/* One attempt. On PSPROBE_OK the call goes on by itself; else the caller still has it. */
static psprobe_code try_once(psp_pending *p, psprobe_error *error) {
  psprobe_client *client = p->client;
  if (client->emulator[p->service])
    return send_with(p, p->service == PSP_FIRESTORE ? "Bearer owner" : NULL, error);
  psp_bearer bearer;
  psprobe_code code = psp_bearer_read(&bearer, client->credentials,
                                      psp_credentials_slot(client->credentials, p->service), error);
  if (code != PSPROBE_OK) return code;
  p->generation = bearer.generation;
  p->token = bearer.len > 0;
  code = bearer.len > 0 ? send_with(p, bearer.text, error) : wait_for_token(p, error);
  psp_bearer_wipe(&bearer);
  return code;
}

static void again(psp_pending *p) {
  psprobe_error error = {0};
  if (try_once(p, &error) != PSPROBE_OK) finish_failed(p, &error);
}

/* One block holds the call and all it needs for another attempt. */
static psp_pending *copy_call(psprobe_client *client, const psp_call *call) {
  size_t method = strlen(call->method) + 1, what = strlen(call->what) + 1;
  size_t path = strlen(call->path) + 1;
  psp_pending *p = malloc(sizeof *p + method + what + path + call->body_len);
  if (p == NULL) return NULL;
  memset(p, 0, sizeof *p);
  char *at = p->text;
  p->method = at;
  at = put(at, call->method, method);
  p->what = at;
  at = put(at, call->what, what);
  p->path = at;
  at = put(at, call->path, path);
  if (call->body != NULL) p->body = at;
  put(at, call->body, call->body_len);
  p->body_len = call->body_len;
  p->max_response = call->max_response;
  p->client = client;
  p->service = call->service;
  p->retry = call->retry;
  p->once = call->once;
  p->part = call->part;
  p->part_arg = call->part_arg;
  p->attempt_ns = call->attempt_ns > 0 ? call->attempt_ns : DEFAULT_ATTEMPT_NS;
  p->deadline_ns =
      psprobe_clock_monotonic() + (call->total_ns > 0 ? call->total_ns : client->timeout_ns);
  p->timer.fire = on_timer;
  p->refs = 1;
  return p;
}

psprobe_code psp_call_start(psprobe_client *client, const psp_call *call, psp_call_done *done,
                            void *arg, psp_pending **pending, psprobe_error *error) {
  psp_pending *p = copy_call(client, call);
  if (p == NULL) return psp_fail_memory(error, call->what);
  p->done = done;
  p->arg = arg;
  if (pending != NULL) *pending = p;
  lock(p);
  client->active++;
  unlock(p);
  psprobe_code code = try_once(p, error);
  if (code != PSPROBE_OK) {
    lock(p);
    unref_locked(p, 1);
  }
  return code;
}

void psp_call_cancel(psprobe_client *client, psp_pending *p) {
  lock(p);
  p->cancelled = true;
  bool flying = p->state == FLYING && p->id_known;
  uint64_t id = p->http_id;
  if (p->state == WAITING_RETRY || p->state == WAITING_TOKEN)
    psp_timers_hasten(client->timers, &p->timer);
  pthread_mutex_unlock(&client->lock); /* p may be gone from here */
  if (flying) psp_http_cancel(client->http, id);
}

void psp_call_resume(psprobe_client *client, psp_pending *p) {
  lock(p);
  bool known = p->state == FLYING && p->id_known;
  if (!known) p->resume_wanted = true; /* the one that waits for its id sees to it */
  uint64_t id = p->http_id;
  unlock(p);
  if (known) psp_http_resume(client->http, id);
}
