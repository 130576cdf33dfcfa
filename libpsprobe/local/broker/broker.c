/* SPDX-License-Identifier: MIT */
#include "local/broker/broker.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/broker/endpoint.h"
#include "local/broker/parts.h"
#include "pubsub/fit.h"

psp_broker *psp_broker_new(void) {
  return calloc(1, sizeof(psp_broker));
}

void psp_broker_close(psp_broker *broker) {
  broker->closed = true;
  psp_subscription *subscription;
  for (size_t i = 0; (subscription = psp_names_at(&broker->subscriptions, i)) != NULL; i++)
    while (subscription->pulls != NULL)
      psp_broker_answer(subscription->pulls, PSPROBE_UNAVAILABLE, "The service is shutting down");
}

void psp_broker_free(psp_broker *broker) {
  if (broker == NULL) return;
  psp_subscription *subscription;
  psp_snapshot *snapshot;
  psp_topic *topic;
  while ((snapshot = psp_names_at(&broker->snapshots, 0)) != NULL)
    psp_snapshot_end(snapshot);
  for (size_t i = 0; (subscription = psp_names_at(&broker->subscriptions, i)) != NULL; i++) {
    psp_topic_leave(subscription);
    psp_backlog_free(subscription);
  }
  for (size_t i = 0; (topic = psp_names_at(&broker->topics, i)) != NULL; i++)
    psp_topic_free(topic);
  for (psp_broker_push *push = broker->outbox.pushes, *after; push != NULL; push = after) {
    after = push->next;
    psp_broker_push_free(push);
  }
  psp_policies_free(&broker->policies);
  psp_names_free(&broker->snapshots);
  psp_names_free(&broker->subscriptions);
  psp_names_free(&broker->topics);
  psp_alarms_free(&broker->alarms);
  free(broker);
}

psp_broker_mail psp_broker_outbox(psp_broker *broker) {
  psp_broker_mail outbox = broker->outbox;
  broker->outbox = (psp_broker_mail){0};
  return outbox;
}

psp_policies *psp_broker_policies(psp_broker *broker) {
  return &broker->policies;
}

int64_t psp_broker_next(const psp_broker *broker) {
  return psp_alarms_next(&broker->alarms);
}

/* ---- subscriptions ---- */

static psprobe_code check_topics(psp_broker *broker, const psp_subscription_settings *settings,
                                 psprobe_error *error) {
  if (!settings->detached && !psp_text_equal(settings->topic, PSP_DELETED_TOPIC) &&
      psp_broker_find_topic(broker, settings->topic) == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription topic does not exist");
  const char *dead = settings->dead_letter_topic != NULL ? settings->dead_letter_topic : "";
  if (settings->has_dead_letter && psp_broker_find_topic(broker, dead) == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Dead letter topic not found");
  return PSPROBE_OK;
}

/* The target of these settings; *target is NULL for a pull subscription. False: no memory. */
static bool target_new(const char *name, const psp_push_settings *push,
                       psp_broker_target **target) {
  *target = NULL;
  if (push->endpoint == NULL) return true;
  psp_broker_target *made = calloc(1, sizeof *made);
  if (made == NULL) return false;
  atomic_init(&made->refs, 1);
  made->subscription = psp_strdup(name);
  psp_buf url = {0};
  if (psp_endpoint_url(&url, push->endpoint)) made->url = psp_buf_take(&url, NULL);
  psp_buf_free(&url);
  made->no_wrapper = push->no_wrapper;
  made->write_metadata = push->write_metadata;
  if (made->subscription == NULL || made->url == NULL) {
    psp_broker_target_unref(made);
    return false;
  }
  *target = made;
  return true;
}

psprobe_code psp_broker_subscription_create(psp_broker *broker, psp_subscription_settings *settings,
                                            psprobe_error *error) {
  psprobe_code code = psp_subscription_settings_check(settings, error);
  if (code == PSPROBE_OK)
    code = psp_resource_check("topics", settings->topic, error); /* no deleted one */
  if (code == PSPROBE_OK && psp_broker_find(broker, settings->name) != NULL)
    code = psp_fail(error, PSPROBE_ALREADY_EXISTS, "Subscription already exists");
  if (code == PSPROBE_OK) code = check_topics(broker, settings, error);
  if (code != PSPROBE_OK) return code;
  psp_subscription *subscription = psp_backlog_new(broker);
  if (subscription == NULL) return psp_fail_memory(error, "subscription");
  psp_broker_pace_reset(subscription);
  if (!target_new(settings->name, &settings->push, &subscription->target) ||
      !psp_names_add(&broker->subscriptions, settings->name, subscription)) {
    psp_backlog_free(subscription);
    return psp_fail_memory(error, "subscription");
  }
  if (!psp_topic_attach(psp_broker_find_topic(broker, settings->topic), subscription)) {
    psp_names_remove(&broker->subscriptions, settings->name);
    psp_backlog_free(subscription);
    return psp_fail_memory(error, "subscription");
  }
  subscription->settings = *settings;
  *settings = (psp_subscription_settings){0};
  subscription->retained_from = broker->last_id + 1;
  psp_topic_review(subscription->topic);
  return PSPROBE_OK;
}

const psp_subscription_settings *psp_broker_subscription(psp_broker *broker, const char *name) {
  psp_subscription *subscription = psp_broker_find(broker, name);
  return subscription != NULL ? &subscription->settings : NULL;
}

size_t psp_broker_subscription_place(const psp_broker *broker, const char *name) {
  return psp_names_place(&broker->subscriptions, name);
}

const psp_subscription_settings *psp_broker_subscription_at(const psp_broker *broker,
                                                            size_t place) {
  const psp_subscription *subscription = psp_names_at(&broker->subscriptions, place);
  return subscription != NULL ? &subscription->settings : NULL;
}

/* From now on what is acknowledged is remembered, and so is what waits for it. False: no memory. */
static bool retain(psp_subscription *subscription) {
  psp_topic *topic = subscription->topic;
  size_t count;
  psp_entry **held = topic != NULL ? psp_backlog_held(subscription, &count) : NULL;
  bool ok = topic == NULL || (held != NULL && psp_topic_remember(topic, held, count));
  if (ok && topic != NULL)
    subscription->retained_from = count > 0 ? held[0]->letter->id : topic->broker->last_id + 1;
  free(held);
  return ok;
}

psprobe_code psp_broker_subscription_update(psp_broker *broker, const char *name,
                                            psp_subscription_settings *from, unsigned mask,
                                            psp_instant now, psprobe_error *error) {
  psp_subscription *subscription = psp_broker_find(broker, name);
  if (subscription == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  psp_subscription_settings next = subscription->settings, kept = *from;
  psp_subscription_settings_move(&next, &kept, mask);
  psprobe_code code = psp_subscription_settings_check(&next, error);
  if (code == PSPROBE_OK) code = check_topics(broker, &next, error);
  if (code != PSPROBE_OK) return code;
  psp_broker_target *target = NULL;
  if ((mask & PSP_SUB_PUSH) && !target_new(name, &next.push, &target))
    return psp_fail_memory(error, "subscription");
  if (next.retain_acked && !subscription->settings.retain_acked && !retain(subscription)) {
    psp_broker_target_unref(target);
    return psp_fail_memory(error, "subscription");
  }
  if (mask & PSP_SUB_PUSH) {
    psp_broker_target_unref(subscription->target);
    subscription->target = target;
    psp_broker_pace_reset(subscription);
  }
  subscription->settings = next;
  *from = kept;
  if (subscription->topic != NULL) psp_topic_review(subscription->topic);
  psp_broker_dirty(subscription);
  psp_broker_settle(broker, now);
  return PSPROBE_OK;
}

psprobe_code psp_broker_subscription_delete(psp_broker *broker, const char *name,
                                            psprobe_error *error) {
  psp_subscription *subscription = psp_names_remove(&broker->subscriptions, name);
  if (subscription == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  while (subscription->pulls != NULL)
    psp_broker_answer(subscription->pulls, PSPROBE_NOT_FOUND, "Subscription does not exist");
  psp_topic_leave(subscription);
  psp_policies_drop(&broker->policies, name);
  psp_backlog_free(subscription);
  return PSPROBE_OK;
}

psprobe_code psp_broker_detach(psp_broker *broker, const char *name, psprobe_error *error) {
  psp_subscription *subscription = psp_broker_find(broker, name);
  if (subscription == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  size_t count;
  psp_entry **held = psp_backlog_held(subscription, &count);
  if (held == NULL) return psp_fail_memory(error, "subscription");
  for (size_t i = 0; i < count; i++)
    psp_backlog_remove(held[i]);
  free(held);
  while (subscription->pulls != NULL)
    psp_broker_answer(subscription->pulls, PSPROBE_FAILED_PRECONDITION, PSP_WHY_DETACHED);
  psp_topic_leave(subscription);
  subscription->settings.detached = true;
  psp_broker_target_unref(subscription->target);
  subscription->target = NULL;
  return PSPROBE_OK;
}

bool psp_broker_held(psp_broker *broker, const char *name, size_t *held, size_t *leased) {
  const psp_subscription *subscription = psp_broker_find(broker, name);
  if (subscription == NULL) return false;
  *held = subscription->held;
  *leased = subscription->leased;
  return true;
}

/* ---- messages ---- */

psprobe_code psp_broker_publish(psp_broker *broker, const char *name, psp_letter *const *letters,
                                size_t count, psp_instant now, uint64_t *first_id,
                                psprobe_error *error) {
  psp_topic *topic = psp_broker_find_topic(broker, name);
  if (topic == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Topic not found");
  *first_id = broker->last_id + 1;
  psprobe_code code = psp_broker_topic_publish(broker, topic, letters, count, now, error);
  if (code == PSPROBE_OK) psp_broker_settle(broker, now);
  return code;
}

/* The message that an ack id stands for, NULL: for none any more. Where delivery is exactly once
 * that ends with the lease, else with the next delivery; `*stale` says so, where it is asked for.
 */
static psp_entry *current(psp_subscription *subscription, uint64_t ack, bool *stale) {
  const bool once = subscription->settings.exactly_once;
  psp_entry *entry = psp_backlog_find(subscription, ack);
  if (entry != NULL && once && entry->state != ENTRY_LEASED) entry = NULL;
  if (stale != NULL) *stale = once && entry == NULL;
  return entry;
}

psprobe_code psp_broker_acknowledge(psp_broker *broker, const char *name, const uint64_t *acks,
                                    size_t count, bool *stale, psp_instant now,
                                    psprobe_error *error) {
  psp_subscription *subscription = psp_broker_find(broker, name);
  if (subscription == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  for (size_t i = 0; i < count; i++) {
    psp_entry *entry = current(subscription, acks[i], stale != NULL ? &stale[i] : NULL);
    if (entry != NULL) psp_backlog_remove(entry);
  }
  psp_broker_dirty(subscription); /* it may have freed an ordering key */
  psp_broker_settle(broker, now);
  return PSPROBE_OK;
}

psprobe_code psp_broker_modify_deadline(psp_broker *broker, const char *name, const uint64_t *acks,
                                        size_t count, int seconds, bool *stale, psp_instant now,
                                        psprobe_error *error) {
  psp_subscription *subscription = psp_broker_find(broker, name);
  if (subscription == NULL)
    return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  for (size_t i = 0; i < count; i++) {
    psp_entry *entry = current(subscription, acks[i], stale != NULL ? &stale[i] : NULL);
    if (entry == NULL || entry->state != ENTRY_LEASED) continue;
    if (seconds > 0)
      psp_alarms_set(&broker->alarms, &entry->alarm, now.mono_ns + seconds * INT64_C(1000000000));
    else
      psp_backlog_give_back(entry, now);
  }
  psp_broker_settle(broker, now);
  return PSPROBE_OK;
}
