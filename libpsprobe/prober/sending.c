/* SPDX-License-Identifier: MIT */
#include "prober/sending.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "pubsub/calls.h"

#define MAKING_NS (5 * PSP_SECOND_NS)

struct psp_sender {
  psprobe_client *client;
  char *topic;
  psp_target target; /* ":publish" at it */
  int64_t timeout_ns;
  psprobe_registry *registry;
  atomic_uint users; /* the prober, and each publish call under way */
  _Atomic uint64_t failed;
  bool create;
  _Atomic bool making, made; /* the topic */

  /* How publishing goes. The lock is for the outcomes that change it. */
  _Atomic bool broken;
  pthread_mutex_t lock;
  bool told_broken;
  psprobe_error error;
};

/* Everything that publishing it needs, in one piece that is made before its time has come. */
struct psp_send {
  psp_sender *sender;
  char id[PSPROBE_ID_SIZE];
  char data[PSPROBE_ID_SIZE + sizeof "{\"probe_id\":\"\"}"];
  psprobe_attribute attribute;
  psprobe_message message;
};

psp_sender *psp_sender_new(psprobe_client *client, const char *topic, int64_t timeout_ns,
                           bool create, psprobe_registry *registry) {
  psp_sender *sender = calloc(1, sizeof *sender);
  char *name = psp_strdup(topic);
  if (sender == NULL || name == NULL ||
      psp_target_init(&sender->target, client, PSP_TOPIC, name, ":publish", "publish to", NULL) !=
          PSPROBE_OK) {
    free(sender);
    free(name);
    return NULL;
  }
  sender->client = client;
  sender->topic = name;
  sender->timeout_ns = timeout_ns;
  sender->create = create;
  sender->registry = registry;
  atomic_init(&sender->users, 1);
  pthread_mutex_init(&sender->lock, NULL);
  return sender;
}

void psp_sender_free(psp_sender *sender) {
  if (sender == NULL || atomic_fetch_sub(&sender->users, 1) > 1) return;
  psprobe_registry_free(sender->registry);
  pthread_mutex_destroy(&sender->lock);
  psp_target_free(&sender->target);
  free(sender->topic);
  free(sender);
}

psp_send *psp_send_new(psp_sender *sender) {
  psp_send *send = malloc(sizeof *send);
  if (send == NULL) return NULL;
  if (psprobe_id_make(send->id, NULL) != PSPROBE_OK) {
    free(send);
    return NULL;
  }
  int len =
      snprintf(send->data, sizeof send->data, "{\"" PSPROBE_ATTRIBUTE_ID "\":\"%s\"}", send->id);
  send->sender = sender;
  send->attribute = (psprobe_attribute){PSPROBE_ATTRIBUTE_ID, send->id};
  send->message = (psprobe_message){.data = send->data,
                                    .data_len = (size_t)len,
                                    .attributes = &send->attribute,
                                    .attribute_count = 1};
  return send;
}

void psp_send_free(psp_send *send) {
  free(send);
}

/* Keeps an outcome that tells something new for psp_sender_news. */
static void note_outcome(psp_sender *sender, const psprobe_error *error) {
  bool broken = error != NULL;
  if (broken) atomic_fetch_add_explicit(&sender->failed, 1, memory_order_relaxed);
  if (atomic_load_explicit(&sender->broken, memory_order_relaxed) == broken) return;
  pthread_mutex_lock(&sender->lock);
  if (broken) sender->error = *error;
  atomic_store_explicit(&sender->broken, broken, memory_order_relaxed);
  pthread_mutex_unlock(&sender->lock);
  psprobe_registry_wake(sender->registry);
}

psp_publishing psp_sender_news(psp_sender *sender, psprobe_error *error) {
  psp_publishing news = PSP_PUBLISH_SAME;
  pthread_mutex_lock(&sender->lock);
  bool broken = atomic_load_explicit(&sender->broken, memory_order_relaxed);
  if (broken != sender->told_broken) {
    news = broken ? PSP_PUBLISH_BROKEN : PSP_PUBLISH_MENDED;
    *error = sender->error;
    sender->told_broken = broken;
  }
  pthread_mutex_unlock(&sender->lock);
  return news;
}

uint64_t psp_sender_failed(const psp_sender *sender) {
  return atomic_load_explicit(&sender->failed, memory_order_relaxed);
}

bool psp_sender_made_topic(psp_sender *sender) {
  return atomic_exchange(&sender->made, false);
}

static void on_made(void *arg, const psp_http_response *response, const psprobe_error *error) {
  psp_sender *sender = arg;
  (void)response;
  if (error == NULL) {
    atomic_store(&sender->made, true);
    psprobe_registry_wake(sender->registry);
  }
  atomic_store(&sender->making, false);
  psp_sender_free(sender);
}

/* Begins to, one call at a time. When it fails, the next publish call that does sets off another.
 */
static void make_topic(psp_sender *sender) {
  static char nothing[] = "{}";
  const psp_buf body = {.data = nothing, .len = 2};
  psp_pubsub_call call = {.action = "create",
                          .kind = PSP_TOPIC,
                          .name = sender->topic,
                          .method = "PUT",
                          .body = &body,
                          .timeout_ns = MAKING_NS};
  psprobe_error error = {0};
  if (atomic_exchange(&sender->making, true)) return;
  atomic_fetch_add_explicit(&sender->users, 1, memory_order_relaxed);
  if (psp_pubsub_start(sender->client, &call, on_made, sender, NULL, &error) == PSPROBE_OK) return;
  atomic_store(&sender->making, false);
  atomic_fetch_sub_explicit(&sender->users, 1, memory_order_relaxed); /* not the last: our caller */
}

static void on_published(void *arg, const char *const *ids, size_t count,
                         const psprobe_error *error) {
  int64_t now_ns = psprobe_clock_monotonic();
  psp_send *send = arg;
  psp_sender *sender = send->sender;
  (void)ids, (void)count;
  psprobe_registry_published(sender->registry, send->id, now_ns, error == NULL);
  note_outcome(sender, error);
  if (error != NULL && error->code == PSPROBE_NOT_FOUND && sender->create) make_topic(sender);
  psp_send_free(send);
  psp_sender_free(sender); /* NOLINT(clang-analyzer-unix.Malloc): this call's own reference */
}

psprobe_code psp_send_go(psp_send *send, int64_t intended_ns, int64_t *sent_ns) {
  psp_sender *sender = send->sender;
  psprobe_error error = {0};
  int64_t wall_ns = psprobe_clock_wall();
  *sent_ns = psprobe_clock_monotonic();
  psprobe_code code =
      psprobe_registry_begin(sender->registry, send->id, *sent_ns, intended_ns, wall_ns);
  if (code != PSPROBE_OK) return code;
  atomic_fetch_add_explicit(&sender->users, 1, memory_order_relaxed);
  if (psp_publish_to(sender->client, &sender->target, &send->message, 1, sender->timeout_ns,
                     on_published, send, &error) != PSPROBE_OK)
    on_published(send, NULL, 0, &error);
  return PSPROBE_OK;
}
