/* SPDX-License-Identifier: MIT */
#include "auth/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "auth/parts.h"
#include "base/error.h"
#include "base/text.h"
#include "os/thread.h"
#include "os/wait.h"

#define MAX_AUDIENCES 256

static psprobe_code copy_options(psprobe_credentials *c, const psprobe_credentials_options *options,
                                 psprobe_error *error) {
  if (options == NULL) return PSPROBE_OK;
  c->options = *options;
  c->options.file = c->file = psp_strdup(options->file);
  c->options.ca_file = c->ca_file = psp_strdup(options->ca_file);
  if (options->logger != NULL) c->logger = *options->logger;
  if ((options->file != NULL && c->file == NULL) ||
      (options->ca_file != NULL && c->ca_file == NULL))
    return psp_fail_memory(error, "credentials");
  return PSPROBE_OK;
}

psprobe_code psp_credentials_new_with(const psprobe_credentials_options *options,
                                      const psp_clock *clock, psp_http *http,
                                      psprobe_credentials **credentials, psprobe_error *error) {
  psprobe_credentials *c = calloc(1, sizeof *c);
  if (c == NULL) {
    psp_http_free(http);
    return psp_fail_memory(error, "credentials");
  }
  psp_cond_init(&c->changed);
  pthread_mutex_init(&c->lock, NULL);
  pthread_mutex_init(&c->fetch_lock, NULL);
  for (int i = 0; i < PSP_SERVICE_COUNT; i++)
    c->api[i].want = (psp_want){.kind = PSP_WANT_API, .service = (psp_service)i};
  psprobe_code code = copy_options(c, options, error);
  c->options.logger = &c->logger;
  psprobe_code ready = psp_fetcher_init(&c->fetcher, c->ca_file, &c->logger,
                                        clock != NULL ? clock : &psp_clock_system, http, error);
  if (code == PSPROBE_OK) code = ready;
  if (code == PSPROBE_OK)
    *credentials = c;
  else
    psprobe_credentials_free(c);
  return code;
}

psprobe_code psp_credentials_new_lazy(const psprobe_credentials_options *options,
                                      psprobe_credentials **credentials, psprobe_error *error) {
  return psp_credentials_new_with(options, NULL, NULL, credentials, error);
}

static void clear_slot(psp_token_slot *slot) {
  psprobe_error error;
  psprobe_error_clear(&error);
  psp_fail(&error, PSPROBE_CANCELLED, "cancelled: the credentials are being closed");
  psp_waiters_tell(psp_waiters_take(slot), &error);
  psp_token_cache_clear(&slot->cache);
  free(slot->audience);
}

void psprobe_credentials_free(psprobe_credentials *c) {
  if (c == NULL) return;
  pthread_mutex_lock(&c->lock);
  c->stopping = true;
  bool started = c->started;
  pthread_cond_broadcast(&c->changed);
  pthread_mutex_unlock(&c->lock);
  psp_fetcher_stop(&c->fetcher);
  if (started) pthread_join(c->thread, NULL);
  for (int i = 0; i < PSP_SERVICE_COUNT; i++)
    clear_slot(&c->api[i]);
  while (c->ids != NULL) {
    psp_token_slot *next = c->ids->next;
    clear_slot(c->ids);
    free(c->ids);
    c->ids = next;
  }
  psp_fetcher_clear(&c->fetcher);
  psp_source_free(c->source);
  free(c->quota_text);
  free(c->universe_text);
  free(c->project);
  free(c->file);
  free(c->ca_file);
  pthread_mutex_destroy(&c->fetch_lock);
  pthread_mutex_destroy(&c->lock);
  pthread_cond_destroy(&c->changed);
  free(c);
}

/* ---- tokens ---- */

psp_token_slot *psp_credentials_slot(psprobe_credentials *c, psp_service service) {
  psp_token_slot *shared = atomic_load_explicit(&c->shared, memory_order_acquire);
  return shared != NULL ? shared : &c->api[service];
}

/* The slot of an audience, made if need be; of the empty one: access with cloud-platform. */
static psprobe_code find_slot(psprobe_credentials *c, const char *audience, const psp_want *want,
                              psp_token_slot **slot, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  pthread_mutex_lock(&c->lock);
  psp_token_slot *found = c->ids;
  while (found != NULL && strcmp(found->audience, audience) != 0)
    found = found->next;
  if (found == NULL && c->id_count == MAX_AUDIENCES)
    code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "ID tokens for more than %d audiences",
                    MAX_AUDIENCES);
  if (found == NULL && code == PSPROBE_OK) {
    found = calloc(1, sizeof *found);
    char *copy = psp_strdup(audience);
    if (found == NULL || copy == NULL) {
      free(found);
      free(copy);
      code = psp_fail_memory(error, "token");
    } else {
      found->audience = copy;
      found->want = *want;
      found->want.audience = copy;
      found->next = c->ids;
      c->ids = found;
      c->id_count++;
    }
  }
  pthread_mutex_unlock(&c->lock);
  if (code == PSPROBE_OK) *slot = found;
  return code;
}

psprobe_code psp_credentials_id_slot(psprobe_credentials *c, const char *audience,
                                     psp_token_slot **slot, psprobe_error *error) {
  static const psp_want id = {.kind = PSP_WANT_ID};
  if (audience == NULL || audience[0] == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "an ID token needs an audience");
  return find_slot(c, audience, &id, slot, error);
}

psprobe_code psp_credentials_cloud_slot(psprobe_credentials *c, psp_token_slot **slot,
                                        psprobe_error *error) {
  static const psp_want cloud = {.kind = PSP_WANT_CLOUD};
  *slot = atomic_load_explicit(&c->shared, memory_order_acquire);
  return *slot != NULL ? PSPROBE_OK : find_slot(c, "", &cloud, slot, error);
}

size_t psp_token_slot_authorization(psprobe_credentials *c, psp_token_slot *slot, char *out,
                                    size_t size, uint64_t *generation) {
  bool refresh;
  size_t len = psp_token_cache_read(&slot->cache, psp_clock_boot_ns(&c->fetcher.clock), out, size,
                                    generation, &refresh);
  /* Looked at before it is written: the line stays shared between those who only read. */
  if (!atomic_load_explicit(&slot->used, memory_order_relaxed))
    atomic_store_explicit(&slot->used, true, memory_order_relaxed);
  if (refresh && len > 0) psp_token_slot_renew(c, slot, *generation);
  return len;
}

psprobe_code psp_bearer_read(psp_bearer *bearer, psprobe_credentials *c, psp_token_slot *slot,
                             psprobe_error *error) {
  size_t size = sizeof bearer->room;
  bearer->text = bearer->room;
  while ((bearer->len = psp_token_slot_authorization(c, slot, bearer->text, size,
                                                     &bearer->generation)) >= size) {
    if (bearer->text != bearer->room) free(bearer->text);
    size = bearer->len + 256;
    bearer->text = malloc(size);
    if (bearer->text == NULL) return psp_fail_memory(error, "token");
  }
  return PSPROBE_OK;
}

void psp_bearer_wipe(psp_bearer *bearer) {
  explicit_bzero(bearer->text, bearer->len);
  if (bearer->text != bearer->room) free(bearer->text);
}

void psp_token_slot_renew(psprobe_credentials *c, psp_token_slot *slot, uint64_t generation) {
  /* A generation and not a mark: who read the old token and comes when the next one is there has
   * not asked for that one's successor. */
  if (atomic_exchange_explicit(&slot->renewed, generation, memory_order_relaxed) == generation)
    return;
  pthread_mutex_lock(&c->lock);
  pthread_cond_signal(&c->changed);
  pthread_mutex_unlock(&c->lock);
}

psprobe_code psp_token_slot_wait(psprobe_credentials *c, psp_token_slot *slot,
                                 psp_token_waiter *waiter, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  pthread_mutex_lock(&c->lock);
  if (c->stopping) {
    code = psp_fail(error, PSPROBE_CANCELLED, "cancelled: the credentials are being closed");
  } else if (!c->started) {
    c->started = psp_thread_start(&c->thread, "psprobe-auth", psp_credentials_run, c);
    if (!c->started)
      code = psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "credentials: no thread could be started");
  }
  if (code == PSPROBE_OK) {
    psp_waiters_add(slot, waiter);
    pthread_cond_signal(&c->changed);
  }
  pthread_mutex_unlock(&c->lock);
  return code;
}

bool psp_credentials_unwait(psprobe_credentials *c, psp_token_waiter *waiter) {
  pthread_mutex_lock(&c->lock);
  bool waited = psp_waiters_remove(waiter);
  pthread_mutex_unlock(&c->lock);
  return waited;
}

int64_t psp_token_slot_life_s(psprobe_credentials *c, const psp_token_slot *slot) {
  if (atomic_load(&slot->cache.len) == 0) return 0;
  int64_t left = atomic_load(&slot->cache.expires_ns) - psp_clock_boot_ns(&c->fetcher.clock);
  return left > 0 ? left / PSP_SECOND_NS : 0;
}

void psp_token_slot_reject(psprobe_credentials *c, psp_token_slot *slot, uint64_t generation) {
  pthread_mutex_lock(&c->lock);
  if (psp_token_cache_drop(&slot->cache, generation)) {
    c->forget = true;
    slot->retry_ns = 0;
  }
  pthread_mutex_unlock(&c->lock);
}

psprobe_code psp_credentials_wait(psprobe_credentials *c, psp_service service,
                                  psp_token_waiter *waiter, psprobe_error *error) {
  return psp_token_slot_wait(c, psp_credentials_slot(c, service), waiter, error);
}

void psp_credentials_reject(psprobe_credentials *c, psp_service service, uint64_t generation) {
  psp_token_slot_reject(c, psp_credentials_slot(c, service), generation);
}
