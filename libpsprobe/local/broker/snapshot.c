/* SPDX-License-Identifier: MIT */
/** @file Snapshots: what a subscription had not acknowledged, and all that comes after. */
#include <stdlib.h>

#include "base/error.h"
#include "base/text.h"
#include "local/broker/parts.h"

/* pubsub.proto, Snapshot.expire_time: 7 days less the age of the oldest message that is not
 * acknowledged; none is made that would live for less than an hour. */
#define LIFE_MS  INT64_C(604800000)
#define LEAST_MS INT64_C(3600000)

static void snapshot_free(psp_snapshot *snapshot) {
  for (size_t i = 0; i < snapshot->count; i++)
    psp_letter_unref(snapshot->letters[i]);
  free(snapshot->letters);
  psp_snapshot_settings_free(&snapshot->settings);
  free(snapshot);
}

static int64_t left_ms(const psp_snapshot *snapshot, psp_instant now) {
  return snapshot->settings.expires_ns / 1000000 - now.wall_ms;
}

static void set_alarm(psp_snapshot *snapshot, psp_instant now) {
  psp_alarms_set(&snapshot->broker->alarms, &snapshot->alarm,
                 now.mono_ns + left_ms(snapshot, now) * 1000000);
}

/* A snapshot of what is not acknowledged, without a name. NULL: no memory. */
static psp_snapshot *take(psp_subscription *of, psp_instant now) {
  psp_snapshot *snapshot = calloc(1, sizeof *snapshot);
  if (snapshot == NULL) return NULL;
  snapshot->broker = of->broker;
  snapshot->topic = of->topic;
  snapshot->after = of->broker->last_id;
  snapshot->alarm.kind = ALARM_SNAPSHOT;
  snapshot->settings.topic = psp_strdup(of->settings.topic);
  snapshot->letters = malloc((of->held + 1) * sizeof(psp_letter *));
  size_t count;
  psp_entry **held = psp_backlog_held(of, &count);
  int64_t oldest_ms = now.wall_ms;
  bool ok = snapshot->settings.topic != NULL && snapshot->letters != NULL && held != NULL;
  for (size_t i = 0; ok && i < count; i++) {
    const psp_letter *letter = snapshot->letters[i] = psp_letter_ref(held[i]->letter);
    if (letter->published_ms < oldest_ms) oldest_ms = letter->published_ms;
    snapshot->count++;
  }
  snapshot->settings.expires_ns = (oldest_ms + LIFE_MS) * 1000000;
  free(held);
  if (ok) return snapshot;
  snapshot_free(snapshot);
  return NULL;
}

/* Moves in what is asked for, and lets it live. */
static psprobe_code keep(psp_broker *broker, psp_snapshot *snapshot,
                         psp_snapshot_settings *settings, psp_instant now, psprobe_error *error) {
  if (left_ms(snapshot, now) < LEAST_MS)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "The snapshot would expire in less than an hour: the oldest message that is "
                    "not acknowledged is too old.");
  if (!psp_alarms_join(&broker->alarms, 1)) return psp_fail_memory(error, "snapshot");
  if (!psp_names_add(&broker->snapshots, settings->name, snapshot)) {
    psp_alarms_leave(&broker->alarms, 1);
    return psp_fail_memory(error, "snapshot");
  }
  snapshot->settings.name = settings->name;
  snapshot->settings.labels = settings->labels;
  settings->name = NULL;
  settings->labels = (psp_pairs){0};
  set_alarm(snapshot, now);
  psp_topic_count_snapshot(snapshot->topic, 1);
  return PSPROBE_OK;
}

psprobe_code psp_broker_snapshot_create(psp_broker *broker, psp_snapshot_settings *settings,
                                        const char *subscription, psp_instant now,
                                        psprobe_error *error) {
  psprobe_code code = psp_resource_check("snapshots", settings->name, error);
  if (code != PSPROBE_OK) return code;
  if (psp_names_find(&broker->snapshots, settings->name) != NULL)
    return psp_fail(error, PSPROBE_ALREADY_EXISTS, "Snapshot already exists");
  psp_subscription *of = subscription != NULL ? psp_broker_find(broker, subscription) : NULL;
  if (of == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Subscription does not exist");
  if (of->settings.detached) return psp_fail(error, PSPROBE_FAILED_PRECONDITION, PSP_WHY_DETACHED);
  psp_snapshot *snapshot = take(of, now);
  if (snapshot == NULL) return psp_fail_memory(error, "snapshot");
  code = keep(broker, snapshot, settings, now, error);
  if (code != PSPROBE_OK) snapshot_free(snapshot);
  return code;
}

const psp_snapshot_settings *psp_broker_snapshot(psp_broker *broker, const char *name) {
  const psp_snapshot *snapshot = psp_names_find(&broker->snapshots, name);
  return snapshot != NULL ? &snapshot->settings : NULL;
}

size_t psp_broker_snapshot_place(const psp_broker *broker, const char *name) {
  return psp_names_place(&broker->snapshots, name);
}

const psp_snapshot_settings *psp_broker_snapshot_at(const psp_broker *broker, size_t place) {
  const psp_snapshot *snapshot = psp_names_at(&broker->snapshots, place);
  return snapshot != NULL ? &snapshot->settings : NULL;
}

psprobe_code psp_broker_snapshot_update(psp_broker *broker, const char *name,
                                        psp_snapshot_settings *from, unsigned mask, psp_instant now,
                                        psprobe_error *error) {
  psp_snapshot *snapshot = psp_names_find(&broker->snapshots, name);
  if (snapshot == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Snapshot does not exist");
  int64_t ms = from->expires_ns / 1000000;
  if ((mask & PSP_SNAPSHOT_EXPIRES) && (ms <= now.wall_ms || ms > now.wall_ms + LIFE_MS))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "expire_time must be in the future, by 7 days at most.");
  if (mask & PSP_SNAPSHOT_EXPIRES) {
    snapshot->settings.expires_ns = from->expires_ns;
    set_alarm(snapshot, now);
  }
  if (mask & PSP_SNAPSHOT_LABELS) {
    psp_pairs_free(&snapshot->settings.labels);
    snapshot->settings.labels = from->labels;
    from->labels = (psp_pairs){0};
  }
  return PSPROBE_OK;
}

void psp_snapshot_end(psp_snapshot *snapshot) {
  psp_broker *broker = snapshot->broker;
  psp_names_remove(&broker->snapshots, snapshot->settings.name);
  psp_policies_drop(&broker->policies, snapshot->settings.name);
  psp_alarms_clear(&broker->alarms, &snapshot->alarm);
  psp_alarms_leave(&broker->alarms, 1);
  psp_topic_count_snapshot(snapshot->topic, -1);
  snapshot_free(snapshot);
}

psprobe_code psp_broker_snapshot_delete(psp_broker *broker, const char *name,
                                        psprobe_error *error) {
  psp_snapshot *snapshot = psp_names_find(&broker->snapshots, name);
  if (snapshot == NULL) return psp_fail(error, PSPROBE_NOT_FOUND, "Snapshot does not exist");
  psp_snapshot_end(snapshot);
  return PSPROBE_OK;
}
