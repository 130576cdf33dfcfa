/* SPDX-License-Identifier: MIT */
/** @file Topics: making, changing and ending them, who is attached, and what they remember. */
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "local/broker/parts.h"
#include "pubsub/fit.h"

psprobe_code psp_broker_topic_create(psp_broker *broker, psp_topic_settings *settings,
                                     psprobe_error *error) {
  psprobe_code code = psp_topic_settings_check(settings, error);
  if (code != PSPROBE_OK) return code;
  if (psp_broker_find_topic(broker, settings->name) != NULL)
    return psp_fail(error, PSPROBE_ALREADY_EXISTS, "Topic already exists");
  psp_topic *topic = calloc(1, sizeof *topic);
  if (topic == NULL || !psp_names_add(&broker->topics, settings->name, topic)) {
    free(topic);
    return psp_fail_memory(error, "topic");
  }
  topic->broker = broker;
  topic->settings = *settings;
  *settings = (psp_topic_settings){0};
  psp_topic_review(topic);
  return PSPROBE_OK;
}

const psp_topic_settings *psp_broker_topic(psp_broker *broker, const char *name) {
  const psp_topic *topic = psp_broker_find_topic(broker, name);
  return topic != NULL ? &topic->settings : NULL;
}

size_t psp_broker_topic_place(const psp_broker *broker, const char *name) {
  return psp_names_place(&broker->topics, name);
}

const psp_topic_settings *psp_broker_topic_at(const psp_broker *broker, size_t place) {
  const psp_topic *topic = psp_names_at(&broker->topics, place);
  return topic != NULL ? &topic->settings : NULL;
}

psprobe_code psp_broker_topic_update(psp_broker *broker, const char *name, psp_topic_settings *from,
                                     unsigned mask, psprobe_error *error) {
  psp_topic *topic = psp_broker_find_topic(broker, name);
  if (topic == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Topic not found.");
  psp_topic_settings next = topic->settings, kept = *from;
  psp_topic_settings_move(&next, &kept, mask);
  psprobe_code code = psp_topic_settings_check(&next, error);
  if (code != PSPROBE_OK) return code;
  topic->settings = next;
  *from = kept;
  psp_topic_review(topic);
  return PSPROBE_OK;
}

/* ---- their end ---- */

void psp_topic_free(psp_topic *topic) {
  psp_topic_settings_free(&topic->settings);
  psp_history_free(&topic->history);
  free(topic->subscriptions);
  free(topic);
}

/* What was deleted lives on as long as somebody can seek in it. */
static void release(psp_topic *topic) {
  if (topic->deleted && topic->count == 0 && topic->snapshots == 0) psp_topic_free(topic);
}

static void show_deleted(psp_subscription *subscription) {
  char *deleted = psp_strdup(PSP_DELETED_TOPIC);
  if (deleted == NULL) return; /* it goes on showing the old name */
  free(subscription->settings.topic);
  subscription->settings.topic = deleted;
}

psprobe_code psp_broker_topic_delete(psp_broker *broker, const char *name, psprobe_error *error) {
  psp_topic *topic = psp_names_remove(&broker->topics, name);
  if (topic == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Topic not found");
  for (size_t i = 0; i < topic->count; i++)
    show_deleted(topic->subscriptions[i]);
  topic->deleted = true;
  psp_policies_drop(&broker->policies, name);
  release(topic);
  return PSPROBE_OK;
}

/* ---- who is attached ---- */

bool psp_topic_attach(psp_topic *topic, psp_subscription *subscription) {
  psp_subscription **all = realloc(topic->subscriptions, (topic->count + 1) * sizeof(void *));
  if (all == NULL) return false;
  topic->subscriptions = all;
  topic->subscriptions[topic->count++] = subscription;
  subscription->topic = topic;
  return true;
}

void psp_topic_leave(psp_subscription *subscription) {
  psp_topic *topic = subscription->topic;
  subscription->topic = NULL;
  for (size_t i = 0; topic != NULL && i < topic->count; i++) {
    if (topic->subscriptions[i] != subscription) continue;
    topic->subscriptions[i] = topic->subscriptions[--topic->count];
    psp_topic_review(topic);
    release(topic);
    break;
  }
}

void psp_topic_count_snapshot(psp_topic *topic, int by) {
  topic->snapshots += (size_t)by;
  psp_topic_review(topic);
  release(topic);
}

/* ---- what is remembered ---- */

void psp_topic_trim(psp_topic *topic, psp_instant now) {
  const psp_letter *oldest;
  while ((oldest = psp_history_at(&topic->history, 0)) != NULL && oldest->id <= topic->kept_after &&
         now.mono_ns - oldest->published_ns >= topic->kept_ns)
    psp_history_drop(&topic->history);
}

void psp_topic_review(psp_topic *topic) {
  const psp_span retention = topic->settings.retention;
  topic->kept_ns = retention.set ? psp_span_ns(retention) : 0;
  topic->kept_after = UINT64_MAX;
  for (size_t i = 0; i < topic->count; i++) {
    const psp_subscription_settings *settings = &topic->subscriptions[i]->settings;
    int64_t ns = settings->retain_acked ? psp_span_ns(settings->retention) : 0;
    if (ns > topic->kept_ns) topic->kept_ns = ns;
  }
  const psp_snapshot *snapshot;
  for (size_t i = 0; (snapshot = psp_names_at(&topic->broker->snapshots, i)) != NULL; i++)
    if (snapshot->topic == topic && snapshot->after < topic->kept_after)
      topic->kept_after = snapshot->after;
  if (topic->kept_ns == 0) psp_topic_trim(topic, (psp_instant){.mono_ns = INT64_MAX});
}

bool psp_topic_remembers(const psp_topic *topic) {
  return topic->kept_ns > 0 || topic->kept_after != UINT64_MAX;
}

bool psp_topic_remember(psp_topic *topic, psp_entry *const *entries, size_t count) {
  psp_letter **letters = malloc((count + 1) * sizeof(psp_letter *));
  for (size_t i = 0; letters != NULL && i < count; i++)
    letters[i] = entries[i]->letter;
  bool ok = letters != NULL && psp_history_merge(&topic->history, letters, count);
  free(letters);
  return ok;
}
