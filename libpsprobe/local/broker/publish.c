/* SPDX-License-Identifier: MIT */
/** @file Publishing: what is new, and what has died elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/timestamp.h"
#include "local/broker/filter.h"
#include "local/broker/parts.h"

psprobe_code psp_broker_topic_publish(psp_broker *broker, psp_topic *topic,
                                      psp_letter *const *letters, size_t count, psp_instant now,
                                      psprobe_error *error) {
  const bool remembered = psp_topic_remembers(topic);
  psp_topic_trim(topic, now);
  if (remembered && !psp_history_reserve(&topic->history, count))
    return psp_fail_memory(error, "published messages");
  for (size_t s = 0; s < topic->count; s++)
    if (!psp_backlog_reserve(topic->subscriptions[s], letters, count))
      return psp_fail_memory(error, "published messages");
  for (size_t i = 0; i < count; i++) {
    letters[i]->id = ++broker->last_id;
    letters[i]->published_ms = now.wall_ms;
    letters[i]->published_ns = now.mono_ns;
    if (remembered) psp_history_add(&topic->history, letters[i]);
  }
  for (size_t s = 0; s < topic->count; s++) {
    for (size_t i = 0; i < count; i++)
      if (psp_broker_filter_passes(topic->subscriptions[s]->settings.filter, letters[i]))
        psp_backlog_add(topic->subscriptions[s], letters[i], now.mono_ns);
    psp_broker_dirty(topic->subscriptions[s]);
  }
  return PSPROBE_OK;
}

/* Puts an attribute, in place of one of that name. */
static void put_pair(psp_pair *pairs, size_t *count, const char *key, const char *value) {
  size_t i = 0;
  while (i < *count && strcmp(pairs[i].key, key) != 0)
    i++;
  pairs[i] = (psp_pair){key, value};
  if (i == *count) (*count)++;
}

/* Publishes a copy to the dead letter topic, with the attributes that tell where it comes from
 * (https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts). */
bool psp_broker_publish_dead(const psp_entry *entry, psp_instant now) {
  const psp_subscription *subscription = entry->subscription;
  const psp_letter *letter = entry->letter;
  psp_topic *topic =
      psp_broker_find_topic(subscription->broker, subscription->settings.dead_letter_topic);
  psp_pair *pairs = topic != NULL ? malloc((letter->attribute_count + 4) * sizeof *pairs) : NULL;
  if (pairs == NULL) return false;
  size_t count = letter->attribute_count;
  if (count) memcpy(pairs, letter->attributes, count * sizeof *pairs);
  char number[16], time[PSP_TIMESTAMP_SIZE], project[256] = "";
  snprintf(number, sizeof number, "%u", (unsigned)entry->attempts);
  psp_timestamp_format_ns(time, letter->published_ms * 1000000);
  const char *name = subscription->settings.name; /* projects/P/subscriptions/S */
  const char *id = strrchr(name, '/') + 1;
  snprintf(project, sizeof project, "%.*s", (int)strcspn(name + 9, "/"), name + 9);
  put_pair(pairs, &count, "CloudPubSubDeadLetterSourceDeliveryCount", number);
  put_pair(pairs, &count, "CloudPubSubDeadLetterSourceSubscription", id);
  put_pair(pairs, &count, "CloudPubSubDeadLetterSourceTopicPublishTime", time);
  put_pair(pairs, &count, "CloudPubSubDeadLetterSourceSubscriptionProject", project);
  psp_letter *copy =
      psp_letter_new(letter->data, letter->data_len, pairs, count, letter->ordering_key);
  free(pairs);
  bool done = copy != NULL && psp_broker_topic_publish(subscription->broker, topic, &copy, 1, now,
                                                       NULL) == PSPROBE_OK;
  psp_letter_unref(copy);
  return done;
}
