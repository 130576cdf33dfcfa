/* SPDX-License-Identifier: MIT */
/** @file Who gets the messages: waiting pulls, the oldest first, and pushes at their pace. */
#include <stdlib.h>
#include <utlist.h>

#include "local/broker/parts.h"

/* The pace of pushes, after https://cloud.google.com/pubsub/docs/push: the window of requests in
 * flight begins at 3, grows with each success (so that it doubles each round), halves with a
 * failure; after a failure nothing is pushed for a while, 100 ms at first, twice as long each time
 * until something succeeds, 60 s at most. The cap keeps within one endpoint's connections. */
#define WINDOW_FIRST 3
#define WINDOW_MAX   100
static const int64_t pause_first_ns = 100000000, pause_max_ns = 60000000000;

void psp_broker_answer(psp_broker_waiter *pull, psprobe_code code, const char *why) {
  psp_subscription *subscription = pull->subscription;
  if (subscription == NULL) return; /* it has its answer */
  psp_broker *broker = subscription->broker;
  psp_alarms_clear(&broker->alarms, &pull->alarm);
  psp_alarms_leave(&broker->alarms, 1);
  DL_DELETE(subscription->pulls, pull);
  pull->subscription = NULL;
  pull->code = code;
  pull->why = why;
  pull->next = NULL;
  if (broker->outbox.pulls != NULL)
    broker->outbox.pulls_end->next = pull;
  else
    broker->outbox.pulls = pull;
  broker->outbox.pulls_end = pull;
}

void psp_broker_flow_end(psp_broker_flow *flow) {
  if (flow == NULL) return;
  flow->ended = true;
  if (flow->out == 0) free(flow);
}

/* The oldest pull whose subscriber may have more; those of who is gone are answered on the way. */
static psp_broker_waiter *next_pull(psp_subscription *subscription) {
  for (psp_broker_waiter *pull = subscription->pulls, *next; pull != NULL; pull = next) {
    next = pull->next;
    /* What is given to someone who has hung up is lost until the deadline. */
    if (pull->alive != NULL && !pull->alive(pull->arg))
      psp_broker_answer(pull, PSPROBE_CANCELLED, "the client is gone");
    else if (psp_broker_flow_open(pull->flow))
      return pull;
  }
  return NULL;
}

static void serve_pulls(psp_subscription *subscription, psp_instant now) {
  psp_broker_waiter *pull;
  while (psp_backlog_has(subscription) && (pull = next_pull(subscription)) != NULL) {
    size_t max = pull->max < PSP_PULL_MAX ? pull->max : PSP_PULL_MAX;
    if (pull->flow != NULL && max > pull->flow->most - pull->flow->out)
      max = pull->flow->most - pull->flow->out;
    if (max > subscription->held) max = subscription->held;
    pull->deliveries = malloc(max * sizeof *pull->deliveries);
    if (pull->deliveries == NULL) {
      psp_broker_answer(pull, PSPROBE_RESOURCE_EXHAUSTED, "out of memory");
      continue;
    }
    pull->count = psp_backlog_take(subscription, pull->deliveries, max,
                                   (psp_backlog_taker){.flow = pull->flow}, now);
    if (pull->count == 0) { /* all that was there had outlived the retention */
      psp_broker_waiter_clear(pull);
      return;
    }
    psp_broker_answer(pull, PSPROBE_OK, NULL);
  }
}

void psp_broker_pace_reset(psp_subscription *subscription) {
  subscription->pace = (psp_broker_pace){.window = WINDOW_FIRST};
  psp_alarms_clear(&subscription->broker->alarms, &subscription->push_alarm);
}

static void pace_failed(psp_subscription *subscription, psp_instant now) {
  psp_broker_pace *pace = &subscription->pace;
  pace->window = pace->window > 1 ? pace->window / 2 : 1;
  if (now.mono_ns < pace->pause_until_ns) return; /* of requests that were sent before the pause */
  int64_t pause = pause_first_ns;
  for (unsigned i = 0; i < pace->failures && pause < pause_max_ns; i++)
    pause *= 2;
  if (pause > pause_max_ns) pause = pause_max_ns;
  pace->failures++;
  pace->pause_until_ns = now.mono_ns + pause;
  psp_alarms_set(&subscription->broker->alarms, &subscription->push_alarm, pace->pause_until_ns);
}

static bool push_one(psp_subscription *subscription, psp_instant now) {
  psp_broker *broker = subscription->broker;
  psp_broker_push *push = calloc(1, sizeof *push);
  if (push == NULL) {
    pace_failed(subscription, now);
    return false;
  }
  if (psp_backlog_take(subscription, &push->delivery, 1, (psp_backlog_taker){.push = true}, now) ==
      0) {
    free(push);
    return false;
  }
  atomic_fetch_add(&subscription->target->refs, 1);
  push->target = subscription->target;
  push->timeout_ns = subscription->settings.ack_deadline_s * INT64_C(1000000000);
  subscription->pace.in_flight++;
  if (broker->outbox.pushes != NULL)
    broker->outbox.pushes_end->next = push;
  else
    broker->outbox.pushes = push;
  broker->outbox.pushes_end = push;
  return true;
}

static void serve_pushes(psp_subscription *subscription, psp_instant now) {
  psp_broker_pace *pace = &subscription->pace;
  while (pace->in_flight < pace->window && now.mono_ns >= pace->pause_until_ns &&
         psp_backlog_has(subscription))
    if (!push_one(subscription, now)) return;
}

/* Messages that were refused too often leave for their dead letter topic, or try on. */
static void bury(psp_broker *broker, psp_instant now) {
  psp_entry *entry = broker->dying;
  broker->dying = NULL;
  for (psp_entry *next; entry != NULL; entry = next) {
    next = entry->next;
    if (psp_broker_publish_dead(entry, now))
      psp_backlog_remove(entry);
    else
      psp_backlog_delay(entry, now);
  }
}

void psp_broker_settle(psp_broker *broker, psp_instant now) {
  bury(broker, now);
  while (broker->dirty != NULL) {
    psp_subscription *subscription = broker->dirty;
    broker->dirty = subscription->next_dirty;
    subscription->dirty = false;
    if (subscription->target != NULL)
      serve_pushes(subscription, now);
    else
      serve_pulls(subscription, now);
  }
}

/* Why nothing can be pulled; OK: it can. */
static psprobe_code refusal(psp_broker *broker, const psp_subscription *subscription,
                            const char **why) {
  if (broker->closed) {
    *why = "The service is shutting down";
    return PSPROBE_UNAVAILABLE;
  }
  if (subscription == NULL) {
    *why = "Subscription does not exist";
    return PSPROBE_NOT_FOUND;
  }
  if (subscription->settings.detached) {
    *why = PSP_WHY_DETACHED;
    return PSPROBE_FAILED_PRECONDITION;
  }
  *why = "out of memory";
  return psp_alarms_join(&broker->alarms, 1) ? PSPROBE_OK : PSPROBE_RESOURCE_EXHAUSTED;
}

void psp_broker_pull(psp_broker *broker, const char *name, psp_broker_waiter *pull,
                     psp_instant now) {
  psp_subscription *subscription = psp_broker_find(broker, name);
  pull->code = refusal(broker, subscription, &pull->why);
  if (pull->code != PSPROBE_OK) {
    LL_APPEND2(broker->outbox.pulls, pull, next);
    broker->outbox.pulls_end = pull;
    return;
  }
  pull->alarm = (psp_alarm){.kind = ALARM_PULL};
  pull->subscription = subscription;
  DL_APPEND(subscription->pulls, pull);
  /* A subscription that pushes has nothing for pulls: they wait. */
  if (subscription->target == NULL) serve_pulls(subscription, now);
  if (pull->subscription == NULL) return;
  if (pull->immediate)
    psp_broker_answer(pull, PSPROBE_OK, NULL);
  else
    psp_alarms_set(&broker->alarms, &pull->alarm, now.mono_ns + PSP_PULL_WAIT_NS);
}

void psp_broker_push_done(psp_broker *broker, psp_broker_push *push, bool ok, psp_instant now) {
  psp_subscription *subscription = psp_broker_find(broker, push->target->subscription);
  psp_entry *entry =
      subscription != NULL ? psp_backlog_find(subscription, push->delivery.ack) : NULL;
  bool current = subscription != NULL && subscription->target == push->target;
  bool leased = entry != NULL && entry->state == ENTRY_LEASED;
  if (subscription == NULL) return;
  if (current) subscription->pace.in_flight--;
  if (leased && ok)
    psp_backlog_remove(entry);
  else if (leased)
    psp_backlog_give_back(entry, now);
  /* A lease that ran out was a failure then: not a second time, nor a success. */
  if (current && leased && ok) {
    subscription->pace.failures = 0;
    if (subscription->pace.window < WINDOW_MAX) subscription->pace.window++;
  } else if (current && leased) {
    pace_failed(subscription, now);
  }
  psp_broker_dirty(subscription);
  psp_broker_settle(broker, now);
}

static void entry_due(psp_entry *entry, psp_instant now) {
  psp_subscription *subscription = entry->subscription;
  if (entry->state == ENTRY_DELAYED) {
    psp_backlog_requeue(entry);
    return;
  }
  if (entry->pushed && subscription->target != NULL) pace_failed(subscription, now);
  psp_backlog_give_back(entry, now);
}

void psp_broker_tick(psp_broker *broker, psp_instant now) {
  psp_alarm *alarm;
  while ((alarm = psp_alarms_take(&broker->alarms, now.mono_ns)) != NULL) {
    char *at = (char *)alarm;
    if (alarm->kind == ALARM_ENTRY)
      entry_due((psp_entry *)(void *)(at - offsetof(psp_entry, alarm)), now);
    else if (alarm->kind == ALARM_PULL)
      psp_broker_answer((psp_broker_waiter *)(void *)(at - offsetof(psp_broker_waiter, alarm)),
                        PSPROBE_OK, NULL);
    else if (alarm->kind == ALARM_SNAPSHOT)
      psp_snapshot_end((psp_snapshot *)(void *)(at - offsetof(psp_snapshot, alarm)));
    else
      psp_broker_dirty((psp_subscription *)(void *)(at - offsetof(psp_subscription, push_alarm)));
  }
  psp_broker_settle(broker, now);
}
