/* SPDX-License-Identifier: MIT */
/** @file The credentials' thread: it fetches what is waited for, and what will be needed soon. */
#include <stdlib.h>
#include <string.h>

#include "auth/parts.h"
#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "os/random.h"
#include "os/wait.h"

static bool has_token(const psp_token_slot *slot, int64_t now_ns) {
  return atomic_load_explicit(&slot->cache.len, memory_order_relaxed) > 0 &&
         now_ns < atomic_load_explicit(&slot->cache.expires_ns, memory_order_relaxed);
}

/* When the slot needs a look; INT64_MAX: not by itself. */
static int64_t due_at(const psp_token_slot *slot, int64_t now_ns) {
  if (slot->first != NULL) return now_ns;
  if (!atomic_load_explicit(&slot->used, memory_order_relaxed) ||
      atomic_load_explicit(&slot->cache.len, memory_order_relaxed) == 0)
    return INT64_MAX;
  int64_t refresh_ns = atomic_load_explicit(&slot->cache.refresh_ns, memory_order_relaxed);
  return refresh_ns > slot->retry_ns ? refresh_ns : slot->retry_ns;
}

/* The slot to look at first, and when. */
static psp_token_slot *next_slot(psprobe_credentials *c, int64_t now_ns, int64_t *due_ns) {
  psp_token_slot *first = NULL;
  *due_ns = INT64_MAX;
  for (int i = 0; i < PSP_SERVICE_COUNT; i++) {
    int64_t due = due_at(&c->api[i], now_ns);
    if (due < *due_ns) {
      *due_ns = due;
      first = &c->api[i];
    }
  }
  for (psp_token_slot *slot = c->ids; slot != NULL; slot = slot->next) {
    int64_t due = due_at(slot, now_ns);
    if (due < *due_ns) {
      *due_ns = due;
      first = slot;
    }
  }
  return first;
}

static void log_outcome(psprobe_credentials *c, const psp_token_slot *slot, int64_t life_s,
                        const psprobe_error *error) {
  psp_log_line line;
  psprobe_log_level level = error == NULL ? PSPROBE_LOG_DEBUG : PSPROBE_LOG_WARNING;
  if (!psp_log_begin(&line, &c->logger, level, error == NULL ? "token_fetched" : "token_failed"))
    return;
  if (slot->want.kind == PSP_WANT_ID) psp_log_text(&line, "audience", slot->audience);
  if (error == NULL)
    psp_log_int(&line, "life_s", life_s);
  else
    psp_log_error(&line, error);
  psp_log_end(&line);
}

/* Gets a token as "Bearer …". Under fetch_lock, which the caller takes. */
static psprobe_code get(psprobe_credentials *c, psp_token_slot *slot, bool forget, psp_got *got,
                        psprobe_error *error) {
  psprobe_code code = psp_credentials_resolve_locked(c, slot, error);
  if (code != PSPROBE_OK) return code;
  if (forget) psp_source_forget(c->source);
  psp_secret_text(&got->token, "Bearer ");
  code = psp_source_get(c->source, &c->fetcher, &slot->want, got, error);
  if (code == PSPROBE_OK && got->token.failed) code = psp_fail_memory(error, "token");
  return code;
}

/* Fetches for one slot and tells those who wait. With the lock, which is open meanwhile. */
static void fetch(psprobe_credentials *c, psp_token_slot *slot) {
  bool forget = c->forget;
  c->forget = false;
  pthread_mutex_unlock(&c->lock);
  psp_got got = {0};
  psprobe_error error;
  psprobe_error_clear(&error);
  int64_t asked_ns = psp_clock_boot_ns(&c->fetcher.clock);
  pthread_mutex_lock(&c->fetch_lock);
  psprobe_code code = get(c, slot, forget, &got, &error);
  pthread_mutex_unlock(&c->fetch_lock);
  log_outcome(c, slot, got.life_s, code == PSPROBE_OK ? NULL : &error);
  uint64_t random = 0;
  psp_random(&random, sizeof random);

  pthread_mutex_lock(&c->lock);
  if (code == PSPROBE_OK) {
    atomic_store(&slot->used, false); /* before the readers of the new one set it */
    if (!psp_token_cache_write(&slot->cache, got.token.data, got.token.len,
                               psp_token_schedule(asked_ns, got.life_s)))
      code = psp_fail_memory(&error, "token");
  }
  if (code == PSPROBE_OK) {
    slot->failures = 0;
    slot->retry_ns = 0;
  } else {
    slot->failures++;
    slot->last_error = error;
    slot->retry_ns =
        psp_token_retry_at(psp_clock_boot_ns(&c->fetcher.clock), slot->failures, random);
  }
  psp_secret_free(&got.token);
}

/* One slot whose time has come. With the lock, which is open meanwhile. */
static void serve(psprobe_credentials *c, psp_token_slot *slot, int64_t now_ns) {
  psp_token_slot *shared = atomic_load(&c->shared);
  if (shared != NULL && shared != slot && slot->want.kind == PSP_WANT_API) {
    /* They came before it was known that one token serves all. */
    psp_waiters_move(slot, shared);
    atomic_store(&slot->used, false);
    return;
  }
  /* Another waiter's fetch may have brought the token, and a failure counts for a while: a broken
   * key is not sent to Google as often as there are messages. */
  bool fresh = has_token(slot, now_ns);
  bool refresh = fresh && slot->first == NULL;
  if (refresh || (!fresh && now_ns >= slot->retry_ns)) fetch(c, slot);
  psprobe_error error = slot->last_error;
  bool good = has_token(slot, psp_clock_boot_ns(&c->fetcher.clock));
  psp_token_waiter *waiters = psp_waiters_take(slot);
  pthread_mutex_unlock(&c->lock);
  psp_waiters_tell(waiters, good ? NULL : &error);
  pthread_mutex_lock(&c->lock);
}

static void wait_until(psprobe_credentials *c, int64_t now_ns, int64_t due_ns) {
  psp_cond_wait_until(&c->changed, &c->lock,
                      due_ns == INT64_MAX ? due_ns : psprobe_clock_monotonic() + (due_ns - now_ns));
}

void *psp_credentials_run(void *credentials) {
  psprobe_credentials *c = credentials;
  pthread_mutex_lock(&c->lock);
  while (!c->stopping) {
    int64_t now_ns = psp_clock_boot_ns(&c->fetcher.clock), due_ns;
    psp_token_slot *slot = next_slot(c, now_ns, &due_ns);
    if (slot != NULL && due_ns <= now_ns) {
      serve(c, slot, now_ns);
    } else {
      wait_until(c, now_ns, due_ns);
    }
  }
  pthread_mutex_unlock(&c->lock);
  return NULL;
}
