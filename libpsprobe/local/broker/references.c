/* SPDX-License-Identifier: MIT */
/** @file Look-ups, references and the mark of what is to be settled. */
#include <stdlib.h>

#include "local/broker/parts.h"

void psp_broker_waiter_clear(psp_broker_waiter *pull) {
  for (size_t i = 0; i < pull->count; i++)
    psp_letter_unref(pull->deliveries[i].letter);
  free(pull->deliveries);
  pull->deliveries = NULL;
  pull->count = 0;
}

void psp_broker_target_unref(psp_broker_target *target) {
  if (target == NULL || atomic_fetch_sub(&target->refs, 1) != 1) return;
  free(target->subscription);
  free(target->url);
  free(target);
}

void psp_broker_push_free(psp_broker_push *push) {
  psp_letter_unref(push->delivery.letter);
  psp_broker_target_unref(push->target);
  free(push);
}

psp_topic *psp_broker_find_topic(psp_broker *broker, const char *name) {
  return psp_names_find(&broker->topics, name);
}

psp_subscription *psp_broker_find(psp_broker *broker, const char *name) {
  return psp_names_find(&broker->subscriptions, name);
}

void psp_broker_dirty(psp_subscription *subscription) {
  if (subscription->dirty) return;
  subscription->dirty = true;
  subscription->next_dirty = subscription->broker->dirty;
  subscription->broker->dirty = subscription;
}

bool psp_broker_flow_open(const psp_broker_flow *flow) {
  return flow == NULL || (flow->out < flow->most && flow->out_bytes < flow->most_bytes);
}
