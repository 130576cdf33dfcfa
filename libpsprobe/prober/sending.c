/* SPDX-License-Identifier: MIT */
#include "prober/sending.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/unary.h"
#include "os/clock.h"
#include "prober/registry/shard.h"
#include "pubsub/publishing.h"

#define MAKING_NS (5 * PSP_SECOND_NS)

/* A topic that is published to. */
typedef struct line {
  char *topic;
  psp_target target; /* ":publish" at it */
  _Atomic bool making, made;
} line;

struct psp_sender {
  psprobe_client *client;
  line lines[PSP_LINES];
  psprobe_publish_options publish;
  psprobe_registry *registry;
  atomic_uint users; /* the prober, and each publish call under way */
  _Atomic uint64_t failed;
  bool create;
  _Atomic uint64_t filled, fill_failed;

  /* How publishing goes. The lock is for the outcomes that change it. */
  _Atomic bool broken;
  pthread_mutex_t lock;
  bool told_broken;
  psprobe_error error;
};

/* Everything that publishing it needs, in one piece that is made before its time has come. */
struct psp_send {
  psp_sender *sender;
  psprobe_cadence cadence;
  char id[PSPROBE_ID_SIZE];
  psp_publishing *publishing;
};

static bool open_line(psp_sender *sender, psprobe_cadence cadence, const char *topic) {
  line *l = &sender->lines[cadence];
  if (topic == NULL) return true;
  l->topic = psp_strdup(topic);
  return l->topic != NULL && psp_target_init(&l->target, sender->client, PSP_TOPIC, l->topic,
                                             ":publish", "publish to", NULL) == PSPROBE_OK;
}

static void close_lines(psp_sender *sender) {
  for (size_t i = 0; i < PSP_LINES; i++) {
    psp_target_free(&sender->lines[i].target);
    free(sender->lines[i].topic);
  }
}

static void on_warm(void *arg) {
  psp_sender_free(arg);
}

/* The first probe shall find a connection, as the others do. */
static void warm(psp_sender *sender) {
  if (sender->publish.by == PSPROBE_PUBLISH_BY_REST) return;
  atomic_fetch_add_explicit(&sender->users, 1, memory_order_relaxed);
  if (psp_publishing_warm(sender->client, &sender->lines[PSPROBE_CADENCE_STEADY].target, on_warm,
                          sender, NULL) != PSPROBE_OK)
    on_warm(sender);
}

psp_sender *psp_sender_new(psprobe_client *client, const char *const topics[PSP_LINES],
                           const psprobe_publish_options *publish, bool create,
                           psprobe_registry *registry) {
  psp_sender *sender = calloc(1, sizeof *sender);
  if (sender == NULL) return NULL;
  sender->client = client;
  bool good = true;
  for (size_t i = 0; i < PSP_LINES; i++)
    good = good && open_line(sender, (psprobe_cadence)i, topics[i]);
  if (!good) {
    close_lines(sender);
    free(sender);
    return NULL;
  }
  sender->publish = *publish;
  sender->create = create;
  sender->registry = registry;
  atomic_init(&sender->users, 1);
  pthread_mutex_init(&sender->lock, NULL);
  warm(sender);
  return sender;
}

void psp_sender_free(psp_sender *sender) {
  if (sender == NULL || atomic_fetch_sub(&sender->users, 1) > 1) return;
  psprobe_registry_free(sender->registry);
  pthread_mutex_destroy(&sender->lock);
  close_lines(sender);
  free(sender);
}

void psp_send_free(psp_send *send) {
  if (send != NULL) psp_publishing_free(send->publishing);
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

psp_publish_news psp_sender_news(psp_sender *sender, psprobe_error *error) {
  psp_publish_news news = PSP_PUBLISH_SAME;
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

psprobe_publish_by psp_sender_way(const psp_sender *sender) {
  return psp_grpc_is_foreign(sender->client, PSP_PUBSUB) ? PSPROBE_PUBLISH_BY_REST
                                                         : sender->publish.by;
}

bool psp_sender_made_topic(psp_sender *sender) {
  bool made = false;
  for (size_t i = 0; i < PSP_LINES; i++)
    made |= atomic_exchange(&sender->lines[i].made, false);
  return made;
}

/* The making of a topic, under way. */
typedef struct making {
  psp_sender *sender;
  line *line;
} making;

static void end_making(making *m) {
  atomic_store(&m->line->making, false);
  psp_sender_free(m->sender);
  free(m);
}

static void on_made(void *arg, const psp_http_response *response, const psprobe_error *error) {
  making *m = arg;
  (void)response;
  if (error == NULL) {
    atomic_store(&m->line->made, true);
    psprobe_registry_wake(m->sender->registry);
  }
  end_making(m);
}

/* Begins to, one call at a time. When it fails, the next publish call that does sets off another.
 */
static void make_topic(psp_sender *sender, line *l) {
  static char nothing[] = "{}";
  const psp_buf body = {.data = nothing, .len = 2};
  psp_pubsub_call call = {.action = "create",
                          .kind = PSP_TOPIC,
                          .name = l->topic,
                          .method = "PUT",
                          .body = &body,
                          .timeout_ns = MAKING_NS};
  psprobe_error error = {0};
  making *m = malloc(sizeof *m);
  if (m == NULL || atomic_exchange(&l->making, true)) {
    free(m);
    return;
  }
  *m = (making){sender, l};
  atomic_fetch_add_explicit(&sender->users, 1, memory_order_relaxed);
  if (psp_pubsub_start(sender->client, &call, on_made, m, NULL, &error) != PSPROBE_OK)
    end_making(m); /* our caller has the sender still */
}

static void on_published(void *arg, const char *const *ids, size_t count,
                         const psprobe_error *error) {
  int64_t now_ns = psprobe_clock_monotonic();
  psp_send *send = arg;
  psp_sender *sender = send->sender;
  (void)ids, (void)count;
  psprobe_registry_published(sender->registry, send->id, now_ns, error == NULL);
  note_outcome(sender, error);
  if (error != NULL && error->code == PSPROBE_NOT_FOUND && sender->create)
    make_topic(sender, &sender->lines[send->cadence]);
  psp_send_free(send);
  psp_sender_free(sender); /* NOLINT(clang-analyzer-unix.Malloc): this call's own reference */
}

static psprobe_code write_request(psp_send *send) {
  char data[PSPROBE_ID_SIZE + sizeof "{\"" PSPROBE_ATTRIBUTE_ID "\":\"\"}"];
  psp_sender *sender = send->sender;
  int len = snprintf(data, sizeof data, "{\"" PSPROBE_ATTRIBUTE_ID "\":\"%s\"}", send->id);
  const psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_ID, send->id};
  const psprobe_message message = {
      .data = data, .data_len = (size_t)len, .attributes = &attribute, .attribute_count = 1};
  return psp_publishing_new(sender->client, &sender->lines[send->cadence].target, &message, 1,
                            &sender->publish, on_published, send, &send->publishing, NULL);
}

psp_send *psp_send_new(psp_sender *sender, psprobe_cadence cadence, const char *id) {
  psp_send *send = calloc(1, sizeof *send);
  if (send == NULL) return NULL;
  send->sender = sender;
  send->cadence = cadence;
  psprobe_code code = PSPROBE_OK;
  if (id != NULL)
    memcpy(send->id, id, sizeof send->id);
  else
    code = psprobe_id_make(send->id, NULL);
  if (code == PSPROBE_OK) code = write_request(send);
  if (code == PSPROBE_OK) return send;
  psp_send_free(send);
  return NULL;
}

psprobe_code psp_send_go(psp_send *send, psp_sent_at *at) {
  psp_sender *sender = send->sender;
  psprobe_error error = {0};
  at->sent_ns = psprobe_clock_monotonic();
  at->wall_ns = psp_registry_wall(sender->registry, at->sent_ns);
  psprobe_code code = psprobe_registry_begin(sender->registry, send->id, at->sent_ns,
                                             at->intended_ns, at->wall_ns, send->cadence);
  if (code != PSPROBE_OK) return code;
  atomic_fetch_add_explicit(&sender->users, 1, memory_order_relaxed);
  psp_publishing *publishing = send->publishing;
  send->publishing = NULL; /* it frees itself */
  if (psp_publishing_go(publishing, &error) != PSPROBE_OK) on_published(send, NULL, 0, &error);
  return PSPROBE_OK;
}

/* ---- messages without a probe ---- */

static void on_filled(void *arg, const char *const *ids, size_t count, const psprobe_error *error) {
  psp_sender *sender = arg;
  (void)ids, (void)count;
  if (error != NULL) atomic_fetch_add_explicit(&sender->fill_failed, 1, memory_order_relaxed);
  psp_sender_free(sender);
}

void psp_sender_fill(psp_sender *sender) {
  static const psprobe_attribute attribute = {PSPROBE_ATTRIBUTE_FILLER, "1"};
  static const psprobe_message message = {.data = PSPROBE_FILLER_DATA,
                                          .data_len = sizeof PSPROBE_FILLER_DATA - 1,
                                          .attributes = &attribute,
                                          .attribute_count = 1};
  psprobe_error error = {0};
  atomic_fetch_add_explicit(&sender->users, 1, memory_order_relaxed);
  atomic_fetch_add_explicit(&sender->filled, 1, memory_order_relaxed);
  psp_publishing *publishing = NULL;
  psprobe_code code =
      psp_publishing_new(sender->client, &sender->lines[PSPROBE_CADENCE_STEADY].target, &message, 1,
                         &sender->publish, on_filled, sender, &publishing, &error);
  if (code == PSPROBE_OK) code = psp_publishing_go(publishing, &error);
  if (code != PSPROBE_OK) on_filled(sender, NULL, 0, &error);
}

uint64_t psp_sender_filled(const psp_sender *sender, uint64_t *failed) {
  *failed = atomic_load_explicit(&sender->fill_failed, memory_order_relaxed);
  return atomic_load_explicit(&sender->filled, memory_order_relaxed);
}
