/* SPDX-License-Identifier: MIT */
/** @file One subscription's messages: their memory, their order, their leases. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "local/broker/parts.h"

#define CHUNK 64 /* entries are made in chunks that never move */

static psp_lane *lane_new(const char *key) {
  size_t size = strlen(key) + 1;
  psp_lane *lane = calloc(1, sizeof *lane + size);
  if (lane != NULL) memcpy(lane->key, key, size);
  return lane;
}

psp_subscription *psp_backlog_new(psp_broker *broker) {
  psp_subscription *subscription = calloc(1, sizeof *subscription);
  psp_lane *plain = lane_new("");
  if (subscription == NULL || plain == NULL || !psp_alarms_join(&broker->alarms, 1)) {
    free(subscription);
    free(plain);
    return NULL;
  }
  subscription->broker = broker;
  subscription->plain = plain;
  subscription->push_alarm.kind = ALARM_PUSH;
  return subscription;
}

/* Its lease is over, or it never had one. */
static void unlease(psp_entry *entry) {
  psp_broker_flow *flow = entry->flow;
  entry->flow = NULL;
  if (flow == NULL) return;
  flow->out--;
  flow->out_bytes -= entry->letter->size;
  if (flow->ended && flow->out == 0) free(flow);
}

void psp_backlog_free(psp_subscription *subscription) {
  psp_alarms *alarms = &subscription->broker->alarms;
  psp_alarms_clear(alarms, &subscription->push_alarm);
  for (size_t c = 0; c < subscription->chunk_count; c++) {
    for (size_t i = 0; i < CHUNK; i++) {
      psp_alarms_clear(alarms, &subscription->chunks[c][i].alarm);
      unlease(&subscription->chunks[c][i]);
      psp_letter_unref(subscription->chunks[c][i].letter);
    }
    free(subscription->chunks[c]);
  }
  psp_alarms_leave(alarms, subscription->chunk_count * CHUNK + 1);
  free(subscription->chunks);
  psp_lane *lane, *after;
  HASH_ITER(hh, subscription->keyed, lane, after) {
    /* `after` was read before: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    HASH_DEL(subscription->keyed, lane);
    free(lane);
  }
  free(subscription->plain);
  psp_subscription_settings_free(&subscription->settings);
  psp_broker_target_unref(subscription->target);
  free(subscription);
}

static bool add_chunk(psp_subscription *subscription) {
  psp_entry *chunk = calloc(CHUNK, sizeof *chunk);
  psp_entry **chunks =
      realloc(subscription->chunks, (subscription->chunk_count + 1) * sizeof(psp_entry *));
  if (chunks != NULL) subscription->chunks = chunks;
  if (chunk == NULL || chunks == NULL || !psp_alarms_join(&subscription->broker->alarms, CHUNK)) {
    free(chunk);
    return false;
  }
  for (size_t i = CHUNK; i-- > 0;) {
    chunk[i].alarm.kind = ALARM_ENTRY;
    chunk[i].subscription = subscription;
    chunk[i].slot = (uint32_t)(subscription->chunk_count * CHUNK + i);
    LL_PREPEND(subscription->free, &chunk[i]);
  }
  subscription->chunks[subscription->chunk_count++] = chunk;
  subscription->free_count += CHUNK;
  return true;
}

static psp_lane *lane_of(psp_subscription *subscription, const psp_letter *letter) {
  if (!subscription->settings.ordering || letter->ordering_key == NULL) return subscription->plain;
  psp_lane *lane;
  HASH_FIND_STR(subscription->keyed, letter->ordering_key, lane);
  return lane;
}

bool psp_backlog_reserve(psp_subscription *subscription, psp_letter *const *letters, size_t count) {
  while (subscription->free_count < count)
    if (!add_chunk(subscription)) return false;
  for (size_t i = 0; subscription->settings.ordering && i < count; i++) {
    if (lane_of(subscription, letters[i]) != NULL) continue;
    psp_lane *lane = lane_new(letters[i]->ordering_key);
    if (lane == NULL) return false;
    HASH_ADD_STR(subscription->keyed, key, lane);
    if (lane->hh.tbl == NULL) { /* no memory for it */
      free(lane);
      return false;
    }
  }
  return true;
}

/* A keyed lane delivers while none of its messages is out; one that holds nothing is dropped. */
static void lane_changed(psp_subscription *subscription, psp_lane *lane) {
  if (lane == subscription->plain) return;
  bool ready = lane->entries != NULL && lane->out == 0;
  if (ready && !lane->ready) DL_APPEND(subscription->ready, lane);
  if (!ready && lane->ready) DL_DELETE(subscription->ready, lane);
  lane->ready = ready;
  if (lane->entries != NULL || lane->out) return;
  HASH_DEL(subscription->keyed, lane);
  free(lane);
}

static void entry_free(psp_entry *entry) {
  psp_subscription *subscription = entry->subscription;
  psp_lane *lane = entry->lane;
  psp_alarms_clear(&subscription->broker->alarms, &entry->alarm);
  if (entry->state == ENTRY_QUEUED)
    DL_DELETE(lane->entries, entry);
  else
    lane->out--;
  if (entry->state == ENTRY_LEASED) subscription->leased--;
  unlease(entry);
  psp_letter_unref(entry->letter);
  entry->letter = NULL;
  entry->lane = NULL;
  entry->state = ENTRY_FREE;
  LL_PREPEND(subscription->free, entry);
  subscription->free_count++;
  subscription->held--;
  lane_changed(subscription, lane);
}

void psp_backlog_add(psp_subscription *subscription, psp_letter *letter, int64_t since_ns) {
  psp_entry *entry = subscription->free;
  LL_DELETE(subscription->free, entry);
  subscription->free_count--;
  subscription->held++;
  entry->letter = psp_letter_ref(letter);
  entry->since_ns = since_ns;
  entry->lane = lane_of(subscription, letter);
  entry->state = ENTRY_QUEUED;
  entry->attempts = 0;
  entry->lease = 0;
  DL_APPEND(entry->lane->entries, entry);
  lane_changed(subscription, entry->lane);
}

bool psp_backlog_has(const psp_subscription *subscription) {
  return subscription->plain->entries != NULL || subscription->ready != NULL;
}

/* The lane whose first message is the older: near enough to the order of publishing. */
static psp_lane *next_lane(const psp_subscription *subscription) {
  psp_lane *plain = subscription->plain, *keyed = subscription->ready;
  if (keyed == NULL || plain->entries == NULL)
    return keyed != NULL ? keyed : plain->entries != NULL ? plain : NULL;
  return plain->entries->letter->id < keyed->entries->letter->id ? plain : keyed;
}

static psp_broker_delivery lease(psp_entry *entry, psp_backlog_taker taker, psp_instant now) {
  psp_subscription *subscription = entry->subscription;
  const psp_subscription_settings *settings = &subscription->settings;
  psp_broker *broker = subscription->broker;
  DL_DELETE(entry->lane->entries, entry);
  entry->lane->out++;
  /* 31 bits, so that acks stay positive numbers. */
  broker->last_lease = broker->last_lease % INT32_MAX + 1;
  entry->lease = broker->last_lease;
  entry->state = ENTRY_LEASED;
  entry->pushed = taker.push;
  entry->flow = taker.flow;
  if (taker.flow != NULL) {
    taker.flow->out++;
    taker.flow->out_bytes += entry->letter->size;
  }
  if (entry->attempts < INT32_MAX) entry->attempts++;
  subscription->leased++;
  psp_alarms_set(&broker->alarms, &entry->alarm,
                 now.mono_ns + settings->ack_deadline_s * INT64_C(1000000000));
  return (psp_broker_delivery){
      .letter = psp_letter_ref(entry->letter),
      .ack = (uint64_t)entry->lease << 32 | entry->slot,
      .attempt = settings->has_dead_letter || settings->has_retry ? (int)entry->attempts : 0};
}

static bool stale(const psp_entry *entry, psp_instant now) {
  return now.mono_ns - entry->since_ns >= psp_span_ns(entry->subscription->settings.retention);
}

size_t psp_backlog_take(psp_subscription *subscription, psp_broker_delivery *out, size_t max,
                        psp_backlog_taker taker, psp_instant now) {
  size_t count = 0, bytes = 0;
  psp_lane *lane;
  while (count < max && psp_broker_flow_open(taker.flow) &&
         (lane = next_lane(subscription)) != NULL) {
    if (stale(lane->entries, now)) {
      entry_free(lane->entries);
      continue;
    }
    /* All that a keyed lane has may go in one answer; after it the lane rests. */
    do {
      bytes += lane->entries->letter->data_len;
      if (count > 0 && bytes > PSP_PULL_MAX_BYTES) {
        max = count;
        break;
      }
      out[count++] = lease(lane->entries, taker, now);
    } while (count < max && psp_broker_flow_open(taker.flow) && lane != subscription->plain &&
             lane->entries != NULL && !stale(lane->entries, now));
    lane_changed(subscription, lane);
  }
  return count;
}

psp_entry *psp_backlog_find(psp_subscription *subscription, uint64_t ack) {
  uint32_t slot = (uint32_t)ack;
  if (slot / CHUNK >= subscription->chunk_count) return NULL;
  psp_entry *entry = &subscription->chunks[slot / CHUNK][slot % CHUNK];
  return entry->state != ENTRY_FREE && entry->lease == ack >> 32 ? entry : NULL;
}

void psp_backlog_remove(psp_entry *entry) {
  entry_free(entry);
}

static int in_order(const psp_entry *a, const psp_entry *b) {
  return (a->letter->id > b->letter->id) - (a->letter->id < b->letter->id);
}

static int by_id(const void *a, const void *b) {
  return in_order(*(psp_entry *const *)a, *(psp_entry *const *)b);
}

psp_entry **psp_backlog_held(psp_subscription *subscription, size_t *count) {
  psp_entry **held = malloc((subscription->held + 1) * sizeof(psp_entry *));
  *count = 0;
  for (size_t c = 0; held != NULL && c < subscription->chunk_count; c++)
    for (size_t i = 0; i < CHUNK; i++)
      if (subscription->chunks[c][i].state != ENTRY_FREE)
        held[(*count)++] = &subscription->chunks[c][i];
  if (held != NULL) qsort(held, *count, sizeof(psp_entry *), by_id);
  return held;
}

void psp_backlog_sort(psp_subscription *subscription) {
  DL_SORT(subscription->plain->entries, in_order);
  for (psp_lane *lane = subscription->keyed; lane != NULL; lane = lane->hh.next)
    DL_SORT(lane->entries, in_order);
}

/* retryPolicy: from the minimum, doubling with each delivery, to the maximum. */
static int64_t backoff_ns(const psp_subscription_settings *settings, uint32_t attempts) {
  int64_t delay = psp_span_ns(settings->retry_min), max = psp_span_ns(settings->retry_max);
  for (uint32_t i = 1; i < attempts && delay < max && delay > 0; i++)
    delay *= 2;
  return delay < max ? delay : max;
}

void psp_backlog_give_back(psp_entry *entry, psp_instant now) {
  psp_subscription *subscription = entry->subscription;
  const psp_subscription_settings *settings = &subscription->settings;
  psp_broker *broker = subscription->broker;
  psp_alarms_clear(&broker->alarms, &entry->alarm);
  psp_broker_dirty(subscription);
  subscription->leased--;
  unlease(entry);
  entry->state = ENTRY_DELAYED;
  if (!settings->has_dead_letter || entry->attempts < (uint32_t)settings->max_attempts) {
    psp_backlog_delay(entry, now);
    return;
  }
  entry->next = NULL;
  if (broker->dying != NULL)
    broker->dying_end->next = entry;
  else
    broker->dying = entry;
  broker->dying_end = entry;
}

void psp_backlog_delay(psp_entry *entry, psp_instant now) {
  const psp_subscription_settings *settings = &entry->subscription->settings;
  int64_t delay = settings->has_retry ? backoff_ns(settings, entry->attempts) : 0;
  if (delay > 0)
    psp_alarms_set(&entry->subscription->broker->alarms, &entry->alarm, now.mono_ns + delay);
  else
    psp_backlog_requeue(entry);
}

void psp_backlog_requeue(psp_entry *entry) {
  psp_subscription *subscription = entry->subscription;
  psp_lane *lane = entry->lane;
  lane->out--;
  entry->state = ENTRY_QUEUED;
  psp_entry *after = NULL;
  /* With a key: back to its place in the order. Without: to the end, so that a message which is
   * refused again and again holds up no other. */
  if (lane != subscription->plain)
    for (after = lane->entries; after != NULL && after->letter->id < entry->letter->id;)
      after = after->next;
  DL_PREPEND_ELEM(lane->entries, after, entry);
  lane_changed(subscription, lane);
  psp_broker_dirty(subscription);
}
