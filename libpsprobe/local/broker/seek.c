/* SPDX-License-Identifier: MIT */
/** @file Seeking, to a time or a snapshot: what a subscription has acknowledged comes back, and
 * what it holds goes. The one call that walks over all that is held. */
#include <stdlib.h>

#include "base/error.h"
#include "local/broker/filter.h"
#include "local/broker/parts.h"

/* Where to, what is held, and what is lacking; both sorted by id. */
typedef struct seek {
  psp_subscription *subscription;
  const psp_snapshot *snapshot; /* NULL: to a time */
  int64_t from_ns;              /* Unix time: what was published before is acknowledged */
  psp_instant now;
  psp_entry **held;
  psp_letter **lacking;
  size_t held_count, lacking_count;
} seek;

static int by_id(uint64_t a, uint64_t b) {
  return (a > b) - (a < b);
}
static int letter_by_id(const void *key, const void *item) {
  return by_id(((const psp_letter *)key)->id, (*(psp_letter *const *)item)->id);
}
static int entry_by_id(const void *key, const void *item) {
  return by_id(((const psp_letter *)key)->id, (*(psp_entry *const *)item)->letter->id);
}

static bool is_held(const seek *s, const psp_letter *letter) {
  return bsearch(letter, s->held, s->held_count, sizeof *s->held, entry_by_id) != NULL;
}

/* Whether a message is not acknowledged, there where we seek to. */
static bool is_open(const seek *s, const psp_letter *letter) {
  const psp_snapshot *snapshot = s->snapshot;
  if (snapshot == NULL) return letter->published_ms * INT64_C(1000000) >= s->from_ns;
  return letter->id > snapshot->after || bsearch(letter, snapshot->letters, snapshot->count,
                                                 sizeof *snapshot->letters, letter_by_id) != NULL;
}

/* Whether it may still be had: a snapshot has what it has, a time what is retained. */
static bool is_retained(const seek *s, const psp_letter *letter) {
  const psp_subscription *subscription = s->subscription;
  const psp_subscription_settings *settings = &subscription->settings;
  const psp_span topics = subscription->topic->settings.retention;
  int64_t age_ns = s->now.mono_ns - letter->published_ns;
  if (s->snapshot != NULL || (topics.set && age_ns < psp_span_ns(topics))) return true;
  return settings->retain_acked && letter->id >= subscription->retained_from &&
         age_ns < psp_span_ns(settings->retention);
}

/* A snapshot's messages and what the topic remembers are looked at in their order; some are in
 * both. */
static void look_at(seek *s, psp_letter *letter) {
  if (s->lacking_count > 0 && s->lacking[s->lacking_count - 1]->id >= letter->id) return;
  if (is_open(s, letter) && is_retained(s, letter) && !is_held(s, letter) &&
      psp_broker_filter_passes(s->subscription->settings.filter, letter))
    s->lacking[s->lacking_count++] = letter;
}

/* Finds what is lacking, and makes room for it. False: no memory. */
static bool prepare(seek *s) {
  const psp_snapshot *snapshot = s->snapshot;
  const psp_history *history = &s->subscription->topic->history;
  size_t kept = snapshot != NULL ? snapshot->count : 0;
  s->held = psp_backlog_held(s->subscription, &s->held_count);
  s->lacking = malloc((kept + history->count + 1) * sizeof(psp_letter *));
  if (s->held == NULL || s->lacking == NULL) return false;
  for (size_t i = 0; i < kept; i++)
    look_at(s, snapshot->letters[i]);
  for (size_t i = 0; i < history->count; i++)
    look_at(s, psp_history_at(history, i));
  return psp_backlog_reserve(s->subscription, s->lacking, s->lacking_count);
}

/* What is lacking goes in first: a lane that is made for it would go with its last message. It may
 * be older than what the subscription retains, so that its time begins anew. */
static void move(const seek *s) {
  for (size_t i = 0; i < s->lacking_count; i++)
    psp_backlog_add(s->subscription, s->lacking[i], s->now.mono_ns);
  for (size_t i = 0; i < s->held_count; i++)
    if (!is_open(s, s->held[i]->letter)) psp_backlog_remove(s->held[i]);
  psp_backlog_sort(s->subscription);
}

static psprobe_code run(seek *s, psprobe_error *error) {
  bool ok = prepare(s);
  if (ok) move(s);
  free(s->held);
  free(s->lacking);
  if (!ok) return psp_fail_memory(error, "seek");
  psp_broker_dirty(s->subscription);
  psp_broker_settle(s->subscription->broker, s->now);
  return PSPROBE_OK;
}

static psprobe_code find(psp_broker *broker, const char *name, psp_subscription **found,
                         psprobe_error *error) {
  *found = psp_broker_find(broker, name);
  if (*found == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  if (!(*found)->settings.detached) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION, PSP_WHY_DETACHED);
}

psprobe_code psp_broker_seek_time(psp_broker *broker, const char *name, int64_t time_ns,
                                  psp_instant now, psprobe_error *error) {
  seek s = {.from_ns = time_ns, .now = now};
  psprobe_code code = find(broker, name, &s.subscription, error);
  return code == PSPROBE_OK ? run(&s, error) : code;
}

psprobe_code psp_broker_seek_snapshot(psp_broker *broker, const char *name, const char *snapshot,
                                      psp_instant now, psprobe_error *error) {
  seek s = {.now = now};
  psprobe_code code = find(broker, name, &s.subscription, error);
  if (code == PSPROBE_OK) code = psp_resource_check("snapshots", snapshot, error);
  if (code != PSPROBE_OK) return code;
  s.snapshot = psp_names_find(&broker->snapshots, snapshot);
  if (s.snapshot == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Snapshot does not exist");
  if (s.snapshot->topic != s.subscription->topic || s.snapshot->topic->deleted)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "The subscription's topic %s is different from that of the snapshot %s; they "
                    "must match in order for Seek work. Note that if a topic is deleted and then "
                    "re-created with the same name, it is considered a distinct topic for these "
                    "purposes.",
                    s.subscription->settings.topic, s.snapshot->settings.topic);
  return run(&s, error);
}
